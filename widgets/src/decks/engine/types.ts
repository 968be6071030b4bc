/** What the decks' engine shows of itself. */

import type { ConsoleEvent } from "../../console/types";
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

/** A deck at this moment. Of a picture's frame, not to be kept. */
export interface DeckMoment {
  loaded: boolean;
  playing: boolean;
  /** What is heard now, in s of the song: smooth from frame to frame. */
  position: number;
  /** Seconds of the song in a second, with its sign; 0 while it stands. */
  rate: number;
  /** Seconds; null without one. `loopActive` says whether it is in force. */
  loop: { start: number; end: number } | null;
  loopActive: boolean;
  /** Where slip will go on, in s, moving along; null while nothing departs from it. */
  slip: number | null;
  /** Beats since the grid's first; null without a grid. */
  beat: number | null;
  /** Beats that it is ahead of its leader, -0.5 to 0.5; null without one. */
  phase: number | null;
  /** BPM now; null without a grid. */
  tempo: number | null;
  /** Whether it is the one that others follow. */
  leader: boolean;
  /** Peaks after its fader, linear. */
  left: number;
  right: number;
}

/** What leaves the mixer: peaks, true peak, VU levels and the limiter's gain, linear. */
export interface MasterLevels {
  left: number;
  right: number;
  peak: number;
  vuLeft: number;
  vuRight: number;
  reduction: number;
}

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
