/** What the whole console sounds like, measured in its master: in time, in tune, without clicks. */

import { describe, expect, test, vi } from "vitest";
import { Bench, even } from "../testing/bench";
import { above, cents, clicks, info, noise, onsets, peak, pitch, RATE, slice, stretches, tone, type Sound } from "../testing/sound";
import { SLICE } from "./types";

// Minutes of sound are rendered, on cores that others use too.
vi.setConfig({ testTimeout: 60_000 });

const silence: Sound = () => 0;

/** Puts a song into a deck that is heard on one side only. */
function load(bench: Bench, deck: number, side: "left" | "right", seconds: number, bpm: number, sound: Sound): void {
  const frames = Math.round(seconds * RATE);
  bench.console.load(deck, info(frames, ["mix"], { id: side, grid: even(bpm, seconds) }));
  for (let index = 0; index * SLICE < frames; index++) {
    const made = side === "left" ? slice(sound, index, frames, silence) : slice(silence, index, frames, sound);
    bench.console.slice(deck, side, "mix", index, made);
  }
}

/** Both sides of the master for so many seconds. */
function master(bench: Bench, seconds: number): { left: Float32Array; right: Float32Array } {
  const frames = Math.round(seconds * RATE);
  const left = new Float32Array(frames);
  const right = new Float32Array(frames);
  const [a, b, c, d] = [0, 0, 0, 0].map(() => new Float32Array(128)) as [Float32Array, Float32Array, Float32Array, Float32Array];
  for (let done = 0; done < frames; ) {
    const count = Math.min(128, frames - done);
    bench.console.process(a, b, c, d, count);
    left.set(a.subarray(0, count), done);
    right.set(b.subarray(0, count), done);
    done += count;
  }
  return { left, right };
}

/** How far apart, in ms, clicks on the left are from the nearest ones on the right. */
function apart({ left, right }: { left: Float32Array; right: Float32Array }): number[] {
  const others = onsets(right);
  return onsets(left).map((frame) => (Math.min(...others.map((other) => Math.abs(other - frame))) / RATE) * 1000);
}

async function bench(): Promise<Bench> {
  return new Bench(await stretches(8));
}

describe("two decks in sync", () => {
  // Seconds of each of its three parts; 60 take ten times as long and give the same.
  const third = 7;

  test.each([[true], [false]])("120 and 127.35 BPM stay within 5 ms through a tempo change and a loop; key lock %s", async (keylock) => {
    const console = await bench();
    load(console, 1, "left", 4 * third, 120, clicks(RATE / 2));
    load(console, 2, "right", 4 * third, 127.35, clicks((RATE * 60) / 127.35));
    for (const deck of [1, 2]) console.set(`deck.${deck}.keylock`, keylock ? 1 : 0);
    console.set("deck.1.play");
    master(console, 1.234);
    console.set("deck.2.sync").set("deck.2.play");
    // The last half second of a part goes on in the next one; a click that is cut would have no partner.
    const check = (seconds: number, least: number): void => {
      const off = apart(master(console, seconds)).slice(1, -1);
      expect(off.length).toBeGreaterThan(least);
      expect(Math.max(...off)).toBeLessThan(5);
    };
    check(third, 2 * third - 4);
    console.set("deck.1.pitch", 4);
    check(third, 2 * third - 4);
    console.set("deck.2.loop.set", 4);
    check(third / 2, third - 4);
    console.set("deck.2.loop.active", 0);
    check(third / 2, third - 4);
  });
});

test("a synced deck that jumps between its cues stays on the beat of the other", async () => {
  const console = await bench();
  load(console, 1, "left", 20, 120, clicks(RATE / 2));
  load(console, 2, "right", 20, 127.35, clicks((RATE * 60) / 127.35));
  console.set("deck.1.play");
  master(console, 0.777);
  console.set("deck.2.sync").set("deck.2.play");
  const off: number[] = [];
  for (const beat of [3, 17, 8]) {
    master(console, 0.617);
    console.set("deck.2.seek", (beat * 60) / 127.35);
    off.push(...apart(master(console, 3)).slice(1, -1));
  }
  expect(off.length).toBeGreaterThan(9);
  expect(Math.max(...off)).toBeLessThan(5);
});

