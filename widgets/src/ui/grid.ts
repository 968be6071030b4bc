/** A table of any number of rows: draws those in sight, and knows which are chosen and where the cursor is. */

import { append, h, setAttribute } from "../dom";
import type { CoverArt } from "../media";
import "./grid.css";
import type { Layer, MenuItem } from "./layer";
import { Selection } from "./selection";

/** Rows drawn above and below those in sight. */
const OVERSCAN = 8;
const LONG_PRESS = 500;
/** Scrolling that pauses this long has come to rest [ms]. */
const REST = 60;

/** What the table is of: some of it is here, the rest is fetched when it comes into sight. */
export interface GridItems<Item> {
  /** Null before the first answer. */
  readonly total: number | null;
  row(index: number): Item | undefined;
  /** Where an item is, as far as that is known. */
  indexOf(id: string): number | undefined;
  /** Says which are in sight (inclusive). */
  show(first: number, last: number): void;
  /** The ids of a range (inclusive). */
  ids(first: number, last: number, signal: AbortSignal): Promise<string[]>;
}

/** One recycled row; the grid says where it stands and how it is marked. */
export interface GridRow<Item> {
  readonly element: HTMLElement;
  /** The place in the list that it shows now, told by the grid; -1 for none. */
  index: number;
  /** Shows an item (undefined: not here yet) at a place in the list. */
  paint(item: Item | undefined, place: number): void;
  /** Loads the cover; called once scrolling rests. */
  loadArt(covers: CoverArt): void;
}

export interface GridOptions<Item> {
  signal: AbortSignal;
  layer: Layer;
  covers: CoverArt;
  label: string;
  /** The row of column headers. */
  head: HTMLElement;
  newRow(): GridRow<Item>;
  /** How high rows are where the grid is this wide, both in px. */
  rowHeight(width: number): number;
  /** Whether there are rows to come before the first answer; there are, if not said. */
  expects?(): boolean;
  /** What is chosen, or where the cursor is, changed. */
  onSelect(): void;
  onOpen(item: Item): void;
  /** A button of a row was pressed; the one for its menu is the grid's. */
  onAct(item: Item): void;
  /** Keys of one's own, before those of the grid; tells whether it was one. */
  onKey(event: KeyboardEvent): boolean;
  /** What the menu of a row is about. */
  noun: string;
  menu(ids: string[]): (MenuItem | "-")[];
}

export class VirtualGrid<Item extends { id: string }> {
  readonly element: HTMLElement;
  /** Holds the rows; as high as all of them. */
  readonly space = h("div", { class: "sfa-grid-space", role: "rowgroup" });
  readonly #selection = new Selection();
  readonly #items: GridItems<Item>;
  readonly #options: GridOptions<Item>;
  readonly #pool: GridRow<Item>[] = [];
  #rowHeight = 1;
  #viewport = 0;
  #frame = 0;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #fetchedAt = 0;
  #ranging: AbortController | null = null;
  /** The cursor stands on an item that has not come yet: it is chosen when it does. */
  #chooseOnArrival = false;

  constructor(items: GridItems<Item>, options: GridOptions<Item>) {
    const { signal, label, head } = options;
    this.#items = items;
    this.#options = options;
    this.element = h("div", {
      class: "sfa-grid", role: "grid", tabindex: 0, "aria-label": label, "aria-multiselectable": "true",
      "aria-colcount": head.children.length,
    }, h("div", { role: "rowgroup", class: "sfa-grid-head" }, head), this.space);
    this.#listen(signal);
    this.#listenForLongPress(signal);
    const resize = new ResizeObserver(() => this.measure());
    resize.observe(this.element);
    signal.addEventListener("abort", () => {
      resize.disconnect();
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#settle);
    }, { once: true });
  }

  /** The item under the cursor, if it is here. */
  get current(): Item | undefined {
    return this.#items.row(this.#selection.cursor);
  }

  get selection(): Selection {
    return this.#selection;
  }

  get rowHeight(): number {
    return this.#rowHeight;
  }

  focus(): void {
    this.element.focus({ preventScroll: true });
  }

  /** Something else is shown: from its top, without a cursor. */
  toTop(): void {
    this.#selection.cursor = this.#selection.anchor = -1;
    this.#chooseOnArrival = false;
    this.element.scrollTop = 0;
  }

  /** Takes what was chosen elsewhere, or nothing; the cursor goes to the first of them. */
  choose(ids: string[]): void {
    const selection = this.#selection;
    if (selection.sameAs(ids)) return;
    selection.replace(ids);
    const index = ids.length > 0 ? this.#items.indexOf(ids[0] as string) : undefined;
    if (index !== undefined) selection.cursor = selection.anchor = index;
    this.#selectionChanged();
  }

