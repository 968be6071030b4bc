import { describe, expect, it, vi } from "vitest";
import { FakeFrames } from "../engine/fake";
import { Clock, SmoothTime } from "./clock";

describe("the clock", () => {
  const make = () => {
    const frames = new FakeFrames();
    return { frames, clock: new Clock(frames), view: new AbortController() };
  };

  it("draws every view once and rests when nothing plays", () => {
    const { frames, clock, view } = make();
    const drawn: string[] = [];
    clock.subscribe(() => { drawn.push("a"); }, view.signal);
    clock.subscribe(() => { drawn.push("b"); }, view.signal);
    frames.run(0);
    expect(drawn).toEqual(["a", "b"]);
    expect(clock.active).toBe(false);
  });

  it("goes on while the song plays", () => {
    const { frames, clock, view } = make();
    let count = 0;
    clock.subscribe(() => { count += 1; }, view.signal);
    clock.running = true;
    for (let i = 0; i < 5; i += 1) frames.run(i);
    expect(count).toBe(5);
    clock.running = false;
    frames.run(6);
    expect(frames.due).toBe(0);
  });

  it("goes on while a view has more to animate", () => {
    const { frames, clock, view } = make();
    let left = 3;
    clock.subscribe(() => --left > 0, view.signal);
    while (frames.due > 0) frames.run(0);
    expect(left).toBe(0);
  });

  it("asks for no frame when every view is gone", () => {
    const { frames, clock, view } = make();
    clock.subscribe(() => true, view.signal);
    view.abort();
    clock.wake();
    expect(frames.due).toBe(0);
  });

  it("drops a view that throws and keeps the others", () => {
    const { frames, clock, view } = make();
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    let count = 0;
    clock.subscribe(() => { throw new Error("broken"); }, view.signal);
    clock.subscribe(() => { count += 1; }, view.signal);
    frames.run(0);
    clock.wake();
    frames.run(1);
    expect(count).toBe(2);
    expect(error).toHaveBeenCalledOnce();
  });
});

describe("smooth time", () => {
  it("runs evenly although the audio clock steps", () => {
    const smooth = new SmoothTime();
    const steps: number[] = [];
    let before = smooth.read(0, 10);
    for (let i = 1; i < 300; i += 1) {
      const now = 10 + i / 60;
      const time = smooth.read(Math.floor((now - 10) / 0.023) * 0.023, now);
      steps.push(time - before);
      before = time;
    }
    const settled = steps.slice(60);
    expect(Math.min(...settled)).toBeGreaterThan(0.012);
    expect(Math.max(...settled)).toBeLessThan(0.021);
    expect(before).toBeCloseTo(299 / 60, 1);
  });

  it("never runs back, and follows a jump at once", () => {
    const smooth = new SmoothTime();
    expect(smooth.read(5, 1)).toBe(5);
    expect(smooth.read(4.99, 1.001)).toBeGreaterThanOrEqual(5);
    expect(smooth.read(9, 1.1)).toBe(9);
  });
});
