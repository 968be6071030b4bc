/** A value that follows where it is set, sample by sample, so that no change clicks. */

/** Of each of its two poles, in s: a change is 90 % done after 8 ms. */
const TIME = 0.002;
/** Closer than this to its target it is the target; of a gain, -140 dB. */
const CLOSE = 1e-7;

/** Two poles in a row: the value and its slope are both continuous. Once settled it is its target exactly. */
export class Smooth {
  value: number;
  target: number;
  #first: number;
  readonly #share: number;

  constructor(sampleRate: number, value: number, seconds = TIME) {
    this.value = value;
    this.target = value;
    this.#first = value;
    this.#share = 1 - Math.exp(-1 / (seconds * sampleRate));
  }

  get settled(): boolean {
    return this.value === this.target && this.#first === this.target;
  }

  /** Is there at once, without a way. */
  settle(value = this.target): void {
    this.value = value;
    this.target = value;
    this.#first = value;
  }

  /** Moves on by a frame. */
  next(): number {
    this.#first += (this.target - this.#first) * this.#share;
    this.value += (this.#first - this.value) * this.#share;
    const near = this.target - this.value;
    if (near < CLOSE && near > -CLOSE && Math.abs(this.target - this.#first) < CLOSE) this.settle();
    return this.value;
  }

  /** Multiplies two channels by it. */
  apply(left: Float32Array, right: Float32Array, from: number, to: number): void {
    let i = from;
    for (; i < to && !this.settled; i += 1) {
      const gain = this.next();
      left[i] = (left[i] as number) * gain;
      right[i] = (right[i] as number) * gain;
    }
    const gain = this.value;
    if (gain === 1) return;
    for (; i < to; i += 1) {
      left[i] = (left[i] as number) * gain;
      right[i] = (right[i] as number) * gain;
    }
  }
}
