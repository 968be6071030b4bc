import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Bridge } from "../../bridge";
import { SLICE } from "../../console/types";
import { type FakeDecks, fakeDecks, LENGTH, SongKernel } from "./fake";
import type { StemName } from "../../types";
import type { DeckFailure, Seat } from "./types";

let decks: FakeDecks;
let end: AbortController;
let view: AbortController;
let seat: Seat;
let errors: DeckFailure[];

beforeEach(async () => {
  sessionStorage.clear();
  decks = fakeDecks();
  end = new AbortController();
  view = new AbortController();
  errors = [];
  decks.decks.on("error", (error) => errors.push(error), end.signal);
});

afterEach(() => {
  view.abort();
  end.abort();
  decks.decks.dispose();
});

async function join(): Promise<void> {
  seat = decks.decks.join(decks.kernel.bridge, view.signal);
  await decks.settle();
}

function set(id: string, value: number | string): void {
  decks.decks.controls.set(id, value, "pointer");
}

async function load(track = "song", deck = 1): Promise<void> {
  decks.decks.load(deck, track);
  await decks.settle();
}

/** Of a view that lives until a signal aborts. */
function bridgeOf(signal: AbortSignal): Bridge {
  const { bridge } = decks.kernel;
  return {
    on: bridge.on,
    request: ((method: never, params: never, options: { signal?: AbortSignal } = {}) =>
      bridge.request(method, params, { ...options, signal: AbortSignal.any([signal, ...(options.signal ? [options.signal] : [])]) })) as Bridge["request"],
  };
}

function play(seconds: number): void {
  decks.sound().process(seconds * decks.context.sampleRate);
}

