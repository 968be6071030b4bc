/** The console: decks, mixer, effects, sync and timed events; everything that is heard is made here. */

import type { StretchModule } from "signalsmith-stretch";
import type { SongUpdate } from "./messages";
import type { ConsoleEvent, ConsoleState, Role, Slice, SongInfo, TimedEvent } from "./types";

export interface ConsoleOptions {
  /** Hz. */
  sampleRate: number;
  /** The stretcher's module of a deck (1 to 4), one for each; null as long as it is not there. */
  stretch: (deck: number) => StretchModule | null;
}

/** What hosts use: the audio worklet, and V8 inside Python. */
export interface ConsoleHost {
  /** Frames since it began; the next one that `process` makes. */
  readonly frame: number;
  /** Values of all controls in the order of the table (an enum's is its place); texts are not in it. */
  readonly values: Float64Array;
  /** Sets a control, now or when `at` comes (a frame). A ControlError for what is none of its values. */
  set(control: number | string, value: number | string, options?: { at?: number; n?: number }): void;
  /** Value of a control as the table has it. */
  get(control: number | string): number | string;
  load(deck: number, info: SongInfo): void;
  slice(deck: number, song: string, role: Role, index: number, slice: Slice): void;
  update(deck: number, change: SongUpdate): void;
  unload(deck: number): void;
  play(tag: string, events: TimedEvent[]): void;
  cancel(tag: string): void;
  /** Makes the next frames; `masterLeft` and so on are filled from their beginning. */
  process(masterLeft: Float32Array, masterRight: Float32Array, phonesLeft: Float32Array, phonesRight: Float32Array, frames: number): void;
  /** What has happened since the last time. */
  drain(): ConsoleEvent[];
  state(): ConsoleState;
}
