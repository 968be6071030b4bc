/** Presets: equaliser, effects and layout as a person likes them, under a name. */

import { isAbort } from "../../bridge";
import { CONTROLS, holdsState, isControl } from "../../control/table";
import { append, h } from "../../dom";
import { saveBytes } from "../../exporting/download";
import { plural } from "../../format";
import { icon } from "../../icons";
import type { ControlValue, PresetKind, PresetRow } from "../../types";
import type { Session } from "../index";
import { PATIENT } from "../parts";

/** The name under which this panel changes controls. */
const SOURCE = "page";
type Kept = Exclude<PresetKind, "mapping">;
const KINDS: readonly [kind: Kept, name: string, what: string][] = [
  ["eq", "Equaliser", "Equalisers, kills and filters of all decks"],
  ["effects", "Effects", "Kinds, mixes, amounts and times of all effects"],
  ["layout", "Layout", "What is shown, crossfader, limiter, headphones"],
];

export function presetsPanel(host: HTMLElement, session: Session): void {
  const { bridge, layer, signal, system } = session;
  const { controls } = system;
  let presets: PresetRow[] = [];

  const take = (rows: PresetRow[]) => {
    presets = rows;
    show();
  };
  const request = (asked: Promise<{ result: { presets: PresetRow[] } }>, then: () => void = () => undefined) =>
    void asked.then(({ result }) => {
      take(result.presets);
      then();
    }).catch((error: unknown) => layer.failed(error));
  const settings = (kind: Kept): Record<string, ControlValue> => Object.fromEntries(
    CONTROLS.filter((control) => control.group === kind && holdsState(control)).map(({ id }) => [id, controls.get(id)]));
  const set = (values: Record<string, ControlValue>) => {
    for (const [id, value] of Object.entries(values)) if (isControl(id)) controls.set(id, value, SOURCE);
  };
  const put = (preset: PresetRow) => bridge.request("presets.save", preset, { ...PATIENT, signal });

  const keep = (kind: Kept, name: string) => {
    const before = presets.find((preset) => preset.kind === kind && preset.name === name);
    request(put({ kind, name, value: settings(kind) }), () => {
      if (before) layer.toast("info", `“${name}” was replaced.`, { action: { label: "Undo", run: () => request(put(before)) } });
      else layer.toast("ok", `“${name}” is kept.`);
    });
  };
  const apply = (preset: PresetRow) => {
    const before = settings(preset.kind as Kept);
    set(preset.value);
    layer.toast("ok", `“${preset.name}” is set.`, { action: { label: "Undo", run: () => set(before) } });
  };
  const remove = ({ kind, name, value }: PresetRow) =>
    request(bridge.request("presets.remove", { kind, name }, { ...PATIENT, signal }), () => {
      layer.toast("info", `“${name}” is deleted.`, { action: { label: "Undo", run: () => request(put({ kind, name, value })) } });
    });

  const button = (label: string, name: Parameters<typeof icon>[0] | null, run: () => void, className = "is-quiet") => {
    const made = h("button", { type: "button", class: `sfa-button ${className}` }, name && icon(name), h("span", {}, label));
    made.addEventListener("click", run);
    return made;
  };
  const lists = KINDS.map(([kind, title, what]) => {
    const rows = h("ul", { class: "sfa-ss-rows", "aria-label": `Presets: ${title}` });
    const name = h("input", { class: "sfa-ss-field", placeholder: "Name", "aria-label": `Name for the ${title.toLowerCase()} as it is now`, maxlength: 100, autocomplete: "off", dir: "auto" });
    const form = h("form", { class: "sfa-ss-keep" }, name, h("button", { type: "submit", class: "sfa-button" }, "Keep as it is now"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = name.value.trim();
      if (given === "") {
        name.focus();
        return;
      }
      name.value = "";
      keep(kind, given);
    });
    return { kind, rows, element: h("section", { class: "sfa-ss-kind", "aria-label": title }, h("h3", {}, title), h("p", { class: "sfa-ss-state" }, what), form, rows) };
  });
  const file = h("input", { type: "file", accept: "application/json,.json", hidden: true, "aria-label": "File with presets" });
  file.addEventListener("change", () => {
    const [chosen] = file.files ?? [];
    file.value = "";
    if (!chosen) return;
    void chosen.text().then((text) => bridge.request("presets.import", { text }, { ...PATIENT, signal })).then(({ result }) => {
      take(result.presets);
      layer.toast("ok", result.taken === 0 ? "All of these presets are here already." : `${plural(result.taken, "preset")} taken in.`);
    }).catch((error: unknown) => layer.failed(error));
  });
  const exporting = button("Export", "download", () => {
    bridge.request("presets.export", {}, { ...PATIENT, signal }).then(({ result }) => {
      const bytes = new TextEncoder().encode(result.text);
      saveBytes(new DataView(bytes.buffer), "application/json", result.name);
    }).catch((error: unknown) => layer.failed(error));
  });
  append(host,
    h("div", { class: "sfa-ss-bar" }, h("span", { class: "sfa-ss-space" }), exporting, button("Import", "upload", () => file.click()), file),
    h("div", { class: "sfa-ss-kinds" }, ...lists.map(({ element }) => element)));

  const show = () => {
    for (const { kind, rows } of lists) {
      const own = presets.filter((preset) => preset.kind === kind);
      rows.replaceChildren(...own.map((preset) => h("li", { "data-preset": preset.name },
        h("span", { class: "sfa-ss-title", dir: "auto", title: preset.name }, preset.name),
        h("span", { class: "sfa-ss-tools" }, button("Set", "check", () => apply(preset)), button("Delete", "trash", () => remove(preset))))));
      if (own.length === 0) rows.append(h("li", { class: "is-none" }, "None yet."));
    }
    exporting.disabled = presets.length === 0;
  };
  const load = () => bridge.request("presets.list", {}, { signal }).then(({ result }) => take(result.presets)).catch((error: unknown) => {
    if (!isAbort(error)) layer.failed(error);
  });
  const stop = bridge.on("presets.changed", () => void load());
  signal.addEventListener("abort", stop, { once: true });
  show();
  void load();
}
