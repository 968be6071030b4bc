/** The three bands of a channel, each of which can be silenced. */

import { decibelGain } from "./fader";
import { BUTTERWORTH, Section, type Shape } from "./section";
import { CHUNK, Smooth } from "./smooth";

export type Band = "low" | "mid" | "high";

/** Hz. */
const SPLITS = [250, 2500] as const;

/**
 * Three bands by Linkwitz-Riley splits at 250 Hz and 2.5 kHz, 48 dB per octave: so steep that a killed band is gone in
 * its middle, where its neighbours leak from both sides. The sum of the bands is flat: the low band passes an all-pass
 * that turns it as the upper split turns the other two. As long as no band is turned, the sound leaves as it came, bit by
 * bit: splits shift phases, which makes loud masters peak higher.
 */
export class Isolator {
  readonly #channels: readonly [Channel, Channel];
  readonly #levels: Record<Band, number> = { low: 0, mid: 0, high: 0 };
  readonly #killed: Record<Band, boolean> = { low: false, mid: false, high: false };
  readonly #gains: Record<Band, Smooth>;
  /** Whether the sum of the bands is heard (1), or the sound itself (0). */
  readonly #wet: Smooth;
  readonly #wets = new Float64Array(CHUNK);
  readonly #low = new Float64Array(CHUNK);
  readonly #mid = new Float64Array(CHUNK);
  readonly #high = new Float64Array(CHUNK);
  /** Frames so far. */
  #frame = 0;
  /** Whether nothing rings in it. */
  #silent = true;

  constructor(sampleRate: number) {
    this.#channels = [new Channel(sampleRate), new Channel(sampleRate)];
    this.#wet = new Smooth(sampleRate, 0);
    this.#gains = { low: new Smooth(sampleRate, 1), mid: new Smooth(sampleRate, 1), high: new Smooth(sampleRate, 1) };
  }

  /** Level of a band in dB. */
  set(band: Band, decibels: number): void {
    this.#levels[band] = decibels;
    this.#aim(band);
  }

  /** Whether a band is silent, whatever its level. */
  kill(band: Band, killed: boolean): void {
    this.#killed[band] = killed;
    this.#aim(band);
  }

  /** Is what it was set to, at once. */
  settle(): void {
    for (const smooth of [...Object.values(this.#gains), this.#wet]) smooth.settle();
  }

  /** In place. */
  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    for (let start = from; start < to;) {
      const into = this.#frame % CHUNK;
      if (into === 0) this.#tidy();
      const end = Math.min(to, start + CHUNK - into);
      this.#run(left, right, start, end);
      this.#frame += end - start;
      start = end;
    }
  }

  #run(left: Float32Array, right: Float32Array, from: number, to: number): void {
    if (this.#silent && silent(left, from, to) && silent(right, from, to)) {
      this.#turn(to - from);
      return;
    }
    this.#silent = false;
    // Both channels are made from the same gains: these move once.
    const frames = to - from;
    this.#turn(frames);
    this.#channels[0].run(left, from, frames, this.#low, this.#mid, this.#high, this.#wets);
    this.#channels[1].run(right, from, frames, this.#low, this.#mid, this.#high, this.#wets);
  }

  /** Gains of the next frames. */
  #turn(frames: number): void {
    this.#gains.low.fill(this.#low, frames);
    this.#gains.mid.fill(this.#mid, frames);
    this.#gains.high.fill(this.#high, frames);
    this.#wet.fill(this.#wets, frames);
  }

  #tidy(): void {
    if (this.#silent) return;
    const [left, right] = this.#channels;
    this.#silent = left.tidy() && right.tidy();
  }

  #aim(band: Band): void {
    this.#gains[band].target = this.#killed[band] ? 0 : decibelGain(this.#levels[band]);
    const { low, mid, high } = this.#gains;
    this.#wet.target = low.target === 1 && mid.target === 1 && high.target === 1 ? 0 : 1;
  }
}

class Channel {
  readonly #lower: readonly Section[];
  readonly #upper: readonly Section[];
  readonly #lowOfUpper: readonly Section[];
  readonly #highOfUpper: readonly Section[];
  readonly #turn: readonly Section[];
  readonly #all: readonly Section[];
  readonly #low = new Float64Array(CHUNK);
  readonly #mid = new Float64Array(CHUNK);
  readonly #high = new Float64Array(CHUNK);

  constructor(sampleRate: number) {
    const twice = [...BUTTERWORTH, ...BUTTERWORTH];
    const sections = (shape: Shape, frequency: number, qualities: readonly number[]) =>
      qualities.map((quality) => new Section(sampleRate, shape, frequency, quality));
    this.#lower = sections("low", SPLITS[0], twice);
    this.#upper = sections("high", SPLITS[0], twice);
    this.#lowOfUpper = sections("low", SPLITS[1], twice);
    this.#highOfUpper = sections("high", SPLITS[1], twice);
    this.#turn = sections("all", SPLITS[1], BUTTERWORTH);
    this.#all = [this.#lower, this.#upper, this.#lowOfUpper, this.#highOfUpper, this.#turn].flat();
  }

  run(
    samples: Float32Array, from: number, frames: number,
    lows: Float64Array, mids: Float64Array, highs: Float64Array, wets: Float64Array,
  ): void {
    const low = this.#low;
    const mid = this.#mid;
    const high = this.#high;
    for (let i = 0; i < frames; i += 1) {
      const x = samples[from + i] as number;
      low[i] = x;
      mid[i] = x;
    }
    pass(this.#lower, low, frames);
    pass(this.#turn, low, frames);
    pass(this.#upper, mid, frames);
    for (let i = 0; i < frames; i += 1) high[i] = mid[i] as number;
    pass(this.#lowOfUpper, mid, frames);
    pass(this.#highOfUpper, high, frames);
    for (let i = 0; i < frames; i += 1) {
      const sum = (lows[i] as number) * (low[i] as number) + (mids[i] as number) * (mid[i] as number)
        + (highs[i] as number) * (high[i] as number);
      const wet = wets[i] as number;
      samples[from + i] = wet * sum + (1 - wet) * (samples[from + i] as number);
    }
  }

  /** Whether nothing rings in it any more. */
  tidy(): boolean {
    let quiet = true;
    for (let i = 0; i < this.#all.length; i += 1) {
      const section = this.#all[i] as Section;
      section.tidy();
      quiet = quiet && section.silent;
    }
    return quiet;
  }
}

function pass(sections: readonly Section[], samples: Float64Array, frames: number): void {
  for (let i = 0; i < sections.length; i += 1) (sections[i] as Section).run(samples, frames);
}

function silent(samples: Float32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (samples[i] !== 0) return false;
  return true;
}
