import { describe, expect, test, vi } from "vitest";
import {
  above, besides, cents, clicks, decibels, info, listen, noise, onsets, peak, pitch, RATE, rms, slice, song, tone, voiceOf,
} from "../testing/sound";
import { Song } from "./song";
import { SLICE } from "./types";

// Minutes of sound are rendered, on cores that others use too.
vi.setConfig({ testTimeout: 60_000 });

const LONG = 20 * RATE;
const ms = (frames: number): number => (frames / RATE) * 1000;

/** How far, in ms, each click is heard from where a deck at that place would have it; at(frame) is the deck's place. */
function late(heard: Float32Array, period: number, at: (frame: number) => number): number[] {
  const rise = onsets(samples(clicks(period), period))[0]!;
  return onsets(heard).map((frame) => {
    const place = at(frame - rise);
    const rate = at(frame - rise + 1) - place;
    return ms((place - Math.round(place / period) * period) / rate);
  });
}

const samples = (sound: (frame: number) => number, frames: number): Float32Array => Float32Array.from({ length: frames }, (_, i) => sound(i));

describe("at normal speed", () => {
  test("the samples of the song come out as they are, from the very place", async () => {
    const sound = noise(0.5);
    const voice = await voiceOf(song(LONG, { mix: sound }));
    const from = SLICE - 1000;
    voice.jump(from);
    voice.playing = true;
    const heard = listen(voice, 4000);
    const begun = Math.ceil(0.001 * RATE);
    for (let i = begun; i < 4000; i++) expect(Math.abs(heard[i]! - sound(from + i))).toBeLessThan(1e-4);
    expect(voice.position).toBe(from + 4000);
  });

  test("stopping keeps the place and fades out within 5 ms", async () => {
    const voice = await voiceOf(song(LONG, { mix: tone(440) }));
    voice.playing = true;
    listen(voice, 12345);
    voice.playing = false;
    const heard = listen(voice, 1000);
    expect(voice.position).toBe(12345);
    expect(peak(heard.subarray(0, 40))).toBeGreaterThan(0.3);
    expect(peak(heard.subarray(Math.ceil(0.005 * RATE)))).toBe(0);
    expect(voice.silent).toBe(true);
  });

  test("the song ends by itself, and backwards at its beginning", async () => {
    const voice = await voiceOf(song(RATE, { mix: tone(440) }));
    voice.jump(RATE - 1000);
    voice.playing = true;
    listen(voice, 2000);
    expect([voice.playing, voice.ended, voice.position]).toEqual([false, true, RATE]);
    voice.ended = false;
    voice.rate = -1;
    voice.jump(500);
    voice.playing = true;
    listen(voice, 2000);
    expect([voice.playing, voice.ended, voice.position]).toEqual([false, true, 0]);
  });

  test("before the beginning there is silence, then the first sample on time", async () => {
    const voice = await voiceOf(song(RATE, { mix: () => 0.5 }));
    voice.jump(-1000);
    voice.playing = true;
    const heard = listen(voice, 2000);
    expect(peak(heard.subarray(0, 1000))).toBe(0);
    expect(heard[1000]).toBeCloseTo(0.5, 3);
  });
});

