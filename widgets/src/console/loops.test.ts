import { describe, expect, it, vi } from "vitest";
import { Bench } from "../testing/bench";
import { above, RATE, tone } from "../testing/sound";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

/** A deck that plays at 120 BPM from a place on. */
const playing = (from: number) => new Bench().load(1).set("deck.1.seek", from).set("deck.1.play");

describe("loops", () => {
  it("are set from the nearest beat and come round", () => {
    const bench = playing(4.1).set("deck.1.loop.set", 2);
    expect(bench.deck(1)).toMatchObject({ loopActive: true, loop: { start: 4, end: 5 } });
    bench.run(2);
    expect(bench.at(1)).toBeCloseTo(4.1, 6);
    bench.set("deck.1.loop.active", 0).run(1);
    expect(bench.at(1)).toBeCloseTo(5.1, 6);
    expect(bench.deck(1)).toMatchObject({ loopActive: false, loop: { start: 4, end: 5 } });
  });

  it("are shorter than a beat, on the fraction of the beat that is nearest", () => {
    const bench = playing(4.13).set("deck.1.loop.set", 0.25);
    expect(bench.deck(1).loop).toEqual({ start: 4.125, end: 4.25 });
    bench.run(1);
    expect(bench.at(1)).toBeCloseTo(4.13, 6);
  });

  it("are as they are pressed without quantise, and at least a beat with it", () => {
    const free = playing(4.1).set("deck.1.quantize", 0).set("deck.1.loop.in");
    free.run(0.777);
    free.set("deck.1.loop.out");
    expect(free.deck(1).loop?.start).toBeCloseTo(4.1, 6);
    expect(free.deck(1).loop?.end).toBeCloseTo(4.877, 4);
    free.run(0.777);
    expect(free.at(1)).toBeCloseTo(4.1, 3);
    const short = playing(4.1).set("deck.1.loop.in");
    short.run(0.1);
    short.set("deck.1.loop.out");
    expect(short.deck(1).loop).toEqual({ start: 4, end: 4.5 });
  });

  it("halve and double, and keep the place of the turn", () => {
    const bench = playing(4).set("deck.1.loop.set", 4);
    bench.run(1.3);
    bench.set("deck.1.loop.halve");
    expect(bench.deck(1).loop).toEqual({ start: 4, end: 5 });
    expect(bench.at(1)).toBeCloseTo(4.3, 6);
    expect(bench.get("deck.1.loop.beats")).toBe(2);
    bench.set("deck.1.loop.double").set("deck.1.loop.double");
    expect(bench.deck(1).loop).toEqual({ start: 4, end: 8 });
    for (let i = 0; i < 12; i += 1) bench.set("deck.1.loop.halve");
    expect(bench.get("deck.1.loop.beats")).toBe(1 / 32);
  });

  it("move by beats and take what plays along; so does a beat jump", () => {
    const bench = playing(4.2).set("deck.1.loop.set", 4).set("deck.1.loop.move", 8);
    expect(bench.deck(1).loop).toEqual({ start: 8, end: 10 });
    expect(bench.at(1)).toBeCloseTo(8.2, 6);
    bench.set("deck.1.beatjump", -4);
    expect(bench.deck(1).loop).toEqual({ start: 6, end: 8 });
    expect(bench.at(1)).toBeCloseTo(6.2, 6);
  });

  it("are entered again, and left by going elsewhere", () => {
    const bench = playing(4).set("deck.1.loop.active");
    expect(bench.deck(1).loop).toEqual({ start: 4, end: 6 });
    bench.set("deck.1.seek", 20);
    expect(bench.get("deck.1.loop.active")).toBe(0);
    bench.set("deck.1.loop.active", 1);
    expect(bench.at(1)).toBeGreaterThanOrEqual(4);
    expect(bench.at(1)).toBeLessThan(6);
  });

  it("roll, and are back where the song would be", () => {
    const bench = playing(4).set("deck.1.roll", 0.5);
    bench.run(1.6);
    expect(bench.at(1)).toBeLessThan(4.25);
    expect(bench.deck(1).slip).toBeCloseTo(5.6, 4);
    bench.set("deck.1.roll", 0);
    expect(bench.at(1)).toBeCloseTo(5.6, 4);
    expect(bench.deck(1)).toMatchObject({ slip: null, loop: null });
  });

  it("have no click at their seam", () => {
    const bench = new Bench().load(1, { sound: tone(441.7, 0.9) }).set("mixer.crossfader", -1).set("deck.1.seek", 4).set("deck.1.play");
    bench.set("deck.1.quantize", 0).set("deck.1.loop.set", 1);
    bench.run(0.3);
    expect(above(bench.run(1.1), 3000)).toBeLessThan(-60);
  });
});

