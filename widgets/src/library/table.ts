/** The library: a table that shows any number of tracks and fetches only those in sight. */

import type { Bridge } from "../bridge";
import { describe } from "../bridge";
import { familyLoader, type Load } from "../dashboard/lazy";
import { append, h, setAttribute, setText } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import { CoverArt } from "../media";
import type { SortColumn, TrackRow } from "../types";
import type { Layer, MenuItem } from "../ui/layer";
import { ALL_STAGES, ANALYSIS_STAGES, TrackActions } from "./actions";
import "./library.css";
import { RowView } from "./row";
import { Rows } from "./rows";
import { Selection } from "./selection";

const ROW_HEIGHT = 28;
/** A row on a narrow screen: two lines, and large enough for a finger. */
const TALL_ROW_HEIGHT = 56;
const NARROW = 600;
const OVERSCAN = 8;
const SEARCH_DELAY = 120;
const LONG_PRESS = 500;
/** Scrolling that pauses this long has come to rest [ms]. */
const REST = 60;

interface Column {
  name: string;
  label: string;
  sort?: SortColumn;
  /** How a sentence names the order. */
  order?: string;
}

const COLUMNS: Column[] = [
  { name: "tile", label: "" },
  { name: "title", label: "Title", sort: "title" },
  { name: "artist", label: "Artist", sort: "artist" },
  { name: "tempo", label: "Tempo", sort: "bpm" },
  { name: "key", label: "Key", sort: "key" },
  { name: "energy", label: "Energy", sort: "energy" },
  { name: "duration", label: "Time", sort: "duration" },
  { name: "stems", label: "Stems" },
  { name: "added", label: "Added", sort: "added_at" },
  { name: "status", label: "Status", sort: "status" },
  { name: "more", label: "" },
];

export interface LibraryOptions {
  signal: AbortSignal;
  layer: Layer;
  /** Where the dialogs come from; the kernel, if not said. */
  load?: Load;
  /** Puts a track into the player. */
  onOpen(id: string): void;
  /** The selection changed; `row` is the one the cursor is on. */
  onSelect?(ids: string[], row: TrackRow | null): void;
  onQuery?(query: string): void;
  /** Offers to choose files; without it the empty state speaks of the demo crate only. */
  onAdd?(): void;
  /** A field of its own; the dashboard has one in its top bar instead. */
  search: boolean;
  query?: string;
}

export interface LibraryHandle {
  readonly actions: TrackActions;
  setQuery(query: string): void;
  select(ids: string[]): void;
  focus(): void;
}

export function mountLibrary(el: HTMLElement, bridge: Bridge, options: LibraryOptions): LibraryHandle {
  return new LibraryTable(el, bridge, options);
}

class LibraryTable implements LibraryHandle {
  readonly actions: TrackActions;
  readonly #bridge: Bridge;
  readonly #options: LibraryOptions;
  readonly #rows: Rows;
  readonly #covers: CoverArt;
  readonly #selection = new Selection();
  readonly #pool: RowView[] = [];
  readonly #headers = new Map<SortColumn, HTMLElement>();
  #rowHeight = ROW_HEIGHT;
  #frame = 0;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #fetchedAt = 0;
  #searchTimer: ReturnType<typeof setTimeout> | undefined;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #ranging: AbortController | null = null;
  /** The cursor stands on a row that has not come yet: it is chosen when it does. */
  #chooseOnArrival = false;
  #failure: unknown = null;
  #viewport = 0;