describe("at other speeds", () => {
  test.each([0.5, 0.92, 1.08, 1.5])("a tone at speed %f is a clean tone of another pitch", async (rate) => {
    const voice = await voiceOf(song(LONG, { mix: tone(1000) }));
    voice.rate = rate;
    voice.playing = true;
    const heard = listen(voice, 2 * RATE).subarray(RATE);
    expect(Math.abs(cents(pitch(heard, 1000 * rate), 1000 * rate))).toBeLessThan(0.1);
    expect(besides(heard, 1000 * rate)).toBeLessThan(-80);
  });

  test("what would alias is not heard: neither played faster nor slower", async () => {
    const faster = await voiceOf(song(LONG, { mix: tone(15500) }));
    faster.rate = 1.7;
    faster.playing = true;
    expect(decibels(peak(listen(faster, RATE).subarray(2000)))).toBeLessThan(-70);
    const slower = await voiceOf(song(LONG, { mix: tone(15000) }));
    slower.rate = 0.6;
    slower.playing = true;
    expect(besides(listen(slower, RATE).subarray(2000), 9000)).toBeLessThan(-70);
  });

  test("backwards is the song backwards", async () => {
    const sound = (frame: number): number => tone(440, 0.3)(frame) + tone(7000, 0.2)(frame);
    const voice = await voiceOf(song(LONG, { mix: sound }));
    voice.jump(50000);
    voice.rate = -1;
    voice.playing = true;
    const heard = listen(voice, 3000);
    for (let i = 100; i < 3000; i++) expect(Math.abs(heard[i]! - sound(50000 - i))).toBeLessThan(1e-4);
  });

  test("a hand on the record: silence when it stands, no break when it turns", async () => {
    const voice = await voiceOf(song(LONG, { mix: tone(300) }));
    voice.keylock = true;
    voice.jump(RATE);
    voice.playing = true;
    listen(voice, RATE);
    voice.scratching = true;
    const heard = listen(voice, RATE, 128, (done) => (voice.rate = done < RATE / 2 ? 2 * Math.cos((Math.PI * 6 * done) / RATE) : 0));
    expect(above(heard, 6000)).toBeLessThan(-50);
    expect(peak(heard.subarray(RATE / 2 + 8000))).toBe(0);
    expect(voice.playing).toBe(true);
  });
});

describe("loops and jumps", () => {
  // Neither a whole number of periods nor of frames.
  const loop = { start: RATE + 0.3, end: RATE + RATE / 4 + 17.7 };

  test.each([[1, false], [1.0613, false], [1.0613, true], [-1, false]])(
    "the seam of a loop of a tone does not click: speed %f, key lock %s", async (rate, keylock) => {
      const voice = await voiceOf(song(LONG, { mix: tone(200, 0.9) }));
      voice.loop = loop;
      voice.rate = rate;
      voice.keylock = keylock;
      voice.jump(RATE + 100);
      voice.playing = true;
      const heard = listen(voice, 3 * RATE);
      expect(above(heard.subarray(RATE / 2), 5000)).toBeLessThan(-60);
    });

  test("after a thousand turns a loop is where it has to be", async () => {
    const voice = await voiceOf(song(LONG, { mix: noise(0.1) }));
    const length = 1000.3;
    voice.loop = { start: 5000.2, end: 5000.2 + length };
    voice.jump(5000.2);
    voice.playing = true;
    listen(voice, 1000300);
    const off = voice.position - 5000.2;
    expect(Math.min(off, length - off)).toBeLessThan(1e-3);
  });

  test("the attack at the start of a loop is whole at every turn", async () => {
    const sound = noise(0.5);
    const voice = await voiceOf(song(LONG, { mix: (frame) => (frame >= 20000 ? sound(frame) : 0) }));
    voice.loop = { start: 20000, end: 30000 };
    voice.jump(20000);
    voice.playing = true;
    const heard = listen(voice, 25000);
    for (let i = 10000; i < 10200; i++) expect(Math.abs(heard[i]! - sound(10000 + i))).toBeLessThan(1e-4);
  });

  test("a jump is heard at once and whole, what was before is gone in 5 ms, and nothing clicks", async () => {
    const sound = noise(0.5);
    const voice = await voiceOf(song(LONG, { mix: (frame) => (frame >= 100000 ? sound(frame) : tone(100)(frame)) }));
    voice.playing = true;
    listen(voice, 20011);
    voice.jump(100000);
    const heard = listen(voice, 3000);
    for (let i = Math.ceil(0.005 * RATE); i < 3000; i++) expect(Math.abs(heard[i]! - sound(100000 + i))).toBeLessThan(1e-4);

    const low = await voiceOf(song(LONG, { mix: tone(100) }));
    low.playing = true;
    const jumping = listen(low, 2 * RATE, 100, (done) => done % 9000 === 0 && done > 0 && low.jump(done * 3 + 101));
    expect(above(jumping, 6000)).toBeLessThan(-40);
    expect(peak(jumping)).toBeLessThan(1);
  });

  test("a loop that is set, moved and let go does not click and does not lose the time", async () => {
    const period = RATE / 2;
    const voice = await voiceOf(song(LONG, { mix: clicks(period) }));
    voice.keylock = true;
    voice.rate = 1.05;
    voice.playing = true;
    const places: number[] = [];
    const note = (done: number): void => void (places[done / 100] = voice.position);
    const heard = listen(voice, 8 * RATE, 100, (done) => {
      note(done);
      if (done === 2 * RATE) voice.loop = { start: 3 * period, end: 5 * period };
      if (done === 5 * RATE) voice.loop = null;
    });
    const at = (frame: number): number => places[Math.floor(frame / 100)]! + 1.05 * (frame % 100);
    // Heard while the bridge plays, which is at the right pitch and so not at the tempo, one may be further off.
    const off = late(heard, period, at).map(Math.abs).sort((a, b) => b - a);
    expect(off.length).toBeGreaterThan(14);
    expect(off[2]).toBeLessThan(2);
    expect(off[0]).toBeLessThan(12);
  });
});

