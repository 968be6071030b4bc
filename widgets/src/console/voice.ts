// The sound of one deck: a song, played from a place that moves.
import type { StretchModule } from "signalsmith-stretch";
import type { Song } from "./song";
import type { Role } from "./types";

/** Frames that `render` can write at most, and the length of `outputs`. */
export const BLOCK = 128;

/** Frames of the song, with fractions. */
export interface Loop {
  start: number;
  end: number;
}

export class Voice {
  /** Left and right of each of `roles`, BLOCK frames each: the mix first, then the stems. Those that do not play are silent. */
  readonly outputs: Float32Array[] = [];
  /** The roles of the song, in the order of `outputs`; empty without one. */
  roles: Role[] = [];
  /** Whether nothing but silence was written by the last `render`. */
  silent = true;
  /** The song has come to its end (or, backwards, to its beginning) and stopped; to be put back by whoever has seen it. */
  ended = false;
  /** Frames of the song: what is heard at the next frame. */
  position = 0;
  /** Frames of the song in a frame, with its sign; reached within a few milliseconds. */
  rate = 1;
  /** Keep the pitch whatever the rate. */
  keylock = false;
  /** Shift of the pitch. */
  semitones = 0;
  /** The hand is on the record: the rate is followed at once and at any speed, without key lock. */
  scratching = false;
  /** Play the stems as soon as all of them are here. */
  useStems = false;
  /** The loop in force. Passing its end, forwards, goes on at its start; the other way round backwards. */
  loop: Loop | null = null;
  /** Stopping keeps the position; what sounded fades out beyond it. */
  playing = false;

  constructor(
    readonly sampleRate: number,
    readonly newStretch: (channels: number) => StretchModule | null,
  ) {}

  /** Whether it plays the stems now, not the mix. */
  get stems(): boolean {
    return false;
  }

  /** Takes a song in, standing at its beginning; what sounded fades out. Null takes it out. */
  load(_song: Song | null): void {}

  /** Goes on at another place. Before the beginning there is silence. */
  jump(_frames: number): void {}

  /** Writes `outputs` from frame `from` to before frame `to`, and moves on. */
  render(_from: number, _to: number): void {}
}
