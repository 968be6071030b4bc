import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeDecks } from "../../decks/engine/fake";
import { BAR, clickDecks, keep, planOf, SONG } from "../../testing/session";
import type { AutoMixPlan } from "../../types";
import { AutoMixPlayer } from "./player";

let decks: FakeDecks & { heard: Float32Array[] };
let view: AbortController;
let player: AutoMixPlayer;

beforeEach(async () => {
  sessionStorage.clear();
  decks = clickDecks();
  view = new AbortController();
  decks.decks.join(decks.kernel.bridge, view.signal);
  await decks.settle();
  player = new AutoMixPlayer(decks.decks, { now: () => decks.context.currentTime }, view.signal);
});

afterEach(() => {
  view.abort();
  decks.decks.dispose();
});

const controls = () => decks.decks.controls;
const stand = (deck: number) => decks.decks.stand(deck);
const set = (id: string, value: number | string) => controls().set(id, value, "page");

async function start(plan: AutoMixPlan): Promise<void> {
  player.take(plan, decks.kernel.bridge);
  const started = player.start();
  await decks.settle();
  await started;
  await play(0.2);
  await decks.settle();
}

/** So many seconds pass, as the page hears of them. */
async function play(seconds: number): Promise<void> {
  for (let left = seconds; left > 1e-6; left -= 0.1) {
    decks.sound().process(Math.min(0.1, left) * decks.context.sampleRate);
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
  }
}

/** Until the song on a deck is here. */
async function until(deck: number, place: number): Promise<void> {
  while (stand(deck).position < place) {
    if (!stand(deck).playing) throw new Error(`Deck ${deck} stands at ${stand(deck).position}.`);
    await play(0.1);
  }
}

/** Frames. */
const STEP = 6;

/** When the tone of a pitch clicks, in s. */
function clicks(sound: Float32Array, rate: number, hertz: number): number[] {
  const length = Math.round(0.002 * rate);
  const found: number[] = [];
  const levels = new Float64Array(Math.floor(sound.length / STEP));
  for (let at = 0; at < levels.length; at += 1) {
    let re = 0;
    let im = 0;
    for (let i = 0; i < length; i += 1) {
      const sample = sound[at * STEP + i] ?? 0;
      const angle = (2 * Math.PI * hertz * i) / rate;
      re += sample * Math.cos(angle);
      im += sample * Math.sin(angle);
    }
    levels[at] = Math.hypot(re, im);
  }
  const floor = Math.max(...levels) * 0.15;
  for (let at = 1; at < levels.length; at += 1) {
    const last = found.at(-1) ?? -1;
    if ((levels[at] as number) < floor || (at * STEP) / rate - last < 0.2) continue;
    let peak = at;
    while (peak + 1 < levels.length && (levels[peak + 1] as number) > (levels[peak] as number)) peak += 1;
    found.push((peak * STEP) / rate);
  }
  return found;
}

