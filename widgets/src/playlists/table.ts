/** The entries of a playlist as a table: any number of them, in an order that hands and keys can change. */

import { describe } from "../bridge";
import { append, h, setAttribute, setText } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import { Selection } from "../library/selection";
import type { CoverArt } from "../media";
import type { PlaylistEntry } from "../types";
import type { Layer, MenuItem } from "../ui/layer";
import { dragRows } from "./drag";
import type { Entries } from "./entries";
import { EntryView } from "./entry";

const ROW_HEIGHT = 36;
/** The artist under the title. */
const TALL_ROW_HEIGHT = 52;
const STACKED = 860;
const TIGHT = 600;
const OVERSCAN = 8;
const LONG_PRESS = 500;
/** Scrolling that pauses this long has come to rest [ms]. */
const REST = 60;

const COLUMNS: [string, string][] = [
  ["number", "#"], ["tile", ""], ["title", "Title"], ["artist", "Artist"], ["tempo", "Tempo"], ["key", "Key"], ["energy", "Energy"],
  ["time", "Time"], ["status", "Status"], ["more", ""],
];

export interface TableOptions {
  signal: AbortSignal;
  layer: Layer;
  covers: CoverArt;
  entries: Entries;
  /** Holds the table and whatever rows can be dragged onto. */
  stage: HTMLElement;
  onOpen(track: string): void;
  onSelect(ids: string[]): void;
  onGet(ids: string[]): void;
  onTakeOut(ids: string[]): void;
  /** `place`: before which entry. */
  onMove(ids: string[], place: number, quiet: boolean): void;
  /** Dropped onto a playlist beside the table. */
  onDropOn(playlist: string, ids: string[]): void;
  movable(): boolean;
  menu(ids: string[]): (MenuItem | "-")[];
  /** What is said where there are no entries. */
  empty(): Node[];
}

