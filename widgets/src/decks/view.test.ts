import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deckSong, FakeDecks, hotCue } from "../testing/decks";
import { FakeBridge } from "../testing/fake";
import { trackRow } from "../testing/rows";
import type { ControlValue } from "../types";
import { Layer } from "../ui/layer";
import * as dialogs from "./dialogs";
import { type DecksHandle, mountView } from "./view";

let end: AbortController;
let el: HTMLElement;
let fake: FakeDecks;
let bridge: FakeBridge;
let view: DecksHandle;
/** Every change of a control, in order. */
let changes: [string, ControlValue][];

function open(prepare: (decks: FakeDecks) => void = () => undefined): void {
  end = new AbortController();
  el = document.createElement("div");
  document.body.append(el);
  fake = new FakeDecks();
  prepare(fake);
  bridge = new FakeBridge({
    "tracks.page": () => ({ total: 1, rows: [trackRow("found", { title: "Night Drive" })] }),
    "decks.cue.set": () => ({ cues: [] }),
  });
  view = mountView(el, bridge, fake.system, { signal: end.signal, layer: new Layer(end.signal), keys: el, load: async () => dialogs });
  changes = [];
  fake.controls.on("", (id, value) => changes.push([id, value]), end.signal);
}

beforeEach(() => vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {} })));
afterEach(() => {
  end.abort();
  document.body.replaceChildren();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const of = (id: string) => el.querySelector(`[data-control="${id}"]`) as HTMLElement;
const named = (label: string, within: ParentNode = el) => within.querySelector(`[aria-label="${label}"]`) as HTMLElement;
const key = (code: string, more: KeyboardEventInit & { on?: EventTarget } = {}) => {
  const { on = el.querySelector(".sfa-decks") as HTMLElement, ...init } = more;
  const event = new KeyboardEvent("keydown", { code, key: init.key ?? code.replace(/^(Key|Digit)/, "").toLowerCase(), bubbles: true, cancelable: true, ...init });
  on.dispatchEvent(event);
  return event;
};
const up = (code: string) => window.dispatchEvent(new KeyboardEvent("keyup", { code }));
const pointer = (target: HTMLElement, type: string, at: { x?: number; y?: number; shiftKey?: boolean } = {}) =>
  target.dispatchEvent(new PointerEvent(type, {
    bubbles: true, cancelable: true, button: 0, pointerId: 1, clientX: at.x ?? 0, clientY: at.y ?? 0, shiftKey: at.shiftKey ?? false,
  }));
const drag = (target: HTMLElement, by: number, shiftKey = false) => {
  pointer(target, "pointerdown", { y: 100, shiftKey });
  pointer(target, "pointermove", { y: 100 - by, shiftKey });
  pointer(target, "pointerup", { y: 100 - by, shiftKey });
};
const toast = () => document.querySelector(".sfa-toast");
const pressToast = () => toast()?.querySelector<HTMLElement>(".sfa-button:not(.is-icon)")?.click();

describe("a knob", () => {
  it("says what it is and what it is set to", () => {
    open();
    const low = of("deck.1.eq.low");
    expect(low.getAttribute("role")).toBe("slider");
    expect(low.getAttribute("aria-label")).toBe("Low");
    expect(low.getAttribute("aria-valuetext")).toBe("0.0 dB");
    fake.controls.set("deck.1.eq.low", -26, "kernel");
    expect(low.getAttribute("aria-valuetext")).toBe("−26.0 dB");
    expect(low.getAttribute("aria-valuenow")).toBe("0");
    expect(changes).toEqual([["deck.1.eq.low", -26]]);
  });

  it("follows the hand; with shift a fifth as fast", () => {
    open();
    drag(of("deck.1.gain"), 40);
    const coarse = fake.controls.knob("deck.1.gain") - 0.5;
    expect(coarse).toBeGreaterThan(0.2);
    fake.controls.reset("deck.1.gain", "test");
    drag(of("deck.1.gain"), 40, true);
    expect((fake.controls.knob("deck.1.gain") - 0.5) / coarse).toBeCloseTo(0.2, 1);
  });

  it("goes back with a double click, the other button, or Delete", () => {
    open();
    const filter = of("deck.2.filter");
    for (const back of [
      () => filter.dispatchEvent(new MouseEvent("dblclick", { bubbles: true })),
      () => filter.dispatchEvent(new PointerEvent("contextmenu", { bubbles: true, cancelable: true, pointerType: "mouse" })),
      () => key("Delete", { key: "Delete", on: filter }),
    ]) {
      fake.controls.set("deck.2.filter", 0.7, "test");
      back();
      expect(fake.controls.get("deck.2.filter")).toBe(0);
    }
  });

  it("is turned by arrow keys and by the wheel, and no key of a deck runs meanwhile", () => {
    open();
    const mid = of("deck.1.eq.mid");
    key("ArrowUp", { key: "ArrowUp", on: mid });
    expect(fake.controls.knob("deck.1.eq.mid")).toBeCloseTo(0.52);
    key("ArrowLeft", { key: "ArrowLeft", shiftKey: true, on: mid });
    expect(fake.controls.knob("deck.1.eq.mid")).toBeCloseTo(0.516);
    mid.dispatchEvent(new WheelEvent("wheel", { deltaY: 100, bubbles: true, cancelable: true }));
    expect(fake.controls.knob("deck.1.eq.mid")).toBeCloseTo(0.496);
    expect(changes.every(([id]) => id === "deck.1.eq.mid")).toBe(true);
  });

  it("keeps a time in beats to parts and multiples of a beat", () => {
    open();
    const time = of("deck.1.fx.1.beats");
    expect(time.getAttribute("aria-valuetext")).toBe("1/2 beat");
    key("ArrowUp", { key: "ArrowUp", on: time });
    expect(fake.controls.get("deck.1.fx.1.beats")).toBe(1);
  });
});

describe("the tempo fader", () => {
  it("covers the chosen range", () => {
    open();
    const tempo = of("deck.1.pitch");
    key("End", { key: "End", on: tempo });
    expect(fake.controls.get("deck.1.pitch")).toBe(10);
    fake.controls.set("deck.1.pitch_range", "50", "test");
    expect(tempo.getAttribute("aria-valuenow")).toBe("60");
    expect(tempo.getAttribute("aria-valuetext")).toBe("+10.00 %");
  });
});

describe("the keys", () => {
  it("play under both hands, and the deck in hand", () => {
    open();
    key("KeyD");
    key("KeyL");
    expect(fake.controls.isOn("deck.1.play") && fake.controls.isOn("deck.2.play")).toBe(true);
    pointer(el.querySelector("[data-deck='2']") as HTMLElement, "pointerdown");
    key("Space", { key: " " });
    expect(fake.controls.isOn("deck.2.play")).toBe(false);
    expect(fake.controls.isOn("deck.1.play")).toBe(true);
  });

  it("hold what is held, once, until they come up wherever the focus is", () => {
    open();
    key("KeyF");
    key("KeyF", { repeat: true });
    expect(changes).toEqual([["deck.1.cue", 1]]);
    up("KeyF");
    expect(changes).toEqual([["deck.1.cue", 1], ["deck.1.cue", 0]]);
    key("KeyS", { shiftKey: true, key: "S" });
    expect(fake.controls.get("deck.1.bend")).toBe(1);
    window.dispatchEvent(new Event("blur"));
    expect(fake.controls.get("deck.1.bend")).toBe(0);
  });

  it("release the deck that they pressed, whichever is in hand by then", () => {
    open();
    key("Digit3");
    key("Backquote", { key: "`" });
    up("Digit3");
    expect(changes).toEqual([["deck.1.hotcue.3.press", 1], ["deck.1.hotcue.3.press", 0]]);
  });

  it("mean the lower decks while one of those is in hand", () => {
    open((decks) => decks.controls.set("mixer.decks", "4", "test"));
    pointer(el.querySelector("[data-deck='3']") as HTMLElement, "pointerdown");
    key("KeyL");
    expect(fake.controls.isOn("deck.4.play")).toBe(true);
    expect(fake.controls.isOn("deck.2.play")).toBe(false);
  });

  it("stay with the decks when a button was pressed with the mouse", () => {
    open();
    document.body.focus();
    const down = new MouseEvent("mousedown", { bubbles: true, cancelable: true });
    of("deck.1.sync").dispatchEvent(down);
    expect(down.defaultPrevented).toBe(true);
    expect(document.activeElement).toBe(el.querySelector(".sfa-decks"));
    key("Space", { key: " " });
    expect(fake.controls.isOn("deck.1.play")).toBe(true);
    expect(key("Enter", { shiftKey: true, on: of("deck.1.sync") }).defaultPrevented).toBe(true);
  });

  it("leave fields, dialogs, pressed buttons and the letters after g alone", () => {
    open();
    const field = document.createElement("input");
    el.querySelector(".sfa-decks")?.append(field);
    expect(key("KeyD", { on: field }).defaultPrevented).toBe(false);
    expect(key("Space", { key: " ", on: of("deck.1.sync") }).defaultPrevented).toBe(false);
    key("KeyG");
    expect(key("KeyL").defaultPrevented).toBe(false);
    expect(key("KeyD", { ctrlKey: true }).defaultPrevented).toBe(false);
    expect(changes).toEqual([]);
    key("KeyL");
    expect(fake.controls.isOn("deck.2.play")).toBe(true);
  });

  it("are told in a table", async () => {
    open();
    key("Slash", { key: "?", shiftKey: true });
    await vi.waitFor(() => expect(document.querySelector("dialog")?.textContent).toContain("Faster, while held"));
    expect(document.querySelector("dialog table tr:nth-child(2)")?.textContent).toBe("F;Cue");
  });

  it("are deaf while the view is out of sight", () => {
    open();
    el.hidden = true;
    key("KeyD");
    expect(changes).toEqual([]);
  });
});

describe("hot cues", () => {
  const withCues = (decks: FakeDecks) => decks.put(1, deckSong("a", { cues: [
    hotCue(1, 32, { label: "Drop", color: "#f39c12" }), hotCue(2, 64, { end: 72 }),
  ] }));
  const pad = (slot: number) => of(`deck.1.hotcue.${slot}.press`);

  it("show their letter, label and place", () => {
    open(withCues);
    expect(pad(1).textContent).toBe("ADrop0:32.0");
    expect(pad(1).getAttribute("aria-label")).toBe("Hot cue A, Drop, 0:32.0");
    expect(pad(2).getAttribute("aria-label")).toContain("loop, 1:04.0 to 1:12.0");
    expect(pad(3).getAttribute("aria-label")).toBe("Hot cue C, empty");
  });

  it("are pressed by a pointer as long as it is down, by the keyboard, and by what has neither", () => {
    open(withCues);
    const press = [["deck.1.hotcue.1.press", 1], ["deck.1.hotcue.1.press", 0]];
    pointer(pad(1), "pointerdown");
    expect(changes).toEqual(press.slice(0, 1));
    pointer(pad(1), "pointerup");
    expect(changes).toEqual(press);
    key("Enter", { key: "Enter", on: pad(1) });
    pad(1).dispatchEvent(new KeyboardEvent("keyup", { key: "Enter", bubbles: true }));
    expect(changes).toEqual([...press, ...press]);
    pad(1).click();
    expect(changes).toEqual([...press, ...press, ...press]);
  });

  it("are cleared with a way back, even when their song has gone", async () => {
    open(withCues);
    key("Digit1", { shiftKey: true, key: "!" });
    expect(fake.asked).toEqual([["clearCue", 1, 1]]);
    await vi.waitFor(() => expect(toast()?.textContent).toContain("Cleared hot cue A “Drop”."));
    fake.put(1, deckSong("b"));
    pressToast();
    expect(bridge.params("decks.cue.set")).toEqual([{ id: "a", slot: 1, time: 32, end: null, label: "Drop", color: "#f39c12" }]);
  });

  it("get a label and a colour", async () => {
    open(withCues);
    pad(1).dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: 5, clientY: 5 }));
    [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((item) => item.textContent === "Label and colour…")?.click();
    const dialog = await vi.waitFor(() => document.querySelector<HTMLElement>("dialog") ?? expect.fail());
    (dialog.querySelector("input:not([type=radio])") as HTMLInputElement).value = " Big drop ";
    dialog.querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
    expect(fake.asked).toEqual([["setCue", 1, 1, { label: "Big drop", color: "#f39c12" }]]);
  });
});

