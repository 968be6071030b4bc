import { describe, expect, it, vi } from "vitest";
import { Bench, even } from "../testing/bench";
import { cents, decibels, info, peak, pitch, RATE, rms, stretches, tone } from "../testing/sound";
import { CONTROLS, valueAt } from "./table";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

describe("the console", () => {
  const level = (bench: Bench) => decibels(rms(bench.run(0.3).subarray(RATE / 10)) * Math.SQRT2);

  it("brings songs to the common loudness and takes them away by the crossfader", () => {
    const bench = new Bench().load(1, { sound: tone(300), gain: -6, seconds: 20 }).set("mixer.crossfader", -1).set("deck.1.play");
    expect(level(bench)).toBeCloseTo(-12, 1);
    bench.set("mixer.crossfader", 0);
    expect(level(bench)).toBeCloseTo(-15, 1);
    bench.set("mixer.crossfader", 1);
    expect(level(bench)).toBeLessThan(-100);
    bench.set("deck.1.assign", "through").set("mixer.master", -6);
    expect(level(bench)).toBeCloseTo(-18, 1);
  });

  it("plays the stems as they are set", () => {
    const sounds = { mix: tone(100, 0.3), vocals: tone(300, 0.25), drums: tone(1000, 0.25) };
    const bench = new Bench().load(1, { sounds, seconds: 20 }).set("deck.1.assign", "through").set("deck.1.play");
    const near = (hertz: number) => decibels(Math.abs(bin(bench.run(0.4).subarray(0.1 * RATE), hertz)));
    expect([near(100) < -60, near(300) > -15, near(1000) > -15]).toEqual([true, true, true]);
    bench.set("deck.1.stem.vocals.mute");
    expect(near(300)).toBeLessThan(-60);
    bench.set("deck.1.stem.vocals.mute", 0).set("deck.1.stem.vocals.solo");
    expect([near(300) > -15, near(1000) < -60]).toEqual([true, true]);
    bench.set("deck.1.stems", 0);
    expect([near(100) > -15, near(300) < -60]).toEqual([true, true]);
  });

  it("plays a song in a second deck without its sound coming again, and gives one of them other stems", () => {
    const sounds = { mix: tone(100, 0.3), vocals: tone(300, 0.25) };
    const bench = new Bench().load(1, { sounds, seconds: 5 });
    bench.console.load(2, info(5 * RATE, ["mix"], { id: "again" }), 1);
    const near = (hertz: number) => decibels(Math.abs(bin(bench.run(0.4).subarray(0.1 * RATE), hertz)));
    bench.set("deck.2.assign", "through").set("deck.2.play");
    expect(near(300)).toBeGreaterThan(-15);
    bench.console.restem(2, "before", ["bass"]);
    expect(near(300)).toBeGreaterThan(-15);
    bench.console.restem(2, "again", ["bass"]);
    expect([near(100) > -15, near(300) < -60]).toEqual([true, true]);
    bench.set("deck.2.play", 0).set("deck.1.assign", "through").set("deck.1.play");
    expect(near(300)).toBeGreaterThan(-15);
  });

  it("lets the headphones hear a deck that the master does not", () => {
    const bench = new Bench().load(1, { sound: tone(300), seconds: 5 }).set("deck.1.volume", 0).set("deck.1.headphones").set("deck.1.play");
    const phones = new Float32Array(RATE);
    const master = new Float32Array(RATE);
    bench.console.process(master, new Float32Array(RATE), phones, new Float32Array(RATE), RATE);
    expect(rms(master.subarray(RATE / 2))).toBe(0);
    expect(decibels(rms(phones.subarray(RATE / 2)) * Math.SQRT2)).toBeCloseTo(-12, 1);
  });

  it("never lets the headphones over full scale", () => {
    const bench = new Bench().load(1, { sound: tone(300, 0.9), seconds: 5 }).load(2, { sound: tone(400, 0.9), seconds: 5 });
    bench.set("mixer.headphones.volume", 6).set("deck.1.headphones").set("deck.2.headphones").set("deck.1.play").set("deck.2.play");
    const phones = new Float32Array(RATE);
    bench.console.process(new Float32Array(RATE), new Float32Array(RATE), phones, new Float32Array(RATE), RATE);
    expect(peak(phones)).toBeGreaterThan(0.8);
    expect(peak(phones)).toBeLessThan(1);
  });

  it("makes the stretchers of the decks in use ahead, as long as nothing plays", async () => {
    const modules = await stretches(8);
    let taken = 0;
    const bench = new Bench(() => { taken += 1; return modules(); });
    bench.console.warm();
    expect(taken).toBe(4);
    bench.load(1, { sounds: { mix: tone(100), vocals: tone(200), drums: tone(300), bass: tone(400), other: tone(500) }, seconds: 2 });
    bench.set("deck.1.play").set("mixer.decks", "4");
    expect(taken).toBe(4);
    bench.set("deck.1.play", 0).set("mixer.decks", "2").set("mixer.decks", "4");
    expect(taken).toBe(8);
  });

  it("keeps the key while the tempo changes, and shifts it by semitones", async () => {
    const bench = new Bench(await stretches(2)).load(1, { sound: tone(440), seconds: 20, roles: ["mix"] }).set("deck.1.assign", "through").set("deck.1.pitch", 8);
    bench.set("deck.1.play").run(0.5);
    expect(Math.abs(cents(pitch(bench.run(1), 440), 440))).toBeLessThan(5);
    bench.set("deck.1.key_shift", 3).run(0.5);
    const up = 440 * 2 ** (3 / 12);
    expect(Math.abs(cents(pitch(bench.run(1), up), up))).toBeLessThan(5);
    bench.set("deck.1.key_shift", 0).set("deck.1.keylock", 0).run(0.5);
    expect(Math.abs(cents(pitch(bench.run(1), 475.2), 475.2))).toBeLessThan(1);
  });

  it("stays whole whatever hands and hosts do to it", async () => {
    const stems = { mix: tone(100, 0.3), vocals: tone(300, 0.25), drums: tone(1000, 0.25) };
    const loads: ((bench: Bench) => unknown)[] = [
      (bench) => bench.load(1),
      (bench) => bench.load(2, { bpm: 127.35, hotCues: [{ time: 3, end: null }, { time: 5, end: 7 }] }),
      (bench) => bench.load(3, { grid: null, seconds: 10 }),
      (bench) => bench.load(4, { sounds: stems, seconds: 20, bpm: 90 }),
      (bench) => bench.load(3, { sounds: stems, seconds: 3, id: "other" }),
    ];
    const bench = new Bench(await stretches(8));
    let seed = 1;
    const random = (below = 1) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (below * seed) / 2 ** 32;
    };
    const one = <T>(all: readonly T[]) => all[Math.floor(random(all.length))] as T;
    const hosts: (() => void)[] = [
      () => one(loads)(bench),
      () => one(loads)(bench),
      () => bench.console.unload(1 + Math.floor(random(4))),
      () => bench.console.restem(4, "song 4", one([[], ["vocals"], ["drums", "bass", "other"]])),
      () => bench.console.load(1, info(20 * RATE, ["mix"], { id: "song 4" }), 4),
      () => bench.console.update(1 + Math.floor(random(4)), { grid: even(60 + random(120), 30, random()), gain: random(12) - 6 }),
      () => bench.set(`deck.${1 + Math.floor(random(4))}.track`, one(["", "song 1"])),
      () => bench.console.play("a", [{ when: { deck: 1, beat: random(20) }, control: "deck.2.pitch", value: random(20), over: { beats: random(4) } }]),
    ];
    const controls = CONTROLS.filter(({ kind, id }) => kind !== "meter" && kind !== "text" && id !== "mixer.limiter");
    loads.slice(0, 4).forEach((load) => load(bench));
    bench.set("mixer.limiter");
    for (let change = 0; change < 3000; change += 1) {
      const control = one(controls);
      const { kind, min, max } = control;
      const wide = Number.isFinite(min) ? min + random(max - min) : 1;
      bench.set(control.id, kind === "enum" || kind === "absolute" ? valueAt(control, random()) : kind === "trigger" || kind === "relative" ? wide : Math.round(random()));
      if (random() < 0.1) bench.set(`deck.${1 + Math.floor(random(4))}.play`);
      if (random() < 0.01) one(hosts)();
      if (change % 30 > 0) continue;
      const heard = bench.frames(1 + Math.floor(random(1000)));
      if (!heard.every((sample) => Math.abs(sample) <= 1)) expect(heard.find((sample) => !(Math.abs(sample) <= 1)), `after ${control.id}`).toBeUndefined();
    }
    for (const deck of bench.console.state().decks) expect(Object.values(deck).some(Number.isNaN)).toBe(false);
    expect(bench.console.values.every(Number.isFinite)).toBe(true);
  });

  it("refuses values that cannot be", () => {
    const bench = new Bench();
    expect(() => bench.set("deck.1.volume", NaN)).toThrow(/takes a number/);
    expect(() => bench.console.set("deck.1.vu", 1)).toThrow(/only be read/);
    expect(() => bench.console.set(99_999, 1)).toThrow(/no control 99999/);
  });
});

/** Amplitude of a frequency. */
function bin(samples: Float32Array, hertz: number): number {
  let [re, im] = [0, 0];
  samples.forEach((sample, frame) => {
    const window = 1 - Math.cos((2 * Math.PI * (frame + 0.5)) / samples.length);
    re += sample * window * Math.cos((2 * Math.PI * hertz * frame) / RATE);
    im += sample * window * Math.sin((2 * Math.PI * hertz * frame) / RATE);
  });
  return (2 * Math.hypot(re, im)) / samples.length;
}
