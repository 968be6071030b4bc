/** A hall: a network of eight delay lines that feed one another. */

import { CHUNK } from "../smooth";
import { type Effect, flush, Send } from "./effect";

/** Lengths in s: without a common measure, so that no tone stands out; of the lines, and of the all-passes before them. */
const LINES = [0.0437, 0.0503, 0.0571, 0.0629, 0.0683, 0.0757, 0.0829, 0.0911] as const;
const INNER = [0.0111, 0.0127, 0.0139, 0.0151, 0.0163, 0.0173, 0.0187, 0.0197] as const;
const OUTER = [[0.0023, 0.0037, 0.0053, 0.0079], [0.0026, 0.0041, 0.0057, 0.0083]] as const;
const DIFFUSE = 0.62;
/** Time in which a tail falls by 60 dB, with the amount at 0 and at 1, in s. */
const TAIL = [0.5, 10] as const;
/** Highs die away faster: what a pass through a line loses, in Hz, with the amount at 0 and at 1. */
const DARK = [5500, 8500] as const;
/** The bass would only blur, in Hz. */
const THIN = 140;
/** The lines breathe so slowly, in Hz, and so little, in s, that they ring less metallic. */
const BREATH = [0.31, 0.43, 0.53, 0.61, 0.37, 0.47, 0.57, 0.67] as const;
const DEPTH = 0.00012;
/** The hall answers after this share of the effect's time, in s at most. */
const BEFORE = 1 / 8;
const MOST = 1;
const FADE = 0.03;
/** Loudness of the hall against the sound, and of its first answer against the hall. */
const LEVEL = 1.8;
const FIRST = 0.35;
/** Quieter than this a tail has died away: -100 dBFS. */
const QUIET = 1e-5;

/** `beats`: eight times the time until it answers. `amount`: how long it rings. */
export class Reverb implements Effect {
  readonly #blend: Send;
  readonly #rate: number;
  readonly #fronts: readonly [Front, Front];
  readonly #rounds = LINES.map(() => new Float64Array(CHUNK)) as unknown as Eight;
  readonly #lines: readonly HallLine[];
  readonly #longest: number;
  amount = 0.5;
  beats = 0.5;
  /** The amount, which moves there within some ticks. */
  #size = 0.5;
  #level = 0;
  #since = 0;

  constructor(sampleRate: number) {
    this.#rate = sampleRate;
    this.#blend = new Send(sampleRate);
    this.#fronts = [new Front(sampleRate, OUTER[0]), new Front(sampleRate, OUTER[1])];
    this.#lines = this.#rounds.map((round, index) => new HallLine(sampleRate, index, round));
    this.#longest = Math.ceil((MOST + 0.2) * sampleRate);
  }

  get idle(): boolean {
    return this.#blend.idle;
  }

  get on(): boolean {
    return this.#blend.on;
  }

