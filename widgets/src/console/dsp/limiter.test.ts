import { describe, expect, it, vi } from "vitest";
import { differ, odd, samples, SILENCE, through, truePeak, unlike } from "../../testing/channel";
import { besides, decibels, noise, peak, RATE, type Sound, tone } from "../../testing/sound";
import { Limiter } from "./limiter";
import { MasterMeter, PeakMeter } from "./meter";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const FULL = 10 ** (-0.3 / 20);
const dense = noise(1, 7);

const LOUD: Record<string, Sound> = {
  "a loud song": (frame) => 2 * Math.sin(frame * 0.011) + 1.5 * Math.sin(frame * 0.23) * (frame % 20_000 < 2000 ? 1 : 0.2) + 0.3 * dense(frame),
  "drums out of silence": (frame) => (frame % 11_025 < 600 ? 4 * Math.sin(frame * 0.9) * Math.exp(-(frame % 11_025) / 150) : 0),
  "a square wave": (frame) => (Math.floor(frame / 37.3) % 2 ? 2 : -2),
  "one broken sample": (frame) => (frame === 9000 ? 50 : tone(300, 0.8)(frame)),
};

describe("the limiter", () => {
  it.each(Object.entries(LOUD))("keeps %s under the ceiling, between samples too", (_, sound) => {
    const { left, right } = through(new Limiter(RATE), [sound, (frame) => -sound(frame + 50)], RATE);
    for (const side of [left, right]) {
      expect(peak(side)).toBeLessThanOrEqual(FULL + 1e-7);
      expect(truePeak(side, 8000, 14_000)).toBeLessThanOrEqual(FULL);
    }
    expect(peak(left)).toBeGreaterThan(0.5);
  });

  it("finds peaks that no sample shows", () => {
    // Samples of -0.4 dBFS, between them +2.6 dBFS.
    const sound: Sound = (frame) => 1.35 * Math.sin((Math.PI / 2) * frame + Math.PI / 4);
    expect(peak(samples(sound, 100))).toBeLessThan(FULL);
    const { left } = through(new Limiter(RATE), sound, 20_000);
    expect(decibels(truePeak(left, 6000, 8000))).toBeCloseTo(-0.6, 1);
  });

  it("leaves what is not too loud as it was, later by its latency, on or off", () => {
    for (const on of [true, false]) {
      const limiter = new Limiter(RATE);
      limiter.on = on;
      const { left } = through(limiter, noise(0.4), 20_000);
      expect(differ(left.subarray(limiter.latency), samples(noise(0.4), 20_000 - limiter.latency))).toBe(-1);
      expect(limiter.takeReduction()).toBe(1);
    }
  });

  it("limits nothing while it is off, and returns to the sound itself after a loud moment", () => {
    const off = new Limiter(RATE);
    off.on = false;
    expect(peak(through(off, tone(300, 2), 20_000).left)).toBeCloseTo(2, 2);
    const limiter = new Limiter(RATE);
    const sound: Sound = (frame) => (frame < 5000 ? tone(300, 3)(frame) : tone(300, 0.5)(frame));
    const { left } = through(limiter, sound, 3 * RATE);
    expect(decibels(limiter.takeReduction())).toBeCloseTo(decibels(10 ** (-0.6 / 20) / 3), 1);
    expect(differ(left.subarray(2 * RATE + limiter.latency), samples(sound, 3 * RATE).subarray(2 * RATE, 3 * RATE - limiter.latency))).toBe(-1);
  });

  it("turns both sides alike, and a steady tone stays pure", () => {
    const { left, right } = through(new Limiter(RATE), [tone(1000, 2), tone(1000, 0.5)], RATE);
    for (let i = 10_000; i < 10_100; i += 1) expect(right[i]).toBeCloseTo((left[i] as number) / 4, 6);
    expect(besides(left.subarray(RATE / 2), 1000)).toBeLessThan(-60);
  });

  it("passes over samples that are no numbers", () => {
    const { left } = through(new Limiter(RATE), (frame) => (frame === 500 ? Number.NaN : tone(300)(frame)), 20_000);
    expect(left.every(Number.isFinite)).toBe(true);
    expect(peak(left.subarray(10_000))).toBeCloseTo(0.5, 2);
  });

  it("switches on in the middle of what is too loud", () => {
    const limiter = new Limiter(RATE);
    limiter.on = false;
    const { left } = through(limiter, tone(300, 1.5), 20_000, { changes: { 7001: () => { limiter.on = true; } } });
    expect(peak(left.subarray(7001))).toBeLessThanOrEqual(FULL + 1e-7);
  });

  it("gives the same samples however blocks are cut", () => {
    const listen = (cut?: (frame: number) => number) => through(new Limiter(RATE), [LOUD["a loud song"] as Sound, dense], 20_000, { cut });
    expect(unlike(listen(odd()), listen())).toBe(-1);
  });
});

describe("meters", () => {
  it("show the highest sample since they were read", () => {
    const meter = new PeakMeter();
    through(meter, [tone(441, 0.5), tone(441, 0.25)], 10_000);
    expect([meter.left, meter.right]).toEqual([expect.closeTo(0.5, 3), expect.closeTo(0.25, 3)]);
    meter.reset();
    through(meter, SILENCE, 100);
    expect([meter.left, meter.right]).toEqual([0, 0]);
  });

  it("show the true peak within 0.1 dB", () => {
    for (const hertz of [997, 5000, RATE / 6, RATE / 4, 15_000]) {
      const meter = new MasterMeter(48000);
      const sound: Sound = (frame) => 0.9 * Math.sin((2 * Math.PI * hertz * frame) / RATE + Math.PI / 4);
      through(meter, sound, RATE / 2, { changes: { 1000: () => meter.reset() } });
      expect(Math.abs(decibels(meter.peak / 0.9)), `${hertz} Hz`).toBeLessThan(hertz < 12_000 ? 0.1 : 0.3);
    }
  });
});
