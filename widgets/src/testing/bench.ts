/** A console on the bench: songs in its decks, hands on its controls, and what comes out. */

import type { StretchModule } from "signalsmith-stretch";
import { Console } from "../console/console";
import type { ConsoleEvent, DeckState, Grid, Slice, SongInfo } from "../console/types";
import { SLICE } from "../console/types";
import { clicks, info, RATE, slice, type Sound } from "./sound";

/** Beats every so many seconds, from `first` on. */
export function even(bpm: number, seconds: number, first = 0): Grid {
  const beats = Float64Array.from({ length: Math.floor(((seconds - first) * bpm) / 60) }, (_, beat) => first + (beat * 60) / bpm);
  return { beats, downbeats: Int32Array.from({ length: beats.length >> 2 }, (_, bar) => 4 * bar), steady: true };
}

/** The usual songs, which are made once: a click on every beat. */
const USUAL = new Map<string, Slice[]>();

function usual(bpm: number, frames: number): Slice[] {
  const name = `${bpm} ${frames}`;
  const slices = USUAL.get(name) ?? slicesOf(clicks((RATE * 60) / bpm), frames);
  USUAL.set(name, slices);
  return slices;
}

function slicesOf(sound: Sound, frames: number): Slice[] {
  return Array.from({ length: Math.ceil(frames / SLICE) }, (_, index) => slice(sound, index, frames));
}

export interface Loaded extends Partial<SongInfo> {
  seconds?: number;
  bpm?: number;
  sound?: Sound;
  /** A sound for each role, instead of one for the mix. */
  sounds?: Record<string, Sound>;
}

export class Bench {
  readonly console: Console;
  events: ConsoleEvent[] = [];

  constructor(stretch: () => StretchModule | null = () => null) {
    this.console = new Console({ sampleRate: RATE, stretch });
    this.console.set("mixer.limiter", 0);
    this.events = [];
  }

  /** Puts a song into a deck: a minute at 120 BPM with a click on every beat, unless told otherwise. */
  load(deck: number, { seconds = 60, bpm = 120, sound, sounds, ...more }: Loaded = {}): this {
    const frames = Math.round(seconds * RATE);
    const made = sounds ?? (sound && { mix: sound });
    const id = more.id ?? `song ${deck}`;
    this.console.load(deck, info(frames, made ? Object.keys(made) : ["mix"], { grid: even(bpm, seconds), ...more, id }));
    const roles = made ? Object.entries(made).map(([role, each]) => [role, slicesOf(each, frames)] as const) : [["mix", usual(bpm, frames)] as const];
    for (const [role, slices] of roles) slices.forEach((part, index) => this.console.slice(deck, id, role, index, part));
    this.#hear();
    return this;
  }

  set(control: string, value: number | string = 1): this {
    this.console.set(control, value);
    this.#hear();
    return this;
  }

  /** Presses a button and lets it go. */
  press(control: string): this {
    return this.set(control, 1).set(control, 0);
  }

  /** Plays for so many seconds, cut into such blocks; the left of the master. */
  run(seconds: number, block = 128): Float32Array {
    return this.frames(Math.round(seconds * RATE), block);
  }

  frames(frames: number, block = 128): Float32Array {
    const heard = new Float32Array(frames);
    const [left, right, a, b] = [0, 1, 2, 3].map(() => new Float32Array(block)) as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (let done = 0; done < frames; ) {
      const count = Math.min(block, frames - done);
      this.console.process(left, right, a, b, count);
      heard.set(left.subarray(0, count), done);
      done += count;
    }
    this.#hear();
    return heard;
  }

  deck(number: number): DeckState {
    return this.console.state().decks[number - 1] as DeckState;
  }

  /** Seconds of the song at which a deck stands. */
  at(deck: number): number {
    return this.deck(deck).position;
  }

  get(control: string): number | string {
    return this.console.get(control);
  }

  /** What the console has told of a control since the beginning. */
  told(control: string): (number | string)[] {
    return this.events.flatMap((event) => (event.type === "control" && event.control === control ? [event.value] : []));
  }

  #hear(): void {
    this.events.push(...this.console.drain());
  }
}
