import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BridgeError } from "../bridge";
import { type FakeAudio, fakeAudio } from "../engine/fake";
import type { ExportOptions } from "../exporting/index";
import type { PlayerModel } from "../player/model";
import type { SeparateRequest } from "../player/stems";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { playerLoad, stemSet } from "../testing/song";
import type { AudioSource, PlayerLoad, StemName, StemSet } from "../types";
import { mountMixer } from "./view";

const KEY = Symbol.for("sfa.audio");

function stemsOf(set: StemSet): AudioSource[] {
  const names = set.start === null ? set.stems : ["mix", ...set.stems];
  return names.map((name) => ({
    id: `${set.id}-${name}`, role: name as StemName, label: name, url: `sfa/audio/${set.id}-${name}`, mime: "audio/flac",
    engine: set.badge, set: set.id,
  }));
}

describe("the sets of a mixer", () => {
  let audio: FakeAudio;
  let bridge: FakeBridge;
  let page: AbortController;
  let sets: StemSet[];
  let el: HTMLElement;
  let take: ReturnType<typeof vi.fn<(options: ExportOptions) => void>>;
  let separate: ReturnType<typeof vi.fn<(request: SeparateRequest) => void>>;

  const kernel: FakeHandlers = {
    "player.load": ({ id }): PlayerLoad => {
      const used = sets.find(({ in_use }) => in_use);
      const load = playerLoad(id);
      return { ...load, sources: [...load.sources, ...(used ? stemsOf(used) : [])], sets };
    },
    "stems.load": ({ set }) => {
      const found = sets.find(({ id }) => id === set);
      if (!found) throw new BridgeError("There is no such set of stems.", "It was removed.");
      return { set: found, sources: stemsOf(found), waveforms: {} };
    },
    "stems.choose": ({ set }) => ({ sets: (sets = sets.map((each) => ({ ...each, in_use: each.id === set }))) }),
    "stems.remove": ({ set }) => {
      removed = sets.find(({ id }) => id === set) ?? null;
      return { sets: (sets = sets.filter(({ id }) => id !== set)) };
    },
    "stems.restore": () => ({ sets: (sets = [...sets, removed as StemSet]) }),
  };
  let removed: StemSet | null = null;

  beforeEach(() => {
    audio = fakeAudio();
    audio.context.duration = 64;
    (globalThis as Record<symbol, unknown>)[KEY] = audio.engine;
    page = new AbortController();
    bridge = new FakeBridge(kernel);
    separate = vi.fn();
    take = vi.fn();
    sets = [
      stemSet("new", { engine: "demucs", badge: "Demucs · ft", draft: false, stems: ["vocals", "drums", "guitar"] }),
      stemSet("used", { in_use: true }),
      stemSet("part", { start: 20, end: 50, badge: "Demucs", draft: false }),
    ];
  });
  afterEach(() => {
    page.abort();
    delete (globalThis as Record<symbol, unknown>)[KEY];
    document.body.replaceChildren();
  });

  async function open(): Promise<PlayerModel> {
    el = document.createElement("div");
    el.className = "sfa";
    document.body.append(el);
    const model = mountMixer(el, bridge, { signal: page.signal, separate, take });
    await model.open("t");
    return model;
  }
  const find = (selector: string) => el.querySelector(selector) as HTMLElement;
  const button = (label: string) =>
    [...el.querySelectorAll<HTMLButtonElement>("button")].find((each) => (each.getAttribute("aria-label") ?? each.textContent) === label) as HTMLButtonElement;
  const rows = () => [...el.querySelectorAll(".sfa-stem-row")].map((row) => row.getAttribute("aria-label"));
  const press = (target: HTMLElement, key: string, change: KeyboardEventInit = {}) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...change }));
  const sounding = () => Object.keys(audio.context.playing()).sort();

  async function play(model: PlayerModel): Promise<void> {
    model.play();
    await vi.waitFor(() => expect(audio.engine.playing).toBe(true));
    await audio.engine.stemsReady;
    audio.context.currentTime += 1;
  }

  it("say which one is in use, always", async () => {
    await open();
    expect(find(".sfa-sets-button").textContent).toContain("Draft (no AI)");
    const listed = [...el.querySelectorAll(".sfa-sets li")].map((row) => row.textContent);
    expect(listed).toHaveLength(3);
    expect(listed[1]).toContain("In use");
    expect(listed[2]).toContain("0:20–0:50");
  });

  it("change under the playing sound", async () => {
    const model = await open();
    await play(model);
    button("Use Demucs · ft").click();
    await vi.waitFor(() => expect(rows()).toEqual(["Vocals", "Drums", "Guitar"]));
    await audio.engine.stemsReady;
    expect(audio.engine.playing).toBe(true);
    expect(sounding()).toEqual(["new-drums", "new-guitar", "new-vocals", "t-mix"]);
    expect(find(".sfa-sets-button").textContent).toContain("Demucs · ft");
  });

  it("are compared stem by stem, and all at once", async () => {
    const model = await open();
    await play(model);
    button("Compare with Demucs · ft").click();
    await vi.waitFor(() => expect(rows()).toEqual(["Vocals", "Drums", "Guitar"]));
    await audio.engine.stemsReady;
    const heard = () => audio.engine.mixer("t").sides ?? {};
    button("Vocals from set B").click();
    expect(heard()).toEqual({ vocals: "b" });
    expect(audio.engine.mixer("t").listen).toBe("stems");
    press(find("[aria-label='Drums'] .sfa-fader"), "x");
    expect(heard()).toEqual({ vocals: "b", drums: "b" });
    expect(find("[aria-label='Guitar'] .sfa-stem-absent").hidden).toBe(false);
    button("All B").click();
    expect(find("[aria-label='Guitar'] .sfa-stem-absent").hidden).toBe(true);
    expect(button("All B").getAttribute("aria-pressed")).toBe("true");
    // every source runs in step, from whichever set
    const starts = Object.values(audio.context.playing()).map(([time, offset]) => offset - time);
    for (const start of starts) expect(start).toBeCloseTo(starts[0] as number, 9);
    button("End the comparison").click();
    await vi.waitFor(() => expect(rows()).toEqual(["Vocals", "Drums"]));
    expect(audio.engine.mixer("t").sides).toBeUndefined();
    expect(sounding()).toEqual(["t-mix", "used-drums", "used-vocals"]);
  });

  it("of a part of the song play as that part, and lead back", async () => {
    const model = await open();
    await play(model);
    model.seek(10);
    audio.context.duration = 30;
    button("Open the preview by Demucs of 0:20–0:50").click();
    await vi.waitFor(() => expect(find(".sfa-sets-bar").textContent).toContain("Preview 0:20–0:50"));
    await vi.waitFor(() => expect([audio.engine.playing, model.here]).toEqual([true, true]));
    expect(model.position).toBeCloseTo(20, 1);
    expect(audio.context.playing()["part-mix"]?.[1]).toBeCloseTo(0, 3);
    model.seek(30);
    expect(audio.context.playing()["part-mix"]?.[1]).toBeCloseTo(10, 3);
    audio.context.duration = 64;
    button("Back to the song").click();
    await vi.waitFor(() => expect(model.region).toBeNull());
    await vi.waitFor(() => expect(audio.engine.playing).toBe(true));
    expect(audio.context.playing()["t-mix"]?.[1]).toBeCloseTo(30, 1);
  });

  it("are removed with a way back", async () => {
    await open();
    button("Remove Demucs · ft").click();
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-sets li")).toHaveLength(2));
    const undo = [...document.querySelectorAll<HTMLElement>(".sfa-toast button")].find(({ textContent }) => textContent === "Undo");
    undo?.click();
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-sets li")).toHaveLength(3));
  });

  it("that are gone are told, and what plays stays", async () => {
    const model = await open();
    sets = sets.filter(({ id }) => id !== "new");
    button("Compare with Demucs · ft").click();
    await vi.waitFor(() => expect(document.querySelector(".sfa-toast")?.textContent).toContain("There is no such set"));
    expect(model.other).toBeNull();
    expect(rows()).toEqual(["Vocals", "Drums"]);
  });

  it("say what is wrong with them, at the stem", async () => {
    const quality = { share: 0.5, level_db: -20, peak_db: -3, silent: false, leakage_db: -14, leakage_from: "drums" };
    sets = [stemSet("used", {
      in_use: true,
      report: { residual_db: -62, stems: { vocals: { ...quality, silent: true }, drums: quality }, warnings: ["The vocals are silent."] },
    })];
    await open();
    expect(find("[aria-label='Vocals'] .sfa-stem-warn").textContent).toContain("Silent");
    expect(el.querySelector("[aria-label='Drums'] .sfa-stem-warn")).toBeNull();
    const judge = find(".sfa-set-names .sfa-link");
    expect(judge.textContent).toContain("residual −62.0 dB");
    judge.click();
    const report = find(".sfa-report");
    expect(report.closest("[hidden]")?.className).toBe("sfa-sets"); // the list itself is folded
    expect(report.textContent).toContain("The vocals are silent.");
    expect(report.textContent).toContain("−14.0 dB from drums");
  });

  it("are asked for where something is marked, else around the playhead", async () => {
    const model = await open();
    model.seek(5);
    button("Preview another engine here…").click();
    model.seek(40);
    button("Preview another engine here…").click();
    model.setRange({ start: 8, end: 20 });
    button("Preview another engine on 0:08–0:20…").click();
    button("Separate again…").click();
    expect(separate.mock.calls.map(([{ region }]) => region)).toEqual([[0, 30], [25, 55], [8, 20], null]);
  });

  it("are taken away from where they are heard, but not a preview", async () => {
    const model = await open();
    button("Export…").click();
    await model.show("new");
    button("Export…").click();
    expect(take.mock.calls.map(([{ ids, set }]) => [ids, set?.id])).toEqual([[["t"], undefined], [["t"], "new"]]);
    await model.show("part");
    expect(button("Export…").hidden).toBe(true);
  });
});
