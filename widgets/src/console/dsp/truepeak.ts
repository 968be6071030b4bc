/** The height of a wave between its samples, as ITU-R BS.1770 asks: at four times the rate. */

const TIMES = 4;
/** Samples on which a value between two samples rests. */
const TAPS = 16;
/** Shape of the window over them (Kaiser). */
const BETA = 5;

/** Weights of the samples, the newest last, for each of the three places between two samples. */
const WEIGHTS: readonly Float64Array[] = [1, 2, 3].map((place) => weights(place / TIMES));
/** No value is higher than so many times the highest sample. */
const MOST = Math.max(...WEIGHTS.map((row) => row.reduce((sum, weight) => sum + Math.abs(weight), 0)));

/** One channel. */
export class TruePeak {
  /** Frames by which what `push` says comes later than the wave. */
  static readonly LATENCY = TAPS / 2;
  /** The last samples twice, so that they always lie in a row. */
  readonly #samples = new Float64Array(2 * TAPS);
  #at = 0;

  /**
   * Takes a sample; the height of the wave from the sample before the middle of the window up to it.
   *
   * @param above A height below this is of no interest: what is returned may then be too low.
   */
  push(sample: number, above: number): number {
    const samples = this.#samples;
    samples[this.#at] = sample;
    samples[this.#at + TAPS] = sample;
    this.#at = (this.#at + 1) % TAPS;
    const start = this.#at;
    const middle = start + TAPS / 2 - 1;
    let most = Math.max(Math.abs(samples[middle] as number), Math.abs(samples[middle + 1] as number));
    if (!this.#could(start, above)) return most;
    for (let place = 0; place < TIMES - 1; place += 1) {
      const row = WEIGHTS[place] as Float64Array;
      let sum = 0;
      for (let i = 0; i < TAPS; i += 1) sum += (row[i] as number) * (samples[start + i] as number);
      const size = Math.abs(sum);
      if (size > most) most = size;
    }
    return most;
  }

  /** Whether a value between the samples could be higher than `above`. */
  #could(start: number, above: number): boolean {
    const least = above / MOST;
    for (let i = start; i < start + TAPS; i += 1) if (Math.abs(this.#samples[i] as number) > least) return true;
    return false;
  }
}

/** A windowed sinc; it leaves a constant as it is. */
function weights(place: number): Float64Array {
  const row = Float64Array.from({ length: TAPS }, (_, i) => {
    const time = i - (TAPS / 2 - 1) - place;
    return (Math.sin(Math.PI * time) / (Math.PI * time)) * bessel(BETA * Math.sqrt(1 - (time / (TAPS / 2)) ** 2));
  });
  const sum = row.reduce((total, weight) => total + weight, 0);
  return row.map((weight) => weight / sum);
}

/** Modified Bessel function of order 0. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; k < 30; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
