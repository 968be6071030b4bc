/** A horizontal fader: drag, wheel, arrows; double click resets, shift is fine. */

import { h, setAttribute, setText } from "../dom";
import { draggable, ownWheel } from "../waveform/gestures";
import "./fader.css";

export interface FaderOptions {
  label: string;
  /** 0 to 1. */
  value: number;
  /** Where a double click puts it; marked on the track. */
  reset: number;
  /** Grows from where it is reset to both sides; the other kind grows from the left. */
  balance?: boolean;
  /** The value as people read it. */
  text(value: number): string;
  changed(value: number): void;
  signal: AbortSignal;
}

const STEP = 0.02;
const FINE = 0.2;
/** The reset place holds on to the hand this much, else nobody finds it again. */
const HOLD = 0.008;
const HOLD_BALANCE = 0.03;

export class Fader {
  readonly element: HTMLElement;
  readonly #thumb = h("span", { class: "sfa-fader-thumb" });
  readonly #tip = h("span", { class: "sfa-fader-tip", "aria-hidden": "true" });
  readonly #options: FaderOptions;
  #value: number;

  constructor(options: FaderOptions) {
    this.#options = options;
    this.#value = options.value;
    this.#thumb.append(this.#tip);
    this.element = h(
      "div",
      {
        class: options.balance ? "sfa-fader is-balance" : "sfa-fader", role: "slider", tabindex: 0, "aria-label": options.label,
        "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal",
      },
      h("span", { class: "sfa-fader-track" }),
      this.#thumb,
    );
    this.element.style.setProperty("--reset", String(options.reset));
    this.#show();
    this.#listen();
  }

  get value(): number {
    return this.#value;
  }

  /** Shows a value that was set elsewhere. */
  set value(value: number) {
    if (value === this.#value) return;
    this.#value = value;
    this.#show();
  }

  #set(value: number, hold = 0): void {
    const next = Math.max(0, Math.min(1, value));
    const { reset } = this.#options;
    const caught = Math.abs(next - reset) < hold ? reset : next;
    if (caught === this.#value) return;
    this.#value = caught;
    this.#show();
    this.#options.changed(caught);
  }

  #show(): void {
    const text = this.#options.text(this.#value);
    this.element.style.setProperty("--value", String(this.#value));
    setAttribute(this.element, "aria-valuenow", Math.round(this.#value * 100));
    setAttribute(this.element, "aria-valuetext", text);
    setText(this.#tip, text);
  }

  #listen(): void {
    const { element } = this;
    const { signal, reset } = this.#options;
    const hold = this.#options.balance ? HOLD_BALANCE : HOLD;
    const travel = () => Math.max(1, element.clientWidth - 14);
    let last = 0;
    let free = 0;
    draggable(element, {
      start: (x, _y, event) => {
        last = x;
        const at = (x - 7) / travel();
        // Beside the thumb is a wish to be there; on it, to move it from where it is.
        if (Math.abs(at - this.#value) * travel() > 14 && !event.shiftKey) this.#set(at, hold);
        free = this.#value;
        element.classList.add("is-held");
      },
      move: (x, _y, event) => {
        free += ((x - last) / travel()) * (event.shiftKey ? FINE : 1);
        last = x;
        this.#set(free, hold);
      },
      end: () => element.classList.remove("is-held"),
    }, signal);
    element.addEventListener("dblclick", () => this.#set(reset), { signal });
    ownWheel(element, (event, { x, y }) => {
      this.#set(this.#value - Math.sign(y || x) * STEP * (event.shiftKey ? FINE : 1));
    }, signal);
    element.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const by = STEP * (event.shiftKey ? FINE : 1);
      const moves: Record<string, number> = {
        ArrowRight: this.#value + by,
        ArrowUp: this.#value + by,
        ArrowLeft: this.#value - by,
        ArrowDown: this.#value - by,
        PageUp: this.#value + 0.1,
        PageDown: this.#value - 0.1,
        Home: 0,
        End: 1,
        Delete: reset,
        Backspace: reset,
      };
      const value = moves[event.key];
      if (value === undefined) return;
      event.preventDefault();
      this.#set(value);
    }, { signal });
  }
}
