/** Keeps the master under full scale, also between its samples. */

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
    const most = this.on ? CEILING : ABSURD;
    for (let i = from; i < to; i += 1) {
      const one = sound(left[i] as number);
      const other = sound(right[i] as number);
      const gain = this.#follow(Math.max(this.#leftPeak.push(one, AIM), this.#rightPeak.push(other, AIM)));
      left[i] = clamp((this.#left[this.#at] as number) * gain, most);
      right[i] = clamp((this.#right[this.#at] as number) * gain, most);
      this.#left[this.#at] = one;
      this.#right[this.#at] = other;
      this.#at = this.#at + 1 === this.latency ? 0 : this.#at + 1;
      if (gain < this.#lowest) this.#lowest = gain;
    }
  }

  /** Gain of the frame that leaves, when the wave of the frame that comes is so high. */
  #follow(peak: number): number {
    const lowest = this.#least(this.on && peak > AIM ? Math.floor((AIM / peak) * UNIT) : UNIT);
    if (lowest <= this.#gain) this.#gain = lowest;
    else this.#gain = Math.min(lowest, Math.ceil(this.#gain + (lowest - this.#gain) * this.#release));
    const place = this.#frame % this.#ahead;
    this.#sum += this.#gain - (this.#gains[place] as number);
    this.#gains[place] = this.#gain;
    this.#frame += 1;
    return this.#sum / (this.#ahead * UNIT);
  }

  /** The lowest of the last `held` gains. */
  #least(gain: number): number {
    const size = this.#held;
    while (this.#count > 0 && (this.#lows[(this.#first + this.#count - 1) % size] as number) >= gain) this.#count -= 1;
    if (this.#count > 0 && (this.#times[this.#first] as number) <= this.#frame - size) {
      this.#first = (this.#first + 1) % size;
      this.#count -= 1;
    }
    const last = (this.#first + this.#count) % size;
    this.#lows[last] = gain;
    this.#times[last] = this.#frame;
    this.#count += 1;
    return this.#lows[this.#first] as number;
  }
}

/** A broken sample must not silence the master for good. */
function sound(sample: number): number {
  return sample > -ABSURD && sample < ABSURD ? sample : 0;
}

function clamp(sample: number, most: number): number {
  return sample > most ? most : sample < -most ? -most : sample;
}
