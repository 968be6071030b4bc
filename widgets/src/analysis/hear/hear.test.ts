import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeAudio, fakeAudio } from "../../engine/fake";
import { PlayerModel } from "../../player/model";
import { FakeBridge, type FakeHandlers } from "../../testing/fake";
import { analysisLoad, fullAnalysis, playerLoad } from "../../testing/song";
import { AnalysisData, Curve } from "../data";
import { mountHear } from "./hear";
import { levelOf, matched, names, pair, sameBar } from "./level";

const SECTIONS = fullAnalysis().sections;
const LOUDNESS = [-20, -8, -30, -14]; // of the four sections

describe("two sections", () => {
  it("are those that repeat each other, else verse and chorus", () => {
    expect(pair(SECTIONS)).toEqual([1, 3]);
    const song = ["intro", "verse", "chorus", "outro"].map((label, i) => ({ start: i, end: i + 1, label, confidence: 1 }));
    expect(pair(song)).toEqual([1, 2]);
    expect(pair(song.slice(0, 1))).toBeNull();
    expect(names(SECTIONS)).toEqual(["Intro", "Drop 1", "Break", "Drop 2"]);
  });

  it("have a loudness of their own, and the louder one comes down", () => {
    const { result, buffers } = analysisLoad("t", fullAnalysis(), {}, LOUDNESS);
    const curve = new Curve(result.curves["loudness.momentary"] as NonNullable<(typeof result.curves)[string]>, buffers);
    const levels = [SECTIONS[1], SECTIONS[3]].map((section) => levelOf(curve, section?.start ?? 0, section?.end ?? 0));
    expect(levels[0]).toBeCloseTo(-8, 0);
    expect(levels[1]).toBeCloseTo(-14, 0);
    const [a, b] = matched(levels[0] ?? null, levels[1] ?? null);
    expect(20 * Math.log10(a)).toBeCloseTo(-6, 0);
    expect(b).toBe(1);
    expect(matched(null, -3)).toEqual([1, 1]);
  });

  it("are heard from the same place of the bar, also where one is shorter or slower", () => {
    const downbeats = [0, 2, 4, 6, 8, 11, 14, 17];
    const fast = { start: 0, end: 8 };
    const slow = { start: 8, end: 14 };
    expect(sameBar(2.5, fast, slow, downbeats)).toBeCloseTo(11.75, 9);
    expect(sameBar(7, fast, slow, downbeats)).toBeCloseTo(12.5, 9); // bar 4 of 2: the second again
    expect(sameBar(12.5, slow, fast, downbeats)).toBeCloseTo(3, 9);
    expect(sameBar(3, { start: 0, end: 8 }, { start: 20, end: 30 }, [])).toBe(23);
  });
});

describe("hear it", () => {
  let end: AbortController;
  let el: HTMLElement;
  let audio: FakeAudio;
  let model: PlayerModel;
  let data: AnalysisData;

  beforeEach(() => {
    end = new AbortController();
    audio = fakeAudio();
    audio.context.duration = 64;
    el = document.createElement("div");
    el.className = "sfa";
    document.body.append(el);
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  async function open(handlers: FakeHandlers = {}): Promise<void> {
    const bridge = new FakeBridge({
      "player.load": () => playerLoad("t"), "analysis.load": () => analysisLoad("t", fullAnalysis(), {}, LOUDNESS) as never, ...handlers,
    });
    model = new PlayerModel(bridge, end.signal, audio.engine);
    data = new AnalysisData(bridge, end.signal);
    mountHear(el, { bridge, model, data, signal: end.signal });
    await model.open("t");
    await data.load("t");
  }
  const button = (words: string) =>
    [...el.querySelectorAll<HTMLButtonElement>("button")].find((each) => each.textContent?.startsWith(words)) as HTMLButtonElement;
  const key = (name: string) => el.firstElementChild?.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const settled = async () => {
    for (let i = 0; i < 40; i += 1) await Promise.resolve();
  };
  const clicks = () => audio.context.sources.filter(({ buffer, stopped }) => buffer?.name === "made" && stopped === null);

  it("clicks along while the song plays, by button and by key", async () => {
    await open();
    model.play();
    await settled();
    expect(clicks()).toHaveLength(0);
    key("c");
    expect(button("Clicks").getAttribute("aria-pressed")).toBe("true");
    expect(clicks().length).toBeGreaterThan(0);
    button("Clicks").click();
    expect(clicks()).toHaveLength(0);
  });

  it("sounds the key of the song in its tuning, and is silent once it is off", async () => {
    await open();
    model.play();
    await settled();
    button("Tone").click();
    const [root] = audio.context.oscillators;
    expect(root?.frequency.value).toBeCloseTo(220 * 2 ** (10 / 1200), 3);
    button("Tone").click();
    expect(root?.stopped).not.toBeNull();
  });

  it("plays one section or the other at one loudness, in a loop, from the same bar", async () => {
    await open();
    button("A").click();
    await settled();
    expect(model.range).toEqual({ start: 16, end: 32 });
    expect(20 * Math.log10(audio.engine.trim)).toBeCloseTo(-6, 0);
    const { anchor } = audio.engine.timeline as NonNullable<typeof audio.engine.timeline>;
    audio.context.currentTime = anchor.time + 5;
    key("b");
    expect(model.range).toEqual({ start: 48, end: 64 });
    expect(audio.engine.trim).toBe(1);
    expect(audio.engine.timeline?.anchor.position).toBeCloseTo(53.02, 2);
    expect(el.querySelector(".sfa-he-note")?.textContent).toContain("A is 6.1 dB louder".slice(0, 5));
    button("Match levels").click();
    expect(audio.engine.trim).toBe(1);
    key("a");
    expect(audio.engine.trim).toBe(1);
  });

  it("ends the comparison, and its level, when the song is sent elsewhere", async () => {
    await open();
    button("A").click();
    await settled();
    expect(audio.engine.trim).toBeLessThan(1);
    model.setRange(null);
    expect(audio.engine.trim).toBe(1);
    expect(button("A").getAttribute("aria-pressed")).toBe("false");
  });

  it("has nothing to offer for a song without beat, key and sections", async () => {
    const bare = fullAnalysis({ beats: [], downbeats: [], key: null, camelot: null, sections: [] });
    await open({
      "player.load": () => ({ ...playerLoad("t"), analysis: bare }), "analysis.load": () => analysisLoad("t", bare) as never,
    });
    expect([button("Clicks").disabled, button("Tone").disabled]).toEqual([true, true]);
    expect(el.querySelector<HTMLElement>(".sfa-he-compare")?.hidden).toBe(true);
  });
});
