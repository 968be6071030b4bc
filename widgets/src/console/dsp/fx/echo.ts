/** Echoes in time with the beat, each of them a little darker and thinner. */

import { Smooth } from "../smooth";
import { between, type Effect, flush, framesOf, LONGEST, Send } from "./effect";

/** Share of an echo in the next one, with the amount at 0 and at 1. */
const LEAST = 0.15;
const MOST = 0.93;
/** What each echo loses, below and above, in Hz. */
const THIN = 90;
const DARK = 7000;
/** Above this, echoes that pile up are bent softly instead of growing. */
const SOFT = 0.6;
/** A tempo that moves less than this drags the echoes along, at most so fast; anything else fades over, in s. */
const DRAG = 0.06;
const SPEED = 0.01;
const FADE = 0.04;
/** Quieter than this, an echo has died away: -90 dBFS. */
const QUIET = 3e-5;

/** `beats`: time between two echoes. `amount`: how many there are. */
export class Echo implements Effect {
  readonly #blend: Send;
  readonly #feedback: Smooth;
  readonly #lines: readonly [Line, Line];
  readonly #most: number;
  readonly #fade: number;
  #amount = 0.5;
  #beats = 0.5;
  /** Where the echo is read, frames ago; where it was read before, while it fades over. */
  #delay = 0;
  #before = 0;
  #wanted = 0;
  /** Frames of the fade that are left. */
  #fading = 0;
  /** Frames since the last that was loud enough. */
  #since = 0;

  constructor(sampleRate: number) {
    this.#blend = new Send(sampleRate);
    this.#feedback = new Smooth(sampleRate, 0);
    this.#most = Math.floor(LONGEST * sampleRate);
    this.#fade = Math.round(FADE * sampleRate);
    this.#lines = [new Line(sampleRate, this.#most), new Line(sampleRate, this.#most)];
    this.amount = this.#amount;
  }

  get idle(): boolean {
    return this.#blend.idle;
  }

  get on(): boolean {
    return this.#blend.on;
  }

  set on(on: boolean) {
    if (on && this.idle) this.#feedback.settle();
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
    this.#feedback.target = LEAST + (MOST - LEAST) * amount;
  }

  get beats(): number {
    return this.#beats;
  }

  set beats(beats: number) {
    this.#beats = beats;
  }

  settle(): void {
    this.#blend.settle();
    this.#feedback.settle();
  }

  tick(_beat: number, perFrame: number): void {
    this.#wanted = Math.round(framesOf(this.#beats, perFrame, this.#most));
    if (this.#delay === 0) this.#delay = this.#wanted;
    const far = Math.abs(this.#wanted - this.#delay);
    if (this.#fading === 0 && far > DRAG * this.#delay) {
      this.#before = this.#delay;
      this.#delay = this.#wanted;
      this.#fading = this.#fade;
    }
    const { send } = this.#blend;
    if (this.on || !send.settled || this.#fading > 0 || this.#since <= Math.max(this.#delay, this.#wanted)) return;
    this.#blend.idle = true;
    this.#delay = 0;
    this.#since = 0;
    for (const line of this.#lines) line.reset();
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    const [one, other] = this.#lines;
    const { send, dry, wet } = this.#blend;
    for (let i = from; i < to; i += 1) {
      this.#drag();
      let a = one.read(this.#delay);
      let b = other.read(this.#delay);
      if (this.#fading > 0) {
        this.#fading -= 1;
        const share = (1 - Math.cos((Math.PI * this.#fading) / this.#fade)) / 2;
        a += share * (one.read(this.#before) - a);
        b += share * (other.read(this.#before) - b);
      }
      const taken = send.next();
      const back = this.#feedback.next();
      const through = dry.next();
      const loud = wet.next();
      const x = left[i] as number;
      const y = right[i] as number;
      const size = Math.max(one.write(taken * x, a, back), other.write(taken * y, b, back));
      this.#since = size > QUIET ? 0 : this.#since + 1;
      left[i] = through * x + loud * a;
      right[i] = through * y + loud * b;
    }
  }

  #drag(): void {
    const gap = this.#wanted - this.#delay;
    if (gap === 0 || this.#fading > 0 || Math.abs(gap) > DRAG * this.#delay) return;
    this.#delay += Math.abs(gap) <= SPEED ? gap : SPEED * Math.sign(gap);
  }
}

/** One channel: what was heard, and the filters that the echoes pass. */
class Line {
  readonly #samples: Float32Array;
  readonly #low: number;
  readonly #high: number;
  #at = 0;
  /** Frames that are worth reading. */
  #written = 0;
  #bass = 0;
  #dull = 0;

  constructor(sampleRate: number, most: number) {
    this.#samples = new Float32Array(most + 4);
    this.#low = 1 - Math.exp((-2 * Math.PI * THIN) / sampleRate);
    this.#high = 1 - Math.exp((-2 * Math.PI * DARK) / sampleRate);
  }

  reset(): void {
    this.#written = 0;
    this.#bass = 0;
    this.#dull = 0;
  }

  /** What was written so many frames ago. */
  read(delay: number): number {
    const whole = Math.floor(delay);
    if (whole + 2 > this.#written) return whole === delay ? this.#sample(whole) : 0;
    const place = delay - whole;
    if (place === 0) return this.#sample(whole);
    return between(this.#sample(whole - 1), this.#sample(whole), this.#sample(whole + 1), this.#sample(whole + 2), place);
  }

  /** How loud what it wrote is. */
  write(sample: number, echo: number, feedback: number): number {
    this.#bass = flush(this.#bass + this.#low * (echo - this.#bass));
    this.#dull = flush(this.#dull + this.#high * (echo - this.#bass - this.#dull));
    const sum = flush(sample + feedback * bend(this.#dull));
    this.#samples[this.#at] = sum;
    this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
    if (this.#written < this.#samples.length) this.#written += 1;
    return Math.abs(sum);
  }

  #sample(delay: number): number {
    if (delay > this.#written) return 0;
    const place = this.#at - delay;
    return this.#samples[place < 0 ? place + this.#samples.length : place] as number;
  }
}

function bend(sample: number): number {
  const over = Math.abs(sample) - SOFT;
  return over <= 0 ? sample : Math.sign(sample) * (SOFT + (1 - SOFT) * Math.tanh(over / (1 - SOFT)));
}
