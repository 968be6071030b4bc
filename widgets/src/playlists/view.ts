/** The playlists: the list of them, and the one that is shown. */

import { type Bridge, describe, isAbort } from "../bridge";
import type { DialogHost } from "../dialogs/host";
import { append, h } from "../dom";
import { saveBytes } from "../exporting/download";
import { plural } from "../format";
import { icon } from "../icons";
import { ALL_STAGES, TrackActions } from "../library/actions";
import { CoverArt } from "../media";
import type { ImportHost } from "../sources/panel";
import type { PlaylistEntry, PlaylistRow } from "../types";
import { deckItems, type LoadsDecks } from "../ui/decks";
import type { MenuItem } from "../ui/layer";
import { pageAddress } from "./address";
import { addToPlaylist, addTracks } from "./choose";
import { Entries } from "./entries";
import { getSongs } from "./get";
import { PlaylistHead } from "./head";
import { firstSteps, PlaylistList, type Steps } from "./list";
import "./playlists.css";
import { smartDialog } from "./smart";
import { EntryTable } from "./table";

/** Below this width there is room for the list or for a playlist, not for both. */
const BOTH = 680;
/** Several changes of the kernel are looked at together, in ms. */
const GATHER = 150;
/** So many changes can be taken back. */
const UNDO = 50;
/** So many entries are looked at for the covers of the head. */
const LOOKED_AT = 40;

export interface PlaylistsOptions extends DialogHost, Pick<ImportHost, "uploads"> {
  /** The one to begin with; the first, if not said. */
  playlist?: string;
  /** Puts a track into the player. */
  onOpen(track: string): void;
  onShow?(playlist: string): void;
  /** The tracks that are chosen. */
  onSelect?(tracks: string[]): void;
  /** Where songs can be loaded into decks; the decks of the page, if not said. */
  decks?(): LoadsDecks | null;
  /** Leads to where tracks can be chosen for a playlist. */
  onLibrary?(): void;
}

export interface PlaylistsHandle {
  show(playlist: string): void;
  focus(): void;
}

export function mountPlaylists(el: HTMLElement, bridge: Bridge, options: PlaylistsOptions): PlaylistsHandle {
  return new PlaylistsView(el, bridge, options);
}

class PlaylistsView implements PlaylistsHandle {
  readonly #bridge: Bridge;
  readonly #options: PlaylistsOptions;
  readonly #actions: TrackActions;
  readonly #list: PlaylistList;
  readonly #head: PlaylistHead;
  readonly #table: EntryTable;
  readonly #entries: Entries;
  readonly #root = h("section", { class: "sfa-lists is-waiting", "aria-label": "Playlists" });
  readonly #detail = h("div", { class: "sfa-lists-detail" });
  readonly #state = h("div", { class: "sfa-state" });
  readonly #steps: Steps;
  readonly #undo: (() => void)[] = [];
  #undoing: Promise<void> = Promise.resolve();
  #playlists: PlaylistRow[] | null = null;
  #wanted: string;
  #renameNext = false;
  #focusNext = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stale = false;
  #asked = 0;
  #untell: () => void = () => undefined;

