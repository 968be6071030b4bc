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
  /** Frames by which what `run` says comes later than the wave. */
  static readonly LATENCY = TAPS / 2;
  /** The last samples twice, so that they always lie in a row. */
  readonly #samples = new Float64Array(2 * TAPS);
  #at = 0;

  /**
   * Raises each of `heights` to the height of the wave at its frame, if that is more. Waves below `above` are of no
   * interest: what is said of them may be too low.
   */
  run(wave: Float32Array, from: number, frames: number, heights: Float64Array, above: number): void {
    const samples = this.#samples;
    const least = above / MOST;
    let at = this.#at;
    for (let frame = 0; frame < frames; frame += 1) {
      const sample = wave[from + frame] as number;
      samples[at] = sample;
      samples[at + TAPS] = sample;
      at = (at + 1) % TAPS;
      let most = Math.abs(samples[at + TAPS / 2 - 1] as number);
      let highest = 0;
      for (let i = at; i < at + TAPS; i += 1) {
        const size = Math.abs(samples[i] as number);
        if (size > highest) highest = size;
      }
      if (highest > least) {
        for (let place = 0; place < TIMES - 1; place += 1) {
          const row = WEIGHTS[place] as Float64Array;
          let sum = 0;
          for (let i = 0; i < TAPS; i += 1) sum += (row[i] as number) * (samples[at + i] as number);
          const size = Math.abs(sum);
          if (size > most) most = size;
        }
      }
      if (most > (heights[frame] as number)) heights[frame] = most;
    }
    this.#at = at;
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
