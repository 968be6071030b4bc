/** The entries of a playlist as a table: any number of them, in an order that hands and keys can change. */

import { describe } from "../bridge";
import { append, h, setText } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import type { CoverArt } from "../media";
import type { PlaylistEntry } from "../types";
import { deckKey, type LoadsDecks } from "../ui/decks";
import { VirtualGrid } from "../ui/grid";
import type { Layer, MenuItem } from "../ui/layer";
import { dragRows } from "./drag";
import type { Entries } from "./entries";
import { EntryView } from "./entry";

const ROW_HEIGHT = 36;
/** The artist under the title. */
const TALL_ROW_HEIGHT = 52;
const STACKED = 860;
const TIGHT = 600;

const COLUMNS: [string, string][] = [
  ["number", "#"], ["tile", ""], ["title", "Title"], ["artist", "Artist"], ["tempo", "Tempo"], ["key", "Key"], ["energy", "Energy"],
  ["duration", "Time"], ["status", "Status"], ["more", ""],
];

export interface TableOptions {
  signal: AbortSignal;
  layer: Layer;
  covers: CoverArt;
  entries: Entries;
  /** Holds the table and whatever rows can be dragged onto. */
  stage: HTMLElement;
  onOpen(track: string): void;
  /** Where songs can be loaded into decks; null while there are none. */
  decks(): LoadsDecks | null;
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
  readonly #grid: VirtualGrid<PlaylistEntry>;
  readonly #message = h("div", { class: "sfa-state", hidden: true });
  readonly #news = h("span", { class: "sfa-sr", "aria-live": "polite" });
  #failure: unknown = null;

  constructor(options: TableOptions) {
    const { signal, entries, stage } = options;
    this.#options = options;
    this.#entries = entries;
    const head = h("div", { class: "sfa-grid-row sfa-entry sfa-entry-head", role: "row", "aria-rowindex": 1 });
    for (const [name, label] of COLUMNS) {
      append(head, h("span", { class: `c-${name}`, role: "columnheader" },
        label || h("span", { class: "sfa-sr" }, name === "tile" ? "Cover" : "Actions")));
    }
    const grid = this.#grid = new VirtualGrid(entries, {
      signal, layer: options.layer, covers: options.covers, label: "Songs of the playlist", head,
      newRow: () => new EntryView(),
      rowHeight: (width) => {
        const stacked = width > 0 && width < STACKED;
        this.element.classList.toggle("is-stacked", stacked);
        this.element.classList.toggle("is-tight", width > 0 && width < TIGHT);
        return stacked ? TALL_ROW_HEIGHT : ROW_HEIGHT;
      },
      expects: () => entries.id !== "" && this.#failure === null,
      onSelect: () => options.onSelect(this.selected),
      onOpen: ({ track }) => { if (track) options.onOpen(track.id); },
      onAct: ({ id }) => options.onGet([id]),
      onKey: (event) => this.#key(event),
      noun: "Song",
      menu: (ids) => options.menu(ids),
    });
    append(this.element, grid.element, this.#message, this.#news);
    dragRows({
      signal, scroller: grid.element, space: grid.space, stage,
      rowHeight: () => grid.rowHeight,
      total: () => entries.total ?? 0,
      begin: (event) => this.#beginDrag(event),
      movable: () => options.movable(),
      target: (x, y) => {
        const over = document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-takes]") ?? null;
        return over && stage.contains(over) ? over : null;
      },
      drop: (place) => options.onMove(this.selected, place, false),
      dropOn: (target) => options.onDropOn(target.dataset.takes as string, this.selected),
    });
    grid.measure();
  }

  get selected(): string[] {
    return this.#grid.selection.ids;
  }

  /** Another playlist is shown: from its top, nothing chosen. */
  reset(): void {
    this.#failure = null;
    this.#grid.toTop();
    this.clear();
    this.changed();
  }

  clear(): void {
    this.#grid.choose([]);
  }

  focus(): void {
    this.#grid.focus();
  }

  say(text: string): void {
    setText(this.#news, text);
  }

  /** Entries came or changed. */
  changed(): void {
    if (this.#entries.total !== null) this.#failure = null;
    this.#grid.changed();
    this.#showState();
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
    const [first] = this.selected;
    const at = first === undefined ? undefined : this.#entries.indexOf(first);
    if (at === undefined) return;
    const { selection } = this.#grid;
    selection.cursor = selection.anchor = at;
    this.#grid.reveal(at);
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

  #beginDrag(event: PointerEvent): string | null {
    const entry = this.#grid.take(event);
    if (!entry) return null;
    const { size } = this.#grid.selection;
    return size === 1 ? (entry.track?.title ?? entry.song?.title ?? "1 song") : plural(size, "song");
  }

  /** Moves what is chosen by one place, or to an end. */
  nudge(where: "up" | "down" | "top" | "end"): void {
    const ids = this.selected;
    const places = ids.map((id) => this.#entries.indexOf(id) ?? 0);
    if (ids.length === 0 || !this.#options.movable()) return;
    const total = this.#entries.total ?? 0;
    const place = {
      up: Math.max(0, Math.min(...places) - 1), down: Math.min(total, Math.max(...places) + 2), top: 0, end: total,
    }[where];
    this.#options.onMove(ids, place, where === "up" || where === "down");
  }

  #key(event: KeyboardEvent): boolean {
    const nudges: Record<string, "up" | "down" | "top" | "end"> = { ArrowUp: "up", ArrowDown: "down", Home: "top", End: "end" };
    const nudge = nudges[event.key];
    const entry = this.#grid.current;
    const plain = !event.altKey && !event.ctrlKey && !event.metaKey;
    if (deckKey(event, this.#options.decks(), entry?.track?.id)) return true;
    if (event.altKey && nudge) {
      this.nudge(nudge);
    } else if (plain && event.key === "Enter" && entry && !entry.track) {
      this.#options.onGet([entry.id]);
    } else if (plain && (event.key === "Delete" || event.key === "Backspace") && this.selected.length > 0) {
      this.#options.onTakeOut(this.selected);
    } else {
      return false;
    }
    return true;
  }
}
