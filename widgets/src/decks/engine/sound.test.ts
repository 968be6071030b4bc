import { describe, expect, it } from "vitest";
import type { ConsoleState, DeckState } from "../../console/types";
import type { FromConsole } from "../../console/messages";
import { FakeContext } from "../../engine/fake";
import { fullAnalysis } from "../../testing/song";
import { correction } from "./grid";
import { Moments } from "./moments";
import { decodePieces } from "./pieces";
import { PlainSound } from "./plain";

const RATE = 48_000;

function state(frame: number, deck: Partial<DeckState>): ConsoleState {
  const one: DeckState = {
    loaded: true, playing: true, position: 0, rate: 1, loop: null, loopActive: false, slip: null, beat: null, phase: null,
    tempo: null, leader: false, left: 0, right: 0, ...deck,
  };
  return { frame, decks: [one], left: 0, right: 0, peak: 0, vuLeft: 0, vuRight: 0, reduction: 1, seen: 0 };
}

describe("what is heard of a deck", () => {
  it("runs on between what the console tells", () => {
    const moments = new Moments(RATE);
    moments.take(state(RATE, { position: 10, rate: 1.5 }));
    expect(moments.moment(1, RATE * 1.02).position).toBeCloseTo(10.03, 6);
  });

  it("is behind what has been told by as much as the output is late", () => {
    const moments = new Moments(RATE);
    moments.take(state(0, { position: 10 }));
    moments.take(state(RATE * 0.1, { position: 60 })); // a jump that is not heard yet
    expect(moments.moment(1, RATE * 0.05).position).toBeCloseTo(10.05, 6);
    expect(moments.moment(1, RATE * 0.11).position).toBeCloseTo(60.01, 6);
  });

  it("turns with a loop", () => {
    const moments = new Moments(RATE);
    moments.take(state(0, { position: 11.98, loop: { start: 10, end: 12 }, loopActive: true }));
    expect(moments.moment(1, RATE * 0.05).position).toBeCloseTo(10.03, 6);
  });
});

describe("a correction of the grid from a deck", () => {
  const analysis = fullAnalysis(); // a beat each half second
  it("brings the nearest beat here", () => {
    expect(correction("here", 1, 10.1, analysis)).toEqual({ shift: expect.closeTo(0.1, 6) });
    expect(correction("here", 1, 10.4, analysis)).toEqual({ shift: expect.closeTo(-0.1, 6) });
    expect(correction("here", 1, 10, analysis)).toBeNull();
  });
  it("makes the nearest beat the first of its bar", () => {
    expect(correction("downbeat", 1, 10.4, analysis)).toEqual({ downbeat: 10.5 });
  });
  it("needs a grid", () => {
    expect(correction("double", 1, 10, null)).toBeNull();
  });
});

/** A context whose decoder reads WAV of 16 bits, and a FLAC file of frames that hold nothing but their numbers. */
class Decoder {
  readonly asked: number[] = [];
  constructor(readonly sampleRate: number, readonly block = 0) {}

  async decodeAudioData(bytes: ArrayBuffer): Promise<unknown> {
    this.asked.push(bytes.byteLength);
    const samples = this.block > 0 ? this.#flac(new Uint8Array(bytes)) : Float32Array.from(new Int16Array(bytes.slice(44)), (v) => v);
    return { length: samples.length, numberOfChannels: 1, getChannelData: () => samples };
  }

  #flac(file: Uint8Array): Float32Array {
    const samples: number[] = [];
    for (let at = 42; at < file.length; at += FRAME) {
      const number = new DataView(file.buffer).getUint32(at + 8);
      for (let i = 0; i < this.block; i += 1) samples.push(number * this.block + i);
    }
    return Float32Array.from(samples);
  }
}

async function samples(bytes: ArrayBuffer, decoder: Decoder): Promise<{ frames: number; all: number[]; chunks: number }> {
  const { frames, chunks } = await decodePieces(bytes, decoder as unknown as BaseAudioContext);
  const all: number[] = [];
  let count = 0;
  for await (const { left } of chunks) {
    count += 1;
    for (const sample of left) all.push(sample);
  }
  return { frames, all, chunks: count };
}

function wav(values: Int16Array, rate: number): ArrayBuffer {
  const bytes = new ArrayBuffer(44 + values.length * 2);
  const view = new DataView(bytes);
  const word = (at: number, text: string) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  word(0, "RIFF"); view.setUint32(4, bytes.byteLength - 8, true); word(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  word(36, "data"); view.setUint32(40, values.length * 2, true);
  new Int16Array(bytes, 44).set(values);
  return bytes;
}

const FRAME = 300;

/** A stream whose frames have proper heads; one of them holds what looks like the beginning of another. */
function flac(frames: number, block: number, rate: number): ArrayBuffer {
  const file = new Uint8Array(42 + frames * FRAME);
  const view = new DataView(file.buffer);
  file.set([0x66, 0x4c, 0x61, 0x43, 0x80, 0, 0, 34]);
  view.setUint16(8, block); view.setUint16(10, block);
  view.setUint32(18, (rate << 12) | (15 << 4)); view.setUint32(22, frames * block);
  for (let number = 0; number < frames; number += 1) {
    const at = 42 + number * FRAME;
    const digits = number < 128 ? [number] : [0xc0 | (number >> 6), 0x80 | (number & 63)];
    const head = [0xff, 0xf8, 0xc9, 0x08, ...digits];
    file.set([...head, crc(head)], at);
    view.setUint32(at + 8, number);
    file.set([0xff, 0xf8, 0xc9, 0x08, 5, 0], at + 100);
  }
  return file.buffer;
}

function crc(bytes: number[]): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x80 ? ((sum << 1) ^ 7) & 0xff : (sum << 1) & 0xff;
  }
  return sum;
}

