/** A level meter: peaks of what is heard, falling slowly. */

import { h } from "../dom";

/** dB at the left end. */
const FLOOR = -48;
/** Fall per second, as a part of the whole width. */
const FALL = 1.1;

export class Meter {
  readonly element = h("span", { class: "sfa-meter", "aria-hidden": "true" }, h("i"));
  #samples = new Float32Array(0);
  #level = 0;
  #last = 0;

  /** Draws a frame at `now` (ms); true while the meter still moves. */
  draw(tap: AnalyserNode | null, playing: boolean, now: number): boolean {
    let peak = 0;
    if (tap && playing) {
      if (this.#samples.length !== tap.fftSize) this.#samples = new Float32Array(tap.fftSize);
      tap.getFloatTimeDomainData(this.#samples);
      for (const sample of this.#samples) {
        const size = sample < 0 ? -sample : sample;
        if (size > peak) peak = size;
      }
    }
    const elapsed = Math.min(0.1, Math.max(0, (now - this.#last) / 1000));
    this.#last = now;
    const level = Math.max(0, Math.min(1, 1 - (20 * Math.log10(peak + 1e-9)) / FLOOR));
    const next = Math.max(level, this.#level - FALL * elapsed);
    if (next !== this.#level) this.element.style.setProperty("--level", next.toFixed(3));
    this.#level = next;
    return next > 0;
  }
}
