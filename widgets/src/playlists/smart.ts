/** The dialog that makes a smart playlist: conditions as chips, what they find at once below. */

import { type Bridge, describe, isAbort } from "../bridge";
import "../dialogs/dialogs.css";
import type { DialogHost } from "../dialogs/host";
import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { plural, tempo } from "../format";
import { icon } from "../icons";
import { keyChip } from "../parts";
import { clock, seconds } from "../separate/region";
import type { PlaylistFilter, PlaylistRow, SortColumn } from "../types";
import { clean, type Condition, CONDITIONS, ORDERS, without } from "./filter";

/** Typing rests this long before the kernel is asked, in ms. */
const TRY_MS = 180;
/** So many of what it finds are shown. */
const SHOWN = 5;

export interface SmartOptions {
  /** The one to change; a new one, if not said. */
  playlist?: PlaylistRow;
  done(playlist: PlaylistRow): void;
}

export function smartDialog(bridge: Bridge, host: DialogHost, options: SmartOptions): void {
  new SmartDialog(bridge, host, options);
}

class SmartDialog {
  readonly #bridge: Bridge;
  readonly #options: SmartOptions;
  readonly #dialog: HTMLDialogElement;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #name = h("input", { class: "sfa-field", autocomplete: "off", maxlength: 200, dir: "auto" });
  readonly #chips = h("div", { class: "sfa-chips", role: "group", "aria-label": "Conditions" });
  readonly #more = h("div", { class: "sfa-chips", role: "group", "aria-label": "More conditions" });
  readonly #editor = h("div", { class: "sfa-smart-editor", hidden: true });
  readonly #fault = h("p", { class: "sfa-line is-danger", role: "alert", hidden: true });
  readonly #found = h("section", { class: "sfa-smart-found", "aria-live": "polite" });
  readonly #state = h("p", { class: "is-danger", role: "alert" });
  readonly #save: HTMLButtonElement;
  #filter: PlaylistFilter;
  #open: Condition | null = null;
  /** Says what is wrong with what is typed; null when nothing is. */
  #wrong: string | null = null;
  #sentence = "";
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;

