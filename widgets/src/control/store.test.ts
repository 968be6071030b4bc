import { beforeEach, describe, expect, it } from "vitest";
import { ControlStore } from "./store";
import { ControlError, controlOf, valueText } from "./table";

let store: ControlStore;
let end: AbortController;

beforeEach(() => {
  store = new ControlStore();
  end = new AbortController();
});

function heard(what: string, source?: string): string[] {
  const list: string[] = [];
  store.on(what, (id, value, from) => list.push(`${id}=${value} by ${from}`), end.signal, source);
  return list;
}

describe("the store of controls", () => {
  it("tells a change to all but its source", () => {
    const [midi, keys] = [heard("deck.1.", "midi"), heard("deck.1.volume", "keys")];
    store.set("deck.1.volume", 0.5, "midi");
    store.set("deck.1.volume", 0.25, "keys");
    expect(midi).toEqual(["deck.1.volume=0.25 by keys"]);
    expect(keys).toEqual(["deck.1.volume=0.5 by midi"]);
  });

  it("tells nothing when nothing changes, and every press of a trigger", () => {
    const all = heard("");
    store.set("deck.1.volume", 1, "keys");
    store.set("deck.1.beatjump", 4, "keys");
    store.set("deck.1.beatjump", 4, "keys");
    expect(all).toEqual(["deck.1.beatjump=4 by keys", "deck.1.beatjump=4 by keys"]);
  });

  it("brings values into their range and refuses what is none", () => {
    store.set("deck.1.pitch", 900, "keys");
    expect(store.get("deck.1.pitch")).toBe(50);
    expect(() => store.set("deck.1.pitch", "fast", "keys")).toThrow(ControlError);
    expect(() => store.set("deck.9.pitch", 1, "keys")).toThrow('There is no control "deck.9.pitch".');
    expect(() => store.set("mixer.crossfader_curve", "steep", "keys")).toThrow(ControlError);
  });

  it("tells changes in one order when a listener makes another", () => {
    store.on("deck.1.play", () => store.set("deck.1.volume", 0, "limiter"), end.signal);
    const all = heard("");
    store.set("deck.1.play", 1, "keys");
    expect(all).toEqual(["deck.1.play=1 by keys", "deck.1.volume=0 by limiter"]);
  });

  it("keeps telling the others when a listener breaks", () => {
    const broken = console.error;
    console.error = () => {};
    store.on("deck.1.play", () => { throw new Error("broken"); }, end.signal);
    const all = heard("deck.1.play");
    store.set("deck.1.play", 1, "keys");
    console.error = broken;
    expect(all).toHaveLength(1);
  });

  it("moves along a control's curve, and back to its default", () => {
    store.setKnob("deck.1.eq.low", 0.5, "pointer");
    expect(store.get("deck.1.eq.low")).toBe(0);
    store.setKnob("deck.1.eq.low", 0, "pointer");
    expect(store.get("deck.1.eq.low")).toBe(-26);
    store.nudge("deck.1.eq.low", 6, "wheel");
    expect(store.get("deck.1.eq.low")).toBe(-20);
    store.reset("deck.1.eq.low", "pointer");
    expect(store.settings).toEqual({});
  });

  it("takes all settings over at once", () => {
    store.set("deck.1.volume", 0.5, "pointer");
    store.take({ "deck.2.volume": 0.25, "deck.2.gone": 1 }, "kernel");
    expect(store.settings).toEqual({ "deck.2.volume": 0.25 });
  });

  it("stops telling with its signal", () => {
    const all = heard("");
    end.abort();
    store.set("deck.1.play", 1, "keys");
    expect(all).toEqual([]);
  });
});

describe("a value in words", () => {
  it.each([
    ["deck.1.eq.low", 1.5, "+1.5 dB"], ["deck.1.eq.low", -26, "−26.0 dB"], ["deck.1.eq.low", 0, "0.0 dB"],
    ["mixer.master", -60, "−∞ dB"], ["deck.1.pitch", 3, "+3.00 %"], ["deck.1.loop.beats", 0.25, "1/4 beat"],
    ["deck.1.loop.beats", 8, "8 beats"], ["deck.1.keylock", 1, "on"], ["deck.1.volume", 0.5, "50 %"],
    ["deck.1.fx.1.kind", "echo", "echo"], ["deck.1.key_shift", -3, "−3 semitones"], ["deck.1.loop.move", -4, "−4 beats"],
  ])("%s %s", (id, value, text) => {
    expect(valueText(controlOf(id), value)).toBe(text);
  });
});
