import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeAudio, fakeAudio } from "../engine/fake";
import { allCurves, analysed, Curves, loadOf } from "../testing/analysis";
import { FakeBridge, FakeModel } from "../testing/fake";
import { trackRow } from "../testing/rows";
import type { AnalysisLoad, FullAnalysis } from "../types";
import widget from ".";
import { labelStep, TimeAxis } from "./axis";
import { camelotHue, colourTable, mapColour } from "./colour";
import { paintHeat, stripOf } from "./columns";
import { differences, keyWords, shiftOf, tempoWords } from "./compare";
import { Curve } from "./curve";
import { AnalysisData } from "./data";
import { featuresOf } from "./features";
import { type Picture, PICTURES } from "./picture";
import { chordCamelot, ChromaPicture, notesOf } from "./pictures/chroma";
import { EnergyPicture } from "./pictures/energy";
import { GridPicture } from "./pictures/grid";
import { MfccPicture } from "./pictures/mfcc";
import { SpectrumPicture } from "./pictures/spectrum";
import { StructurePicture } from "./pictures/structure";
import { axisAt, corner } from "./radar";
import { beatsPerMinute, covering, hertz, place } from "./words";

const KEY = Symbol.for("sfa.audio");

function dataOf(changes: Partial<FullAnalysis> = {}, curves = allCurves()): AnalysisData {
  const data = new AnalysisData(new FakeBridge(), new AbortController().signal);
  data.take(loadOf("a", { analysis: analysed(changes), curves: curves.headers }), curves.buffers);
  return data;
}

describe("the time axis", () => {
  const changed = vi.fn();
  let axis: TimeAxis;
  beforeEach(() => {
    axis = new TimeAxis(changed);
    axis.resize(1000);
    axis.reach(0, 100);
  });

  it("shows the whole song at first, and after a resize", () => {
    expect([axis.start, axis.end, axis.whole]).toEqual([0, 100, true]);
    axis.resize(500);
    expect([axis.end, axis.whole]).toEqual([100, true]);
  });

  it("keeps the time under the pointer while it zooms", () => {
    const before = axis.time(300);
    axis.zoom(0.25, 300);
    expect(axis.time(300)).toBeCloseTo(before);
    expect(axis.whole).toBe(false);
  });

  it("never leaves the song", () => {
    axis.zoom(0.1, 0);
    axis.scroll(-5000);
    expect(axis.start).toBe(0);
    axis.scroll(1e6);
    expect(axis.end).toBeCloseTo(100);
    axis.zoom(1e9, 0);
    expect(axis.whole).toBe(true);
    axis.zoom(1e-9, 500);
    expect(axis.end - axis.start).toBeCloseTo(1);
  });

  it("turns the page for a playhead that leaves, and only then", () => {
    axis.show(10, 20);
    axis.follow(15);
    expect(axis.start).toBe(10);
    axis.follow(21);
    expect(axis.start).toBeGreaterThan(19);
    expect(axis.end - axis.start).toBeCloseTo(10);
  });

  it("keeps its zoom when the width changes", () => {
    axis.show(10, 20);
    axis.resize(400);
    expect([axis.start, axis.end].map(Math.round)).toEqual([10, 20]);
  });

  it("labels round times that do not crowd", () => {
    expect(labelStep(0.1, 56)).toBe(10);
    expect(labelStep(0.001, 56)).toBe(0.1);
    expect(labelStep(1000, 56)).toBe(7200);
  });
});

describe("curves as pixels", () => {
  it("keeps the least, the greatest and the mean of what falls into a pixel", () => {
    const curves = new Curves().add("c", [0, 255, 100, 100], { rate: 1 });
    const { low, high, mean } = stripOf(new Curve(curves.headers.c!, curves.buffers), 0, { start: -0.5, step: 2, width: 2 });
    expect([low[0], high[0], mean[0]]).toEqual([0, 255, 127.5]);
    expect([low[1], high[1]]).toEqual([100, 100]);
  });

  it("draws nothing before and after the curve", () => {
    const curves = new Curves().add("c", [5, 5], { rate: 1 });
    const { mean } = stripOf(new Curve(curves.headers.c!, curves.buffers), 0, { start: -3, step: 1, width: 8 });
    expect([mean[0], mean[7]]).toEqual([Number.NaN, Number.NaN]);
    expect(mean[3]).toBe(5);
  });

  it("runs straight between rows that are further apart than pixels", () => {
    const curves = new Curves().add("c", [0, 100], { rate: 1 });
    const { mean } = stripOf(new Curve(curves.headers.c!, curves.buffers), 0, { start: 0, step: 0.1, width: 10 });
    expect(mean[4]).toBeCloseTo(45);
  });

  it("puts the last column of a heat map on top", () => {
    const curves = new Curves().add("c", [1, 2, 3, 4], { columns: 2, rate: 1 });
    const pixels = new Uint32Array(4);
    const table = new Uint32Array(256).map((_, i) => i);
    paintHeat(pixels, new Curve(curves.headers.c!, curves.buffers), { start: -0.5, step: 1, width: 2 }, table);
    expect([...pixels]).toEqual([2, 4, 1, 3]);
  });

  it("maps values to colours that grow lighter step by step", () => {
    for (const name of ["magma", "viridis"] as const) {
      const light = Array.from({ length: 32 }, (_, i) => {
        const [red, green, blue] = mapColour(name, i / 31);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      });
      expect(light.every((value, i) => i === 0 || value > (light[i - 1] as number))).toBe(true);
      expect(new Set(colourTable(name)).size).toBeGreaterThan(200);
    }
  });
});

