import { beforeEach, describe, expect, it, vi } from "vitest";
import type { AudioSource } from "../types";
import { Clicks } from "./clicks";
import type { AudioEngine } from "./engine";
import { type FakeAudio, type FakeContext, type FakeSource, fakeAudio } from "./fake";
import { soundings } from "./schedule";
import { Tone, triad } from "./tone";

const MIX: AudioSource[] = [{ id: "mix", role: "mix", label: "Song", url: "sfa/audio/mix", mime: "audio/flac" }];
const noBytes = () => Promise.reject(new Error("The kernel has none."));
const BEATS = Array.from({ length: 120 }, (_, i) => i / 2);
const DOWNBEATS = BEATS.filter((_, i) => i % 4 === 0);

describe("when the marks of a song are heard", () => {
  const anchor = { time: 10, position: 30 };
  const times = (...span: [number, number]) =>
    soundings({ anchor, loop: null, duration: 32 }, [29, 30, 30.5, 31.5, 40], ...span).map(({ time }) => time);

  it("is as far from the anchor as the mark is in the song", () => {
    expect(times(0, 100)).toEqual([10, 10.5, 11.5]);
    expect(times(10.5, 11.5)).toEqual([10.5]);
  });

  it("comes again with every round of a loop", () => {
    const timeline = { anchor, loop: { start: 30, end: 31 }, duration: 100 };
    expect(soundings(timeline, [29, 30.25, 31], 10, 13).map(({ time }) => time)).toEqual([10.25, 11.25, 12.25]);
    expect(soundings(timeline, [30], 100.5, 102.5).map(({ time }) => time)).toEqual([101, 102]);
  });

  it("begins with a mark that lies on the place itself", () => {
    expect(soundings({ anchor: { time: 5, position: 30.00001 }, loop: null, duration: 99 }, [30], 5, 6)).toEqual([{ index: 0, time: 5 }]);
  });
});

describe("beside the song", () => {
  let audio: FakeAudio;
  let engine: AudioEngine;
  let context: FakeContext;
  let view: AbortController;

  beforeEach(async () => {
    vi.useFakeTimers();
    audio = fakeAudio();
    ({ engine, context } = audio);
    view = new AbortController();
    await engine.load("t", MIX, noBytes, { duration: 60 });
    await engine.play();
  });

  /** Clicks that are due, as places in the song, and how loud their first half is. */
  const due = () => context.sources
    .filter((source) => source.buffer?.name === "made" && source.stopped === null)
    .map(({ started }) => {
      const { anchor } = engine.timeline as NonNullable<typeof engine.timeline>;
      return Number((anchor.position + (started as [number, number])[0] - anchor.time).toFixed(6));
    });
  const clicks = () => {
    const made = new Clicks(engine, 1, view.signal);
    made.setGrid(BEATS, DOWNBEATS);
    return made;
  };

  it("a click falls on every beat, a little ahead of time", () => {
    const made = clicks();
    expect(due()).toEqual([]);
    made.on = true;
    expect(due()).toEqual([0, 0.5, 1]);
    context.currentTime += 0.5;
    vi.advanceTimersByTime(200);
    expect(due()).toEqual([0, 0.5, 1, 1.5]);
  });

  it("downbeats are higher", () => {
    clicks().on = true;
    const crossings = (source: FakeSource) => {
      const samples = [...(source.buffer as unknown as { samples: Float32Array }).samples];
      return samples.filter((sample, i) => i > 0 && sample * (samples[i - 1] as number) < 0).length;
    };
    const [first, second] = context.sources.filter(({ buffer }) => buffer?.name === "made") as [FakeSource, FakeSource];
    expect(crossings(first)).toBeGreaterThan(1.3 * crossings(second));
  });

  it("clicks follow a seek, a loop and another grid at once", () => {
    const made = clicks();
    made.on = true;
    engine.seek(20.25);
    expect(due()).toEqual([20.5, 21, 21.5]);
    engine.setLoop({ start: 20.25, end: 20.75 });
    expect(due().slice(0, 3)).toEqual([20.5, 21, 21.5]); // unrolled: 20.5 again and again
    engine.setLoop(null);
    made.setGrid(BEATS.map((beat) => beat + 0.1), DOWNBEATS);
    expect(due()).toEqual([20.6, 21.1]);
  });

  it("nothing clicks after a pause or once it is off", () => {
    const made = clicks();
    made.on = true;
    engine.pause();
    expect(context.sources.filter(({ buffer, stopped }) => buffer?.name === "made" && stopped === null)).toEqual([]);
    void engine.play();
    made.on = false;
    vi.advanceTimersByTime(1000);
    expect(context.sources.filter(({ buffer, stopped }) => buffer?.name === "made" && stopped === null)).toEqual([]);
  });

  it("a tone rises and falls without a step, tuned as the song", () => {
    const tone = new Tone(engine, 0.5, view.signal);
    tone.play(triad("A minor", 20));
    expect(context.oscillators.map(({ frequency }) => frequency.value / 2 ** (20 / 1200)).map(Math.round)).toEqual([220, 330, 523, 440]);
    const fade = context.gains.find(({ gain }) => gain.calls.some(([name, , , constant]) => name === "target" && (constant ?? 0) > 0.03));
    expect(fade?.gain.calls[0]).toEqual(["set", 0, context.currentTime]);
    view.abort();
    expect(fade?.gain.target).toBe(0);
    for (const { stopped } of context.oscillators) expect(stopped).toBeGreaterThan(context.currentTime + 0.2);
  });

  it("knows every key and chord there is, and no other", () => {
    expect(triad("C", 0)[2]).toBeCloseTo(329.63, 1);
    expect(triad("C minor", 0)[2]).toBeCloseTo(311.13, 1);
    expect(triad("A#m", 0)[0]).toBeCloseTo(233.08, 1);
    expect(triad("N", 0)).toEqual([]);
  });

  it("another part takes over where the bar is, at its own level, in one stroke", async () => {
    context.currentTime = 8;
    const before = engine.timeline;
    const place = engine.position;
    engine.switchTo((position) => position + 16, { start: 16, end: 32 }, 0.5);
    const { anchor } = engine.timeline as NonNullable<typeof engine.timeline>;
    expect(engine.timeline).not.toBe(before);
    expect(anchor.position).toBeCloseTo(place + 16 + (anchor.time - context.currentTime), 4);
    expect(engine.loop).toEqual({ start: 16, end: 32 });
    const [old, now] = context.sources.slice(-2) as [FakeSource, FakeSource];
    expect(old.stopped).toBeCloseTo(anchor.time + 0.004, 6);
    expect(now.started?.[0]).toBe(anchor.time);
    const envelopes = context.gains.filter(({ gain }) => gain.calls.some(([name]) => name === "ramp"));
    expect(envelopes.at(-1)?.gain.target).toBe(0.5);
    engine.trim = 1;
    expect(context.gains.filter(({ gain }) => gain.calls.some(([name]) => name === "ramp")).at(-1)?.gain.target).toBe(1);
    engine.trim = 3;
    expect(engine.trim).toBe(1);
  });
});