describe("the other pads", () => {
  it("set loops and end them, hold rolls, jump, and shift the key", () => {
    open((decks) => decks.put(1, deckSong("a")));
    const deck = el.querySelector("[data-deck='1']") as HTMLElement;
    const mode = (name: string) => [...deck.querySelectorAll<HTMLElement>(".sfa-dk-padbox label")].find((label) => label.textContent === name)?.querySelector("input")?.click();
    mode("Loops");
    named("Loop of 8 beats", deck).click();
    expect(changes).toEqual([["deck.1.loop.set", 8]]);
    fake.controls.set("deck.1.loop.beats", 8, "console");
    fake.controls.set("deck.1.loop.active", 1, "console");
    expect(named("Loop of 8 beats", deck).getAttribute("aria-pressed")).toBe("true");
    named("Loop of 8 beats", deck).click();
    expect(fake.controls.isOn("deck.1.loop.active")).toBe(false);
    mode("Rolls");
    const roll = named("Roll of 1/4 beats, while held", deck);
    pointer(roll, "pointerdown");
    expect(fake.controls.get("deck.1.roll")).toBe(0.25);
    pointer(roll, "pointerup");
    expect(fake.controls.get("deck.1.roll")).toBe(0);
    mode("Jumps");
    changes.length = 0;
    named("16 beats back", deck).click();
    expect(changes).toEqual([["deck.1.beatjump", -16]]);
    mode("Key");
    const up = named("Key shifted by +2 semitones", deck);
    expect(up.textContent).toBe("+210A");
    up.click();
    expect(fake.controls.get("deck.1.key_shift")).toBe(2);
  });
});

