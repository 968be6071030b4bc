import { describe, expect, it, vi } from "vitest";
import type { ScriptDocument, ScriptEvent } from "../types";
import { Offline, RENDER } from "./offline";
import { SLICE } from "./types";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const RATE = 44100;
const FACTS = JSON.stringify({ analysis: null, cues: [], gain: 0, key: null });

function script(events: ScriptEvent[], controls: ScriptDocument["controls"] = {}): string {
  return JSON.stringify({ version: 1, sample_rate: RATE, duration: 2, controls, positions: {}, events } satisfies ScriptDocument);
}

/** Plays a script to the end of `frames`, `step` at a time, and gives a tone to whoever wants a song. */
async function play(text: string, frames: number, step: number): Promise<{ sound: Float32Array; wanted: [number, string][] }> {
  const offline = await Offline.create(RATE);
  offline.script(text);
  const sound = new Float32Array(frames);
  const wanted: [number, string][] = [];
  for (let made = 0; made < frames;) {
    const count = offline.render(Math.min(step, frames - made));
    sound.set(offline.left.subarray(0, count), made);
    made += count;
    for (const { deck, track } of JSON.parse(offline.wanted()) as { deck: number; track: string }[]) {
      wanted.push([made, track]);
      offline.load(deck, track, SLICE, JSON.stringify(["mix"]), FACTS);
      for (let i = 0; i < SLICE; i++) offline.songLeft[i] = offline.songRight[i] = 0.3 * Math.sin(i / 20);
      offline.slice(deck, track, "mix", 0, SLICE);
    }
  }
  return { sound, wanted };
}

describe("a console without a clock", () => {
  const events: ScriptEvent[] = [
    { time: 0.1, control: "deck.1.pitch", value: 3 },
    { time: 0.2, control: "deck.2.track", value: "two" },
    { time: 0.2, control: "deck.2.play", value: 1 },
    { time: 0.3, control: "deck.1.track", value: "" },
  ];
  const text = script(events, { "deck.1.track": "one", "deck.1.play": 1 });

  it("asks for songs before the frame at which they are wanted", async () => {
    const { wanted } = await play(text, RATE / 2, RENDER);
    expect(wanted).toEqual([[0, "one"], [0.2 * RATE, "two"]]);
  });

  it("makes the same samples however they are asked for", async () => {
    const [whole, pieces] = await Promise.all([play(text, RATE / 2, RENDER), play(text, RATE / 2, 333)]);
    expect(whole.sound.some((sample) => Math.abs(sample) > 0.1)).toBe(true);
    expect(pieces.sound).toEqual(whole.sound);
  });

  it("waits for a place in a song before it loads the next one", async () => {
    const anchored = script(
      [{ time: 0.25, deck: 1, control: "deck.2.track", value: "two" }, { time: 0, control: "deck.2.play", value: 1 }],
      { "deck.1.track": "one", "deck.1.play": 1 },
    );
    const { wanted } = await play(anchored, RATE / 2, RENDER);
    expect(wanted[1]?.[1]).toBe("two");
    expect(Math.abs((wanted[1]?.[0] ?? 0) - 0.25 * RATE)).toBeLessThanOrEqual(128);
  });
});
