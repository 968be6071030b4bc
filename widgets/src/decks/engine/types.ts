/** What the decks' engine shows of itself. */

import type { ConsoleEvent, ConsoleState, DeckState } from "../../console/types";
import type { Analysis, Cue, TrackRow } from "../../types";
import type { Pyramid } from "../../waveform/pyramid";

/** A song in a deck. It is another object when anything of it has changed. */
export interface DeckSong {
  id: string;
  title: string;
  artist: string;
  track: TrackRow;
  /** Seconds. */
  duration: number;
  /** Of "mix" and of its stems. */
  pyramids: ReadonlyMap<string, Pyramid>;
  analysis: Analysis | null;
  cues: readonly Cue[];
  /** By slot: the first is hot cue 1. */
  hotCues: readonly (Cue | null)[];
  /** Pitch class of the tonic (C is 0); null while unknown. */
  key: { tonic: number; minor: boolean } | null;
  /** Its stems, whether they have come or not. */
  stems: readonly string[];
  /** Whether the stems can be heard. */
  stemsReady: boolean;
  /** dB that bring it to the loudness that all decks play at. */
  gain: number;
}

/** A deck as it is heard at this moment: smooth from frame to frame. Of a picture's frame, not to be kept. */
export type DeckMoment = DeckState;

/** What leaves the mixer: peaks, levels as VU meters show them, true peak and the limiter's gain, linear. */
export type MasterLevels = Pick<ConsoleState, "left" | "right" | "vuLeft" | "vuRight" | "peak" | "reduction">;

/** How far the song of a deck has come. */
export interface DeckLoading {
  what: "song" | "stems";
  phase: "fetch" | "decode";
  /** 0 to 1; null while unknown. */
  fraction: number | null;
}

export interface Failure {
  message: string;
  hint: string | null;
}

/** `deck` is null when no single one is meant. */
export interface DeckFailure extends Failure {
  deck: number | null;
}

/**
 * Where the decks of a view's kernel play: here; in another page ("elsewhere"); or this page plays the decks of another
 * notebook ("other"). "joining" until the kernel has answered.
 */
export type Holding = "joining" | "here" | "elsewhere" | "other";

/** A view of the decks and its kernel. */
export interface Seat {
  readonly holding: Holding;
  /** Makes this page play the decks of this view's kernel. */
  use(): void;
}

export interface DeckEvents {
  /** Something of a deck other than the position of a playing song: its song, cues, play, loop, loading. */
  deck: number;
  /** New levels. */
  meters: void;
  /** How far the song of a deck has come. */
  loading: number;
  error: DeckFailure;
  /** Play was asked for before the page's first click: sound starts with that click. */
  blocked: boolean;
  /** A seat's `holding` has changed. */
  holder: void;
  /** `sound` has changed: the engine is there, or what it cannot do here. */
  sound: void;
  /** Second output: devices, or the chosen one. */
  headphones: void;
  /** The recording of the master: begun, ended, saved. */
  recording: void;
  /** The recording or playing of scripts. */
  script: void;
  /** What the console tells, in its order. */
  happened: ConsoleEvent;
}
