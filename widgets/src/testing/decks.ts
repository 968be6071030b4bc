/** Decks without sound: the real store of controls, and songs that stand where a test puts them. */

import { Clock } from "../clock/clock";
import { ControlStore } from "../control/store";
import type { DeckSystem } from "../decks/engine/system";
import type { DeckEvents, DeckLoading, DeckMoment, DeckSong, Failure, Holding } from "../decks/engine/types";
import type { Analysis, Cue } from "../types";
import { type Pyramid, STRIDE } from "../waveform/pyramid";
import { trackRow } from "./rows";
import { fullAnalysis } from "./song";

const LENGTH = 240;

export function hotCue(slot: number, time: number, changes: Partial<Cue> = {}): Cue {
  return { id: `cue${slot}`, time, type: "hot", label: "", color: null, confidence: null, reason: null, slot, end: null, ...changes };
}

/** A song of four minutes with a kick on each beat. */
export function deckSong(id: string, changes: Partial<DeckSong> = {}): DeckSong {
  const bpm = 120;
  const analysis: Analysis = fullAnalysis({
    duration_s: LENGTH, bpm, beats: Array.from({ length: LENGTH * 2 }, (_, i) => i / 2), downbeats: Array.from({ length: LENGTH / 2 }, (_, i) => i * 2),
    sections: [[0, 32, "intro"], [32, 64, "build"], [64, 128, "drop"], [128, 160, "break"], [160, 208, "drop"], [208, 240, "outro"]]
      .map(([start, end, label]) => ({ start, end, label, confidence: 0.8, group: "" }) as never),
  });
  const cues = changes.cues ?? [];
  const stems = ["vocals", "drums", "bass", "other"];
  return {
    id, title: `Track ${id}`, artist: "Somebody", track: trackRow(id, { duration: LENGTH, bpm }), duration: LENGTH,
    pyramids: new Map(["mix", ...stems].map((role, i) => [role, pyramid(i)])), analysis, cues,
    hotCues: Array.from({ length: 8 }, (_, i) => cues.find(({ slot }) => slot === i + 1) ?? null),
    key: { tonic: 9, minor: true }, stems, stemsReady: true, gain: 0, ...changes,
  };
}

function pyramid(seed: number): Pyramid {
  const seconds = 1 / 150;
  const bins = Math.round(LENGTH / seconds);
  const data = new Int8Array(bins * STRIDE);
  for (let bin = 0; bin < bins; bin += 1) {
    const time = bin * seconds;
    const beat = (time * 2) % 1;
    const energy = 0.35 + 0.3 * Math.sin(time / 9 + seed) ** 2;
    const bands = [0.9 * Math.exp(-6 * beat), energy * 0.6, energy * Math.exp(-18 * ((time * 4 + seed / 3) % 1))];
    const whole = Math.min(1, Math.max(...bands) * 1.05);
    for (const [band, level] of [whole, ...bands].entries()) {
      const at = bin * STRIDE + band * 3;
      data.set([-127 * level, 127 * level, 90 * level].map(Math.round), at);
    }
  }
  return { duration: LENGTH, levels: [{ seconds, bins, data }], peak: 1 };
}

export class FakeDecks {
  readonly version = 1;
  readonly controls = new ControlStore();
  readonly clock = new Clock();
  readonly sound = "full" as const;
  limits: Failure | null = null;
  blocked = false;
  holding: Holding = "here";
  levels = { left: 0, right: 0, peak: 0, vuLeft: 0, vuRight: 0, reduction: 1 };
  readonly headphones = { missing: null as Failure | null, device: null, devices: async () => [], choose: async () => undefined };
  readonly recording = { on: false, seconds: 0, saving: false, format: "flac" as const };
  readonly script = { recording: false, playing: [], record() {}, finish: () => null, play: async () => undefined, stop() {} };
  /** What the view asked for, in order. */
  readonly asked: unknown[][] = [];
  readonly moments: DeckMoment[] = [1, 2, 3, 4].map(() => ({
    loaded: false, playing: false, position: 0, rate: 0, loop: null, loopActive: false, slip: null, beat: null, phase: null, tempo: null,
    leader: false, left: 0, right: 0,
  }));
  readonly #songs = new Map<number, DeckSong>();
  readonly #loading = new Map<number, DeckLoading>();
  readonly #failures = new Map<number, Failure>();
  readonly #listeners: { event: keyof DeckEvents; callback: (data: never) => void }[] = [];

  /** As the view knows it. */
  get system(): DeckSystem {
    return this as unknown as DeckSystem;
  }

  /** Puts a song into a deck. */
  put(deck: number, song: DeckSong, moment: Partial<DeckMoment> = {}): void {
    this.#songs.set(deck, song);
    this.move(deck, { loaded: true, tempo: song.analysis?.bpm ?? null, ...moment });
  }

  move(deck: number, moment: Partial<DeckMoment>): void {
    Object.assign(this.stand(deck), moment);
    this.tell("deck", deck);
  }

  fail(deck: number, failure: Failure): void {
    this.#failures.set(deck, failure);
    this.tell("deck", deck);
  }

  arrive(deck: number, loading: DeckLoading): void {
    this.#loading.set(deck, loading);
    this.tell("loading", deck);
  }

  tell<E extends keyof DeckEvents>(event: E, data: DeckEvents[E]): void {
    for (const listener of this.#listeners) if (listener.event === event) listener.callback(data as never);
  }

  stand(deck: number): DeckMoment {
    return this.moments[deck - 1] as DeckMoment;
  }

  song(deck: number): DeckSong | null {
    return this.#songs.get(deck) ?? null;
  }

  loading(deck: number): DeckLoading | null {
    return this.#loading.get(deck) ?? null;
  }

  failure(deck: number): Failure | null {
    return this.#failures.get(deck) ?? null;
  }

  on<E extends keyof DeckEvents>(event: E, callback: (data: DeckEvents[E]) => void, signal: AbortSignal): void {
    const listener = { event, callback };
    this.#listeners.push(listener);
    signal.addEventListener("abort", () => this.#listeners.splice(this.#listeners.indexOf(listener), 1), { once: true });
  }

  join(): { holding: Holding; use(): void } {
    const use = () => this.asked.push(["use"]);
    const now = () => this.holding;
    return { get holding() { return now(); }, use };
  }

  unlock(): void {}

  load(deck: number, id: string): void {
    this.asked.push(["load", deck, id]);
  }

  async setCue(...what: unknown[]): Promise<void> {
    this.asked.push(["setCue", ...what]);
  }

  async clearCue(...what: unknown[]): Promise<void> {
    this.asked.push(["clearCue", ...what]);
  }

  async fillCues(deck: number): Promise<void> {
    this.asked.push(["fillCues", deck]);
  }
}
