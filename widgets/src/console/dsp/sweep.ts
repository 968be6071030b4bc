/** The one filter knob of a channel: dark to the left, thin to the right. */

import { BUTTERWORTH } from "./section";
import { CHUNK, Smooth } from "./smooth";

/** So far from its middle the knob does nothing. */
const DEAD = 0.03;
/** Hz: the low-pass from its dead zone to the left end, and the high-pass to the right end. */
const DARKEST = 80;
const OPEN = 20_000;
const FULL = 20;
const THINNEST = 8000;
/** By how much the edge stands out once the filter is at work, and from which part of the way on. */
const RESONANCE = 1.6;
const RESONANT = 0.25;
/** How long the knob's value takes, of each of its two poles, in s. */
const GLIDE = 0.004;
const SILENT = 1e-20;
/** Integrators of a channel: two of each of the four sections. */
const STATES = 8;

/**
 * A low-pass and a high-pass of 24 dB per octave in a row, of which the knob closes one. In the dead zone both are
 * passed by and the sound leaves as it came, bit by bit.
 *
 * They are state variable filters with trapezoidal integrators: these may be turned at every sample.
 */
export class Sweep {
  readonly #rate: number;
  readonly #position: Smooth;
  readonly #wet: Smooth;
  readonly #states = [new Float64Array(STATES), new Float64Array(STATES)] as const;
  readonly #wets = new Float64Array(CHUNK);
  readonly #positions = new Float64Array(CHUNK);
  /** Of each frame: gain and the two dampings of the low-pass, then of the high-pass. */
  readonly #turns = new Float64Array(6 * CHUNK);
  readonly #turn = new Float64Array(6);
  #turned = Number.NaN;
  /** Whether it is not passed by. */
  #active = false;
  #frame = 0;

  constructor(sampleRate: number) {
    this.#rate = sampleRate;
    this.#position = new Smooth(sampleRate, 0, GLIDE);
    this.#wet = new Smooth(sampleRate, 0);
  }

  /** -1 to 1: low-pass from 20 kHz down to 80 Hz on the left, high-pass from 20 Hz up to 8 kHz on the right. */
  set position(position: number) {
    this.#position.target = Math.max(-1, Math.min(1, position));
    this.#wet.target = Math.abs(position) > DEAD ? 1 : 0;
    if (this.#wet.target === 1) this.#active = true;
  }

  /** Is what it was set to, at once. */
  settle(): void {
    this.#position.settle();
    this.#wet.settle();
  }

  /** In place. */
  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    for (let start = from; start < to;) {
      const into = this.#frame % CHUNK;
      if (into === 0) this.#tidy();
      const end = Math.min(to, start + CHUNK - into);
      if (this.#active) this.#run(left, right, start, end);
      this.#frame += end - start;
      start = end;
    }
  }

  #run(left: Float32Array, right: Float32Array, from: number, to: number): void {
    const frames = to - from;
    this.#wet.fill(this.#wets, frames);
    this.#position.fill(this.#positions, frames);
    for (let i = 0; i < frames; i += 1) {
      if (this.#positions[i] !== this.#turned) this.#aim(i);
      for (let k = 0; k < 6; k += 1) this.#turns[6 * i + k] = this.#turn[k] as number;
    }
    filter(left, from, frames, this.#states[0], this.#turns, this.#wets);
    filter(right, from, frames, this.#states[1], this.#turns, this.#wets);
  }

  #aim(at: number): void {
    const position = this.#positions[at] as number;
    this.#turned = position;
    const way = Math.max(0, (Math.abs(position) - DEAD) / (1 - DEAD));
    const [low, high] = [position < 0 ? way : 0, position > 0 ? way : 0];
    this.#edge(0, OPEN * (DARKEST / OPEN) ** low, low);
    this.#edge(3, FULL * (THINNEST / FULL) ** high, high);
  }

  #edge(at: number, frequency: number, way: number): void {
    const resonance = 1 + (RESONANCE - 1) * Math.min(1, way / RESONANT);
    this.#turn[at] = Math.tan(Math.PI * Math.min(0.45, frequency / this.#rate));
    this.#turn[at + 1] = 1 / (BUTTERWORTH[0] as number);
    this.#turn[at + 2] = 1 / ((BUTTERWORTH[1] as number) * resonance);
  }

  /** Forgets what is all but silent, and everything once it is passed by. */
  #tidy(): void {
    const off = this.#wet.settled && this.#wet.value === 0;
    this.#active = !off;
    if (off) this.#position.settle();
    for (const states of this.#states) {
      for (let i = 0; i < STATES; i += 1) if (off || Math.abs(states[i] as number) < SILENT) states[i] = 0;
    }
  }
}

/** One channel through its four sections. */
function filter(
  samples: Float32Array, from: number, frames: number, states: Float64Array, turns: Float64Array, wets: Float64Array,
): void {
  let a = states[0] as number;
  let b = states[1] as number;
  let c = states[2] as number;
  let d = states[3] as number;
  let e = states[4] as number;
  let f = states[5] as number;
  let g = states[6] as number;
  let h = states[7] as number;
  for (let i = 0; i < frames; i += 1) {
    const dry = samples[from + i] as number;
    let x = dry;
    const low = turns[6 * i] as number;
    let damping = turns[6 * i + 1] as number;
    let scale = 1 / (1 + low * (low + damping));
    let push = x - b;
    let band = scale * (a + low * push);
    let deep = b + low * band;
    a = 2 * band - a;
    b = 2 * deep - b;
    x = deep;
    damping = turns[6 * i + 2] as number;
    scale = 1 / (1 + low * (low + damping));
    push = x - d;
    band = scale * (c + low * push);
    deep = d + low * band;
    c = 2 * band - c;
    d = 2 * deep - d;
    x = deep;
    const high = turns[6 * i + 3] as number;
    damping = turns[6 * i + 4] as number;
    scale = 1 / (1 + high * (high + damping));
    push = x - f;
    band = scale * (e + high * push);
    deep = f + high * band;
    e = 2 * band - e;
    f = 2 * deep - f;
    x -= damping * band + deep;
    damping = turns[6 * i + 5] as number;
    scale = 1 / (1 + high * (high + damping));
    push = x - h;
    band = scale * (g + high * push);
    deep = h + high * band;
    g = 2 * band - g;
    h = 2 * deep - h;
    x -= damping * band + deep;
    samples[from + i] = dry + (wets[i] as number) * (x - dry);
  }
  states[0] = a; states[1] = b; states[2] = c; states[3] = d;
  states[4] = e; states[5] = f; states[6] = g; states[7] = h;
}
