/** The head of the playlist that is shown: what it is, its name, and what can be done with it. */

import { append, h, setAttribute, setText } from "../dom";
import { duration, plural } from "../format";
import { icon } from "../icons";
import type { CoverArt } from "../media";
import { tileTone } from "../parts";
import type { PlaylistEntry, PlaylistRow } from "../types";
import { pageAddress } from "./address";
import { phrases } from "./filter";
import { glyphOf } from "./glyphs";
import { backButton } from "./list";

/** So many covers make its picture. */
const COVERS = 4;

export interface HeadOptions {
  covers: CoverArt;
  onBack(): void;
  onRename(name: string): void;
  onGetAll(): void;
  onExport(): void;
  onEdit(): void;
  onMenu(x: number, y: number): void;
  /** With what is selected. */
  onAdd(): void;
  onTakeOut(): void;
}

export class PlaylistHead {
  readonly element: HTMLElement;
  readonly #options: HeadOptions;
  readonly #picture = h("div", { class: "sfa-lists-picture", "aria-hidden": "true" });
  readonly #kind = h("p", { class: "sfa-lists-kind" });
  readonly #name = h("h2", { dir: "auto" });
  readonly #facts = h("p", { class: "sfa-lists-facts", "aria-live": "polite" });
  readonly #filter = h("div", { class: "sfa-lists-filter", hidden: true });
  readonly #get: HTMLButtonElement;
  readonly #edit: HTMLButtonElement;
  readonly #export: HTMLButtonElement;
  readonly #usual: HTMLElement;
  readonly #bulk: HTMLElement;
  readonly #bulkCount = h("span");
  readonly #takeOut: HTMLButtonElement;
  #playlist: PlaylistRow | null = null;
  #naming: HTMLInputElement | null = null;
  #drawn = "";

  constructor(options: HeadOptions) {
    this.#options = options;
    const button = (label: string, mark: Node, run: () => void, title = label) => {
      const element = h("button", { type: "button", class: "sfa-button", title }, mark, h("span", {}, label));
      element.addEventListener("click", run);
      return element;
    };
    this.#get = button("Get all", icon("download"), () => options.onGetAll());
    this.#get.classList.add("is-primary");
    this.#edit = button("Filter…", icon("smart"), () => options.onEdit(), "Change what it asks for");
    this.#export = button("Export", icon("upload"), () => options.onExport(), "Save as M3U8, for players and DJ software");
    const more = h("button", { type: "button", class: "sfa-button is-icon", "aria-label": "More", title: "More", "aria-haspopup": "menu" }, icon("more"));
    more.addEventListener("click", () => {
      const box = more.getBoundingClientRect();
      options.onMenu(box.left, box.bottom + 4);
    });
    this.#usual = h("div", { class: "sfa-lists-actions" }, this.#get, this.#edit, this.#export, more);
    this.#takeOut = button("Take out", icon("trash"), () => options.onTakeOut(), "Take out of this playlist");
    this.#bulk = h(
      "div", { class: "sfa-lists-actions is-bulk", role: "toolbar", "aria-label": "Selected songs", hidden: true },
      this.#bulkCount, button("Add to…", icon("plus"), () => options.onAdd(), "Add to another playlist"), this.#takeOut,
    );
    this.#name.addEventListener("dblclick", () => this.rename());
    this.element = h(
      "header", { class: "sfa-lists-head" }, backButton(() => options.onBack()), this.#picture,
      h("div", { class: "sfa-lists-about" }, this.#kind, this.#name, this.#facts, this.#filter), this.#usual, this.#bulk,
    );
  }

  get name(): string {
    return this.#playlist?.name ?? "";
  }

