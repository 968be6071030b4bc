/** What the mixer does to songs, measured in the master of the whole console. */

import { describe, expect, it, vi } from "vitest";
import { Bench } from "../testing/bench";
import { differ, samples, truePeak } from "../testing/channel";
import { above, clicks, decibels, noise, onsets, peak, RATE, type Sound, tone } from "../testing/sound";
import { Limiter } from "./dsp/limiter";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const BEAT = RATE / 2;
const CEILING = 10 ** (-0.3 / 20);

/** dB of a tone of level 0.5 in a wave, against what it was; over whole periods of all tones used here. */
function part(wave: Float32Array, hertz: number): number {
  const frames = wave.length - (wave.length % (RATE / 10));
  let [re, im] = [0, 0];
  for (let i = 0; i < frames; i += 1) {
    re += (wave[i] as number) * Math.cos((2 * Math.PI * hertz * i) / RATE);
    im += (wave[i] as number) * Math.sin((2 * Math.PI * hertz * i) / RATE);
  }
  return decibels((2 * Math.hypot(re, im)) / frames / 0.5);
}

function playing(...sounds: Sound[]): Bench {
  const bench = new Bench();
  sounds.forEach((sound, index) => bench.load(index + 1, { seconds: 8, sound }));
  sounds.forEach((_, index) => bench.set(`deck.${index + 1}.assign`, "through").set(`deck.${index + 1}.play`));
  return bench;
}

describe("a channel", () => {
  it("that nobody touches lets a song through as it is, also through the limiter", () => {
    const song = playing(noise(0.4)).run(1);
    const limited = playing(noise(0.4)).set("mixer.limiter", 1).run(1);
    expect(differ(limited, song)).toBe(-1);
    // What 16 bits of the song are, later by the limiter's look ahead.
    const { latency } = new Limiter(RATE);
    const sound = samples(noise(0.4), RATE);
    for (let frame = 3000; frame < RATE; frame += 7) {
      expect(Math.abs((song[frame] as number) - (sound[frame - latency] as number))).toBeLessThan(1e-5);
    }
  });

  it.each([["low", 60], ["mid", 790], ["high", 8000]] as const)("kills the %s band below -40 dB and leaves the others", (band, hertz) => {
    const tones = [60, 790, 8000];
    const bench = playing((frame) => tones.reduce((sum, each) => sum + tone(each, 0.25)(frame), 0));
    bench.run(0.5);
    const before = bench.run(0.4);
    bench.set(`deck.1.kill.${band}`).run(0.5);
    const after = bench.run(0.4);
    for (const each of tones) {
      const change = part(after, each) - part(before, each);
      if (each === hertz) expect(change).toBeLessThan(-40);
      else expect(Math.abs(change)).toBeLessThan(0.1);
    }
  });

  it("moves without a click, whatever is turned", () => {
    const bench = playing(tone(100, 0.4));
    bench.run(0.3);
    const moves: [string, number | string][] = [
      ["deck.1.volume", 0.3], ["deck.1.gain", 6], ["deck.1.eq.low", -12], ["deck.1.kill.mid", 1], ["deck.1.filter", -0.3], ["deck.1.filter", 0.3],
      ["deck.1.filter", 0], ["deck.1.assign", "left"], ["mixer.crossfader", 0.8], ["mixer.crossfader_curve", "linear"], ["mixer.master", -10],
      ["deck.1.fx.1.on", 1], ["deck.1.fx.1.mix", 0.9], ["deck.1.fx.1.kind", "reverb"], ["deck.1.fx.1.kind", "flanger"], ["deck.1.fx.1.on", 0],
      ["deck.1.gain", 0], ["deck.1.kill.mid", 0],
    ];
    const whole = Float32Array.from(moves.flatMap(([control, value]) => [...bench.set(control, value).run(0.08)]));
    expect(above(whole, 4000)).toBeLessThan(-60);
  });
});

describe("the crossfader", () => {
  it.each([
    ["power", [0, -3.01, -200], [-0.68, -8.34]],
    ["linear", [0, -6.02, -200], [-2.5, -12.04]],
    ["cut", [0, 0, -200], [0, 0]],
  ] as const)("has a curve of %s", (curve, [near, middle, far], [quarter, three]) => {
    const bench = playing(tone(300), tone(2000));
    bench.set("deck.1.assign", "left").set("deck.2.assign", "right").set("mixer.crossfader_curve", curve);
    const at = (position: number) => {
      bench.set("mixer.crossfader", position).run(0.1);
      const wave = bench.run(0.2);
      return [part(wave, 300), part(wave, 2000)] as const;
    };
    for (const [position, left, right] of [[-1, near, far], [-0.5, quarter, three], [0, middle, middle], [0.5, three, quarter], [1, far, near]] as const) {
      const [a, b] = at(position);
      for (const [level, wanted] of [[a, left], [b, right]] as const) {
        if (wanted === -200) expect(level).toBeLessThan(-80);
        else expect(level).toBeCloseTo(wanted, 1);
      }
    }
  });

  it("leaves a deck alone that is assigned to no side", () => {
    const bench = playing(tone(300));
    bench.set("mixer.crossfader", 1).run(0.1);
    expect(part(bench.run(0.2), 300)).toBeCloseTo(0, 1);
  });
});