describe("pictures in words", () => {
  const pictures: (new (data: AnalysisData) => Picture)[] = [
    StructurePicture, GridPicture, EnergyPicture, ChromaPicture, SpectrumPicture, MfccPicture,
  ];

  it("say what is where, in units", () => {
    const data = dataOf();
    expect(new StructurePicture(data).words(20, 0.3)).toBe("Drop B, 0:16 to 0:48, 16 bars, 90 % sure");
    expect(new StructurePicture(data).words(1, 0.3)).toContain("Few sounds play.");
    expect(new StructurePicture(data).words(20, 0.57)).toContain("A minor (8A)");
    expect(new StructurePicture(data).words(20, 0.7)).toContain("Loop of 4 bars");
    expect(new GridPicture(data).words(20.6, 0.7)).toMatch(/^Bar 11, beat 2 of 4; onsets low [\d.]+/);
    expect(new GridPicture(data).words(20, 0.05)).toContain("one exact tempo");
    expect(new EnergyPicture(data).words(20)).toMatch(/Energy [\d.]+ of 1; loudness −[\d.]+ LUFS over 3 s/);
    const chroma = new ChromaPicture(data);
    expect(chroma.words(10, (chroma.top + 2.5 * chroma.tall) / chroma.height)).toMatch(/^A [\d.]+ of 1, a note of the key/);
    expect(chroma.words(10, 0.05)).toBe("Chord Am, 90 % sure");
    expect(chroma.words(40, 0.05)).toBe("Chord no chord, 100 % sure");
    expect(new SpectrumPicture(data).words(20)).toMatch(/Centroid [\d.]+ k?Hz/);
    expect(new MfccPicture(data).words(20, 0.99)).toMatch(/^MFCC 1 of 20: /);
  });

  it("describe a whole song to those who do not see it", () => {
    const data = dataOf();
    for (const Made of pictures) expect(new Made(data).describe().length).toBeGreaterThan(30);
  });

  it("say what is missing from an analysis of silence, and do not fail", () => {
    const data = dataOf({ beats: [], downbeats: [], bpm: null, key: null, sections: [], keys: [], chords: [], grid: [], lufs: null, timbre: {} }, new Curves());
    for (const Made of pictures) {
      const picture = new Made(data);
      expect(picture.missing()).toMatch(/^No /);
      expect(() => [picture.describe(), picture.words(1, 0.5), picture.values(1)]).not.toThrow();
    }
  });

  it("mark a section or a loop by a double click", () => {
    const structure = new StructurePicture(dataOf());
    expect(structure.hit(20, 0.3)).toEqual({ range: { start: 16, end: 48 } });
    expect(structure.hit(20, 0.7)).toEqual({ range: { start: 16, end: 24 } });
  });

  it("show the repeats of what the pointer is on", () => {
    const structure = new StructurePicture(dataOf());
    expect([structure.point(1), structure.point(2), structure.point(20), structure.point(null)]).toEqual([true, false, true, false]);
  });

  it("know the notes of keys and the places of chords", () => {
    expect(notesOf("A minor")).toEqual([9, 11, 0, 2, 4, 5, 7]);
    expect(notesOf("F# major")[0]).toBe(6);
    expect(notesOf(null)).toEqual([]);
    expect(["C", "Am", "G", "F#", "N"].map(chordCamelot)).toEqual(["8B", "8A", "9B", "2B", null]);
    expect([camelotHue("1A"), camelotHue("12B"), camelotHue("13A")]).toEqual([0, 330, null]);
  });

  it("write numbers with as many figures as say something", () => {
    expect([beatsPerMinute(127.35), beatsPerMinute(128), beatsPerMinute(null)]).toEqual(["127.35 BPM", "128 BPM", "–"]);
    expect([hertz(440.4), hertz(2345), hertz(Number.NaN)]).toEqual(["440 Hz", "2.35 kHz", "–"]);
    expect(place(analysed(), 4.5)).toBe("0:04.5, bar 3, beat 2");
    expect(covering([{ start: 0, end: 1 }, { start: 2, end: 3 }], 1.5)).toBeNull();
  });
});

