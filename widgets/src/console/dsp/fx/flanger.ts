/** The sound beside a copy of itself whose delay swings with the beat. */

import { CHUNK, Smooth } from "../smooth";
import { between, type Effect, flush, Insert } from "./effect";

/** A swing lasts so many times the effect's time: half a beat makes it a bar. */
const SLOWER = 8;
/** Delays in s: the shortest, and the longest with the amount at 0 and at 1. */
const SHORT = 0.0004;
const LONG = [0.003, 0.008] as const;
/** Share of the copy that goes round again, with the amount at 0 and at 1. */
const FEEDBACK = [0.1, 0.82] as const;
/** The right channel is ahead by so much of a swing. */
const WIDE = 0.2;
/** How long the delay takes to follow, of each of its two poles, in s. */
const GLIDE = 0.005;

/** `beats`: an eighth of a swing. `amount`: how deep and how sharp it is. */
export class Flanger implements Effect {
  readonly #blend: Insert;
  readonly #feedback: Smooth;
  /** What the lines hear: it begins softly, for its beginning comes back. */
  readonly #taken: Smooth;
  readonly #feedbacks = new Float64Array(CHUNK);
  readonly #takes = new Float64Array(CHUNK);
  readonly #sides: readonly [Line, Line];
  readonly #rate: number;
  #amount = 0.5;
  beats = 0.5;

  constructor(sampleRate: number) {
    this.#rate = sampleRate;
    this.#blend = new Insert(sampleRate);
    this.#feedback = new Smooth(sampleRate, 0);
    this.#taken = new Smooth(sampleRate, 0);
    this.#taken.target = 1;
    this.#sides = [new Line(sampleRate), new Line(sampleRate)];
    this.amount = this.#amount;
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

  get amount(): number {
    return this.#amount;
  }

  set amount(amount: number) {
    this.#amount = amount;
    this.#feedback.target = FEEDBACK[0] + (FEEDBACK[1] - FEEDBACK[0]) * amount;
  }

  settle(): void {
    this.#blend.settle();
    this.#feedback.settle();
  }

  tick(beat: number): void {
    const [left, right] = this.#sides;
    if (this.#blend.tick()) {
      left.reset();
      right.reset();
      this.#taken.settle(0);
      this.#taken.target = 1;
      return;
    }
    const longest = LONG[0] + (LONG[1] - LONG[0]) * this.#amount;
    const swing = beat / (SLOWER * this.beats);
    left.aim(this.#rate * delayAt(swing, longest));
    right.aim(this.#rate * delayAt(swing + WIDE, longest));
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    const frames = to - from;
    this.#blend.next(frames);
    this.#feedback.fill(this.#feedbacks, frames);
    this.#taken.fill(this.#takes, frames);
    this.#sides[0].run(left, from, frames, this.#blend.shares, this.#takes, this.#feedbacks);
    this.#sides[1].run(right, from, frames, this.#blend.shares, this.#takes, this.#feedbacks);
  }
}

/** Delay in s at a place of the swing, in swings; the ear hears its ratio. */
function delayAt(swing: number, longest: number): number {
  return SHORT * (longest / SHORT) ** ((1 + Math.cos(2 * Math.PI * swing)) / 2);
}

/** One channel. */
class Line {
  readonly #samples: Float32Array;
  readonly #delay: Smooth;
  readonly #delays = new Float64Array(CHUNK);
  #at = 0;
  #fresh = true;

  constructor(sampleRate: number) {
    this.#samples = new Float32Array(Math.ceil(LONG[1] * sampleRate) + 4);
    this.#delay = new Smooth(sampleRate, 0, GLIDE);
  }

  aim(delay: number): void {
    this.#delay.target = delay;
    if (this.#fresh) this.#delay.settle();
    this.#fresh = false;
  }

  reset(): void {
    this.#samples.fill(0);
    this.#fresh = true;
  }

  /** In place. */
  run(
    samples: Float32Array, from: number, frames: number, shares: Float64Array, takes: Float64Array, feedbacks: Float64Array,
  ): void {
    this.#delay.fill(this.#delays, frames);
    for (let i = 0; i < frames; i += 1) {
      const sample = samples[from + i] as number;
      const delay = this.#delays[i] as number;
      const whole = Math.floor(delay);
      const copy = between(this.#ago(whole - 1), this.#ago(whole), this.#ago(whole + 1), this.#ago(whole + 2), delay - whole);
      const feedback = feedbacks[i] as number;
      this.#samples[this.#at] = flush((takes[i] as number) * sample + feedback * copy);
      this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
      // As loud as the sound alone, however sharp it is.
      const both = (sample + Math.sqrt(1 - feedback * feedback) * copy) * Math.SQRT1_2;
      samples[from + i] = sample + (shares[i] as number) * (both - sample);
    }
  }

  #ago(frames: number): number {
    const place = this.#at - frames;
    return this.#samples[place < 0 ? place + this.#samples.length : place] as number;
  }
}