describe("songs", () => {
  it("are found from the deck and loaded", async () => {
    open();
    named("Load deck B").click();
    const song = await vi.waitFor(() => {
      const found = document.querySelector<HTMLElement>("dialog .sfa-dk-found button");
      expect(found?.textContent).toContain("Night Drive");
      return found as HTMLElement;
    });
    song.click();
    expect(fake.asked).toEqual([["load", 2, "found"]]);
  });

  it("are dropped onto a deck", () => {
    open();
    const drop = (type: string) => {
      const event = new Event(type, { bubbles: true, cancelable: true });
      Object.assign(event, { dataTransfer: { types: ["application/x-sfa-tracks"], getData: () => JSON.stringify(["x", "y"]) } });
      el.querySelector("[data-deck='2'] .sfa-dk-pads")?.dispatchEvent(event);
      return event;
    };
    expect(drop("dragover").defaultPrevented).toBe(true);
    drop("drop");
    expect(fake.asked).toEqual([["load", 2, "x"]]);
  });

  it("do not take the place of one that plays without a second word", () => {
    open((decks) => decks.put(1, deckSong("a"), { playing: true }));
    view.load(1, "other");
    expect(fake.asked).toEqual([]);
    expect(toast()?.textContent).toContain("Deck A is playing.");
    pressToast();
    expect(fake.asked).toEqual([["load", 1, "other"]]);
  });

  it("say how far they have come, and why they do not, with a retry", () => {
    open((decks) => decks.controls.set("deck.1.track", "t", "test"));
    fake.arrive(1, { what: "song", phase: "fetch", fraction: 0.4 });
    const said = el.querySelector("[data-deck='1'] .sfa-dk-arrival") as HTMLElement;
    expect(said.textContent).toContain("Loading the song… 40 %");
    fake.fail(1, { message: "The file is gone.", hint: "Look for it." });
    expect(said.textContent).toContain("The file is gone. Look for it.");
    said.querySelector("button")?.click();
    expect(fake.asked).toEqual([["load", 1, "t"]]);
  });

  it("bring the strips of their stems", () => {
    open();
    fake.put(1, deckSong("a", { stems: ["vocals", "drums"], stemsReady: false }));
    const strip = el.querySelector("[data-deck='1'] .sfa-dk-stems") as HTMLElement;
    expect(strip.getAttribute("aria-busy")).toBe("true");
    named("Mute Vocals", strip).click();
    expect(fake.controls.isOn("deck.1.stem.vocals.mute")).toBe(true);
    fake.put(1, deckSong("b", { stems: [], stemsReady: false }));
    expect(strip.textContent).toContain("No stems");
    expect(strip.querySelector("button")).toBeNull();
  });

  it("are analysed on request where nobody has", async () => {
    open();
    fake.put(1, deckSong("new", { analysis: null }));
    const told = el.querySelector("[data-deck='1'] .sfa-dk-arrival") as HTMLElement;
    expect(told.hidden).toBe(false);
    told.querySelector<HTMLButtonElement>("button:not([hidden])")?.click();
    expect(bridge.calls.at(-1)).toMatchObject({ method: "tracks.run", params: { ids: ["new"], stages: ["analyze", "autocue"] } });
    bridge.push("tracks.rows", { rows: [trackRow("new", { status: "working", progress: 42 })] });
    expect(told.textContent).toContain("42 %");
    fake.put(1, deckSong("new"));
    expect(told.hidden).toBe(true);
  });

  it("are taken by the waveform of a deck as well, and by a playing deck only when asked twice", () => {
    open();
    const drop = new Event("drop", { bubbles: true, cancelable: true });
    Object.assign(drop, { dataTransfer: { types: ["application/x-sfa-tracks"], getData: () => '["t"]' } });
    el.querySelectorAll(".sfa-lane")[1]?.dispatchEvent(drop);
    expect(fake.asked).toEqual([["load", 2, "t"]]);
    fake.put(1, deckSong("a"), { playing: true });
    named("Take the song out").click();
    expect(fake.asked).toHaveLength(1);
    pressToast();
    expect(fake.asked.at(-1)).toEqual(["load", 1, ""]);
  });
});