describe("key lock", () => {
  test.each([[1.08, 0], [0.92, 0], [1, 3], [1.08, 3], [0.95, -3], [1.2, -12], [1, 12]])(
    "speed %f with a shift of %i semitones: exact pitch, full level", async (rate, semitones) => {
      const voice = await voiceOf(song(LONG, { mix: tone(440) }));
      voice.keylock = true;
      voice.rate = rate;
      voice.semitones = semitones;
      voice.playing = true;
      const heard = listen(voice, 2 * RATE).subarray(RATE);
      const wanted = 440 * 2 ** (semitones / 12);
      expect(Math.abs(cents(pitch(heard, wanted), wanted))).toBeLessThan(0.5);
      expect(decibels(rms(heard) / 0.5) + 3.01).toBeCloseTo(0, 0);
      expect(besides(heard, wanted)).toBeLessThan(-40);
      expect(voice.position).toBeCloseTo(rate * 2 * RATE, 3);
    });

  test.each([[1.08, 0], [0.92, 0], [1.5, 0], [0.6, 0], [1, 3], [1.0613, -5]])(
    "speed %f with a shift of %i semitones: clicks within 2 ms of where varispeed has them", async (rate, semitones) => {
      const period = RATE / 2;
      const voice = await voiceOf(song(LONG, { mix: clicks(period) }));
      voice.keylock = true;
      voice.rate = rate;
      voice.semitones = semitones;
      voice.playing = true;
      const heard = listen(voice, 6 * RATE);
      const off = late(heard.subarray(RATE / 4), period, (frame) => rate * (frame + RATE / 4));
      expect(off.length).toBeGreaterThan(5);
      for (const one of off) expect(Math.abs(one)).toBeLessThan(2);
    });

  test("the time is exact again soon after a change of tempo", async () => {
    const period = RATE / 4;
    const voice = await voiceOf(song(LONG, { mix: clicks(period) }));
    voice.keylock = true;
    voice.rate = 1.02;
    voice.playing = true;
    const places: number[] = [];
    const heard = listen(voice, 6 * RATE, 100, (done) => {
      places.push(voice.position);
      if (done === 3 * RATE) voice.rate = 0.94;
    });
    const at = (frame: number): number => places[Math.floor(frame / 100)]! + (places[Math.floor(frame / 100) + 1]! - places[Math.floor(frame / 100)]!) * ((frame % 100) / 100);
    const off = late(heard.subarray(0, 6 * RATE - 200), period, at);
    const found = onsets(heard.subarray(0, 6 * RATE - 200));
    off.forEach((one, k) => {
      const since = found[k]! - 3 * RATE;
      if (found[k]! > RATE / 4 && (since < 0 || since > RATE / 4)) expect(Math.abs(one)).toBeLessThan(2);
      if (found[k]! > RATE / 4) expect(Math.abs(one)).toBeLessThan(8);
    });
  });

  test.each([0.952, 1.048])(
    "every click is on time, once, while the tempo glides from %f to the song's own and when it has come there", async (first) => {
      const period = RATE / 2;
      const block = 100;
      const voice = await voiceOf(song(26 * RATE, { mix: clicks(period) }));
      voice.keylock = true;
      voice.rate = first;
      voice.playing = true;
      const places: number[] = [];
      const heard = listen(voice, 24 * RATE, block, (done) => {
        places.push(voice.position);
        voice.rate = first + (1 - first) * Math.min(1, done / (20 * RATE));
      });
      places.push(voice.position, voice.position + block);
      const at = (frame: number): number => {
        const k = Math.max(0, Math.floor(frame / block));
        return places[k]! + (places[k + 1]! - places[k]!) * (frame / block - k);
      };
      const off = late(heard, period, at);
      expect(off.length).toBe(Math.ceil(voice.position / period));
      for (const one of off) expect(Math.abs(one)).toBeLessThan(2);
    });

  test("after a jump the attack is there at once and at the right pitch; the beat is on time from then on", async () => {
    const period = RATE / 2;
    const voice = await voiceOf(song(LONG, { mix: clicks(period) }));
    voice.keylock = true;
    voice.rate = 1.08;
    voice.playing = true;
    listen(voice, RATE + 777);
    voice.jump(20 * period);
    const heard = listen(voice, 3 * RATE);
    const off = late(heard, period, (frame) => 1.08 * frame);
    for (const one of off) expect(Math.abs(one)).toBeLessThan(2);
    expect(peak(heard.subarray(0, 200))).toBeGreaterThan(0.55);

    const long = await voiceOf(song(LONG, { mix: tone(1000) }));
    long.keylock = true;
    long.rate = 1.08;
    long.playing = true;
    const bridge = listen(long, 4000);
    expect(Math.abs(cents(pitch(bridge.subarray(300), 1000), 1000))).toBeLessThan(5);
  });

  test.each([[1.08, 0], [0.94, 0], [1, 4], [1.05, -3]])(
    "from the first moment on tones go on evenly: speed %f, shift %i", async (rate, semitones) => {
      const voice = await voiceOf(song(LONG, { mix: tone(440) }));
      voice.keylock = true;
      voice.rate = rate;
      voice.semitones = semitones;
      voice.jump(123456);
      voice.playing = true;
      const heard = listen(voice, RATE / 2);
      for (let from = 441; from < RATE / 2 - 882; from += 441) {
        expect(Math.abs(decibels(rms(heard.subarray(from, from + 882)) / 0.5) + 3.01)).toBeLessThan(0.5);
      }
    });

  test("going through normal speed and back needs no new start, and resting there lets the stretcher go", async () => {
    const sound = noise(0.5);
    const voice = await voiceOf(song(LONG, { mix: sound }));
    voice.keylock = true;
    voice.rate = 1.02;
    voice.playing = true;
    listen(voice, RATE);
    voice.jump(100000);
    voice.rate = 1;
    listen(voice, 2 * RATE);
    voice.jump(100000);
    const heard = listen(voice, 3000);
    for (let i = 300; i < 3000; i++) expect(Math.abs(heard[i]! - sound(100000 + i))).toBeLessThan(1e-4);
  });

  test("without a module the deck plays as a record does", async () => {
    const { Voice } = await import("./voice");
    const voice = new Voice(RATE, () => null);
    voice.load(song(LONG, { mix: tone(440) }));
    voice.keylock = true;
    voice.rate = 1.08;
    voice.playing = true;
    const heard = listen(voice, RATE);
    expect(Math.abs(cents(pitch(heard, 440 * 1.08), 440 * 1.08))).toBeLessThan(1);
  });
});

