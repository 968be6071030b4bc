import { describe, expect, it, vi } from "vitest";
import { differ, odd, type Processor, samples, SILENCE, through, unlike } from "../../testing/channel";
import { above, decibels, noise, peak, RATE, rms, tone } from "../../testing/sound";
import { side, type Curve } from "./crossfade";
import { levelGain, volumeGain } from "./fader";
import type { Clock } from "./fx/unit";
import { Phones } from "./phones";
import { Smooth } from "./smooth";
import { StemStrip, Strip } from "./strip";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const BEAT = RATE / 2;
const clock = (frame: number): [Clock] => [{ beat: frame / BEAT, beatsPerFrame: 1 / BEAT }];
const level = (heard: Float32Array) => decibels(rms(heard));

/** A strip that is given blocks of 128 frames at most, as by a console; what headphones hear of it is kept in `pre`. */
function channel(strip: Strip, pre?: Float32Array): Processor<[Clock]> {
  return {
    process(left, right, from, to, at) {
      const [a, b] = [left.slice(from, to), right.slice(from, to)];
      strip.process(a, b, 0, to - from, at);
      left.set(a, from);
      right.set(b, from);
      pre?.set(strip.preLeft.subarray(0, to - from), from);
    },
  };
}

describe("faders", () => {
  it("a channel's is 0 dB at the top, -12 dB half way, silent at the bottom", () => {
    expect([1, 0.5, 0, -1, 2].map(volumeGain)).toEqual([1, 0.25, 0, 0, 1]);
  });

  it("a level's lowest mark is silence", () => {
    expect([0, 6, -60].map(levelGain)).toEqual([1, expect.closeTo(1.995, 3), 0]);
  });

  it("glides, and is exactly where it was set in the end", () => {
    const smooth = new Smooth(RATE, 0);
    smooth.target = 1;
    const way = new Float64Array(RATE / 10);
    smooth.fill(way, way.length);
    const steps = way.map((value, i) => value - (way[i - 1] ?? 0));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...steps)).toBeLessThan(0.006);
    expect(way[Math.round(0.01 * RATE)]).toBeGreaterThan(0.9);
    expect(way.at(-1)).toBe(1);
  });
});

describe("the crossfader", () => {
  const sides = (position: number, curve: Curve): [number, number] => [side(-position, curve), side(position, curve)];

  it("keeps the power of two songs, the sum of two copies, or opens at once", () => {
    for (let position = -1; position <= 1; position += 0.05) {
      const [a, b] = sides(position, "power");
      expect(a * a + b * b).toBeCloseTo(1, 12);
      const [c, d] = sides(position, "linear");
      expect(c + d).toBeCloseTo(1, 12);
    }
    expect([-1, -0.9, 0, 0.9, 1].map((position) => sides(position, "cut"))).toEqual([
      [1, 0], [1, expect.closeTo(1)], [1, 1], [expect.closeTo(1), 1], [0, 1],
    ]);
  });

  it.each(["power", "linear", "cut"] as const)("is silent at the far end, whole at the near one (%s)", (curve) => {
    expect(sides(-1, curve)).toEqual([1, 0]);
    expect(sides(1, curve)).toEqual([0, 1]);
  });
});

