import { describe, expect, it, vi } from "vitest";
import { differ, odd, samples, SILENCE, type Stereo, through, unlike } from "../../../testing/channel";
import { above, clicks, decibels, noise, onsets, peak, RATE, rms, type Sound, tone } from "../../../testing/sound";
import { type Clock, EffectUnit, type Kind, KINDS } from "./unit";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

/** Frames of a beat: 120 BPM. */
const BEAT = RATE / 2;
const clock = (frame: number): [Clock] => [{ beat: frame / BEAT, beatsPerFrame: 1 / BEAT }];
const still = (): [Clock] => [{ beat: 0, beatsPerFrame: 0 }];

function unit(kind: Kind, set: Partial<Pick<EffectUnit, "mix" | "amount" | "beats">> = {}): EffectUnit {
  const made = new EffectUnit(RATE);
  Object.assign(made, { kind, mix: 1, ...set });
  return made;
}

function listen(
  made: EffectUnit, sounds: Sound | readonly [Sound, Sound], frames: number, changes: Record<number, () => void> = {}, more = clock,
): Stereo {
  return through(made, sounds, frames, { changes, more });
}

const on = (made: EffectUnit) => () => { made.on = true; };
const off = (made: EffectUnit) => () => { made.on = false; };
/** One, a beat from the start. */
const click: Sound = (frame) => (frame >= BEAT && frame < 2 * BEAT ? clicks(BEAT)(frame) : 0);
const burst = (from: number, to: number): Sound => (frame) => (frame >= from && frame < to ? noise()(frame) : 0);
const level = (heard: Float32Array, from: number, to: number) => decibels(rms(heard.subarray(from, to)));

describe.each(KINDS)("%s", (kind) => {
  it("is not there while it is off or its mix is nothing", () => {
    const made = unit(kind, { mix: 0 });
    expect(differ(listen(made, noise(), 5000, { 2000: on(made) }).left, samples(noise(), 5000))).toBe(-1);
    expect(differ(listen(unit(kind), noise(), 5000).left, samples(noise(), 5000))).toBe(-1);
  });

  it("changes the sound while it is on, and lets it through as it was once it is off and its tail has gone", () => {
    const made = unit(kind, { amount: 0.4 });
    const frames = 8 * RATE;
    const { left } = listen(made, noise(0.3), frames, { [2 * BEAT]: on(made), [4 * BEAT]: off(made) });
    const sound = samples(noise(0.3), frames);
    expect(differ(left.subarray(0, 2 * BEAT), sound.subarray(0, 2 * BEAT))).toBe(-1);
    expect(differ(left.subarray(3.6 * BEAT, 3.9 * BEAT), sound.subarray(3.6 * BEAT, 3.9 * BEAT))).not.toBe(-1);
    expect(differ(left.subarray(frames - RATE), sound.subarray(frames - RATE))).toBe(-1);
  });

  it("goes on and off, is exchanged and turned without a click", () => {
    const quiet: Kind[] = ["echo", "reverb", "flanger"];
    const made = unit(kind, { mix: 0.6 });
    const { left } = listen(made, tone(100, 0.6), 3 * BEAT, {
      6001: on(made),
      // An effect that cuts the sound up clicks by nature: it is asked about going on and off, mix and exchange alone.
      15_001: () => { if (quiet.includes(kind)) made.amount = 0.9; },
      22_001: () => { made.mix = 0.2; },
      30_001: () => { if (quiet.includes(kind)) made.beats = 0.25; },
      40_001: () => { made.kind = kind === "echo" ? "reverb" : "echo"; },
      50_001: off(made),
    });
    if (kind === "crush") return;
    expect(above(left.subarray(4000), 4000)).toBeLessThan(-55);
  });

  it("gives the same samples however blocks are cut", () => {
    const all = (cut?: (frame: number) => number) => {
      const made = unit(kind, { mix: 0.7, beats: 0.25 });
      return through(made, [noise(), noise(0.5, 2)], 3 * RATE, {
        cut,
        more: clock,
        changes: {
          3001: on(made), 20_011: () => { made.amount = 0.8; }, 30_007: () => { made.beats = 0.125; }, 50_001: off(made),
          60_000: on(made), 70_013: () => { made.kind = "echo"; }, 80_001: () => { made.kind = kind; }, 100_003: off(made),
        },
      });
    };
    expect(unlike(all(odd()), all())).toBe(-1);
  });

  it.each([0, 1])("stays within reach with its amount at %i, and goes on while the deck stands", (amount) => {
    const made = unit(kind, { amount });
    made.on = true;
    const { left } = listen(made, noise(0.5), 3 * RATE);
    expect(left.every(Number.isFinite)).toBe(true);
    expect(peak(left)).toBeLessThan(1.6);
    expect(level(left, 0, 3 * RATE)).toBeGreaterThan(level(samples(noise(0.5), RATE), 0, RATE) - 14);
    expect(listen(made, noise(0.5), RATE, {}, still).left.every(Number.isFinite)).toBe(true);
  });
});

