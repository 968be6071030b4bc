/** Few bits and few samples. */

import { type Effect, flush, Insert } from "./effect";

/** Bits of what is loud at the moment, with the amount at 0 and at 1. */
const BITS = [11, 2.5] as const;
/** A sample is held for so many frames of 48 kHz at most. */
const HELD = 28;
/** The holding swings by so many octaves, within so many times the effect's time. */
const SWING = 0.5;
const SLOWER = 8;
/** How fast "loud at the moment" forgets, in s. */
const FORGET = 0.4;

/**
 * `beats`: an eighth of a slow swing of its sample rate. `amount`: how coarse it is.
 *
 * Its steps follow how loud the song is, so that it sounds the same wherever the faders are.
 */
export class Crush implements Effect {
  readonly #blend: Insert;
  readonly #forget: number;
  readonly #scale: number;
  amount = 0.5;
  beats = 0.5;
  /** The amount, which moves there within some ticks. */
  #depth = 0.5;
  #hold = 1;
  #steps = 1;
  #loud = 0;
  #waited = 0;
  #left = 0;
  #right = 0;

  constructor(sampleRate: number) {
    this.#blend = new Insert(sampleRate);
    this.#forget = Math.exp(-1 / (FORGET * sampleRate));
    this.#scale = sampleRate / 48_000;
  }

  get idle(): boolean {
    return this.#blend.idle;
  }

  get on(): boolean {
    return this.#blend.on;
  }

  set on(on: boolean) {
    if (on && this.idle) this.#depth = this.amount;
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
    this.#depth = this.amount;
  }

  tick(beat: number): void {
    if (this.#blend.tick()) {
      this.#loud = this.#waited = this.#left = this.#right = 0;
      return;
    }
    this.#depth += 0.2 * (this.amount - this.#depth);
    const swing = SWING * this.#depth * Math.sin((2 * Math.PI * beat) / (SLOWER * this.beats));
    this.#hold = Math.max(1, this.#scale * HELD ** this.#depth * 2 ** swing);
    this.#steps = 2 ** (1 - (BITS[0] + (BITS[1] - BITS[0]) * this.#depth));
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    this.#blend.next(to - from);
    for (let i = from; i < to; i += 1) {
      const x = left[i] as number;
      const y = right[i] as number;
      this.#loud = flush(Math.max(Math.abs(x), Math.abs(y), this.#loud * this.#forget));
      this.#waited += 1;
      if (this.#waited >= this.#hold) {
        this.#waited = Math.min(1, this.#waited - this.#hold);
        const step = this.#loud * this.#steps;
        this.#left = step === 0 ? 0 : step * Math.round(x / step);
        this.#right = step === 0 ? 0 : step * Math.round(y / step);
      }
      const share = this.#blend.shares[i - from] as number;
      left[i] = x + share * (this.#left - x);
      right[i] = y + share * (this.#right - y);
    }
  }
}
