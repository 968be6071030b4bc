/** Controls on their way to a value: evenly by their knob. */

import { knobOf, numberOf, valueAt, valueOf, type Control } from "./table";

/** The whole way, but for what summing up loses. */
const ALL = 1 - 1e-9;

interface Ramp {
  from: number;
  to: number;
  /** Frame of the console at which it was looked at last, and how much of its way it had gone by then. */
  frame: number;
  gone: number;
  /** How much of its way it goes in a frame: of beats, as long as they take now. */
  pace: () => number;
  /** Where it ends, exactly. */
  value: number;
}

export class Ramps {
  readonly #ramps = new Map<Control, Ramp>();

  get empty(): boolean {
    return this.#ramps.size === 0;
  }

  /** A control sets out from `now` for `value`, and goes so much of the way in each frame. */
  begin(control: Control, now: number, value: number, frame: number, pace: () => number): void {
    const knob = (number: number) => knobOf(control, valueOf(control, number));
    this.#ramps.set(control, { from: knob(now), to: knob(value), frame, gone: 0, pace, value });
  }

  /** It was set otherwise. */
  end(control: Control): void {
    this.#ramps.delete(control);
  }

  /** Moves all of them to where they are at a frame. */
  move(frame: number, set: (control: Control, number: number) => void): void {
    for (const [control, ramp] of this.#ramps) {
      ramp.gone += (frame - ramp.frame) * ramp.pace();
      ramp.frame = frame;
      const over = ramp.gone >= ALL;
      if (over) this.#ramps.delete(control);
      set(control, over ? ramp.value : numberOf(control, valueAt(control, ramp.from + ramp.gone * (ramp.to - ramp.from))));
    }
  }
}
