import { describe, expect, it } from "vitest";
import { after, barStride, placeOf, snap, step } from "./grid";
import { displayGain, marksOf, typeColour } from "./song";
import { CLOSEST, centred, held, timeAt, xAt, zoomed } from "./span";
import { parseHex } from "./surface";

const BEATS = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5];
const BARS = [1, 3, 5];

describe("the beat grid", () => {
  it("snaps to the nearest beat", () => {
    expect([0, 1.2, 1.26, 4.9, 99].map((time) => snap(BEATS, time))).toEqual([1, 1, 1.5, 5, 5]);
  });

  it("leaves a time alone where there is no grid", () => {
    expect(snap([], 12.3)).toBe(12.3);
  });

  it("steps to the neighbour, from a beat and from between", () => {
    expect(step(BEATS, 2, 1, 9)).toBe(2.5);
    expect(step(BEATS, 2, -1, 9)).toBe(1.5);
    expect(step(BEATS, 2.2, 1, 9)).toBe(2.5);
    expect(step(BEATS, 2.2, -1, 9)).toBe(2);
    expect(step(BEATS, 2.01, -1, 9)).toBe(1.5);
  });

  it("steps by time beyond its ends", () => {
    expect(step(BEATS, 5, 1, 0.5)).toBe(5.5);
    expect(step([], 10, -1, 0.5)).toBe(9.5);
  });

  it("counts bars and beats from the first downbeat", () => {
    expect(placeOf(BEATS, BARS, 1)).toEqual({ bar: 1, beat: 1 });
    expect(placeOf(BEATS, BARS, 2.6)).toEqual({ bar: 1, beat: 4 });
    expect(placeOf(BEATS, BARS, 3)).toEqual({ bar: 2, beat: 1 });
    expect(placeOf([], [], 3)).toBeNull();
  });

  it("gives numbers room", () => {
    expect([100, 20, 3, 0.5].map((pixels) => barStride(pixels, 36))).toEqual([1, 4, 16, 128]);
  });

  it("finds the first that is later", () => {
    expect([0, 1, 4.7, 5].map((time) => after(BEATS, time))).toEqual([0, 1, 8, 9]);
  });
});

describe("a zoomed view", () => {
  const span = { start: 10, secondsPerPixel: 0.01 };

  it("keeps the time under the pointer while it zooms", () => {
    const time = timeAt(span, 300);
    for (const factor of [0.5, 0.9, 1.3]) {
      expect(xAt(zoomed(span, factor, 300, 1000, 200), time)).toBeCloseTo(300, 6);
    }
  });

  it("zooms from a second to the whole song and no further", () => {
    expect(zoomed(span, 1e-9, 0, 1000, 200).secondsPerPixel * 1000).toBeCloseTo(CLOSEST);
    expect(zoomed(span, 1e9, 0, 1000, 200).secondsPerPixel * 1000).toBeCloseTo(200);
    expect(zoomed(span, 1e9, 0, 1000, 0.3).secondsPerPixel * 1000).toBeCloseTo(CLOSEST);
  });

  it("is held over the song when it is moved by hand", () => {
    expect(held({ ...span, start: -5 }, 1000, 200).start).toBe(0);
    expect(held({ ...span, start: 500 }, 1000, 200).start).toBe(190);
    expect(held({ ...span, start: 3 }, 1000, 4).start).toBe(0);
  });

  it("has the playhead in its middle when it follows", () => {
    expect(xAt(centred(span, 0, 1000), 0)).toBeCloseTo(500);
  });
});

describe("marks", () => {
  const cue = (time: number, type: string, color: string | null = null, label = "") =>
    ({ id: String(time), time, type, label, color, confidence: null, reason: null, slot: null, end: null });

  it("are numbered in the order of the song", () => {
    const marks = marksOf([cue(50, "drop"), cue(2, "intro", null, "Mix in")]);
    expect(marks.map(({ number, time, label }) => [number, time, label])).toEqual([[1, 2, "Mix in"], [2, 50, "Drop"]]);
  });

  it("have the theme's colour for their type unless they bring one", () => {
    expect(marksOf([cue(1, "drop"), cue(2, "drop", "#12ab34"), cue(3, "drop", "url(x)")]).map(({ colour }) => colour))
      .toEqual(["--cue-drop", "#12ab34", "--cue-drop"]);
    expect([typeColour("Energy up"), typeColour("anything")]).toEqual(["--energy-up", "--dim"]);
  });
});

it("a quiet song is drawn taller, within reason", () => {
  expect([1, 0.5, 0.01, 0].map(displayGain)).toEqual([1, 1.96, 4, 1]);
});

it("a colour of the theme is read in either length", () => {
  expect([parseHex("#fff"), parseHex(" #3b82f6 "), parseHex("red")]).toEqual([[255, 255, 255], [59, 130, 246], [136, 136, 136]]);
});
