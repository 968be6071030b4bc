/** The playlists beside the one that is shown: own, smart, imported. */

import { append, h, setAttribute, setText } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import type { PlaylistKind, PlaylistRow } from "../types";
import type { Layer, MenuItem } from "../ui/layer";
import { glyph, glyphOf } from "./glyphs";

/** From so many on, there is a field to find one. */
const MANY = 12;

const GROUPS: [PlaylistKind, string][] = [["own", "Yours"], ["smart", "Smart"], ["imported", "Imported"]];

/** How playlists come to be. */
export interface Steps {
  onNew(): void;
  onSmart(): void;
  onImport(): void;
}

export interface ListOptions extends Steps {
  layer: Layer;
  onShow(id: string): void;
  /** The person wants to work in the one that is shown. */
  onEnter(): void;
  onRename(id: string): void;
  onRemove(id: string): void;
  menu(playlist: PlaylistRow): (MenuItem | "-")[];
}

export class PlaylistList {
  readonly element: HTMLElement;
  readonly #options: ListOptions;
  readonly #rows = new Map<string, ListRow>();
  readonly #find = h("input", { type: "search", placeholder: "Find a playlist", "aria-label": "Find a playlist", autocomplete: "off", spellcheck: "false" });
  readonly #search = h("label", { class: "sfa-search", hidden: true }, icon("search"), this.#find);
  readonly #list = h("div", { class: "sfa-lists-items", role: "listbox", "aria-label": "Playlists" });
  readonly #none = h("p", { class: "sfa-lists-none", hidden: true });
  #playlists: PlaylistRow[] = [];
  #shown = "";
  #order = "";