describe("songs that are not all here", () => {
  test("what is missing is silence, and sounds from where the deck is when it comes", async () => {
    const sound = tone(440);
    const frames = 3 * SLICE;
    for (const keylock of [false, true]) {
      const made = new Song(info(frames));
      made.add("mix", 0, slice(sound, 0, frames));
      const voice = await voiceOf(made);
      voice.keylock = keylock;
      voice.rate = 1.05;
      voice.jump(SLICE - 1.05 * RATE);
      voice.playing = true;
      const before = listen(voice, 2 * RATE);
      expect(rms(before.subarray(RATE / 4, RATE / 2))).toBeGreaterThan(0.3);
      expect(peak(before.subarray(RATE + 1000))).toBe(0);
      expect(above(before.subarray(200), 8000)).toBeLessThan(-50);
      made.add("mix", 1, slice(sound, 1, frames));
      const after = listen(voice, RATE);
      const wanted = keylock ? 440 : 462;
      expect(rms(after.subarray(1000, 4000))).toBeGreaterThan(0.3);
      expect(Math.abs(cents(pitch(after.subarray(RATE / 4), wanted), wanted))).toBeLessThan(1);
    }
  });

  test.each([[1, false], [1.05, true]])("stems take over from the mix without a break: speed %f, key lock %s", async (rate, keylock) => {
    const frames = 2 * SLICE;
    const parts = { vocals: tone(300, 0.2), drums: tone(500, 0.2) };
    const made = new Song(info(frames, ["mix", "vocals", "drums"]));
    for (const index of [0, 1]) made.add("mix", index, slice((frame) => parts.vocals(frame) + parts.drums(frame), index, frames));
    const voice = await voiceOf(made);
    voice.useStems = true;
    voice.rate = rate;
    voice.keylock = keylock;
    voice.playing = true;
    listen(voice, RATE);
    expect(voice.stems).toBe(false);
    for (const index of [0, 1]) for (const role of ["vocals", "drums"] as const) made.add(role, index, slice(parts[role], index, frames));
    const heard = listen(voice, RATE);
    expect(voice.stems).toBe(true);
    expect(above(heard, 4000)).toBeLessThan(-60);
    const level = (from: number): number => decibels(rms(heard.subarray(from, from + 2205)));
    for (let from = 0; from < RATE - 2205; from += 441) expect(Math.abs(level(from) - level(RATE - 2300))).toBeLessThan(3);
    expect(peak(voice.outputs[0]!)).toBe(0);
    expect(Math.abs(cents(pitch(channelOf(voice, 2), keylock ? 300 : 300 * rate), keylock ? 300 : 300 * rate))).toBeLessThan(1);

    voice.useStems = false;
    const back = listen(voice, RATE / 2);
    expect(voice.stems).toBe(false);
    expect(above(back, 4000)).toBeLessThan(-60);
  });
});