describe("a deck", () => {
  it("loads a song, plays it and says where it is", async () => {
    await join();
    expect(seat.holding).toBe("here");
    expect(decks.decks.sound).toBe("full");
    await load();
    expect(decks.decks.song(1)?.title).toBe("Track song");
    expect(decks.decks.loading(1)).toBeNull();
    set("deck.1.play", 1);
    await decks.settle();
    play(2);
    expect(decks.decks.stand(1).playing).toBe(true);
    expect(decks.decks.stand(1).position).toBeCloseTo(2, 1);
    expect(decks.decks.controls.number("deck.1.position")).toBeCloseTo(2, 1);
    expect(errors).toEqual([]);
  });

  it("does in order what Python asks in one breath: load, seek, play", async () => {
    await join();
    decks.kernel.set("deck.1.track", "song");
    decks.kernel.set("deck.1.seek", 10);
    decks.kernel.set("deck.1.play", 1);
    await decks.settle();
    play(1);
    expect(decks.decks.stand(1).position).toBeCloseTo(11, 1);
    expect(decks.kernel.values.get("deck.1.play")).toBe(1);
  });

  it("plays what Python wanted before there was a page, from where it is to stand", async () => {
    decks.kernel.set("deck.1.track", "song");
    decks.kernel.set("deck.1.play", 1);
    decks.kernel.places = { "deck.1.seek": 12 };
    await join();
    play(1);
    expect(decks.decks.stand(1).position).toBeCloseTo(13, 1);
  });

  it("stops with another song and keeps its faders", async () => {
    await join();
    await load();
    set("deck.1.volume", 0.5);
    set("deck.1.play", 1);
    await decks.settle();
    play(0.5);
    await load("other");
    expect(decks.decks.controls.get("deck.1.play")).toBe(0);
    expect(decks.decks.controls.get("deck.1.volume")).toBe(0.5);
    expect(decks.sound().console.get("deck.1.volume")).toBe(0.5);
    expect(decks.decks.stand(1)).toMatchObject({ loaded: true, playing: false, position: 0 });
  });

  it("says why a song does not come, and is empty then on both sides", async () => {
    await join();
    decks.kernel.set("deck.1.track", "gone");
    decks.kernel.set("deck.1.play", 1);
    await decks.settle();
    expect(decks.decks.failure(1)?.message).toBe("There is no such track.");
    expect(errors.map(({ deck }) => deck)).toEqual([1]);
    expect(decks.kernel.values.get("deck.1.track")).toBe("");
    expect(decks.kernel.values.get("deck.1.play")).toBe(0);
    // What the console says of that deck holds again.
    await load();
    set("deck.1.play", 1);
    await decks.settle();
    set("deck.1.seek", LENGTH - 1);
    await decks.settle();
    play(2);
    expect(decks.decks.controls.get("deck.1.play")).toBe(0);
  });

  it("plays its stems when all of them have come", async () => {
    await join();
    await load("stems");
    expect(decks.decks.song(1)).toMatchObject({ stems: ["vocals", "drums"], stemsReady: true });
  });

  it("plays stems that are made, or chosen, while it plays, without a break of its song", async () => {
    await join();
    await load();
    set("deck.1.play", 1);
    await decks.settle();
    play(1);
    for (const names of [["vocals", "drums"], ["bass", "other", "vocals"], []] as StemName[][]) {
      decks.kernel.stems.set("song", names);
      decks.kernel.push("player.refresh", { id: "song" });
      await decks.settle();
      expect(decks.decks.song(1)).toMatchObject({ stems: names, stemsReady: names.length > 0 });
      expect(decks.sound().console.state().decks[0]?.playing).toBe(true);
    }
    play(1);
    expect(decks.decks.stand(1).position).toBeCloseTo(2, 1);
    expect(decks.sound().posted.filter(({ type }) => type === "load")).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it("takes a song over from another deck, with its sound", async () => {
    await join();
    await load("stems", 1);
    await load("stems", 3);
    expect(decks.kernel.asked("decks.load")).toHaveLength(1);
    expect(decks.decks.song(3)).toMatchObject({ stems: ["vocals", "drums"], stemsReady: true });
    await load("", 1);
    set("deck.3.play", 1);
    await decks.settle();
    const heard = new Float32Array(1024);
    decks.sound().console.process(heard, new Float32Array(1024), new Float32Array(1024), new Float32Array(1024), 1024);
    expect(Math.max(...heard)).toBeGreaterThan(0.1);
  });

  it("has the song that was asked for last, however the loads overtake each other", async () => {
    await join();
    decks.decks.load(1, "stems");
    await decks.kernel.steps(1);
    decks.decks.load(1, "other");
    set("deck.1.play", 1);
    decks.decks.load(2, "song");
    await Promise.resolve();
    decks.decks.load(2, "");
    await decks.settle();
    expect([decks.decks.song(1)?.id, decks.decks.song(2)]).toEqual(["other", null]);
    expect(decks.sound().posted.flatMap((message) => (message.type === "load" ? [message.info.roles] : []))).toEqual([["mix"]]);
    play(1);
    expect(decks.decks.stand(1)).toMatchObject({ playing: true });
    expect(decks.decks.stand(2)).toMatchObject({ loaded: false });
  });

  it("gets its song through another view when its own goes meanwhile", async () => {
    const own = bridgeOf(view.signal);
    seat = decks.decks.join(own, view.signal);
    await decks.settle();
    decks.decks.load(1, "song");
    await Promise.resolve();
    view.abort();
    decks.decks.join(decks.kernel.bridge, end.signal);
    await decks.settle();
    expect(decks.decks.song(1)?.id).toBe("song");
    expect(decks.decks.loading(1)).toBeNull();
  });

  it("stands where it was, ready to play, when the sound broke off", async () => {
    await join();
    await load();
    set("deck.1.play", 1);
    set("deck.1.volume", 0.5);
    await decks.settle();
    play(3);
    const broken = decks.sound();
    decks.break();
    await decks.settle();
    expect(decks.sound()).not.toBe(broken);
    expect(errors.map(({ message }) => message)).toEqual(["The decks' sound broke off and was started anew."]);
    expect(decks.decks.controls.get("deck.1.play")).toBe(0);
    expect(decks.sound().console.get("deck.1.volume")).toBe(0.5);
    set("deck.1.play", 1);
    await decks.settle();
    play(1);
    expect(decks.decks.stand(1).position).toBeCloseTo(4, 1);
  });

  it("stops, and says so, when the system has taken the device away for good", async () => {
    await join();
    await load();
    set("deck.1.play", 1);
    await decks.settle();
    play(1);
    decks.context.resume = async () => {};
    decks.context.state = "suspended";
    decks.context.dispatchEvent(new Event("statechange"));
    await decks.settle();
    expect(decks.decks.controls.get("deck.1.play")).toBe(0);
    expect(errors.map(({ message }) => message)).toEqual(["No sound device answers."]);
  });

  it("pauses what else plays in the page when it begins, and not what is started beside it", async () => {
    await join();
    await load();
    let paused = 0;
    decks.page.yields(() => { paused += 1; });
    set("deck.1.play", 1);
    await decks.settle();
    play(1);
    set("deck.2.cue", 1);
    set("deck.2.cue", 0);
    expect(paused).toBe(1);
  });

  it("starts with the page's first click when play was pressed before it", async () => {
    decks.host.allowed = false;
    await join();
    decks.kernel.set("deck.1.track", "song");
    decks.kernel.set("deck.1.play", 1);
    await decks.settle();
    expect(decks.decks.blocked).toBe(true);
    expect(decks.decks.song(1)?.title).toBe("Track song");
    decks.host.allowed = true;
    dispatchEvent(new Event("pointerup"));
    await decks.settle();
    play(1);
    expect(decks.decks.blocked).toBe(false);
    expect(decks.decks.stand(1).playing).toBe(true);
  });

  it("lets every picture of its song follow it while it plays", async () => {
    await join();
    await load();
    expect(decks.page.heard("song")).toBeNull();
    set("deck.1.play", 1);
    await decks.settle();
    play(3);
    expect(decks.page.heard("song")).toBeCloseTo(3, 1);
    expect(decks.page.heard("other")).toBeNull();
  });
});

describe("hot cues", () => {
  it("light up at once and are saved with the song", async () => {
    await join();
    await load();
    set("deck.1.seek", 8);
    set("deck.1.hotcue.2.press", 1);
    await Promise.resolve();
    expect(decks.decks.song(1)?.hotCues[1]?.time).toBe(8);
    await decks.settle();
    expect(decks.kernel.cues.get("song")).toMatchObject([{ slot: 2, time: 8 }]);
  });

  it("keep their place when they get a name", async () => {
    await join();
    await load();
    set("deck.1.seek", 8);
    set("deck.1.hotcue.1.set", 1);
    await decks.settle();
    void decks.decks.setCue(1, 1, { label: "Drop" });
    await decks.settle();
    expect(decks.decks.song(1)?.hotCues[0]).toMatchObject({ label: "Drop", time: 8 });
  });

  it("that Python sets are in the deck", async () => {
    await join();
    await load();
    const cue = { id: "c", time: 5, end: null, slot: 4, type: "cue", label: "Here", color: null, confidence: null, reason: null };
    decks.kernel.push("decks.cues", { id: "song", cues: [cue] });
    await decks.settle();
    expect(decks.decks.song(1)?.hotCues[3]?.label).toBe("Here");
    set("deck.1.hotcue.4.press", 1);
    await decks.settle();
    expect(decks.sound().console.state().decks[0]?.position).toBe(5);
  });
});

describe("views and kernels", () => {
  it("go on through another view when the one that was the link goes", async () => {
    await join();
    const other = decks.decks.join(decks.kernel.bridge, end.signal);
    await decks.settle();
    view.abort();
    set("deck.1.volume", 0.3);
    await decks.settle();
    expect(other.holding).toBe("here");
    expect(decks.kernel.values.get("deck.1.volume")).toBe(0.3);
  });

  it("of a second notebook are asked before its decks play in this page", async () => {
    await join();
    await load();
    set("deck.1.play", 1);
    await decks.settle();
    const second = new SongKernel("second");
    second.set("deck.2.track", "theirs");
    const theirs = decks.decks.join(second.bridge, end.signal);
    const settle = async () => { await decks.settle(); await second.settle(); await decks.settle(); await second.settle(); await decks.settle(); };
    await settle();
    expect(theirs.holding).toBe("other");
    expect(second.holder).toBeNull();
    theirs.use();
    await settle();
    expect([theirs.holding, seat.holding]).toEqual(["here", "other"]);
    expect(decks.kernel.holder).toBeNull();
    expect(decks.decks.song(1)).toBeNull();
    expect(decks.decks.song(2)?.title).toBe("Track theirs");
  });

  it("go on with a kernel that was restarted, also while nothing plays: it learns what is in the decks", async () => {
    await join();
    await load();
    set("deck.1.volume", 0.4);
    await decks.settle();
    view.abort();
    const restarted = new SongKernel("restarted");
    const again = decks.decks.join(restarted.bridge, end.signal);
    await decks.settle();
    await restarted.settle();
    await decks.settle();
    expect(again.holding).toBe("here");
    expect(decks.decks.song(1)?.id).toBe("song");
    expect([restarted.values.get("deck.1.track"), restarted.values.get("deck.1.volume")]).toEqual(["song", 0.4]);
  });

  it("are silent when another page takes the decks, and take them back on request", async () => {
    await join();
    await load();
    set("deck.1.play", 1);
    await decks.settle();
    const page = String(decks.kernel.holder);
    decks.kernel.holder = "another page";
    decks.kernel.push("decks.lost", { page });
    await decks.settle();
    expect(seat.holding).toBe("elsewhere");
    expect(decks.decks.controls.get("deck.1.play")).toBe(0);
    seat.use();
    await decks.settle();
    expect(seat.holding).toBe("here");
    expect(decks.kernel.holder).toBe(page);
  });
});

describe("what is played", () => {
  it("is written down as a script and can be played again", async () => {
    await join();
    await load();
    set("mixer.crossfader", 0.5);
    await decks.settle();
    decks.decks.script.record();
    set("deck.1.play", 1);
    await decks.settle();
    play(1);
    set("deck.1.volume", 0.25);
    await decks.settle();
    const script = decks.decks.script.finish();
    expect(script).toMatchObject({ controls: { "deck.1.track": "song", "mixer.crossfader": 0.5 }, positions: { 1: 0 } });
    expect(script?.events.map(({ control, value }) => [control, value])).toEqual([["deck.1.play", 1], ["deck.1.volume", 0.25]]);
    expect(script?.events[1]?.time).toBeCloseTo(1, 1);
    set("deck.1.play", 0);
    set("deck.1.volume", 1);
    await decks.settle();
    if (!script) return;
    await decks.decks.script.play("again", script);
    play(2);
    expect(decks.decks.stand(1).playing).toBe(true);
    expect(decks.decks.controls.get("deck.1.volume")).toBe(0.25);
    expect(decks.decks.script.playing).toEqual([]);
  });

  it("is recorded part by part and becomes a song", async () => {
    await join();
    set("mixer.record", 1);
    await decks.settle();
    expect(decks.decks.recording.on).toBe(true);
    const part = (last: boolean) => ({ type: "recorded" as const, left: new Float32Array(9600), right: new Float32Array(9600), frame: 0, last });
    decks.sound().say(part(false));
    set("mixer.record", 0);
    decks.sound().say(part(true));
    await decks.settle();
    expect(decks.kernel.asked("recordings.append").map(({ part: number }) => number)).toEqual([0]);
    expect(decks.kernel.asked("recordings.finish")).toMatchObject([{ recording: "recording", format: "flac" }]);
    expect(decks.decks.recording).toMatchObject({ on: false, saving: false, seconds: 0.4 });
  });
});

describe("a recording", () => {
  const part = (seconds: number, last = false) => ({
    type: "recorded" as const, left: new Float32Array(seconds * 48_000), right: new Float32Array(seconds * 48_000), frame: 0, last,
  });

  it("waits for a kernel that is busy, keeps the page open, and is sent in few messages then", async () => {
    await join();
    set("mixer.record", 1);
    await decks.settle();
    for (let i = 0; i < 20; i += 1) decks.sound().say(part(1));
    expect(decks.decks.recording.waiting).toBe(20);
    expect(dispatchEvent(new Event("beforeunload", { cancelable: true }))).toBe(false);
    set("mixer.record", 0);
    decks.sound().say(part(0, true));
    await decks.settle();
    expect(decks.decks.recording).toMatchObject({ waiting: 0, seconds: 20, saving: false });
    expect(decks.kernel.asked("recordings.append").length).toBeLessThan(5);
    expect(decks.kernel.asked("recordings.finish")).toHaveLength(1);
    expect(dispatchEvent(new Event("beforeunload", { cancelable: true }))).toBe(true);
  });

  it("keeps what the kernel has of it when a part fails", async () => {
    await join();
    set("mixer.record", 1);
    await decks.settle();
    decks.sound().say(part(1));
    await decks.settle();
    decks.kernel.refuses = "recordings.append";
    decks.sound().say(part(1));
    await decks.settle();
    expect(errors.map(({ message }) => message)).toEqual(["The disk is full."]);
    expect(decks.decks.controls.get("mixer.record")).toBe(0);
    expect(decks.kernel.asked("recordings.finish")).toHaveLength(1);
    expect(decks.decks.recording).toMatchObject({ on: false, saving: false });
  });

  it("ends before it holds more than the page can", async () => {
    await join();
    set("mixer.record", 1);
    await decks.settle();
    const half = part(1);
    for (let i = 0; i < 1801; i += 1) decks.sound().say(half);
    expect(decks.decks.controls.get("mixer.record")).toBe(0);
    expect(errors).toHaveLength(1);
    decks.sound().say(part(0, true));
  });
});

describe("the sound of a song", () => {
  it("comes in slices of one length, the last one shorter", async () => {
    await join();
    await load();
    const frames = LENGTH * decks.context.sampleRate;
    const info = decks.sound().posted.find((message) => message.type === "load");
    expect(info).toMatchObject({ info: { frames, roles: ["mix"], gain: -3 } });
    expect(decks.sound().console.state().decks[0]?.loaded).toBe(true);
    expect(Math.ceil(frames / SLICE)).toBe(3);
  });
});