describe("echo", () => {
  it("comes on its beats, and goes on when it is switched off", () => {
    const made = unit("echo", { beats: 0.75, amount: 0.5 });
    made.on = true;
    const { left } = listen(made, click, 5 * BEAT, { [2 * BEAT]: off(made) });
    const found = onsets(left).map((frame) => frame / BEAT - 1);
    expect(found.slice(0, 3)).toEqual([0.75, 1.5, 2.25].map((beat) => expect.closeTo(beat, 2)));
    const first = level(left, 1.75 * BEAT, 1.8 * BEAT);
    expect(first - level(left, 2.5 * BEAT, 2.55 * BEAT)).toBeGreaterThan(4);
    expect(first - level(left, 2.5 * BEAT, 2.55 * BEAT)).toBeLessThan(8);
  });

  it("hears nothing more once it is off", () => {
    const made = unit("echo", { beats: 0.5 });
    made.on = true;
    const { left } = listen(made, [burst(BEAT, 1.1 * BEAT), SILENCE], 2 * BEAT, { [0.9 * BEAT]: off(made) });
    expect(peak(left.subarray(1.2 * BEAT))).toBeLessThan(1e-4);
  });

  it("follows the tempo, and fits a time that is too long", () => {
    const slow = unit("echo", { beats: 1 });
    slow.on = true;
    const half = (frame: number): [Clock] => [{ beat: frame / (2 * BEAT), beatsPerFrame: 1 / (2 * BEAT) }];
    expect(onsets(listen(slow, click, 4 * BEAT, {}, half).left)[0]).toBeCloseTo(3 * BEAT, -2);
    const long = unit("echo", { beats: 8 });
    long.on = true;
    expect(onsets(listen(long, click, 10 * BEAT, {}, half).left)[0]).toBeCloseTo(9 * BEAT, -2);
  });

  it("never runs away", () => {
    const made = unit("echo", { amount: 1, beats: 0.0625 });
    made.on = true;
    expect(peak(listen(made, tone(440, 0.9), 5 * RATE).left)).toBeLessThan(2);
  });
});

describe("reverb", () => {
  /** Seconds in which its tail falls by 60 dB, from what it falls from -5 to -25 dB. */
  function tail(amount: number): number {
    const made = unit("reverb", { amount, beats: 0.0625 });
    made.on = true;
    const start = RATE / 4;
    const { left } = listen(made, burst(0, start), 4 * RATE);
    const energy = new Float64Array(left.length + 1);
    for (let i = left.length - 1; i >= start; i -= 1) energy[i] = (energy[i + 1] as number) + (left[i] as number) ** 2;
    const fallen = (by: number) => energy.findIndex((value, i) => i > start && value < (energy[start] as number) * 10 ** (-by / 10));
    return (3 * (fallen(25) - fallen(5))) / RATE;
  }

  it("rings from half a second to a hall's many", () => {
    const [short, middle, long] = [tail(0), tail(0.5), tail(1)];
    expect(short).toBeGreaterThan(0.25);
    expect(short).toBeLessThan(0.7);
    expect(middle).toBeGreaterThan(1.2);
    expect(middle).toBeLessThan(2.8);
    expect(long).toBeGreaterThan(5);
  });

  it("is dense, smooth and wide", () => {
    const made = unit("reverb", { amount: 0.7, beats: 0.0625 });
    made.on = true;
    const { left, right } = listen(made, (frame) => (frame === 0 ? 1 : 0), RATE);
    const part = (side: Float32Array) => side.subarray(0.25 * RATE, 0.4 * RATE);
    const [a, b] = [part(left), part(right)];
    const square = a.reduce((sum, x) => sum + x ** 2, 0) / a.length;
    const fourth = a.reduce((sum, x) => sum + x ** 4, 0) / a.length;
    // As even as noise, whose kurtosis is 3.
    expect(fourth / square ** 2).toBeLessThan(4);
    const along = a.reduce((sum, x, i) => sum + x * (b[i] as number), 0) / a.length;
    expect(Math.abs(along) / (rms(a) * rms(b))).toBeLessThan(0.2);
  });

  it("answers later with more beats", () => {
    const made = unit("reverb", { beats: 4 });
    made.on = true;
    const { left } = listen(made, burst(0, 500), BEAT);
    expect(peak(left.subarray(2000, 0.5 * BEAT))).toBeLessThan(1e-4);
    expect(peak(left.subarray(0.5 * BEAT, 0.6 * BEAT))).toBeGreaterThan(0.02);
  });
});

