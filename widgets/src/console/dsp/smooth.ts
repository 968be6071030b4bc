/** A value that follows where it is set, sample by sample, so that no change clicks. */

/** Of each of its two poles, in s: a change is 90 % done after 8 ms. */
const TIME = 0.002;
/** Closer than this to its target it is the target; of a gain, -140 dB. */
const CLOSE = 1e-7;

/** Most frames that processors make at a time. */
export const CHUNK = 64;

/** Two poles in a row: the value and its slope are both continuous. Once settled it is its target exactly. */
export class Smooth {
  value: number;
  target: number;
  #first: number;
  readonly #share: number;
  readonly #values = new Float64Array(CHUNK);

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

  /** Its next values. Values come in arrays, since V8 would make an object of each number that a function returns. */
  fill(values: Float64Array, frames: number): void {
    if (this.settled) {
      values.fill(this.value, 0, frames);
      return;
    }
    // Numbers of fields may be objects to V8; what comes of `Number` is none, and stays none in the loop.
    const target = Number(this.target);
    const share = this.#share;
    let first = Number(this.#first);
    let value = Number(this.value);
    for (let i = 0; i < frames; i += 1) {
      first += (target - first) * share;
      value += (first - value) * share;
      if (Math.abs(target - value) < CLOSE && Math.abs(target - first) < CLOSE) first = value = target;
      values[i] = value;
    }
    this.#first = first;
    this.value = value;
  }

  /** Turns targets, which may differ from frame to frame, into its next values. */
  follow(targets: Float64Array, frames: number): void {
    const share = this.#share;
    let first = Number(this.#first);
    let value = Number(this.value);
    let target = Number(this.target);
    for (let i = 0; i < frames; i += 1) {
      target = targets[i] as number;
      first += (target - first) * share;
      value += (first - value) * share;
      if (Math.abs(target - value) < CLOSE && Math.abs(target - first) < CLOSE) first = value = target;
      targets[i] = value;
    }
    this.target = target;
    this.#first = first;
    this.value = value;
  }

  /** Multiplies two channels by it. */
  apply(left: Float32Array, right: Float32Array, from: number, to: number): void {
    for (let start = from; start < to; start += CHUNK) {
      const frames = Math.min(CHUNK, to - start);
      if (this.settled && this.value === 1) return;
      this.fill(this.#values, frames);
      for (let i = 0; i < frames; i += 1) {
        const gain = this.#values[i] as number;
        left[start + i] = (left[start + i] as number) * gain;
        right[start + i] = (right[start + i] as number) * gain;
      }
    }
  }
}
