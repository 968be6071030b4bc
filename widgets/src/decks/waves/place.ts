/** Where a moment lies on the grid of a song: what is counted, and what comes next. */

import type { Analysis, Cue } from "../../types";
import { after } from "../../waveform/grid";

/** Bars that DJs count as one phrase. */
export const PHRASE = 4;
/** A downbeat and its beat may lie this far apart, in s. */
const SAME = 0.03;

export interface BeatPlace {
  /** From 1; 0 before the first downbeat. */
  bar: number;
  /** Beat of the bar, from 1. */
  beat: number;
  /** Of the beat that has passed, 0 to 1. */
  part: number;
  /** Beats of a bar. */
  metre: number;
}

/** Null before the grid, after it and without one. */
export function beatPlace(analysis: Analysis | null, time: number): BeatPlace | null {
  if (!analysis) return null;
  const { beats, downbeats, beats_per_bar: metre } = analysis;
  const next = after(beats, time);
  const from = beats[next - 1];
  const to = beats[next];
  if (from === undefined || to === undefined) return null;
  const part = (time - from) / (to - from);
  const bar = after(downbeats, from + SAME);
  if (bar === 0) {
    // What leads in counts back from the first downbeat.
    const first = downbeats[0] === undefined ? 0 : after(beats, downbeats[0] - SAME);
    return { bar, beat: modulo(next - 1 - first, metre) + 1, part, metre };
  }
  const first = after(beats, (downbeats[bar - 1] as number) - SAME);
  return { bar, beat: next - first, part, metre };
}

/** Beats from one time to a later one; null where the grid does not reach. */
export function beatsBetween(analysis: Analysis, from: number, to: number): number | null {
  const start = beatIndex(analysis.beats, from);
  const end = beatIndex(analysis.beats, to);
  return start === null || end === null ? null : end - start;
}

/** Beats since the grid's first, with parts; goes on evenly past both ends. */
function beatIndex(beats: readonly number[], time: number): number | null {
  if (beats.length < 2) return null;
  const at = Math.max(0, Math.min(beats.length - 2, after(beats, time) - 1));
  const from = beats[at] as number;
  return at + (time - from) / ((beats[at + 1] as number) - from);
}

/** The next hot cue after a time, in the order of the song. */
export function nextHotCue(cues: readonly Cue[], time: number): Cue | null {
  let next: Cue | null = null;
  for (const cue of cues) {
    if (cue.slot !== null && cue.time > time + SAME && (!next || cue.time < next.time)) next = cue;
  }
  return next;
}

/** Middle distance between neighbours, in s. */
export function spacing(times: readonly number[]): number {
  if (times.length < 2) return Number.POSITIVE_INFINITY;
  return ((times.at(-1) as number) - (times[0] as number)) / (times.length - 1);
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