describe("gate", () => {
  it("opens on the beat's parts, as long as its amount says", () => {
    for (const [amount, open] of [[0.5, 0.5], [1, 0.12]] as const) {
      const made = unit("gate", { beats: 0.5, amount });
      made.on = true;
      const { left } = listen(made, () => 0.5, 4 * BEAT);
      for (const beat of [1, 1.5, 3]) {
        const at = (part: number) => left[Math.round((beat + 0.5 * part) * BEAT)] as number;
        expect(at(0.01)).toBeGreaterThan(0.4);
        expect(at(open - 0.06)).toBeCloseTo(0.5, 3);
        expect(at(open + 0.06)).toBeLessThan(0.01);
        expect(at(0.9)).toBeLessThan(0.001);
      }
    }
  });

  it("follows a jump of the song without a click", () => {
    const made = unit("gate", { beats: 1 });
    made.on = true;
    const { left } = listen(made, tone(60, 0.8), 2 * BEAT, {}, (frame) => [{ beat: (frame < 30_000 ? 0 : 0.37) + frame / BEAT, beatsPerFrame: 1 / BEAT }]);
    expect(above(left.subarray(26_000, 34_000), 5000)).toBeLessThan(-55);
  });
});

describe("roll", () => {
  it("repeats exactly what came within its beats, on the frame", () => {
    const made = unit("roll", { beats: 0.5 });
    const start = 10_007;
    const { left } = listen(made, noise(), start + 3 * BEAT, { [start]: on(made) });
    const sound = samples(noise(), left.length);
    const length = BEAT / 2;
    expect(differ(left.subarray(start + 1000, start + length), sound.subarray(start + 1000, start + length))).toBe(-1);
    for (const repeat of [1, 2, 5]) {
      const from = start + repeat * length;
      expect(differ(left.subarray(from + 200, from + length), sound.subarray(start + 200, start + length))).toBe(-1);
    }
  });

  it("holds its place over many repeats of a length that is no whole number of frames", () => {
    const beat = BEAT * 1.000_013_7;
    const made = unit("roll", { beats: 0.0625 });
    made.on = true;
    const { left } = listen(made, noise(), 20 * RATE, {}, (frame) => [{ beat: frame / beat, beatsPerFrame: 1 / beat }]);
    const length = beat / 16;
    const repeat = Math.floor((19 * RATE) / length);
    const from = Math.round(repeat * length);
    const sound = samples(noise(), 2000);
    expect([-1, 0, 1].some((by) => (left[from + by + 500] as number) === sound[500])).toBe(true);
  });

  it("takes a new length in its stride", () => {
    const made = unit("roll", { beats: 1 });
    made.on = true;
    const { left } = listen(made, noise(), 4 * BEAT, { [2 * BEAT]: () => { made.beats = 0.25; } });
    const sound = samples(noise(), BEAT);
    expect(differ(left.subarray(2.5 * BEAT + 200, 2.75 * BEAT), sound.subarray(200, 0.25 * BEAT))).toBe(-1);
  });

  it("switched on anew at once begins anew, without a click", () => {
    const made = unit("roll", { beats: 0.25 });
    made.on = true;
    const { left } = listen(made, tone(90, 0.8), 2 * BEAT, { 20_000: off(made), 20_150: on(made) });
    expect(above(left.subarray(18_000, 24_000), 5000)).toBeLessThan(-50);
  });

  it("fades below the middle of its amount and thins out above it", () => {
    const heard = (amount: number) => {
      const made = unit("roll", { beats: 0.5, amount });
      made.on = true;
      return listen(made, tone(80), 4 * BEAT).left;
    };
    expect(level(heard(0), 3.6 * BEAT, 4 * BEAT)).toBeLessThan(-30);
    expect(level(heard(1), 3.6 * BEAT, 4 * BEAT)).toBeLessThan(level(heard(0.5), 3.6 * BEAT, 4 * BEAT) - 10);
  });
});

describe("flanger and crush", () => {
  it("a flanger cuts notches that move with the beat", () => {
    const made = unit("flanger", { beats: 0.25, amount: 0.8 });
    made.on = true;
    const { left } = listen(made, tone(1000, 0.5), 4 * BEAT);
    const levels = Array.from({ length: 80 }, (_, i) => level(left, BEAT + (i * BEAT) / 40, BEAT + ((i + 1) * BEAT) / 40));
    expect(Math.max(...levels) - Math.min(...levels)).toBeGreaterThan(12);
    // A swing is two beats.
    expect(levels[0]).toBeCloseTo(level(left, 3 * BEAT, 3 * BEAT + BEAT / 40), 0);
  });

  it("crush sounds the same wherever the faders are, and silence stays silent", () => {
    const heard = (loud: number) => {
      const made = unit("crush", { amount: 0.8 });
      made.on = true;
      return listen(made, tone(300, loud), BEAT).left;
    };
    const [loud, soft] = [heard(0.8), heard(0.08)];
    for (let i = 1000; i < 1100; i += 1) expect(soft[i]).toBeCloseTo((loud[i] as number) / 10, 5);
    expect(heard(0).every((sample) => sample === 0)).toBe(true);
    expect(new Set(loud.subarray(8000, 12_000)).size).toBeLessThan(200);
  });
});
