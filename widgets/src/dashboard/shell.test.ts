import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DecksOptions } from "../decks/view";
import { type PlayerModel, register } from "../player/model";
import { FakeBridge, FakeModel, type FakeHandlers } from "../testing/fake";
import { FakePlaylists, playlistRow, tracksOf } from "../testing/playlists";
import { jobLists, jobRow, library, overview, trackRow } from "../testing/rows";
import type { PlayerHandle, PlayerState } from "../types";
import type { State } from "../widget";
import { followPlayer, mountDashboard } from "./shell";

const IDLE: PlayerState = { trackId: null, playing: false, position: 0, duration: 0, selection: null };

class FakePlayer implements PlayerHandle {
  state = IDLE;
  readonly seeks: number[] = [];
  readonly #listeners = new Set<(state: PlayerState) => void>();

  open(trackId: string, { play = false }: { play?: boolean } = {}): Promise<void> {
    this.tell({ trackId, playing: play, position: 0, duration: 187 });
    return Promise.resolve();
  }

  play(): void { this.tell({ playing: true }); }

  pause(): void { this.tell({ playing: false }); }

  seek(seconds: number): void { this.seeks.push(seconds); }

  onState(callback: (state: PlayerState) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  tell(change: Partial<PlayerState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.#listeners) listener(this.state);
  }
}

function stateOf(model: FakeModel): State {
  return {
    get: <T>(name: string) => model.get(name) as T,
    set(name, value) {
      model.set(name, value);
      model.save_changes();
    },
    on(name, callback) {
      model.on(`change:${name}`, callback);
      return () => model.off(`change:${name}`, callback);
    },
  };
}

const TRAITS = { selection: [], query: "", track_id: "", position: 0, playing: false, time_selection: [] };
const JOBS = [jobRow("waits"), jobRow("runs", { status: "processing" })];

describe("the dashboard", () => {
  let end: AbortController;
  let el: HTMLElement;
  let bridge: FakeBridge;
  let player: FakePlayer;
  let model: FakeModel;
  const mountAnalysis = vi.fn();
  const loadDeck = vi.fn();
  const mountDecks = vi.fn((host: HTMLElement, _bridge: unknown, options: DecksOptions) => {
    options.library?.(host, (id) => loadDeck("free", id));
    return { load: loadDeck, focus() {} };
  });
  const load = vi.fn(async (family: string): Promise<unknown> => (({
    jobs: () => import("../jobs/index"), playlists: () => import("../playlists/index"), dialogs: () => import("../dialogs/index"),
  } as Record<string, () => Promise<unknown>>)[family]?.() ?? { mountAnalysis, mountDecks }));

  beforeEach(() => {
    load.mockClear();
    mountAnalysis.mockClear();
    mountDecks.mockClear();
    loadDeck.mockClear();
    localStorage.clear();
    end = new AbortController();
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(140);
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1200);
    history.replaceState(null, "", "#");
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  async function open(handlers: FakeHandlers = {}, traits: Record<string, unknown> = {}): Promise<void> {
    el = document.createElement("div");
    el.className = "sfa";
    document.body.append(el);
    player = new FakePlayer();
    model = new FakeModel({ ...TRAITS, ...traits });
    bridge = new FakeBridge({
      ...library(20),
      ...jobLists(JOBS),
      "track.show": ({ id }) => ({
        track: trackRow(id), tags: { genre: "House" }, analysis: null, stems: [], jobs: [],
        cues: [{ id: "c", time: 30, type: "drop", label: "Drop", color: null, confidence: 1, reason: null, slot: null, end: null }],
      }),
      doctor: () => ({ checks: [{ name: "Demucs", ok: false, required: false, detail: "not installed", hint: "pip install it" }], version: "1.2.3", home: "/music" }),
      ...handlers,
    });
    mountDashboard(el, bridge, {
      signal: end.signal, state: stateOf(model), wholePage: true, load,
      mountPlayer: () => register(player, {} as PlayerModel) as FakePlayer, mountTransport: () => undefined,
    });
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-grid-space [role=row]").length).toBeGreaterThan(0));
    await vi.waitFor(() => expect(el.textContent).toContain("Track t0"));
  }

  const view = () => [...el.querySelectorAll<HTMLElement>(".sfa-view")].find((each) => !each.hidden)?.dataset.view;
  const go = (name: string) => el.querySelector<HTMLElement>(`[data-go=${name}]`)?.click();
  const press = (key: string, target: EventTarget = document.body) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const row = (id: string) => [...el.querySelectorAll<HTMLElement>(".sfa-grid-space [role=row]")]
    .find((each) => each.textContent?.includes(`Track ${id}`)) as HTMLElement;

  it("starts in the library and names the view in the address", async () => {
    await open();
    expect(view()).toBe("library");
    go("jobs");
    expect(view()).toBe("jobs");
    expect(location.hash).toBe("#jobs");
    expect(el.querySelector("[aria-current=page]")?.textContent).toBe("Jobs");
    history.replaceState(null, "", "#library");
    window.dispatchEvent(new PopStateEvent("popstate"));
    expect(view()).toBe("library");
  });

  it("opens a track in the studio, and keeps it playing through the views", async () => {
    await open();
    row("t3").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    expect(view()).toBe("studio");
    expect(player.state.trackId).toBe("t3");
    player.play();
    go("library");
    expect(player.state.playing).toBe(true);
    expect(model.get("track_id")).toBe("t3");
    expect(model.get("playing")).toBe(true);
  });

  it("shows what is selected, and seeks from its cues", async () => {
    await open();
    row("t2").querySelector(".c-title")?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(model.get("selection")).toEqual(["t2"]);
    const cue = await vi.waitFor(() => {
      const found = el.querySelector<HTMLElement>(".sfa-inspector-cues button");
      expect(found).not.toBeNull();
      return found as HTMLElement;
    });
    cue.click();
    await vi.waitFor(() => expect(player.seeks).toEqual([30]));
    expect(player.state.trackId).toBe("t2");
    expect(view()).toBe("library");
  });

  it("obeys the kernel", async () => {
    await open();
    bridge.push("player.open", { id: "t9" });
    expect(view()).toBe("studio");
    expect(player.state.trackId).toBe("t9");
    bridge.push("player.seek", { time: 12 });
    bridge.push("player.play", {});
    expect(player.seeks).toEqual([12]);
    expect(player.state.playing).toBe(true);
    bridge.push("notice", { level: "warn", text: "The disk is nearly full." });
    expect(document.querySelector(".sfa-toast")?.textContent).toContain("The disk is nearly full.");
  });

  it("opens the track it was made with", async () => {
    await open({}, { track_id: "t5" });
    expect(player.state.trackId).toBe("t5");
  });

  it("is ruled by keys, but not while somebody types", async () => {
    await open();
    await player.open("t1");
    press(" ");
    expect(player.state.playing).toBe(true);
    press("g");
    press("j");
    expect(view()).toBe("jobs");
    press("/");
    const search = el.querySelector<HTMLInputElement>(".sfa-topbar input") as HTMLInputElement;
    expect(document.activeElement).toBe(search);
    press(" ", search);
    expect(player.state.playing).toBe(true);
    search.blur();
    press("?");
    await vi.waitFor(() => expect(document.querySelector("dialog")?.textContent).toContain("Hot cues"));
  });

  it("loads songs into decks from the library, and shows them with the library below", async () => {
    await open();
    const grid = el.querySelector(".sfa-grid") as HTMLElement;
    row("t3").click();
    grid.dispatchEvent(new KeyboardEvent("keydown", { key: "@", code: "Digit2", shiftKey: true, bubbles: true, cancelable: true }));
    await vi.waitFor(() => expect(loadDeck).toHaveBeenLastCalledWith(2, "t3"));
    expect(view()).toBe("library");
    row("t4").dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }));
    [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((item) => item.textContent?.includes("deck A"))?.click();
    await vi.waitFor(() => expect(loadDeck).toHaveBeenLastCalledWith(1, "t4"));
    press("g");
    press("d");
    expect(view()).toBe("decks");
    expect(mountDecks).toHaveBeenCalledTimes(1);
    const below = el.querySelector(".sfa-view[data-view=decks] .sfa-grid") as HTMLElement;
    const first = await vi.waitFor(() => {
      const found = below.querySelector(".sfa-grid-space [role=row]");
      expect(found?.textContent).toContain("Track t0");
      return found as HTMLElement;
    });
    first.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    expect(loadDeck).toHaveBeenLastCalledWith("free", "t0");
  });

  it("searches from the top bar in whatever view", async () => {
    await open();
    go("settings");
    const search = el.querySelector<HTMLInputElement>(".sfa-topbar input") as HTMLInputElement;
    search.value = "night";
    search.dispatchEvent(new Event("input"));
    await vi.waitFor(() => expect(bridge.params("tracks.page").at(-1)?.query).toBe("night"));
    expect(view()).toBe("library");
    expect(model.get("query")).toBe("night");
  });

  it("brings the pictures when the studio is first seen with a song, and folds them for good", async () => {
    await open();
    row("t3").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    await vi.waitFor(() => expect(mountAnalysis).toHaveBeenCalledTimes(1));
    expect(load.mock.calls).toEqual([["analysis"]]);
    const fold = el.querySelector<HTMLElement>(".sfa-pictures h2 button") as HTMLElement;
    fold.click();
    expect(fold.getAttribute("aria-expanded")).toBe("false");
    end.abort();
    document.body.replaceChildren();
    end = new AbortController();
    await open();
    go("studio");
    await player.open("t1");
    expect(mountAnalysis).toHaveBeenCalledTimes(1);
    el.querySelector<HTMLElement>(".sfa-pictures h2 button")?.click();
    await vi.waitFor(() => expect(mountAnalysis).toHaveBeenCalledTimes(2));
  });

  it("brings the playlists when they are first seen; what is selected in them is inspected", async () => {
    const playlists = new FakePlaylists().add(playlistRow("p", { name: "Friday" }), tracksOf(3));
    await open(playlists.handlers);
    press("g");
    press("p");
    expect(view()).toBe("playlists");
    const entry = await vi.waitFor(() => {
      const found = el.querySelector<HTMLElement>(".sfa-grid-space .sfa-entry:not(.is-loading) .c-title");
      expect(found?.textContent).toBe("Track t0");
      return found as HTMLElement;
    });
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Songs of the playlist");
    entry.click();
    await vi.waitFor(() => expect(bridge.params("track.show").at(-1)).toEqual({ id: "t0" }));
    press("Enter", document.activeElement as Element);
    expect(view()).toBe("studio");
    expect(player.state.trackId).toBe("t0");
    expect(load.mock.calls.map(([family]) => family)).toContain("playlists");
  });

  it("says why a part did not come, and tries again", async () => {
    await open();
    load.mockRejectedValueOnce(new Error("The widgets are not built."));
    go("jobs");
    const jobs = el.querySelector<HTMLElement>("[data-view=jobs].sfa-view") as HTMLElement;
    await vi.waitFor(() => expect(jobs.textContent).toContain("Could not load the job board. The widgets are not built."));
    jobs.querySelector("button")?.click();
    await vi.waitFor(() => expect(el.querySelector(".sfa-jobs")).not.toBeNull());
  });

  it("counts the jobs under way in its ring", async () => {
    await open();
    const ring = el.querySelector<HTMLElement>(".sfa-ring") as HTMLElement;
    expect(ring.textContent).toBe("2");
    const failed = ["a", "b", "c"].map((id) => jobRow(id, { status: "failed", error: "No." }));
    bridge.push("jobs.rows", { jobs: failed, ...overview(failed) });
    expect(ring.getAttribute("aria-label")).toBe("Jobs: 3 jobs failed");
  });

  it("tells of long work that has ended, and shows what failed", async () => {
    await open();
    bridge.push("notice", { level: "warn", text: "1 of 12 jobs failed. Took 4 min.", id: "batch", jobs: "failed" });
    document.querySelector<HTMLElement>(".sfa-toast button")?.click();
    expect(view()).toBe("jobs");
    await vi.waitFor(() => expect(el.querySelector(".sfa-jobs")).not.toBeNull());
    expect(el.querySelector("[data-filter=failed]")?.getAttribute("aria-pressed")).toBe("true");
    go("library");
    el.querySelector<HTMLElement>(".sfa-bell")?.click();
    el.querySelector<HTMLElement>(".sfa-notices .sfa-link")?.click();
    expect(view()).toBe("jobs");
  });

  it("adds files that are dropped anywhere", async () => {
    await open({
      "upload.begin": () => ({ upload: "u", received: 0 }),
      "upload.chunk": ({ offset }, { buffers }) => ({ received: offset + (buffers?.[0]?.byteLength ?? 0) }),
      "upload.finish": () => ({ jobs: ["u"], batch: "b" }),
      "jobs.show": ({ id }) => ({ job: jobRow(id, { status: "completed" }), arguments: { new: true }, needs: [] }),
    });
    const song = new File(["abc"], "song.mp3");
    const data = { types: ["Files"], files: [song], items: [{ kind: "file" }], dropEffect: "none" };
    const drag = (type: string) =>
      window.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), { dataTransfer: data }));
    const overlay = el.querySelector<HTMLElement>(".sfa-drop") as HTMLElement;
    drag("dragenter");
    expect(overlay.hidden).toBe(false);
    drag("drop");
    expect(overlay.hidden).toBe(true);
    await vi.waitFor(() => expect(document.querySelector(".sfa-toast")?.textContent).toContain("Added 1 track."));
    expect(bridge.params("upload.begin")).toEqual([{ name: "song.mp3", size: 3, fingerprint: expect.any(String) }]);
  });

  it("tells whether all is well, troubles first", async () => {
    await open();
    go("settings");
    await vi.waitFor(() => expect(el.querySelector(".sfa-settings-health")?.textContent).toContain("pip install it"));
    expect(el.querySelector(".sfa-settings-about")?.textContent).toContain("1.2.3");
  });

  it("changes the theme of every root at once, and remembers", async () => {
    await open();
    go("settings");
    const light = el.querySelector<HTMLInputElement>("input[value=light]") as HTMLInputElement;
    light.checked = true;
    light.dispatchEvent(new Event("change"));
    expect(document.querySelector<HTMLElement>(".sfa-layer")?.dataset.theme).toBe("light");
    expect(localStorage.getItem("sfa.theme")).toBe("light");
    localStorage.removeItem("sfa.theme");
  });
});

describe("what the kernel hears of the player", () => {
  it("is each change at once and the position twice a second", () => {
    const now = vi.spyOn(performance, "now");
    const end = new AbortController();
    const player = new FakePlayer();
    const model = new FakeModel(TRAITS);
    followPlayer(player, stateOf(model), end.signal);
    now.mockReturnValue(1000);
    player.tell({ trackId: "t", playing: true, position: 0.1 });
    expect(model.traits).toMatchObject({ track_id: "t", playing: true, position: 0.1 });
    now.mockReturnValue(1100);
    player.tell({ position: 0.2 });
    expect(model.get("position")).toBe(0.1);
    now.mockReturnValue(1600);
    player.tell({ position: 0.7, selection: [1, 2] });
    expect(model.traits).toMatchObject({ position: 0.7, time_selection: [1, 2] });
    end.abort();
  });
});