  /** Items came, went or changed. */
  changed(): void {
    const total = this.#items.total ?? 0;
    this.#selection.clamp(total);
    setAttribute(this.element, "aria-rowcount", total + 1);
    this.space.style.height = `${total * this.#rowHeight}px`;
    const { current } = this;
    if (this.#chooseOnArrival && current) {
      this.#chooseOnArrival = false;
      this.#selection.only(this.#selection.cursor, current.id);
      this.#selectionChanged();
    }
    this.schedule();
  }

  /** Looks at the room there is, and draws. */
  measure(): void {
    const rowHeight = this.#options.rowHeight(this.element.clientWidth);
    if (rowHeight !== this.#rowHeight) {
      const first = this.element.scrollTop / this.#rowHeight;
      this.#rowHeight = rowHeight;
      this.space.style.height = `${(this.#items.total ?? 0) * rowHeight}px`;
      this.element.scrollTop = first * rowHeight;
    }
    this.#viewport = this.element.clientHeight;
    this.#draw();
  }

  /** Draws with the next frame. */
  schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  reveal(index: number): void {
    const { element } = this;
    const top = index * this.#rowHeight;
    // The header stays on top of the rows.
    const visible = this.#viewport - this.space.offsetTop;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + this.#rowHeight > element.scrollTop + visible) element.scrollTop = top + this.#rowHeight - visible;
  }

  /** Moves the cursor; what it comes to is chosen, with `extend` all up to there, with `keep` nothing else than before. */
  moveTo(index: number, extend = false, keep = false): void {
    const total = this.#items.total ?? 0;
    if (total === 0) return;
    const target = Math.max(0, Math.min(total - 1, index));
    this.reveal(target);
    if (extend) {
      void this.#rangeTo(target);
      return;
    }
    const item = this.#items.row(target);
    this.#chooseOnArrival = !keep && !item;
    if (item && !keep) this.#selection.only(target, item.id);
    else this.#selection.cursor = target;
    this.#selectionChanged();
  }

  /** The item of the row in which something happened; it is chosen if it was not, alone. */
  take(event: Event): Item | undefined {
    const row = this.#rowAt(event);
    const item = row && this.#items.row(row.index);
    if (row && item && !this.#selection.has(item.id)) this.#chooseOnly(row.index, item.id);
    return item;
  }

  // Hands

  #listen(signal: AbortSignal): void {
    const { element } = this;
    element.addEventListener("scroll", () => this.schedule(), { signal, passive: true });
    element.addEventListener("click", (event) => this.#click(event), { signal });
    element.addEventListener("dblclick", (event) => {
      const row = this.#rowAt(event);
      const item = row && this.#items.row(row.index);
      if (item && !actOf(event)) this.#options.onOpen(item);
    }, { signal });
    element.addEventListener("contextmenu", (event) => {
      const row = this.#rowAt(event);
      if (!row) return;
      event.preventDefault();
      this.#menuFor(row, event.clientX, event.clientY);
    }, { signal });
    element.addEventListener("keydown", (event) => {
      if (!this.#options.onKey(event) && (event.altKey || !this.#key(event))) return;
      event.preventDefault();
      event.stopPropagation();
    }, { signal });
  }

  #listenForLongPress(signal: AbortSignal): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => clearTimeout(timer);
    this.element.addEventListener("pointerdown", (event) => {
      cancel();
      // By its handle a row is dragged.
      if (event.pointerType !== "touch" || (event.target as Element).closest("[data-grip]")) return;
      const row = this.#rowAt(event);
      if (row) timer = setTimeout(() => this.#menuFor(row, event.clientX, event.clientY), LONG_PRESS);
    }, { signal });
    // Android sends its own contextmenu for a long press: one menu is enough.
    for (const type of ["pointerup", "pointercancel", "pointermove", "contextmenu"] as const) {
      this.element.addEventListener(type, cancel, { signal });
    }
    signal.addEventListener("abort", cancel, { once: true });
  }

  #click(event: MouseEvent): void {
    const row = this.#rowAt(event);
    const item = row && this.#items.row(row.index);
    if (!row || !item) return;
    this.focus();
    const act = actOf(event);
    if (act === "menu") {
      const box = (event.target as Element).getBoundingClientRect();
      this.#menuFor(row, box.left, box.bottom + 2);
    } else if (act) {
      this.#options.onAct(item);
    } else if (event.shiftKey) {
      void this.#rangeTo(row.index);
    } else if (event.ctrlKey || event.metaKey) {
      this.#selection.toggle(row.index, item.id);
      this.#selectionChanged();
    } else {
      this.#chooseOnly(row.index, item.id);
    }
  }

  #key(event: KeyboardEvent): boolean {
    const { current } = this;
    const selection = this.#selection;
    const { cursor } = selection;
    const page = Math.max(1, Math.floor(this.#viewport / this.#rowHeight) - 2);
    const command = event.ctrlKey || event.metaKey;
    const moves: Record<string, number> = {
      ArrowDown: cursor + 1,
      ArrowUp: Math.max(0, cursor - 1),
      PageDown: cursor + page,
      PageUp: Math.max(0, cursor - page),
      Home: 0,
      End: (this.#items.total ?? 0) - 1,
    };
    const target = moves[event.key];
    if (target !== undefined) {
      this.moveTo(target, event.shiftKey, command);
    } else if (event.key === "Enter" && current && !command) {
      this.#options.onOpen(current);
    } else if (event.key === " " && command && current) {
      selection.toggle(cursor, current.id);
      this.#selectionChanged();
    } else if (command && event.key.toLowerCase() === "a") {
      void this.#selectAll();
    } else if (event.key === "Escape" && selection.size > 0) {
      this.choose([]);
    } else if ((event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) && current) {
      const row = this.#rowOf(cursor);
      const box = row.element.getBoundingClientRect();
      this.#menuFor(row, box.left + 48, box.bottom);
    } else {
      return false;
    }
    return true;
  }

  #rowOf(index: number): GridRow<Item> {
    return this.#pool[index % this.#pool.length] as GridRow<Item>;
  }

  #rowAt(event: Event): GridRow<Item> | undefined {
    const element = (event.target as Element).closest(".sfa-grid-row");
    return this.#pool.find((row) => row.element === element);
  }

  #menuFor(row: GridRow<Item>, x: number, y: number): void {
    const item = this.#items.row(row.index);
    if (!item) return;
    if (!this.#selection.has(item.id)) this.#chooseOnly(row.index, item.id);
    this.focus();
    this.#options.layer.menu(x, y, this.#options.noun, this.#options.menu(this.#selection.ids));
  }

  // Choosing

  #selectionChanged(): void {
    this.schedule();
    this.#options.onSelect();
  }