  show(playlist: PlaylistRow | null, entries: PlaylistEntry[]): void {
    const other = playlist?.id !== this.#playlist?.id;
    if (other) this.#endNaming();
    this.#playlist = playlist;
    if (!playlist) return;
    const { name, kind, service, owner, url, count, here, duration: seconds } = playlist;
    const address = pageAddress(url);
    const from = kind === "smart" ? "Smart playlist" : service === "spotify" ? "From Spotify" : service === "file" ? "From a playlist file" : "Playlist";
    this.#kind.replaceChildren(...[from, owner !== "" && h("span", { dir: "auto" }, owner), address !== null && h(
      "a", { href: address, target: "_blank", rel: "noreferrer noopener" }, "Open there",
    )].filter((part) => part !== false).flatMap((part, i) => (i === 0 ? [part] : [" · ", part])));
    if (!this.#naming) {
      setText(this.#name, name);
      setAttribute(this.#name, "title", name);
    }
    const missing = count - here;
    const facts = [plural(count, "song"), here > 0 && duration(seconds), missing > 0 && `${missing.toLocaleString("en-GB")} not here`];
    setText(this.#facts, facts.filter(Boolean).join(" · "));
    this.#filter.hidden = kind !== "smart";
    const said = kind === "smart" ? phrases(playlist.filter ?? {}) : [];
    this.#filter.replaceChildren(...(said.length > 0 ? said : ["all tracks"]).map((words) => h("span", { dir: "auto" }, words)));
    this.#get.hidden = missing === 0;
    setText(this.#get.lastElementChild as HTMLElement, missing === 1 ? "Get it" : `Get all ${missing.toLocaleString("en-GB")}`);
    setAttribute(this.#get, "title", `Download ${missing === 1 ? "the song that is" : "the songs that are"} not here`);
    this.#edit.hidden = kind !== "smart";
    this.#export.disabled = count === 0;
    this.#draw(entries);
  }

  /** How many songs are chosen, and whether they can be taken out. */
  chosen(count: number, canTakeOut: boolean): void {
    this.#usual.hidden = count > 0;
    this.#bulk.hidden = count === 0;
    setText(this.#bulkCount, `${count.toLocaleString("en-GB")} selected`);
    this.#takeOut.hidden = !canTakeOut;
  }

  /** The name becomes a field, in its place. */
  rename(): void {
    const playlist = this.#playlist;
    if (!playlist || this.#naming) return;
    const input = (this.#naming = h("input", { class: "sfa-lists-naming", "aria-label": "Name of the playlist", maxlength: 200, dir: "auto", autocomplete: "off" }));
    input.value = playlist.name;
    const finish = (keep: boolean) => {
      if (this.#naming !== input) return;
      const name = input.value.trim();
      const focused = document.activeElement === input;
      this.#endNaming();
      if (keep && name !== "" && name !== playlist.name) {
        setText(this.#name, name);
        this.#options.onRename(name);
      }
      if (focused) this.#export.focus({ preventScroll: true });
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      finish(event.key === "Enter");
    });
    input.addEventListener("blur", () => finish(true));
    this.#name.replaceChildren(input);
    input.focus();
    input.select();
  }

  #endNaming(): void {
    this.#naming = null;
    setText(this.#name, this.#playlist?.name ?? "");
    for (const input of this.#name.querySelectorAll("input")) input.remove();
  }

  /** Its picture: the first covers, or its sign on a tone of its own. */
  #draw(entries: PlaylistEntry[]): void {
    const playlist = this.#playlist as PlaylistRow;
    const tracks = [...new Set(entries.flatMap(({ track }) => (track?.art ? track.id : [])))];
    const shown = tracks.length >= COVERS ? tracks.slice(0, COVERS) : tracks.slice(0, 1);
    const sign = [playlist.id, ...shown].join(" ");
    if (sign === this.#drawn) return;
    this.#drawn = sign;
    this.#picture.style.setProperty("--tile", tileTone(playlist.id));
    this.#picture.replaceChildren(glyphOf(playlist));
    this.#picture.classList.toggle("is-four", shown.length === COVERS);
    void Promise.all(shown.map((id) => this.#options.covers.url(id))).then((urls) => {
      const found = urls.filter((url) => url !== null);
      if (this.#drawn !== sign || found.length < shown.length) return;
      for (const url of found) {
        const image = h("img", { alt: "", src: url, decoding: "async" });
        image.addEventListener("error", () => image.remove());
        append(this.#picture, image);
      }
    });
  }
}