describe("features", () => {
  it("lie between 0 and 1 and carry the real number", () => {
    const features = featuresOf(dataOf());
    expect(features).toHaveLength(8);
    for (const { value } of features) expect(value === null || (value >= 0 && value <= 1)).toBe(true);
    expect(features.find(({ name }) => name === "loudness")?.text).toBe("−9.2 LUFS");
    expect(features.find(({ name }) => name === "brightness")?.text).toBe("2.00 kHz");
  });

  it("are found on the radar by their angle", () => {
    for (let axis = 0; axis < 8; axis += 1) expect(axisAt(...corner(axis, 8, 0.9, 100), 8, 100)).toBe(axis);
    expect(axisAt(1, 1, 8, 100)).toBe(-1);
    expect(axisAt(400, 0, 8, 100)).toBe(-1);
  });
});

describe("two songs", () => {
  it("say how their tempi meet, also at half or double time", () => {
    expect(tempoWords(128, 126)).toBe("B needs +1.59 % to run with A (ratio 1.0159)");
    expect(tempoWords(87, 174)).toBe("B at half time: the same tempo");
    expect(tempoWords(140, 70)).toBe("B at double time: the same tempo");
    expect(tempoWords(null, 120)).toBe("Not both have a tempo.");
  });

  it("say how their keys get on", () => {
    expect(keyWords("8A", "8A")).toContain("same key");
    expect(keyWords("8A", "8B")).toContain("Relative");
    expect(keyWords("12A", "1A")).toContain("Neighbours");
    expect(keyWords("8A", "9B")).toContain("Diagonal");
    expect(keyWords("8A", "3A")).toBe("5 steps apart: they clash. B down 1 semitone would match.");
    expect(keyWords(null, "3A")).toBe("Not both have a key.");
  });

  it("are laid over each other where they have such a place", () => {
    const first = dataOf();
    const second = dataOf({ downbeats: [1.5, 3.5], drops: [], lufs: -11.2, energy: 5 });
    expect(shiftOf(first, second, "start")).toBe(0);
    expect(shiftOf(first, second, "downbeat")).toBe(1.5);
    expect(shiftOf(first, second, "drop")).toBeNull();
    expect(differences(first, second).map(({ words }) => words).slice(2)).toEqual(["B is 2.0 LU quieter.", "B is 2 steps lower."]);
  });
});