describe("decoding in pieces", () => {
  it("cuts a WAV file and puts it together to the sample", async () => {
    const rate = 8000;
    const values = Int16Array.from({ length: rate * 30 }, (_, i) => i % 30_000);
    const decoder = new Decoder(rate);
    const made = await samples(wav(values, rate), decoder);
    expect(made.chunks).toBe(4);
    expect(made.frames).toBe(values.length);
    expect(made.all).toEqual([...values]);
  });

  it("cuts a FLAC file at its frames and puts it together to the sample", async () => {
    const [frames, block, rate] = [900, 256, 8000];
    const made = await samples(flac(frames, block, rate), new Decoder(rate, block));
    expect(made.chunks).toBeGreaterThan(2);
    expect(made.all).toHaveLength(frames * block);
    expect(made.all.findIndex((sample, i) => sample !== i)).toBe(-1);
  });

  it("decodes as a whole what it cannot cut, and what is short", async () => {
    const decoder = new Decoder(8000);
    await samples(wav(new Int16Array(8000), 8000), decoder);
    expect(decoder.asked).toHaveLength(1);
    const { all } = await samples(wav(new Int16Array(4), 8000).slice(0, 46), decoder);
    expect(all).toHaveLength(1);
  });
});

describe("plain playback", () => {
  function plain() {
    const context = new FakeContext();
    Object.assign(context, {
      createBuffer: (_: number, length: number) => ({ duration: length / RATE, name: "song", copyToChannel: () => {} }),
    });
    const told: FromConsole[] = [];
    const sound = new PlainSound(context as unknown as AudioContext, { message: "Plain.", hint: null }, (message) => told.push(message));
    const create = context.createBufferSource.bind(context);
    context.createBufferSource = () => Object.assign(create(), { playbackRate: { value: 1 } });
    let n = 0;
    const set = (id: string, value: number) => sound.post({ type: "set", changes: [[id, value]], n: (n += 1) });
    const deck = () => told.filter((message) => message.type === "state").at(-1)?.state.decks[0];
    sound.post({ type: "load", deck: 1, info: { id: "a", frames: RATE, roles: ["mix"], grid: null, hotCues: [{ time: 0.5, end: null }, ...Array(7).fill(null)], cuePoint: 0, gain: 0, key: null } });
    sound.give(1, "a", "mix", 0, { left: new Float32Array(RATE), right: new Float32Array(RATE) });
    return { context, sound, set, deck, told };
  }

  it("plays, goes to a place, faster, and stops", () => {
    const { context, sound, set, deck } = plain();
    set("deck.1.play", 1);
    context.currentTime += 0.25;
    set("deck.1.volume", 0.5);
    expect(deck()).toMatchObject({ playing: true, position: 0.25 });
    set("deck.1.pitch", 50);
    context.currentTime += 0.1;
    set("deck.1.play", 0);
    expect(deck()?.position).toBeCloseTo(0.4, 6);
    set("deck.1.seek", 0.7);
    expect(deck()).toMatchObject({ playing: false, position: 0.7 });
    sound.close();
  });

  it("sets the cue point, listens from it and comes back", () => {
    const { context, sound, set, deck } = plain();
    set("deck.1.seek", 0.3);
    set("deck.1.cue", 1);
    set("deck.1.cue", 0);
    set("deck.1.cue", 1);
    context.currentTime += 0.2;
    expect(deck()?.playing).toBe(true);
    set("deck.1.cue", 0);
    expect(deck()).toMatchObject({ playing: false, position: 0.3 });
    sound.close();
  });

  it("does not say that something is on which is not", () => {
    const { sound, set, told } = plain();
    set("deck.1.sync", 1);
    set("deck.1.fx.2.on", 1);
    const events = told.flatMap((message) => (message.type === "events" ? message.events : []));
    expect(events).toMatchObject([
      { type: "control", control: "deck.1.sync", value: 0 }, { type: "control", control: "deck.1.fx.2.on", value: 0 },
    ]);
    sound.close();
  });

  it("jumps to hot cues and tells of those that are set", () => {
    const { sound, set, deck, told } = plain();
    set("deck.1.play", 1);
    set("deck.1.hotcue.1.press", 1);
    expect(deck()?.position).toBe(0.5);
    set("deck.1.hotcue.2.press", 1);
    const events = told.flatMap((message) => (message.type === "events" ? message.events : []));
    expect(events).toContainEqual({ type: "hotcue", deck: 1, slot: 2, cue: { time: 0.5, end: null } });
    sound.close();
  });
});
