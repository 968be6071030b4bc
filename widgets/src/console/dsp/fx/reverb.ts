/** A hall: a network of eight delay lines that feed one another. */

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
  readonly #answers: readonly [Answer, Answer];
  readonly #outer: readonly (readonly AllPass[])[];
  readonly #lines: readonly HallLine[];
  readonly #values = new Float64Array(LINES.length);
  readonly #longest: number;
  readonly #thin: number;
  amount = 0.5;
  beats = 0.5;
  /** The amount, which moves there within some ticks. */
  #size = 0.5;
  #level = 0;
  #since = 0;
  #bassLeft = 0;
  #bassRight = 0;

  constructor(sampleRate: number) {
    this.#rate = sampleRate;
    this.#blend = new Send(sampleRate);
    this.#answers = [new Answer(sampleRate), new Answer(sampleRate)];
    this.#outer = OUTER.map((lengths) => lengths.map((length) => new AllPass(Math.round(length * sampleRate))));
    this.#lines = LINES.map((length, i) => new HallLine(sampleRate, length, INNER[i] as number, BREATH[i] as number, i / LINES.length));
    this.#longest = Math.ceil((MOST + 0.2) * sampleRate);
    this.#thin = 1 - Math.exp((-2 * Math.PI * THIN) / sampleRate);
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
    if (!this.on && this.#blend.send.settled && this.#since > this.#longest) {
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
    this.#answers[0].aim(frames);
    this.#answers[1].aim(frames);
  }

  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    const { send, dry, wet } = this.#blend;
    const [leftAnswer, rightAnswer] = this.#answers;
    const [leftOuter, rightOuter] = this.#outer as [readonly AllPass[], readonly AllPass[]];
    const values = this.#values;
    const lines = this.#lines;
    for (let i = from; i < to; i += 1) {
      const x = left[i] as number;
      const y = right[i] as number;
      const taken = send.next();
      let a = leftAnswer.next(taken * x);
      let b = rightAnswer.next(taken * y);
      this.#bassLeft = flush(this.#bassLeft + this.#thin * (a - this.#bassLeft));
      this.#bassRight = flush(this.#bassRight + this.#thin * (b - this.#bassRight));
      a -= this.#bassLeft;
      b -= this.#bassRight;
      for (let k = 0; k < 4; k += 1) {
        a = (leftOuter[k] as AllPass).next(a);
        b = (rightOuter[k] as AllPass).next(b);
      }
      for (let k = 0; k < 8; k += 1) values[k] = (lines[k] as HallLine).read();
      const loud = wet.next() * this.#level;
      const through = dry.next();
      left[i] = through * x + loud * (FIRST * a + alternate(values, 0));
      right[i] = through * y + loud * (FIRST * b + alternate(values, 1));
      mingle(values);
      let most = Math.max(Math.abs(a), Math.abs(b));
      for (let k = 0; k < 8; k += 1) {
        const written = (values[k] as number) + 0.5 * (k % 2 === 0 ? a : b);
        (lines[k] as HallLine).write(written);
        most = Math.max(most, Math.abs(written));
      }
      this.#since = most > QUIET ? 0 : this.#since + 1;
    }
  }

  #end(): void {
    this.#blend.idle = true;
    this.#since = 0;
    this.#bassLeft = 0;
    this.#bassRight = 0;
    for (const answer of this.#answers) answer.reset();
    for (const side of this.#outer) for (const pass of side) pass.reset();
    for (const line of this.#lines) line.reset();
  }
}

/** What one side hears of the lines: every other one, with changing signs. */
function alternate(values: Float64Array, first: number): number {
  return (values[first] as number) - (values[first + 2] as number) + (values[first + 4] as number) - (values[first + 6] as number);
}

/** Every line hears all of them, equally loud (a Hadamard matrix). */
function mingle(values: Float64Array): void {
  for (let width = 1; width < 8; width *= 2) {
    for (let i = 0; i < 8; i += 1) {
      if ((i & width) !== 0) continue;
      const a = values[i] as number;
      const b = values[i + width] as number;
      values[i] = a + b;
      values[i + width] = a - b;
    }
  }
  for (let i = 0; i < 8; i += 1) values[i] = (values[i] as number) * (Math.SQRT1_2 / 2);
}

/** The time until the hall answers; a new time fades over. */
class Answer {
  readonly #samples: Float32Array;
  readonly #fade: number;
  #at = 0;
  #delay = -1;
  #before = 0;
  #fading = 0;

  constructor(sampleRate: number) {
    this.#samples = new Float32Array(Math.ceil(MOST * sampleRate) + 1);
    this.#fade = Math.round(FADE * sampleRate);
  }

  aim(frames: number): void {
    if (this.#fading > 0 || frames === this.#delay) return;
    if (this.#delay >= 0) {
      this.#before = this.#delay;
      this.#fading = this.#fade;
    }
    this.#delay = frames;
  }

  next(sample: number): number {
    this.#samples[this.#at] = flush(sample);
    let answer = this.#ago(this.#delay);
    if (this.#fading > 0) {
      this.#fading -= 1;
      answer += (this.#fading / this.#fade) * (this.#ago(this.#before) - answer);
    }
    this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
    return answer;
  }

  reset(): void {
    this.#samples.fill(0);
    this.#delay = -1;
    this.#fading = 0;
  }

  #ago(frames: number): number {
    const place = this.#at - frames;
    return this.#samples[place < 0 ? place + this.#samples.length : place] as number;
  }
}

class AllPass {
  readonly #samples: Float32Array;
  #at = 0;

  constructor(frames: number) {
    this.#samples = new Float32Array(frames);
  }

  next(sample: number): number {
    const old = this.#samples[this.#at] as number;
    const stored = flush(sample + DIFFUSE * old);
    this.#samples[this.#at] = stored;
    this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
    return old - DIFFUSE * stored;
  }

  reset(): void {
    this.#samples.fill(0);
  }
}

/** A line with its all-pass, its losses and its breath. */
class HallLine {
  readonly #samples: Float32Array;
  readonly #inner: AllPass;
  readonly #frames: number;
  /** Frames of a round, with the all-pass. */
  readonly #round: number;
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

  constructor(sampleRate: number, length: number, inner: number, breath: number, start: number) {
    this.#rate = sampleRate;
    this.#frames = Math.round(length * sampleRate);
    this.#round = Math.round((length + inner) * sampleRate);
    this.#depth = DEPTH * sampleRate;
    this.#samples = new Float32Array(this.#frames + Math.ceil(this.#depth) + 3);
    this.#inner = new AllPass(Math.round(inner * sampleRate));
    const angle = (2 * Math.PI * breath) / sampleRate;
    this.#turnX = Math.cos(angle);
    this.#turnY = Math.sin(angle);
    this.#start = 2 * Math.PI * start;
    this.reset();
  }

  /** Share of its energy that a round loses, apart from the highs. */
  tune(tail: number, dark: number): number {
    this.#gain = 10 ** ((-3 * this.#round) / (tail * this.#rate));
    this.#dark = dark;
    return 1 - this.#gain * this.#gain;
  }

  read(): number {
    const x = this.#turnX * this.#x - this.#turnY * this.#y;
    this.#y = this.#turnY * this.#x + this.#turnX * this.#y;
    this.#x = x;
    const delay = this.#frames + this.#depth * x;
    const whole = Math.floor(delay);
    const near = this.#ago(whole);
    const sample = near + (delay - whole) * (this.#ago(whole + 1) - near);
    this.#dull = flush(this.#dull + this.#dark * (this.#inner.next(sample) - this.#dull));
    return this.#gain * this.#dull;
  }

  write(sample: number): void {
    this.#samples[this.#at] = flush(sample);
    this.#at = this.#at + 1 === this.#samples.length ? 0 : this.#at + 1;
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
