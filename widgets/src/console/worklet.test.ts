import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { even } from "../testing/bench";
import { info, RATE, slice, tone } from "../testing/sound";
import { RECORD_PART, type FromConsole, type ToConsole } from "./messages";
import { registerConsole } from "./worklet";

interface Processor {
  port: { onmessage: (event: { data: ToConsole }) => void };
  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}

/** The processor in a worklet of ours: its messages, and its sound block by block. */
class Page {
  readonly heard: FromConsole[] = [];
  readonly left: number[] = [];
  frame = 0;
  readonly #processor: Processor;

  constructor() {
    const heard = this.heard;
    let made: (new () => Processor) | undefined;
    vi.stubGlobal("AudioWorkletProcessor", class {
      port = { postMessage: (message: FromConsole) => heard.push(message) };
    });
    vi.stubGlobal("registerProcessor", (_name: string, processor: new () => Processor) => { made = processor; });
    vi.stubGlobal("sampleRate", RATE);
    vi.stubGlobal("currentFrame", 0);
    registerConsole();
    this.#processor = new (made as new () => Processor)();
  }

  send(message: ToConsole): void {
    this.#processor.port.onmessage({ data: message });
  }

  run(blocks: number): void {
    for (let block = 0; block < blocks; block += 1) {
      vi.stubGlobal("currentFrame", this.frame);
      const outputs = [[new Float32Array(128), new Float32Array(128)], [new Float32Array(128), new Float32Array(128)]];
      expect(this.#processor.process([], outputs)).toBe(true);
      this.left.push(...(outputs[0]?.[0] as Float32Array));
      this.frame += 128;
    }
  }

  of<T extends FromConsole["type"]>(type: T): Extract<FromConsole, { type: T }>[] {
    return this.heard.filter((message): message is Extract<FromConsole, { type: T }> => message.type === type);
  }
}

describe("the processor of a page", () => {
  let page: Page;

  beforeEach(() => {
    page = new Page();
    page.send({ type: "load", deck: 1, info: info(10 * RATE, ["mix"], { id: "a", grid: even(120, 10) }) });
    page.send({ type: "slice", deck: 1, song: "a", role: "mix", index: 0, slice: slice(tone(300), 0, 10 * RATE) });
  });
  afterEach(() => vi.unstubAllGlobals());

  it("says when the stretcher is there", async () => {
    await vi.waitFor(() => expect(page.of("ready")).toHaveLength(1), 10_000);
  });

  it("answers changes while no sound is made, and says which of them it has seen", () => {
    page.send({ type: "set", changes: [["deck.1.play", 1], ["deck.1.pitch", 5]], n: 7 });
    expect(page.of("state").at(-1)?.state).toMatchObject({ seen: 7 });
    expect(page.of("state").at(-1)?.state.decks[0]).toMatchObject({ loaded: true, playing: true });
  });

  it("tells what happened before a change with the number before it", () => {
    page.send({ type: "set", changes: [["deck.1.play", 1]], n: 1 });
    page.send({ type: "play", tag: "a", events: [{ when: { frame: 300 }, control: "deck.1.volume", value: 0.5 }] });
    page.run(3);
    page.send({ type: "set", changes: [["deck.1.volume", 0.9]], n: 2 });
    const told = page.of("events").map(({ events, seen }) => ({ seen, changes: events.flatMap((event) => (event.type === "control" || event.type === "applied" ? [`${event.type} ${event.control}`] : [])) }));
    expect(told.slice(-2)).toEqual([
      { seen: 1, changes: ["applied deck.1.volume", "control deck.1.volume"] },
      { seen: 2, changes: ["applied deck.1.volume"] },
    ]);
  });

  it("says what it cannot follow, and follows the rest", () => {
    page.send({ type: "set", changes: [["deck.1.plya", 1], ["deck.1.play", 1]], n: 3 });
    expect(page.of("refused")).toEqual([{ type: "refused", message: 'There is no control "deck.1.plya".', n: 3 }]);
    expect(page.of("state").at(-1)?.state.decks[0]?.playing).toBe(true);
  });

  it("tells how everything stands while something sounds, and is quiet when nothing does", () => {
    page.send({ type: "set", changes: [["deck.1.assign", "through"], ["deck.1.play", 1]], n: 1 });
    page.run(Math.ceil(RATE / 128));
    expect(page.of("state").length).toBeGreaterThan(30);
    page.send({ type: "set", changes: [["deck.1.play", 0]], n: 2 });
    page.run(100);
    const told = page.of("state").length;
    page.run(200);
    expect(page.of("state").length).toBe(told);
  });

  it("records the master, sample for sample", () => {
    page.send({ type: "set", changes: [["deck.1.assign", "through"], ["deck.1.play", 1]], n: 1 });
    page.run(10);
    page.send({ type: "record", on: true });
    page.run(300);
    page.send({ type: "record", on: false });
    page.run(10);
    const parts = page.of("recorded");
    expect(parts.map(({ left, last }) => [left.length, last])).toEqual([[RECORD_PART, false], [RECORD_PART, false], [300 * 128 - 2 * RECORD_PART, true]]);
    expect(parts[0]?.frame).toBe(1280);
    expect(parts.flatMap(({ left }) => [...left])).toEqual(page.left.slice(1280, 1280 + 300 * 128));
    expect(Math.max(...page.left)).toBeGreaterThan(0.4);
  });
});
