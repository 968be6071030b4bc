/** What a page and the audio worklet of its console say to each other. Decks are numbered from 1. */

import type { ConsoleEvent, ConsoleState, Grid, HotCue, Slice, SongInfo, TimedEvent } from "./types";

/** Name of the processor, and of its outputs: the master and the headphones, both stereo. */
export const PROCESSOR = "sfa-console";

/** What may change about a song that is in a deck. */
export interface SongUpdate {
  grid?: Grid | null;
  hotCues?: (HotCue | null)[];
  /** dB. */
  gain?: number;
  key?: SongInfo["key"];
}

export type ToConsole =
  /** In order; `n` numbers these messages and comes back as `seen`. */
  | { type: "set"; changes: [control: string, value: number | string][]; n: number }
  /** `like`: a deck that has a song with the same sound. */
  | { type: "load"; deck: number; info: SongInfo; like?: number }
  /** `index` counts slices of SLICE frames; the arrays of the slice are transferred. Late ones of another song are dropped. */
  | { type: "slice"; deck: number; song: string; role: string; index: number; slice: Slice }
  /** The song has these stems now: their slices follow, and the mix is heard until then. */
  | { type: "restem"; deck: number; song: string; stems: string[] }
  | ({ type: "update"; deck: number } & SongUpdate)
  | { type: "unload"; deck: number }
  /** Frames of these events are frames of the context. A script of the same tag is replaced. */
  | { type: "play"; tag: string; events: TimedEvent[] }
  | { type: "cancel"; tag: string }
  /** Copies the master until it is off; the first part begins at the next block. */
  | { type: "record"; on: boolean }
  /** Asks for the state now. */
  | { type: "probe" };

export type FromConsole =
  /** The stretcher is there: from now on key lock holds the key. Songs play before that, too. */
  | { type: "ready" }
  /** Every 25 ms or so while anything moves or sounds, and when asked. */
  | { type: "state"; state: ConsoleState }
  | { type: "events"; events: ConsoleEvent[]; seen: number }
  /** A message that could not be followed, in a sentence. */
  | { type: "refused"; message: string; n: number | null }
  /** Part of the recording from `frame` on, transferred; of RECORD_PART frames, the last one shorter (possibly empty). */
  | { type: "recorded"; left: Float32Array; right: Float32Array; frame: number; last: boolean };

/** Frames of a part of a recording. */
export const RECORD_PART = 16384;