test.each([[1, false], [1.05, true]])("other stems take the place of those that play: speed %f, key lock %s", async (rate, keylock) => {
  const frames = 2 * SLICE;
  const made = song(frames, { mix: tone(300, 0.4), vocals: tone(300, 0.4) });
  const voice = await voiceOf(made);
  Object.assign(voice, { useStems: true, rate, keylock, playing: true });
  listen(voice, RATE);
  expect(voice.stems).toBe(true);
  made.restem(["bass", "other"]);
  voice.restem();
  const mix = listen(voice, RATE);
  expect(voice.roles).toEqual(["mix", "bass", "other"]);
  expect(voice.stems).toBe(false);
  for (const role of ["bass", "other"]) for (const index of [0, 1]) made.add(role, index, slice(tone(300, 0.2), index, frames));
  const stems = listen(voice, RATE);
  expect(voice.stems).toBe(true);
  for (const heard of [mix, stems]) {
    expect(above(heard, 4000)).toBeLessThan(-60);
    expect(decibels(rms(heard.subarray(RATE / 2)) * Math.SQRT2)).toBeCloseTo(decibels(0.4), 1);
  }
});

/** One channel of a voice alone. */
function channelOf(voice: Awaited<ReturnType<typeof voiceOf>>, channel: number): Float32Array {
  const heard = new Float32Array(RATE);
  for (let done = 0; done + 100 <= RATE; done += 100) {
    voice.render(0, 100);
    heard.set(voice.outputs[channel]!.subarray(0, 100), done);
  }
  return heard.subarray(0, RATE - 100);
}

