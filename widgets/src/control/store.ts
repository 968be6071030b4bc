/** What every control of the decks is set to, and who is to hear of a change. */

import type { ControlValue } from "../types";
import { clamp, type Control, ControlError, controlOf, CONTROLS, holdsState, isControl, knobOf, valueAt } from "./table";

/** Who changed a control: "pointer", "keys", "kernel", "console"... A change is told to all but its source. */
export type Source = string;
export type Heard = (id: string, value: ControlValue, source: Source) => void;

interface Listener {
  callback: Heard;
  source: Source | undefined;
}

export class ControlStore {
  readonly #values = new Map<string, ControlValue>();
  readonly #exact = new Map<string, Set<Listener>>();
  readonly #prefixes = new Map<string, Set<Listener>>();
  /** Changes that are still to be told: a listener may make another, and all hear of them in one order. */
  readonly #untold: [id: string, value: ControlValue, source: Source][] = [];
  #telling = false;

  /** What it is set to; a meter's last reading; of a trigger or an increment 0. */
  get(id: string): ControlValue {
    return this.#values.get(id) ?? controlOf(id).default;
  }

  /** The same where it is known to be a number. */
  number(id: string): number {
    return Number(this.get(id));
  }

  /** Whether a toggle is on, or a button is held. */
  isOn(id: string): boolean {
    return this.get(id) === 1;
  }

  /**
   * Sets a control, or sets off a trigger or an increment. A value outside its range is brought into it.
   *
   * A ControlError when there is no such control, or when this is no value of it.
   */
  set(id: string, value: ControlValue, source: Source): void {
    const control = controlOf(id);
    const taken = clamp(control, value);
    if (holdsState(control)) {
      if (taken === this.get(id)) return;
      this.#values.set(id, taken);
    }
    this.#tell(id, taken, source);
  }

  /** Adds to what it is set to; sets off a trigger or an increment by so much. */
  nudge(id: string, amount: number, source: Source): void {
    const control = controlOf(id);
    if (typeof control.default !== "number") throw new ControlError(`"${id}" is no number.`);
    this.set(id, holdsState(control) ? this.number(id) + amount : amount, source);
  }

  /** Turns a toggle. */
  toggle(id: string, source: Source): void {
    this.set(id, this.isOn(id) ? 0 : 1, source);
  }

  /** Sets off a trigger that takes no number, or holds a button for a moment. */
  press(id: string, source: Source): void {
    this.set(id, 1, source);
    if (controlOf(id).kind === "momentary") this.set(id, 0, source);
  }

  /** Where its knob or fader stands, 0 to 1. */
  knob(id: string): number {
    return knobOf(controlOf(id), this.get(id));
  }

  setKnob(id: string, knob: number, source: Source): void {
    this.set(id, valueAt(controlOf(id), knob), source);
  }

  reset(id: string, source: Source): void {
    this.set(id, controlOf(id).default, source);
  }

  /** A new reading of a meter. */
  measure(id: string, value: number): void {
    if (controlOf(id).kind !== "meter") throw new ControlError(`"${id}" is no meter.`);
    if (value === this.#values.get(id)) return;
    this.#values.set(id, value);
    this.#tell(id, value, "console");
  }

  /** Every control that is not at its default; no meters. */
  get settings(): Record<string, ControlValue> {
    const settings: Record<string, ControlValue> = {};
    for (const [id, value] of this.#values) {
      const control = controlOf(id);
      if (holdsState(control) && value !== control.default) settings[id] = value;
    }
    return settings;
  }

  /** Sets every control: those that are not named go to their defaults. */
  take(settings: Readonly<Record<string, ControlValue>>, source: Source): void {
    const kept = new Map(Object.entries(settings).filter(([id]) => isControl(id)));
    for (const id of this.#values.keys()) {
      const control = controlOf(id);
      if (holdsState(control) && !kept.has(id)) this.reset(id, source);
    }
    for (const control of CONTROLS) {
      const value = kept.get(control.id);
      if (value !== undefined && holdsState(control)) this.set(control.id, value, source);
    }
  }

  /**
   * Calls back for each change of a control, or of all whose ids begin so ("deck.1.", "" for all), until `signal`
   * aborts; not for those that `source` made.
   */
  on(idOrPrefix: string, callback: Heard, signal: AbortSignal, source?: Source): void {
    if (signal.aborted) return;
    const all = isControl(idOrPrefix) ? this.#exact : this.#prefixes;
    let listeners = all.get(idOrPrefix);
    if (!listeners) all.set(idOrPrefix, (listeners = new Set()));
    const listener = { callback, source };
    listeners.add(listener);
    const among = listeners;
    signal.addEventListener("abort", () => {
      among.delete(listener);
      if (among.size === 0 && all.get(idOrPrefix) === among) all.delete(idOrPrefix);
    }, { once: true });
  }

  /** The line of the table that a control is of. */
  control(id: string): Control {
    return controlOf(id);
  }

  #tell(id: string, value: ControlValue, source: Source): void {
    this.#untold.push([id, value, source]);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#untold.shift(); next; next = this.#untold.shift()) this.#tellOne(...next);
    this.#telling = false;
  }

  #tellOne(id: string, value: ControlValue, source: Source): void {
    const heard = [...(this.#exact.get(id) ?? [])];
    for (const [prefix, listeners] of this.#prefixes) if (id.startsWith(prefix)) heard.push(...listeners);
    for (const listener of heard) {
      if (listener.source === source) continue;
      try {
        listener.callback(id, value, source);
      } catch (error) {
        // One broken surface must not keep the others from hearing of it.
        console.error(error);
      }
    }
  }
}