describe("a mix", () => {
  it("hands one song over to the next on the beat, and switches itself off at the end", async () => {
    await start(planOf(["slow", "fast"]));
    expect(controls().isOn("mixer.automix")).toBe(true);
    expect(stand(1).playing).toBe(true);
    expect(decks.decks.song(2)?.id).toBe("fast");
    await until(1, 23.5);
    expect(player.state).toBe("mixing");
    keep(decks.sound(), decks.heard);
    await play(8.4);
    const rate = decks.context.sampleRate;
    const sound = new Float32Array(decks.heard.length * 128);
    decks.heard.forEach((block, at) => sound.set(block, at * 128));
    // While both can be heard well.
    const [slow, fast] = [500, 3000].map((hertz) => clicks(sound, rate, hertz).filter((time) => time > 1.8 && time < 7.2)) as [number[], number[]];
    expect(slow.length).toBeGreaterThanOrEqual(10);
    for (const time of slow) expect(Math.min(...fast.map((other) => Math.abs(other - time)))).toBeLessThan(0.005);
    await play(3);
    expect(player.state).toBe("alone");
    expect(player.current).toBe(1);
    expect(stand(1).playing).toBe(false);
    await play(SONG);
    expect(player.state).toBe("off");
    expect(controls().isOn("mixer.automix")).toBe(false);
  });

  it("brings song after song into the deck that is free, while the kernel is busy", async () => {
    await start(planOf(["one", "two", "three"]));
    const answer = decks.kernel.answer.bind(decks.kernel);
    decks.kernel.answer = (method, params) => {
      if (method === "decks.load") throw new Error("A long cell runs.");
      return answer(method, params);
    };
    await until(1, 24 + 4 * BAR);
    await play(3);
    await decks.settle();
    expect(decks.decks.song(1)?.id).toBe("three");
    await until(2, 24 + 1);
    expect(stand(1).playing).toBe(true);
    expect(player.settled).toBe(2);
  });

  it("plays what was changed before it began, and goes on with what has begun", async () => {
    await start(planOf(["one", "two", "three"]));
    player.take(planOf(["one", "other", "three"], [{ out_at: 16, in_at: 4, bars: 2 }, { out_at: 24, in_at: 0, bars: 4 }]), decks.kernel.bridge);
    await decks.settle();
    expect(decks.decks.song(2)?.id).toBe("other");
    await until(1, 16.5);
    expect(stand(2).playing).toBe(true);
    expect(stand(2).position - 4).toBeCloseTo(stand(1).position - 16, 1);
    player.take(planOf(["one", "other", "last"], [{ out_at: 30, in_at: 0, bars: 1 }, { out_at: 20, in_at: 0, bars: 4 }]), decks.kernel.bridge);
    await play(8);
    await decks.settle();
    expect(stand(1).playing).toBe(false);
    expect(decks.decks.song(1)?.id).toBe("last");
    await until(2, 20.5);
    expect(stand(1).playing).toBe(true);
  });

  it("knows where it is when the songs before it change", async () => {
    await start(planOf(["one", "two", "three"]));
    await until(1, 31.5);
    await play(4);
    player.take(planOf(["two", "three"]), decks.kernel.bridge);
    await decks.settle();
    expect([player.current, player.deck(0), player.deck(1)]).toEqual([0, 2, 1]);
    await until(2, 24.5);
    expect(stand(1).playing).toBe(true);
    // On the other decks than planned the crossfader goes the other way.
    expect(controls().number("mixer.crossfader")).toBeLessThan(1);
    await play(8);
    expect(controls().get("mixer.crossfader")).toBe(-1);
    expect(stand(2).playing).toBe(false);
  });

  it("joins a song of the plan that plays already", async () => {
    decks.decks.load(2, "one");
    await decks.settle();
    set("deck.2.play", 1);
    await decks.settle();
    await play(5);
    player.take(planOf(["one", "two"]), decks.kernel.bridge);
    await player.start();
    await decks.settle();
    await play(0.1);
    expect(stand(2).position).toBeGreaterThan(5);
    await until(2, 24.5);
    expect(decks.decks.song(1)?.id).toBe("two");
    expect(stand(1).playing).toBe(true);
  });
});

describe("the next song", () => {
  it("comes with the next phrase, and asked again with the next bar", async () => {
    await start(planOf(["one", "two"]));
    await until(1, 2.5);
    player.next();
    expect(player.until).toBeCloseTo(16 - stand(1).position, 1);
    player.next();
    expect(player.until).toBeCloseTo(4 - stand(1).position, 1);
    await until(1, 4.2);
    expect(stand(2).playing).toBe(true);
    await play(4 * BAR);
    expect(stand(1).playing).toBe(false);
  });

  it("comes with the control, too", async () => {
    await start(planOf(["one", "two"]));
    set("mixer.automix.next", 1);
    await until(1, 16.5);
    expect(stand(2).playing).toBe(true);
  });

  it("comes with the next phrase when its place was jumped over, as long as there is room", async () => {
    await start(planOf(["one", "two"]));
    set("deck.1.seek", 29);
    await play(1);
    expect(player.until).toBeCloseTo(32 - stand(1).position, 1);
    await until(1, 32.5);
    expect(stand(2).playing).toBe(true);
    await play(9);
    expect(stand(1).playing).toBe(false);
    expect(player.current).toBe(1);
  });

  it("simply begins when the song has ended before", async () => {
    await start(planOf(["one", "two"]));
    set("deck.1.seek", SONG - 0.5);
    await play(1.5);
    await decks.settle();
    await play(0.5);
    expect(stand(2).playing).toBe(true);
    expect(controls().get("mixer.crossfader")).toBe(1);
    expect(player.current).toBe(1);
  });

  it("is left out when it cannot be brought", async () => {
    const answer = decks.kernel.answer.bind(decks.kernel);
    const asked: unknown[] = [];
    decks.kernel.answer = (method, params) => {
      if (method !== "automix.songs") return answer(method, params);
      asked.push(params);
      return { plan: planOf(["one", "three"]) };
    };
    await start(planOf(["one", "gone", "three"]));
    await play(0.5);
    await decks.settle();
    expect(asked).toEqual([{ plan: "plan", ids: ["one", "three"] }]);
    expect(decks.decks.song(2)?.id).toBe("three");
  });
});