describe("hot cues", () => {
  it("are set on the nearest beat, told of, and cleared", () => {
    const bench = playing(4.1).press("deck.1.hotcue.1.press");
    expect(bench.events).toContainEqual({ type: "hotcue", deck: 1, slot: 1, cue: { time: 4, end: null } });
    expect(bench.at(1)).toBeCloseTo(4.1, 6);
    bench.set("deck.1.hotcue.1.clear");
    expect(bench.events).toContainEqual({ type: "hotcue", deck: 1, slot: 1, cue: null });
  });

  it("are gone to at once while it plays, as far off the beat as it is", () => {
    const hotCues = [null, { time: 20, end: null }];
    const bench = new Bench().load(1, { hotCues }).set("deck.1.seek", 4).set("deck.1.play");
    bench.run(0.53);
    bench.press("deck.1.hotcue.2.press");
    expect(bench.at(1)).toBeCloseTo(20.03, 4);
    bench.set("deck.1.quantize", 0).press("deck.1.hotcue.2.press");
    expect(bench.at(1)).toBeCloseTo(20, 6);
    expect(bench.get("deck.1.play")).toBe(1);
  });

  it("play as long as they are held when it stands, and on when play is pressed", () => {
    const bench = new Bench().load(1, { hotCues: [{ time: 20.25, end: null }] });
    bench.set("deck.1.hotcue.1.press", 1).run(0.5);
    expect(bench.at(1)).toBeCloseTo(20.75, 4);
    bench.set("deck.1.hotcue.1.press", 0).run(0.1);
    expect(bench.at(1)).toBeCloseTo(20.25, 6);
    bench.set("deck.1.hotcue.1.press", 1).set("deck.1.play").set("deck.1.hotcue.1.press", 0).run(1);
    expect(bench.at(1)).toBeCloseTo(21.25, 4);
  });

  it("that are loops go on looping; a loop that plays is kept by an empty one", () => {
    const bench = new Bench().load(1, { hotCues: [{ time: 20, end: 21 }] }).set("deck.1.seek", 4).set("deck.1.play");
    bench.press("deck.1.hotcue.1.press").run(2.2);
    expect(bench.deck(1)).toMatchObject({ loopActive: true, loop: { start: 20, end: 21 } });
    expect(bench.at(1)).toBeCloseTo(20.2, 4);
    bench.press("deck.1.hotcue.5.press");
    expect(bench.events).toContainEqual({ type: "hotcue", deck: 1, slot: 5, cue: { time: 20, end: 21 } });
  });
});

