import { describe, expect, it, vi } from "vitest";
import { Bench } from "../testing/bench";
import { onsets, peak, RATE } from "../testing/sound";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const MS = 0.001;

describe("play and cue", () => {
  it("plays at the speed of the song, stops where it is, and says so", () => {
    const bench = new Bench().load(1);
    bench.set("deck.1.play").run(1);
    expect(bench.at(1)).toBeCloseTo(1, 6);
    bench.set("deck.1.play", 0).run(0.5);
    expect(bench.deck(1)).toMatchObject({ playing: false, rate: 0 });
    expect(bench.at(1)).toBeCloseTo(1, 2);
  });

  it("does not play without a song, nor before its sound has come", () => {
    const bench = new Bench().set("deck.1.play");
    expect(bench.told("deck.1.play")).toEqual([0]);
    const frames = 10 * RATE;
    bench.console.load(1, { id: "a", frames, roles: ["mix"], grid: null, hotCues: [], cuePoint: 0, gain: 0, key: null });
    bench.set("deck.1.play").run(0.1);
    expect(bench.deck(1)).toMatchObject({ playing: false, position: 0, loaded: true });
    expect(bench.get("deck.1.play")).toBe(1);
    bench.console.slice(1, "a", "mix", 0, { left: new Int16Array(1 << 18), right: new Int16Array(1 << 18), scale: 1 });
    bench.run(0.1);
    expect(bench.deck(1).playing).toBe(true);
  });

  it("goes back to the cue point and stands there when cue is pressed while it plays", () => {
    const bench = new Bench().load(1, { cuePoint: 2 });
    bench.set("deck.1.seek", 5).set("deck.1.play").run(0.3);
    bench.press("deck.1.cue").run(0.1);
    expect(bench.at(1)).toBeCloseTo(2, 6);
    expect(bench.get("deck.1.play")).toBe(0);
    expect(bench.deck(1).playing).toBe(false);
  });

  it("plays from the cue point as long as cue is held, and on when play is pressed meanwhile", () => {
    const bench = new Bench().load(1, { cuePoint: 2 }).set("deck.1.seek", 2);
    bench.set("deck.1.cue", 1).run(0.5);
    expect(bench.at(1)).toBeCloseTo(2.5, 6);
    bench.set("deck.1.cue", 0).run(0.1);
    expect(bench.at(1)).toBeCloseTo(2, 6);
    expect(bench.deck(1).playing).toBe(false);
    bench.set("deck.1.cue", 1).run(0.5);
    bench.set("deck.1.play").set("deck.1.cue", 0).run(0.5);
    expect(bench.at(1)).toBeCloseTo(3, 6);
  });

  it("sets the cue point where it stands, on the nearest beat with quantise", () => {
    const bench = new Bench().load(1).set("deck.1.seek", 7.1);
    bench.press("deck.1.cue");
    expect(bench.get("deck.1.cue_point")).toBeCloseTo(7, 9);
    expect(bench.at(1)).toBeCloseTo(7, 6);
    bench.set("deck.1.quantize", 0).set("deck.1.seek", 7.1);
    bench.press("deck.1.cue");
    expect(bench.told("deck.1.cue_point").at(-1)).toBeCloseTo(7.1, 6);
  });

  it("stops at the end, says so, and begins anew when play is pressed there", () => {
    const bench = new Bench().load(1, { seconds: 3 }).set("deck.1.seek", 2.9).set("deck.1.play");
    bench.run(0.3);
    expect(bench.get("deck.1.play")).toBe(0);
    expect(bench.events).toContainEqual({ type: "ended", deck: 1 });
    bench.set("deck.1.play").run(0.5);
    expect(bench.at(1)).toBeCloseTo(0.5, 4);
  });

  it("searches and jumps by beats, keeping its place within the beat, also where the grid is uneven", () => {
    const bench = new Bench().load(1).set("deck.1.seek", 10.1).set("deck.1.play");
    bench.set("deck.1.beatjump", 8);
    expect(bench.at(1)).toBeCloseTo(14.1, 6);
    bench.set("deck.1.beatjump", -128);
    expect(bench.at(1)).toBe(0);
    bench.set("deck.1.search", 3.5);
    expect(bench.at(1)).toBeCloseTo(3.5, 6);
    const beats = Float64Array.from({ length: 60 }, (_, beat) => 0.5 * beat + 0.002 * beat * beat);
    bench.load(2, { grid: { beats, downbeats: Int32Array.of(0), steady: false } });
    const half = ((beats[4] as number) + (beats[5] as number)) / 2;
    bench.set("deck.2.seek", half).set("deck.2.beatjump", 16);
    expect(bench.at(2)).toBeCloseTo(((beats[20] as number) + (beats[21] as number)) / 2, 6);
  });

  it("loading stops the deck and leaves what has nothing to do with the song", () => {
    const bench = new Bench().load(1).set("deck.1.pitch", 3).set("deck.1.loop.set", 4).set("deck.1.play");
    bench.run(0.2);
    bench.load(1, { cuePoint: 1.5, id: "other" });
    expect(bench.deck(1)).toMatchObject({ playing: false, position: 0, loop: null, loopActive: false });
    expect([bench.get("deck.1.play"), bench.get("deck.1.pitch"), bench.get("deck.1.cue_point"), bench.get("deck.1.track")]).toEqual([0, 3, 1.5, "other"]);
  });

  it("keeps what is set while a song is on its way", () => {
    const bench = new Bench().set("deck.1.track", "song 1").set("deck.1.seek", 4).set("deck.1.play");
    expect(bench.events).toContainEqual(expect.objectContaining({ type: "load", deck: 1, track: "song 1" }));
    bench.run(0.1);
    bench.load(1).run(0.5);
    expect(bench.at(1)).toBeCloseTo(4.5, 2);
    expect(bench.get("deck.1.play")).toBe(1);
  });
});

describe("what comes out", () => {
  it("is the same however the blocks are cut", () => {
    const session = (block: number) => {
      const bench = new Bench().load(1).load(2, { bpm: 127.35 }).set("deck.2.sync");
      bench.console.play("a", [
        { when: { frame: 1001 }, control: "deck.1.play", value: 1 },
        { when: { deck: 1, beat: 1 }, control: "deck.2.play", value: 1 },
        { when: { deck: 1, position: 0.77 }, control: "deck.1.loop.set", value: 0.5 },
        { when: { frame: 60000 }, control: "mixer.crossfader", value: 1, over: { seconds: 0.2 } },
        { when: { frame: 61111 }, control: "deck.1.loop.active", value: 0 },
        { when: { frame: 62222 }, control: "deck.1.search", value: 0.6 },
        { when: { deck: 1, position: 1 }, control: "mixer.master", value: -6, over: { beats: 0.5 } },
      ]);
      return bench.run(2, block);
    };
    const [one, other] = [session(128), session(77)];
    expect(peak(one)).toBeGreaterThan(0.3);
    expect(peak(one.map((sample, frame) => sample - (other[frame] as number)))).toBeLessThan(1e-6);
  });

  it("has the beats where they are in the song", () => {
    const bench = new Bench().load(1).set("mixer.crossfader", -1).set("deck.1.play");
    const heard = onsets(bench.run(2.2));
    const latency = heard[0] as number;
    expect(latency).toBeLessThan(10 * MS * RATE);
    heard.forEach((onset, beat) => expect(Math.abs(onset - latency - beat * 0.5 * RATE)).toBeLessThan(MS * RATE));
  });
});
