import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TrackActions } from "../library/actions";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { jobRow, overview, trackRow } from "../testing/rows";
import type { Analysis, TrackDetail, TrackRow } from "../types";
import { Layer } from "../ui/layer";
import { type InspectorHandle, mountInspector } from "./inspector";

const ANALYSIS: Analysis = {
  duration_s: 100, bpm: 128, bpm_confidence: 0.9, bpm_alternative: 64, beats: [], downbeats: [], beats_per_bar: 4,
  key: "A minor", key_confidence: 0.8, camelot: "8A", tuning_cents: 0, lufs: -9.2, lra: 6, true_peak: -0.3, energy: 7,
  energy_curve: [0.1, 0.9, 0.4], energy_rate: 1, drops: [], version: 1,
  sections: [{ start: 0, end: 40, label: "intro", confidence: 1 }, { start: 40, end: 100, label: "drop", confidence: 1 }],
};

function detail(track: TrackRow, change: Partial<TrackDetail> = {}): TrackDetail {
  return { track, tags: { genre: "House", comment: null, bytes: 4_200_000 }, analysis: ANALYSIS, cues: [], stems: [], jobs: [], ...change };
}

describe("the inspector", () => {
  let end: AbortController;
  let el: HTMLElement;
  let bridge: FakeBridge;
  let inspector: InspectorHandle;
  const onSeek = vi.fn();
  const onPlay = vi.fn();
  const onOpen = vi.fn();
  const onTrack = vi.fn();

  beforeEach(() => {
    end = new AbortController();
    el = document.createElement("div");
    document.body.append(el);
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  function open(handlers: FakeHandlers): void {
    bridge = new FakeBridge(handlers);
    const layer = new Layer(end.signal);
    const actions = new TrackActions(bridge, { layer, load: vi.fn(), signal: end.signal }, onOpen);
    inspector = mountInspector(el, bridge, { signal: end.signal, layer, actions, onSeek, onPlay, onTrack });
  }
  const says = (text: string) => vi.waitFor(() => expect(el.textContent).toContain(text));

  it("shows at once what the list knows, then the rest", async () => {
    open({ "track.show": ({ id }) => detail(trackRow(id)) });
    inspector.show(["a"], trackRow("a"));
    expect(el.textContent).toContain("128.0");
    await says("−0.3 dBTP");
    expect(el.textContent).toContain("Genre");
    expect(el.textContent).toContain("4.2 MB");
    expect(el.textContent).not.toContain("Comment");
  });

  it("asks once for the row on which the arrow keys rest", async () => {
    open({ "track.show": ({ id }) => detail(trackRow(id)) });
    for (const id of ["a", "b", "c"]) inspector.show([id], trackRow(id));
    await says("Genre");
    expect(bridge.params("track.show")).toEqual([{ id: "c" }]);
  });

  it("moves the playhead to a section", async () => {
    open({ "track.show": ({ id }) => detail(trackRow(id)) });
    inspector.show(["a"], null);
    await says("Shape");
    el.querySelector<HTMLElement>("[title^='Drop']")?.click();
    expect(onSeek).toHaveBeenCalledWith("a", 40);
  });

  it("puts nothing from a catalogue into a style but a colour", async () => {
    const cue = { id: "c", time: 1, type: "drop", label: "<b>", color: "red; background: url(x)", confidence: 1, reason: null, slot: null, end: null };
    open({ "track.show": ({ id }) => detail(trackRow(id), { cues: [cue] }) });
    inspector.show(["a"], null);
    await says("<b>");
    expect(el.querySelector(".sfa-cue-mark")?.getAttribute("style")).not.toContain("url");
  });

  it("follows the work on its track", async () => {
    open({ "track.show": ({ id }) => detail(trackRow(id, { status: "working", stage: "separate", progress: 10 })) });
    inspector.show(["a"], null);
    await says("Separating 10 %");
    const bar = el.querySelector("[role=progressbar]");
    bridge.push("tracks.rows", { rows: [trackRow("a", { status: "working", stage: "separate", progress: 55 })] });
    expect(el.textContent).toContain("Separating 55 %");
    expect(el.querySelector("[role=progressbar]")).toBe(bar);
    const done = [jobRow("j", { track_id: "a", status: "completed" })];
    bridge.push("jobs.rows", { jobs: done, ...overview(done) });
    await vi.waitFor(() => expect(bridge.params("track.show")).toHaveLength(2));
  });

  it("says what a person has put right, and the numbers behind the first ones", async () => {
    const analysis = { ...ANALYSIS, corrected: ["key"], open_key: "1m", grid_kind: "constant", swing: 0.54, beats: [0, 0.5] };
    open({ "track.show": ({ id }) => detail(trackRow(id), { analysis: analysis as TrackDetail["analysis"] }) });
    inspector.show(["a"], null);
    await says("Open Key1m");
    for (const words of ["Keyby hand8AA minor", "Metre4/4", "Gridone tempo", "Swing54 %"]) expect(el.textContent).toContain(words);
  });

  it("lists similar tracks, and leads to them", async () => {
    const similar = vi.fn(() => ({ rows: [{ track: trackRow("z"), distance: 0.1, why: "Same tempo and key" }] }));
    open({ "track.show": ({ id }) => detail(trackRow(id)), "analysis.similar": similar });
    inspector.show(["a"], null);
    await says("Track z");
    expect(el.querySelector(".sfa-similar li button")?.getAttribute("title")).toContain("Same tempo and key");
    el.querySelector<HTMLElement>(".sfa-similar li button")?.click();
    expect(onTrack).toHaveBeenCalledWith("z");
    [...el.querySelectorAll<HTMLElement>(".sfa-similar header button")].find((each) => each.textContent === "Keys that mix")?.click();
    await vi.waitFor(() => expect(bridge.params("analysis.similar").at(-1)?.keys).toBe("compatible"));
  });

  it("is silent about similar tracks where nothing knows them", async () => {
    open({ "track.show": ({ id }) => detail(trackRow(id)) });
    inspector.show(["a"], null);
    await says("Shape");
    await vi.waitFor(() => expect(bridge.params("analysis.similar")).toHaveLength(1));
    expect(el.querySelector<HTMLElement>(".sfa-similar")?.hidden).toBe(true);
  });

  it("offers what can be done with several", () => {
    open({ "tracks.run": () => ({ jobs: [] }) });
    inspector.show(["a", "b"], null);
    expect(el.querySelector("h2")?.textContent).toBe("2 tracks");
    el.querySelector("button")?.click();
    expect(bridge.params("tracks.run")).toEqual([{ ids: ["a", "b"], stages: ["separate", "analyze", "autocue"] }]);
  });

  it("says why it has nothing to show", async () => {
    open({});
    inspector.show(["a"], null);
    await says("does not answer track.show");
    inspector.show([], null);
    expect(el.textContent).toContain("Select a track");
  });
});
