/** Buttons of controls: one that stays in, one that is held, one that is pressed. */

import { controlOf } from "../../control/table";
import { h, setAttribute } from "../../dom";
import { type Desk, SOURCE } from "../desk";

export interface ButtonOptions {
  /** What it shows: words, or a drawing. */
  face: (Node | string)[];
  /** What a screen reader calls it; the control's own label, if not said. */
  label?: string;
  /** What the pointer is told. */
  title?: string;
  className?: string;
}

function button(id: string, { face, label, title, className = "" }: ButtonOptions): HTMLButtonElement {
  const name = label ?? controlOf(id).label;
  return h("button", {
    type: "button", class: `sfa-dk-button ${className}`, "aria-label": name, title: title ?? name, "data-control": id,
  }, ...face);
}

/** Stays in: a control that is on or off. */
export function toggle(desk: Desk, id: string, options: ButtonOptions): HTMLButtonElement {
  const { controls, signal } = desk;
  const element = button(id, options);
  const show = () => setAttribute(element, "aria-pressed", String(controls.isOn(id)));
  element.addEventListener("click", () => controls.toggle(id, SOURCE));
  controls.on(id, show, signal);
  show();
  return element;
}

/** Does something once: a trigger, with a number where it takes one. */
export function action(desk: Desk, id: string, options: ButtonOptions, value: number | (() => number) = 1): HTMLButtonElement {
  const element = button(id, options);
  element.addEventListener("click", () => desk.controls.set(id, typeof value === "number" ? value : value(), SOURCE));
  return element;
}

/** Is held: the control has `on` while it is down, by a finger, the mouse or the keyboard. */
export function held(desk: Desk, id: string, options: ButtonOptions, on = 1, off = 0): HTMLButtonElement {
  const element = button(id, options);
  whileDown(element, (down) => desk.controls.set(id, down ? on : off, SOURCE), desk.signal);
  const show = () => element.classList.toggle("is-down", desk.controls.get(id) === on);
  desk.controls.on(id, show, desk.signal);
  return element;
}

/** Tells when an element goes down and up again, whatever presses it; a press that is lost comes up. */
export function whileDown(element: HTMLElement, tell: (down: boolean, event: Event) => void, signal: AbortSignal): void {
  let by: number | "key" | null = null;
  const release = (event: Event) => {
    if (by === null) return;
    by = null;
    tell(false, event);
  };
  const isKey = (event: KeyboardEvent) => event.key === " " || event.key === "Enter";
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || by !== null) return;
    by = event.pointerId;
    element.setPointerCapture(event.pointerId);
    tell(true, event);
  }, { signal });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
    element.addEventListener(name, (event) => { if (by === event.pointerId) release(event); }, { signal });
  }
  element.addEventListener("keydown", (event) => {
    if (!isKey(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.repeat || by !== null) return;
    by = "key";
    tell(true, event);
  }, { signal });
  element.addEventListener("keyup", (event) => { if (by === "key" && isKey(event)) release(event); }, { signal });
  element.addEventListener("blur", release, { signal });
  // Assistive technology presses without a pointer and without a key.
  element.addEventListener("click", (event) => {
    if (event.detail !== 0 || by !== null || (event as PointerEvent).pointerId > 0) return;
    tell(true, event);
    tell(false, event);
  }, { signal });
  signal.addEventListener("abort", () => { by = null; }, { once: true });
}
