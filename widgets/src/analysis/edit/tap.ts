/** A tempo from taps on the beat. */

/** A longer pause begins anew, in ms. */
const PAUSE = 2500;
/** More taps than these do not make it better: the hand drifts. */
const MOST = 24;
/** Fewer say nothing. */
const FEWEST = 4;

export class Taps {
  #times: number[] = [];

  /** How many count. */
  get count(): number {
    return this.#times.length;
  }

  /** Takes a tap at a time in ms; the tempo in BPM once there are enough of them. */
  add(now: number): number | null {
    const last = this.#times.at(-1);
    if (last !== undefined && now - last > PAUSE) this.#times = [];
    this.#times.push(now);
    if (this.#times.length > MOST) this.#times.shift();
    return this.tempo;
  }

  clear(): void {
    this.#times = [];
  }

  /** The slope of a line through the taps: one late tap counts little. */
  get tempo(): number | null {
    const { length } = this.#times;
    if (length < FEWEST) return null;
    const middle = (length - 1) / 2;
    const mean = this.#times.reduce((sum, time) => sum + time, 0) / length;
    let above = 0;
    let below = 0;
    for (const [index, time] of this.#times.entries()) {
      above += (index - middle) * (time - mean);
      below += (index - middle) ** 2;
    }
    const period = above / below;
    return period > 0 ? 60_000 / period : null;
  }
}
