// A song in memory: 16 bit slices of its mix and of its stems, as they come.
import { SLICE, type Role, type Slice, type SongInfo } from "./types";

export class Song {
  readonly info: SongInfo;
  private readonly slices: (Slice | null)[][];
  private readonly missing: number[];
  private missingStems: number;
  private had = 0;

  constructor(info: SongInfo) {
    this.info = info;
    const count = Math.ceil(info.frames / SLICE);
    this.slices = info.roles.map(() => new Array<Slice | null>(count).fill(null));
    this.missing = info.roles.map(() => count);
    this.missingStems = (info.roles.length - 1) * count;
  }

  /** Slices in each role. */
  get count(): number {
    return this.slices[0]?.length ?? 0;
  }

  /** Takes a slice in; one that is not of this song, or that it has, is passed over. */
  add(role: Role, index: number, slice: Slice): void {
    const part = this.info.roles.indexOf(role);
    const slices = this.slices[part];
    if (slices?.[index] !== null) return;
    slices[index] = slice;
    this.missing[part]!--;
    if (part > 0) this.missingStems--;
    this.had++;
  }

  /** Whether all of a role is here. */
  complete(role: Role): boolean {
    return this.missing[this.info.roles.indexOf(role)] === 0;
  }

  /** Whether there are stems, and all of them are here. */
  get hasStems(): boolean {
    return this.missingStems === 0 && this.slices.length > 1;
  }

  /** Whether the sound of a role at a frame is here; what lies outside the song is silence, and always is. */
  loaded(role: Role, frame: number): boolean {
    return this.has(this.info.roles.indexOf(role), frame);
  }

  /** How much of it is here, 0 to 1. */
  get fraction(): number {
    const all = this.count * this.slices.length;
    return all === 0 ? 1 : this.had / all;
  }

  /** As `loaded`, for the index of a role. */
  has(part: number, frame: number): boolean {
    if (!(frame >= 0 && frame < this.info.frames)) return true;
    return (this.slices[part]?.[Math.floor(frame / SLICE)] ?? null) !== null;
  }

  /** Writes `count` frames from `start` on of a role; silence where there is none. False when some of it is not here yet. */
  copy(part: number, start: number, count: number, left: Float32Array, right: Float32Array, at: number): boolean {
    const slices = this.slices[part]!;
    let here = true;
    let done = 0;
    while (done < count) {
      const frame = start + done;
      const index = Math.floor(frame / SLICE);
      const within = frame - index * SLICE;
      const some = Math.min(count - done, SLICE - within);
      const outside = index < 0 || index >= slices.length;
      const slice = outside ? null : slices[index]!;
      const to = at + done;
      if (slice === null) {
        here &&= outside;
        left.fill(0, to, to + some);
        right.fill(0, to, to + some);
      } else {
        const unit = 1 / slice.scale;
        const length = Math.min(some, slice.left.length - within);
        for (let i = 0; i < length; i++) {
          left[to + i] = slice.left[within + i]! * unit;
          right[to + i] = slice.right[within + i]! * unit;
        }
        if (length < some) {
          left.fill(0, to + Math.max(0, length), to + some);
          right.fill(0, to + Math.max(0, length), to + some);
        }
      }
      done += some;
    }
    return here;
  }
}
