/** A control for a setting of an engine. */

import { h, uniqueId } from "../dom";
import type { EngineSetting } from "../types";

/** `changed` is called with values that the setting can have, never with others. */
export function settingControl(
  setting: EngineSetting, value: unknown, changed: (name: string, value: unknown) => void,
): HTMLElement {
  const id = uniqueId("setting");
  const control = controlOf(setting, value, (now) => changed(setting.name, now));
  control.id = id;
  return h(
    "div", { class: "sfa-setting", "data-kind": setting.kind },
    h("label", { for: id }, setting.label), control, h("p", { class: "is-fine" }, setting.description),
  );
}

function controlOf(setting: EngineSetting, value: unknown, changed: (value: unknown) => void): HTMLElement {
  if (setting.kind === "switch") {
    const box = h("input", { type: "checkbox" });
    box.checked = value === true;
    box.addEventListener("change", () => changed(box.checked));
    return box;
  }
  if (setting.kind === "choice") {
    const list = h("select", { class: "sfa-field" }, ...setting.choices.map((choice) => h("option", { value: choice }, said(choice))));
    list.value = String(value);
    list.addEventListener("change", () => changed(list.value));
    return list;
  }
  const { minimum, maximum } = setting;
  const field = h("input", { type: "number", class: "sfa-field is-number", min: minimum, max: maximum, step: "any" });
  field.value = String(value);
  field.addEventListener("input", () => {
    const number = field.valueAsNumber;
    const fits = Number.isFinite(number) && number >= (minimum ?? -Infinity) && number <= (maximum ?? Infinity);
    field.setAttribute("aria-invalid", String(!fits));
    if (fits) changed(number);
  });
  return field;
}

/** "deep_extraction" as people read it. */
function said(choice: string): string {
  const text = choice.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
