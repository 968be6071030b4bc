/** A value between two buttons: smaller, larger; what stands between them may be a button itself. */

import { controlOf, valueText } from "../../control/table";
import { h, setText } from "../../dom";
import type { Desk } from "../desk";

export interface StepperOptions {
  /** What it is about, for a screen reader. */
  label: string;
  /** What the buttons do, in words, and what they show. */
  less: { label: string; face?: string; run(): void };
  more: { label: string; face?: string; run(): void };
  /** A button to show the value on; plain text, if not given. */
  middle?: HTMLElement;
  className?: string;
  text?(value: number): string;
}

export function stepper(desk: Desk, id: string, options: StepperOptions): HTMLElement {
  const { controls, signal } = desk;
  const value = options.middle ?? h("output", { "aria-live": "off", title: options.label });
  const side = ({ label, face, run }: StepperOptions["less"], fallback: string) => {
    const element = h("button", { type: "button", class: "sfa-dk-button", "aria-label": label, title: label }, face ?? fallback);
    element.addEventListener("click", run);
    return element;
  };
  value.classList.add("sfa-dk-value");
  const show = () => {
    const now = controls.get(id);
    setText(value, options.text ? options.text(Number(now)) : valueText(controlOf(id), now));
  };
  controls.on(id, show, signal);
  show();
  return h(
    "div", { class: `sfa-dk-stepper ${options.className ?? ""}`, role: "group", "aria-label": options.label },
    side(options.less, "−"), value, side(options.more, "+"),
  );
}