describe("the limiter", () => {
  const loud: Sound = (frame) => 0.9 * Math.sign(Math.sin(frame * 0.03)) * (frame % BEAT < 0.3 * BEAT ? 1 : 0.2) + 0.1 * noise(1, 3)(frame);

  it("never lets four loud decks over full scale, nor between samples", () => {
    const bench = playing(loud, noise(0.9), tone(997, 0.9), clicks(BEAT, 1));
    for (const deck of [1, 2, 3, 4]) bench.set(`deck.${deck}.gain`, 12).set(`deck.${deck}.eq.low`, 6);
    bench.set("mixer.limiter", 1).set("mixer.master", 6);
    const wave = bench.run(3);
    const state = bench.console.state();
    expect(peak(wave)).toBeLessThanOrEqual(CEILING + 1e-7);
    expect(truePeak(wave, 40_000, 60_000)).toBeLessThanOrEqual(1);
    expect(state.peak).toBeLessThan(1);
    expect(state.peak).toBeGreaterThan(0.7);
    expect(decibels(state.reduction)).toBeLessThan(-20);
  });

  it("off lets them through as they are", () => {
    const bench = playing(tone(300, 0.9));
    bench.set("deck.1.gain", 12).run(0.2);
    expect(decibels(peak(bench.run(0.2)))).toBeCloseTo(decibels(0.9) + 12, 1);
    expect(bench.console.state().reduction).toBe(1);
  });
});

describe("the master's meters", () => {
  it("tell how loud it is beside its peaks, as the ear takes it", () => {
    const bench = playing(tone(997, 0.5));
    bench.run(2);
    const state = bench.console.state();
    expect(decibels(state.left)).toBeCloseTo(decibels(0.5), 1);
    // The mean square of a sine is 3 dB below its peak.
    expect(decibels(state.vuLeft)).toBeCloseTo(decibels(0.5) - 3.01, 1);
    bench.set("deck.1.play", 0).run(0.3);
    expect(decibels(bench.console.state().vuLeft)).toBeLessThan(-12);
    bench.run(3);
    expect(decibels(bench.console.state().vuRight)).toBeLessThan(-45);
  });
});

describe("effects", () => {
  const once: Sound = (frame) => (frame >= 2 * BEAT && frame < 3 * BEAT ? clicks(BEAT)(frame) : 0);

  it("go by the deck's beat at its tempo, and ring on when it stops or its fader closes", () => {
    for (const close of ["deck.1.volume", "deck.1.play"]) {
      const bench = playing(once);
      bench.set("deck.1.pitch", 8).set("deck.1.fx.1.beats", 0.75).set("deck.1.fx.1.amount", 0.8).set("deck.1.fx.1.on");
      const start = bench.run(1.1);
      bench.set(close, 0);
      const all = Float32Array.from([...start, ...bench.run(1.5)]);
      const found = onsets(all).map((frame) => (frame - (2 * BEAT) / 1.08) / (BEAT / 1.08));
      expect(found.slice(0, 4), close).toEqual([0, 0.75, 1.5, 2.25].map((beat) => expect.closeTo(beat, 1)));
    }
  });

  it("a gate opens on the beats of the song", () => {
    const bench = playing(() => 0.4);
    bench.set("deck.1.fx.2.kind", "gate").set("deck.1.fx.2.mix", 1).set("deck.1.fx.2.beats", 1).set("deck.1.fx.2.on");
    const wave = bench.run(2);
    for (const beat of [1, 2, 3]) {
      expect(wave[Math.round((beat + 0.02) * BEAT)]).toBeGreaterThan(0.35);
      expect(wave[Math.round((beat + 0.7) * BEAT)]).toBeLessThan(0.01);
    }
  });

  it("are the same however blocks are cut", () => {
    const heard = (block: number) => {
      const bench = playing(noise(0.4), noise(0.3, 2));
      bench.set("deck.1.fx.1.kind", "reverb").set("deck.1.fx.1.on").set("deck.1.fx.2.kind", "flanger").set("deck.1.fx.2.on");
      bench.set("deck.2.fx.1.kind", "gate").set("deck.2.fx.1.on").set("deck.2.fx.2.on").set("deck.2.pitch", 3).set("mixer.limiter", 1);
      const first = bench.frames(30_000, block);
      bench.set("deck.1.kill.low", 1).set("deck.2.filter", 0.4).set("deck.2.fx.1.kind", "roll");
      return Float32Array.from([...first, ...bench.frames(30_000, block)]);
    };
    expect(differ(heard(128), heard(37))).toBe(-1);
  });
});
