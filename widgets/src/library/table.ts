/** The library: a table that shows any number of tracks and fetches only those in sight. */

import type { Bridge } from "../bridge";
import { describe } from "../bridge";
import { familyLoader, type Load } from "../dashboard/lazy";
import { append, h, setAttribute, setText } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import { CoverArt } from "../media";
import type { SortColumn, TrackRow } from "../types";
import { carryTracks } from "../ui/carry";
import { deckKey, type LoadsDecks } from "../ui/decks";
import { VirtualGrid } from "../ui/grid";
import type { Layer, MenuItem } from "../ui/layer";
import { ALL_STAGES, ANALYSIS_STAGES, TrackActions } from "./actions";
import "./library.css";
import { RowView } from "./row";
import { Rows } from "./rows";

const ROW_HEIGHT = 28;
/** A row on a narrow screen: two lines, and large enough for a finger. */
const TALL_ROW_HEIGHT = 56;
const NARROW = 600;
const SEARCH_DELAY = 120;

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
  /** Where songs can be loaded into decks; the decks of the page, if not said. */
  decks?(): LoadsDecks | null;
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
  readonly #grid: VirtualGrid<TrackRow>;
  readonly #headers = new Map<SortColumn, HTMLElement>();
  #searchTimer: ReturnType<typeof setTimeout> | undefined;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #failure: unknown = null;

  readonly #root = h("section", { class: "sfa-library", "aria-label": "Library" });
  readonly #count = h("span", { class: "sfa-count", "aria-live": "polite" });
  readonly #bulk = h("div", { class: "sfa-library-bulk", role: "toolbar", "aria-label": "Selected tracks", hidden: true });
  readonly #bulkCount = h("span");
  readonly #input = h("input", {
    type: "search", placeholder: "Search title, artist, album", "aria-label": "Search the library",
    autocomplete: "off", spellcheck: "false",
  });
  readonly #message = h("div", { class: "sfa-state", hidden: true });

  constructor(el: HTMLElement, bridge: Bridge, options: LibraryOptions) {
    const { signal, layer, load = familyLoader(el, bridge, signal) } = options;
    this.#bridge = bridge;
    this.#options = options;
    this.actions = new TrackActions(bridge, { signal, layer, load }, options.onOpen, options.decks);
    const query = { query: options.query ?? "", sort: "added_at" as const, descending: true };
    this.#rows = new Rows(bridge, query, {
      changed: () => this.#rowsChanged(),
      failed: (error) => this.#rowsFailed(error),
    }, signal);
    this.#grid = new VirtualGrid(this.#rows, {
      signal, layer, covers: new CoverArt(bridge, signal), label: "Tracks", head: this.#head(),
      newRow: () => new RowView(),
      rowHeight: (width) => {
        const tall = width > 0 && width < NARROW;
        this.#root.classList.toggle("is-narrow", tall);
        return tall ? TALL_ROW_HEIGHT : ROW_HEIGHT;
      },
      onSelect: () => this.#selectionChanged(),
      onOpen: ({ id }) => options.onOpen(id),
      onAct: ({ id }) => void this.actions.run([id], ALL_STAGES),
      onKey: (event) => this.#key(event),
      noun: "Track",
      menu: (ids) => this.actions.menu(ids),
    });

    this.#build();
    append(el, this.#root);
    this.#listen(signal);
    this.#markSort();
    this.#showState();
    this.#rows.ask(query);

    signal.addEventListener("abort", () => {
      for (const timer of [this.#searchTimer, this.#refreshTimer]) clearTimeout(timer);
      this.#root.remove();
    }, { once: true });
    this.#grid.measure();
  }

  // What others may do

  setQuery(query: string): void {
    if (this.#input.value !== query) this.#input.value = query;
    this.#ask({ query });
  }

  select(ids: string[]): void {
    this.#grid.choose(ids);
  }

  focus(): void {
    this.#grid.focus();
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
      h("div", { class: "sfa-grid-frame" }, this.#grid.element, this.#message),
    );
    this.#input.value = this.#options.query ?? "";
  }

  #head(): HTMLElement {
    const head = h("div", { class: "sfa-grid-row sfa-row sfa-row-head", role: "row", "aria-rowindex": 1 });
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
    head.addEventListener("click", (event) => {
      const header = (event.target as Element).closest<HTMLElement>("[data-sort]");
      if (!header) return;
      this.#sortBy(header.dataset.sort as SortColumn);
      this.focus();
    });
    return head;
  }

  #listen(signal: AbortSignal): void {
    this.#grid.element.addEventListener("dragstart", (event) => {
      if (this.#grid.take(event)) carryTracks(event, this.#grid.selection.ids);
    }, { signal });
    this.#bulk.addEventListener("click", (event) => {
      const act = (event.target as Element).closest<HTMLElement>("[data-act]")?.dataset.act;
      const { ids } = this.#grid.selection;
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
        if (this.#grid.selection.cursor < 0) this.#grid.moveTo(0);
      }
    }, { signal });

    const stops = [
      this.#bridge.on("tracks.rows", ({ rows }) => {
        if (this.#rows.update(rows).length > 0) this.#grid.schedule();
      }),
      this.#bridge.on("tracks.changed", () => this.#refreshSoon()),
    ];
    signal.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
  }

  // Asking

  #ask(change: Partial<{ query: string; sort: SortColumn; descending: boolean }>): void {
    clearTimeout(this.#searchTimer);
    const before = this.#rows.query;
    const query = { ...before, ...change };
    if (query.query === before.query && query.sort === before.sort && query.descending === before.descending) return;
    this.#grid.toTop();
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
    this.#grid.changed();
    this.#root.style.setProperty("--count", String(total));
    setText(this.#count, this.#rows.query.query === "" ? plural(total, "track") : `${plural(total, "track")} found`);
    this.#showState();
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
        h("div", {}, demo, ...(onAdd ? [button("Add music…", false, onAdd)] : [])),
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

  // Choosing

  #selectionChanged(): void {
    const { selection, current } = this.#grid;
    const { size, ids } = selection;
    this.#bulk.hidden = size === 0;
    this.#root.classList.toggle("has-selection", size > 0);
    setText(this.#bulkCount, `${plural(size, "track")} selected`);
    this.#options.onSelect?.(ids, current && selection.has(current.id) ? current : null);
  }

  async #remove(ids: string[]): Promise<void> {
    if (!(await this.actions.remove(ids))) return;
    this.#grid.choose([]);
    this.#refreshSoon();
  }

  #key(event: KeyboardEvent): boolean {
    if (event.altKey) return false;
    if (deckKey(event, this.actions.decks(), this.#grid.current?.id)) return true;
    if ((event.key === "Delete" || event.key === "Backspace") && !event.ctrlKey && !event.metaKey) {
      void this.#remove(this.#grid.selection.ids);
    } else if (event.key === "/" && this.#options.search) {
      this.#input.focus();
      this.#input.select();
    } else {
      return false;
    }
    return true;
  }
}
