/** What every effect of a slot is, and what several of them need. */

import { CHUNK, Smooth } from "../smooth";

/** Longest time an echo or a roll holds, in s. */
export const LONGEST = 6;

/** Works in place. All its numbers may change at any frame without a click. */
export interface Effect {
  /** Off, it lets the sound through as it came, and what it holds rings out. */
  on: boolean;
  mix: number;
  amount: number;
  beats: number;
  /** Whether it does nothing at all and need not be called; it changes only when set or in `tick`. */
  readonly idle: boolean;
  /** Makes `CHUNK` frames at most. @param into Frames from the last place on the grid of `CHUNK`s to `from`. */
  process(left: Float32Array, right: Float32Array, from: number, to: number, into: number): void;
  /**
   * Called once every `CHUNK` frames while it is not idle, and before it begins.
   *
   * @param beat Where the beat was at the last place on the grid of `CHUNK`s.
   * @param perFrame By how much it moves in a frame; never 0.
   */
  tick(beat: number, perFrame: number): void;
  /** Its controls are where they were set, at once; what rings, rings on. */
  settle(): void;
}

/** How an effect that replaces the sound is blended in: with the mix in the middle, little of the sound itself is left. */
export class Insert {
  /** How much of it is heard in each of the frames that are made. */
  readonly shares = new Float64Array(CHUNK);
  readonly #share: Smooth;
  idle = true;
  #on = false;
  #mix = 0.5;

  constructor(sampleRate: number) {
    this.#share = new Smooth(sampleRate, 0);
  }

  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    this.#aim();
  }

  get mix(): number {
    return this.#mix;
  }

  set mix(mix: number) {
    this.#mix = mix;
    this.#aim();
  }

  next(frames: number): void {
    this.#share.fill(this.shares, frames);
  }

  /** Whether it has just become idle. */
  tick(): boolean {
    if (this.idle || this.#on || !this.#share.settled) return false;
    this.idle = true;
    return true;
  }

  settle(): void {
    this.#share.settle();
  }

  #aim(): void {
    this.#share.target = this.#on ? 1 - (1 - this.#mix) ** 3 : 0;
    if (this.#on) this.idle = false;
  }
}

/** How an effect with a tail is blended in: switched off, it hears nothing any more, and its tail stays as loud. */
export class Send {
  /** Of the frames that are made: what it hears of the sound, what is left of the sound, and how loud the effect is. */
  readonly sends = new Float64Array(CHUNK);
  readonly dries = new Float64Array(CHUNK);
  readonly wets = new Float64Array(CHUNK);
  readonly #send: Smooth;
  readonly #dry: Smooth;
  readonly #wet: Smooth;
  idle = true;
  #on = false;
  #mix = 0.5;

  constructor(sampleRate: number) {
    this.#send = new Smooth(sampleRate, 0);
    this.#dry = new Smooth(sampleRate, 1);
    this.#wet = new Smooth(sampleRate, 0);
    this.#aim();
  }

  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    this.#aim();
  }

  get mix(): number {
    return this.#mix;
  }

  set mix(mix: number) {
    this.#mix = mix;
    this.#aim();
  }

  /** Whether it hears nothing any more. */
  get deaf(): boolean {
    return !this.#on && this.#send.settled;
  }

  next(frames: number): void {
    this.#send.fill(this.sends, frames);
    this.#dry.fill(this.dries, frames);
    this.#wet.fill(this.wets, frames);
  }

  settle(): void {
    for (const smooth of [this.#send, this.#dry, this.#wet]) smooth.settle();
  }

  /** Up to its middle the effect comes to the sound, after it the sound goes. */
  #aim(): void {
    this.#send.target = this.#on ? 1 : 0;
    this.#dry.target = this.#on && this.#mix > 0.5 ? Math.max(0, Math.cos((this.#mix - 0.5) * Math.PI)) : 1;
    this.#wet.target = Math.sin((this.#mix * Math.PI) / 2);
    if (this.#on && this.idle) {
      this.idle = false;
      this.#wet.settle();
    }
  }
}

/** Frames of so many beats; halved until they are no more than `most`. */
export function framesOf(beats: number, perFrame: number, most: number): number {
  let frames = beats / Math.abs(perFrame);
  while (frames > most) frames /= 2;
  return frames;
}

/** What lies between `b` and `c`, the two middle ones of four samples in a row. */
export function between(a: number, b: number, c: number, d: number, place: number): number {
  const slope = (c - a) / 2;
  const end = (d - b) / 2;
  const gap = c - b;
  return b + place * (slope + place * (3 * gap - 2 * slope - end + place * (slope + end - 2 * gap)));
}

/** Numbers that are all but zero would be slow to calculate with. */
export function flush(sample: number): number {
  return sample < 1e-15 && sample > -1e-15 ? 0 : sample;
}
