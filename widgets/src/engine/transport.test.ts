import { describe, expect, it } from "vitest";
import { loops, normalLoop, onFrame, positionAt } from "./transport";

describe("the place in a song", () => {
  const anchor = { time: 10, position: 30 };

  it("runs with the audio clock", () => {
    expect(positionAt(anchor, 12.5, null, 100)).toBe(32.5);
  });

  it("waits for a start that is still ahead", () => {
    expect(positionAt(anchor, 9.98, null, 100)).toBe(30);
  });

  it("stops at the end", () => {
    expect(positionAt(anchor, 500, null, 100)).toBe(100);
  });

  it("comes round in a loop, however often", () => {
    const loop = { start: 31, end: 33 };
    expect(positionAt(anchor, 12.9, loop, 100)).toBeCloseTo(32.9);
    expect(positionAt(anchor, 13, loop, 100)).toBeCloseTo(31);
    expect(positionAt(anchor, 10 + 3 + 2 * 7 + 0.25, loop, 100)).toBeCloseTo(31.25);
  });

  it("plays into a loop that lies ahead and past one that lies behind", () => {
    expect(positionAt(anchor, 10 + 21, { start: 40, end: 50 }, 100)).toBeCloseTo(41);
    expect(positionAt(anchor, 20, { start: 10, end: 20 }, 100)).toBe(40);
    expect(loops(30, { start: 10, end: 30 })).toBe(false);
  });
});

describe("a loop", () => {
  it("has its ends in order, inside the song, on sample frames", () => {
    expect(normalLoop({ start: 5, end: 2 }, 100, 48_000)).toEqual({ start: 2, end: 5 });
    expect(normalLoop({ start: -3, end: 400 }, 100, 48_000)).toEqual({ start: 0, end: 100 });
    const loop = normalLoop({ start: 1.000_003, end: 2.000_003 }, 100, 48_000);
    expect(loop).toEqual({ start: 1, end: 2 });
  });

  it("is none when nothing is left of it", () => {
    expect(normalLoop({ start: 4, end: 4.001 }, 100, 48_000)).toBeNull();
    expect(normalLoop(null, 100, 48_000)).toBeNull();
  });
});

it("a frame is the nearest one", () => {
  expect(onFrame(1.000_011, 44_100) * 44_100).toBeCloseTo(44_100, 9);
});
