/** Bringing songs in: files, a link, a folder, Spotify's playlists; what is done with them; how far it is. */

import { mountUploads, type Uploads } from "../adding/uploads";
import { type Bridge, isAbort } from "../bridge";
import type { DialogHost } from "../dialogs/host";
import "../dialogs/dialogs.css";
import { append, h, setText, uniqueId } from "../dom";
import { icon, type IconName } from "../icons";
import "../services/services.css";
import { followTheme } from "../theme";
import type { Layer } from "../ui/layer";
import { BrowserPart } from "./browser";
import { FilesPart } from "./files";
import { LinkPart } from "./link";
import { fault, mark, type MarkName, press, why } from "./marks";
import { isLink } from "./open";
import type { Action, Context, Part, Started, Tab } from "./part";
import { PlacePart } from "./place";
import { ImportProgress } from "./progress";
import "./sources.css";
import { StageChoice } from "./stages";

export interface ImportHost {
  layer: Layer;
  signal: AbortSignal;
  /** Where files are sent from; without it they are sent from a card of their own. */
  uploads?: Uploads | undefined;
  /** Leads to a playlist, where there is such a place. */
  onPlaylist?(id: string): void;
}

export interface ImportOptions {
  tab?: Tab;
  /** A link that is looked at at once. */
  text?: string;
}

const TABS: { tab: Tab; label: string; icon?: IconName; mark?: MarkName }[] = [
  { tab: "files", label: "Files", mark: "file" },
  { tab: "link", label: "Link", icon: "link" },
  { tab: "folder", label: "Folder", mark: "folder" },
  { tab: "spotify", label: "Spotify", mark: "list" },
];
const KEY = "sfa.import.tab";

export class ImportPanel {
  readonly element = h("div", { class: "sfa-work sfa-import" });
  readonly #bridge: Bridge;
  readonly #signal: AbortSignal;
  readonly #context: Context;
  /** Those that were wanted: what nobody looks at asks for nothing. */
  readonly #parts: { files?: FilesPart; link?: LinkPart; folder?: PlacePart; spotify?: BrowserPart } = {};
  readonly #tabs = h("div", { class: "sfa-segments sfa-ways", role: "radiogroup", "aria-label": "Where the songs are" });
  readonly #inputs = new Map<Tab, HTMLInputElement>();
  readonly #stage = h("div", { class: "sfa-way" });
  readonly #stages = new StageChoice();
  readonly #go = h("button", { type: "button", class: "sfa-button is-primary" }, "Add");
  readonly #fault = h("div");
  readonly #body: HTMLElement;
  readonly #foot = h("footer");
  readonly #close: HTMLElement | null;
  readonly #onPlaylist: ImportHost["onPlaylist"];
  #tab: Tab;
  #progress: AbortController | null = null;
  #sending = false;