test("how blocks are cut changes nothing in the master", async () => {
  const rich = (seed: number): Sound => (frame) => noise(0.1, seed)(frame) + tone(110 * seed, 0.2)(frame) + clicks(RATE / 2)(frame);
  const events: [number, string, number | string][] = [
    [1000, "deck.1.play", 1], [20017, "deck.2.sync", 1], [20018, "deck.2.play", 1], [30000, "deck.1.pitch", 3.3],
    [35011, "deck.1.fx.1.on", 1], [41000, "deck.2.loop.set", 1], [50000, "deck.2.stems", 1], [60001, "deck.1.filter", -0.4],
    [70007, "deck.2.key_shift", 2], [80001, "deck.2.loop.active", 0], [90011, "deck.1.jog.touch", 1],
    [91000, "deck.1.jog.turn", 0.1], [95000, "deck.1.jog.touch", 0], [100003, "mixer.crossfader", 0.3],
  ];
  const run = async (sizes: (k: number) => number): Promise<Float32Array> => {
    const made = await bench();
    made.set("mixer.limiter", 1);
    for (const deck of [1, 2]) {
      made.load(deck, { seconds: 10, bpm: 114 + 6 * deck, sounds: { mix: rich(deck), vocals: rich(deck + 2), drums: rich(deck + 4) } });
    }
    made.console.play("script", events.map(([frame, control, value]) => ({ when: { frame }, control, value })));
    const heard = new Float32Array(110000);
    const [a, b, c, d] = [0, 0, 0, 0].map(() => new Float32Array(128)) as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (let done = 0, k = 0; done < heard.length; k++) {
      const count = Math.min(sizes(k), heard.length - done);
      made.console.process(a, b, c, d, count);
      heard.set(a.subarray(0, count), done);
      done += count;
    }
    return heard;
  };
  const whole = await run(() => 128);
  expect(peak(whole)).toBeGreaterThan(0.3);
  expect(await run((k) => 1 + ((k * 7919) % 127))).toEqual(whole);
});

describe("pitch", () => {
  test.each([[8, 0], [-6, 0], [0, 3], [8, 3], [0, -4]])("440 Hz at %f per cent with a shift of %i is within 5 cents", async (change, shift) => {
    const console = (await bench()).load(1, { seconds: 6, sound: tone(440) });
    console.set("deck.1.pitch", change).set("deck.1.key_shift", shift).set("deck.1.play").run(1);
    const wanted = 440 * 2 ** (shift / 12);
    expect(Math.abs(cents(pitch(console.run(2), wanted), wanted))).toBeLessThan(1);
  });
});

describe("places", () => {
  /** Frames from the first that comes to the beginning of what is heard. */
  const heardAfter = (samples: Float32Array): number => samples.findIndex((sample) => Math.abs(sample) > 0.05);

  test.each([[0], [5]])("a jump, a hot cue and an event of a script are heard within 5 ms of when they are due; pitch %f per cent", async (change) => {
    const burst: Sound = (frame) => (frame >= 10 * RATE && frame < 11 * RATE ? noise(0.5)(frame) : 0);
    const console = (await bench()).load(1, { seconds: 20, sound: burst, hotCues: [{ time: 10, end: null }] });
    console.set("deck.1.quantize", 0).set("deck.1.pitch", change).set("deck.1.play").run(1.017);
    console.set("deck.1.seek", 10);
    expect(heardAfter(console.run(0.5))).toBeLessThan(0.005 * RATE);
    console.set("deck.1.seek", 2).run(0.5);
    console.press("deck.1.hotcue.1.press");
    expect(heardAfter(console.run(0.5))).toBeLessThan(0.005 * RATE);
    console.set("deck.1.seek", 2).run(0.5);
    const due = console.console.frame + 5077;
    console.console.play("script", [{ when: { frame: due }, control: "deck.1.seek", value: 10 }]);
    const off = heardAfter(console.run(0.5)) - 5077;
    expect(off).toBeGreaterThanOrEqual(0);
    expect(off).toBeLessThan(0.005 * RATE);
  });
});

describe("loops", () => {
  test.each([[0], [6]])("the seam of a loop of a tone is below -60 dBFS; pitch %f per cent", async (change) => {
    const console = (await bench()).load(1, { seconds: 20, sound: tone(220.7, 0.9), gain: 0 });
    console.set("deck.1.pitch", change).set("deck.1.play").run(1);
    console.set("deck.1.loop.set", 0.5).run(0.5);
    const heard = console.run(3);
    expect(console.deck(1).loopActive).toBe(true);
    expect(peak(heard)).toBeGreaterThan(0.5);
    expect(above(heard, 5000)).toBeLessThan(-60);
  });

  test("a loop of four beats brings its first click every four beats, to the millisecond", async () => {
    // One click a bar, so that what is counted are turns of the loop.
    const console = (await bench()).load(1, { seconds: 30, sound: clicks(2 * RATE) });
    console.set("deck.1.keylock", 0).set("deck.1.play").run(1.9);
    console.set("deck.1.loop.set", 4);
    const found = onsets(console.run(12.5));
    expect(found.length).toBe(6 + 1);
    for (let k = 1; k < found.length; k++) expect(Math.abs(found[k]! - found[k - 1]! - 2 * RATE)).toBeLessThan(2);
  });
});
