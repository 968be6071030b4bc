/** One of a few values: the page's own list, so that every hand and every screen reader knows it. */

import { controlOf } from "../../control/table";
import { h } from "../../dom";
import { type Desk, SOURCE } from "../desk";

export function choice(
  desk: Desk, id: string, { words = {}, label, className = "" }: { words?: Record<string, string>; label?: string; className?: string } = {},
): HTMLSelectElement {
  const { controls, signal } = desk;
  const control = controlOf(id);
  const element = h("select", {
    class: `sfa-dk-choice ${className}`, "aria-label": label ?? control.label, title: label ?? control.label, "data-control": id,
  }, ...control.values.map((value) => h("option", { value }, words[value] ?? value)));
  const show = () => { element.value = String(controls.get(id)); };
  element.addEventListener("change", () => controls.set(id, element.value, SOURCE));
  controls.on(id, show, signal);
  show();
  return element;
}
