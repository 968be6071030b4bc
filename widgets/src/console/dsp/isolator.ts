/** The three bands of a channel, each of which can be silenced. */

export type Band = "low" | "mid" | "high";

export class Isolator {
  constructor(_sampleRate: number) {}

  /** Level of a band in dB. */
  set(_band: Band, _decibels: number): void {}
  /** Whether a band is silent, whatever its level. */
  kill(_band: Band, _killed: boolean): void {}
  /** Is what it was set to, at once. */
  settle(): void {}
  /** In place. */
  process(_left: Float32Array, _right: Float32Array, _from: number, _to: number): void {}
}
