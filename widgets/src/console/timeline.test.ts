import { describe, expect, it, vi } from "vitest";
import { Bench } from "../testing/bench";
import { RATE, stretches } from "../testing/sound";
import { opening, timed } from "./script";
import type { ConsoleEvent, TimedEvent } from "./types";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

/** Frames at which a control was set. */
const frames = (bench: Bench, control: string) =>
  bench.events.flatMap((event: ConsoleEvent) => (event.type === "applied" && event.control === control ? [event.frame] : []));

describe("timed events", () => {
  it("happen at their frame, in the middle of a block", () => {
    const bench = new Bench().load(1);
    bench.console.play("a", [{ when: { frame: 1000 }, control: "deck.1.play", value: 1 }]);
    bench.run(0.5);
    expect(frames(bench, "deck.1.play")).toEqual([1000]);
    expect(bench.at(1)).toBeCloseTo((Math.round(0.5 * RATE) - 1000) / RATE, 9);
    expect(bench.events).toContainEqual({ type: "finished", tag: "a" });
    expect(bench.told("deck.1.play")).toEqual([1]);
  });

  it("happen when a deck comes to a place or a beat of its song, whatever its speed", () => {
    const bench = new Bench().load(1).load(2);
    bench.console.play("a", [
      { when: { deck: 1, position: 1.2345 }, control: "deck.2.play", value: 1 },
      { when: { deck: 1, beat: 4 }, control: "deck.2.play", value: 0 },
    ]);
    bench.set("deck.1.keylock", 0).set("deck.1.pitch", 8).run(0.1);
    bench.set("deck.1.play").run(3);
    const [on, off] = frames(bench, "deck.2.play") as [number, number];
    const place = (seconds: number) => Math.round(0.1 * RATE) + (seconds / 1.08) * RATE;
    // The speed is reached within milliseconds, not at once.
    expect(Math.abs(on - place(1.2345))).toBeLessThan(0.002 * RATE);
    expect((off - on) / RATE).toBeCloseTo((2 - 1.2345) / 1.08, 4);
  });

  it("wait for the one before, and happen at once when their place has been passed by then", () => {
    const bench = new Bench().load(1);
    bench.console.play("a", [
      { when: { deck: 1, position: 3 }, control: "mixer.master", value: -10 },
      { when: { deck: 1, position: 1 }, control: "mixer.master", value: -20 },
      { when: { deck: 1, position: 3.5 }, control: "mixer.master", value: -30 },
    ]);
    bench.set("deck.1.seek", 4).run(0.5);
    expect(bench.get("mixer.master")).toBe(0); // it stands
    bench.set("deck.1.seek", 1.5).set("deck.1.play").run(1.4);
    expect(bench.get("mixer.master")).toBe(0);
    bench.run(0.2);
    expect(bench.get("mixer.master")).toBe(-20);
    expect(frames(bench, "mixer.master")).toHaveLength(2);
    bench.set("deck.1.reverse").run(0.5);
    bench.set("deck.1.reverse", 0).run(0.3);
    expect(bench.get("mixer.master")).toBe(-20);
    bench.run(1);
    expect(bench.get("mixer.master")).toBe(-30);
  });

  it.each([
    ["a seek", (bench: Bench) => bench.set("deck.1.seek", 10)],
    ["a hot cue", (bench: Bench) => bench.press("deck.1.hotcue.1.press")],
    ["a beat jump", (bench: Bench) => bench.set("deck.1.beatjump", 16)],
  ])("happen at once when %s leads past their place", (_, leap) => {
    const bench = new Bench().load(1, { hotCues: [{ time: 12, end: null }] }).set("deck.1.play");
    bench.console.play("a", [{ when: { deck: 1, position: 5 }, control: "deck.1.pitch", value: 2 }, { when: { deck: 1, beat: 14 }, control: "deck.1.pitch", value: 4 }]);
    bench.run(1);
    const frame = bench.console.frame;
    leap(bench).frames(1);
    expect(frames(bench, "deck.1.pitch")).toEqual([frame, frame]);
    expect(bench.events).toContainEqual({ type: "finished", tag: "a" });
  });

  it("wait while a loop before their place is played, and for a song that is listened into", () => {
    const bench = new Bench().load(1, { hotCues: [{ time: 12, end: null }] }).set("deck.1.play").set("deck.1.loop.set", 2);
    bench.console.play("a", [{ when: { deck: 1, position: 1.5 }, control: "mixer.master", value: -10 }]);
    bench.run(3.3);
    expect(bench.get("mixer.master")).toBe(0);
    bench.set("deck.1.play", 0).set("deck.1.hotcue.1.press", 1).run(0.2);
    bench.set("deck.1.hotcue.1.press", 0).set("deck.1.seek", 1.2).run(0.1);
    expect(bench.get("mixer.master")).toBe(0);
    bench.set("deck.1.play").run(0.29);
    expect(bench.get("mixer.master")).toBe(0);
    bench.run(0.02);
    expect(bench.get("mixer.master")).toBe(-10);
  });

  it("happen at a place within a loop, also right before its end", () => {
    const bench = new Bench().load(1).set("deck.1.play").set("deck.1.loop.set", 1);
    bench.run(0.1);
    const end = 0.5 * RATE;
    bench.console.play("a", [{ when: { deck: 1, position: (end - 0.3) / RATE }, control: "mixer.master", value: -10 }]);
    bench.run(1);
    expect(frames(bench, "mixer.master")).toEqual([Math.ceil(end)]);
  });

  it("are replaced by others of the same tag, and cancelled", () => {
    const bench = new Bench();
    const at = (frame: number, value: number): TimedEvent[] => [{ when: { frame }, control: "mixer.master", value }];
    bench.console.play("a", at(5000, -10));
    bench.console.play("a", at(6000, -20));
    bench.console.play("b", at(7000, -30));
    bench.console.cancel("b");
    bench.run(1);
    expect(bench.get("mixer.master")).toBe(-20);
    expect(() => bench.console.play("c", [{ when: { frame: 0 }, control: "mixer.mastre", value: 1 }])).toThrow(/no control/);
  });

  it("can be a single change at a frame", () => {
    const bench = new Bench();
    bench.console.set("mixer.crossfader", 0.5, { at: 3333 });
    bench.run(0.5);
    expect(frames(bench, "mixer.crossfader")).toEqual([3333]);
  });
});

