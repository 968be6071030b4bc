/** A beat grid as a deck uses it: in frames, and on beyond its first and last beat. */

import type { Grid } from "./types";

/** Neighbours over which a tempo is averaged, on either side of a beat. */
const AROUND = 8;
const AROUND_FREE = 4;
/** A neighbour that differs more than this is of another tempo. */
const SAME = 0.01;

export class BeatGrid {
  /** Frames of the beats, rising; at least two. */
  readonly #beats: Float64Array;
  /** Frames that a beat takes from each of them on: the tempo about there, free of jitter. */
  readonly #lengths: Float64Array;
  /** Beat at or before the place that was asked for last: the next question is mostly about the same. */
  #last = 0;

  constructor(grid: Grid, readonly sampleRate: number) {
    this.#beats = grid.beats.map((time) => time * sampleRate);
    this.#lengths = lengths(this.#beats, grid.steady);
  }

  /** Beats of 120 BPM, for a song without a grid: what "a beat" means there. */
  static even(sampleRate: number): BeatGrid {
    return new BeatGrid({ beats: Float64Array.of(0, 0.5), downbeats: Int32Array.of(0), steady: true }, sampleRate);
  }

  /** Beats since the first one, with fractions; negative before it. */
  beatAt(frame: number): number {
    const index = this.#before(frame);
    return index + (frame - this.#frame(index)) / this.#step(index);
  }

  /** The other way round. */
  frameAt(beat: number): number {
    const index = Math.max(0, Math.min(this.#beats.length - 2, Math.floor(beat)));
    return this.#frame(index) + (beat - index) * this.#step(index);
  }

  /** The nearest multiple of `unit` beats. */
  nearest(frame: number, unit = 1): number {
    return this.frameAt(Math.round(this.beatAt(frame) / unit) * unit);
  }

  /** Frames that a beat takes about there. */
  lengthAt(frame: number): number {
    return this.#lengths[this.#before(frame)] as number;
  }

  /** BPM of the song about there, when it is played as it is. */
  tempoAt(frame: number): number {
    return (60 * this.sampleRate) / this.lengthAt(frame);
  }

  #frame(index: number): number {
    return this.#beats[index] as number;
  }

  /** Frames to the next beat; beyond the ends those of the tempo there. */
  #step(index: number): number {
    return this.#frame(index + 1) - this.#frame(index);
  }

  /** The beat at or before a frame, but neither before the first nor after the last but one. */
  #before(frame: number): number {
    const beats = this.#beats;
    const most = beats.length - 2;
    let low = this.#last;
    if (frame < this.#frame(low) || (low < most && frame >= this.#frame(low + 1))) {
      low = 0;
      let high = most;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.#frame(middle) <= frame) low = middle;
        else high = middle - 1;
      }
      this.#last = low;
    }
    return low;
  }
}

/** The mean length of the beats about each: of those of the same tempo, or, where nothing is even, of all near it. */
function lengths(beats: Float64Array, steady: boolean): Float64Array {
  const count = beats.length - 1;
  const step = (index: number) => (beats[index + 1] as number) - (beats[index] as number);
  const means = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    let [first, last] = [index, index];
    const reach = steady ? AROUND : AROUND_FREE;
    const same = (other: number) => !steady || Math.abs(step(other) - step(index)) <= SAME * step(index);
    while (first > 0 && index - first < reach && same(first - 1)) first -= 1;
    while (last < count - 1 && last - index < reach && same(last + 1)) last += 1;
    means[index] = ((beats[last + 1] as number) - (beats[first] as number)) / (last + 1 - first);
  }
  return means;
}
