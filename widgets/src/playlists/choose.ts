/** The small dialog that puts tracks into a playlist: one that is there, or a new one. */

import { type Bridge, describe, isAbort } from "../bridge";
import type { DialogHost } from "../dialogs/host";
import { h, setText } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import type { PlaylistRow } from "../types";
import { glyphOf } from "./glyphs";

/** Asks which playlist; tells what was done, with the way back. */
export function addToPlaylist(bridge: Bridge, host: DialogHost, tracks: string[], except?: string): void {
  if (tracks.length === 0) host.layer.toast("info", "Select tracks that are in the library first.");
  else new ChooseDialog(bridge, host, tracks, except);
}

/** Puts tracks at the end of a playlist; tells it, with the way back. */
export async function addTracks(bridge: Bridge, { layer, signal }: DialogHost, playlist: PlaylistRow, tracks: string[]): Promise<void> {
  const { result } = await bridge.request("playlists.add", { id: playlist.id, tracks, at: null }, { signal });
  const { entries } = result;
  const undo = () => void bridge.request("playlists.take_out", { id: playlist.id, entries }, { signal })
    .catch((error: unknown) => layer.failed(error, undo));
  layer.toast("ok", `Added ${plural(entries.length, "track")} to “${playlist.name}”.`, { action: { label: "Undo", run: undo } });
}

class ChooseDialog {
  readonly #bridge: Bridge;
  readonly #host: DialogHost;
  readonly #tracks: string[];
  readonly #dialog: HTMLDialogElement;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #input = h("input", {
    class: "sfa-field", placeholder: "Find, or name a new one", "aria-label": "Name of the playlist", autocomplete: "off", maxlength: 200, dir: "auto",
  });
  readonly #list = h("div", { class: "sfa-choose-list", role: "group", "aria-label": "Playlists" });
  readonly #state = h("p", { class: "sfa-choose-state", role: "alert" });
  #playlists: PlaylistRow[] | null = null;
  #busy = false;
  /** Who types a name and presses Enter need not wait for the list. */
  #entered = false;

  constructor(bridge: Bridge, host: DialogHost, tracks: string[], except?: string) {
    this.#bridge = bridge;
    this.#host = host;
    this.#tracks = tracks;
    this.#signal = AbortSignal.any([host.signal, this.#end.signal]);
    const dialog = (this.#dialog = host.layer.dialog(
      `Add ${plural(tracks.length, "track")} to a playlist`, this.#input, this.#list, this.#state,
    ));
    dialog.classList.add("sfa-choose");
    dialog.addEventListener("close", () => this.#end.abort());
    host.signal.addEventListener("abort", () => dialog.close(), { once: true, signal: this.#end.signal });
    this.#input.addEventListener("input", () => this.#draw());
    dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#input.focus();
    void this.#load(except);
  }

  async #load(except?: string): Promise<void> {
    try {
      const { result } = await this.#bridge.request("playlists.list", {}, { signal: this.#signal });
      this.#playlists = result.playlists.filter(({ id, kind }) => kind !== "smart" && id !== except);
      this.#draw();
      if (this.#entered) this.#list.querySelector("button")?.click();
    } catch (error) {
      this.#failed(error);
    }
  }

  #draw(): void {
    if (!this.#playlists) return;
    const typed = this.#input.value.trim();
    const fold = (text: string) => text.toLocaleLowerCase();
    const fits = this.#playlists.filter(({ name }) => fold(name).includes(fold(typed)));
    const same = fits.some(({ name }) => fold(name) === fold(typed));
    const rows = fits.map((playlist) => this.#row(glyphOf(playlist), playlist.name, plural(playlist.count, "song"), () => this.#add(playlist)));
    const create = this.#row(icon("plus"), typed === "" ? "New playlist" : `New playlist “${typed}”`, "", () => this.#create(typed || this.#unused()));
    // Who types a whole name that is there means that one, else the new one comes after what fits.
    this.#list.replaceChildren(...(typed !== "" && !same ? [...rows, create] : typed === "" ? [create, ...rows] : rows));
  }

  #row(mark: SVGSVGElement, name: string, note: string, run: () => Promise<void>): HTMLElement {
    const button = h("button", { type: "button" }, mark, h("span", { dir: "auto", title: name }, name), note !== "" && h("small", {}, note));
    button.addEventListener("click", () => void this.#run(run));
    return button;
  }

  #unused(): string {
    const names = new Set(this.#playlists?.map(({ name }) => name));
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? "New playlist" : `New playlist ${number}`;
      if (!names.has(name)) return name;
    }
  }

  async #add(playlist: PlaylistRow): Promise<void> {
    await addTracks(this.#bridge, this.#host, playlist, this.#tracks);
  }

  async #create(name: string): Promise<void> {
    const { layer, signal } = this.#host;
    const { result } = await this.#bridge.request("playlists.create", { name, tracks: this.#tracks }, { signal });
    const { id } = result.playlist;
    const undo = () => void this.#bridge.request("playlists.remove", { id }, { signal }).catch((error: unknown) => layer.failed(error, undo));
    layer.toast("ok", `Made “${result.playlist.name}” with ${plural(this.#tracks.length, "track")}.`, { action: { label: "Undo", run: undo } });
  }

  async #run(run: () => Promise<void>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await run();
      this.#dialog.close();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy = false;
    }
  }

  #failed(error: unknown): void {
    if (isAbort(error)) return;
    const { message, hint } = describe(error);
    setText(this.#state, [message, hint].filter(Boolean).join(" "));
  }

  #key(event: KeyboardEvent): void {
    const buttons = [...this.#list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === "Enter" && event.target === this.#input) {
      event.preventDefault();
      this.#entered = this.#playlists === null;
      buttons[0]?.click();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const to = at + (event.key === "ArrowDown" ? 1 : -1);
      if (to < 0) this.#input.focus();
      else buttons[to]?.focus();
    }
  }
}
