/** The dashboard: rail, top bar, views, inspector and the player that survives every change of view. */

import { acceptFiles } from "../adding/drop";
import { mountUploads } from "../adding/uploads";
import type { Bridge } from "../bridge";
import { append, h, setAttribute } from "../dom";
import { openExport } from "../exporting/index";
import { icon, type IconName } from "../icons";
import { mountInspector } from "../inspector/inspector";
import type { DecksHandle } from "../decks/view";
import type { JobsHandle, JobsOptions } from "../jobs/board";
import { JobsFeed } from "../jobs/feed";
import { mountLibrary } from "../library/table";
import type { PlaylistsHandle } from "../playlists/view";
import type { StripOptions, StripSlots } from "../player/stems";
import { withDialogs } from "../dialogs/host";
import { openSeparate } from "../separate/index";
import { acceptLinks, type ImportOptions, openImport } from "../sources/open";
import type { Notice, PlayerHandle, PlayerState, TrackRow } from "../types";
import { Layer } from "../ui/layer";
import { tell } from "../ui/notify";
import type { State } from "../widget";
import "./dashboard.css";
import { familyLoader, type Load, mountLater } from "./lazy";
import { mountPictures } from "./pictures";
import { Router, type ViewName, VIEWS } from "./router";
import { mountSettings } from "./settings";
import { mountTopbar } from "./topbar";

/** How often the position goes to the kernel while it plays. */
const POSITION_MS = 500;
/** Below this width the inspector is a sheet. */
const SHEET = 900;
/** How long "g" waits for the letter of a view. */
const GO_MS = 1200;

export interface PlayerParts {
  mountPlayer(
    el: HTMLElement, bridge: Bridge, options: { signal: AbortSignal; transport?: boolean; stems?: StripOptions },
  ): PlayerHandle;
  mountTransport(el: HTMLElement, bridge: Bridge, options: { signal: AbortSignal; player: PlayerHandle }): unknown;
}

/** What the bundle of the mixer exports. */
interface MixerModule {
  mountSets(strip: StripSlots): void;
}

/** What the bundle of the job board exports. */
interface JobsModule {
  mountJobs(el: HTMLElement, bridge: Bridge, options: JobsOptions): JobsHandle;
}

/** What the bundle of playlists exports. */
type PlaylistsModule = typeof import("../playlists/index");

/** What the bundle of the decks exports. */
type DecksModule = typeof import("../decks/index");

export interface DashboardOptions extends PlayerParts {
  signal: AbortSignal;
  /** Where parts that are seldom looked at come from; the kernel, if not said. */
  load?: Load;
  state: State;
  /** The page is ours alone: fill it, and let the address name the view. */
  wholePage: boolean;
}

const LABELS: Record<ViewName, { label: string; icon: IconName; key: string }> = {
  library: { label: "Library", icon: "library", key: "l" },
  playlists: { label: "Playlists", icon: "playlists", key: "p" },
  studio: { label: "Studio", icon: "studio", key: "s" },
  decks: { label: "Decks", icon: "disc", key: "d" },
  jobs: { label: "Jobs", icon: "jobs", key: "j" },
  settings: { label: "Settings", icon: "settings", key: "," },
};