  constructor(options: ListOptions) {
    this.#options = options;
    const make = h("button", { type: "button", class: "sfa-button", "aria-haspopup": "menu" }, icon("plus"), "New", icon("down"));
    make.addEventListener("click", () => {
      const box = make.getBoundingClientRect();
      options.layer.menu(box.left, box.bottom + 4, "New", [
        { label: "Playlist", icon: "playlists", run: () => options.onNew() },
        { label: "Smart playlist…", icon: "smart", run: () => options.onSmart() },
      ]);
    });
    const bring = h("button", { type: "button", class: "sfa-button", title: "From Spotify, or from a playlist file" }, icon("download"), "Import");
    bring.addEventListener("click", () => options.onImport());
    this.element = h(
      "div", { class: "sfa-lists-list" },
      h("header", {}, h("h2", {}, "Playlists"), h("div", {}, make, bring)), this.#search, this.#list, this.#none,
    );
    this.#find.addEventListener("input", () => this.#draw());
    this.#find.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape" && this.#find.value !== "") {
        event.preventDefault();
        this.#find.value = "";
        this.#draw();
      } else if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        this.#list.querySelector<HTMLElement>("[role=option]")?.focus();
      }
    });
    this.#list.addEventListener("click", (event) => {
      const id = idOf(event);
      if (id === null) return;
      const onMenu = event.target instanceof Element && event.target.closest("[data-act=menu]");
      if (onMenu) this.#menu(id, onMenu.getBoundingClientRect().left, onMenu.getBoundingClientRect().bottom + 2);
      else options.onShow(id);
    });
    this.#list.addEventListener("contextmenu", (event) => {
      const id = idOf(event);
      if (id === null) return;
      event.preventDefault();
      this.#menu(id, event.clientX, event.clientY);
    });
    this.#list.addEventListener("keydown", (event) => this.#key(event));
  }

  update(playlists: PlaylistRow[]): void {
    this.#playlists = playlists;
    this.#draw();
  }

  show(id: string): void {
    this.#shown = id;
    this.#draw();
    this.#rows.get(id)?.element.scrollIntoView({ block: "nearest" });
  }

  focus(): void {
    this.#rows.get(this.#shown)?.element.focus({ preventScroll: true });
  }

  #draw(): void {
    const many = this.#playlists.length > MANY;
    this.#search.hidden = !many;
    const words = many ? this.#find.value.trim().toLocaleLowerCase() : "";
    const fits = this.#playlists.filter(({ name, owner }) => `${name}\n${owner}`.toLocaleLowerCase().includes(words));
    const groups = GROUPS.map(([kind, label]) => ({ label, own: fits.filter((playlist) => playlist.kind === kind) })).filter(({ own }) => own.length > 0);
    for (const playlist of fits) this.#row(playlist).update(playlist);
    // Elements that stay where they are keep the focus, and the press that has begun on them.
    const order = JSON.stringify(groups.map(({ label, own }) => [label, ...own.map(({ id }) => id)]));
    if (order !== this.#order) {
      this.#order = order;
      const focused = document.activeElement;
      this.#list.replaceChildren(...groups.map(({ label, own }) => h(
        "div", { class: "sfa-lists-group", role: "group", "aria-label": label }, h("h3", {}, label), ...own.map((playlist) => this.#row(playlist).element),
      )));
      if (focused instanceof HTMLElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
    }
    for (const id of this.#rows.keys()) if (!this.#playlists.some((playlist) => playlist.id === id)) this.#rows.delete(id);
    const reachable = fits.some(({ id }) => id === this.#shown) ? this.#shown : fits[0]?.id;
    for (const [id, row] of this.#rows) row.mark(id === this.#shown, id === reachable);
    this.#none.hidden = fits.length > 0 || words === "";
    setText(this.#none, `No playlist is called “${this.#find.value.trim()}”.`);
  }

  #row({ id }: PlaylistRow): ListRow {
    let row = this.#rows.get(id);
    if (!row) this.#rows.set(id, (row = new ListRow(id)));
    return row;
  }

  #menu(id: string, x: number, y: number): void {
    const playlist = this.#playlists.find((each) => each.id === id);
    if (playlist) this.#options.layer.menu(x, y, playlist.name, this.#options.menu(playlist));
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...this.#list.querySelectorAll<HTMLElement>("[role=option]")];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const id = idOf(event);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const to = moves[event.key];
    if (at < 0 || id === null) return;
    if (to !== undefined) {
      const row = rows[Math.max(0, Math.min(rows.length - 1, to))] as HTMLElement;
      row.focus();
      this.#options.onShow(row.dataset.id as string);
    } else if (event.key === "Enter" || event.key === " " || event.key === "ArrowRight") {
      this.#options.onShow(id);
      this.#options.onEnter();
    } else if (event.key === "F2") {
      this.#options.onRename(id);
    } else if (event.key === "Delete") {
      this.#options.onRemove(id);
    } else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const box = (rows[at] as HTMLElement).getBoundingClientRect();
      this.#menu(id, box.left + 24, box.bottom);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

class ListRow {
  readonly element: HTMLElement;
  readonly #mark = h("span", { class: "sfa-lists-mark" });
  readonly #name = h("span", { class: "sfa-lists-name", dir: "auto" });
  readonly #count = h("span", { class: "sfa-lists-count" });
  #glyph = "";

  constructor(id: string) {
    this.element = h(
      "div", { class: "sfa-lists-item", role: "option", "data-id": id, tabindex: -1 }, this.#mark, this.#name, this.#count,
      h("button", { type: "button", class: "sfa-row-button", tabindex: -1, title: "Actions", "data-act": "menu" }, icon("more"), h("span", { class: "sfa-sr" }, "Actions")),
    );
  }

  update(playlist: PlaylistRow): void {
    const { id, name, kind, service, count, here, owner, sentence } = playlist;
    const sign = `${kind}${service ?? ""}`;
    if (sign !== this.#glyph) {
      this.#glyph = sign;
      this.#mark.replaceChildren(glyphOf(playlist));
    }
    setText(this.#name, name);
    const some = here < count;
    setText(this.#count, some ? `${here.toLocaleString("en-GB")}/${count.toLocaleString("en-GB")}` : count.toLocaleString("en-GB"));
    const said = some ? `${here.toLocaleString("en-GB")} of ${plural(count, "song")} here` : plural(count, "song");
    setAttribute(this.element, "title", [name, sentence || (owner && `by ${owner}`), said].filter(Boolean).join("\n"));
    setAttribute(this.element, "aria-label", `${name}, ${said}`);
    // Songs that are dragged can be dropped here.
    setAttribute(this.element, "data-takes", kind === "smart" ? null : id);
  }

  mark(shown: boolean, reachable: boolean): void {
    setAttribute(this.element, "aria-selected", String(shown));
    setAttribute(this.element, "tabindex", reachable ? 0 : -1);
  }
}

function idOf(event: Event): string | null {
  const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[role=option]") : null;
  return target?.dataset.id ?? null;
}

/** The way back to the list, where only one of both has room. */
export function backButton(back: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "sfa-button is-quiet is-icon sfa-lists-back", "aria-label": "All playlists", title: "All playlists" }, glyph("back"));
  button.addEventListener("click", back);
  return button;
}

/** What is offered where there is no playlist at all. */
export function firstSteps({ onNew, onSmart, onImport }: Steps): Node[] {
  const button = (label: string, primary: boolean, run: () => void) => {
    const element = h("button", { type: "button", class: primary ? "sfa-button is-primary" : "sfa-button" }, label);
    element.addEventListener("click", run);
    return element;
  };
  const offers = h("div", {});
  append(offers, button("New playlist", true, onNew), button("New smart playlist…", false, onSmart), button("Import…", false, onImport));
  return [
    icon("playlists"), h("p", {}, "No playlists yet: make one, let a filter fill one, or bring yours."), offers,
  ];
}