  readonly #root = h("section", { class: "sfa-library", "aria-label": "Library" });
  readonly #count = h("span", { class: "sfa-count", "aria-live": "polite" });
  readonly #bulk = h("div", { class: "sfa-library-bulk", role: "toolbar", "aria-label": "Selected tracks", hidden: true });
  readonly #bulkCount = h("span");
  readonly #input = h("input", {
    type: "search", placeholder: "Search title, artist, album", "aria-label": "Search the library",
    autocomplete: "off", spellcheck: "false",
  });
  readonly #grid = h("div", {
    class: "sfa-grid", role: "grid", tabindex: 0, "aria-label": "Tracks", "aria-multiselectable": "true",
    "aria-colcount": COLUMNS.length,
  });
  readonly #space = h("div", { class: "sfa-grid-space", role: "rowgroup" });
  readonly #message = h("div", { class: "sfa-state", hidden: true });

  constructor(el: HTMLElement, bridge: Bridge, options: LibraryOptions) {
    const { signal, layer, load = familyLoader(el, bridge, signal) } = options;
    this.#bridge = bridge;
    this.#options = options;
    this.#covers = new CoverArt(bridge, signal);
    this.actions = new TrackActions(bridge, { signal, layer, load }, options.onOpen);
    const query = { query: options.query ?? "", sort: "added_at" as const, descending: true };
    this.#rows = new Rows(bridge, query, {
      changed: () => this.#rowsChanged(),
      failed: (error) => this.#rowsFailed(error),
    }, signal);

    this.#build();
    append(el, this.#root);
    this.#listen(signal);
    this.#markSort();
    this.#showState();
    this.#rows.ask(query);

    const resize = new ResizeObserver(() => this.#measure());
    resize.observe(this.#grid);
    signal.addEventListener("abort", () => {
      resize.disconnect();
      cancelAnimationFrame(this.#frame);
      for (const timer of [this.#settle, this.#searchTimer, this.#refreshTimer]) clearTimeout(timer);
      this.#root.remove();
    }, { once: true });
    this.#measure();
  }

  // What others may do

  setQuery(query: string): void {
    if (this.#input.value !== query) this.#input.value = query;
    this.#ask({ query });
  }

  select(ids: string[]): void {
    if (this.#selection.sameAs(ids)) return;
    this.#selection.replace(ids);
    const index = ids.length > 0 ? this.#rows.indexOf(ids[0] as string) : undefined;
    if (index !== undefined) this.#selection.cursor = this.#selection.anchor = index;
    this.#selectionChanged();
  }

  focus(): void {
    this.#grid.focus({ preventScroll: true });
  }

  // The frame

  #build(): void {
    const { search } = this.#options;
    const sortButton = h(
      "button", { type: "button", class: "sfa-button is-quiet sfa-library-sort", "aria-haspopup": "menu" },
      "Sort", icon("down"),
    );
    sortButton.addEventListener("click", () => {
      const box = sortButton.getBoundingClientRect();
      this.#options.layer.menu(box.left, box.bottom + 4, "Sort by", COLUMNS.flatMap((column): MenuItem[] => {
        const { sort } = column;
        if (!sort) return [];
        const current = this.#rows.query.sort === sort;
        return [{ label: column.label, ...(current && { icon: "check" as const }), run: () => this.#sortBy(sort) }];
      }));
    });
    const bulkButton = (label: string, name: Parameters<typeof icon>[0], act: string) =>
      h("button", { type: "button", class: "sfa-button is-quiet", "data-act": act, title: label }, icon(name), h("span", {}, label));
    append(
      this.#bulk,
      this.#bulkCount,
      bulkButton("Add to playlist…", "playlists", "playlist"),
      bulkButton("Separate + analyse", "split", "all"),
      bulkButton("Separate stems…", "settings", "separate"),
      bulkButton("Analyse only", "analyze", "analyze"),
      bulkButton("Export…", "upload", "export"),
      bulkButton("Remove", "trash", "remove"),
    );
    append(
      this.#root,
      h(
        "header",
        { class: "sfa-library-head" },
        h("h2", {}, "Library"),
        this.#count,
        this.#bulk,
        sortButton,
        search && h("label", { class: "sfa-search" }, icon("search"), this.#input, h("kbd", { "aria-hidden": "true" }, "/")),
      ),
      h("div", { class: "sfa-grid-frame" }, this.#grid, this.#message),
    );
    this.#input.value = this.#options.query ?? "";

    const head = h("div", { class: "sfa-row sfa-row-head", role: "row", "aria-rowindex": 1 });
    for (const column of COLUMNS) {
      const cell = h("span", { class: column.name === "tile" ? "c-tile" : `c-${column.name}`, role: "columnheader" });
      if (column.sort) {
        append(cell, h("button", { type: "button", tabindex: -1, "data-sort": column.sort }, column.label, icon("up")));
        this.#headers.set(column.sort, cell);
      } else if (column.label) {
        append(cell, column.label);
      } else {
        append(cell, h("span", { class: "sfa-sr" }, column.name === "tile" ? "Cover" : "Actions"));
      }
      append(head, cell);
    }
    append(this.#grid, h("div", { role: "rowgroup", class: "sfa-grid-head" }, head), this.#space);
  }

  #listen(signal: AbortSignal): void {
    const grid = this.#grid;
    grid.addEventListener("scroll", () => this.#schedule(), { signal, passive: true });
    grid.addEventListener("click", (event) => this.#click(event), { signal });
    grid.addEventListener("dblclick", (event) => {
      if (this.#actOf(event)) return;
      const track = this.#trackAt(event);
      if (track) this.#options.onOpen(track.id);
    }, { signal });
    grid.addEventListener("contextmenu", (event) => {
      const view = this.#viewAt(event);
      if (!view) return;
      event.preventDefault();
      this.#menuFor(view, event.clientX, event.clientY);
    }, { signal });
    grid.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#listenForLongPress(signal);

    this.#bulk.addEventListener("click", (event) => {
      const act = this.#actOf(event);
      const { ids } = this.#selection;
      if (act === "playlist") void this.actions.addToPlaylist(ids);
      else if (act === "all") void this.actions.run(ids, ALL_STAGES);
      else if (act === "separate") this.actions.separate(ids);
      else if (act === "analyze") void this.actions.run(ids, ANALYSIS_STAGES);
      else if (act === "export") this.actions.export(ids);
      else if (act === "remove") void this.#remove(ids);
    }, { signal });

    this.#input.addEventListener("input", () => {
      clearTimeout(this.#searchTimer);
      this.#searchTimer = setTimeout(() => this.#ask({ query: this.#input.value }), SEARCH_DELAY);
    }, { signal });
    this.#input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape" && this.#input.value !== "") {
        event.preventDefault();
        this.setQuery("");
      } else if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        this.focus();
        if (this.#selection.cursor < 0) this.#moveTo(0, false, false);
      }
    }, { signal });

    const stops = [
      this.#bridge.on("tracks.rows", ({ rows }) => {
        if (this.#rows.update(rows).length > 0) this.#schedule();
      }),
      this.#bridge.on("tracks.changed", () => this.#refreshSoon()),
    ];
    signal.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
  }

  #listenForLongPress(signal: AbortSignal): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => clearTimeout(timer);
    this.#grid.addEventListener("pointerdown", (event) => {
      cancel();
      if (event.pointerType !== "touch") return;
      const view = this.#viewAt(event);
      if (view) timer = setTimeout(() => this.#menuFor(view, event.clientX, event.clientY), LONG_PRESS);
    }, { signal });
    // Android sends its own contextmenu for a long press: one menu is enough.
    for (const type of ["pointerup", "pointercancel", "pointermove", "contextmenu"] as const) {
      this.#grid.addEventListener(type, cancel, { signal });
    }
    signal.addEventListener("abort", cancel, { once: true });
  }

  // Asking

  #ask(change: Partial<{ query: string; sort: SortColumn; descending: boolean }>): void {
    clearTimeout(this.#searchTimer);
    const before = this.#rows.query;
    const query = { ...before, ...change };
    if (query.query === before.query && query.sort === before.sort && query.descending === before.descending) return;
    this.#selection.cursor = this.#selection.anchor = -1;
    this.#chooseOnArrival = false;
    this.#grid.scrollTop = 0;
    this.#rows.ask(query);
    this.#markSort();
    if (query.query !== before.query) this.#options.onQuery?.(query.query);
  }

  #sortBy(sort: SortColumn): void {
    const { query } = this.#rows;
    // What was added last is what one looks for first; other columns start at their small end.
    const descending = query.sort === sort ? !query.descending : sort === "added_at";
    this.#ask({ sort, descending });
  }

  #markSort(): void {
    const { sort, descending } = this.#rows.query;
    for (const [column, cell] of this.#headers) {
      setAttribute(cell, "aria-sort", column !== sort ? "none" : descending ? "descending" : "ascending");
    }
  }

  #refreshSoon(): void {
    if (this.#refreshTimer !== undefined) return;
    this.#refreshTimer = setTimeout(() => {
      this.#refreshTimer = undefined;
      this.#rows.refresh();
    }, 100);
  }

  // Rows came

  #rowsChanged(): void {
    this.#failure = null;
    const total = this.#rows.total ?? 0;
    this.#selection.clamp(total);
    setAttribute(this.#grid, "aria-rowcount", total + 1);
    this.#space.style.height = `${total * this.#rowHeight}px`;
    this.#root.style.setProperty("--count", String(total));
    setText(this.#count, this.#rows.query.query === "" ? plural(total, "track") : `${plural(total, "track")} found`);
    if (this.#chooseOnArrival) {
      const row = this.#rows.row(this.#selection.cursor);
      if (row) {
        this.#chooseOnArrival = false;
        this.#selection.only(this.#selection.cursor, row.id);
        this.#selectionChanged();
      }
    }
    this.#showState();
    this.#schedule();
  }

  #rowsFailed(error: unknown): void {
    this.#failure = error;
    if (this.#rows.total === null) this.#showState();
    else this.#options.layer.failed(error, () => this.#rows.refresh());
  }

  #showState(): void {
    const { total, query } = this.#rows;
    const children: Node[] = [];
    const button = (label: string, primary: boolean, run: () => void) => {
      const element = h("button", { type: "button", class: primary ? "sfa-button is-primary" : "sfa-button" }, label);
      element.addEventListener("click", run);
      return element;
    };
    if (this.#failure !== null && total === null) {
      const { message, hint } = describe(this.#failure);
      children.push(
        icon("alert"), h("p", {}, message), ...(hint ? [h("p", { class: "is-dim" }, hint)] : []),
        button("Try again", true, () => {
          this.#failure = null;
          this.#showState();
          this.#rows.ask(query);
        }),
      );
    } else if (total === null) {
      children.push(h("p", { class: "is-dim is-late" }, "Loading the library…"));
    } else if (total === 0 && query.query !== "") {
      children.push(
        icon("search"),
        h("p", { dir: "auto" }, `No track matches “${query.query}”.`),
        button("Clear the search", false, () => {
          this.setQuery("");
          this.#options.onQuery?.("");
        }),
      );
    } else if (total === 0) {
      const { onAdd } = this.#options;
      const demo = button("Open the demo crate", true, () => void this.#openDemo(demo));
      children.push(
        icon("disc"),
        h("p", {}, "Drop songs here, or open the demo crate."),
        h("div", {}, demo, ...(onAdd ? [button("Choose files…", false, onAdd)] : [])),
      );
    }
    this.#message.replaceChildren(...children);
    this.#message.hidden = children.length === 0;
    this.#root.classList.toggle("is-loading", total === null);
    this.#root.classList.toggle("is-empty", total === 0);
  }

  async #openDemo(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      await this.#bridge.request("demo.add", {}, { signal: this.#options.signal });
      this.#refreshSoon();
    } catch (error) {
      this.#options.layer.failed(error);
    } finally {
      button.disabled = false;
    }
  }

  // Drawing

  #measure(): void {
    const tall = this.#grid.clientWidth > 0 && this.#grid.clientWidth < NARROW;
    const rowHeight = tall ? TALL_ROW_HEIGHT : ROW_HEIGHT;
    if (rowHeight !== this.#rowHeight) {
      const first = this.#grid.scrollTop / this.#rowHeight;
      this.#rowHeight = rowHeight;
      this.#space.style.height = `${(this.#rows.total ?? 0) * rowHeight}px`;
      this.#grid.scrollTop = first * rowHeight;
    }
    this.#root.classList.toggle("is-narrow", tall);
    this.#viewport = this.#grid.clientHeight;
    this.#draw();
  }

  #schedule(): void {
    if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#draw();
      });
    }
  }

  #draw(): void {
    // Before the first answer the frame shows rows to come.
    const total = this.#rows.total ?? Math.ceil(this.#viewport / this.#rowHeight);
    const top = this.#grid.scrollTop;
    const firstInSight = Math.floor(top / this.#rowHeight);
    const lastInSight = Math.min(total - 1, Math.ceil((top + this.#viewport) / this.#rowHeight));
    const first = Math.max(0, firstInSight - OVERSCAN);
    const last = Math.min(total - 1, lastInSight + OVERSCAN);
    const needed = Math.ceil(this.#viewport / this.#rowHeight) + 2 * OVERSCAN + 2;
    while (this.#pool.length < needed) {
      const view = new RowView();
      this.#pool.push(view);
      append(this.#space, view.element);
    }
    const size = this.#pool.length;
    const used = new Set<RowView>();
    for (let index = first; index <= last; index += 1) {
      const view = this.#pool[index % size] as RowView;
      const track = this.#rows.row(index);
      view.paint(index, index * this.#rowHeight, track);
      view.choose(track !== undefined && this.#selection.has(track.id), index === this.#selection.cursor);
      view.element.hidden = false;
      used.add(view);
    }
    for (const view of this.#pool) if (!used.has(view)) view.element.hidden = true;
    this.#markCursor();

    // A jump across thousands of rows asks only where it comes to rest; covers wait for rest in any case.
    const fetch = () => {
      this.#fetchedAt = first;
      if (this.#rows.total !== null) this.#rows.show(first, Math.max(first, last));
    };
    const near = Math.abs(first - this.#fetchedAt) < needed;
    if (near) fetch();
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      if (!near) fetch();
      for (const view of used) view.loadArt(this.#covers);
    }, REST);
  }

  #markCursor(): void {
    const { cursor } = this.#selection;
    const view = this.#pool[cursor % this.#pool.length];
    setAttribute(this.#grid, "aria-activedescendant", cursor >= 0 && view?.index === cursor ? view.element.id : null);
  }

  // Choosing

  #selectionChanged(): void {
    const { size, ids, cursor } = this.#selection;
    this.#bulk.hidden = size === 0;
    this.#root.classList.toggle("has-selection", size > 0);
    setText(this.#bulkCount, `${plural(size, "track")} selected`);
    this.#schedule();
    const row = this.#rows.row(cursor);
    this.#options.onSelect?.(ids, row && this.#selection.has(row.id) ? row : null);
  }

  #actOf(event: Event): string | null {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-act]") : null;
    return target?.dataset.act ?? null;
  }

  #viewAt(event: Event): RowView | null {
    const element = event.target instanceof Element ? event.target.closest(".sfa-row") : null;
    return this.#pool.find((view) => view.element === element) ?? null;
  }

  #trackAt(event: Event): TrackRow | undefined {
    const view = this.#viewAt(event);
    return view ? this.#rows.row(view.index) : undefined;
  }

  #click(event: MouseEvent): void {
    const header = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-sort]") : null;
    if (header) {
      this.#sortBy(header.dataset.sort as SortColumn);
      this.focus();
      return;
    }
    const view = this.#viewAt(event);
    const track = view ? this.#rows.row(view.index) : undefined;
    if (!view || !track) return;
    this.focus();
    const act = this.#actOf(event);
    if (act === "retry") {
      void this.actions.run([track.id], ALL_STAGES);
    } else if (act === "menu") {
      const box = (event.target as Element).getBoundingClientRect();
      this.#menuFor(view, box.left, box.bottom + 2);
    } else if (event.shiftKey) {
      void this.#rangeTo(view.index);
    } else if (event.ctrlKey || event.metaKey) {
      this.#selection.toggle(view.index, track.id);
      this.#selectionChanged();
    } else {
      this.#selection.only(view.index, track.id);
      this.#selectionChanged();
    }
  }

  #menuFor(view: RowView, x: number, y: number): void {
    const track = this.#rows.row(view.index);
    if (!track) return;
    if (!this.#selection.has(track.id)) {
      this.#selection.only(view.index, track.id);
      this.#selectionChanged();
    }
    this.focus();
    this.#options.layer.menu(x, y, "Track", this.actions.menu(this.#selection.ids));
  }

  async #rangeTo(index: number): Promise<void> {
    this.#ranging?.abort();
    this.#ranging = new AbortController();
    const [from, to] = this.#selection.span(index);
    this.#selection.cursor = index;
    this.#schedule();
    try {
      const ids = await this.#rows.ids(from, to, this.#ranging.signal);
      this.#selection.range(index, ids);
      this.#selectionChanged();
    } catch (error) {
      this.#options.layer.failed(error);
    }
  }

  async #selectAll(): Promise<void> {
    const total = this.#rows.total ?? 0;
    if (total === 0) return;
    const { cursor } = this.#selection;
    this.#selection.anchor = 0;
    await this.#rangeTo(total - 1);
    this.#selection.cursor = cursor;
    this.#schedule();
  }

  async #remove(ids: string[]): Promise<void> {
    if (!(await this.actions.remove(ids))) return;
    this.#selection.clear();
    this.#selectionChanged();
    this.#refreshSoon();
  }

  #moveTo(index: number, extend: boolean, keep: boolean): void {
    const total = this.#rows.total ?? 0;
    if (total === 0) return;
    const target = Math.max(0, Math.min(total - 1, index));
    this.#reveal(target);
    if (extend) {
      void this.#rangeTo(target);
      return;
    }
    const row = this.#rows.row(target);
    this.#chooseOnArrival = !keep && !row;
    if (row && !keep) {
      this.#selection.only(target, row.id);
    } else {
      this.#selection.cursor = target;
    }
    this.#selectionChanged();
  }

  #reveal(index: number): void {
    const top = index * this.#rowHeight;
    // The header stays on top of the rows.
    const head = this.#space.offsetTop;
    const visible = this.#viewport - head;
    if (top < this.#grid.scrollTop) this.#grid.scrollTop = top;
    else if (top + this.#rowHeight > this.#grid.scrollTop + visible) {
      this.#grid.scrollTop = top + this.#rowHeight - visible;
    }
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey) return;
    const { cursor } = this.#selection;
    const total = this.#rows.total ?? 0;
    const page = Math.max(1, Math.floor(this.#viewport / this.#rowHeight) - 2);
    const command = event.ctrlKey || event.metaKey;
    const moves: Record<string, number> = {
      ArrowDown: cursor + 1,
      ArrowUp: Math.max(0, cursor - 1),
      PageDown: cursor + page,
      PageUp: Math.max(0, cursor - page),
      Home: 0,
      End: total - 1,
    };
    const target = moves[event.key];
    const row = this.#rows.row(cursor);
    if (target !== undefined) {
      this.#moveTo(target, event.shiftKey, command);
    } else if (event.key === "Enter" && row && !command) {
      this.#options.onOpen(row.id);
    } else if (event.key === " " && command && row) {
      this.#selection.toggle(cursor, row.id);
      this.#selectionChanged();
    } else if (command && event.key.toLowerCase() === "a") {
      void this.#selectAll();
    } else if ((event.key === "Delete" || event.key === "Backspace") && !command) {
      void this.#remove(this.#selection.ids);
    } else if (event.key === "Escape" && this.#selection.size > 0) {
      this.#selection.clear();
      this.#selectionChanged();
    } else if (event.key === "/" && this.#options.search) {
      this.#input.focus();
      this.#input.select();
    } else if ((event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) && row) {
      const view = this.#pool[cursor % this.#pool.length] as RowView;
      const box = view.element.getBoundingClientRect();
      this.#menuFor(view, box.left + 48, box.bottom);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
