/** What the console is told of a song, from what the kernel knows of it. */

import { HOT_CUES } from "./types";
import type { Grid, HotCue, Role, SongInfo } from "./types";

/** What the kernel knows; a `DeckLoad` is one. */
export interface SongFacts {
  /** Seconds. */
  analysis: { beats: number[]; downbeats: number[] } | null;
  cues: { time: number; end: number | null; slot: number | null }[];
  gain: number;
  key: { tonic: number; minor: boolean } | null;
}

/** Seconds by which a downbeat may miss its beat. */
const SAME = 0.05;
/** A song whose first bar begins later than this (in s) is cued at its very beginning. */
const FIRST_BAR = 4;
/** Of the length of a beat by which its neighbours may differ, and which part of all beats must keep to that. */
const EVEN = 0.03;
const MOST = 0.95;

export function songInfo(facts: SongFacts, sound: { id: string; frames: number; roles: Role[] }): SongInfo {
  const grid = gridOf(facts.analysis);
  return {
    ...sound,
    grid,
    hotCues: hotCuesOf(facts.cues),
    cuePoint: cuePointOf(grid),
    gain: facts.gain,
    key: facts.key,
  };
}

/** The beats of an analysis; null where there are too few to play by. */
export function gridOf(analysis: SongFacts["analysis"]): Grid | null {
  if (analysis === null || analysis.beats.length < 2) return null;
  const beats = Float64Array.from(analysis.beats);
  return { beats, downbeats: downbeatsOf(beats, analysis.downbeats), steady: isSteady(beats) };
}

/** The eight hot cues of a deck, from all cues of a song. */
export function hotCuesOf(cues: SongFacts["cues"]): (HotCue | null)[] {
  const slots = new Array<HotCue | null>(HOT_CUES).fill(null);
  for (const { slot, time, end } of cues) {
    if (slot !== null && slot >= 1 && slot <= HOT_CUES) slots[slot - 1] = { time, end };
  }
  return slots;
}

function cuePointOf(grid: Grid | null): number {
  const first = grid === null ? undefined : grid.beats[grid.downbeats[0] ?? 0];
  return first !== undefined && first >= 0 && first <= FIRST_BAR ? first : 0;
}

function downbeatsOf(beats: Float64Array, downbeats: number[]): Int32Array {
  const found: number[] = [];
  let beat = 0;
  for (const time of downbeats) {
    while (beat + 1 < beats.length && distance(beats, beat + 1, time) <= distance(beats, beat, time)) beat++;
    if (distance(beats, beat, time) <= SAME && found.at(-1) !== beat) found.push(beat);
  }
  return Int32Array.from(found);
}

function distance(beats: Float64Array, beat: number, time: number): number {
  return Math.abs((beats[beat] as number) - time);
}

function isSteady(beats: Float64Array): boolean {
  let even = 0;
  for (let i = 2; i < beats.length; i++) {
    const before = (beats[i - 1] as number) - (beats[i - 2] as number);
    const now = (beats[i] as number) - (beats[i - 1] as number);
    if (Math.abs(now - before) <= EVEN * before) even++;
  }
  return even >= MOST * (beats.length - 2);
}