export function mountDashboard(el: HTMLElement, bridge: Bridge, options: DashboardOptions): void {
  const { signal, state, wholePage } = options;
  const layer = new Layer(signal);
  const feed = new JobsFeed(bridge, signal);
  const load = options.load ?? familyLoader(el, bridge, signal);

  // The frame

  const views = Object.fromEntries(VIEWS.map((name) => [
    name, h("section", { class: "sfa-view", "data-view": name, "aria-label": LABELS[name].label, tabindex: -1 }),
  ])) as Record<ViewName, HTMLElement>;
  const tabs = Object.fromEntries(VIEWS.map((name) => [
    name, h("button", { type: "button", "data-go": name }, icon(LABELS[name].icon), h("span", {}, LABELS[name].label)),
  ])) as Record<ViewName, HTMLButtonElement>;
  const rail = h("nav", { class: "sfa-rail", "aria-label": "Views" }, brand(), ...VIEWS.map((name) => tabs[name]));
  const topbar = h("header", { class: "sfa-topbar" });
  const main = h("main", { class: "sfa-main" }, ...VIEWS.map((name) => views[name]));
  const closeSheet = h(
    "button", { type: "button", class: "sfa-button is-quiet is-icon sfa-sheet-close", "aria-label": "Close the details" },
    icon("close"),
  );
  const aside = h("aside", { class: "sfa-aside", "aria-label": "Details", tabindex: -1 }, closeSheet);
  const veil = h("div", { class: "sfa-veil" });
  const transport = h("footer", { class: "sfa-transport", "aria-label": "Player" });
  const app = h(
    "div", { class: wholePage ? "sfa-app is-page" : "sfa-app" },
    h("div", { class: "sfa-app-grid" }, rail, topbar, main, veil, aside, transport),
  );
  append(el, app);

  // Parts

  const player = options.mountPlayer(views.studio, bridge, {
    signal, transport: false,
    stems: {
      layer,
      separate: (request) => void openSeparate(bridge, { layer, load, signal }, request),
      take: (what) => void openExport(bridge, { layer, load, signal }, what),
      // The faders work without it; it comes with the first song that has stems.
      sets(strip) {
        const attempt = () => void load("mixer").then(
          (module) => (module as MixerModule).mountSets(strip), (error: unknown) => layer.failed(error, attempt),
        );
        attempt();
      },
    },
  });
  options.mountTransport(transport, bridge, { signal, player });
  let playing: PlayerState | null = null;
  signal.addEventListener("abort", player.onState((now) => { playing = now; }), { once: true });
  followPlayer(player, state, signal);

  const open = (id: string, opts: { play?: boolean } = {}) =>
    player.open(id, opts).catch((error: unknown) => layer.failed(error, () => void open(id, opts)));
  const openInStudio = (id: string) => {
    setSheet(false);
    router.go("studio");
    void open(id);
  };

  const select = (id: string) => {
    router.go("library");
    library.select([id]);
    inspector.show([id], null);
  };

  const uploads = mountUploads(app, bridge, layer, signal);
  const bringIn = (choice?: ImportOptions) => void openImport(bridge, {
    layer, load, signal, uploads,
    onPlaylist(id) {
      router.go("playlists");
      void wantPlaylists().then((view) => view.show(id));
    },
  }, choice);
  acceptLinks(wholePage ? document : el, (text) => bringIn({ text }), signal);
  acceptFiles(wholePage ? window : el, app, (files) => {
    router.go("library");
    void uploads.add(files);
  }, signal);

  let lastPointer = 0;
  const library = mountLibrary(views.library, bridge, {
    signal, layer, load,
    search: false,
    query: state.get<string>("query"),
    onOpen: openInStudio,
    onAdd: () => bringIn(),
    decks: () => decks,
    onQuery(query) {
      bar.setQuery(query);
      state.set("query", query);
    },
    onSelect(ids: string[], row: TrackRow | null) {
      state.set("selection", ids);
      inspector.show(ids, row);
      // A tap asks for details; arrow keys only walk past.
      if (ids.length === 1 && narrow() && performance.now() - lastPointer < 400) setSheet(true);
    },
  });
  views.library.addEventListener("click", (event) => {
    const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey;
    const onAction = event.target instanceof Element && event.target.closest("button") !== null;
    lastPointer = plain && !onAction ? performance.now() : 0;
  }, { signal, capture: true });

  const inspector = mountInspector(aside, bridge, {
    signal, layer,
    actions: library.actions,
    onPlay: (id) => void open(id, { play: true }),
    async onSeek(id, seconds) {
      if (playing?.trackId !== id) await open(id);
      player.seek(seconds);
    },
    onTrack: select,
  });

  const pictures = mountPictures(views.studio, bridge, { signal, player, load });

  let jobs: Promise<JobsHandle> | null = null;
  const wantJobs = () => (jobs ??= mountLater(views.jobs, "the job board", () => load("jobs"), (module) =>
    (module as JobsModule).mountJobs(views.jobs, bridge, {
      signal, layer, feed,
      onTrack(id) {
        select(id);
        if (narrow()) setSheet(true);
      },
    })));
  let playlists: Promise<PlaylistsHandle> | null = null;
  let inPlaylist: string[] = [];
  const wantPlaylists = () => (playlists ??= mountLater(views.playlists, "the playlists", () => load("playlists"), (module) =>
    (module as PlaylistsModule).mountPlaylists(views.playlists, bridge, {
      signal, layer, load, uploads, onOpen: openInStudio, onLibrary: () => router.go("library"), decks: () => decks,
      onSelect(tracks) {
        inPlaylist = tracks;
        if (router.view === "playlists") inspector.show(tracks, null);
      },
    })));
  let desk: Promise<DecksHandle> | null = null;
  const wantDecks = () => (desk ??= mountLater(views.decks, "the decks", () => load("decks"), (module) =>
    (module as DecksModule).mountDecks(views.decks, bridge, {
      signal, layer, keys: wholePage ? document : el,
      library(host, loadFree) {
        mountLibrary(host, bridge, { signal, layer, load, search: true, onOpen: loadFree, onAdd: () => bringIn(), decks: () => decks });
      },
    })));
  const decks = {
    load(deck: number, id: string) {
      void wantDecks().then((view) => view.load(deck, id));
      if (router.view === "decks") return;
      layer.toast("info", `Loads into deck ${"ABCD"[deck - 1]}.`, { action: { label: "Show the decks", run: () => router.go("decks") } });
    },
  };
  const showJobs = (group: "failed" | "history") => {
    router.go("jobs");
    void wantJobs().then((board) => board.show(group));
  };
  const settings = mountSettings(views.settings, bridge, { signal, load, layer, uploads, showKeys });

  const bar = mountTopbar(topbar, {
    signal, feed,
    query: state.get<string>("query"),
    onQuery(query) {
      router.go("library");
      library.setQuery(query);
    },
    onLeaveSearch() {
      router.go("library");
      library.focus();
    },
    onAdd: () => bringIn(),
    onJobs: () => router.go("jobs"),
    onShowJobs: showJobs,
  });

  // Views

  let shown = false;
  const show = (view: ViewName) => {
    for (const name of VIEWS) {
      views[name].hidden = name !== view;
      setAttribute(tabs[name], "aria-current", name === view ? "page" : null);
    }
    app.dataset.view = view;
    if (view !== "library") setSheet(false);
    if (view === "settings") settings.refresh();
    if (view === "studio") pictures.seen();
    if (view === "jobs") void wantJobs();
    if (view === "decks") void wantDecks();
    if (view === "playlists") {
      inspector.show(inPlaylist, null);
      void wantPlaylists();
    } else if (view === "library" && shown) inspector.show(state.get<string[]>("selection"), null);
    // The keys of a view work at once; a press on the rail keeps its own focus, and so does the page at its start.
    if (shown && !rail.contains(document.activeElement)) {
      if (view === "library") library.focus();
      else views[view].focus({ preventScroll: true });
      // A board that comes late takes no focus that went elsewhere meanwhile.
      if (view === "jobs" || view === "playlists" || view === "decks") {
        void (view === "jobs" ? wantJobs() : view === "decks" ? wantDecks() : wantPlaylists()).then((part) => {
          if (document.activeElement === views[view]) part.focus();
        });
      }
    }
    shown = true;
  };
  const router = new Router(wholePage, show, signal);
  rail.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-go]") : null;
    if (target) router.go(target.dataset.go as ViewName);
  }, { signal });
  show(router.view);

  // The sheet

  function narrow(): boolean {
    return app.clientWidth < SHEET;
  }
  function setSheet(opened: boolean): void {
    if (app.classList.contains("has-sheet") === opened) return;
    app.classList.toggle("has-sheet", opened);
    if (opened) aside.focus({ preventScroll: true });
    else library.focus();
  }
  closeSheet.addEventListener("click", () => setSheet(false));
  veil.addEventListener("click", () => setSheet(false));
  aside.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !app.classList.contains("has-sheet")) return;
    event.stopPropagation();
    setSheet(false);
  });

  // Toasts must not cover the player
  const resize = new ResizeObserver(() => {
    layer.lift = wholePage ? transport.offsetHeight : 0;
  });
  resize.observe(app);
  resize.observe(transport);
  signal.addEventListener("abort", () => {
    resize.disconnect();
    app.remove();
  }, { once: true });

  // Keys

  function showKeys(): void {
    void withDialogs({ layer, load, signal }, ({ keyMap }) => layer.dialog("Keys", keyMap()));
  }
  let going = 0;
  (wholePage ? document : el).addEventListener("keydown", ((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const view = performance.now() - going < GO_MS
      ? VIEWS.find((name) => LABELS[name].key === event.key.toLowerCase())
      : undefined;
    going = 0;
    if (view) router.go(view);
    else if (event.key === "/") bar.focusSearch();
    else if (event.key === "?") showKeys();
    else if (event.key === "g") going = performance.now();
    else if (event.key === "i" && narrow() && router.view === "library") setSheet(!app.classList.contains("has-sheet"));
    else if (event.key === " " && !onControl(event.target)) {
      if (playing?.trackId == null) return;
      if (playing.playing) player.pause();
      else player.play();
    } else return;
    event.preventDefault();
  }) as EventListener, { signal });

  // From the kernel

  const notice = (heard: Notice) => {
    bar.notice(heard);
    tell(heard, layer, showJobs);
  };
  const stops = [
    bridge.on("notice", notice),
    bridge.on("player.open", ({ id }) => openInStudio(id)),
    bridge.on("player.play", () => player.play()),
    bridge.on("player.pause", () => player.pause()),
    bridge.on("player.seek", ({ time }) => player.seek(time)),
  ];
  signal.addEventListener("abort", () => { for (const stop of stops) stop(); }, { once: true });
  state.on("query", () => {
    bar.setQuery(state.get<string>("query"));
    library.setQuery(state.get<string>("query"));
  });
  state.on("selection", () => library.select(state.get<string[]>("selection")));
  const first = state.get<string>("track_id");
  if (first !== "") void open(first);
}

