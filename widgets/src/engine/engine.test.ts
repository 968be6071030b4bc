import { beforeEach, describe, expect, it, vi } from "vitest";
import type { AudioSource } from "../types";
import type { EngineError, Loading } from "./engine";
import { FADE } from "./deck";
import { AudioEngine } from "./engine";
import { LONGEST_DECODED, stemsFit } from "./memory";
import { type FakeAudio, fakeAudio } from "./fake";
import { audioEngine } from ".";

function source(role: AudioSource["role"], id: string = role): AudioSource {
  return { id, role, label: role, url: `sfa/audio/${id}`, mime: "audio/flac" };
}

const MIX = [source("mix")];
const ALL = [source("mix"), source("vocals"), source("drums")];
const noBytes = () => Promise.reject(new Error("The kernel has none."));

describe("the engine", () => {
  let audio: FakeAudio;
  let engine: AudioEngine;
  let view: AbortController;

  beforeEach(() => {
    audio = fakeAudio();
    ({ engine } = audio);
    view = new AbortController();
  });

  /** Loads, plays, and lets the clock run past the start. */
  async function playing(sources = MIX): Promise<number> {
    await engine.load("t", sources, noBytes, { duration: 60 });
    await engine.stemsReady;
    await engine.play();
    const [start] = Object.values(audio.context.playing())[0] as [number, number];
    audio.context.currentTime = start;
    return start;
  }

  it("is one for the whole page", () => {
    expect(audioEngine()).toBe(audioEngine());
    expect((globalThis as Record<symbol, unknown>)[Symbol.for("sfa.audio")]).toBe(audioEngine());
  });

  it("makes no context before something is to be heard", () => {
    expect(engine.context).toBeNull();
    audio.host.allowed = false;
    engine.unlock();
    expect(engine.context).toBeNull();
  });

  it("moves the place with the audio clock", async () => {
    const start = await playing();
    expect(engine.position).toBe(0);
    audio.context.currentTime = start + 2.5;
    expect(engine.position).toBeCloseTo(2.5, 9);
    expect(engine.playing).toBe(true);
  });

  it("draws what is heard: behind by the output's latency", async () => {
    const start = await playing();
    audio.context.currentTime = start + 2;
    expect(engine.heard).toBeCloseTo(2 - audio.context.outputLatency, 9);
  });

  it("goes on after a pause from where it stopped", async () => {
    const start = await playing();
    audio.context.currentTime = start + 4;
    engine.pause();
    const stopped = engine.position;
    expect(stopped).toBeCloseTo(4, 1);
    audio.context.currentTime += 10;
    expect(engine.position).toBe(stopped);
    await engine.play();
    expect(Object.values(audio.context.playing())[0]?.[1]).toBeCloseTo(stopped, 4);
  });

  it("seeks while playing and while paused, inside the song", async () => {
    await playing();
    engine.seek(31);
    expect(Object.values(audio.context.playing())).toHaveLength(1);
    expect(engine.position).toBeCloseTo(31, 4);
    engine.pause();
    engine.seek(999);
    expect(engine.position).toBe(60);
    engine.seek(-4);
    expect(engine.position).toBe(0);
  });

  it("starts every source at one time and one place", async () => {
    await playing(ALL);
    const starts = Object.values(audio.context.playing());
    expect(starts).toHaveLength(3);
    expect(new Set(starts.map(String)).size).toBe(1);
    const [time] = starts[0] as [number, number];
    expect(time * audio.context.sampleRate).toBeCloseTo(Math.round(time * audio.context.sampleRate), 6);
  });

  it("repeats a range by the sources themselves", async () => {
    await playing(ALL);
    engine.seek(10);
    engine.setLoop({ start: 10, end: 12 });
    for (const node of audio.context.sources.filter(({ stopped }) => stopped === null)) {
      expect([node.loop, node.loopStart, node.loopEnd]).toEqual([true, 10, 12]);
    }
    audio.context.currentTime += 5.5;
    expect(engine.position).toBeGreaterThanOrEqual(10);
    expect(engine.position).toBeLessThan(12);
    engine.setLoop(null);
    expect(engine.loop).toBeNull();
    audio.context.currentTime += 5;
    expect(engine.position).toBeGreaterThan(12);
  });

  it("jumps into a loop that lies behind", async () => {
    await playing();
    engine.seek(40);
    engine.setLoop({ start: 5, end: 9 });
    expect(engine.position).toBeCloseTo(5, 4);
  });

  it("stops at the end and begins again with the next play", async () => {
    await playing();
    audio.context.currentTime += 60;
    audio.context.sources.at(-1)?.onended?.();
    expect([engine.playing, engine.position]).toEqual([false, 60]);
    await engine.play();
    expect(engine.position).toBe(0);
  });

  it("rests its clock when nothing plays", async () => {
    engine.clock.subscribe(() => {}, view.signal);
    await playing();
    audio.frames.run(0);
    expect(audio.frames.due).toBe(1);
    engine.pause();
    audio.frames.run(1);
    expect(audio.frames.due).toBe(0);
  });

  it("plays a part of a song at the song's own times", async () => {
    audio.context.duration = 30;
    await engine.load("t#p", MIX, noBytes, { duration: 30, from: 45, position: 50 });
    await engine.play();
    const [time, offset] = Object.values(audio.context.playing())[0] as [number, number];
    expect(offset).toBeCloseTo(5, 4);
    audio.context.currentTime = time + 2;
    expect(engine.position).toBeCloseTo(52, 4);
    engine.setLoop({ start: 40, end: 60 });
    expect(engine.loop).toEqual({ start: 45, end: 60 });
    expect(audio.context.sources.at(-1)).toMatchObject({ loopStart: 0, loopEnd: 15 });
    engine.setLoop(null);
    engine.seek(0);
    expect(engine.position).toBeCloseTo(45, 4);
    engine.seek(999);
    expect(engine.position).toBeCloseTo(75, 4);
  });

  describe("stems", () => {
    const gainOf = (name: string) => {
      const node = audio.context.sources.filter(({ buffer, stopped }) => buffer?.name === name && stopped === null).at(-1);
      const envelope = node?.outputs[0];
      return (envelope?.outputs[0] as unknown as { gain: { target: number } }).gain.target;
    };

    it("wait silently behind the song", async () => {
      await playing(ALL);
      expect([gainOf("mix"), gainOf("vocals"), gainOf("drums")]).toEqual([1, 0, 0]);
    });

    it("take over when one is touched, without a step in level", async () => {
      await playing(ALL);
      engine.setStem("t", "vocals", { muted: true });
      expect([gainOf("mix"), gainOf("vocals"), gainOf("drums")]).toEqual([0, 0, expect.closeTo(1, 9)]);
      const ramps = audio.context.gains.flatMap(({ gain }) => gain.calls).filter(([name]) => name === "target");
      for (const [, , , constant] of ramps) expect(constant).toBeGreaterThan(0.004);
      engine.setListen("t", "song");
      expect([gainOf("mix"), gainOf("drums")]).toEqual([1, 0]);
    });

    it("come into a playing song at its place", async () => {
      const start = await playing(MIX);
      audio.context.currentTime = start + 7;
      engine.refresh("t", ALL, noBytes);
      await engine.stemsReady;
      const { mix, vocals, drums } = audio.context.playing();
      expect(mix?.[0]).toBe(start);
      expect(vocals).toEqual(drums);
      const [time, offset] = vocals as [number, number];
      expect(offset - time).toBeCloseTo(-start, 9);
      expect(engine.playing).toBe(true);
    });

    it("are replaced by new ones of the same name", async () => {
      await playing(ALL);
      engine.refresh("t", [source("mix"), source("vocals", "v2"), source("drums")], noBytes);
      await engine.stemsReady;
      expect(Object.keys(audio.context.playing()).sort()).toEqual(["drums", "mix", "v2"]);
    });

    it("take the place of others at one moment, at the level that is heard", async () => {
      const start = await playing(ALL);
      engine.setStem("t", "vocals", { fader: 0.4 });
      const level = gainOf("vocals");
      audio.context.currentTime = start + 3;
      const old = audio.context.sources.find(({ buffer }) => buffer?.name === "vocals");
      engine.refresh("t", [source("mix"), source("vocals", "v2"), source("drums")], noBytes);
      expect(old?.stopped).toBeNull(); // it sounds until the other is there
      await engine.stemsReady;
      const next = audio.context.sources.find(({ buffer }) => buffer?.name === "v2");
      const [time, offset] = next?.started as [number, number];
      expect(offset - time).toBeCloseTo(-start, 9);
      expect((old?.stopped as number) - time).toBeCloseTo(FADE, 9);
      expect(gainOf("v2")).toBeCloseTo(level, 9);
    });

    it("fall back to the song when others cannot be read", async () => {
      await playing(ALL);
      engine.setListen("t", "stems");
      engine.refresh("t", [source("mix"), source("vocals", "bad1"), source("drums", "bad2")], noBytes);
      await expect(engine.stemsReady).rejects.toThrow("cannot decode");
      expect(Object.keys(audio.context.playing())).toEqual(["mix"]);
      expect(gainOf("mix")).toBe(1);
    });

    it("go to the side they are sent to", async () => {
      await playing(ALL);
      engine.setStem("t", "drums", { pan: -0.5 });
      const pans = audio.context.panners.map(({ pan }) => pan.target);
      expect(pans.filter((pan) => pan === -0.5)).toHaveLength(1);
    });

    it("are the song when the browser cannot read the original", async () => {
      await engine.load("t", [source("mix", "bad.aiff"), source("vocals"), source("drums")], noBytes, { duration: 60 });
      await engine.play();
      await engine.stemsReady;
      await vi.waitFor(() => expect(engine.playing).toBe(true));
      expect([gainOf("vocals"), gainOf("drums")]).toEqual([expect.closeTo(1, 9), expect.closeTo(1, 9)]);
    });

    it("stay away from memory they would fill", () => {
      expect(stemsFit(300, 5)).toBe(true);
      expect(stemsFit(LONGEST_DECODED + 1, 1)).toBe(false);
      expect(stemsFit(15 * 60, 5)).toBe(false);
    });

    it("keep their settings per track", async () => {
      engine.setStem("other", "vocals", { muted: true });
      await playing(ALL);
      expect(engine.mixer("t").listen).toBe("song");
      expect(engine.mixer("other").stems.vocals?.muted).toBe(true);
    });
  });

  describe("loading", () => {
    it("asks the server first and tells how far it is", async () => {
      const seen: (Loading | null)[] = [];
      engine.on("loading", (loading) => seen.push(loading), view.signal);
      await engine.load("t", MIX, noBytes);
      expect(audio.fetched).toEqual([expect.stringMatching(/\/sfa\/audio\/mix$/)]);
      expect(seen.map((loading) => loading?.phase ?? null)).toEqual(["fetch", "fetch", "decode", null]);
      expect(seen[1]?.received).toBe(3);
    });

    it("takes the bytes from the kernel where there is no route", async () => {
      audio.host.routes = false;
      const fetchBytes = vi.fn(async (id: string) => new TextEncoder().encode(`${id} by message`).buffer as ArrayBuffer);
      await engine.load("t", MIX, fetchBytes);
      await engine.play();
      expect(fetchBytes).toHaveBeenCalledWith("mix", expect.any(AbortSignal));
      expect(Object.keys(audio.context.playing())).toEqual(["mix by message"]);
    });

    it("does not take a login page for music", async () => {
      audio.host.response = async () => new Response("<html>", { headers: { "content-type": "text/html; charset=utf-8" } });
      const fetchBytes = vi.fn(async () => new TextEncoder().encode("mix").buffer as ArrayBuffer);
      await engine.load("t", MIX, fetchBytes);
      expect(fetchBytes).toHaveBeenCalledOnce();
    });

    it("gives way to another song", async () => {
      const errors: EngineError[] = [];
      engine.on("error", (error) => errors.push(error), view.signal);
      audio.host.response = () => new Promise(() => {});
      const first = engine.load("a", MIX, noBytes).catch((error: unknown) => error);
      audio.host.response = async () => new Response("second");
      await engine.load("b", MIX, noBytes);
      expect(await first).toMatchObject({ name: "AbortError" });
      expect([engine.trackId, engine.loading]).toEqual(["b", null]);
      expect(errors).toEqual([]);
    });

    it("stops and frees the song before", async () => {
      await playing();
      await engine.load("u", [source("mix", "next")], noBytes);
      expect(engine.playing).toBe(false);
      expect(audio.context.playing()).toEqual({});
      expect(engine.position).toBe(0);
    });

    it("says in words what failed, and tries again with the next load", async () => {
      const errors: EngineError[] = [];
      engine.on("error", (error) => errors.push(error), view.signal);
      audio.host.routes = false;
      await expect(engine.load("t", MIX, noBytes)).rejects.toThrow();
      await vi.waitFor(() => expect(errors).toHaveLength(1));
      expect(errors[0]).toEqual({ trackId: "t", message: "The audio could not be fetched.", hint: "The kernel has none." });
      expect(engine.trackId).toBeNull();
      audio.host.routes = true;
      await engine.load("t", MIX, noBytes);
      await engine.play();
      expect(engine.playing).toBe(true);
    });

    it("names a format that the browser cannot decode", async () => {
      const errors: EngineError[] = [];
      engine.on("error", (error) => errors.push(error), view.signal);
      const aiff = { ...source("mix", "bad.aiff"), mime: "audio/x-aiff" };
      await expect(engine.load("t", [aiff], noBytes)).rejects.toThrow("This browser cannot decode audio of type AIFF.");
      await vi.waitFor(() => expect(errors).toHaveLength(1));
    });
  });

  it("says so when no sound device answers", async () => {
    const errors: EngineError[] = [];
    engine.on("error", (error) => errors.push(error), view.signal);
    audio.context.device = false;
    await engine.load("t", MIX, noBytes);
    await engine.play();
    expect(errors[0]?.message).toBe("No sound device answers.");
    expect([engine.playing, engine.starting]).toEqual([false, false]);
  });

  it("waits for the page's first click", async () => {
    const blocked: boolean[] = [];
    engine.on("blocked", (state) => blocked.push(state), view.signal);
    audio.host.allowed = false;
    const loaded = engine.load("t", MIX, noBytes);
    const asked = engine.play();
    expect([engine.starting, engine.context, ...blocked]).toEqual([true, null, true]);
    audio.host.allowed = true;
    dispatchEvent(new Event("pointerup"));
    await Promise.all([loaded, asked]);
    expect(engine.playing).toBe(true);
    expect(blocked).toEqual([true, false]);
  });

  it("takes a waiting play back", async () => {
    await engine.load("t", MIX, noBytes);
    audio.host.allowed = false;
    const asked = engine.play();
    engine.pause();
    audio.host.allowed = true;
    await asked;
    expect([engine.playing, engine.starting]).toEqual([false, false]);
  });

  it("stops when the last view of its song is gone", async () => {
    const second = new AbortController();
    engine.hold("t", view.signal);
    engine.hold("t", second.signal);
    await playing();
    view.abort();
    expect(engine.playing).toBe(true);
    second.abort();
    expect([engine.playing, engine.trackId]).toEqual([false, null]);
  });
});
