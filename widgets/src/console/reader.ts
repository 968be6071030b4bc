// Reading a song at any place and any speed: band-limited interpolation, and the bare samples where nothing is between them.
import type { Song } from "./song";

/** Frames that `read` takes at most. */
export const STEP = 64;

/** Zero crossings of the kernel on each side at normal speed. */
const HALF = 24;
/** Points of the table between two samples; what lies between two points is interpolated (-106 dB). */
const FINE = 512;
/** Cutoff as a part of the Nyquist frequency: flat to 0.85 of it, 90 dB down where what it mirrors begins to be heard. */
const CUTOFF = 0.95;
/** Kaiser window: 90 dB. */
const BETA = 9;
/** Above this speed the kernel grows no further: the noise of a fast rewind may alias. */
const WIDEST = 4;
const REACH = HALF * WIDEST + 1;
/** Frames that are unpacked at once. */
const ROOM = 1024;

const KERNEL = kernel();

function kernel(): Float64Array {
  const table = new Float64Array(HALF * FINE + 2);
  for (let i = 0; i <= HALF * FINE; i++) {
    const x = i / FINE;
    const sinc = x === 0 ? CUTOFF : Math.sin(Math.PI * CUTOFF * x) / (Math.PI * x);
    table[i] = (sinc * bessel(BETA * Math.sqrt(1 - (x / HALF) ** 2))) / bessel(BETA);
  }
  return table;
}

/** The modified Bessel function of order zero. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

export class Reader {
  private readonly rooms: Float32Array[] = [];
  private readonly weights = new Float64Array(2 * REACH + 2);
  private taps = 0;
  /** What the weights have been made for. */
  private fraction = -1;
  private scale = 0;

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
        const speed = Math.min(WIDEST, Math.abs(speeds[next]!));
        const lower = Math.min(low, position);
        const higher = Math.max(high, position);
        const faster = Math.max(fastest, speed);
        if (higher - lower + 2 * HALF * faster + 4 > ROOM) break;
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
    const start = Math.floor(low) - Math.ceil(HALF * fastest);
    const count = Math.floor(high) + Math.ceil(HALF * fastest) + 2 - start;
    const { rooms, weights } = this;
    for (let k = 0; k < parts.length; k++) song.copy(parts[k]!, start, count, rooms[2 * k]!, rooms[2 * k + 1]!, 0);
    for (let i = from; i < to; i++) {
      const whole = Math.floor(positions[i]!);
      const fraction = positions[i]! - whole;
      const scale = Math.min(WIDEST, Math.max(1, Math.abs(speeds[i]!)));
      if (fraction !== this.fraction || scale !== this.scale) this.weigh(fraction, scale);
      const { taps } = this;
      const base = whole - start - (taps >> 1) + 1;
      for (let channel = 0; channel < 2 * parts.length; channel++) {
        const room = rooms[channel]!;
        let sum = 0;
        for (let tap = 0; tap < taps; tap++) sum += weights[tap]! * room[base + tap]!;
        outs[channel]![i] = sum;
      }
    }
  }

  /** The weights of the samples around a place `fraction` behind a sample, for a kernel `scale` times as wide. */
  private weigh(fraction: number, scale: number): void {
    const { weights } = this;
    const half = Math.ceil(HALF * scale);
    const step = FINE / scale;
    let sum = 0;
    for (let tap = 0; tap < 2 * half; tap++) {
      const x = Math.abs(tap - half + 1 - fraction) * step;
      const index = Math.floor(x);
      let weight = 0;
      if (index < HALF * FINE) weight = KERNEL[index]! + (KERNEL[index + 1]! - KERNEL[index]!) * (x - index);
      weights[tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < 2 * half; tap++) weights[tap]! /= sum;
    this.taps = 2 * half;
    this.fraction = fraction;
    this.scale = scale;
  }
}
