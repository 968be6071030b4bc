/** Opens and closes with the beat. */

import { CHUNK, Smooth } from "../smooth";
import { type Effect, Insert } from "./effect";

/** How fast it opens and closes, of each of two poles, in s; it begins so much before the beat that attacks come whole. */
const EDGE = 0.001;
const EARLY = 0.003;

/**
 * `beats`: from one opening to the next. `amount`: up to 0.5 it closes ever deeper, for half of the time in the end;
 * above, it is open ever shorter.
 */
export class Gate implements Effect {
  readonly #blend: Insert;
  readonly #gain: Smooth;
  readonly #gains = new Float64Array(CHUNK);
  readonly #early: number;
  amount = 0.5;
  beats = 0.5;
  #beat = 0;
  #perFrame = 0;

  constructor(sampleRate: number) {
    this.#blend = new Insert(sampleRate);
    this.#gain = new Smooth(sampleRate, 1, EDGE);
    this.#early = EARLY * sampleRate;
  }

  get idle(): boolean {
    return this.#blend.idle;
  }

  get on(): boolean {
    return this.#blend.on;
  }

  set on(on: boolean) {
    this.#blend.on = on;
  }

  get mix(): number {
    return this.#blend.mix;
  }

  set mix(mix: number) {
    this.#blend.mix = mix;
  }

  settle(): void {
    this.#blend.settle();
  }

  tick(beat: number, perFrame: number): void {
    this.#blend.tick();
    this.#beat = beat;
    this.#perFrame = perFrame;
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number, into: number): void {
    const open = this.amount <= 0.5 ? 0.75 - 0.5 * this.amount : 0.5 - 0.76 * (this.amount - 0.5);
    const closed = this.amount <= 0.5 ? 0.7 * (1 - 2 * this.amount) : 0;
    const first = (this.#beat + this.#early * this.#perFrame) / this.beats;
    const step = this.#perFrame / this.beats;
    const frames = to - from;
    for (let i = 0; i < frames; i += 1) {
      const place = first + (into + i) * step;
      this.#gains[i] = place - Math.floor(place) < open ? 1 : closed;
    }
    this.#gain.follow(this.#gains, frames);
    this.#blend.next(frames);
    for (let i = 0; i < frames; i += 1) {
      const gain = 1 + (this.#blend.shares[i] as number) * ((this.#gains[i] as number) - 1);
      left[from + i] = (left[from + i] as number) * gain;
      right[from + i] = (right[from + i] as number) * gain;
    }
  }
}
