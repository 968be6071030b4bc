/** Peaks and true peaks of a moment. */

import { CHUNK } from "./smooth";
import { TruePeak } from "./truepeak";

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
  readonly #leftPeak = new TruePeak();
  readonly #rightPeak = new TruePeak();
  readonly #heights = new Float64Array(CHUNK);

  /** Highest samples since the last `reset`. */
  get left(): number {
    return this.#peaks.left;
  }

  get right(): number {
    return this.#peaks.right;
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    this.#peaks.process(left, right, from, to);
    for (let start = from; start < to; start += CHUNK) {
      const frames = Math.min(CHUNK, to - start);
      this.#heights.fill(this.peak, 0, frames);
      this.#leftPeak.run(left, start, frames, this.#heights, this.peak);
      this.#rightPeak.run(right, start, frames, this.#heights, this.peak);
      for (let i = 0; i < frames; i += 1) this.peak = Math.max(this.peak, this.#heights[i] as number);
    }
  }

  /** Begins anew. */
  reset(): void {
    this.#peaks.reset();
    this.peak = 0;
  }
}
