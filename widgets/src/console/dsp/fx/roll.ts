/** Says the last beats again and again. */

import { CHUNK, Smooth } from "../smooth";
import { type Effect, flush, framesOf, Insert, LONGEST } from "./effect";

/** How long one repeat fades into the next, in s. */
const FADE = 0.003;
/** With the amount in the middle, so far to either side, repeats are as they were. */
const DEAD = 0.05;
/** Gain of each repeat over the one before, with the amount at 0. */
const FADED = 0.6;
/** The high-pass of the repeats begins at so many Hz and rises by so many octaves with each, with the amount at 1. */
const THIN = 30;
const RISE = 0.75;
const THINNEST = 3000;

/**
 * `beats`: what is repeated, from the frame at which it is switched on: what comes then is heard as it comes, and is
 * then repeated; every repeat begins on the frame of its beat. `amount`: below 0.5 the repeats fade, above they thin out.
 */
export class Roll implements Effect {
  readonly #blend: Insert;
  readonly #rate: number;
  readonly #fade: number;
  readonly #most: number;
  readonly #left: Float32Array;
  readonly #right: Float32Array;
  readonly #gain: Smooth;
  readonly #cut: Smooth;
  readonly #gains = new Float64Array(CHUNK);
  readonly #cuts = new Float64Array(CHUNK);
  readonly #saidLeft = new Float64Array(CHUNK);
  readonly #saidRight = new Float64Array(CHUNK);
  amount = 0.5;
  beats = 0.5;
  #perFrame = 0;
  /** Frames that are kept, from the one at which it was switched on. */
  #kept = 0;
  /** Beats since then. */
  #passed = 0;
  /** Which repeat is heard, of how many beats, and how far it is, in frames. */
  #repeat = 0;
  #length = 0;
  #place = 0;
  /** How far the repeat before it is, which fades out. */
  #before = 0;
  #fading = 0;
  /** Gain and high-pass that the repeats are to have. */
  #level = 1;
  #thin = 0;
  #bassLeft = 0;
  #bassRight = 0;

  constructor(sampleRate: number) {
    this.#rate = sampleRate;
    this.#blend = new Insert(sampleRate);
    this.#fade = Math.round(FADE * sampleRate);
    this.#most = Math.floor(LONGEST * sampleRate);
    this.#left = new Float32Array(this.#most + this.#fade);
    this.#right = new Float32Array(this.#most + this.#fade);
    this.#gain = new Smooth(sampleRate, 1);
    this.#cut = new Smooth(sampleRate, 0);
  }

  get idle(): boolean {
    return this.#blend.idle;
  }

  get on(): boolean {
    return this.#blend.on;
  }

  set on(on: boolean) {
    if (on && !this.#blend.on) this.#begin();
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

  tick(_beat: number, perFrame: number): void {
    this.#blend.tick();
    this.#perFrame = Math.abs(perFrame);
    // Of a length that it cannot hold, the half.
    this.#length = framesOf(this.beats, this.#perFrame, this.#most) * this.#perFrame;
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    const frames = to - from;
    for (let i = 0; i < frames; i += 1) {
      if (this.#kept < this.#left.length) {
        this.#left[this.#kept] = left[from + i] as number;
        this.#right[this.#kept] = right[from + i] as number;
        this.#kept += 1;
      }
      this.#advance();
      this.#say(i);
      this.#gains[i] = this.#level;
      this.#cuts[i] = this.#thin;
      this.#place += 1;
      this.#passed += this.#perFrame;
    }
    this.#gain.follow(this.#gains, frames);
    this.#cut.follow(this.#cuts, frames);
    this.#blend.next(frames);
    for (let i = 0; i < frames; i += 1) {
      const x = left[from + i] as number;
      const y = right[from + i] as number;
      const a = this.#saidLeft[i] as number;
      const b = this.#saidRight[i] as number;
      const cut = this.#cuts[i] as number;
      this.#bassLeft = flush(this.#bassLeft + cut * (a - this.#bassLeft));
      this.#bassRight = flush(this.#bassRight + cut * (b - this.#bassRight));
      const share = this.#blend.shares[i] as number;
      const gain = this.#gains[i] as number;
      left[from + i] = x + share * (gain * (a - this.#bassLeft) - x);
      right[from + i] = y + share * (gain * (b - this.#bassRight) - y);
    }
  }

  /** What the repeats say at this frame. */
  #say(i: number): void {
    let a = at(this.#left, this.#place);
    let b = at(this.#right, this.#place);
    if (this.#fading > 0) {
      this.#fading -= 1;
      const share = (1 - Math.cos((Math.PI * this.#fading) / this.#fade)) / 2;
      a += share * (at(this.#left, this.#before) - a);
      b += share * (at(this.#right, this.#before) - b);
      this.#before += 1;
    }
    this.#saidLeft[i] = a;
    this.#saidRight[i] = b;
  }

  #begin(): void {
    // What it still said fades out.
    this.#before = this.#place;
    this.#fading = this.idle ? 0 : this.#fade;
    this.#kept = this.#passed = this.#repeat = this.#place = 0;
    this.#level = 1;
    this.#thin = 0;
    if (!this.idle) return;
    this.#bassLeft = this.#bassRight = 0;
    this.#gain.settle(1);
    this.#cut.settle(0);
  }

  /** Goes on to the repeat that belongs to the beat. */
  #advance(): void {
    // A little early, so that sums that are a hair short of a beat are not a frame late.
    const repeat = Math.floor(this.#passed / this.#length + 1e-6);
    if (repeat === this.#repeat) return;
    this.#before = this.#place;
    this.#fading = this.#fade;
    this.#place = Math.round((this.#passed - repeat * this.#length) / this.#perFrame);
    this.#repeat = repeat;
    const side = Math.max(0, Math.abs(this.amount - 0.5) - DEAD) / (0.5 - DEAD);
    this.#level = this.amount < 0.5 ? (1 - (1 - FADED) * side) ** repeat : 1;
    const thin = Math.min(THINNEST, THIN * 2 ** (RISE * side * repeat));
    this.#thin = this.amount > 0.5 && side > 0 ? 1 - Math.exp((-2 * Math.PI * thin) / this.#rate) : 0;
  }
}

function at(samples: Float32Array, place: number): number {
  return place >= 0 && place < samples.length ? (samples[place] as number) : 0;
}
