/** Echoes in time with the beat, each of them a little darker and thinner. */

import { CHUNK, Smooth } from "../smooth";
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
  readonly #feedbacks = new Float64Array(CHUNK);
  /** Of the frames that are made: where the echo is read, where it was before, and what is left of that. */
  readonly #delays = new Float64Array(CHUNK);
  readonly #befores = new Float64Array(CHUNK);
  readonly #fades = new Float64Array(CHUNK);
  readonly #lines: readonly [Line, Line];
  readonly #most: number;
  readonly #fade: number;
  #amount = 0.5;
  beats = 0.5;
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

  settle(): void {
    this.#blend.settle();
    this.#feedback.settle();
  }

  tick(_beat: number, perFrame: number): void {
    // A whole chunk is read before it is written.
    this.#wanted = Math.max(2 * CHUNK, Math.round(framesOf(this.beats, perFrame, this.#most)));
    if (this.#delay === 0) this.#delay = this.#wanted;
    const far = Math.abs(this.#wanted - this.#delay);
    if (this.#fading === 0 && far > DRAG * this.#delay) {
      this.#before = this.#delay;
      this.#delay = this.#wanted;
      this.#fading = this.#fade;
    }
    if (!this.#blend.deaf || this.#fading > 0 || this.#since <= Math.max(this.#delay, this.#wanted)) return;
    this.#blend.idle = true;
    this.#delay = 0;
    this.#since = 0;
    for (const line of this.#lines) line.reset();
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    const frames = to - from;
    this.#blend.next(frames);
    this.#feedback.fill(this.#feedbacks, frames);
    for (let i = 0; i < frames; i += 1) this.#move(i);
    const [one, other] = this.#lines;
    one.tap(this.#delays, this.#befores, this.#fades, frames);
    other.tap(this.#delays, this.#befores, this.#fades, frames);
    const { sends, dries, wets } = this.#blend;
    one.pass(left, from, frames, sends, dries, wets, this.#feedbacks);
    other.pass(right, from, frames, sends, dries, wets, this.#feedbacks);
    for (let i = 0; i < frames; i += 1) {
      this.#since = Math.max(one.sizes[i] as number, other.sizes[i] as number) > QUIET ? 0 : this.#since + 1;
    }
  }

  /** Where the echo of a frame is read. */
  #move(i: number): void {
    const gap = this.#wanted - this.#delay;
    if (this.#fading > 0) this.#fading -= 1;
    else if (Math.abs(gap) <= DRAG * this.#delay) this.#delay += Math.abs(gap) <= SPEED ? gap : SPEED * Math.sign(gap);
    this.#delays[i] = this.#delay;
    this.#befores[i] = this.#before;
    this.#fades[i] = (1 - Math.cos((Math.PI * this.#fading) / this.#fade)) / 2;
  }
}

/** One channel: what was heard, and the filters that the echoes pass. */
class Line {
  /** How loud what it wrote is. */
  readonly sizes = new Float64Array(CHUNK);
  readonly #samples: Float32Array;
  readonly #echoes = new Float64Array(CHUNK);
  readonly #olds = new Float64Array(CHUNK);
  readonly #low: number;
  readonly #high: number;
  #at = 0;
  /** Frames that are worth reading. */
  #written = 0;
  #bass = 0;
  #dull = 0;

  constructor(sampleRate: number, most: number) {
    this.#samples = new Float32Array(most + CHUNK + 4);
    this.#low = 1 - Math.exp((-2 * Math.PI * THIN) / sampleRate);
    this.#high = 1 - Math.exp((-2 * Math.PI * DARK) / sampleRate);
  }

  reset(): void {
    this.#written = 0;
    this.#bass = 0;
    this.#dull = 0;
  }

  /** Finds the echoes of the next frames. */
  tap(delays: Float64Array, befores: Float64Array, fades: Float64Array, frames: number): void {
    for (let i = 0; i < frames; i += 1) {
      this.#read(delays, i, this.#echoes);
      const fade = fades[i] as number;
      if (fade === 0) continue;
      this.#read(befores, i, this.#olds);
      this.#echoes[i] = (1 - fade) * (this.#echoes[i] as number) + fade * (this.#olds[i] as number);
    }
  }

  /** Takes up the next frames, in place, and gives back what is heard of them and of their echoes. */
  pass(
    samples: Float32Array, from: number, frames: number,
    sends: Float64Array, dries: Float64Array, wets: Float64Array, feedbacks: Float64Array,
  ): void {
    for (let i = 0; i < frames; i += 1) {
      const sample = samples[from + i] as number;
      const echo = this.#echoes[i] as number;
      this.#bass = flush(this.#bass + this.#low * (echo - this.#bass));
      this.#dull = flush(this.#dull + this.#high * (echo - this.#bass - this.#dull));
      const sum = flush((sends[i] as number) * sample + (feedbacks[i] as number) * bend(this.#dull));
      this.#samples[this.#at] = sum;
      this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
      this.sizes[i] = Math.abs(sum);
      samples[from + i] = (dries[i] as number) * sample + (wets[i] as number) * echo;
    }
    this.#written = Math.min(this.#samples.length, this.#written + frames);
  }

  /** What will have been written `delays[i]` frames before the frame that comes `i` frames after the next one. */
  #read(delays: Float64Array, i: number, found: Float64Array): void {
    const delay = delays[i] as number;
    const whole = Math.floor(delay);
    const place = delay - whole;
    const ago = whole - i;
    found[i] = place === 0 ? this.#sample(ago)
      : between(this.#sample(ago - 1), this.#sample(ago), this.#sample(ago + 1), this.#sample(ago + 2), place);
  }

  #sample(ago: number): number {
    if (ago > this.#written) return 0;
    const place = this.#at - ago;
    return this.#samples[place < 0 ? place + this.#samples.length : place] as number;
  }
}

function bend(sample: number): number {
  const over = Math.abs(sample) - SOFT;
  return over <= 0 ? sample : Math.sign(sample) * (SOFT + (1 - SOFT) * Math.tanh(over / (1 - SOFT)));
}
