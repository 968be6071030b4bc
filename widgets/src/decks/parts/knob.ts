/** A rotary knob: an arc that fills from where it rests. */

import { controlOf } from "../../control/table";
import { h, setAttribute, setText } from "../../dom";
import type { Desk } from "../desk";
import { type HandOptions, underHand } from "./hand";

/** Three quarters of a circle, open below; its length counts as 1. */
const ARC = "M8.69 31.31A16 16 0 1 1 31.31 31.31";
const NS = "http://www.w3.org/2000/svg";
/** px of the hand for the whole way. */
const TRAVEL = 160;

export interface KnobOptions extends Partial<Pick<HandOptions, "label" | "read" | "write" | "follows" | "steps">> {
  /** What stands below it; it may tell the value. */
  text: string | ((value: number) => string);
  className?: string;
}

export function knob(desk: Desk, id: string, { text, className = "", ...hand }: KnobOptions): HTMLElement {
  const { min, max, curve } = controlOf(id);
  const from = min < 0 && max > 0 && curve !== "decibels" ? 0.5 : 0;
  const svg = document.createElementNS(NS, "svg");
  setAttribute(svg, "viewBox", "0 0 40 40");
  setAttribute(svg, "aria-hidden", "true");
  const part = (name: string, d: string) => {
    const path = document.createElementNS(NS, "path");
    setAttribute(path, "class", name);
    setAttribute(path, "d", d);
    setAttribute(path, "pathLength", 1);
    svg.append(path);
    return path;
  };
  part("track", ARC);
  const value = part("value", ARC);
  const pointer = part("pointer", "M20 12V6");
  const label = h("span", { class: "sfa-dk-label", "aria-hidden": "true" }, typeof text === "string" ? text : "");
  const element = h("div", { class: `sfa-dk-knob ${className}` });
  element.append(svg, label);
  underHand(element, desk, id, {
    ...hand, axis: "y", travel: () => TRAVEL,
    draw(at) {
      value.style.strokeDasharray = `${Math.abs(at - from).toFixed(4)} 2`;
      value.style.strokeDashoffset = (-Math.min(at, from)).toFixed(4);
      pointer.style.transform = `rotate(${(at * 270 - 135).toFixed(1)}deg)`;
      if (typeof text !== "string") setText(label, text(desk.controls.number(id)));
      element.classList.toggle("is-moved", Math.abs(at - from) > 0.001);
    },
  });
  return element;
}
