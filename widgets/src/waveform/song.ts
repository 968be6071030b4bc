/** What the pictures of a song are drawn from. */

import type { Analysis, Cue, Section } from "../types";
import type { Pyramid } from "./pyramid";

export interface SongPicture {
  /** Seconds. */
  duration: number;
  pyramid: Pyramid | null;
  /** Seconds, sorted. */
  beats: readonly number[];
  downbeats: readonly number[];
  sections: readonly Section[];
  cues: readonly Mark[];
}

/** A cue as it is drawn: its number on the keys, a label, a colour. */
export interface Mark {
  time: number;
  number: number;
  label: string;
  type: string;
  /** A custom property of the theme, or a colour. */
  colour: string;
}

export interface Range {
  start: number;
  end: number;
}

const CUE_COLOURS: Record<string, string> = {
  intro: "--cue-intro",
  verse: "--cue-verse",
  vocal: "--cue-vocal",
  build: "--cue-build",
  drop: "--cue-drop",
  chorus: "--cue-chorus",
  break: "--cue-break",
  breakdown: "--cue-break",
  bridge: "--cue-bridge",
  outro: "--cue-outro",
  energy_up: "--energy-up",
  energy_down: "--energy-down",
  key_change: "--key-change",
};

/** The theme's colour for a type of cue or section. */
export function typeColour(type: string): string {
  return CUE_COLOURS[type.toLowerCase().replace(/[\s-]+/g, "_")] ?? "--dim";
}

/** Cues in the order of the song, numbered as the keys 1 to 8 reach them. */
export function marksOf(cues: readonly Cue[]): Mark[] {
  return [...cues]
    .sort((a, b) => a.time - b.time)
    .map((cue, index) => ({
      time: cue.time,
      number: index + 1,
      label: cue.label || title(cue.type),
      type: cue.type,
      colour: cue.color && /^#[0-9a-f]{3,6}$/i.test(cue.color) ? cue.color : typeColour(cue.type),
    }));
}

export function pictureOf(
  duration: number,
  pyramid: Pyramid | null,
  analysis: Analysis | null,
  cues: readonly Cue[],
): SongPicture {
  return {
    duration: pyramid?.duration || analysis?.duration_s || duration,
    pyramid,
    beats: analysis?.beats ?? [],
    downbeats: analysis?.downbeats ?? [],
    sections: analysis?.sections ?? [],
    cues: marksOf(cues),
  };
}

/** "drop" -> "Drop", "energy_up" -> "Energy up". */
export function title(type: string): string {
  const words = type.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How much taller a quiet song is drawn than it is. */
export function displayGain(peak: number): number {
  return peak > 0 ? Math.max(1, Math.min(4, 0.98 / peak)) : 1;
}