export class EntryTable {
  readonly element = h("div", { class: "sfa-entries" });
  readonly #options: TableOptions;
  readonly #entries: Entries;
  readonly #selection = new Selection();
  readonly #pool: EntryView[] = [];
  readonly #grid = h("div", {
    class: "sfa-entries-grid", role: "grid", tabindex: 0, "aria-label": "Songs of the playlist", "aria-multiselectable": "true",
    "aria-colcount": COLUMNS.length,
  });
  readonly #space = h("div", { class: "sfa-entries-space", role: "rowgroup" });
  readonly #message = h("div", { class: "sfa-state", hidden: true });
  readonly #news = h("span", { class: "sfa-sr", "aria-live": "polite" });
  #rowHeight = ROW_HEIGHT;
  #viewport = 0;
  #frame = 0;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #fetchedAt = 0;
  #ranging: AbortController | null = null;
  /** The cursor stands on an entry that has not come yet: it is chosen when it does. */
  #chooseOnArrival = false;
  #failure: unknown = null;

  constructor(options: TableOptions) {
    const { signal, entries, stage } = options;
    this.#options = options;
    this.#entries = entries;
    const head = h("div", { class: "sfa-entry sfa-entry-head", role: "row", "aria-rowindex": 1 });
    for (const [name, label] of COLUMNS) {
      append(head, h("span", { class: `e-${name}`, role: "columnheader" },
        label || h("span", { class: "sfa-sr" }, name === "tile" ? "Cover" : "Actions")));
    }
    append(this.#grid, h("div", { role: "rowgroup", class: "sfa-entries-head" }, head), this.#space);
    append(this.element, this.#grid, this.#message, this.#news);
    this.#listen(signal);
    dragRows({
      signal, scroller: this.#grid, space: this.#space, stage,
      rowHeight: () => this.#rowHeight,
      total: () => entries.total ?? 0,
      begin: (event) => this.#beginDrag(event),
      movable: () => options.movable(),
      target: (x, y) => {
        const over = document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-takes]") ?? null;
        return over && stage.contains(over) ? over : null;
      },
      drop: (place) => options.onMove(this.#selection.ids, place, false),
      dropOn: (target) => options.onDropOn(target.dataset.takes as string, this.#selection.ids),
    });
    const resize = new ResizeObserver(() => this.#measure());
    resize.observe(this.#grid);
    signal.addEventListener("abort", () => {
      resize.disconnect();
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#settle);
    }, { once: true });
    this.#measure();
  }

  get selected(): string[] {
    return this.#selection.ids;
  }

  /** Another playlist is shown: from its top, nothing chosen. */
  reset(): void {
    this.#failure = null;
    this.#chooseOnArrival = false;
    this.#selection.cursor = this.#selection.anchor = -1;
    this.#grid.scrollTop = 0;
    this.clear();
    this.changed();
  }

  clear(): void {
    if (this.#selection.size === 0) return;
    this.#selection.clear();
    this.#selectionChanged();
  }

  focus(): void {
    this.#grid.focus({ preventScroll: true });
  }

  say(text: string): void {
    setText(this.#news, text);
  }

  /** Entries came or changed. */
  changed(): void {
    const total = this.#entries.total ?? 0;
    if (this.#entries.total !== null) this.#failure = null;
    this.#selection.clamp(total);
    setAttribute(this.#grid, "aria-rowcount", total + 1);
    this.#space.style.height = `${total * this.#rowHeight}px`;
    this.element.style.setProperty("--count", String(Math.max(1, total)));
    if (this.#chooseOnArrival) {
      const entry = this.#entries.row(this.#selection.cursor);
      if (entry) {
        this.#chooseOnArrival = false;
        this.#selection.only(this.#selection.cursor, entry.id);
        this.#selectionChanged();
      }
    }
    this.#showState();
    this.#schedule();
  }

  failed(error: unknown): void {
    if (this.#entries.total !== null) {
      this.#options.layer.failed(error, () => this.#entries.refresh());
      return;
    }
    this.#failure = error;
    this.#showState();
  }

  /** The chosen entries are shown where they now stand. */
  follow(): void {
    const [first] = this.#selection.ids;
    const at = first === undefined ? undefined : this.#entries.indexOf(first);
    if (at === undefined) return;
    this.#selection.cursor = this.#selection.anchor = at;
    this.#reveal(at);
  }

  // The frame

  #listen(signal: AbortSignal): void {
    const grid = this.#grid;
    grid.addEventListener("scroll", () => this.#schedule(), { signal, passive: true });
    grid.addEventListener("click", (event) => this.#click(event), { signal });
    grid.addEventListener("dblclick", (event) => {
      const track = this.#entryAt(event)?.track;
      if (track && !actOf(event)) this.#options.onOpen(track.id);
    }, { signal });
    grid.addEventListener("contextmenu", (event) => {
      const view = this.#viewAt(event);
      if (!view) return;
      event.preventDefault();
      this.#menuFor(view, event.clientX, event.clientY);
    }, { signal });
    grid.addEventListener("keydown", (event) => this.#key(event), { signal });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => clearTimeout(timer);
    grid.addEventListener("pointerdown", (event) => {
      cancel();
      const onGrip = event.target instanceof Element && event.target.closest("[data-grip]");
      const view = event.pointerType === "touch" && !onGrip ? this.#viewAt(event) : null;
      if (view) timer = setTimeout(() => this.#menuFor(view, event.clientX, event.clientY), LONG_PRESS);
    }, { signal });
    // Android sends its own contextmenu for a long press: one menu is enough.
    for (const type of ["pointerup", "pointercancel", "pointermove", "contextmenu"] as const) {
      grid.addEventListener(type, cancel, { signal });
    }
    signal.addEventListener("abort", cancel, { once: true });
  }

  #showState(): void {
    const { total, id } = this.#entries;
    const children: Node[] = [];
    if (id === "") {
      // The view says what there is to do.
    } else if (this.#failure !== null) {
      const { message, hint } = describe(this.#failure);
      const again = h("button", { type: "button", class: "sfa-button is-primary" }, "Try again");
      again.addEventListener("click", () => {
        this.#failure = null;
        this.#showState();
        this.#entries.refresh();
      });
      children.push(icon("alert"), h("p", {}, message), ...(hint ? [h("p", { class: "is-dim" }, hint)] : []), again);
    } else if (total === null) {
      children.push(h("p", { class: "is-dim is-late" }, "Loading the playlist…"));
    } else if (total === 0) {
      children.push(...this.#options.empty());
    }
    this.#message.replaceChildren(...children);
    this.#message.hidden = children.length === 0;
    this.element.classList.toggle("is-loading", total === null);
    this.element.classList.toggle("is-empty", total === 0 || this.#failure !== null);
  }

  // Drawing

  #measure(): void {
    const width = this.#grid.clientWidth;
    const stacked = width > 0 && width < STACKED;
    const rowHeight = stacked ? TALL_ROW_HEIGHT : ROW_HEIGHT;
    if (rowHeight !== this.#rowHeight) {
      const first = this.#grid.scrollTop / this.#rowHeight;
      this.#rowHeight = rowHeight;
      this.#space.style.height = `${(this.#entries.total ?? 0) * rowHeight}px`;
      this.#grid.scrollTop = first * rowHeight;
    }
    this.element.classList.toggle("is-stacked", stacked);
    this.element.classList.toggle("is-tight", width > 0 && width < TIGHT);
    this.#viewport = this.#grid.clientHeight;
    this.#draw();
  }

  #schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    // Before the first answer the frame shows entries to come.
    const { id } = this.#entries;
    const total = id === "" || this.#failure !== null ? 0 : (this.#entries.total ?? Math.ceil(this.#viewport / this.#rowHeight));
    const top = this.#grid.scrollTop;
    const first = Math.max(0, Math.floor(top / this.#rowHeight) - OVERSCAN);
    const last = Math.min(total - 1, Math.ceil((top + this.#viewport) / this.#rowHeight) + OVERSCAN);
    const needed = Math.ceil(this.#viewport / this.#rowHeight) + 2 * OVERSCAN + 2;
    while (this.#pool.length < needed) {
      const view = new EntryView();
      this.#pool.push(view);
      append(this.#space, view.element);
    }
    const size = this.#pool.length;
    const used = new Set<EntryView>();
    for (let index = first; index <= last; index += 1) {
      const view = this.#pool[index % size] as EntryView;
      const entry = this.#entries.row(index);
      view.paint(index, index * this.#rowHeight, entry);
      view.choose(entry !== undefined && this.#selection.has(entry.id), index === this.#selection.cursor);
      view.element.hidden = false;
      used.add(view);
    }
    for (const view of this.#pool) if (!used.has(view)) view.element.hidden = true;
    const { cursor } = this.#selection;
    const under = this.#pool[cursor % size];
    setAttribute(this.#grid, "aria-activedescendant", cursor >= 0 && under?.index === cursor ? under.element.id : null);

    // A jump across thousands of rows asks only where it comes to rest; covers wait for rest in any case.
    const fetch = () => {
      this.#fetchedAt = first;
      if (this.#entries.total !== null) this.#entries.show(first, Math.max(first, last));
    };
    const near = Math.abs(first - this.#fetchedAt) < needed;
    if (near) fetch();
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      if (!near) fetch();
      for (const view of used) view.loadArt(this.#options.covers);
    }, REST);
  }

  #reveal(index: number): void {
    const top = index * this.#rowHeight;
    // The header stays on top of the rows.
    const visible = this.#viewport - this.#space.offsetTop;
    if (top < this.#grid.scrollTop) this.#grid.scrollTop = top;
    else if (top + this.#rowHeight > this.#grid.scrollTop + visible) this.#grid.scrollTop = top + this.#rowHeight - visible;
  }

  // Choosing

  #selectionChanged(): void {
    this.#schedule();
    this.#options.onSelect(this.#selection.ids);
  }

  #viewAt(event: Event): EntryView | null {
    const element = event.target instanceof Element ? event.target.closest(".sfa-entry") : null;
    return this.#pool.find((view) => view.element === element) ?? null;
  }

  #entryAt(event: Event): PlaylistEntry | undefined {
    const view = this.#viewAt(event);
    return view ? this.#entries.row(view.index) : undefined;
  }

  #click(event: MouseEvent): void {
    const view = this.#viewAt(event);
    const entry = view ? this.#entries.row(view.index) : undefined;
    if (!view || !entry) return;
    this.focus();
    const act = actOf(event);
    if (act === "get") {
      this.#options.onGet([entry.id]);
    } else if (act === "menu") {
      const box = (event.target as Element).getBoundingClientRect();
      this.#menuFor(view, box.left, box.bottom + 2);
    } else if (event.shiftKey) {
      void this.#rangeTo(view.index);
    } else if (event.ctrlKey || event.metaKey) {
      this.#selection.toggle(view.index, entry.id);
      this.#selectionChanged();
    } else {
      this.#selection.only(view.index, entry.id);
      this.#selectionChanged();
    }
  }

  #menuFor(view: EntryView, x: number, y: number): void {
    const entry = this.#entries.row(view.index);
    if (!entry) return;
    if (!this.#selection.has(entry.id)) {
      this.#selection.only(view.index, entry.id);
      this.#selectionChanged();
    }
    this.focus();
    this.#options.layer.menu(x, y, "Song", this.#options.menu(this.#selection.ids));
  }

  #beginDrag(event: PointerEvent): string | null {
    const view = this.#viewAt(event);
    const entry = this.#entryAt(event);
    if (!view || !entry) return null;
    if (!this.#selection.has(entry.id)) {
      this.#selection.only(view.index, entry.id);
      this.#selectionChanged();
    }
    const { size } = this.#selection;
    return size === 1 ? (entry.track?.title ?? entry.song?.title ?? "1 song") : plural(size, "song");
  }

  async #rangeTo(index: number): Promise<void> {
    this.#ranging?.abort();
    this.#ranging = new AbortController();
    const [from, to] = this.#selection.span(index);
    this.#selection.cursor = index;
    this.#schedule();
    try {
      this.#selection.range(index, await this.#entries.ids(from, to, this.#ranging.signal));
      this.#selectionChanged();
    } catch (error) {
      this.#options.layer.failed(error);
    }
  }

  async #selectAll(): Promise<void> {
    const total = this.#entries.total ?? 0;
    if (total === 0) return;
    const { cursor } = this.#selection;
    this.#selection.anchor = 0;
    await this.#rangeTo(total - 1);
    this.#selection.cursor = cursor;
    this.#schedule();
  }

  #moveTo(index: number, extend: boolean, keep: boolean): void {
    const total = this.#entries.total ?? 0;
    if (total === 0) return;
    const target = Math.max(0, Math.min(total - 1, index));
    this.#reveal(target);
    if (extend) {
      void this.#rangeTo(target);
      return;
    }
    const entry = this.#entries.row(target);
    this.#chooseOnArrival = !keep && !entry;
    if (entry && !keep) this.#selection.only(target, entry.id);
    else this.#selection.cursor = target;
    this.#selectionChanged();
  }

  /** Moves what is chosen by one place, or to an end. */
  nudge(where: "up" | "down" | "top" | "end"): void {
    const { ids } = this.#selection;
    const places = ids.map((id) => this.#entries.indexOf(id) ?? 0);
    if (ids.length === 0 || !this.#options.movable()) return;
    const total = this.#entries.total ?? 0;
    const place = {
      up: Math.max(0, Math.min(...places) - 1), down: Math.min(total, Math.max(...places) + 2), top: 0, end: total,
    }[where];
    this.#options.onMove(ids, place, where === "up" || where === "down");
  }

  #key(event: KeyboardEvent): void {
    const { cursor } = this.#selection;
    const total = this.#entries.total ?? 0;
    const page = Math.max(1, Math.floor(this.#viewport / this.#rowHeight) - 2);
    const command = event.ctrlKey || event.metaKey;
    const moves: Record<string, number> = {
      ArrowDown: cursor + 1, ArrowUp: Math.max(0, cursor - 1), PageDown: cursor + page, PageUp: Math.max(0, cursor - page),
      Home: 0, End: total - 1,
    };
    const nudges: Record<string, "up" | "down" | "top" | "end"> = { ArrowUp: "up", ArrowDown: "down", Home: "top", End: "end" };
    const target = moves[event.key];
    const nudge = nudges[event.key];
    const entry = this.#entries.row(cursor);
    if (event.altKey) {
      if (!nudge) return;
      this.nudge(nudge);
    } else if (target !== undefined) {
      this.#moveTo(target, event.shiftKey, command);
    } else if (event.key === "Enter" && entry && !command) {
      if (entry.track) this.#options.onOpen(entry.track.id);
      else this.#options.onGet([entry.id]);
    } else if (event.key === " " && command && entry) {
      this.#selection.toggle(cursor, entry.id);
      this.#selectionChanged();
    } else if (command && event.key.toLowerCase() === "a") {
      void this.#selectAll();
    } else if ((event.key === "Delete" || event.key === "Backspace") && !command && this.#selection.size > 0) {
      this.#options.onTakeOut(this.#selection.ids);
    } else if (event.key === "Escape" && this.#selection.size > 0) {
      this.clear();
    } else if ((event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) && entry) {
      const view = this.#pool[cursor % this.#pool.length] as EntryView;
      const box = view.element.getBoundingClientRect();
      this.#menuFor(view, box.left + 48, box.bottom);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

function actOf(event: Event): string | null {
  const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-act]") : null;
  return target?.dataset.act ?? null;
}
