import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeAudio, fakeAudio } from "../engine/fake";
import { FakeModel } from "../testing/fake";
import { playerLoad, stemSet } from "../testing/song";
import type { PlayerLoad, StemName } from "../types";
import widget from ".";
import { mixOf, settingsOf } from "./traits";

const KEY = Symbol.for("sfa.audio");
const NEUTRAL = { fader: 0, muted: false, solo: false, pan: 0 };

describe("a mix as Python speaks of it", () => {
  it("is in dB and comes back the same", () => {
    const mix = {
      vocals: { fader: -6, muted: true, solo: false, pan: -0.5 },
      drums: { fader: 6, muted: false, solo: true, pan: 1 },
      bass: { fader: -90, muted: false, solo: false, pan: 0 },
    };
    expect(mixOf({ listen: "stems", stems: settingsOf(mix) }, ["vocals", "drums", "bass", "other"])).toEqual({ ...mix, other: NEUTRAL });
  });

  it("leaves out what is as it was made, and knows its ends", () => {
    const stems = settingsOf({ vocals: {}, drums: { fader: 40, pan: -3 }, bass: { fader: -400 } });
    expect(mixOf({ listen: "stems", stems }, ["vocals", "drums", "bass"])).toEqual({
      vocals: NEUTRAL, drums: { ...NEUTRAL, fader: 6, pan: -1 }, bass: { ...NEUTRAL, fader: -90 },
    });
  });
});

describe("the mixer's traits", () => {
  let audio: FakeAudio;
  let model: FakeModel;
  let leave: () => void;

  const sets = [stemSet("other"), stemSet("used", { in_use: true })];
  const sources = (set: string) => (["vocals", "drums"] as StemName[]).map((role) => ({
    id: `${set}-${role}`, role, label: role, url: `sfa/audio/${set}-${role}`, mime: "audio/flac", set,
  }));
  const load = (): PlayerLoad => {
    const song = playerLoad("t");
    return { ...song, sources: [...song.sources, ...sources("used")], sets };
  };

  beforeEach(() => {
    audio = fakeAudio();
    (globalThis as Record<symbol, unknown>)[KEY] = audio.engine;
  });
  afterEach(() => {
    leave();
    delete (globalThis as Record<symbol, unknown>)[KEY];
    document.body.replaceChildren();
  });

  /** Shows the widget, and answers it as the kernel would. */
  async function show(traits: Record<string, unknown> = {}): Promise<void> {
    model = new FakeModel({ track_id: "t", set_id: "", compare_id: "", mix: {}, listen: "song", selection: [], position: 0, playing: false, ...traits });
    const el = document.createElement("div");
    document.body.append(el);
    model.send = (content: unknown) => {
      const { id, method, params } = content as { id: string; method: string; params: { set: string } };
      const found = sets.find((set) => set.id === params?.set);
      const result = method === "player.load" ? load() : found && { set: found, sources: sources(found.id), waveforms: {} };
      queueMicrotask(() => model.receive(result ? { id, result } : { id, error: { message: "There is no such set of stems." } }));
    };
    leave = widget.render({ model: model as never, el });
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-stem-row").length).toBeGreaterThan(0));
  }

  it("tell Python what the stems are set to", async () => {
    await show();
    expect(model.get("mix")).toEqual({ vocals: NEUTRAL, drums: NEUTRAL });
    audio.engine.setStem("t", "vocals", { muted: true });
    await vi.waitFor(() => expect(model.get("mix")).toEqual({ vocals: { ...NEUTRAL, muted: true }, drums: NEUTRAL }));
    expect(model.get("listen")).toBe("stems");
  });

  it("set the stems from Python, and let them be heard", async () => {
    await show();
    model.set("mix", { drums: { fader: -12 } });
    expect(mixOf(audio.engine.mixer("t"), ["drums"])).toEqual({ drums: { ...NEUTRAL, fader: -12 } });
    await vi.waitFor(() => expect(model.get("listen")).toBe("stems"));
    model.set("listen", "song");
    expect(audio.engine.mixer("t").listen).toBe("song");
  });

  it("take what Python set before there was a page", async () => {
    await show({ mix: { vocals: { solo: true } }, compare_id: "other" });
    expect(audio.engine.mixer("t").stems.vocals?.solo).toBe(true);
    await vi.waitFor(() => expect(document.querySelector<HTMLElement>(".sfa-compare")?.hidden).toBe(false));
    expect(model.get("compare_id")).toBe("other");
  });

  it("go back to what is there when Python names a set that is not", async () => {
    await show();
    model.set("set_id", "gone");
    await vi.waitFor(() => expect(document.querySelector(".sfa-pl-sound")?.textContent).toContain("no such set"));
    expect(model.get("set_id")).toBe("");
  });

  it("show another set without making it the one in use", async () => {
    await show({ set_id: "other" });
    await vi.waitFor(() => expect(document.querySelector(".sfa-sets-bar")?.textContent).toContain("Another set"));
    expect(model.get("set_id")).toBe("other");
  });
});
