/** A fader, upright or lying: a cap in a slot. */

import { h } from "../../dom";
import type { Desk } from "../desk";
import { type HandOptions, underHand } from "./hand";

/** Length of the cap along its way, in px. */
const CAP = 24;

export interface FaderOptions extends Partial<Pick<HandOptions, "label" | "read" | "write" | "follows">> {
  axis: "x" | "y";
  className?: string;
  /** Lines beside the slot; one of them is drawn longer when it is in the middle. */
  ticks?: number;
}

export function fader(desk: Desk, id: string, { axis, className = "", ticks = 0, ...hand }: FaderOptions): HTMLElement {
  const marks = Array.from({ length: ticks }, (_, i) => {
    const mark = h("i", { class: 2 * i === ticks - 1 ? "is-middle" : null });
    mark.style.setProperty("--at", String(i / (ticks - 1)));
    return mark;
  });
  const element = h(
    "div", { class: `sfa-dk-fader is-${axis} ${className}` },
    h("span", { class: "sfa-dk-slot" }, ...marks), h("span", { class: "sfa-dk-cap" }),
  );
  const travel = () => Math.max(1, (axis === "x" ? element.clientWidth : element.clientHeight) - CAP);
  underHand(element, desk, id, {
    ...hand, axis, travel,
    place: (x, y) => (axis === "x" ? (x - CAP / 2) / travel() : 1 - (y - CAP / 2) / travel()),
    draw: (knob) => element.style.setProperty("--value", knob.toFixed(4)),
  });
  return element;
}
