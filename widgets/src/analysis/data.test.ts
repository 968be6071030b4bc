import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BridgeError } from "../bridge";
import { analysed, Curves, loadOf } from "../testing/analysis";
import { FakeBridge } from "../testing/fake";
import type { AnalysisLoad } from "../types";
import { Curve } from "./curve";
import { AnalysisData } from "./data";

describe("a curve", () => {
  const one = (curves: Curves, name = "c") => new Curve(curves.headers[name]!, curves.buffers);

  it("gives back values between its ends", () => {
    const curve = one(new Curves().add("c", [0, 255, 51], { minimum: -60, maximum: 0 }));
    expect([0, 1, 2].map((row) => curve.value(row))).toEqual([-60, 0, -48]);
    expect([curve.minimum(), curve.maximum()]).toEqual([-60, 0]);
    expect(curve.value(3)).toBeNaN();
    expect(curve.value(-1)).toBeNaN();
  });

  it("has ends of its own for each column", () => {
    const curve = one(new Curves().add("c", [0, 0, 255, 255], { columns: 2, minimum: [0, -10], maximum: [1, 10] }));
    expect([curve.value(0, 1), curve.value(1, 0), curve.value(1, 1)]).toEqual([-10, 1, 10]);
  });

  it("knows when its rows are, and which row is at a time", () => {
    const even = one(new Curves().add("c", [1, 2, 3], { rate: 2, start: 1 }));
    expect(even.time(2)).toBe(2);
    expect([even.row(0), even.row(1.4), even.row(99)]).toEqual([0, 1, 2]);
    const uneven = one(new Curves().add("c", [1, 2, 3], {}, [1, 5, 6]));
    expect([uneven.row(0), uneven.row(2.9), uneven.row(3.1), uneven.row(9)]).toEqual([0, 0, 1, 2]);
    expect(uneven.following(5)).toBe(2);
  });

  it("says what most of it stays below", () => {
    const curve = one(new Curves().add("c", [...Array(99).fill(10), 255]));
    expect(curve.quantile(0.9)).toBe(10);
    expect(curve.quantile(1)).toBe(255);
  });

  it("reads what a message left out as its lowest value", () => {
    const curves = new Curves().add("c", [9, 9]);
    expect(new Curve(curves.headers.c!, []).value(1)).toBe(0);
  });
});

describe("the analysis of a page", () => {
  let songs: Record<string, AnalysisLoad>;
  let bridge: FakeBridge;
  let page: AbortController;
  let data: AnalysisData;

  beforeEach(() => {
    songs = { a: loadOf("a"), b: loadOf("b") };
    page = new AbortController();
    const load = ({ id }: { id: string }) => {
      const found = songs[id];
      if (!found) throw new BridgeError("No such track.", "It was removed.");
      return { result: found, buffers: [] };
    };
    bridge = new FakeBridge({
      "analysis.load": load,
      "analysis.correct": (params) => {
        songs[params.id] = loadOf(params.id, { analysis: analysed({ key: "E minor", corrected: ["key"] }) });
        return load(params);
      },
      "analysis.undo": (params) => {
        songs[params.id] = loadOf(params.id);
        return load(params);
      },
    });
    data = new AnalysisData(bridge, page.signal);
  });
  afterEach(() => page.abort());

  it("tells of every change", async () => {
    const changed = vi.fn();
    data.on("change", changed);
    const loading = data.load("a");
    expect(data.status).toBe("loading");
    await loading;
    expect([data.status, data.track?.id, data.duration]).toEqual(["ready", "a", 60]);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it("shows the last track that was asked for", async () => {
    await Promise.all([data.load("a"), data.load("b")]);
    expect(data.track?.id).toBe("b");
  });

  it("says why there is nothing, and tries again", async () => {
    await data.load("gone");
    expect(data.failure).toEqual({ message: "No such track.", hint: "It was removed." });
    songs.gone = loadOf("gone");
    await data.refresh();
    expect([data.status, data.failure]).toEqual(["ready", null]);
  });

  it("keeps what is there when a refresh fails", async () => {
    await data.load("a");
    delete songs.a;
    await data.refresh();
    expect([data.status, data.track?.id]).toEqual(["ready", "a"]);
  });

  it("follows corrections from elsewhere, of its own track only", async () => {
    await data.load("a");
    bridge.push("analysis.changed", { id: "b", corrections: ["1"], cues: [] });
    expect(bridge.params("analysis.load")).toHaveLength(1);
    songs.a = loadOf("a", { analysis: analysed({ bpm: 60 }) });
    bridge.push("analysis.changed", { id: "a", corrections: ["1"], cues: [] });
    await vi.waitFor(() => expect(data.analysis?.bpm).toBe(60));
  });

  it("loads nothing again that was made here, and takes the cues that come with the news", async () => {
    await data.load("a");
    const corrections = data.corrections.map(({ id }) => id);
    const cue = { id: "c", time: 4, type: "cue", label: "Here", color: null, confidence: null, reason: null, slot: null, end: null };
    bridge.push("analysis.changed", { id: "a", corrections, cues: data.cues });
    bridge.push("analysis.changed", { id: "a", corrections, cues: [cue] });
    expect(bridge.params("analysis.load")).toHaveLength(1);
    expect(data.cues).toEqual([cue]);
  });

  it("puts right and takes back", async () => {
    await data.load("a");
    await data.correct("key", { key: "E minor" });
    expect(bridge.params("analysis.correct")).toEqual([{ id: "a", kind: "key", value: { key: "E minor" } }]);
    expect([data.analysis?.key, data.analysis?.corrected, data.automatic?.key]).toEqual(["E minor", ["key"], "A minor"]);
    await data.undo();
    expect(data.analysis?.key).toBe("A minor");
  });

  it("fills in what an older analysis does not say", async () => {
    songs.a = loadOf("a", { analysis: { duration_s: 60, bpm: 120, version: 1 } as never });
    await data.load("a");
    expect([data.analysis?.chords, data.analysis?.timbre, data.outdated]).toEqual([[], {}, true]);
  });
});
