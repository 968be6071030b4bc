// Band-limited interpolation: what a sampled sound is between its samples.

/** Zero crossings of the kernel on each side at normal speed. */
const HALF = 24;
/** Points of the table between two samples; what lies between two points is interpolated (-106 dB). */
const FINE = 512;
/** Cutoff as a part of the Nyquist frequency: flat to 0.85 of it, 90 dB down where what it mirrors begins to be heard. */
const CUTOFF = 0.95;
/** Kaiser window: 90 dB. */
const BETA = 9;
/** Above this speed the kernel grows no further: the noise of a fast rewind may alias. */
const WIDEST = 4;

const TABLE = table();

function table(): Float64Array {
  const points = new Float64Array(HALF * FINE + 2);
  for (let i = 0; i <= HALF * FINE; i++) {
    const x = i / FINE;
    const sinc = x === 0 ? CUTOFF : Math.sin(Math.PI * CUTOFF * x) / (Math.PI * x);
    points[i] = (sinc * bessel(BETA * Math.sqrt(1 - (x / HALF) ** 2))) / bessel(BETA);
  }
  return points;
}

/** The modified Bessel function of order zero. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** A windowed sinc around a place between two samples. */
export class Kernel {
  private readonly weights = new Float64Array(2 * HALF * WIDEST);
  private taps = 0;
  /** Makes the sum of the weights 1. */
  private gain = 1;
  private fraction = -1;
  private scale = 0;

  /** Samples that it reaches to each side when the sound is read at a speed. */
  static reach(speed: number): number {
    return Math.ceil(HALF * Math.min(WIDEST, Math.max(1, Math.abs(speed))));
  }

  /** Makes the weights for a place `fraction` behind a sample; at more than normal speed what would alias is left out. */
  at(fraction: number, speed: number): void {
    const scale = Math.min(WIDEST, Math.max(1, Math.abs(speed)));
    if (fraction === this.fraction && scale === this.scale) return;
    const { weights } = this;
    const half = Math.ceil(HALF * scale);
    const step = FINE / scale;
    let sum = 0;
    for (let tap = 0; tap < 2 * half; tap++) {
      const x = Math.abs(tap - half + 1 - fraction) * step;
      const index = Math.floor(x);
      let weight = 0;
      if (index < HALF * FINE) weight = TABLE[index]! + (TABLE[index + 1]! - TABLE[index]!) * (x - index);
      weights[tap] = weight;
      sum += weight;
    }
    this.taps = 2 * half;
    this.gain = 1 / sum;
    this.fraction = fraction;
    this.scale = scale;
  }

  /** Writes what two channels sound like behind their sample `whole` into index `i` of two others. */
  read(left: Float32Array, right: Float32Array, whole: number, outLeft: Float32Array, outRight: Float32Array, i: number): void {
    const { weights, taps } = this;
    const base = whole - (taps >> 1) + 1;
    // Two sums for each: they need not wait for each other.
    let evenLeft = 0;
    let oddLeft = 0;
    let evenRight = 0;
    let oddRight = 0;
    for (let tap = 0; tap < taps; tap += 2) {
      const even = weights[tap]!;
      const odd = weights[tap + 1]!;
      evenLeft += even * left[base + tap]!;
      evenRight += even * right[base + tap]!;
      oddLeft += odd * left[base + tap + 1]!;
      oddRight += odd * right[base + tap + 1]!;
    }
    outLeft[i] = (evenLeft + oddLeft) * this.gain;
    outRight[i] = (evenRight + oddRight) * this.gain;
  }
}