/** Writes what plays into the traits: transitions at once, the position at most twice a second. */
export function followPlayer(player: PlayerHandle, state: State, signal: AbortSignal): void {
  let sentAt = 0;
  const stop = player.onState(({ trackId, playing, position, selection }) => {
    const set = (name: string, value: unknown) => {
      if (state.get(name) !== value) state.set(name, value);
    };
    const changed = state.get("playing") !== playing || state.get("track_id") !== (trackId ?? "");
    set("track_id", trackId ?? "");
    set("playing", playing);
    const marked = selection ?? [];
    if (String(state.get("time_selection")) !== String(marked)) state.set("time_selection", marked);
    const now = performance.now();
    if (changed || now - sentAt >= POSITION_MS) {
      sentAt = now;
      set("position", position);
    }
  });
  signal.addEventListener("abort", stop, { once: true });
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement
    && (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
      || (target instanceof HTMLInputElement && !["radio", "checkbox", "range", "button"].includes(target.type)));
}

/** Whether space has a meaning of its own where the focus is. */
function onControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a, input, summary, [role='slider'], dialog") !== null;
}

function brand(): HTMLElement {
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", "M7 13v6M12 9v14M17 5v22M22 11v10M27 14v4");
  svg.append(path);
  const mark = h("div", { class: "sfa-brand", title: "Sound Forge Alchemy" });
  mark.append(svg);
  return mark;
}
