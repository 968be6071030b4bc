/** What knobs and faders share: a control under a hand, on the wheel and on the keys. */

import { controlOf, valueText } from "../../control/table";
import { h, setAttribute, setText } from "../../dom";
import { draggable, ownWheel } from "../../waveform/gestures";
import { type Desk, SOURCE } from "../desk";

export interface HandOptions {
  /** What a screen reader calls it; the control's own label, if not said. */
  label?: string;
  axis: "x" | "y";
  /** How many px the hand moves from one end to the other. */
  travel(): number;
  /** A press beside the thumb goes there: where that is, 0 to 1, from a place in the element in px. */
  place?(x: number, y: number): number;
  /** The control's place, 0 to 1, where it is not the one of its own curve. */
  read?(): number;
  write?(knob: number): void;
  /** How many steps the whole way has, where it is not smooth. */
  steps?: number;
  /** Other controls that `read` looks at. */
  follows?: string[];
  /** Draws it there. */
  draw(knob: number): void;
}

const STEP = 0.02;
const FINE = 0.2;
/** A thumb that is pressed within so many px is moved from where it is. */
const GRIP = 14;
/** The resting place holds on to the hand this much, else nobody finds it again. */
const HOLD = 0.015;

/** Binds an element to a control: it becomes a slider, and shows what the control is set to. */
export function underHand(element: HTMLElement, desk: Desk, id: string, options: HandOptions): void {
  const { controls, signal } = desk;
  const control = controlOf(id);
  const tip = h("span", { class: "sfa-dk-tip", "aria-hidden": "true" });
  const read = options.read ?? (() => controls.knob(id));
  const write = options.write ?? ((knob: number) => controls.setKnob(id, knob, SOURCE));
  const twoSided = control.min < 0 && control.max > 0 && control.curve !== "decibels";
  const single = options.steps ? 1 / options.steps : control.step > 0 ? control.step / (control.max - control.min) : 0;

  for (const [name, value] of Object.entries({
    role: "slider", tabindex: 0, "aria-label": options.label ?? control.label, "aria-valuemin": 0, "aria-valuemax": 100,
    "aria-orientation": options.axis === "x" ? "horizontal" : "vertical", "data-control": id,
  })) setAttribute(element, name, value);
  element.append(tip);

  const show = () => {
    const knob = read();
    options.draw(knob);
    const text = valueText(control, controls.get(id));
    setAttribute(element, "aria-valuenow", Math.round(knob * 100));
    setAttribute(element, "aria-valuetext", text);
    setText(tip, text);
  };
  const move = (knob: number, hold = 0) => {
    const place = Math.max(0, Math.min(1, knob));
    write(hold > 0 && twoSided && Math.abs(place - 0.5) < hold ? 0.5 : place);
  };

  let last = 0;
  let free = 0;
  const along = (x: number, y: number) => (options.axis === "x" ? x : -y);
  draggable(element, {
    start: (x, y, event) => {
      last = along(x, y);
      if (options.place && !event.shiftKey) {
        const at = options.place(x, y);
        if (Math.abs(at - read()) * options.travel() > GRIP) move(at, HOLD);
      }
      free = read();
      element.classList.add("is-held");
      element.focus({ preventScroll: true });
    },
    move: (x, y, event) => {
      free = Math.max(-0.1, Math.min(1.1, free + ((along(x, y) - last) / options.travel()) * (event.shiftKey ? FINE : 1)));
      last = along(x, y);
      move(free, event.shiftKey ? 0 : HOLD);
    },
    end: () => element.classList.remove("is-held"),
  }, signal);
  element.addEventListener("dblclick", () => controls.reset(id, SOURCE), { signal });
  element.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    // A finger that rests on a fader holds it; the other button of a mouse puts it back.
    if ((event as PointerEvent).pointerType === "mouse") controls.reset(id, SOURCE);
  }, { signal });
  const step = (event: { shiftKey: boolean }) => single || STEP * (event.shiftKey ? FINE : 1);
  ownWheel(element, (event, { x, y }) => move(read() - Math.sign(y || x) * step(event)), signal);
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const knob = read();
    const by = step(event);
    const moves: Record<string, number> = {
      ArrowRight: knob + by, ArrowUp: knob + by, ArrowLeft: knob - by, ArrowDown: knob - by,
      PageUp: knob + 0.1, PageDown: knob - 0.1, Home: 0, End: 1,
    };
    const to = moves[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Delete" || event.key === "Backspace") controls.reset(id, SOURCE);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, { signal });

  for (const other of [id, ...(options.follows ?? [])]) controls.on(other, show, signal);
  show();
}
