/** Decks that a test moves by hand, with songs made for looking at. */

import { Clock, type FrameSource } from "../../clock/clock";
import { ControlStore } from "../../control/store";
import type { Analysis, Cue } from "../../types";
import { type Pyramid, readPyramid, STRIDE } from "../../waveform/pyramid";
import type { DeckMoment, DeckSong, Decks, Scene } from "./source";

const RATE = 44_100;
const BINS = [256, 2048, 16_384];
const STEMS = ["vocals", "drums", "bass", "other"];

export interface FakeSong {
  bpm?: number;
  /** Seconds. */
  duration?: number;
  stems?: boolean;
  cues?: Partial<Cue>[];
  key?: { tonic: number; minor: boolean };
}

/** Kicks on the beat, hats between, a pad that swells; its grid begins at 0.5 s. */
export function fakeSong({ bpm = 120, duration = 60, stems = false, cues = [], key }: FakeSong = {}): DeckSong {
  const beats = Array.from({ length: Math.floor(((duration - 0.5) * bpm) / 60) }, (_, i) => 0.5 + (i * 60) / bpm);
  const downbeats = beats.filter((_, i) => i % 4 === 0);
  const middle = downbeats[downbeats.length >> 1] ?? duration / 2;
  return {
    id: `song-${bpm}`,
    title: `A song at ${bpm}`,
    duration,
    pyramids: new Map(["mix", ...(stems ? STEMS : [])].map((role) => [role, pyramid(role, bpm, duration)])),
    // The pictures look at no more of it.
    analysis: {
      duration_s: duration, bpm, beats, downbeats, beats_per_bar: 4,
      sections: [{ start: 0, end: middle, label: "verse" }, { start: middle, end: duration, label: "drop" }],
    } as unknown as Analysis,
    cues: cues.map((cue, i) => ({
      id: String(i), time: 0, type: "cue", label: "", color: null, confidence: null, reason: null, slot: i + 1, end: null, ...cue,
    })),
    key: key ?? null,
  };
}

function pyramid(role: string, bpm: number, duration: number): Pyramid {
  const levels = BINS.map((frames) => {
    const data = new Int8Array(Math.ceil((duration * RATE) / frames) * STRIDE);
    for (let at = 0; at < data.length; at += STRIDE) {
      const time = ((at / STRIDE) * frames) / RATE;
      const beat = ((((time - 0.5) * bpm) / 60) % 1 + 1) % 1;
      const kick = Math.exp(-7 * beat);
      const hat = 0.5 * Math.exp(-9 * ((beat + 0.5) % 1));
      const pad = 0.3 + 0.2 * Math.sin(time);
      const bands = role === "drums" ? [kick, kick / 2, hat] : role === "bass" ? [pad, 0, 0]
        : role === "mix" ? [kick, pad, hat] : [0, pad, pad / 3];
      [Math.max(...bands), ...bands].forEach((height, band) => {
        data[at + band * 3] = -127 * height;
        data[at + band * 3 + 1] = 127 * height;
        data[at + band * 3 + 2] = 60 * height;
      });
    }
    return data;
  });
  return readPyramid({
    sample_rate: RATE, frames: Math.round(duration * RATE), duration,
    levels: levels.map((data, buffer) => ({ bin_frames: BINS[buffer] as number, bins: data.length / STRIDE, buffer })),
  }, levels.map((data) => new DataView(data.buffer)));
}

export class FakeDecks implements Decks {
  readonly moments: DeckMoment[];
  readonly #heard = new Set<(deck: number) => void>();

  constructor(readonly songs: (DeckSong | null)[]) {
    this.moments = songs.map(() => ({
      position: 0, playing: false, rate: 0, loop: null, loopActive: false, slip: null, phase: null, tempo: null, leader: false,
    }));
  }

  stand(deck: number): DeckMoment {
    return this.moments[deck - 1] as DeckMoment;
  }

  song(deck: number): DeckSong | null {
    return this.songs[deck - 1] ?? null;
  }

  on(_event: "deck", callback: (deck: number) => void, signal: AbortSignal): void {
    this.#heard.add(callback);
    signal.addEventListener("abort", () => this.#heard.delete(callback), { once: true });
  }

  change(deck: number, change: Partial<DeckMoment>): void {
    Object.assign(this.stand(deck), change);
    for (const callback of this.#heard) callback(deck);
  }
}

export interface FakeScene extends Scene {
  decks: FakeDecks;
  controls: ControlStore;
}

/** A scene of four decks; those without a song are empty. */
export function fakeScene(songs: (DeckSong | null)[], signal: AbortSignal, frames?: FrameSource): FakeScene {
  const decks = new FakeDecks([0, 1, 2, 3].map((index) => songs[index] ?? null));
  return { decks, controls: new ControlStore(), clock: new Clock(frames), signal };
}
