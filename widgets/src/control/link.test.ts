import { beforeEach, describe, expect, it } from "vitest";
import type { ControlValue } from "../types";
import { FakeKernel, randomNumbers } from "./kernel";
import { KernelLink } from "./link";
import { ControlStore } from "./store";
import { type Control, CONTROLS, holdsState } from "./table";

let kernel: FakeKernel;
let store: ControlStore;
let link: KernelLink;
let end: AbortController;

function makeLink(page = "page", theirs = store): KernelLink {
  return new KernelLink({ store: theirs, page, stands: () => [], changed: () => {}, host: kernel }, end.signal);
}

beforeEach(() => {
  kernel = new FakeKernel();
  store = new ControlStore();
  end = new AbortController();
  link = makeLink();
});

async function join(): Promise<void> {
  link.join(kernel.bridge);
  await kernel.settle();
}

describe("a page and its kernel", () => {
  it("takes over what Python has set before there was a page", async () => {
    kernel.set("deck.1.track", "song");
    kernel.set("mixer.crossfader", 0.5);
    await join();
    expect(link.state).toBe("held");
    expect(store.get("deck.1.track")).toBe("song");
    expect(store.get("mixer.crossfader")).toBe(0.5);
  });

  it("tells a change to the other side and not back", async () => {
    await join();
    const heard: string[] = [];
    store.on("", (id, value, source) => heard.push(`${id} ${value} ${source}`), end.signal);
    store.set("deck.1.volume", 0.25, "pointer");
    kernel.set("deck.2.volume", 0.75);
    await kernel.settle();
    expect(kernel.values.get("deck.1.volume")).toBe(0.25);
    expect(heard).toEqual(["deck.1.volume 0.25 pointer", "deck.2.volume 0.75 kernel"]);
    expect(kernel.messages.flatMap(({ changes }) => changes)).toEqual([["deck.1.volume", 0.25]]);
  });

  it("sends the last place of a moved fader, and every press of a button", async () => {
    await join();
    kernel.delay = () => 30;
    for (let i = 1; i <= 100; i += 1) store.set("deck.1.volume", i / 200, "pointer");
    store.press("deck.1.hotcue.3.press", "keys");
    store.set("deck.1.beatjump", 4, "keys");
    store.set("deck.1.beatjump", 4, "keys");
    store.set("deck.1.jog.turn", 0.25, "pointer");
    store.set("deck.1.jog.turn", 0.5, "pointer");
    await kernel.settle();
    expect(kernel.messages.flatMap(({ changes }) => changes)).toEqual([
      ["deck.1.volume", 0.5],
      ["deck.1.hotcue.3.press", 1], ["deck.1.hotcue.3.press", 0],
      ["deck.1.beatjump", 4], ["deck.1.beatjump", 4],
      ["deck.1.jog.turn", 0.75],
    ]);
  });

  it("does nothing twice when an answer gets lost", async () => {
    await join();
    let lost = 0;
    kernel.loses = () => (lost += 1) < 4;
    store.set("deck.1.beatjump", 8, "keys");
    store.set("deck.1.volume", 0.5, "keys");
    await kernel.settle();
    expect(kernel.told).toEqual([["deck.1.beatjump", 8]]);
    expect(kernel.values.get("deck.1.volume")).toBe(0.5);
    expect(link.settled).toBe(true);
  });

  it("keeps what happens while no view of the kernel is there", async () => {
    await join();
    link.drop();
    store.set("deck.1.volume", 0.1, "pointer");
    kernel.set("deck.2.volume", 0.2);
    await kernel.settle();
    await join();
    expect(kernel.values.get("deck.1.volume")).toBe(0.1);
    expect(store.get("deck.2.volume")).toBe(0.2);
  });

  it("gives its values to a kernel that knows none", async () => {
    store.set("deck.1.track", "song", "pointer");
    link.join(kernel.bridge, { values: store.settings });
    await kernel.settle();
    expect(kernel.values.get("deck.1.track")).toBe("song");
    expect(store.get("deck.1.track")).toBe("song");
  });

  it("plays in one page at a time, and another one may take over", async () => {
    await join();
    store.set("deck.1.volume", 0.3, "pointer");
    await kernel.settle();
    const second = new ControlStore();
    const other = makeLink("second", second);
    other.join(kernel.bridge);
    await kernel.settle();
    expect(other.state).toBe("elsewhere");
    other.take();
    await kernel.settle();
    expect(other.state).toBe("held");
    expect(second.get("deck.1.volume")).toBe(0.3);
    expect(link.state).toBe("elsewhere");
    store.set("deck.1.volume", 0.9, "pointer");
    await kernel.settle();
    expect(kernel.values.get("deck.1.volume")).toBe(0.3);
  });

  it("joins anew when a message of the kernel was lost", async () => {
    await join();
    kernel.deaf = true;
    kernel.set("deck.1.volume", 0.4);
    kernel.deaf = false;
    kernel.set("deck.2.volume", 0.5);
    await kernel.settle();
    expect(link.state).toBe("held");
    expect(store.get("deck.1.volume")).toBe(0.4);
  });

  it("is equal to its kernel after 10,000 random changes on both sides", async () => {
    const random = randomNumbers(7);
    kernel.delay = () => random(60);
    kernel.loses = () => random(20) === 0;
    await join();
    // Few controls, so that both sides often mean the same one.
    const wanted = /^(deck\.[12]\.(play|pitch|assign|track|cue|beatjump|jog\.turn|eq\.low)|mixer\.)/;
    const controls = CONTROLS.filter(({ id, kind }) => wanted.test(id) && kind !== "meter");
    const states = controls.filter(holdsState);
    let triggers = 0;
    for (let i = 1; i <= 10_000; i += 1) {
      const control = controls[random(controls.length)] as Control;
      if (random(2) === 0) kernel.set(control.id, someValue(control, random));
      else {
        if (control.kind === "trigger") triggers += 1;
        store.set(control.id, someValue(control, random), "pointer");
      }
      if (random(3) === 0) await kernel.steps(random(6));
      if (random(500) === 0) link.join(kernel.bridge);
      if (i % 20 > 0) continue;
      await kernel.settle();
      expect(link.settled).toBe(true);
      const theirs = states.map(({ id, default: usual }) => [id, kernel.values.get(id) ?? usual]);
      expect(states.map(({ id }) => [id, store.get(id)])).toEqual(theirs);
    }
    expect(kernel.told.filter(([id]) => id.endsWith("beatjump") || id.endsWith(".next"))).toHaveLength(triggers);
  });
});

function someValue(control: Control, random: (below: number) => number): ControlValue {
  if (control.kind === "text") return ["", "one", "two"][random(3)] as string;
  if (control.kind === "enum") return control.values[random(control.values.length)] as string;
  return random(21) / 10 - 1;
}