  constructor(el: HTMLElement, bridge: Bridge, options: PlaylistsOptions) {
    const { signal, layer } = options;
    this.#bridge = bridge;
    this.#options = options;
    this.#wanted = options.playlist ?? "";
    this.#actions = new TrackActions(bridge, options, options.onOpen, options.decks);
    const covers = new CoverArt(bridge, signal);
    this.#entries = new Entries(bridge, {
      changed: () => this.#entriesChanged(),
      failed: (error) => this.#table.failed(error),
    }, signal);
    const steps: Steps = { onNew: () => void this.#create(), onSmart: () => this.#smart(), onImport: () => void this.#import() };
    this.#list = new PlaylistList({
      layer, ...steps,
      onShow: (id) => this.show(id),
      onEnter: () => this.#table.focus(),
      onRename: (id) => this.#rename(id),
      onRemove: (id) => void this.#remove(id),
      menu: (playlist) => this.#menuOf(playlist),
    });
    this.#head = new PlaylistHead({
      covers,
      onBack: () => this.#back(),
      onRename: (name) => void this.#renamed(name),
      onGetAll: () => void getSongs(bridge, options, this.#entries.id, null),
      onExport: () => void this.#export(this.#entries.id),
      onEdit: () => this.#smart(this.#shown),
      onMenu: (x, y) => {
        if (this.#shown) layer.menu(x, y, this.#shown.name, this.#menuOf(this.#shown));
      },
      onAdd: () => addToPlaylist(bridge, options, this.#entries.tracksOf(this.#table.selected), this.#entries.id),
      onTakeOut: () => void this.#takeOut(this.#table.selected),
    });
    this.#table = new EntryTable({
      signal, layer, covers, entries: this.#entries, stage: this.#root,
      onOpen: options.onOpen,
      decks: () => this.#actions.decks(),
      onSelect: (ids) => this.#selected(ids),
      onGet: (ids) => void getSongs(bridge, options, this.#entries.id, ids),
      onTakeOut: (ids) => void this.#takeOut(ids),
      onMove: (ids, place, quiet) => void this.#move(ids, place, quiet),
      onDropOn: (id, ids) => void this.#dropOn(id, ids),
      movable: () => this.#shown?.kind !== "smart",
      menu: (ids) => this.#menuOfEntries(ids),
      empty: () => this.#emptyOne(),
    });
    this.#steps = steps;
    this.#showState(h("p", { class: "is-dim is-late", role: "status" }, "Loading the playlists…"));
    append(this.#detail, this.#head.element, this.#table.element);
    append(this.#root, this.#list.element, this.#detail, this.#state);
    append(el, this.#root);
    this.#listen(signal);
    void this.#load();
  }

  show(id: string): void {
    const known = this.#playlists?.some((playlist) => playlist.id === id);
    this.#wanted = id;
    if (!known) return;
    this.#root.classList.add("is-inside");
    if (id === this.#entries.id) return;
    this.#entries.open(id);
    this.#undo.length = 0;
    this.#list.show(id);
    this.#head.show(this.#shown, []);
    this.#table.reset();
    this.#options.onShow?.(id);
  }

  focus(): void {
    // What is not shown yet takes no focus.
    this.#focusNext = this.#playlists === null;
    if (this.#playlists?.length === 0) this.#state.querySelector("button")?.focus({ preventScroll: true });
    else if (this.#root.classList.contains("is-narrow") && !this.#root.classList.contains("is-inside")) this.#list.focus();
    else this.#table.focus();
  }

  get #shown(): PlaylistRow | null {
    return this.#playlists?.find(({ id }) => id === this.#entries.id) ?? null;
  }

  #listen(signal: AbortSignal): void {
    const resize = new ResizeObserver(() => {
      const { clientWidth: width } = this.#root;
      this.#root.classList.toggle("is-narrow", width > 0 && width < BOTH);
    });
    resize.observe(this.#root);
    const stops = [
      this.#bridge.on("playlists.changed", ({ ids }) => {
        if (ids.length === 0 || ids.includes(this.#entries.id)) this.#stale = true;
        this.#loadSoon();
      }),
      this.#bridge.on("tracks.rows", ({ rows }) => {
        if (this.#entries.update(rows)) this.#table.changed();
      }),
    ];
    this.#root.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement;
      if (event.key === "F2" && !typing) {
        event.preventDefault();
        this.#head.rename();
      }
      // Beside the songs the browser would select the text of the whole page.
      if (!typing && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") event.preventDefault();
      if (typing || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.key.toLowerCase() !== "z") return;
      event.preventDefault();
      event.stopPropagation();
      this.#takeBack();
    }, { signal });
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      resize.disconnect();
      clearTimeout(this.#timer);
      this.#root.remove();
    }, { once: true });
  }

  // What there is

  #loadSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#load();
    }, GATHER);
  }

  async #load(): Promise<void> {
    const asked = (this.#asked += 1);
    try {
      const { result } = await this.#bridge.request("playlists.list", {}, { signal: this.#options.signal });
      if (asked !== this.#asked) return; // a later answer is on its way
      this.#playlists = result.playlists;
    } catch (error) {
      if (this.#playlists) this.#options.layer.failed(error, () => void this.#load());
      else this.#failed(error);
      return;
    }
    const playlists = this.#playlists;
    const stale = this.#stale;
    this.#stale = false;
    this.#root.classList.remove("is-waiting");
    this.#root.classList.toggle("has-none", playlists.length === 0);
    this.#showState(...(playlists.length === 0 ? firstSteps(this.#steps) : []));
    this.#list.update(playlists);
    const has = (id: string) => playlists.some((playlist) => playlist.id === id);
    if (has(this.#wanted) && this.#wanted !== this.#entries.id) {
      this.show(this.#wanted);
    } else if (!has(this.#entries.id)) {
      // It was removed; beside the list there is always one shown.
      const [first] = this.#inOrder(playlists);
      this.#entries.open("");
      if (first) this.show(first.id);
      else this.#table.reset();
      this.#root.classList.remove("is-inside");
    } else if (stale) {
      this.#entries.refresh();
    }
    this.#drawHead();
    // Unless the focus went elsewhere meanwhile.
    if (this.#focusNext && document.activeElement?.contains(this.#root)) this.focus();
    this.#focusNext = false;
    if (this.#renameNext && this.#shown) {
      this.#renameNext = false;
      this.#head.rename();
    }
  }

  /** Nothing could be had of them yet. */
  #failed(error: unknown): void {
    if (isAbort(error)) return;
    const { message, hint } = describe(error);
    const again = h("button", { type: "button", class: "sfa-button is-primary" }, "Try again");
    again.addEventListener("click", () => void this.#load());
    this.#showState(icon("alert"), h("p", { role: "alert" }, message), ...(hint ? [h("p", { class: "is-dim" }, hint)] : []), again);
  }

  #showState(...content: Node[]): void {
    this.#state.replaceChildren(...content);
    this.#state.hidden = content.length === 0;
  }

  /** As the list shows them. */
  #inOrder(playlists: PlaylistRow[]): PlaylistRow[] {
    return (["own", "smart", "imported"] as const).flatMap((kind) => playlists.filter((playlist) => playlist.kind === kind));
  }

  #entriesChanged(): void {
    const { playlist } = this.#entries;
    const at = this.#playlists?.findIndex(({ id }) => id === playlist?.id) ?? -1;
    if (playlist && this.#playlists && at >= 0) {
      this.#playlists[at] = playlist;
      this.#list.update(this.#playlists);
    }
    this.#drawHead();
    this.#table.changed();
  }

  #drawHead(): void {
    const some: PlaylistEntry[] = [];
    for (let place = 0; place < Math.min(LOOKED_AT, this.#entries.total ?? 0); place += 1) {
      const entry = this.#entries.row(place);
      if (entry) some.push(entry);
    }
    this.#head.show(this.#shown, some);
    this.#root.classList.toggle("is-fixed", this.#shown?.kind === "smart");
    this.#selected(this.#table.selected, false);
  }

  #selected(ids: string[], tell = true): void {
    this.#head.chosen(ids.length, this.#shown?.kind !== "smart");
    if (tell) this.#options.onSelect?.(this.#entries.tracksOf(ids));
  }

  #back(): void {
    this.#root.classList.remove("is-inside");
    this.#list.focus();
  }

  // Playlists

  #menuOf(playlist: PlaylistRow): (MenuItem | "-")[] {
    const { id, kind, count, here } = playlist;
    return [
      { label: "Rename", icon: "pencil", keys: "F2", run: () => this.#rename(id) },
      ...(kind === "smart" ? [{ label: "Change the filter…", icon: "smart" as const, run: () => this.#smart(playlist) }] : []),
      ...(count > here ? [{ label: `Get ${plural(count - here, "song")}`, icon: "download" as const, run: () => void getSongs(this.#bridge, this.#options, id, null) }] : []),
      ...(count > 0 ? [{ label: "Export M3U8", icon: "upload" as const, run: () => void this.#export(id) }] : []),
      "-",
      { label: "Remove", icon: "trash", danger: true, keys: "Del", run: () => void this.#remove(id) },
    ];
  }

  async #create(): Promise<void> {
    const names = new Set(this.#playlists?.map(({ name }) => name));
    let name = "New playlist";
    for (let number = 2; names.has(name); number += 1) name = `New playlist ${number}`;
    await this.#try(async () => {
      const { result } = await this.#bridge.request("playlists.create", { name }, { signal: this.#options.signal });
      this.#wanted = result.playlist.id;
      this.#renameNext = true;
      await this.#load();
    });
  }

  #smart(playlist: PlaylistRow | null = null): void {
    smartDialog(this.#bridge, this.#options, {
      ...(playlist && { playlist }),
      done: ({ id }) => {
        this.#wanted = id;
        this.#stale = true;
        void this.#load();
      },
    });
  }

  async #import(): Promise<void> {
    await this.#try(async () => {
      const module = await this.#options.load("sources") as typeof import("../sources/index");
      module.openImport(this.#bridge, { ...this.#options, onPlaylist: (id) => this.show(id) }, { tab: "link" });
    });
  }

  #rename(id: string): void {
    this.show(id);
    this.#head.rename();
  }

  async #renamed(name: string): Promise<void> {
    const { id } = this.#entries;
    const before = this.#shown?.name ?? "";
    const set = async (to: string) => {
      await this.#bridge.request("playlists.rename", { id, name: to }, { signal: this.#options.signal });
      await this.#load();
    };
    await this.#try(async () => {
      const asked = set(name);
      this.#remember(asked, () => set(before));
      await asked;
    });
    this.#drawHead();
  }

  async #remove(id: string): Promise<void> {
    const playlist = this.#playlists?.find((each) => each.id === id);
    const { signal } = this.#options;
    const restore = async () => {
      await this.#bridge.request("playlists.restore", { id }, { signal });
      this.#wanted = id;
      await this.#load();
    };
    await this.#try(async () => {
      const inList = this.#list.element.contains(document.activeElement);
      const order = this.#inOrder(this.#playlists ?? []);
      const at = order.findIndex((each) => each.id === id);
      const asked = this.#bridge.request("playlists.remove", { id }, { signal });
      await asked;
      if (id === this.#entries.id) this.#wanted = (order[at + 1] ?? order[at - 1])?.id ?? "";
      await this.#load();
      this.#root.classList.remove("is-inside");
      if (inList) this.#list.focus();
      // Remembered last: another one is shown by now, which has forgotten what was done to the one before.
      this.#tell(`Removed “${playlist?.name ?? "the playlist"}”. Its songs stay in the library.`, this.#remember(asked, restore));
    });
  }

  async #export(id: string): Promise<void> {
    await this.#try(async () => {
      const { result, buffers } = await this.#bridge.request("playlists.export", { id }, { signal: this.#options.signal });
      saveBytes(buffers[0], "audio/x-mpegurl", result.name);
    });
  }

  // Entries

  #menuOfEntries(ids: string[]): (MenuItem | "-")[] {
    const tracks = this.#entries.tracksOf(ids);
    const chosen = ids.flatMap((id) => {
      const at = this.#entries.indexOf(id);
      return (at === undefined ? undefined : this.#entries.row(at)) ?? [];
    });
    const missing = chosen.filter(({ track, song }) => !track && (song?.state === "absent" || song?.state === "failed"));
    const [first] = tracks;
    const url = chosen.length === 1 ? pageAddress(chosen[0]?.song?.url) : null;
    const own = this.#shown?.kind !== "smart";
    const items: (MenuItem | "-")[] = [];
    if (ids.length === 1 && first !== undefined) items.push({ label: "Open", icon: "open", keys: "↵", run: () => this.#options.onOpen(first) }, ...deckItems(this.#actions.decks(), first));
    if (missing.length > 0) {
      items.push({
        label: missing.length === 1 ? "Get it" : `Get ${plural(missing.length, "song")}`, icon: "download",
        run: () => void getSongs(this.#bridge, this.#options, this.#entries.id, missing.map(({ id }) => id)),
      });
    }
    if (url) items.push({ label: "Show where it is from", icon: "link", run: () => window.open(url, "_blank", "noopener,noreferrer") });
    if (tracks.length > 0) {
      items.push(
        { label: "Add to playlist…", icon: "plus", run: () => addToPlaylist(this.#bridge, this.#options, tracks, this.#entries.id) },
        { label: "Separate + analyse", icon: "split", run: () => void this.#actions.run(tracks, ALL_STAGES) },
        { label: "Export…", icon: "upload", run: () => this.#actions.export(tracks) },
      );
    }
    if (own) {
      if (items.length > 0) items.push("-");
      items.push(
        { label: "Move up", icon: "up", keys: "Alt ↑", run: () => this.#table.nudge("up") },
        { label: "Move down", icon: "down", keys: "Alt ↓", run: () => this.#table.nudge("down") },
        { label: "Move to the top", icon: "up", keys: "Alt Home", run: () => this.#table.nudge("top") },
        { label: "Move to the end", icon: "down", keys: "Alt End", run: () => this.#table.nudge("end") },
        "-",
        { label: ids.length === 1 ? "Take out" : `Take out ${plural(ids.length, "song")}`, icon: "trash", danger: true, keys: "Del", run: () => void this.#takeOut(ids) },
      );
    }
    return items;
  }

  async #takeOut(ids: string[]): Promise<void> {
    const { layer, signal } = this.#options;
    const { id } = this.#entries;
    if (ids.length === 0) return;
    if (this.#shown?.kind === "smart") {
      const edit = { label: "Change it…", run: () => this.#smart(this.#shown) };
      layer.toast("info", "What is in a smart playlist, its filter decides.", { action: edit });
      return;
    }
    await this.#try(async () => {
      this.#table.clear();
      const asked = this.#entries.change(
        () => this.#entries.showWithout(ids),
        () => this.#bridge.request("playlists.take_out", { id, entries: ids }, { signal }),
      );
      const back = this.#remember(asked, async () => {
        await this.#bridge.request("playlists.put_back", { id, entries: ids }, { signal });
        this.#stale = true;
        this.#loadSoon();
      });
      await asked;
      this.#tell(`Took ${plural(ids.length, "song")} out of the playlist.`, back);
    });
  }

  async #move(ids: string[], place: number, quiet: boolean): Promise<void> {
    const { signal } = this.#options;
    const { id } = this.#entries;
    await this.#try(async () => {
      // Without a pause where it can be told: a key that is held down moves from where the last press left it.
      const to = place - (this.#entries.before(place, ids) ?? await this.#entries.askBefore(place, ids, signal));
      const places = ids.map((each) => this.#entries.indexOf(each));
      if (places.every((at) => at !== undefined && at >= to && at < to + ids.length)) return; // they are there
      const asked = this.#entries.change(
        () => this.#entries.showMoved(ids, to),
        () => this.#bridge.request("playlists.move", { id, entries: ids, to }, { signal }),
      );
      this.#table.follow();
      this.#table.say(`Moved to place ${(to + 1).toLocaleString("en-GB")}`);
      const back = this.#remember(asked, async ({ result }) => {
        await this.#bridge.request("playlists.order", { id, entries: result.before }, { signal });
        this.#entries.refresh();
      });
      await asked;
      if (!quiet) this.#tell(`Moved ${plural(ids.length, "song")}.`, back);
    });
  }

  async #dropOn(id: string, ids: string[]): Promise<void> {
    const playlist = this.#playlists?.find((each) => each.id === id);
    const tracks = this.#entries.tracksOf(ids);
    if (!playlist) return;
    if (tracks.length === 0) this.#options.layer.toast("info", "Only songs that are here can go into another playlist.");
    else await this.#try(() => addTracks(this.#bridge, this.#options, playlist, tracks));
  }

  #emptyOne(): Node[] {
    const { onLibrary } = this.#options;
    const button = (label: string, run: () => void) => {
      const element = h("button", { type: "button", class: "sfa-button is-primary" }, label);
      element.addEventListener("click", run);
      return element;
    };
    if (this.#shown?.kind === "smart") {
      return [
        h("p", {}, "No track fits yet."), h("p", { class: "is-dim" }, "It fills by itself as tracks come that do."),
        button("Change the filter…", () => this.#smart(this.#shown)),
      ];
    }
    return [
      h("p", {}, "Nothing in here yet."),
      h("p", { class: "is-dim" }, "Select tracks in the library, then choose “Add to playlist…” from their menu."),
      ...(onLibrary ? [button("Go to the library", onLibrary)] : []),
    ];
  }

  // The way back

  /**
   * Keeps a way back for the key, from the moment that a change is asked for: a quick hand takes back the last one, not
   * the one before it. Answers the same for a button. It is gone once, or when the change fails.
   */
  #remember<T>(asked: Promise<T>, undo: (answer: T) => Promise<unknown>): () => void {
    let over = false;
    const forget = () => {
      over = true;
      const at = this.#undo.indexOf(once);
      if (at >= 0) this.#undo.splice(at, 1);
    };
    const once = () => {
      if (over) return;
      forget();
      // One after the other, the last change first.
      this.#undoing = this.#undoing.then(() => asked).then((answer) => this.#try(() => undo(answer)), () => undefined);
    };
    this.#undo.push(once);
    if (this.#undo.length > UNDO) this.#undo.shift();
    asked.catch(forget);
    return once;
  }

  #takeBack(): void {
    this.#untell();
    this.#undo.at(-1)?.();
  }

  /** One message of this kind at a time: the last is what a person means to take back. */
  #tell(text: string, undo: () => void): void {
    this.#untell();
    this.#untell = this.#options.layer.toast("info", text, { action: { label: "Undo", run: undo } });
  }

  async #try(run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!isAbort(error)) this.#options.layer.failed(error);
    }
  }
}
