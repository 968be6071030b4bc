import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BridgeError } from "../bridge";
import { type FakeAudio, fakeAudio } from "../engine/fake";
import { FakeBridge, FakeModel } from "../testing/fake";
import { stemSet } from "../testing/song";
import type { PlayerHandle, PlayerLoad, PlayerState } from "../types";
import widget from ".";
import { mountPlayer, mountTransport } from "./player";

const KEY = Symbol.for("sfa.audio");

function song(id: string, change: Partial<PlayerLoad> = {}): PlayerLoad {
  return {
    track: {
      id, title: `Song ${id}`, artist: "Somebody", album: null, duration: 60, bpm: 120, key: "A minor", camelot: "8A",
      energy: 5, lufs: -9.4, stems: ["vocals", "drums"], status: "ready", progress: 0, stage: null, error: null,
      art: false, added_at: "",
    },
    sources: (["mix", "vocals", "drums"] as const).map((role) => ({
      id: `${id}-${role}`, role, label: role === "mix" ? "Song" : role, url: `sfa/audio/${id}-${role}`, mime: "audio/flac",
      ...(role !== "mix" && { engine: "draft" }),
    })),
    analysis: {
      duration_s: 60, bpm: 120, bpm_confidence: 1, bpm_alternative: null,
      beats: Array.from({ length: 119 }, (_, i) => 0.5 + i / 2), downbeats: Array.from({ length: 30 }, (_, i) => 0.5 + i * 2),
      beats_per_bar: 4, key: "A minor", key_confidence: 1, camelot: "8A", tuning_cents: 0, lufs: -9.4, lra: 4, true_peak: -1,
      energy: 5, energy_curve: [], energy_rate: 2,
      sections: [
        { start: 0, end: 20.5, label: "intro", confidence: 1 },
        { start: 20.5, end: 60, label: "drop", confidence: 1 },
      ],
      drops: [20.5], version: 1,
    },
    cues: [
      { id: "2", time: 20.5, type: "drop", label: "Drop", color: null, confidence: 1, reason: "Louder by 6 dB", slot: null, end: null },
      { id: "1", time: 0.5, type: "intro", label: "", color: null, confidence: 1, reason: null, slot: null, end: null },
    ],
    waveforms: {},
    sets: [stemSet("s", { in_use: true })],
    ...change,
  };
}