describe("ramps", () => {
  const ramp = (over: TimedEvent["over"], control = "mixer.crossfader", value = 1): TimedEvent[] => [{ when: { frame: 0 }, control, value, over }];

  it("move a control evenly, tell where it is now and then, and end there exactly", () => {
    const bench = new Bench().set("mixer.crossfader", -1);
    bench.console.play("a", ramp({ seconds: 2 }));
    bench.run(1);
    expect(bench.get("mixer.crossfader")).toBeCloseTo(0, 2);
    expect(bench.told("mixer.crossfader").length).toBeLessThan(60);
    bench.run(1.1);
    expect(bench.told("mixer.crossfader").at(-1)).toBe(1);
    expect(bench.events).toContainEqual({ type: "applied", frame: 0, control: "mixer.crossfader", value: 1, over: 2, tag: expect.any(String) });
  });

  it("go by the knob, and by the beats of the leader", () => {
    const bench = new Bench().load(1, { bpm: 150 }).set("deck.1.play");
    bench.console.play("a", ramp({ beats: 10 }, "mixer.master", -60));
    bench.run(2);
    // Half of the way of a fader down from 0 dB.
    expect(bench.get("mixer.master")).toBeCloseTo(60 * Math.log10(0.5), 1);
    bench.run(2.1);
    expect(bench.get("mixer.master")).toBe(-60);
  });

  it("over beats last as long as these do", () => {
    const bench = new Bench().load(1, { bpm: 120 }).set("deck.1.play");
    bench.console.play("a", ramp({ beats: 16 }));
    bench.run(4);
    bench.set("deck.1.pitch", 50).run(2);
    expect(bench.get("mixer.crossfader")).toBeCloseTo((8 + 6) / 16, 2);
    bench.run(0.7);
    expect(bench.get("mixer.crossfader")).toBe(1);
  });

  it("end where a hand takes the control", () => {
    const bench = new Bench();
    bench.console.play("a", ramp({ seconds: 1 }));
    bench.run(0.5);
    bench.set("mixer.crossfader", -0.3).run(1);
    expect(bench.get("mixer.crossfader")).toBe(-0.3);
  });
});

describe("a script", () => {
  it("sounds as hands that turn between two blocks, under key lock as well", async () => {
    const START = 128 * 50;
    const TURN = 128 * 300;
    const bench = async () => new Bench(await stretches(4)).load(1).load(2, { bpm: 124 }).set("deck.2.sync");
    const hands = await bench();
    const before = hands.frames(START);
    hands.set("deck.1.play").set("deck.2.play");
    const between = hands.frames(TURN - START);
    const after = hands.set("deck.1.tempo", 126).frames(RATE);
    const again = await bench();
    const events: TimedEvent[] = [[START, "deck.1.play", 1], [START, "deck.2.play", 1], [TURN, "deck.1.tempo", 126]]
      .map(([frame, control, value]) => ({ when: { frame }, control, value }) as TimedEvent);
    again.console.play("script", events);
    expect(again.frames(TURN + RATE)).toEqual(Float32Array.of(...before, ...between, ...after));
  });

  it("is recorded from what was applied, and does the same again", () => {
    const hands = new Bench().load(1).load(2, { bpm: 124 }).set("deck.2.sync");
    hands.events = [];
    const does: [number, string, number][] = [[0.2, "deck.1.play", 1], [0.5, "deck.2.play", 1], [0.3, "mixer.crossfader", 0.4], [0.7, "deck.1.loop.set", 2], [0.41, "deck.1.eq.low", -20]];
    for (const [wait, control, value] of does) {
      hands.run(wait);
      hands.set(control, value);
    }
    hands.run(1);
    const events = hands.events.flatMap((event) =>
      event.type === "applied" ? [{ time: event.frame / RATE, control: event.control, value: event.value }] : []);
    expect(events.map(({ control }) => control)).toEqual(does.map(([, control]) => control));
    const document = { version: 1 as const, sample_rate: RATE, duration: 3, controls: { "deck.2.sync": 1, "mixer.limiter": 0 }, positions: {}, events };
    const again = new Bench().load(1).load(2, { bpm: 124 });
    for (const { control, value } of opening(document)) again.set(control, value);
    again.console.play("script", timed(document, 0, RATE));
    again.frames(hands.console.frame);
    const stand = (bench: Bench) => bench.console.state().decks.map(({ position, rate, loop }) => ({ position, rate, loop }));
    expect(stand(again)).toEqual(stand(hands));
  });

  it("tells the host what its events have set, and which songs it wants", () => {
    const bench = new Bench();
    bench.console.play("a", [
      { when: { frame: 100 }, control: "deck.1.assign", value: "right" },
      { when: { frame: 200 }, control: "deck.1.track", value: "some song" },
    ]);
    bench.run(0.1);
    expect(bench.told("deck.1.assign")).toEqual(["right"]);
    expect(bench.events).toContainEqual({ type: "load", frame: 200, deck: 1, track: "some song" });
  });
});
