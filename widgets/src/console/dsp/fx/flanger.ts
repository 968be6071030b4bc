/** The sound beside a copy of itself whose delay swings with the beat. */

import { Smooth } from "../smooth";
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
    const [one, other] = this.#sides;
    for (let i = from; i < to; i += 1) {
      const share = this.#blend.share.next();
      const back = this.#feedback.next();
      const taken = this.#taken.next();
      // As loud as the sound alone, however sharp it is.
      const level = Math.sqrt(1 - back * back);
      const x = left[i] as number;
      const y = right[i] as number;
      left[i] = x + share * ((x + level * one.next(taken * x, back)) * Math.SQRT1_2 - x);
      right[i] = y + share * ((y + level * other.next(taken * y, back)) * Math.SQRT1_2 - y);
    }
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

  /** The copy that goes with a sample. */
  next(sample: number, feedback: number): number {
    const delay = this.#delay.next();
    const whole = Math.floor(delay);
    const copy = between(this.#ago(whole - 1), this.#ago(whole), this.#ago(whole + 1), this.#ago(whole + 2), delay - whole);
    this.#samples[this.#at] = flush(sample + feedback * copy);
    this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
    return copy;
  }

  #ago(frames: number): number {
    const place = this.#at - frames;
    return this.#samples[place < 0 ? place + this.#samples.length : place] as number;
  }
}