  #chooseOnly(index: number, id: string): void {
    this.#selection.only(index, id);
    this.#selectionChanged();
  }

  async #rangeTo(index: number): Promise<void> {
    this.#ranging?.abort();
    this.#ranging = new AbortController();
    const [from, to] = this.#selection.span(index);
    this.#selection.cursor = index;
    this.schedule();
    try {
      this.#selection.range(index, await this.#items.ids(from, to, this.#ranging.signal));
      this.#selectionChanged();
    } catch (error) {
      this.#options.layer.failed(error);
    }
  }

  async #selectAll(): Promise<void> {
    const total = this.#items.total ?? 0;
    if (total === 0) return;
    const { cursor } = this.#selection;
    this.#selection.anchor = 0;
    await this.#rangeTo(total - 1);
    this.#selection.cursor = cursor;
    this.schedule();
  }

  // Drawing

  #draw(): void {
    const { covers, expects, newRow } = this.#options;
    const inSight = Math.ceil(this.#viewport / this.#rowHeight);
    // Before the first answer the frame shows rows to come.
    const total = this.#items.total ?? (expects?.() === false ? 0 : inSight);
    const top = this.element.scrollTop;
    const first = Math.max(0, Math.floor(top / this.#rowHeight) - OVERSCAN);
    const last = Math.min(total - 1, Math.ceil((top + this.#viewport) / this.#rowHeight) + OVERSCAN);
    const needed = inSight + 2 * OVERSCAN + 2;
    while (this.#pool.length < needed) {
      const row = newRow();
      this.#pool.push(row);
      append(this.space, row.element);
    }
    const used = new Set<GridRow<Item>>();
    for (let index = first; index <= last; index += 1) {
      const row = this.#rowOf(index);
      this.#place(row, index);
      used.add(row);
    }
    for (const row of this.#pool) if (!used.has(row)) row.element.hidden = true;
    const { cursor } = this.#selection;
    const under = this.#rowOf(cursor);
    setAttribute(this.element, "aria-activedescendant", cursor >= 0 && under.index === cursor ? under.element.id : null);

    // A jump across thousands of rows asks only where it comes to rest; covers wait for rest in any case.
    const fetch = () => {
      this.#fetchedAt = first;
      if (this.#items.total !== null) this.#items.show(first, Math.max(first, last));
    };
    const near = Math.abs(first - this.#fetchedAt) < needed;
    if (near) fetch();
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      if (!near) fetch();
      for (const row of used) row.loadArt(covers);
    }, REST);
  }

  #place(row: GridRow<Item>, index: number): void {
    const { element } = row;
    const item = this.#items.row(index);
    row.paint(item, index);
    if (row.index !== index) {
      row.index = index;
      setAttribute(element, "aria-rowindex", index + 2); // the header is row 1
      element.classList.toggle("is-odd", index % 2 === 1);
    }
    element.style.transform = `translateY(${index * this.#rowHeight}px)`;
    setAttribute(element, "aria-selected", item && this.#selection.has(item.id) ? "true" : "false");
    element.classList.toggle("is-cursor", index === this.#selection.cursor);
    element.hidden = false;
  }
}

/** What the button of a row that was pressed does. */
function actOf(event: Event): string | undefined {
  return (event.target as Element).closest<HTMLElement>("[data-act]")?.dataset.act;
}