describe("a player", () => {
  let audio: FakeAudio;
  let bridge: FakeBridge;
  let page: AbortController;
  let songs: Record<string, PlayerLoad>;

  beforeEach(() => {
    audio = fakeAudio();
    (globalThis as Record<symbol, unknown>)[KEY] = audio.engine;
    page = new AbortController();
    songs = { a: song("a"), b: song("b") };
    bridge = new FakeBridge({
      "player.load": ({ id }) => {
        const found = songs[id];
        if (!found) throw new BridgeError("No such track.", "It was removed.");
        return found;
      },
      "tracks.run": () => ({ jobs: ["j"] }),
    });
  });
  afterEach(() => {
    page.abort();
    delete (globalThis as Record<symbol, unknown>)[KEY];
    document.body.replaceChildren();
  });

  function mount(): { el: HTMLElement; player: PlayerHandle } {
    const el = document.createElement("div");
    el.className = "sfa";
    document.body.append(el);
    return { el, player: mountPlayer(el, bridge, { signal: page.signal }) };
  }

  const find = (el: HTMLElement, selector: string) => el.querySelector(selector) as HTMLElement;
  const text = (el: HTMLElement, selector: string) => find(el, selector).textContent;
  const press = (el: HTMLElement, key: string, change: KeyboardEventInit = {}, target = ".sfa-player") => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...change });
    find(el, target).dispatchEvent(event);
    return event;
  };
  const started = () => vi.waitFor(() => expect(audio.engine.playing).toBe(true));

  it("asks for a song when none is open", () => {
    const { el } = mount();
    expect(text(el, ".sfa-pl-message")).toContain("Choose one in the library");
  });

  it("shows what is known of a track", async () => {
    const { el, player } = mount();
    await player.open("a");
    expect(text(el, "h2")).toBe("Song a");
    expect(text(el, ".sfa-pl-facts")).toContain("120.0");
    expect(text(el, ".sfa-pl-facts")).toContain("8A");
    expect([...el.querySelectorAll(".sfa-pl-section")].map((part) => part.textContent)).toEqual(["Intro", "Drop"]);
    expect([...el.querySelectorAll(".sfa-pl-cue")].map((cue) => cue.textContent)).toEqual(["1Intro0:00.5", "2Drop0:20.5"]);
    expect(text(el, ".sfa-stems-strip header")).toContain("Draft (no AI)");
  });

  it("treats names as text", async () => {
    const { el, player } = mount();
    (songs.a as PlayerLoad).track.title = "<img src=x onerror=boom()>";
    await player.open("a");
    expect(el.querySelector("h2 img")).toBeNull();
    expect(text(el, "h2")).toBe("<img src=x onerror=boom()>");
  });

  it("says why a track cannot be opened, and tries again", async () => {
    const { el, player } = mount();
    await player.open("gone");
    expect(text(el, ".sfa-pl-message")).toContain("No such track.");
    songs.gone = song("gone");
    find(el, ".sfa-pl-message button").click();
    await vi.waitFor(() => expect(text(el, "h2")).toBe("Song gone"));
  });

  it("plays with the space bar, and not while somebody types", async () => {
    const { el, player } = mount();
    await player.open("a");
    expect(press(el, " ").defaultPrevented).toBe(true);
    await started();
    expect(find(el, ".sfa-pl-play").getAttribute("aria-label")).toBe("Pause");
    const input = document.createElement("input");
    find(el, ".sfa-player").append(input);
    input.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true }));
    expect(audio.engine.playing).toBe(true);
    press(el, " ");
    expect(audio.engine.playing).toBe(false);
  });

  it("moves by seconds, beats, bars and cues", async () => {
    const { el, player } = mount();
    const states: PlayerState[] = [];
    player.onState((state) => states.push(state));
    await player.open("a");
    const place = () => states.at(-1)?.position;
    press(el, "2");
    expect(place()).toBe(20.5);
    press(el, "ArrowRight");
    expect(place()).toBe(25.5);
    press(el, "ArrowLeft", { shiftKey: true });
    expect(place()).toBe(25);
    press(el, "ArrowRight", { altKey: true });
    expect(place()).toBe(26.5);
    press(el, "Home");
    expect(place()).toBe(0);
    expect(press(el, "7").defaultPrevented).toBe(false);
  });

  it("loops between [ and ], on the grid", async () => {
    const { el, player } = mount();
    await player.open("a", { play: true });
    await started();
    player.seek(10.1);
    press(el, "[");
    player.seek(14.4);
    press(el, "]");
    expect(audio.engine.loop).toEqual({ start: 10, end: 14.5 });
    press(el, "Escape");
    expect(audio.engine.loop).toBeNull();
  });

  it("loops four bars when no range was chosen", async () => {
    const { el, player } = mount();
    await player.open("a", { play: true });
    await started();
    player.seek(11);
    find(el, ".sfa-pl-loop").click();
    expect(audio.engine.loop).toEqual({ start: 10.5, end: 18.5 });
    expect(text(el, ".sfa-pl-loop")).toBe("4 bars");
  });

  it("mutes and solos, by mouse and by keys", async () => {
    const { el, player } = mount();
    await player.open("a");
    const mixer = () => audio.engine.mixer("a");
    const mute = find(el, ".sfa-stem-row .is-muted");
    mute.click();
    expect(mute.getAttribute("aria-pressed")).toBe("true");
    expect(mixer()).toMatchObject({ listen: "stems", stems: { vocals: { muted: true } } });
    press(el, "s", {}, ".sfa-stem-row:last-child .sfa-fader");
    expect(mixer().stems.drums?.solo).toBe(true);
    find(el, ".sfa-switch button").click();
    expect(mixer().listen).toBe("song");
  });

  it("has faders that a keyboard can set and a double click resets", async () => {
    const { el, player } = mount();
    await player.open("a");
    const fader = find(el, ".sfa-stem-row .sfa-fader");
    expect(fader.getAttribute("aria-valuetext")).toBe("0.0 dB");
    const event = press(el, "ArrowLeft", {}, ".sfa-stem-row .sfa-fader");
    expect(event.defaultPrevented).toBe(true);
    expect(fader.getAttribute("aria-valuetext")).toMatch(/^−\d\.\d dB$/);
    expect(player).toBeDefined();
    fader.dispatchEvent(new MouseEvent("dblclick"));
    expect(fader.getAttribute("aria-valuetext")).toBe("0.0 dB");
    press(el, "Home", {}, ".sfa-stem-row .sfa-fader");
    expect(fader.getAttribute("aria-valuetext")).toBe("−∞ dB");
  });

  it("sends a stem to a side with shift and the arrows, and back", async () => {
    const { el, player } = mount();
    await player.open("a");
    const pan = () => audio.engine.mixer("a").stems.vocals?.pan;
    const row = ".sfa-stem-row:first-child";
    const level = find(el, `${row} .sfa-fader`).getAttribute("aria-valuetext");
    for (let i = 0; i < 3; i += 1) press(el, "ArrowLeft", { shiftKey: true }, `${row} .sfa-fader`);
    expect(pan()).toBeCloseTo(-0.3, 9);
    expect(find(el, `${row} .sfa-fader`).getAttribute("aria-valuetext")).toBe(level);
    const knob = find(el, `${row} .is-balance`);
    expect(knob.getAttribute("aria-label")).toBe("Pan of Vocals");
    expect(knob.getAttribute("aria-valuetext")).toBe("30 % left");
    press(el, "Delete", {}, `${row} .is-balance`);
    expect(pan()).toBe(0);
    expect(audio.engine.position).toBe(0); // the song was not moved by it
  });

  it("changes between song and stems with O", async () => {
    const { el, player } = mount();
    await player.open("a");
    press(el, "o");
    expect(audio.engine.mixer("a").listen).toBe("stems");
    press(el, "O");
    expect(audio.engine.mixer("a").listen).toBe("song");
  });

  it("shows no solo of a stem that is not there", async () => {
    const { el, player } = mount();
    audio.engine.setStem("a", "piano", { solo: true });
    await player.open("a");
    expect(el.querySelectorAll(".sfa-stem-row.is-silent")).toHaveLength(0);
  });

  it("offers what is missing and shows its progress", async () => {
    const { el, player } = mount();
    const bare = song("a", { analysis: null, cues: [], sources: song("a").sources.slice(0, 1) });
    songs.a = bare;
    await player.open("a");
    const button = find(el, ".sfa-stems-strip button");
    expect(button.textContent).toBe("Separate stems");
    button.click();
    await vi.waitFor(() => expect(bridge.params("tracks.run")).toEqual([{ ids: ["a"], stages: ["separate"] }]));
    bridge.push("tracks.rows", { rows: [{ ...bare.track, status: "working", stage: "separate", progress: 42 }] });
    expect(text(el, ".sfa-stems-strip")).toContain("Separating 42 %");
    expect(find(el, ".sfa-stems-strip [role=progressbar]").getAttribute("aria-valuenow")).toBe("42");
    expect(text(el, ".sfa-pl-sections")).toContain("Analyse");
  });

  it("takes new stems in while it plays on", async () => {
    const { el, player } = mount();
    songs.a = song("a", { analysis: null, sources: song("a").sources.slice(0, 1) });
    await player.open("a", { play: true });
    await started();
    const before = audio.context.playing();
    songs.a = song("a");
    bridge.push("player.refresh", { id: "a" });
    await vi.waitFor(() => expect(Object.keys(audio.context.playing())).toHaveLength(3));
    expect(audio.context.playing()["a-mix"]).toEqual(before["a-mix"]);
    expect(el.querySelectorAll(".sfa-stem-row")).toHaveLength(2);
    expect(el.querySelectorAll(".sfa-pl-section")).toHaveLength(2);
  });

  it("says what is wrong with the sound and keeps the pictures", async () => {
    const { el, player } = mount();
    audio.context.device = false;
    await player.open("a");
    player.play();
    await vi.waitFor(() => expect(text(el, ".sfa-pl-sound")).toContain("No sound device answers."));
    expect(find(el, ".sfa-player").className).toContain("is-ready");
  });

  it("tries a broken sound again with one click", async () => {
    const { el, player } = mount();
    await player.open("a");
    audio.host.routes = false;
    player.play();
    await vi.waitFor(() => expect(text(el, ".sfa-pl-sound")).toContain("The audio could not be fetched."));
    audio.host.routes = true;
    const again = find(el, ".sfa-pl-sound button");
    // the finger goes down, which already fetches the song, and up on the same button
    again.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    await vi.waitFor(() => expect(audio.engine.roles).toContain("mix"));
    expect(find(el, ".sfa-pl-sound button")).toBe(again);
    again.click();
    await started();
    expect(find(el, ".sfa-pl-sound").hidden).toBe(true);
  });

  it("goes on with the next song when it was playing", async () => {
    const { player } = mount();
    await player.open("a", { play: true });
    await started();
    await player.open("b");
    await vi.waitFor(() => expect([audio.engine.trackId, audio.engine.playing]).toEqual(["b", true]));
  });

  it("pauses when another player starts, and keeps its place", async () => {
    const first = mount();
    const second = mount();
    const states: PlayerState[] = [];
    first.player.onState((state) => states.push(state));
    await first.player.open("a");
    await second.player.open("b");
    first.player.seek(12);
    first.player.play();
    await started();
    second.player.play();
    await vi.waitFor(() => expect([audio.engine.trackId, audio.engine.playing]).toEqual(["b", true]));
    expect(states.at(-1)).toMatchObject({ trackId: "a", playing: false });
    expect(states.at(-1)?.position).toBeCloseTo(12, 1);
    first.player.play();
    await vi.waitFor(() => expect([audio.engine.trackId, audio.engine.playing]).toEqual(["a", true]));
    expect(audio.engine.position).toBeCloseTo(12, 1);
  });

  it("has a bar for the bottom of the page that moves with it", async () => {
    const { player } = mount();
    const bar = document.createElement("footer");
    document.body.append(bar);
    mountTransport(bar, bridge, { signal: page.signal, player });
    expect(bar.textContent).toContain("Nothing is open");
    await player.open("a");
    expect(bar.textContent).toContain("Song a");
    find(bar, ".sfa-pl-play").click();
    await started();
    audio.context.currentTime += 3;
    audio.frames.run(0);
    expect(find(bar, ".sfa-pl-time").textContent).toMatch(/^0:0[23]\.\d$/);
  });

  it("ends with its view: nothing plays, nothing draws", async () => {
    const { player } = mount();
    await player.open("a", { play: true });
    await started();
    page.abort();
    expect([audio.engine.playing, audio.engine.trackId]).toEqual([false, null]);
    audio.engine.clock.wake();
    expect(audio.frames.due).toBe(0);
  });

  describe("as a widget", () => {
    function show(model: FakeModel): { el: HTMLElement; end: AbortController } {
      const el = document.createElement("div");
      document.body.append(el);
      const end = new AbortController();
      page.signal.addEventListener("abort", () => end.abort(), { once: true });
      widget.render({ model: model as never, el, signal: end.signal });
      return { el, end };
    }

    /** A model whose kernel answers `player.load`. */
    function answering(traits: Record<string, unknown>): FakeModel {
      const model = new FakeModel({ track_id: "", position: 0, playing: false, selection: [], ...traits });
      const send = model.send.bind(model);
      model.send = (content, callbacks, buffers) => {
        send(content, callbacks, buffers);
        const { id, method, params } = content as { id: string; method?: string; params: { id: string } };
        if (method === "player.load") queueMicrotask(() => model.receive({ id, result: songs[params.id] }));
      };
      return model;
    }

    it("opens the track of its trait and tells the kernel how it plays", async () => {
      const model = answering({ track_id: "a", position: 7 });
      const { el } = show(model);
      await vi.waitFor(() => expect(text(el, "h2")).toBe("Song a"));
      model.receive({ event: "player.play", data: {} });
      await vi.waitFor(() => expect(model.traits.playing).toBe(true));
      expect(model.traits.position).toBeCloseTo(7, 1);
      model.receive({ event: "player.seek", data: { time: 33 } });
      expect(model.traits.position).toBeCloseTo(33, 1);
      model.receive({ event: "player.pause", data: {} });
      expect(model.traits.playing).toBe(false);
    });

    it("shares its range with the next cell, both ways", async () => {
      const model = answering({ track_id: "a", selection: [4.5, 8.5] });
      const { el } = show(model);
      await vi.waitFor(() => expect(text(el, ".sfa-pl-loop")).toBe("2 bars"));
      find(el, ".sfa-player").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
      expect(model.traits.selection).toEqual([]);
      model.set("selection", [10.5, 12.5]);
      expect(text(el, ".sfa-pl-loop")).toBe("1 bar");
    });

    it("tells the position at most twice a second", async () => {
      const model = answering({ track_id: "a" });
      show(model);
      model.receive({ event: "player.play", data: {} });
      await started();
      const saved = model.saves;
      const now = performance.now();
      for (let i = 1; i <= 60; i += 1) {
        audio.context.currentTime += 1 / 60;
        audio.frames.run(now + (i * 1000) / 60);
      }
      expect(model.saves - saved).toBeLessThanOrEqual(2);
    });

    it("may be shown twice: one sound, two pictures", async () => {
      const model = answering({ track_id: "a" });
      const first = show(model);
      const second = show(model);
      await vi.waitFor(() => expect(text(second.el, "h2")).toBe("Song a"));
      find(first.el, ".sfa-pl-play").click();
      await started();
      expect(find(second.el, ".sfa-pl-play").getAttribute("aria-label")).toBe("Pause");
      expect(Object.keys(audio.context.playing()).filter((name) => name.endsWith("mix"))).toHaveLength(1);
      first.end.abort();
      expect(audio.engine.playing).toBe(true);
      second.end.abort();
      expect(audio.engine.playing).toBe(false);
    });
  });
});
