/** How loud any mix of some sounds is: they are measured once, and the faders may move as they like. */

/** What a loudness is measured of. */
export interface Sound {
  readonly sampleRate: number;
  readonly length: number;
  readonly numberOfChannels: number;
  getChannelData(channel: number): Float32Array;
}

/** How one of them is heard: a linear gain, and its place from -1 (left) to 1 (right). */
export interface Heard {
  gain: number;
  pan: number;
}

/** A moment of the loudness standard, in s. */
const MOMENT = 0.4;
/** The filters listen this long before a moment counts, in s. */
const SETTLE = 0.1;
/** A moment begins this long after the one before, in s; of a long song so many speak, evenly spread. */
const STEP = 0.1;
const MOST = 200;
/** Gates of the standard: what is silent, in LUFS, and what is much quieter than the rest, in LU. */
const SILENCE = -70;
const RELATIVE = -10;

type Filter = readonly [number, number, number, number, number];

/**
 * Integrated loudness by ITU-R BS.1770 of any mix of sounds that run in step.
 *
 * Each moment keeps the products of all pairs of weighted signals. The energy of a mix is a sum of these with the
 * squares of its gains, so that no sample is touched again when a fader moves.
 */
export class Loudness {
  readonly #sounds: readonly Sound[];
  readonly #filters: readonly Filter[];
  readonly #starts: number[];
  readonly #moment: number;
  readonly #settle: number;
  readonly #signals: Float32Array[];
  /** Of each moment the products, shape (2 sounds, 2 sounds): left and right of each sound after each other. */
  readonly #products: Float64Array[] = [];

  constructor(sounds: readonly Sound[]) {
    this.#sounds = sounds;
    const rate = sounds[0]?.sampleRate ?? 48_000;
    const length = Math.min(...sounds.map((sound) => sound.length));
    this.#filters = weighting(rate);
    this.#moment = Math.min(length, Math.round(MOMENT * rate));
    this.#settle = Math.round(SETTLE * rate);
    const count = Math.max(1, Math.min(MOST, Math.floor((length - this.#moment) / (STEP * rate)) + 1));
    this.#starts = Array.from({ length: count }, (_, i) => Math.floor(((length - this.#moment) * i) / Math.max(1, count - 1)));
    this.#signals = sounds.flatMap(() => [new Float32Array(this.#moment), new Float32Array(this.#moment)]);
  }

  /** Measures one more moment; false when all are measured. */
  measure(): boolean {
    const start = this.#starts[this.#products.length];
    if (start === undefined) return false;
    for (const [index, sound] of this.#sounds.entries()) {
      const [left, right] = [this.#signals[2 * index], this.#signals[2 * index + 1]] as [Float32Array, Float32Array];
      this.#weigh(sound.getChannelData(0), start, left);
      if (sound.numberOfChannels > 1) this.#weigh(sound.getChannelData(1), start, right);
      else right.set(left);
    }
    this.#products.push(products(this.#signals));
    return this.#products.length < this.#starts.length;
  }

  /** LUFS of the sounds as they are heard, in their order; null where nothing sounds. */
  of(heard: readonly Heard[]): number | null {
    const [left, right] = places(heard);
    const energies = this.#products.map((product) => (sum(product, left) + sum(product, right)) / this.#moment);
    const loud = energies.filter((energy) => lufs(energy) > SILENCE);
    if (loud.length === 0) return null;
    const gate = lufs(mean(loud)) + RELATIVE;
    return lufs(mean(loud.filter((energy) => lufs(energy) > gate)));
  }

  #weigh(samples: Float32Array, start: number, out: Float32Array): void {
    const from = Math.max(0, start - this.#settle);
    let [p1, p2, q1, q2, r1, r2] = [0, 0, 0, 0, 0, 0];
    const [[a0, a1, a2, a3, a4], [b0, b1, b2, b3, b4]] = this.#filters as [Filter, Filter];
    const end = start + out.length;
    for (let i = from; i < end; i += 1) {
      const x = samples[i] as number;
      const y = a0 * x + a1 * p1 + a2 * p2 - a3 * q1 - a4 * q2;
      const z = b0 * y + b1 * q1 + b2 * q2 - b3 * r1 - b4 * r2;
      p2 = p1; p1 = x; q2 = q1; q1 = y; r2 = r1; r1 = z;
      if (i >= start) out[i - start] = z;
    }
  }
}

/** Each signal's part in the left and in the right loudspeaker, as a panner of the page places it. */
function places(heard: readonly Heard[]): [Float64Array, Float64Array] {
  const left = new Float64Array(2 * heard.length);
  const right = new Float64Array(2 * heard.length);
  for (const [index, { gain, pan }] of heard.entries()) {
    const angle = ((pan <= 0 ? pan + 1 : pan) * Math.PI) / 2;
    const [near, far] = [Math.cos(angle), Math.sin(angle)];
    left[2 * index] = gain * (pan <= 0 ? 1 : near);
    left[2 * index + 1] = gain * (pan <= 0 ? near : 0);
    right[2 * index] = gain * (pan <= 0 ? 0 : far);
    right[2 * index + 1] = gain * (pan <= 0 ? far : 1);
  }
  return [left, right];
}

function products(signals: readonly Float32Array[]): Float64Array {
  const count = signals.length;
  const all = new Float64Array(count * count);
  for (let i = 0; i < count; i += 1) {
    const a = signals[i] as Float32Array;
    for (let j = 0; j <= i; j += 1) {
      const b = signals[j] as Float32Array;
      let total = 0;
      for (let k = 0; k < a.length; k += 1) total += (a[k] as number) * (b[k] as number);
      all[i * count + j] = total;
      all[j * count + i] = total;
    }
  }
  return all;
}

function sum(product: Float64Array, parts: Float64Array): number {
  const count = parts.length;
  let total = 0;
  for (let i = 0; i < count; i += 1) {
    const part = parts[i] as number;
    if (part === 0) continue;
    for (let j = 0; j < count; j += 1) total += part * (parts[j] as number) * (product[i * count + j] as number);
  }
  return Math.max(0, total);
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function lufs(energy: number): number {
  return -0.691 + 10 * Math.log10(energy);
}

/** The two filters of the standard, a shelf for the head and a high pass, at any sample rate. */
function weighting(rate: number): [Filter, Filter] {
  const shelf = Math.tan((Math.PI * 1681.974450955533) / rate);
  const high = 10 ** (3.999843853973347 / 20);
  const middle = high ** 0.4996667741545416;
  const q = 0.7071752369554196;
  const a = 1 + shelf / q + shelf ** 2;
  const pass = Math.tan((Math.PI * 38.13547087602444) / rate);
  const w = 0.5003270373238773;
  const b = 1 + pass / w + pass ** 2;
  return [
    [
      (high + (middle * shelf) / q + shelf ** 2) / a, (2 * (shelf ** 2 - high)) / a, (high - (middle * shelf) / q + shelf ** 2) / a,
      (2 * (shelf ** 2 - 1)) / a, (1 - shelf / q + shelf ** 2) / a,
    ],
    [1, -2, 1, (2 * (pass ** 2 - 1)) / b, (1 - pass / w + pass ** 2) / b],
  ];
}