  set on(on: boolean) {
    if (on && this.idle) this.#size = this.amount;
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
    if (this.#blend.deaf && this.#since > this.#longest) {
      this.#end();
      return;
    }
    this.#size += 0.05 * (this.amount - this.#size);
    const tail = TAIL[0] * (TAIL[1] / TAIL[0]) ** this.#size;
    const dark = 1 - Math.exp((-2 * Math.PI * (DARK[0] + (DARK[1] - DARK[0]) * this.#size)) / this.#rate);
    let lost = 0;
    for (let i = 0; i < this.#lines.length; i += 1) lost += (this.#lines[i] as HallLine).tune(tail, dark);
    // A long tail piles up: so far that it stays as loud, but not so far that its beginning is lost.
    this.#level = LEVEL * (lost / this.#lines.length) ** 0.55;
    const frames = Math.round(Math.min(MOST * this.#rate, (BEFORE * this.beats) / Math.abs(perFrame)));
    this.#fronts[0].aim(frames);
    this.#fronts[1].aim(frames);
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    const frames = to - from;
    const { sends, dries, wets } = this.#blend;
    this.#blend.next(frames);
    const [one, other] = this.#fronts;
    one.run(left, from, frames, sends);
    other.run(right, from, frames, sends);
    // A round through a line lasts longer than a chunk: all are read, mingled, and written.
    for (let k = 0; k < 8; k += 1) (this.#lines[k] as HallLine).read(frames);
    const [a, b, c, d, e, f, g, h] = this.#rounds;
    for (let i = 0; i < frames; i += 1) {
      const loud = (wets[i] as number) * this.#level;
      const through = dries[i] as number;
      const near = (one.samples[i] as number) * FIRST;
      const far = (other.samples[i] as number) * FIRST;
      left[from + i] = through * (left[from + i] as number)
        + loud * (near + (a[i] as number) - (c[i] as number) + (e[i] as number) - (g[i] as number));
      right[from + i] = through * (right[from + i] as number)
        + loud * (far + (b[i] as number) - (d[i] as number) + (f[i] as number) - (h[i] as number));
    }
    mingle(this.#rounds, frames);
    for (let k = 0; k < 8; k += 1) (this.#lines[k] as HallLine).write((k % 2 === 0 ? one : other).samples, frames);
    this.#listen(frames);
  }

  /** How long it has been quiet. */
  #listen(frames: number): void {
    const [one, other] = this.#fronts;
    for (let i = 0; i < frames; i += 1) {
      let most = Math.max(Math.abs(one.samples[i] as number), Math.abs(other.samples[i] as number));
      for (let k = 0; k < 8; k += 1) most = Math.max(most, Math.abs((this.#rounds[k] as Float64Array)[i] as number));
      this.#since = most > QUIET ? 0 : this.#since + 1;
    }
  }

  #end(): void {
    this.#blend.idle = true;
    this.#since = 0;
    for (const front of this.#fronts) front.reset();
    for (const line of this.#lines) line.reset();
  }
}

type Eight = readonly [
  Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array,
];

/** Every line hears all of them, equally loud (a Hadamard matrix). */
function mingle(rounds: Eight, frames: number): void {
  for (let width = 1; width < 8; width *= 2) {
    for (let k = 0; k < 8; k += 1) {
      if ((k & width) !== 0) continue;
      const one = rounds[k] as Float64Array;
      const other = rounds[k + width] as Float64Array;
      for (let i = 0; i < frames; i += 1) {
        const a = one[i] as number;
        const b = other[i] as number;
        one[i] = (a + b) * Math.SQRT1_2;
        other[i] = (a - b) * Math.SQRT1_2;
      }
    }
  }
}

/** What one side of the sound goes through before the lines: time, a high-pass and four all-passes. */
class Front {
  /** What comes out. */
  readonly samples = new Float64Array(CHUNK);
  readonly #kept: Float32Array;
  readonly #passes: readonly AllPass[];
  readonly #fade: number;
  readonly #thin: number;
  #bass = 0;
  #at = 0;
  /** Frames until the hall answers, and until it answered before, while a new time fades over. */
  #delay = -1;
  #before = 0;
  #fading = 0;

  constructor(sampleRate: number, lengths: readonly number[]) {
    this.#kept = new Float32Array(Math.ceil(MOST * sampleRate) + 1);
    this.#passes = lengths.map((length) => new AllPass(Math.round(length * sampleRate)));
    this.#fade = Math.round(FADE * sampleRate);
    this.#thin = 1 - Math.exp((-2 * Math.PI * THIN) / sampleRate);
  }

  aim(frames: number): void {
    if (this.#fading > 0 || frames === this.#delay) return;
    if (this.#delay >= 0) {
      this.#before = this.#delay;
      this.#fading = this.#fade;
    }
    this.#delay = frames;
  }

  run(sound: Float32Array, from: number, frames: number, sends: Float64Array): void {
    for (let i = 0; i < frames; i += 1) {
      this.#kept[this.#at] = flush((sends[i] as number) * (sound[from + i] as number));
      let answer = this.#ago(this.#delay);
      if (this.#fading > 0) {
        this.#fading -= 1;
        answer += (this.#fading / this.#fade) * (this.#ago(this.#before) - answer);
      }
      this.#at = this.#at + 1 === this.#kept.length ? 0 : this.#at + 1;
      this.#bass = flush(this.#bass + this.#thin * (answer - this.#bass));
      this.samples[i] = answer - this.#bass;
    }
    for (let k = 0; k < this.#passes.length; k += 1) (this.#passes[k] as AllPass).run(this.samples, frames);
  }

  reset(): void {
    this.#kept.fill(0);
    for (const pass of this.#passes) pass.reset();
    this.#bass = 0;
    this.#delay = -1;
    this.#fading = 0;
  }

  #ago(frames: number): number {
    const place = this.#at - frames;
    return this.#kept[place < 0 ? place + this.#kept.length : place] as number;
  }
}

class AllPass {
  readonly #samples: Float32Array;
  #at = 0;

  constructor(frames: number) {
    this.#samples = new Float32Array(frames);
  }

  /** In place. */
  run(samples: Float64Array, frames: number): void {
    for (let i = 0; i < frames; i += 1) {
      const old = this.#samples[this.#at] as number;
      const stored = flush((samples[i] as number) + DIFFUSE * old);
      this.#samples[this.#at] = stored;
      this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
      samples[i] = old - DIFFUSE * stored;
    }
  }

  reset(): void {
    this.#samples.fill(0);
  }
}

/** A line with its all-pass, its losses and its breath. */
class HallLine {
  readonly #samples: Float32Array;
  readonly #round: Float64Array;
  readonly #inner: AllPass;
  readonly #frames: number;
  /** Frames that a sound needs to come round, with the all-pass. */
  readonly #way: number;
  readonly #rate: number;
  readonly #depth: number;
  /** The breath, a point that goes round a circle. */
  readonly #turnX: number;
  readonly #turnY: number;
  readonly #start: number;
  #x = 1;
  #y = 0;
  #at = 0;
  #gain = 0;
  #dark = 1;
  #dull = 0;

  /** @param round What comes round: where `read` puts it, and `write` finds it. */
  constructor(sampleRate: number, index: number, round: Float64Array) {
    const length = LINES[index] as number;
    const inner = INNER[index] as number;
    this.#round = round;
    this.#rate = sampleRate;
    this.#frames = Math.round(length * sampleRate);
    this.#way = Math.round((length + inner) * sampleRate);
    this.#depth = DEPTH * sampleRate;
    this.#samples = new Float32Array(this.#frames + Math.ceil(this.#depth) + CHUNK);
    this.#inner = new AllPass(Math.round(inner * sampleRate));
    const angle = (2 * Math.PI * (BREATH[index] as number)) / sampleRate;
    this.#turnX = Math.cos(angle);
    this.#turnY = Math.sin(angle);
    this.#start = (2 * Math.PI * index) / LINES.length;
    this.reset();
  }

  /** Share of its energy that a round loses, apart from the highs. */
  tune(tail: number, dark: number): number {
    this.#gain = 10 ** ((-3 * this.#way) / (tail * this.#rate));
    this.#dark = dark;
    return 1 - this.#gain * this.#gain;
  }

  /** What comes out of it for the next frames. */
  read(frames: number): void {
    const turnX = this.#turnX;
    const turnY = this.#turnY;
    let x = this.#x;
    let y = this.#y;
    for (let i = 0; i < frames; i += 1) {
      const turned = turnX * x - turnY * y;
      y = turnY * x + turnX * y;
      x = turned;
      const delay = this.#frames + this.#depth * x;
      const whole = Math.floor(delay);
      const near = this.#ago(whole - i);
      this.#round[i] = near + (delay - whole) * (this.#ago(whole - i + 1) - near);
    }
    this.#x = x;
    this.#y = y;
    this.#inner.run(this.#round, frames);
    let dull = this.#dull;
    for (let i = 0; i < frames; i += 1) {
      dull = flush(dull + this.#dark * ((this.#round[i] as number) - dull));
      this.#round[i] = this.#gain * dull;
    }
    this.#dull = dull;
  }

  /** Takes up what came round, and what is new. */
  write(sound: Float64Array, frames: number): void {
    for (let i = 0; i < frames; i += 1) {
      this.#samples[this.#at] = flush((this.#round[i] as number) + 0.5 * (sound[i] as number));
      this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
    }
  }

  reset(): void {
    this.#samples.fill(0);
    this.#inner.reset();
    this.#dull = 0;
    this.#x = Math.cos(this.#start);
    this.#y = Math.sin(this.#start);
  }

  #ago(frames: number): number {
    const place = this.#at - frames;
    return this.#samples[place < 0 ? place + this.#samples.length : place] as number;
  }
}