  constructor(bridge: Bridge, host: DialogHost, options: SmartOptions) {
    const { playlist } = options;
    this.#bridge = bridge;
    this.#options = options;
    this.#signal = AbortSignal.any([host.signal, this.#end.signal]);
    this.#filter = playlist?.filter ? { ...playlist.filter } : { tempo: [120, 128] };
    this.#save = h("button", { type: "button", class: "sfa-button is-primary" }, playlist ? "Save" : "Create");
    const id = uniqueId("name");
    this.#name.id = id;
    this.#name.value = playlist?.name ?? "";
    const cancel = h("button", { type: "button", class: "sfa-button" }, "Cancel");
    const dialog = (this.#dialog = host.layer.dialog(
      playlist ? "Smart playlist" : "New smart playlist",
      h("p", { class: "sfa-work-subject" }, "Always the tracks that fit, now and later."),
      h(
        "div", { class: "sfa-work-body" },
        h("div", { class: "sfa-smart-name" }, h("label", { for: id }, "Name"), this.#name),
        h("section", { class: "sfa-smart-conditions" }, h("h3", {}, "Tracks that fit all of this"), this.#chips, this.#editor, this.#fault, this.#more),
        this.#found,
      ),
      h("footer", {}, this.#state, h("div", { class: "sfa-work-buttons" }, cancel, this.#save)),
    ));
    dialog.classList.add("sfa-work", "sfa-smart");
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      clearTimeout(this.#timer);
      this.#end.abort();
    });
    host.signal.addEventListener("abort", () => dialog.close(), { once: true, signal: this.#end.signal });
    this.#save.addEventListener("click", () => void this.#finish());
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target instanceof HTMLInputElement && !this.#save.disabled) void this.#finish();
    });
    this.#drawChips();
    this.#ask(0);
    this.#name.focus();
  }

  // Conditions

  #drawChips(): void {
    const used = CONDITIONS.filter((condition) => condition.words(this.#filter) !== null);
    this.#chips.replaceChildren(...used.map((condition) => {
      const chip = h(
        "button", { type: "button", class: "sfa-chip", "aria-pressed": "true", "aria-expanded": String(condition === this.#open), "data-condition": condition.name },
        condition.words(this.#filter),
      );
      chip.addEventListener("click", () => this.#show(condition === this.#open ? null : condition));
      const remove = h("button", { type: "button", class: "sfa-smart-remove", "aria-label": `Without: ${condition.label}`, title: "Take this condition away" }, icon("close"));
      remove.addEventListener("click", () => {
        this.#filter = without(this.#filter, condition);
        this.#show(null);
        this.#changed(null);
        (this.#more.firstElementChild as HTMLElement | null)?.focus();
      });
      return h("span", { class: "sfa-smart-chip" }, chip, remove);
    }));
    if (used.length === 0) append(this.#chips, h("p", { class: "is-dim" }, "No condition yet: every track of the library fits."));
    const more = CONDITIONS.filter((condition) => !used.includes(condition));
    this.#more.replaceChildren(...more.map((condition) => {
      const chip = h("button", { type: "button", class: "sfa-chip is-more", "data-condition": condition.name }, icon("plus"), condition.label);
      chip.addEventListener("click", () => {
        this.#filter = { ...this.#filter, ...condition.start };
        this.#show(condition);
        this.#changed(null);
        this.#editor.querySelector<HTMLElement>("input, select, button")?.focus();
      });
      return chip;
    }));
  }

  #show(condition: Condition | null): void {
    this.#open = condition;
    this.#setFault(null);
    this.#drawChips();
    this.#editor.hidden = condition === null;
    this.#editor.replaceChildren(...(condition ? this.#fields(condition.name) : []));
  }

  /** What is in the fields; a fault keeps the last filter that was right. */
  #changed(change: PlaylistFilter | null): void {
    if (change) {
      this.#filter = { ...this.#filter, ...change };
      const chip = this.#chips.querySelector(`[data-condition="${this.#open?.name ?? ""}"]`);
      if (chip && this.#open) setText(chip, this.#open.words(this.#filter) ?? "");
    }
    this.#setFault(null);
    this.#ask(TRY_MS);
  }

  #setFault(text: string | null): void {
    this.#wrong = text;
    this.#fault.hidden = text === null;
    this.#fault.replaceChildren(...(text === null ? [] : [icon("alert"), text]));
    this.#drawSave();
  }

