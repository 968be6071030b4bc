import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Clock } from "../../clock/clock";
import { h } from "../../dom";
import { deckSong, FakeDecks } from "../../testing/decks";
import { DeckKey, DeckOverview, JogWheel, type Scene, WaveStack } from "./index";

let ending: AbortController;
let decks: FakeDecks;
let scene: Scene;
let changes: [string, number | string][];
let due: ((now: number) => void)[];

beforeEach(() => {
  ending = new AbortController();
  due = [];
  decks = new FakeDecks();
  const clock = new Clock({ request: (callback) => due.push(callback), cancel: () => { due = []; } });
  scene = { decks, controls: decks.controls, clock, signal: ending.signal };
  decks.put(1, deckSong("a", { key: { tonic: 9, minor: true } }));
  decks.put(2, deckSong("b", { key: { tonic: 4, minor: true } }));
  changes = [];
  scene.controls.on("", (id, value) => changes.push([id, value]), ending.signal);
});

afterEach(() => ending.abort());

function frame(): void {
  const now = due;
  due = [];
  for (const callback of now) callback(0);
}

function host(size: { width: number; height: number }): HTMLElement {
  const element = h("div");
  element.getBoundingClientRect = () => new DOMRect(0, 0, size.width, size.height);
  for (const [name, value] of [["clientWidth", size.width], ["clientHeight", size.height]] as const) {
    Object.defineProperty(element, name, { value });
  }
  element.setPointerCapture = () => {};
  return element;
}

function pointer(element: HTMLElement, type: string, x: number, y = 10): void {
  element.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: x, clientY: y, button: 0, bubbles: true }));
}

describe("a hand on a waveform", () => {
  function lane(): HTMLElement {
    const stack = h("div");
    new WaveStack(stack, scene);
    const element = stack.querySelector<HTMLElement>(".sfa-lane")!;
    element.setPointerCapture = () => {};
    return element;
  }

  it("holds the record, moves it by what the hand moves, and lets it go", () => {
    const element = lane();
    scene.controls.set("deck.1.pitch", 10, "test");
    changes = [];
    pointer(element, "pointerdown", 500);
    pointer(element, "pointermove", 400);
    pointer(element, "pointerup", 400);
    // 100 px to the left at 90 px a second, each worth 1.1 s of a song that plays 10 % faster.
    expect(changes).toEqual([["deck.1.jog.touch", 1], ["deck.1.jog.turn", expect.closeTo((100 / 90) * 1.1 / 1.8, 6)], ["deck.1.jog.touch", 0]]);
  });

  it("lets go when the view goes away", () => {
    pointer(lane(), "pointerdown", 500);
    ending.abort();
    expect(scene.controls.get("deck.1.jog.touch")).toBe(0);
  });

  it("does nothing to an empty deck", () => {
    const stack = h("div");
    new WaveStack(stack, scene);
    pointer(stack.querySelectorAll<HTMLElement>(".sfa-lane")[2]!, "pointerdown", 500);
    expect(changes).toEqual([]);
  });

  it("zooms all decks with the wheel", () => {
    lane().dispatchEvent(new WheelEvent("wheel", { deltaY: -200, cancelable: true }));
    expect(Number(scene.controls.get("view.zoom"))).toBeGreaterThan(100);
  });

  it("shows as many decks as there are", () => {
    const stack = h("div");
    new WaveStack(stack, scene);
    const shown = () => stack.querySelectorAll(".sfa-lane:not([hidden])").length;
    expect(shown()).toBe(2);
    scene.controls.set("mixer.decks", "4", "test");
    expect(shown()).toBe(4);
  });
});

describe("a hand on a jog wheel", () => {
  it("scratches on the record and pushes on its rim", () => {
    const element = host({ width: 200, height: 200 });
    new JogWheel(element, scene, 1);
    // From the right edge of the record a quarter of a turn, clockwise.
    pointer(element, "pointerdown", 150, 100);
    pointer(element, "pointermove", 100, 150);
    pointer(element, "pointerup", 100, 150);
    expect(changes).toEqual([["deck.1.jog.touch", 1], ["deck.1.jog.turn", 0.25], ["deck.1.jog.touch", 0]]);
    changes = [];
    pointer(element, "pointerdown", 190, 100);
    pointer(element, "pointermove", 100, 10);
    pointer(element, "pointerup", 100, 10);
    expect(changes).toEqual([["deck.1.jog.turn", -0.25]]);
  });
});

describe("an overview", () => {
  it("sends the deck where it is pressed", () => {
    const element = host({ width: 400, height: 48 });
    new DeckOverview(element, scene, 1);
    pointer(element, "pointerdown", 100);
    pointer(element, "pointerup", 100);
    expect(changes).toEqual([["deck.1.seek", 60]]);
  });
});

describe("a deck's key", () => {
  it("says how it goes with the deck that leads, as both sound now", () => {
    const element = h("div");
    new DeckKey(element, scene, 2);
    decks.move(1, { playing: true, leader: true });
    const says = () => {
      frame();
      return element.firstElementChild?.getAttribute("aria-label");
    };
    scene.clock.wake();
    expect(says()).toBe("9A, E minor: next to the key of deck A");
    scene.controls.set("deck.2.key_shift", 5, "test");
    scene.clock.wake();
    expect(says()).toBe("8A, A minor: the same key as deck A");
  });
});
