/** Second-order filters, one after the other, in double precision. */

/** States below this are silence: numbers that are all but zero would be slow to calculate with. */
const SILENT = 1e-20;

/** Quality factors of the two sections of a Butterworth filter of the fourth order. */
export const BUTTERWORTH: readonly number[] = [1 / (2 * Math.cos(Math.PI / 8)), 1 / (2 * Math.cos((3 * Math.PI) / 8))];

export type Shape = "low" | "high" | "all";

/** A section of a filter for one channel. */
export class Section {
  readonly #b0: number;
  readonly #b1: number;
  readonly #b2: number;
  readonly #a1: number;
  readonly #a2: number;
  readonly #state = new Float64Array(2);

  /** @param frequency Hz. */
  constructor(sampleRate: number, shape: Shape, frequency: number, quality: number) {
    const g = Math.tan((Math.PI * frequency) / sampleRate);
    const damping = g / quality;
    const norm = 1 / (1 + damping + g * g);
    this.#a1 = 2 * (g * g - 1) * norm;
    this.#a2 = (1 - damping + g * g) * norm;
    const pass = shape === "low" ? g * g * norm : norm;
    [this.#b0, this.#b1, this.#b2] = shape === "all" ? [this.#a2, this.#a1, 1] : [pass, shape === "low" ? 2 * pass : -2 * pass, pass];
  }

  /** Whether it rings no more. */
  get silent(): boolean {
    return this.#state[0] === 0 && this.#state[1] === 0;
  }

  /** Filters the first frames of `samples` in place. */
  run(samples: Float64Array, frames: number): void {
    const b0 = this.#b0;
    const b1 = this.#b1;
    const b2 = this.#b2;
    const a1 = this.#a1;
    const a2 = this.#a2;
    let first = this.#state[0] as number;
    let second = this.#state[1] as number;
    for (let i = 0; i < frames; i += 1) {
      const x = samples[i] as number;
      const y = b0 * x + first;
      first = b1 * x - a1 * y + second;
      second = b2 * x - a2 * y;
      samples[i] = y;
    }
    this.#state[0] = first;
    this.#state[1] = second;
  }

  /** To be called now and then. */
  tidy(): void {
    const state = this.#state;
    if (Math.abs(state[0] as number) < SILENT && Math.abs(state[1] as number) < SILENT) state.fill(0);
  }
}
