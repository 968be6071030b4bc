/** Asks for a name. */

import { h } from "../dom";
import type { Layer } from "../ui/layer";

export function askName(layer: Layer, title: string, name: string, label: string, run: (name: string) => void): void {
  const input = h("input", { class: "sfa-field", value: name, "aria-label": "Name", maxlength: 200, autocomplete: "off", dir: "auto" });
  const button = h("button", { type: "submit", class: "sfa-button is-primary" }, label);
  const form = h("form", { class: "sfa-ss-name" }, input, button);
  const dialog = layer.dialog(title, form);
  dialog.classList.add("sfa-ss-namedialog");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = input.value.trim();
    if (given === "") return;
    dialog.close();
    run(given);
  });
  input.focus();
  input.select();
}
