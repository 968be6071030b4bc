import { describe, expect, it, vi } from "vitest";
import { Bench, even } from "../testing/bench";
import { info, peak, stretches, tone } from "../testing/sound";
import { Console } from "./console";
import { SLICE, type Grid, type Slice, type TimedEvent } from "./types";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const grid = (beats: number[]): Grid => ({ beats: Float64Array.from(beats), downbeats: Int32Array.of(0), steady: true });
const isWhole = (bench: Bench) => bench.console.values.every(Number.isFinite)
  && bench.console.state().decks.every((deck) => !Object.values(deck).some(Number.isNaN));

describe("what hosts give", () => {
  it("may be broken numbers: they are left out", () => {
    const bench = new Bench().load(1, {
      gain: NaN, cuePoint: -Infinity, key: { tonic: NaN, minor: true },
      hotCues: [{ time: NaN, end: 3 }, { time: 5, end: NaN }, { time: 500, end: null }, { time: -3, end: 1 }],
    });
    bench.set("deck.1.assign", "through").set("deck.1.play");
    bench.console.update(1, { gain: Infinity, key: { tonic: 0.5, minor: false } });
    for (const cue of [1, 2, 4]) {
      bench.press(`deck.1.hotcue.${cue}.press`);
      expect(peak(bench.run(1.1))).toBeGreaterThan(0.1);
    }
    expect(bench.get("deck.1.cue_point")).toBe(0);
    // Beyond the end.
    bench.press("deck.1.hotcue.3.press").run(0.1);
    expect(bench.get("deck.1.play")).toBe(0);
    bench.set("deck.1.play").run(0.1);
    expect(bench.at(1)).toBeCloseTo(0.1, 3);
    expect(isWhole(bench)).toBe(true);
  });

  it.each([
    ["one beat", grid([1]), null],
    ["no beats", grid([]), null],
    ["beats in no order", grid([1, 0, 2, 0.5, NaN, 1.5, Infinity]), 120],
    ["the same beat twice", grid([0, 0, 0.5, 0.5, 1, 1, 1.5]), 120],
    ["100,000 beats", grid(Array.from({ length: 100_000 }, (_, beat) => 0.5 * beat)), 120],
  ])("may be a grid of %s", (_, given, bpm) => {
    const bench = new Bench().load(1).load(2, { grid: given }).set("deck.1.play").set("deck.2.sync").set("deck.2.play").set("deck.2.loop.set", 0.5);
    bench.run(0.6);
    bench.set("deck.2.beatjump", 4).set("deck.2.loop.active", 0).run(0.3);
    if (bpm === null) expect(bench.deck(2).tempo).toBeNull();
    else expect(bench.deck(2).tempo).toBeCloseTo(bpm, 0);
    bench.console.update(1, { grid: given });
    bench.run(0.3);
    expect(isWhole(bench)).toBe(true);
  });

  it("may be a song without a frame, slices of no song, or none that fit", () => {
    const bench = new Bench();
    bench.console.load(1, info(0, ["mix"], { id: "nothing", grid: even(120, 10) }));
    bench.set("deck.1.play").set("deck.1.loop.set", 4).set("deck.1.jog.touch").set("deck.1.jog.turn", 1).run(0.2);
    bench.set("deck.1.jog.touch", 0).run(0.2);
    expect(bench.deck(1)).toMatchObject({ playing: false, position: 0 });
    bench.console.load(2, info(SLICE, ["mix"], { id: "song" }));
    const good: Slice = { left: new Int16Array(SLICE), right: new Int16Array(SLICE), scale: 32768 };
    bench.console.slice(2, "gone", "mix", 0, good);
    bench.console.slice(2, "song", "drums", 0, good);
    for (const index of [-1, 1, 0.5, NaN]) bench.console.slice(2, "song", "mix", index, good);
    for (const scale of [0, NaN, -1]) bench.console.slice(2, "song", "mix", 0, { ...good, scale });
    bench.console.slice(2, "song", "mix", 0, { ...good, right: new Int16Array(5) });
    bench.set("deck.2.play").run(0.1);
    expect(bench.deck(2).playing).toBe(false);
    bench.console.slice(2, "song", "mix", 0, good);
    bench.run(0.1);
    expect(bench.deck(2).playing).toBe(true);
    expect(isWhole(bench)).toBe(true);
  });

  it("is refused when it is no song, no deck or no time", () => {
    const { console: made } = new Bench().load(1);
    expect(() => made.load(5, info(10))).toThrow(/no deck 5/);
    expect(() => made.load(NaN, info(10))).toThrow(/no deck NaN/);
    for (const frames of [NaN, -1, 1.5, Infinity]) expect(() => made.load(1, info(frames))).toThrow(/cannot have/);
    expect(() => made.load(1, info(10, []))).toThrow(/at least a mix/);
    const event = (more: Partial<TimedEvent>): TimedEvent => ({ when: { frame: 0 }, control: "mixer.master", value: -10, ...more });
    for (const wrong of [{ when: { frame: NaN } }, { when: { deck: 7, position: 1 } }, { when: { deck: 1, beat: NaN } }, { over: { seconds: NaN } }, { over: { beats: Infinity } }]) {
      expect(() => made.play("a", [event(wrong)])).toThrow(/mixer.master/);
    }
    expect(made.get("deck.1.track")).toBe("song 1");
  });

  it.each([8000, 192_000])("may be sound at %d Hz", async (sampleRate) => {
    const made = new Console({ sampleRate, stretch: await stretches(2) });
    const roles = ["mix", "vocals", "drums"];
    made.load(1, info(sampleRate, roles, { id: "song", grid: even(120, 1) }));
    const left = Int16Array.from({ length: sampleRate }, (_, frame) => 16000 * tone(1)(Math.round((frame * 44100 * 300) / sampleRate)));
    for (const role of roles) made.slice(1, "song", role, 0, { left, right: left, scale: 32768 });
    for (const [control, value] of [["deck.1.assign", "through"], ["deck.1.pitch", 8], ["deck.1.key_shift", 12], ["deck.1.eq.low", -20], ["deck.1.filter", 0.5],
      ["deck.1.loop.set", 0.5], ["deck.1.stems", 1], ["deck.1.stem.drums.filter", -0.5], ["deck.1.play", 1]] as const) made.set(control, value);
    const [master, right, phones, other] = [0, 1, 2, 3].map(() => new Float32Array(sampleRate / 5)) as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (const kind of ["echo", "reverb", "flanger", "crush", "gate", "roll"]) {
      made.set("deck.1.fx.1.kind", kind);
      made.set("deck.1.fx.1.on", 1);
      made.process(master, right, phones, other, master.length);
      expect(peak(master)).toBeGreaterThan(0.01);
      expect(master.every((sample) => Math.abs(sample) <= 1)).toBe(true);
    }
  });
});