describe("a channel", () => {
  it("has gain, fader and crossfader, and meters what is after the fader", () => {
    const strip = new Strip(RATE);
    strip.gain = -6;
    strip.volume = 0.5;
    strip.side = 0.5;
    strip.settle();
    const { left } = through(channel(strip), tone(441), BEAT, { more: clock, changes: { 5000: () => strip.meter.reset() } });
    expect(level(left.subarray(5000))).toBeCloseTo(level(samples(tone(441), BEAT)) - 6 - 12.04 - 6.02, 1);
    expect(decibels(strip.meter.left)).toBeCloseTo(-6.02 - 6 - 12.04, 0);
  });

  it("lets the headphones hear it with its EQ, before the faders", () => {
    const strip = new Strip(RATE);
    strip.volume = 0;
    strip.isolator.kill("low", true);
    strip.settle();
    const heard = new Float32Array(BEAT);
    const { left } = through(channel(strip, heard), (frame) => tone(60)(frame) + tone(8000, 0.1)(frame), BEAT, { more: clock });
    expect(peak(left)).toBe(0);
    expect(peak(heard.subarray(10_000))).toBeCloseTo(0.1, 2);
  });

  it("keeps its echo when the fader takes the song away", () => {
    for (const take of ["volume", "side"] as const) {
      const strip = new Strip(RATE);
      Object.assign(strip.effects[0], { kind: "echo", beats: 0.5, amount: 0.6, mix: 0.5, on: true });
      const { left } = through(channel(strip), noise(0.3), 2 * RATE, { more: clock, changes: { [RATE]: () => { strip[take] = 0; } } });
      expect(level(left.subarray(RATE + 0.2 * BEAT, RATE + 0.5 * BEAT))).toBeGreaterThan(-25);
      expect(peak(left.subarray(2 * RATE - 1000))).toBeGreaterThan(0.005);
    }
  });

  it("moves without a click", () => {
    const strip = new Strip(RATE);
    const { left } = through(channel(strip), tone(100, 0.5), 40_000, {
      more: clock,
      changes: {
        8001: () => { strip.volume = 0; },
        14_003: () => { strip.volume = 1; },
        20_001: () => { strip.gain = 6; },
        26_001: () => { strip.side = 0.2; },
        32_000: () => { strip.isolator.kill("low", true); },
      },
    });
    expect(above(left.subarray(4000), 3000)).toBeLessThan(-65);
  });

  it("gives the same samples however blocks are cut", () => {
    const listen = (cut?: (frame: number) => number) => {
      const strip = new Strip(RATE);
      return through(channel(strip), [noise(), noise(0.5, 2)], RATE, {
        cut,
        more: clock,
        changes: {
          1001: () => { Object.assign(strip.effects[0], { kind: "reverb", on: true }); },
          9001: () => { strip.volume = 0.6; strip.sweep.position = -0.4; },
          15_007: () => { Object.assign(strip.effects[1], { kind: "gate", on: true }); strip.isolator.set("high", 5); },
        },
      });
    };
    expect(unlike(listen(odd()), listen())).toBe(-1);
  });
});

describe("a stem", () => {
  it("has a fader, is muted and filtered; untouched it is itself", () => {
    const stem = new StemStrip(RATE);
    expect(differ(through(stem, noise(), 2000).left, samples(noise(), 2000))).toBe(-1);
    stem.volume = 0.5;
    const { left } = through(stem, noise(), 9000);
    expect(left[8000]).toBe(Math.fround(noise()(8000) / 4));
    stem.heard = false;
    expect(differ(through(stem, noise(), 9000).left.subarray(5000), samples(SILENCE, 4000))).toBe(-1);
    stem.heard = true;
    stem.volume = 1;
    stem.filter = -1;
    stem.settle();
    expect(level(through(stem, tone(2000), BEAT).left.subarray(5000))).toBeLessThan(-60);
  });
});

describe("the headphones", () => {
  const cue = tone(300, 0.4);
  const master = tone(2000, 0.4);

  function heard(set: Partial<Phones>) {
    const phones = new Phones(RATE);
    Object.assign(phones, { volume: 0, ...set });
    phones.settle();
    const mastered = samples(master, BEAT);
    return through({
      process: (left, right, from, to) => phones.process(left, right, mastered, mastered, from, to),
    }, cue, BEAT);
  }

  /** dB of a tone in it. */
  function part(wave: Float32Array, sound: (frame: number) => number): number {
    const dot = wave.reduce((sum, x, i) => sum + x * sound(i), 0);
    return decibels(dot / samples(sound, wave.length).reduce((sum, x) => sum + x * x, 0));
  }

  it("play the cued decks, the master, or both", () => {
    expect(differ(heard({ mix: -1 }).left, samples(cue, BEAT))).toBe(-1);
    const { left } = heard({ mix: 1 });
    expect(differ(left, samples(master, BEAT))).toBe(-1);
    const both = heard({ mix: 0 }).left;
    expect(part(both, cue)).toBeCloseTo(-3, 1);
    expect(part(both, master)).toBeCloseTo(-3, 1);
  });

  it("are as loud as they are set", () => {
    expect(peak(heard({ mix: -1, volume: -60 }).left)).toBe(0);
    expect(part(heard({ mix: -1, volume: -12 }).left, cue)).toBeCloseTo(-12, 2);
  });

  it("split: the cued decks on the left, the master on the right", () => {
    const { left, right } = heard({ split: true, mix: 1 });
    expect(differ(left, samples(cue, BEAT))).toBe(-1);
    expect(differ(right, samples(master, BEAT))).toBe(-1);
  });
});
