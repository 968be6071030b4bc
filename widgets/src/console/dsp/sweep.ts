/** The one filter knob of a channel: dark to the left, thin to the right. */

export class Sweep {
  constructor(_sampleRate: number) {}

  /** -1 to 1: low-pass from 20 kHz down to 80 Hz on the left, high-pass from 20 Hz up to 8 kHz on the right. */
  set position(_position: number) {}
  settle(): void {}
  /** In place. */
  process(_left: Float32Array, _right: Float32Array, _from: number, _to: number): void {}
}