describe("a person", () => {
  it("pauses the mix with its song", async () => {
    await start(planOf(["one", "two"]));
    await until(1, 20);
    set("deck.1.play", 0);
    await play(10);
    expect(player.state).toBe("alone");
    set("deck.1.play", 1);
    await play(0.2);
    await until(1, 24.5);
    expect(stand(2).playing).toBe(true);
  });

  it("who moves the crossfader mixes by hand, and the mix goes on from the song that is left", async () => {
    await start(planOf(["one", "two", "three"]));
    await until(1, 25);
    set("mixer.crossfader", -0.4);
    await play(9);
    expect(player.state).toBe("hands");
    expect(controls().get("mixer.crossfader")).toBe(-0.4);
    expect(stand(1).playing && stand(2).playing).toBe(true);
    set("mixer.crossfader", 1);
    await play(1.5);
    expect(player.state).toBe("alone");
    expect(player.current).toBe(1);
    expect(stand(1).playing).toBe(false);
    // What the mix had taken from the song that comes, it has back.
    expect(controls().isOn("deck.2.kill.low")).toBe(false);
    await decks.settle();
    expect(decks.decks.song(1)?.id).toBe("three");
  });

  it("who takes the crossfader back keeps the song, and the next one comes later", async () => {
    await start(planOf(["one", "two"]));
    await until(1, 25);
    set("mixer.crossfader", -0.5);
    await play(1);
    set("mixer.crossfader", -1);
    await play(3.5);
    expect(player.state).toBe("alone");
    expect(player.current).toBe(0);
    expect(stand(2).playing).toBe(false);
    expect(player.until).toBeGreaterThan(3);
    await until(1, 38.5);
    expect(stand(2).playing).toBe(true);
    expect(stand(2).position).toBeCloseTo(stand(1).position - 38, 1);
  });

  it("who pauses a song during a transition mixes by hand", async () => {
    await start(planOf(["one", "two"]));
    await until(1, 26);
    set("deck.1.play", 0);
    set("mixer.crossfader", 1);
    await play(2);
    expect(player.state).toBe("alone");
    expect(player.current).toBe(1);
    expect(stand(2).playing).toBe(true);
  });

  it("who turns another control during a transition has it for the rest of it", async () => {
    await start(planOf(["one", "two"]));
    await until(1, 25);
    set("deck.2.kill.low", 0);
    set("deck.2.kill.low", 1);
    await until(1, 31.5);
    expect(controls().isOn("deck.2.kill.low")).toBe(true);
    expect(player.state).toBe("mixing");
    expect(controls().number("mixer.crossfader")).toBeGreaterThan(0.7);
    await play(3);
    expect(player.current).toBe(1);
  });

  it("who puts another song into a deck, or switches it off, ends the mix; the music plays on", async () => {
    await start(planOf(["one", "two"]));
    decks.decks.load(2, "other");
    expect(player.state).toBe("off");
    expect(player.notice).toContain("Another song");
    expect(stand(1).playing).toBe(true);
    await decks.settle();
    await player.start();
    await decks.settle();
    expect(player.state).toBe("alone");
    set("mixer.automix", 0);
    expect(player.state).toBe("off");
    await until(1, 26);
    expect(stand(2).playing).toBe(false);
  });

  it("who switches it on without a plan is told so", async () => {
    set("mixer.automix", 1);
    await decks.settle();
    expect(player.notice).toContain("plan one first");
    expect(controls().isOn("mixer.automix")).toBe(false);
  });
});
