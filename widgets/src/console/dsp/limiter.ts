/** Keeps the master under full scale, also between its samples. */

import { CHUNK } from "./smooth";
import { TruePeak } from "./truepeak";

/** Highest true peak that leaves it: -0.3 dBFS. */
const CEILING = 10 ** (-0.3 / 20);
/** What it aims at: a little lower, for what four times the rate does not show. */
const AIM = 10 ** (-0.6 / 20);
/** How long before a peak it begins to give way, and how fast it recovers, in s. */
const AHEAD = 0.003;
const RELEASE = 0.12;
/** The lowest gain is held so many frames longer than its way down, half of them before the peak. */
const HOLD = 8;
/** Gains are whole numbers of this size, so that their running sum never drifts. */
const UNIT = 2 ** 24;
/** Louder than this is no sound, but an error. */
const ABSURD = 64;

/**
 * Looks ahead for true peaks and turns the sound down in a straight line before each of them.
 *
 * What needs no turning down leaves it bit by bit, later by `latency` frames. It is so whether it is on or not.
 */
export class Limiter {
  on = true;
  /** Frames. */
  readonly latency: number;
  readonly #ahead: number;
  readonly #held: number;
  readonly #release: number;
  readonly #leftPeak = new TruePeak();
  readonly #rightPeak = new TruePeak();
  /** Of the frames that are made: heights first, gains then. */
  readonly #heights = new Float64Array(CHUNK);
  readonly #left: Float32Array;
  readonly #right: Float32Array;
  #at = 0;
  /** Rising gains of the last `held` frames that may still be the lowest, and when they were asked for; a ring. */
  readonly #lows: Float64Array;
  readonly #times: Float64Array;
  #first = 0;
  #count = 0;
  #frame = 0;
  /** The lowest gain, which recovers slowly, and its last `ahead` values. */
  #gain = UNIT;
  readonly #gains: Float64Array;
  #sum: number;
  #lowest = 1;

  constructor(sampleRate: number) {
    this.#ahead = Math.round(AHEAD * sampleRate);
    this.#held = this.#ahead + HOLD;
    this.latency = TruePeak.LATENCY + this.#ahead + HOLD / 2;
    this.#release = 1 - Math.exp(-1 / (RELEASE * sampleRate));
    this.#left = new Float32Array(this.latency);
    this.#right = new Float32Array(this.latency);
    this.#lows = new Float64Array(this.#held);
    this.#times = new Float64Array(this.#held);
    this.#gains = new Float64Array(this.#ahead).fill(UNIT);
    this.#sum = this.#ahead * UNIT;
  }

  /** Lowest linear gain since the last time. */
  takeReduction(): number {
    const lowest = this.#lowest;
    this.#lowest = 1;
    return lowest;
  }

  /** In place. */
  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    for (let start = from; start < to; start += CHUNK) {
      const frames = Math.min(CHUNK, to - start);
      clean(left, start, frames);
      clean(right, start, frames);
      this.#heights.fill(0, 0, frames);
      this.#leftPeak.run(left, start, frames, this.#heights, AIM);
      this.#rightPeak.run(right, start, frames, this.#heights, AIM);
      this.#hold(frames);
      this.#smooth(frames);
      this.#pass(left, right, start, frames);
    }
  }

  /** Turns the heights of what comes into gains: for each frame the lowest of the last `held`. */
  #hold(frames: number): void {
    const heights = this.#heights;
    const size = this.#held;
    for (let i = 0; i < frames; i += 1) {
      const height = heights[i] as number;
      const gain = this.on && height > AIM ? Math.floor((AIM / height) * UNIT) : UNIT;
      while (this.#count > 0 && (this.#lows[(this.#first + this.#count - 1) % size] as number) >= gain) this.#count -= 1;
      if (this.#count > 0 && (this.#times[this.#first] as number) <= this.#frame + i - size) {
        this.#first = (this.#first + 1) % size;
        this.#count -= 1;
      }
      const last = (this.#first + this.#count) % size;
      this.#lows[last] = gain;
      this.#times[last] = this.#frame + i;
      this.#count += 1;
      heights[i] = this.#lows[this.#first] as number;
    }
  }

  /** Lets gains recover slowly, and go down in a straight line. */
  #smooth(frames: number): void {
    const heights = this.#heights;
    const gains = this.#gains;
    const whole = this.#ahead * UNIT;
    let gain = Number(this.#gain);
    let sum = Number(this.#sum);
    for (let i = 0; i < frames; i += 1) {
      const lowest = heights[i] as number;
      gain = lowest <= gain ? lowest : Math.min(lowest, Math.ceil(gain + (lowest - gain) * this.#release));
      const place = (this.#frame + i) % this.#ahead;
      sum += gain - (gains[place] as number);
      gains[place] = gain;
      heights[i] = sum / whole;
    }
    this.#gain = gain;
    this.#sum = sum;
    this.#frame += frames;
  }

  #pass(left: Float32Array, right: Float32Array, from: number, frames: number): void {
    const most = this.on ? CEILING : ABSURD;
    let lowest = Number(this.#lowest);
    let at = this.#at;
    for (let i = 0; i < frames; i += 1) {
      const gain = this.#heights[i] as number;
      const one = left[from + i] as number;
      const other = right[from + i] as number;
      left[from + i] = Math.max(-most, Math.min(most, (this.#left[at] as number) * gain));
      right[from + i] = Math.max(-most, Math.min(most, (this.#right[at] as number) * gain));
      this.#left[at] = one;
      this.#right[at] = other;
      at = at + 1 === this.latency ? 0 : at + 1;
      if (gain < lowest) lowest = gain;
    }
    this.#lowest = lowest;
    this.#at = at;
  }
}

/** A broken sample must not silence the master for good. */
function clean(samples: Float32Array, from: number, frames: number): void {
  for (let i = from; i < from + frames; i += 1) if (!(Math.abs(samples[i] as number) < ABSURD)) samples[i] = 0;
}