describe("slip", () => {
  const slipping = () => new Bench().load(1, { hotCues: [{ time: 30, end: null }] }).set("deck.1.seek", 4).set("deck.1.slip").set("deck.1.play");

  it("goes on under a loop", () => {
    const bench = slipping().set("deck.1.loop.set", 1);
    bench.run(2);
    expect(bench.deck(1).slip).toBeCloseTo(6, 4);
    bench.set("deck.1.loop.active", 0);
    expect(bench.at(1)).toBeCloseTo(6, 4);
    expect(bench.deck(1).slip).toBeNull();
  });

  it("goes on under a hot cue, as long as it is held", () => {
    const bench = slipping().set("deck.1.hotcue.1.press", 1);
    bench.run(1);
    expect(bench.at(1)).toBeCloseTo(31, 4);
    bench.set("deck.1.hotcue.1.press", 0);
    expect(bench.at(1)).toBeCloseTo(5, 4);
  });

  it("goes on under reverse", () => {
    const bench = slipping().set("deck.1.reverse", 1);
    bench.run(1);
    expect(bench.at(1)).toBeCloseTo(3, 2);
    bench.set("deck.1.reverse", 0);
    expect(bench.at(1)).toBeCloseTo(5, 4);
  });

  it("goes on under a scratch", () => {
    const bench = slipping().set("deck.1.jog.touch", 1).set("deck.1.jog.turn", -0.5);
    bench.run(1);
    expect(bench.at(1)).toBeCloseTo(4 - 0.9, 2);
    bench.set("deck.1.jog.touch", 0);
    expect(bench.at(1)).toBeCloseTo(5, 3);
    expect(bench.deck(1).playing).toBe(true);
  });

  it("goes on while it is paused, until it is sent elsewhere or switched off", () => {
    const bench = slipping();
    bench.run(1);
    bench.set("deck.1.play", 0).run(2);
    expect(bench.at(1)).toBeCloseTo(5, 4);
    expect(bench.deck(1).slip).toBeCloseTo(7, 4);
    bench.set("deck.1.play").run(0.5);
    expect(bench.at(1)).toBeCloseTo(7.5, 4);
    expect(bench.deck(1).slip).toBeNull();
    bench.set("deck.1.play", 0).run(1);
    bench.set("deck.1.seek", 20).set("deck.1.play").run(0.5);
    expect(bench.at(1)).toBeCloseTo(20.5, 4);
    bench.set("deck.1.play", 0).run(1);
    bench.set("deck.1.slip", 0).set("deck.1.play").run(0.5);
    expect(bench.at(1)).toBeCloseTo(21, 4);
  });

  it("does not play on beyond the end of a song that was paused", () => {
    const bench = slipping().set("deck.1.seek", 58).set("deck.1.play", 0);
    bench.run(3);
    bench.set("deck.1.play").run(0.5);
    expect(bench.at(1)).toBeCloseTo(58.5, 4);
  });

  it("comes back once, after the last of them", () => {
    const bench = slipping().set("deck.1.loop.set", 1).set("deck.1.jog.touch", 1);
    bench.run(1);
    bench.set("deck.1.jog.touch", 0);
    expect(bench.deck(1).slip).toBeCloseTo(5, 3);
    bench.set("deck.1.loop.active", 0);
    expect(bench.at(1)).toBeCloseTo(5, 3);
  });
});

describe("the jog wheel", () => {
  it("holds the record and moves it as the hand does", () => {
    const bench = playing(10).set("deck.1.jog.touch", 1);
    bench.run(0.5);
    const held = bench.at(1);
    expect(held).toBeGreaterThan(9.98);
    expect(held).toBeLessThan(10.05);
    for (let i = 0; i < 20; i += 1) {
      bench.set("deck.1.jog.turn", 0.01);
      bench.run(0.01);
    }
    bench.run(0.3);
    expect(bench.at(1) - held).toBeCloseTo(0.2 * 1.8, 2);
    bench.set("deck.1.jog.touch", 0).run(1);
    expect(bench.at(1) - held).toBeCloseTo(1.36, 1);
  });

  it("pushes and brakes what plays, for a moment", () => {
    const bench = playing(10);
    bench.run(1);
    for (let i = 0; i < 10; i += 1) {
      bench.set("deck.1.jog.turn", 0.01);
      bench.run(0.02);
    }
    expect(bench.deck(1).rate).toBeGreaterThan(1.02);
    bench.run(1.5);
    expect(bench.deck(1).rate).toBe(1);
    expect(bench.at(1) - 12.7).toBeGreaterThan(0.008);
    expect(bench.at(1) - 12.7).toBeLessThan(0.03);
  });

  it("moves what stands without a sound", () => {
    const bench = new Bench().load(1).set("deck.1.seek", 10).set("deck.1.jog.turn", 0.1);
    expect(bench.at(1)).toBeCloseTo(10.18, 6);
    expect(bench.frames(RATE / 10).every((sample) => sample === 0)).toBe(true);
  });
});
