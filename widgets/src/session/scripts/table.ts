/** The events of a script as a table that is edited like a sheet. */

import { CONTROLS } from "../../control/table";
import { append, h, setAttribute, setText, uniqueId } from "../../dom";
import { plural } from "../../format";
import { icon } from "../../icons";
import type { ScriptDocument, ScriptEvent } from "../../types";
import type { Layer } from "../../ui/layer";
import { COLUMNS, type Column, edited, eventOf, type Row, rowOf, usualValue, wrong } from "./draft";

/** px */
const HEIGHT = 32;
/** Rows beyond what is seen. */
const MARGIN = 6;
const HEADS: Record<Column, string> = { time: "Time", deck: "Deck", control: "Control", value: "Value", over: "Over (s)" };
const HINTS: Record<Column, string> = {
  time: "Since the beginning; with a deck, the place in its song", deck: "Whose song the time is a place of; empty for none",
  control: "What is changed", value: "What it is set to", over: "Seconds that it takes to get there; empty for at once",
};

export class EventTable {
  readonly element = h("div", { class: "sfa-ss-events" });
  readonly #layer: Layer;
  readonly #changed: () => void;
  readonly #scroller = h("div", { class: "sfa-ss-scroller", role: "table", "aria-label": "Changes of the script" });
  readonly #space = h("div", { class: "sfa-ss-space-rows", role: "rowgroup" });
  readonly #fault = h("p", { class: "sfa-ss-fault", role: "status" });
  readonly #drawn = new Map<number, HTMLElement>();
  readonly #lists = { controls: uniqueId("controls"), value: uniqueId("values") };
  #document: ScriptDocument | null = null;
  #rows: Row[] = [];
  #active = 0;
  /** Whether something has been edited since it was loaded or saved. */
  dirty = false;

