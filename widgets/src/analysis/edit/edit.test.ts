import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BridgeError } from "../../bridge";
import { fakeAudio } from "../../engine/fake";
import { PlayerModel } from "../../player/model";
import { FakeBridge, type FakeHandlers } from "../../testing/fake";
import { correctingKernel } from "../../testing/song";
import { AnalysisData } from "../data";
import { mountEdit } from "./edit";
import { merged, moved, type Part, renamed, split } from "./form";
import { KEYS } from "./keys";
import { Taps } from "./tap";

const PARTS: Part[] = [
  { start: 0, end: 16, label: "intro" }, { start: 16, end: 32, label: "drop" }, { start: 32, end: 64, label: "outro" },
];
const ends = (parts: Part[]) => parts.map(({ start, end, label }) => `${label} ${start}-${end}`).join(", ");

describe("sections", () => {
  it("get a name, a boundary more, or one less, and never a gap", () => {
    expect(ends(renamed(PARTS, 20, "chorus"))).toBe("intro 0-16, chorus 16-32, outro 32-64");
    expect(ends(split(PARTS, 24))).toBe("intro 0-16, drop 16-24, drop 24-32, outro 32-64");
    expect(ends(merged(PARTS, 3))).toBe("intro 0-32, outro 32-64");
    expect(ends(moved(PARTS, 14))).toBe("intro 0-14, drop 14-32, outro 32-64");
    expect(ends(moved(PARTS, 40))).toBe("intro 0-16, drop 16-40, outro 40-64");
  });

  it.each([
    ["on a boundary", () => split(PARTS, 16.2), "boundary is here already"],
    ["after the last one", () => merged(PARTS, 64), "last section"],
    ["that leaves nothing of a section", () => moved(PARTS, 63.8), "Hardly anything"],
    ["of one section", () => moved([{ start: 0, end: 64, label: "verse" }], 20), "no boundary to move"],
  ])("stay as they are where a change makes no sense: %s", (_, change, words) => {
    expect(change).toThrow(words);
  });
});

it("keys go round the wheel by fifths, each minor beside its relative major", () => {
  expect(KEYS.slice(14, 20).map(({ camelot, name }) => `${camelot} ${name}`)).toEqual([
    "8A A minor", "8B C major", "9A E minor", "9B G major", "10A B minor", "10B D major",
  ]);
  expect(new Set(KEYS.map(({ name }) => name)).size).toBe(24);
});

it("a tempo is tapped from four taps on, and one late tap counts little", () => {
  const taps = new Taps();
  expect([0, 500, 1000].map((time) => taps.add(time))).toEqual([null, null, null]);
  expect(taps.add(1500)).toBeCloseTo(120, 6);
  for (const time of [2000, 2560, 3000, 3500, 4000]) taps.add(time);
  expect(taps.tempo).toBeCloseTo(120, 0);
  expect(taps.add(9000)).toBeNull();
});

