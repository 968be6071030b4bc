import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DeckSystem } from "../decks/engine/system";
import { FakeDecks } from "../testing/decks";
import { FakeBridge } from "../testing/fake";
import { planOf } from "../testing/session";
import type { PresetRow, ScriptDocument, ScriptRow } from "../types";
import { Layer } from "../ui/layer";
import { mountSession } from "./index";
import { secondsOf, timeText } from "./parts";
import { edited, eventOf, rowOf, wrong } from "./scripts/draft";

const DOCUMENT: ScriptDocument = {
  version: 1, sample_rate: 48_000, duration: 4, controls: {}, positions: {},
  events: [{ time: 0, control: "deck.1.play", value: 1 }, { time: 1.5, control: "mixer.crossfader", value: 0.5, over: 2 }],
};
let end: AbortController;
let el: HTMLElement;
let fake: FakeDecks;
let bridge: FakeBridge;
let presets: PresetRow[];
let script: ScriptRow;

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {} }));
  Element.prototype.scrollIntoView ??= () => undefined;
  end = new AbortController();
  el = document.createElement("div");
  document.body.append(el);
  fake = new FakeDecks();
  Object.assign(fake, { expect() {} });
  presets = [];
  script = { id: "s1", name: "First", duration: 4, events: 2, created_at: "2026-01-01T00:00:00Z", changed_at: "2026-01-01T00:00:00Z" };
  let order = ["one", "two", "three"];
  bridge = new FakeBridge({
    "playlists.list": () => ({ playlists: [{ id: "p", name: "Night", here: 3 } as never] }),
    "automix.plan": ({ ids }) => ({ plan: planOf((order = ids ?? order)) }),
    "automix.songs": ({ ids }) => ({ plan: planOf((order = ids)) }),
    "automix.change": () => ({ plan: planOf(order) }),
    "scripts.list": () => ({ scripts: [script] }),
    "scripts.get": () => ({ script, document: DOCUMENT }),
    "scripts.save": ({ name }) => ({ script: (script = { ...script, name }) }),
    "scripts.remove": () => ({}),
    "scripts.restore": () => ({}),
    "presets.list": () => ({ presets }),
    "presets.save": (preset) => ({ presets: (presets = [...presets.filter(({ name }) => name !== preset.name), preset]) }),
    "presets.remove": ({ name }) => ({ presets: (presets = presets.filter((preset) => preset.name !== name)) }),
  });
});
afterEach(() => {
  end.abort();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

async function open(tab: "automix" | "scripts" | "presets"): Promise<void> {
  const session = { bridge, system: fake.system as DeckSystem, layer: new Layer(end.signal), signal: end.signal };
  mountSession(el, session, () => undefined).show(tab);
  await settle();
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const all = (selector: string, within: ParentNode = el) => [...within.querySelectorAll<HTMLElement>(selector)];
const one = (selector: string, within: ParentNode = el) => all(selector, within)[0] as HTMLElement;
const press = async (label: string, within: ParentNode = el) => {
  (all("button", within).find((button) => button.textContent === label && !button.closest("[hidden]")) as HTMLElement).click();
  await settle();
};
const undo = () => press("Undo", document.body.lastElementChild as HTMLElement);
const type = (field: HTMLElement, value: string, event = "change") => {
  (field as HTMLInputElement).value = value;
  field.dispatchEvent(new Event(event, { bubbles: true }));
  return settle();
};
const key = async (target: HTMLElement, init: KeyboardEventInit) => {
  target.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init }));
  await settle();
};

describe("auto-mix", () => {
  const titles = () => all(".sfa-ss-song .sfa-ss-title").map((title) => title.firstChild?.textContent);
  const plan = async () => {
    await open("automix");
    await type(one("select[aria-label='Plan a playlist']"), "p");
  };

  it("plans a playlist, and shows each transition with its reason", async () => {
    await plan();
    expect(bridge.params("automix.plan")).toEqual([{ playlist: "p" }]);
    expect(titles()).toEqual(["one", "two", "three"]);
    expect(all(".sfa-ss-transition")).toHaveLength(2);
    expect(one(".sfa-ss-reason").textContent).toBe("8A and 8A fit");
    expect((one("[data-key=out_at0]") as HTMLInputElement).value).toBe("0:24.0");
  });

  it("changes a transition, and tells what is no time in its field", async () => {
    await plan();
    await type(one("[data-key=k1]"), "echo out");
    await type(one("[data-key=out_at0]"), "0:20.5");
    expect(bridge.params("automix.change").map(({ transition, change }) => [transition, change])).toEqual([[1, { kind: "echo out" }], [0, { out_at: 20.5 }]]);
    await type(one("[data-key=in_at0]"), "soon");
    expect(one("[data-key=in_at0]").getAttribute("aria-invalid")).toBe("true");
    expect(bridge.params("automix.change")).toHaveLength(2);
  });

  it("is put in order with keys; what is taken out comes back", async () => {
    await plan();
    await key(one("[data-song='0']"), { key: "ArrowDown", altKey: true });
    expect(titles()).toEqual(["two", "one", "three"]);
    expect((document.activeElement as HTMLElement).dataset.song).toBe("1");
    await key(one("[data-song='2']"), { key: "Delete" });
    expect(titles()).toEqual(["two", "one"]);
    await undo();
    expect(titles()).toEqual(["two", "one", "three"]);
  });

  it("takes songs that are dropped", async () => {
    await plan();
    const transfer = { types: ["application/x-sfa-tracks"], getData: () => '["four"]' };
    const drop = Object.assign(new Event("drop", { bubbles: true, cancelable: true }), { dataTransfer: transfer });
    one("[role=tabpanel]").dispatchEvent(drop);
    await settle();
    expect(titles()).toEqual(["one", "two", "three", "four"]);
  });
});

