// Reading a song at any place and any speed: band-limited interpolation, and the bare samples where nothing is between them.
import { Kernel } from "./kernel";
import type { Song } from "./song";

/** Frames that `read` takes at most. */
export const STEP = 64;

/** Frames that are unpacked at once. */
const ROOM = 1024;

export class Reader {
  private readonly rooms: Float32Array[] = [];
  private readonly kernel = new Kernel();

  /** At most `channels` at a time. */
  constructor(channels: number) {
    for (let i = 0; i < channels; i++) this.rooms.push(new Float32Array(ROOM));
  }

  /**
   * Writes what a song sounds like at each of `positions` (frames) from index `from` to before `to`, moving at `speeds`, into
   * `outs`: left and right of each of `parts` (indices of roles).
   */
  read(song: Song, parts: readonly number[], positions: Float64Array, speeds: Float64Array, from: number, to: number,
    outs: readonly Float32Array[]): void {
    let first = from;
    while (first < to) {
      const low0 = positions[first]!;
      let low = low0;
      let high = low0;
      let fastest = 1;
      let plain = true;
      let next = first;
      // As many as can be unpacked together: a jump at a loop's seam ends the run.
      for (; next < to; next++) {
        const position = positions[next]!;
        const speed = Math.abs(speeds[next]!);
        const lower = Math.min(low, position);
        const higher = Math.max(high, position);
        const faster = Math.max(fastest, speed);
        if (higher - lower + 2 * Kernel.reach(faster) + 4 > ROOM) break;
        low = lower;
        high = higher;
        fastest = faster;
        plain &&= position === low0 + (next - first);
      }
      if (plain && Number.isInteger(low0) && fastest === 1) {
        for (let k = 0; k < parts.length; k++) song.copy(parts[k]!, low0, next - first, outs[2 * k]!, outs[2 * k + 1]!, first);
      } else {
        this.interpolate(song, parts, positions, speeds, first, next, low, high, fastest, outs);
      }
      first = next;
    }
  }

  private interpolate(song: Song, parts: readonly number[], positions: Float64Array, speeds: Float64Array, from: number,
    to: number, low: number, high: number, fastest: number, outs: readonly Float32Array[]): void {
    const start = Math.floor(low) - Kernel.reach(fastest);
    const count = Math.floor(high) + Kernel.reach(fastest) + 2 - start;
    const { rooms, kernel } = this;
    for (let k = 0; k < parts.length; k++) song.copy(parts[k]!, start, count, rooms[2 * k]!, rooms[2 * k + 1]!, 0);
    for (let i = from; i < to; i++) {
      const whole = Math.floor(positions[i]!);
      const fraction = positions[i]! - whole;
      kernel.at(fraction, speeds[i]!);
      for (let k = 0; k < 2 * parts.length; k += 2) {
        kernel.read(rooms[k]!, rooms[k + 1]!, whole - start, outs[k]!, outs[k + 1]!, i);
      }
    }
  }
}