  #fields(name: string): Node[] {
    const { text, tempo: bpm, octaves, energy, duration: length, genre, year, stems, analyzed, added_days: days, sort, descending, limit } = this.#filter;
    const whole = { read: readNumber, write: String };
    switch (name) {
      case "text": return [this.#textField("Words of title, artist, album or genre", text ?? "", (value) => ({ text: value }))];
      case "genre": return [this.#textField("Genre, or a part of it", genre ?? "", (value) => ({ genre: value }))];
      case "tempo": return [
        this.#range("Tempo", bpm ?? [120, 128], { ...whole, unit: "BPM", min: 20, max: 400 }, (ends) => ({ tempo: ends })),
        this.#check("Half and double of it as well", octaves === true, (on) => ({ octaves: on })),
      ];
      case "key": return this.#keys();
      case "energy": return [this.#range("Energy", energy ?? [6, 10], { ...whole, unit: "of 10", min: 1, max: 10 }, (ends) => ({ energy: ends }))];
      case "duration": return [
        this.#range("Length", length ?? [120, 480], { read: seconds, write: clock, unit: "min", min: 0, max: 86_400 }, (ends) => ({ duration: ends })),
      ];
      case "year": return [this.#range("Year", year ?? [2000, 2026], { ...whole, unit: "", min: 1000, max: 9999 }, (ends) => ({ year: ends }))];
      case "stems": return [this.#segments("Stems", [["yes", "Has stems"], ["no", "Has none"]], stems === false ? "no" : "yes", (value) => ({ stems: value === "yes" }))];
      case "analyzed": return [
        this.#segments("Analysis", [["yes", "Is analysed"], ["no", "Is not"]], analyzed === false ? "no" : "yes", (value) => ({ analyzed: value === "yes" })),
      ];
      case "added": return [this.#number("Added in the last", days ?? 30, "days", 1, 36_500, (value) => ({ added_days: value }))];
      case "limit": return [this.#number("At most", limit ?? 50, "tracks", 1, 100_000, (value) => ({ limit: value }))];
      case "order": return this.#order(sort ?? "added_at", descending === true);
      default: return [];
    }
  }

  #textField(label: string, value: string, change: (value: string) => PlaylistFilter): HTMLElement {
    const input = h("input", { class: "sfa-field", "aria-label": label, placeholder: label, dir: "auto", maxlength: 200 });
    input.value = value;
    input.addEventListener("input", () => this.#changed(change(input.value)));
    return input;
  }

  #range(
    label: string, value: [number, number],
    { read, write, unit, min, max }: { read(text: string): number | null; write(value: number): string; unit: string; min: number; max: number },
    change: (ends: [number, number]) => PlaylistFilter,
  ): HTMLElement {
    const [from, to] = value.map((end, i) => {
      const input = h("input", { class: "sfa-field is-time", inputmode: "decimal", "aria-label": `${label} ${i === 0 ? "from" : "to"}`, autocomplete: "off" });
      input.value = write(end);
      return input;
    }) as [HTMLInputElement, HTMLInputElement];
    const changed = () => {
      const ends = [from, to].map(({ value: text }) => read(text));
      const wrong = ends.map((end) => end === null || end < min || end > max);
      [from, to].forEach((input, i) => setAttribute(input, "aria-invalid", wrong[i] ? "true" : null));
      const [low, high] = ends as [number, number];
      if (wrong.some(Boolean)) this.#setFault(`${label} lies between ${write(min)} and ${write(max)}.`);
      else if (low > high) this.#setFault("The first of the two must not be the larger one.");
      else this.#changed(change([low, high]));
    };
    for (const input of [from, to]) input.addEventListener("input", changed);
    return h("div", { class: "sfa-line" }, from, "to", to, unit && h("span", { class: "is-dim" }, unit));
  }

  #number(label: string, value: number, unit: string, min: number, max: number, change: (value: number) => PlaylistFilter): HTMLElement {
    const input = h("input", { class: "sfa-field is-time", inputmode: "numeric", "aria-label": `${label}, in ${unit}`, autocomplete: "off" });
    input.value = String(value);
    input.addEventListener("input", () => {
      const typed = readNumber(input.value);
      const wrong = typed === null || !Number.isInteger(typed) || typed < min || typed > max;
      setAttribute(input, "aria-invalid", wrong ? "true" : null);
      if (wrong) this.#setFault(`This is a whole number from ${min} to ${max.toLocaleString("en-GB")}.`);
      else this.#changed(change(typed));
    });
    return h("div", { class: "sfa-line" }, h("span", {}, label), input, h("span", { class: "is-dim" }, unit));
  }

  #check(label: string | Node, on: boolean, change: (on: boolean) => PlaylistFilter): HTMLElement {
    const input = h("input", { type: "checkbox" });
    input.checked = on;
    input.addEventListener("change", () => this.#changed(change(input.checked)));
    return h("label", { class: "sfa-check" }, input, label);
  }

  #segments(label: string, choices: [string, string][], chosen: string, change: (value: string) => PlaylistFilter | null): HTMLElement {
    const group = uniqueId("choice");
    return h("div", { class: "sfa-segments", role: "radiogroup", "aria-label": label }, ...choices.map(([value, text]) => {
      const input = h("input", { type: "radio", name: group, value });
      input.checked = value === chosen;
      input.addEventListener("change", () => this.#changed(change(value)));
      return h("label", {}, input, h("span", {}, text));
    }));
  }

  /** The wheel of keys in two lines: one that others mix with, or exactly these. */
  #keys(): Node[] {
    const exactly = Array.isArray(this.#filter.keys);
    const chosen = new Set(exactly ? this.#filter.keys : [this.#filter.compatible_with ?? "8A"]);
    const wheel = h("div", { class: "sfa-smart-keys", role: "group", "aria-label": "Keys" });
    for (const letter of ["A", "B"]) {
      for (let number = 1; number <= 12; number += 1) {
        const code = `${number}${letter}`;
        const button = h("button", { type: "button", "aria-pressed": String(chosen.has(code)) }, keyChip(code, null));
        button.addEventListener("click", () => {
          if (exactly) {
            if (!chosen.delete(code)) chosen.add(code);
            this.#changed({ keys: [...wheel.querySelectorAll("button")].map(({ textContent }) => textContent ?? "").filter((each) => chosen.has(each)) });
          } else {
            chosen.clear();
            chosen.add(code);
            this.#changed({ compatible_with: code });
          }
          for (const each of wheel.querySelectorAll("button")) setAttribute(each, "aria-pressed", String(chosen.has(each.textContent ?? "")));
        });
        append(wheel, button);
      }
    }
    const mode = this.#segments("Which keys", [["mix", "Keys that mix with"], ["exact", "Exactly"]], exactly ? "exact" : "mix", (value) => {
      const [first = "8A"] = chosen;
      this.#filter = without(this.#filter, this.#open as Condition);
      this.#filter = { ...this.#filter, ...(value === "exact" ? { keys: [first] } : { compatible_with: first }) };
      this.#show(this.#open);
      this.#editor.querySelector<HTMLElement>("input:checked")?.focus();
      return null;
    });
    return [mode, wheel];
  }

  #order(sort: SortColumn, descending: boolean): Node[] {
    const by = h("select", { class: "sfa-field", "aria-label": "Order by" }, ...Object.entries(ORDERS)
      .map(([value, [label]]) => h("option", { value }, capital(label))));
    by.value = sort;
    const backwards = (name: string) => capital(ORDERS[name as SortColumn]?.[1] ?? "Backwards");
    const way = h("span", {}, backwards(sort));
    const check = this.#check(way, descending, (on) => ({ descending: on }));
    by.addEventListener("change", () => {
      setText(way, backwards(by.value));
      this.#changed({ sort: by.value as SortColumn });
    });
    return [h("div", { class: "sfa-line" }, by, check)];
  }

  // What it finds

  #ask(delay: number): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#timer = setTimeout(() => void this.#try(), delay);
  }

  async #try(): Promise<void> {
    const asking = (this.#asking = new AbortController());
    this.#found.classList.add("is-asking");
    try {
      const signal = AbortSignal.any([this.#signal, asking.signal]);
      const { result } = await this.#bridge.request("playlists.try", { filter: clean(this.#filter) }, { signal });
      this.#sentence = result.sentence;
      setAttribute(this.#name, "placeholder", capital(result.sentence));
      const more = result.count - Math.min(SHOWN, result.rows.length);
      this.#found.replaceChildren(
        h("h3", {}, result.count === 0 ? "No track fits yet" : `${plural(result.count, "track")} ${result.count === 1 ? "fits" : "fit"}`),
        h("ul", {}, ...result.rows.slice(0, SHOWN).map((track) => h(
          "li", {},
          h("span", { dir: "auto", title: track.title }, track.title), h("small", { dir: "auto" }, track.artist ?? ""),
          h("small", {}, tempo(track.bpm)), keyChip(track.camelot, track.key),
        ))),
        ...(result.count > 0 && more > 0 ? [h("p", { class: "is-fine" }, `and ${more.toLocaleString("en-GB")} more`)] : []),
        ...(result.count === 0 ? [h("p", { class: "is-fine" }, "It fills by itself as tracks come that fit.")] : []),
      );
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      this.#setFault([message, hint].filter(Boolean).join(" "));
    }
    this.#found.classList.remove("is-asking");
  }

  // The end

  #drawSave(): void {
    this.#save.disabled = this.#busy || this.#wrong !== null;
  }

  async #finish(): Promise<void> {
    const { playlist, done } = this.#options;
    const filter = clean(this.#filter);
    const name = this.#name.value.trim() || capital(this.#sentence).slice(0, 80) || "All tracks";
    this.#busy = true;
    this.#drawSave();
    const options = { signal: this.#signal };
    try {
      let made: PlaylistRow;
      if (playlist) {
        made = (await this.#bridge.request("playlists.filter", { id: playlist.id, filter }, options)).result.playlist;
        if (name !== playlist.name) made = (await this.#bridge.request("playlists.rename", { id: playlist.id, name }, options)).result.playlist;
      } else {
        made = (await this.#bridge.request("playlists.create", { name, filter }, options)).result.playlist;
      }
      this.#dialog.close();
      done(made);
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      setText(this.#state, [message, hint].filter(Boolean).join(" "));
    } finally {
      this.#busy = false;
      this.#drawSave();
    }
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function readNumber(text: string): number | null {
  const typed = text.trim().replace(",", ".");
  return /^\d+(\.\d+)?$/.test(typed) ? Number(typed) : null;
}