describe("the view", () => {
  let audio: FakeAudio;
  let songs: Record<string, AnalysisLoad>;
  let model: FakeModel;
  let el: HTMLElement;
  let end: () => void;
  const curves = allCurves();

  beforeEach(() => {
    audio = fakeAudio();
    (globalThis as Record<symbol, unknown>)[KEY] = audio.engine;
    songs = { a: loadOf("a", { curves: curves.headers }), b: loadOf("b", { curves: curves.headers }) };
    el = document.createElement("div");
    document.body.append(el);
  });
  afterEach(() => {
    end();
    delete (globalThis as Record<symbol, unknown>)[KEY];
    document.body.replaceChildren();
  });

  /** A kernel that answers at once. */
  function mount(traits: Record<string, unknown> = {}): void {
    model = new FakeModel({ track_id: "", compare_id: "", selection: [], position: 0, playing: false, pictures: [...PICTURES], ...traits });
    const send = model.send.bind(model);
    model.send = (content, callbacks, buffers) => {
      send(content, callbacks, buffers);
      const { id, method, params } = content as { id: string; method: string; params: { id: string } };
      const song = songs[params?.id];
      queueMicrotask(() => {
        if (method === "analysis.load" && song) model.receive({ id, result: song }, curves.buffers);
        else if (method === "analysis.load") model.receive({ id, error: { message: "No such track.", hint: "It was removed." } });
        else if (method === "player.load" && song) {
          model.receive({ id, result: { track: song.track, sources: [], analysis: song.analysis, cues: [], waveforms: {}, sets: [] } });
        } else model.receive({ id, result: { jobs: [] } });
      });
    };
    end = widget.render({ model: model as never, el });
  }

  const text = (selector: string) => el.querySelector(selector)?.textContent ?? "";
  const ready = () => vi.waitFor(() => expect(el.querySelector(".sfa-analysis.is-ready")).not.toBeNull());
  const lanes = () => [...el.querySelectorAll<HTMLElement>("[data-picture]")].map(({ dataset }) => dataset.picture);

  it("asks for a song when none is open", () => {
    mount();
    expect(text(".sfa-an-message")).toContain("No song is open");
    expect(el.querySelector<HTMLElement>(".sfa-an-body")?.hidden).toBe(true);
  });

  it("shows a lane for each picture, with its words for those who do not see it", async () => {
    mount({ track_id: "a" });
    await ready();
    expect(lanes()).toEqual(["structure", "grid", "energy", "chroma", "spectrum", "mfcc"]);
    for (const plot of el.querySelectorAll(".sfa-an-plot")) {
      expect(plot.getAttribute("tabindex")).toBe("0");
      expect(document.getElementById(plot.getAttribute("aria-describedby") ?? "")?.textContent?.length).toBeGreaterThan(20);
    }
    expect(text(".sfa-an-song")).toContain("120 BPM");
    expect(text(".sfa-an-features")).toContain("−9.2 LUFS");
  });

  it("shows the pictures that Python asks for, and tells it which ones the user puts away", async () => {
    mount({ track_id: "a", pictures: ["chroma", "grid"] });
    await ready();
    expect(lanes()).toEqual(["grid", "chroma"]);
    [...el.querySelectorAll<HTMLElement>(".sfa-an-chip")].find((chip) => chip.textContent === "Beat grid")?.click();
    expect(model.get("pictures")).toEqual(["chroma"]);
    expect(lanes()).toEqual(["chroma"]);
    model.set("pictures", ["energy"]);
    expect(lanes()).toEqual(["energy"]);
  });

  it("offers to analyse a song that was not", async () => {
    songs.a = loadOf("a", { analysis: null, automatic: null, track: trackRow("a", { status: "new" }) });
    mount({ track_id: "a" });
    await vi.waitFor(() => expect(text(".sfa-an-message")).toContain("Not analysed yet"));
    el.querySelector<HTMLElement>(".sfa-an-message button")?.click();
    const asked = model.sent.map(({ content }) => content).find(({ method }) => method === "tracks.run");
    expect(asked?.params).toEqual({ ids: ["a"], stages: ["analyze", "autocue"] });
    model.receive({ event: "tracks.rows", data: { rows: [trackRow("a", { status: "working", stage: "analyze", progress: 42 })] } });
    expect(text(".sfa-an-message")).toContain("Analysing 42 %");
    songs.a = loadOf("a", { curves: curves.headers });
    model.receive({ event: "player.refresh", data: { id: "a" } });
    await vi.waitFor(() => expect(lanes()).toHaveLength(6));
  });

  it("says that an analysis of an earlier version has no curves", async () => {
    songs.a = loadOf("a");
    mount({ track_id: "a" });
    await ready();
    expect(text(".sfa-an-notice")).toContain("earlier version");
    expect(text("[data-picture=chroma]")).toContain("No chroma is stored.");
  });

  it("says why a song cannot be opened, and tries again", async () => {
    mount({ track_id: "gone" });
    await vi.waitFor(() => expect(text(".sfa-an-message")).toContain("No such track."));
    songs.gone = loadOf("gone", { curves: curves.headers });
    el.querySelector<HTMLElement>(".sfa-an-message button")?.click();
    await vi.waitFor(() => expect(text("h2")).toBe("Track gone"));
  });

  it("treats names as text", async () => {
    songs.a = loadOf("a", { track: trackRow("a", { title: "<img src=x onerror=boom()>" }), curves: curves.headers });
    mount({ track_id: "a" });
    await ready();
    expect(el.querySelector("h2 img")).toBeNull();
    expect(text("h2")).toBe("<img src=x onerror=boom()>");
  });

  it("marks what was put right by hand", async () => {
    songs.a = loadOf("a", { analysis: analysed({ corrected: ["grid", "key"] }), curves: curves.headers });
    mount({ track_id: "a" });
    await ready();
    expect(text(".sfa-an-corrected")).toBe("beat grid and key corrected by hand");
  });

  it("shows a second song under each picture, how they differ, and leaves it", async () => {
    mount({ track_id: "a", compare_id: "b" });
    await ready();
    await vi.waitFor(() => expect(lanes()).toHaveLength(12));
    expect(text(".sfa-an-differences")).toContain("the same tempo".replace("t", "T"));
    expect([...el.querySelectorAll(".sfa-an-lane .sfa-an-letter")].slice(0, 2).map((letter) => letter.textContent)).toEqual(["A", "B"]);
    el.querySelector<HTMLElement>("[aria-label='Compare no longer']")?.click();
    expect(lanes()).toHaveLength(6);
    expect(model.get("compare_id")).toBe("");
  });

  it("shows the range that Python sets, and forgets it with Escape", async () => {
    mount({ track_id: "a" });
    await ready();
    model.set("selection", [16, 24]);
    await vi.waitFor(() => expect(text("[aria-label=Loop]")).toBe("4 bars, 8.0 s"));
    const plot = el.querySelector(".sfa-an-plot") as HTMLElement;
    plot.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));
    expect(model.get("selection")).toEqual([]);
  });
});
