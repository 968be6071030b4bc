/** What the console knows and says. Nothing here knows a page: the same code runs in an audio worklet and in V8 inside Python. */

/** Slices in which songs come, in frames: short enough to be turned into integers without holding up a page. */
export const SLICE = 1 << 18;
/** Most decks. */
export const DECKS = 4;
export const HOT_CUES = 8;

/** "mix" or the name of a stem. */
export type Role = string;

export interface HotCue {
  /** Seconds. */
  time: number;
  /** Seconds; null for a point. */
  end: number | null;
}

export interface Grid {
  /** Seconds, rising. */
  beats: Float64Array;
  /** Which of the beats begin a bar. */
  downbeats: Int32Array;
  /** Whether its beats are so even that a tempo can be held to it. */
  steady: boolean;
}

/** All times of a song are seconds of the song, whatever it is played at; its sound is at the console's sample rate. */
export interface SongInfo {
  id: string;
  /** Frames at the console's sample rate. */
  frames: number;
  /** What comes in slices: "mix", then its stems. */
  roles: Role[];
  grid: Grid | null;
  hotCues: (HotCue | null)[];
  /** Seconds. */
  cuePoint: number;
  /** dB that bring it to the common loudness. */
  gain: number;
  /** Pitch class of its tonic (C is 0), and whether it is minor; null while unknown. */
  key: { tonic: number; minor: boolean } | null;
}

/** A stretch of sound as 16 bit integers; a full-scale sample is `scale`. */
export interface Slice {
  left: Int16Array;
  right: Int16Array;
  scale: number;
}

/**
 * When something is to happen. At a place: when the deck plays there, by what is heard, or as soon as it plays beyond it,
 * however it came there. A loop before the place makes it wait.
 */
export type When = { frame: number } | { deck: number; position: number } | { deck: number; beat: number };

export interface TimedEvent {
  when: When;
  control: string;
  /** A string for an enum or a text. */
  value: number | string;
  /** A continuous control moves there within this time, instead of at once. */
  over?: { seconds: number } | { beats: number };
}

export interface ControlChange {
  control: string;
  value: number | string;
}

/** What the console tells of itself; drained by its host after each block or now and then. */
export type ConsoleEvent =
  /** It changed a control by itself, or an event of a script did; only controls that hold a state. */
  | { type: "control"; frame: number; control: string; value: number | string }
  /**
   * A change that was asked for, by the host or by a script, took effect at this frame: what a script is recorded from.
   * `over` is how long it takes to get there, in s; `tag` is that of the script.
   */
  | { type: "applied"; frame: number; control: string; value: number | string; over?: number; tag?: string }
  /** A hot cue was set (`cue`) or cleared (null) on a deck. */
  | { type: "hotcue"; deck: number; slot: number; cue: HotCue | null }
  /** A script wants a track in a deck: the host loads it. */
  | { type: "load"; frame: number; deck: number; track: string }
  /** A deck came to the end of its song. */
  | { type: "ended"; deck: number }
  /** The events of a tag have all happened. */
  | { type: "finished"; tag: string };

/** One deck at a moment. */
export interface DeckState {
  loaded: boolean;
  playing: boolean;
  /** Seconds. */
  position: number;
  /** Seconds of the song in a second, with its sign; 0 while it stands. */
  rate: number;
  /** Seconds; null without one. `loopActive` says whether it is in force. */
  loop: { start: number; end: number } | null;
  loopActive: boolean;
  /** Where slip will go on, in s; null while it is off or nothing departs from it. */
  slip: number | null;
  /** Beats since the grid's first; null without a grid. */
  beat: number | null;
  /** Beats that it is ahead of its leader, -0.5 to 0.5; null without one. */
  phase: number | null;
  /** BPM now; null without a grid. */
  tempo: number | null;
  /** Whether it is the one that others follow. */
  leader: boolean;
  /** Peak since the last time, after its fader, linear. */
  left: number;
  right: number;
}

export interface ConsoleState {
  /** Frame at which what plays at these positions comes out: the limiter takes a few milliseconds. */
  frame: number;
  decks: DeckState[];
  /** Peaks since the last time, linear; `peak` is the true peak. */
  left: number;
  right: number;
  peak: number;
  /** VU levels, linear: as loud as the last 0.3 s. */
  vuLeft: number;
  vuRight: number;
  /** Linear gain of the limiter at its lowest since the last time, at most 1. */
  reduction: number;
  /** Number of the last message of changes that has been applied. */
  seen: number;
}