describe("scripts", () => {
  const cell = (row: number, column: string) => one(`[data-row='${row}'] [data-column='${column}']`) as HTMLInputElement;

  it("are deleted, and come back", async () => {
    await open("scripts");
    await press("Delete");
    expect(bridge.params("scripts.remove")).toEqual([{ id: "s1" }]);
    await undo();
    expect(bridge.params("scripts.restore")).toEqual([{ id: "s1" }]);
  });

  it("are edited as a table, and saved in order of time", async () => {
    await open("scripts");
    await press("Edit");
    expect([cell(1, "time").value, cell(1, "control").value, cell(1, "over").value]).toEqual(["0:01.5", "mixer.crossfader", "2"]);
    await type(cell(0, "time"), "3", "input");
    cell(1, "value").focus();
    await key(cell(1, "value"), { key: "d", ctrlKey: true });
    await type(cell(2, "time"), "5", "input");
    await press("Save");
    const saved = bridge.params("scripts.save")[0]?.document as ScriptDocument;
    expect(saved.events.map(({ time, control }) => [time, control])).toEqual([[1.5, "mixer.crossfader"], [3, "deck.1.play"], [5, "mixer.crossfader"]]);
    expect(saved.duration).toBe(7);
  });

  it("are not saved with what no control takes: its cell says so", async () => {
    await open("scripts");
    await press("Edit");
    await type(cell(1, "value"), "7", "input");
    expect(cell(1, "value").getAttribute("aria-invalid")).toBe("true");
    expect(cell(1, "value").title).toBe("From −1 to 1.");
    await press("Save");
    expect(bridge.params("scripts.save")).toEqual([]);
    expect(document.activeElement).toBe(cell(1, "value"));
  });

  it("rows are told apart from what is none", () => {
    const row = rowOf({ time: 1.5, control: "deck.2.fx.1.kind", value: "echo", deck: 1 });
    expect(eventOf(row)).toEqual({ time: 1.5, control: "deck.2.fx.1.kind", value: "echo", deck: 1 });
    expect(wrong({ ...row, value: "fuzz" }, "value")).toContain("One of echo");
    expect(wrong({ ...row, over: "2" }, "over")).toBe("This control changes at once.");
    expect(wrong({ ...row, control: "deck.9.play" }, "control")).toBe("There is no control deck.9.play.");
    expect(wrong({ ...row, control: "deck.1.vu" }, "control")).toBe("A meter can only be read.");
    expect(eventOf({ time: "0", deck: "", control: "deck.1.play", value: "on", over: "" })).toMatchObject({ value: 1 });
    // What waits for a place in a song stays behind what it followed.
    const waits = { time: 90, control: "deck.2.play", value: 1, deck: 1 };
    const events = [{ time: 2, control: "deck.1.play", value: 1 }, waits, { time: 1, control: "deck.1.sync", value: 1 }];
    expect(edited(DOCUMENT, events).events).toEqual([events[2], events[0], waits]);
  });

  it("times are written as they are read", () => {
    for (const seconds of [0, 1.5, 59.999, 60, 3723.25]) expect(secondsOf(timeText(seconds))).toBeCloseTo(seconds, 6);
    expect([secondsOf("1:02:03.5"), secondsOf("2,5"), secondsOf("1:75"), secondsOf(""), secondsOf("-1")]).toEqual([3723.5, 2.5, null, null, null]);
  });
});

describe("presets", () => {
  it("keep what is set under a name, and set it again; both can be undone", async () => {
    fake.controls.set("deck.1.eq.low", -12, "test");
    await open("presets");
    const form = one(".sfa-ss-keep");
    (one("input", form) as HTMLInputElement).value = "No bass";
    form.dispatchEvent(new Event("submit", { cancelable: true }));
    await settle();
    expect(presets[0]).toMatchObject({ kind: "eq", name: "No bass" });
    expect(presets[0]?.value).toMatchObject({ "deck.1.eq.low": -12, "deck.2.eq.low": 0 });
    expect(Object.keys(presets[0]?.value ?? {}).some((id) => id.includes("fx"))).toBe(false);
    fake.controls.set("deck.1.eq.low", 3, "test");
    await press("Set");
    expect(fake.controls.get("deck.1.eq.low")).toBe(-12);
    await undo();
    expect(fake.controls.get("deck.1.eq.low")).toBe(3);
  });

  it("are deleted, and come back as they were", async () => {
    presets = [{ kind: "layout", name: "Wide", value: { "view.mixer": 0 } }];
    await open("presets");
    await press("Delete");
    expect(presets).toEqual([]);
    await undo();
    expect(presets).toEqual([{ kind: "layout", name: "Wide", value: { "view.mixer": 0 } }]);
  });
});