  /** `close` takes the window away that this is in; without it, this stays in its cell. */
  constructor(bridge: Bridge, host: ImportHost & { uploads: Uploads }, options: ImportOptions, close: (() => void) | null) {
    this.#bridge = bridge;
    this.#signal = host.signal;
    this.#onPlaylist = host.onPlaylist;
    this.#close = close && press("Cancel", close);
    this.#context = {
      bridge, signal: host.signal, layer: host.layer, uploads: host.uploads,
      changed: () => this.#drawAction(),
      go: (tab, text) => {
        if (text !== undefined) this.#link.text = text;
        this.show(tab);
      },
    };
    this.#drawTabs();
    this.#go.addEventListener("click", () => void this.#run(close));
    this.#body = h("div", { class: "sfa-work-body" }, this.#tabs, this.#stage, this.#fault);
    this.#tab = options.tab ?? (options.text === undefined ? rememberedTab() : "link");
    if (options.text !== undefined) this.#link.text = options.text;
    this.#listen();
    this.#back();
  }

  get #files(): FilesPart {
    return (this.#parts.files ??= new FilesPart(this.#context));
  }

  get #link(): LinkPart {
    return (this.#parts.link ??= new LinkPart(this.#context));
  }

  #part(tab: Tab): Part {
    if (tab === "files") return this.#files;
    if (tab === "link") return this.#link;
    if (tab === "folder") return (this.#parts.folder ??= new PlacePart(this.#context));
    return (this.#parts.spotify ??= new BrowserPart(this.#context));
  }

  /** Shows one of the ways in; a cell that is merely shown takes no focus. */
  show(tab: Tab = this.#tab, focus = true): void {
    this.#tab = tab;
    try {
      localStorage.setItem(KEY, tab);
    } catch {
      // storage is switched off: the first way is shown next time
    }
    const input = this.#inputs.get(tab);
    const walking = this.#tabs.contains(document.activeElement);
    if (input) input.checked = true;
    const part = this.#part(tab);
    this.#stage.replaceChildren(part.element);
    this.#fault.replaceChildren();
    this.#drawAction();
    part.seen();
    if (!focus) return;
    part.focus();
    // Arrow keys walk along the ways; the focus stays with them.
    if (walking || !this.element.contains(document.activeElement)) input?.focus({ preventScroll: true });
  }

  #drawTabs(): void {
    const name = uniqueId("way");
    for (const { tab, label, icon: known, mark: own } of TABS) {
      const input = h("input", { type: "radio", name, value: tab });
      input.addEventListener("change", () => this.show(tab));
      this.#inputs.set(tab, input);
      append(this.#tabs, h("label", {}, input, h("span", {}, known ? icon(known) : own ? mark(own) : null, label)));
    }
  }

  get #action(): Action | null {
    return this.#parts[this.#tab]?.action ?? null;
  }

  #drawAction(): void {
    const action = this.#action;
    setText(this.#go, action?.label ?? "Add");
    this.#go.disabled = action === null || this.#sending;
    // Where no song can come, there is nothing to choose for it.
    const wanted = action?.stages ?? (this.#tab === "files" || this.#tab === "folder");
    this.#stages.element.classList.toggle("is-idle", !wanted);
  }

  async #run(close: (() => void) | null): Promise<void> {
    const action = this.#action;
    if (action === null || this.#sending) return;
    this.#sending = true;
    this.#drawAction();
    this.#fault.replaceChildren();
    const { stages } = this.#stages;
    try {
      const work = await action.run(stages);
      this.#sending = false;
      if (work === null) close?.();
      else this.#watch(work, action.stages ? stages.length : 0, close);
    } catch (error) {
      if (isAbort(error)) return;
      this.#fault.replaceChildren(fault(why(error)));
      this.#fault.scrollIntoView({ block: "nearest" });
    } finally {
      this.#sending = false;
      this.#drawAction();
    }
  }

  // What was begun

  #watch(work: Started, stages: number, close: (() => void) | null): void {
    if (work.batches.length === 0 && work.jobs.length === 0) {
      this.#fault.replaceChildren(h("p", { class: "is-ok", role: "status" }, icon("check"), "There is nothing new: all of it is here already."));
      return;
    }
    const end = (this.#progress = new AbortController());
    const signal = AbortSignal.any([this.#signal, end.signal]);
    const more = press("Add more", () => {
      this.#back();
      this.show();
    });
    const leave = press("Close", () => close?.(), { primary: true });
    const pause = press("Pause", () => {
      pause.disabled = true;
      progress.pause(!progress.paused).catch(failed).finally(() => {
        pause.disabled = false;
        setText(pause, progress.paused ? "Resume" : "Pause");
      });
    });
    const stop = press("Stop", () => {
      stop.disabled = true;
      progress.stop().catch(failed).finally(() => { stop.disabled = false; });
    });
    let playlist: string | undefined;
    const show = press("Show the playlist", () => {
      close?.();
      this.#onPlaylist?.(playlist as string);
    }, { mark: "list" });
    show.hidden = true;
    const words = h("div");
    const failed = (error: unknown) => { if (!isAbort(error)) words.replaceChildren(fault(why(error))); };
    const progress: ImportProgress = new ImportProgress(this.#bridge, {
      signal, started: work, stages,
      leave: close ? "This goes on when you close the window; the ring on top shows how far it is." : "This goes on by itself.",
      ended: (over, brought) => {
        pause.hidden = stop.hidden = over || work.batches.length === 0;
        setText(leave, over ? "Done" : "Close");
        playlist = brought?.playlists[0]?.id;
        show.hidden = playlist === undefined || this.#onPlaylist === undefined;
      },
    });
    append(progress.element, words);
    this.element.replaceChildren(progress.element, this.#foot);
    this.#foot.replaceChildren(
      h("div", { class: "sfa-line" }, pause, stop, show),
      h("div", { class: "sfa-work-buttons" }, more, ...(close ? [leave] : [])),
    );
    (close ? leave : more).focus({ preventScroll: true });
  }

  /** Shows the ways in, in place of what was begun. */
  #back(): void {
    this.#progress?.abort();
    this.element.replaceChildren(this.#body, this.#foot);
    this.#foot.replaceChildren(
      this.#stages.element, h("div", { class: "sfa-work-buttons" }, ...(this.#close ? [this.#close] : []), this.#go),
    );
  }

  // Dropping and pasting anywhere in it

  #listen(): void {
    const node = this.element;
    const isFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const options = { signal: this.#signal };
    node.addEventListener("paste", (event) => {
      if (event.target instanceof HTMLInputElement && ["text", "password", "search"].includes(event.target.type)) return;
      const text = event.clipboardData?.getData("text/plain").trim() ?? "";
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 && !isLink(text)) return;
      event.preventDefault();
      if (files.length > 0) {
        this.#files.add(files);
        this.show("files");
      } else {
        this.#link.text = text;
        this.show("link");
      }
    }, options);
    for (const type of ["dragenter", "dragover"] as const) {
      node.addEventListener(type, (event) => {
        if (!isFiles(event)) return;
        event.preventDefault();
        event.stopPropagation(); // the page would take them too
        this.#files.dropping = true;
      }, options);
    }
    node.addEventListener("dragleave", (event) => {
      if (isFiles(event)) event.stopPropagation();
      if (!(event.relatedTarget instanceof Node && node.contains(event.relatedTarget))) this.#files.dropping = false;
    }, options);
    node.addEventListener("drop", (event) => {
      this.#files.dropping = false;
      if (!isFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      this.show("files");
      void this.#files.drop(event.dataTransfer);
    }, options);
  }
}

