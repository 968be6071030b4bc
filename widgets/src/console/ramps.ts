/** Controls on their way to a value: evenly by their knob. */

import { knobOf, numberOf, valueAt, valueOf, type Control } from "./table";

interface Ramp {
  from: number;
  to: number;
  /** Frames of the console. */
  start: number;
  frames: number;
  /** Where it ends, exactly. */
  value: number;
}

export class Ramps {
  readonly #ramps = new Map<Control, Ramp>();

  get empty(): boolean {
    return this.#ramps.size === 0;
  }

  /** A control sets out from `now` for `value`, to be there after so many frames. */
  begin(control: Control, now: number, value: number, frame: number, frames: number): void {
    const knob = (number: number) => knobOf(control, valueOf(control, number));
    this.#ramps.set(control, { from: knob(now), to: knob(value), start: frame, frames, value });
  }

  /** It was set otherwise. */
  end(control: Control): void {
    this.#ramps.delete(control);
  }

  /** Moves all of them to where they are at a frame. */
  move(frame: number, set: (control: Control, number: number) => void): void {
    for (const [control, ramp] of this.#ramps) {
      const way = (frame - ramp.start) / ramp.frames;
      if (way >= 1) this.#ramps.delete(control);
      set(control, way >= 1 ? ramp.value : numberOf(control, valueAt(control, ramp.from + way * (ramp.to - ramp.from))));
    }
  }
}
