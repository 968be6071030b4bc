/** Peaks, true peaks and levels of a moment. */

import { CHUNK } from "./smooth";
import { TruePeak } from "./truepeak";

/** How long a VU meter listens, in s. */
const VU = 0.3;

/** Highest samples of both channels since the last `reset`, linear. */
export class PeakMeter {
  left = 0;
  right = 0;

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    // In one piece: V8 makes an object of each number that a function returns.
    let one = Number(this.left);
    let other = Number(this.right);
    for (let i = from; i < to; i += 1) {
      const near = Math.abs(left[i] as number);
      const far = Math.abs(right[i] as number);
      if (near > one) one = near;
      if (far > other) other = far;
    }
    this.left = one;
    this.right = other;
  }

  /** Begins anew. */
  reset(): void {
    this.left = 0;
    this.right = 0;
  }
}

/** All that is shown of the master, linear. */
export class MasterMeter {
  /** Highest true peak of both channels since the last `reset`. */
  peak = 0;
  readonly #peaks = new PeakMeter();
  readonly #share: number;
  readonly #leftPeak = new TruePeak();
  readonly #rightPeak = new TruePeak();
  readonly #heights = new Float64Array(CHUNK);
  /** Mean squares, left and right. */
  readonly #means = new Float64Array(2);

  constructor(sampleRate: number) {
    this.#share = 1 - Math.exp(-1 / (VU * sampleRate));
  }

  /** Highest samples since the last `reset`. */
  get left(): number {
    return this.#peaks.left;
  }

  get right(): number {
    return this.#peaks.right;
  }

  /** VU: the root of the mean square of about the last 0.3 s. */
  get vuLeft(): number {
    return Math.sqrt(this.#means[0] as number);
  }

  get vuRight(): number {
    return Math.sqrt(this.#means[1] as number);
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    this.#listen(left, 0, from, to);
    this.#listen(right, 1, from, to);
    this.#peaks.process(left, right, from, to);
    for (let start = from; start < to; start += CHUNK) {
      const frames = Math.min(CHUNK, to - start);
      this.#heights.fill(this.peak, 0, frames);
      this.#leftPeak.run(left, start, frames, this.#heights, this.peak);
      this.#rightPeak.run(right, start, frames, this.#heights, this.peak);
      for (let i = 0; i < frames; i += 1) this.peak = Math.max(this.peak, this.#heights[i] as number);
    }
  }

  #listen(samples: Float32Array, side: number, from: number, to: number): void {
    let mean = this.#means[side] as number;
    for (let i = from; i < to; i += 1) {
      const x = samples[i] as number;
      mean += this.#share * (x * x - mean);
    }
    this.#means[side] = mean < 1e-20 ? 0 : mean;
  }

  /** Begins anew; the VU level goes on. */
  reset(): void {
    this.#peaks.reset();
    this.peak = 0;
  }
}