describe("the tools", () => {
  let end: AbortController;
  let el: HTMLElement;
  let bridge: FakeBridge;
  let model: PlayerModel;
  let data: AnalysisData;

  beforeEach(() => {
    end = new AbortController();
    el = document.createElement("div");
    document.body.append(el);
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  async function open(handlers: FakeHandlers = {}): Promise<void> {
    bridge = new FakeBridge({ ...(correctingKernel("t") as unknown as FakeHandlers), ...handlers });
    model = new PlayerModel(bridge, end.signal, fakeAudio().engine);
    data = new AnalysisData(bridge, end.signal);
    mountEdit(el, { bridge, model, data, signal: end.signal });
    await model.open("t");
    await data.load("t");
  }
  const button = (label: string): HTMLButtonElement => {
    const named = (each: HTMLElement) => (each.getAttribute("aria-label") ?? each.textContent ?? "").startsWith(label);
    const found = [...el.querySelectorAll<HTMLButtonElement>("button")].find(named);
    if (!found) throw new Error(`There is no button ${label}.`);
    return found;
  };
  const corrections = () => bridge.params("analysis.correct").map(({ kind, value }) => ({ kind, value }));
  const note = () => el.querySelector(".sfa-ed-note")?.textContent;
  const press = (target: Element, key: string, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    target.dispatchEvent(event);
    return event;
  };

  it("choose a key, mark it with what was found, and take it back", async () => {
    await open();
    button("Key").click();
    button("E minor").click();
    await vi.waitFor(() => expect(note()).toContain("Corrected by hand"));
    expect(corrections()).toEqual([{ kind: "key", value: { key: "E minor" } }]);
    expect(note()).toContain("The analysis had found A minor (8A).");
    expect(button("E minor").getAttribute("aria-checked")).toBe("true");
    expect(el.querySelector<HTMLElement>("[data-tab=key] .sfa-ed-dot")?.hidden).toBe(false);
    expect(model.analysis?.key).toBe("E minor");
    expect(press(button("E minor"), "z", { ctrlKey: true }).defaultPrevented).toBe(true);
    await vi.waitFor(() => expect(model.analysis?.key).toBe("A minor"));
    expect(note()).toContain("Taken back");
    expect(button("Undo").disabled).toBe(true);
  });

  it("keep the keyboard when there is nothing more to take back", async () => {
    await open();
    button("Key").click();
    button("E minor").click();
    await vi.waitFor(() => expect(button("Undo").disabled).toBe(false));
    button("Undo").focus();
    button("Undo").click();
    await vi.waitFor(() => expect(button("Undo").disabled).toBe(true));
    expect(document.activeElement).toBe(button("Key"));
  });

  it("walk the wheel by arrows without choosing", async () => {
    await open();
    button("Key").click();
    const now = button("A minor");
    now.focus();
    press(now, "ArrowRight");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("E minor, 9A");
    press(document.activeElement as Element, "ArrowDown");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("G major, 9B");
    expect(corrections()).toEqual([]);
  });

  it("shift the grid at once, and send many presses as one shift", async () => {
    await open();
    vi.useFakeTimers();
    button("All beats 10 ms later").click();
    button("All beats 10 ms later").click();
    button("All beats 1 ms earlier").click();
    expect(model.picture?.beats[2]).toBeCloseTo(1.019, 9);
    expect(el.querySelector("output")?.textContent).toBe("+19 ms");
    expect(corrections()).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    vi.useRealTimers();
    expect(corrections()).toEqual([{ kind: "grid", value: { shift: 0.019 } }]);
    expect(data.analysis?.beats[2]).toBeCloseTo(1.019, 9);
    expect(model.picture?.beats[2]).toBeCloseTo(1.019, 9);
    expect(note()).toContain("The analysis had found 120 BPM in 4/4, the first bar at 0.000 s.");
  });

  it("put the bar, the metre and the tempo where the playhead is", async () => {
    await open();
    model.seek(9.1);
    button("Beat 1 is here").click();
    button("3 beats in a bar").click();
    button("Half the tempo").click();
    const tempo = el.querySelector<HTMLInputElement>("input[type=number]") as HTMLInputElement;
    tempo.value = "127.5";
    tempo.dispatchEvent(new Event("change"));
    await vi.waitFor(() => expect(corrections()).toEqual([
      { kind: "grid", value: { downbeat: 9.1 } }, { kind: "grid", value: { beats_per_bar: 3 } },
      { kind: "grid", value: { scale: 0.5 } }, { kind: "grid", value: { tempo: 127.5, first_beat: 10 } },
    ]));
    await vi.waitFor(() => expect(tempo.value).toBe("127.50"));
  });

  it("refuse a tempo that is none, in a sentence", async () => {
    await open();
    const tempo = el.querySelector<HTMLInputElement>("input[type=number]") as HTMLInputElement;
    tempo.value = "1000";
    tempo.dispatchEvent(new Event("change"));
    expect(note()).toBe("A tempo is a number from 20 to 400 BPM.");
    expect(tempo.value).toBe("120.00");
    expect(corrections()).toEqual([]);
  });

  it("change sections on the nearest bar, or beside it with Alt", async () => {
    await open();
    button("Sections").click();
    model.seek(21.3);
    button("Split here").dispatchEvent(new MouseEvent("click", { altKey: true }));
    await vi.waitFor(() => expect(data.analysis?.sections).toHaveLength(5));
    expect(data.analysis?.sections[1]?.end).toBe(21.3);
    model.seek(33.2);
    button("Move the boundary").click();
    await vi.waitFor(() => expect(note()).toContain("4 sections"));
    expect(data.analysis?.sections.map(({ start }) => start)).toEqual([0, 16, 21.3, 32, 48]);
  });

  it("say what the kernel refuses, and show what holds", async () => {
    await open({ "analysis.correct": () => Promise.reject(new BridgeError("A tempo of 240 BPM is out of range.", "Use 20 to 200.")) });
    vi.useFakeTimers();
    button("All beats 10 ms later").click();
    await vi.advanceTimersByTimeAsync(500);
    vi.useRealTimers();
    expect(note()).toBe("A tempo of 240 BPM is out of range. Use 20 to 200.");
    expect(el.querySelector(".sfa-ed-note")?.getAttribute("role")).toBe("alert");
    expect(model.picture?.beats[2]).toBe(1);
  });

  it("add, rename and remove cues, and take each back", async () => {
    await open();
    button("Cues").click();
    model.seek(30);
    (el.querySelector("[aria-label='Label of the new cue']") as HTMLInputElement).value = "Hands up";
    button("Add at the playhead").click();
    await vi.waitFor(() => expect(model.picture?.cues.map(({ label }) => label)).toEqual(["Drop", "Hands up"]));
    const first = el.querySelector("[aria-label='Label of cue 1']") as HTMLInputElement;
    first.value = "The drop";
    first.dispatchEvent(new Event("change"));
    await vi.waitFor(() => expect(data.cues[0]?.label).toBe("The drop"));
    button("Remove Hands up").click();
    await vi.waitFor(() => expect(data.cues).toHaveLength(1));
    for (const labels of [["The drop", "Hands up"], ["Drop", "Hands up"], ["Drop"]]) {
      button("Undo").click();
      await vi.waitFor(() => expect(data.cues.map(({ label }) => label)).toEqual(labels));
    }
  });

  it("wait where nothing was analysed", async () => {
    await open();
    data.take({ ...(await bridge.request("analysis.load", { id: "t" })).result, analysis: null, automatic: null }, []);
    expect(el.querySelector<HTMLElement>("[role=tabpanel]:not([hidden])")?.inert).toBe(true);
  });
});