test("whatever hands do, what comes out is sound", async () => {
  const voice = await voiceOf(song(4 * RATE, { mix: noise(0.3), vocals: noise(0.2, 2), drums: clicks(RATE / 2) }));
  const dice = noise(1, 7);
  let thrown = 0;
  const roll = (most: number): number => ((dice(thrown++) + 1) / 2) * most;
  const hands: (() => void)[] = [
    () => (voice.playing = roll(1) > 0.2),
    () => (voice.rate = roll(1) > 0.3 ? 0.5 + roll(1) : roll(12) - 6),
    () => (voice.keylock = roll(1) > 0.3),
    () => (voice.semitones = Math.round(roll(24) - 12)),
    () => (voice.scratching = roll(1) > 0.7),
    () => (voice.useStems = roll(1) > 0.5),
    () => voice.jump(roll(5 * RATE) - RATE / 2),
    () => (voice.loop = roll(1) > 0.5 ? null : { start: voice.position - roll(2000), end: voice.position + 1 + roll(20000) }),
  ];
  const heard = listen(voice, 30 * RATE, 128, (done) => {
    if (done % 1280 === 0) hands[Math.floor(roll(hands.length))]!();
  });
  expect(peak(heard)).toBeGreaterThan(0.3);
  expect(peak(heard)).toBeLessThan(4);
  expect(heard.every(Number.isFinite)).toBe(true);
  expect(Number.isFinite(voice.position)).toBe(true);
});

test("how blocks are cut changes no sample", async () => {
  const sounds = { mix: noise(0.3), vocals: noise(0.2, 2), drums: clicks(RATE / 2), bass: tone(80) };
  const made = song(LONG, sounds);
  const changes: [number, (voice: Awaited<ReturnType<typeof voiceOf>>) => void][] = [
    [3000, (voice) => (voice.playing = true)],
    [20011, (voice) => (voice.rate = 1.061)],
    [30500, (voice) => (voice.useStems = true)],
    [50123, (voice) => voice.jump(RATE * 10 + 0.4)],
    [60321, (voice) => (voice.semitones = 2)],
    [65000, (voice) => (voice.loop = { start: voice.position - 3000.5, end: voice.position + 2000 })],
    [90001, (voice) => (voice.loop = null)],
    [95555, (voice) => (voice.scratching = true)],
    [95556, (voice) => (voice.rate = -2.3)],
    [100000, (voice) => ((voice.scratching = false), (voice.rate = 0.97))],
    [120001, (voice) => (voice.playing = false)],
  ];
  const run = async (sizes: (k: number) => number): Promise<Float32Array> => {
    const voice = await voiceOf(made);
    voice.keylock = true;
    const heard = new Float32Array(125000);
    let next = 0;
    for (let done = 0, k = 0; done < heard.length; k++) {
      while (next < changes.length && changes[next]![0] === done) changes[next++]![1](voice);
      const count = Math.min(sizes(k), (changes[next]?.[0] ?? heard.length) - done);
      voice.render(0, count);
      for (let channel = 0; channel < voice.outputs.length; channel++) {
        for (let i = 0; i < count; i++) heard[done + i]! += (channel + 1) * voice.outputs[channel]![i]!;
      }
      done += count;
    }
    return heard;
  };
  const whole = await run(() => 128);
  const cut = await run((k) => 1 + ((k * 7919) % 127));
  expect(peak(whole)).toBeGreaterThan(0.3);
  expect(cut).toEqual(whole);
});
