/** Cues as the decks draw them: hot cues with a letter, others as small marks. */

import type { Cue } from "../../types";
import { title, typeColour } from "../../waveform/song";
import { cueColour, cueLetter } from "./source";

export interface Flag {
  /** Seconds. */
  time: number;
  /** Seconds; null for a point. */
  end: number | null;
  /** "" of a cue that is no hot cue. */
  letter: string;
  label: string;
  /** A custom property of the theme, or a colour. */
  colour: string;
}

/** In the order of the song. */
export function flagsOf(cues: readonly Cue[]): Flag[] {
  return [...cues].sort((a, b) => a.time - b.time).map((cue) => ({
    time: cue.time,
    end: cue.end,
    letter: cue.slot === null ? "" : cueLetter(cue.slot),
    label: cue.label || title(cue.type),
    colour: cueColour(cue) ?? typeColour(cue.type),
  }));
}