  constructor(layer: Layer, changed: () => void) {
    this.#layer = layer;
    this.#changed = changed;
    const settable = CONTROLS.filter(({ kind }) => kind !== "meter");
    const tool = (name: Parameters<typeof icon>[0] | null, label: string, keys: string, run: () => void) => {
      const button = h("button", { type: "button", class: "sfa-button is-quiet", title: `${label} (${keys})` }, name && icon(name), h("span", {}, label));
      button.addEventListener("click", run);
      return button;
    };
    append(this.element,
      h("datalist", { id: this.#lists.controls }, ...settable.map(({ id, label, deck }) => h("option", { value: id }, deck === null ? label : `Deck ${deck}: ${label}`))),
      h("datalist", { id: this.#lists.value }),
      h("div", { class: "sfa-ss-eventtools" },
        tool("plus", "Add", "Alt+Enter", () => this.add()), tool(null, "Duplicate", "Ctrl+D", () => this.duplicate()),
        tool("trash", "Delete", "Ctrl+Delete", () => this.remove()), this.#fault),
      this.#scroller);
    append(this.#scroller,
      h("div", { class: "sfa-ss-row is-head", role: "row" }, ...COLUMNS.map((column) => h("span", { role: "columnheader", title: HINTS[column] }, HEADS[column]))),
      this.#space);
    this.#scroller.addEventListener("scroll", () => this.#draw(), { passive: true });
    new ResizeObserver(() => this.#draw()).observe(this.#scroller);
    this.#space.addEventListener("focusin", (event) => this.#focused(event.target as HTMLElement));
    this.#space.addEventListener("input", (event) => this.#typed(event.target as HTMLInputElement));
    this.#space.addEventListener("change", () => { for (const at of this.#drawn.keys()) this.#check(at); });
    this.#space.addEventListener("keydown", (event) => this.#key(event));
  }

  load(document: ScriptDocument): void {
    this.#document = document;
    this.#rows = document.events.map(rowOf);
    this.#active = 0;
    this.dirty = false;
    this.#scroller.scrollTop = 0;
    this.#redraw();
  }

  get count(): number {
    return this.#rows.length;
  }

  /** The script as it is now; null while something is wrong: then that cell has the focus. */
  take(): ScriptDocument | null {
    const events: ScriptEvent[] = [];
    for (const [at, row] of this.#rows.entries()) {
      const event = eventOf(row);
      if (event) {
        events.push(event);
        continue;
      }
      this.focus(at, COLUMNS.find((column) => wrong(row, column) !== null) ?? "time");
      return null;
    }
    return this.#document && edited(this.#document, events);
  }

  add(): void {
    const before = this.#rows[this.#active];
    this.#insert(this.#active + 1, { time: before?.time ?? "0:00.0", deck: "", control: "", value: "", over: "" }, "control");
  }

  duplicate(): void {
    const row = this.#rows[this.#active];
    if (row) this.#insert(this.#active + 1, { ...row }, "time");
  }

  remove(): void {
    const at = this.#active;
    const [row] = this.#rows.splice(at, 1);
    if (!row) return;
    this.#edited();
    this.focus(Math.min(at, this.#rows.length - 1), "time");
    this.#layer.toast("info", "The change is deleted.", {
      action: { label: "Undo", run: () => this.#insert(Math.min(at, this.#rows.length), row, "time") },
    });
  }

  focus(at: number, column: Column): void {
    if (!this.#rows[at]) return;
    this.#active = at;
    const top = at * HEIGHT;
    const tall = this.#scroller.clientHeight - HEIGHT;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (top + HEIGHT > this.#scroller.scrollTop + tall) this.#scroller.scrollTop = top + HEIGHT - tall;
    this.#draw();
    const cell = this.#drawn.get(at)?.querySelector<HTMLInputElement>(`[data-column="${column}"]`);
    cell?.focus({ preventScroll: true });
    cell?.select();
  }

  #insert(at: number, row: Row, column: Column): void {
    this.#rows.splice(Math.min(at, this.#rows.length), 0, row);
    this.#edited();
    this.focus(Math.min(at, this.#rows.length - 1), column);
  }

  #edited(): void {
    this.dirty = true;
    this.#redraw();
    this.#changed();
  }

  #redraw(): void {
    for (const row of this.#drawn.values()) row.remove();
    this.#drawn.clear();
    this.#space.style.height = `${this.#rows.length * HEIGHT}px`;
    setAttribute(this.#scroller, "aria-rowcount", this.#rows.length + 1);
    this.#draw();
    this.#say();
  }

  /** The rows that can be seen; the one with the focus stays. */
  #draw(): void {
    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / HEIGHT) - MARGIN);
    const last = Math.min(this.#rows.length, Math.ceil((this.#scroller.scrollTop + (this.#scroller.clientHeight || 400)) / HEIGHT) + MARGIN);
    for (const [at, element] of this.#drawn) {
      if (at >= first && at < last) continue;
      if (element.contains(document.activeElement)) continue;
      element.remove();
      this.#drawn.delete(at);
    }
    for (let at = first; at < last; at += 1) if (!this.#drawn.has(at)) this.#drawRow(at);
  }

  #drawRow(at: number): void {
    const row = this.#rows[at] as Row;
    const cell = (column: Column) => h("input", {
      class: "sfa-ss-cell", "data-column": column, value: row[column], "aria-label": HEADS[column], autocomplete: "off", spellcheck: "false",
      list: column === "control" ? this.#lists.controls : column === "value" ? this.#lists.value : null,
    });
    const element = h("div", { class: "sfa-ss-row", role: "row", "aria-rowindex": at + 2, "data-row": at },
      ...COLUMNS.map((column) => h("span", { role: "cell" }, cell(column))));
    element.style.top = `${at * HEIGHT}px`;
    this.#drawn.set(at, element);
    // In their order, for whoever goes through them by keyboard or ear.
    const after = [...this.#drawn.entries()].filter(([other]) => other > at).sort(([a], [b]) => a - b)[0];
    this.#space.insertBefore(element, after?.[1] ?? null);
    this.#check(at);
  }

  #check(at: number): void {
    const row = this.#rows[at];
    const element = this.#drawn.get(at);
    if (!row || !element) return;
    for (const input of element.querySelectorAll<HTMLInputElement>("input")) {
      const fault = wrong(row, input.dataset.column as Column);
      setAttribute(input, "aria-invalid", fault === null ? null : "true");
      setAttribute(input, "title", fault);
    }
  }

  #place(target: HTMLElement): { at: number; column: Column } | null {
    const row = target.closest<HTMLElement>("[data-row]");
    const { column } = target.dataset;
    return row && column ? { at: Number(row.dataset.row), column: column as Column } : null;
  }

  #focused(target: HTMLElement): void {
    const place = this.#place(target);
    if (!place) return;
    this.#active = place.at;
    const values = this.element.querySelector(`#${this.#lists.value}`) as HTMLElement;
    const control = CONTROLS.find(({ id }) => id === this.#rows[place.at]?.control.trim());
    const known = control?.kind === "enum" ? control.values : control?.kind === "toggle" || control?.kind === "momentary" ? ["0", "1"] : [];
    values.replaceChildren(...known.map((value) => h("option", { value })));
    this.#say();
  }

  #typed(input: HTMLInputElement): void {
    const place = this.#place(input);
    const row = place && this.#rows[place.at];
    if (!row) return;
    row[place.column] = input.value;
    if (place.column === "control" && row.value.trim() === "") {
      row.value = usualValue(input.value.trim());
      const value = this.#drawn.get(place.at)?.querySelector<HTMLInputElement>('[data-column="value"]');
      if (value) value.value = row.value;
    }
    this.dirty = true;
    this.#check(place.at);
    this.#say();
    this.#changed();
  }

  /** What is wrong: with the row at hand first, else how many others. */
  #say(): void {
    const row = this.#rows[this.#active];
    const here = row && COLUMNS.map((column) => wrong(row, column)).find((fault) => fault !== null);
    const others = this.#rows.filter((other) => eventOf(other) === null).length;
    setText(this.#fault, here ? `Row ${this.#active + 1}: ${here}` : others > 0 ? `${plural(others, "row")} cannot be read.` : "");
  }

  #key(event: KeyboardEvent): void {
    const place = this.#place(event.target as HTMLElement);
    if (!place) return;
    const { key, altKey, ctrlKey, metaKey } = event;
    const command = ctrlKey || metaKey;
    if (key === "Enter" && altKey) this.add();
    else if (key === "Enter" || (key === "ArrowDown" && !altKey && place.column !== "control")) this.focus(place.at + 1, place.column);
    else if (key === "ArrowUp" && !altKey && place.column !== "control") this.focus(place.at - 1, place.column);
    else if (command && key.toLowerCase() === "d") this.duplicate();
    else if (command && (key === "Delete" || key === "Backspace")) this.remove();
    else return;
    event.preventDefault();
  }
}