function rememberedTab(): Tab {
  try {
    return TABS.find(({ tab }) => tab === localStorage.getItem(KEY))?.tab ?? "files";
  } catch {
    return "files"; // storage is switched off
  }
}

/** Opens the window that brings songs in. */
export function openImport(bridge: Bridge, host: Omit<DialogHost, "load"> & ImportHost, options: ImportOptions = {}): void {
  const end = new AbortController();
  const signal = AbortSignal.any([host.signal, end.signal]);
  const uploads = host.uploads ?? floatingUploads(bridge, host);
  const panel = new ImportPanel(bridge, { ...host, signal, uploads }, options, () => dialog.close());
  const dialog = host.layer.dialog("Add music", panel.element);
  dialog.classList.add("sfa-work");
  dialog.addEventListener("close", () => end.abort());
  host.signal.addEventListener("abort", () => dialog.close(), { once: true, signal: end.signal });
  panel.show();
}

const floating = new WeakMap<Layer, Uploads>();

/** A page without a card of its own for what it sends gets one that outlives the window. */
function floatingUploads(bridge: Bridge, { layer, signal }: ImportHost): Uploads {
  let uploads = floating.get(layer);
  if (!uploads) {
    const host = h("div", { class: "sfa sfa-afloat" });
    followTheme(host, signal);
    document.body.append(host);
    signal.addEventListener("abort", () => host.remove(), { once: true });
    floating.set(layer, (uploads = mountUploads(host, bridge, layer, signal)));
  }
  return uploads;
}
