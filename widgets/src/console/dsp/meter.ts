/** Peaks, true peaks and levels of a moment. */

import { CHUNK } from "./smooth";
import { TruePeak } from "./truepeak";

/** How long the ear of a VU meter listens, in s. */
const VU = 0.3;

/** Highest samples of both channels since the last `reset`, linear. */
export class PeakMeter {
  left = 0;
  right = 0;

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    this.left = highest(left, from, to, this.left);
    this.right = highest(right, from, to, this.right);
  }

  /** Begins anew. */
  reset(): void {
    this.left = 0;
    this.right = 0;
  }
}

/** All that is shown of the master, linear. */
export class MasterMeter {
  /** Highest samples since the last `reset`. */
  left = 0;
  right = 0;
  /** Highest true peak of both channels since the last `reset`. */
  peak = 0;
  readonly #share: number;
  readonly #leftPeak = new TruePeak();
  readonly #rightPeak = new TruePeak();
  readonly #heights = new Float64Array(CHUNK);
  #leftSquare = 0;
  #rightSquare = 0;

  constructor(sampleRate: number) {
    this.#share = 1 - Math.exp(-1 / (VU * sampleRate));
  }

  /** VU: root of the mean square of about the last 0.3 s. */
  get vuLeft(): number {
    return Math.sqrt(this.#leftSquare);
  }

  get vuRight(): number {
    return Math.sqrt(this.#rightSquare);
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    this.left = highest(left, from, to, this.left);
    this.right = highest(right, from, to, this.right);
    this.#leftSquare = square(left, from, to, this.#leftSquare, this.#share);
    this.#rightSquare = square(right, from, to, this.#rightSquare, this.#share);
    for (let start = from; start < to; start += CHUNK) {
      const frames = Math.min(CHUNK, to - start);
      this.#heights.fill(this.peak, 0, frames);
      this.#leftPeak.run(left, start, frames, this.#heights, this.peak);
      this.#rightPeak.run(right, start, frames, this.#heights, this.peak);
      for (let i = 0; i < frames; i += 1) this.peak = Math.max(this.peak, this.#heights[i] as number);
    }
  }

  /** Begins anew; the VU level goes on. */
  reset(): void {
    this.left = 0;
    this.right = 0;
    this.peak = 0;
  }
}

function highest(samples: Float32Array, from: number, to: number, before: number): number {
  let most = before;
  for (let i = from; i < to; i += 1) {
    const size = Math.abs(samples[i] as number);
    if (size > most) most = size;
  }
  return most;
}

function square(samples: Float32Array, from: number, to: number, before: number, share: number): number {
  let mean = before;
  for (let i = from; i < to; i += 1) {
    const x = samples[i] as number;
    mean += share * (x * x - mean);
  }
  return mean < 1e-20 ? 0 : mean;
}