describe("the view", () => {
  it("has two decks or four, with or without its mixer", () => {
    open();
    const shown = () => [...el.querySelectorAll<HTMLElement>(".sfa-dk-deck")].filter((deck) => !deck.hidden).length;
    expect(shown()).toBe(2);
    fake.controls.set("mixer.decks", "4", "kernel");
    expect(shown()).toBe(4);
    of("view.mixer").click();
    expect([...el.querySelectorAll<HTMLElement>(".sfa-dk-strips, .sfa-dk-crossfader")].every((part) => part.hidden)).toBe(true);
    fake.controls.set("mixer.decks", "2", "kernel");
    expect(shown()).toBe(2);
    view.load(4, "t");
    expect(shown()).toBe(4);
  });

  it("says where its decks play, and what this page cannot do", () => {
    open((decks) => { decks.holding = "elsewhere"; });
    const notice = el.querySelector(".sfa-dk-notices") as HTMLElement;
    expect(notice.textContent).toContain("another page");
    expect(el.querySelector(".sfa-dk-console")?.hasAttribute("inert")).toBe(true);
    notice.querySelector("button")?.click();
    expect(fake.asked).toEqual([["use"]]);
    fake.holding = "here";
    fake.limits = { message: "This page is not secure.", hint: "Open it over https." };
    fake.tell("sound", undefined);
    expect(notice.textContent).toBe("This page is not secure. Open it over https.");
    expect(el.querySelector(".sfa-dk-console")?.hasAttribute("inert")).toBe(false);
  });

  it("leaves nothing behind", () => {
    open((decks) => decks.put(1, deckSong("a")));
    end.abort();
    expect(el.children.length).toBe(0);
    fake.controls.set("deck.1.play", 1, "kernel");
    key("KeyD", { on: document.body });
    expect(fake.controls.get("deck.1.play")).toBe(1);
  });
});
