/** Two songs beside each other: how they are laid over each other in time, and how they differ. */

import type { AnalysisData } from "./data";
import { beatsPerMinute, figure, known, loudness, sharps } from "./words";

export type Alignment = "start" | "downbeat" | "drop";

export const ALIGNMENTS: Record<Alignment, string> = {
  start: "By their starts", downbeat: "By the first downbeat", drop: "By the first drop",
};

/** The time that an alignment lays over the other song's, in s; null where a song has no such place. */
export function anchorOf(data: AnalysisData, alignment: Alignment): number | null {
  if (alignment === "start") return 0;
  const times = alignment === "downbeat" ? data.analysis?.downbeats : data.analysis?.drops;
  return times?.[0] ?? null;
}

/** What to add to a time of the first song to get the second one's, in s; null where it cannot be aligned so. */
export function shiftOf(first: AnalysisData, second: AnalysisData, alignment: Alignment): number | null {
  const from = anchorOf(first, alignment);
  const to = anchorOf(second, alignment);
  return from === null || to === null ? null : to - from;
}

export interface Difference {
  label: string;
  first: string;
  second: string;
  words: string;
}

export function differences(first: AnalysisData, second: AnalysisData): Difference[] {
  const a = first.analysis;
  const b = second.analysis;
  if (!a || !b) return [];
  return [
    { label: "Tempo", first: beatsPerMinute(a.bpm), second: beatsPerMinute(b.bpm), words: tempoWords(a.bpm, b.bpm) },
    { label: "Key", first: keyText(a), second: keyText(b), words: keyWords(a.camelot, b.camelot) },
    { label: "Loudness", first: loudness(a.lufs), second: loudness(b.lufs), words: loudnessWords(a.lufs, b.lufs) },
    { label: "Energy", first: energyText(a.energy), second: energyText(b.energy), words: energyWords(a.energy, b.energy) },
  ];
}

function keyText({ key, camelot }: { key: string | null; camelot: string | null }): string {
  return key ? `${camelot ?? ""} ${sharps(key)}`.trim() : "–";
}

function energyText(energy: number | null): string {
  return energy === null ? "–" : `${energy} of 10`;
}

/** How much faster or slower the second must be played, also at half or double time. */
export function tempoWords(first: number | null, second: number | null): string {
  if (!known(first) || !known(second) || first <= 0 || second <= 0) return "Not both have a tempo.";
  let ratio = first / second;
  let octave = "";
  if (ratio > Math.SQRT2) {
    ratio /= 2;
    octave = "B at double time: ";
  } else if (ratio < Math.SQRT1_2) {
    ratio *= 2;
    octave = "B at half time: ";
  }
  const change = (ratio - 1) * 100;
  const words = Math.abs(change) < 0.005
    ? "the same tempo"
    : `B needs ${change > 0 ? "+" : "−"}${Math.abs(change).toFixed(2)} % to run with A (ratio ${ratio.toFixed(4)})`;
  const whole = octave + words;
  return whole.charAt(0).toUpperCase() + whole.slice(1);
}

/** How two places on the Camelot wheel get on. */
export function keyWords(first: string | null, second: string | null): string {
  const a = placeOnWheel(first);
  const b = placeOnWheel(second);
  if (!a || !b) return "Not both have a key.";
  const steps = ((b.number - a.number + 18) % 12) - 6;
  const sameMode = a.letter === b.letter;
  if (steps === 0 && sameMode) return "The same key: they mix.";
  if (steps === 0) return "Relative major and minor: they mix.";
  if (Math.abs(steps) === 1 && sameMode) return "Neighbours on the wheel: they mix.";
  if (Math.abs(steps) === 1) return "Diagonal neighbours: they mix with care.";
  if (Math.abs(steps) === 2 && sameMode) return "Two steps on the wheel: a lift or a fall, for a short blend.";
  // A semitone up is seven steps further.
  const semitones = [1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6].find((shift) => (((b.number + 7 * shift - a.number) % 12) + 12) % 12 === 0) ?? 0;
  const match = `B ${semitones > 0 ? "up" : "down"} ${Math.abs(semitones)} ${Math.abs(semitones) === 1 ? "semitone" : "semitones"} would match`;
  return `${Math.abs(steps) || 6} steps apart: they clash. ${match}.`;
}

function placeOnWheel(camelot: string | null): { number: number; letter: string } | null {
  const match = /^(1[0-2]|[1-9])([AB])$/.exec(camelot ?? "");
  return match ? { number: Number(match[1]), letter: match[2] as string } : null;
}

function loudnessWords(first: number | null, second: number | null): string {
  if (!known(first) || !known(second)) return "Not both have a loudness.";
  const difference = second - first;
  if (Math.abs(difference) < 0.05) return "Equally loud.";
  return `B is ${figure(Math.abs(difference), 1)} LU ${difference > 0 ? "louder" : "quieter"}.`;
}

function energyWords(first: number | null, second: number | null): string {
  if (first === null || second === null) return "Not both have an energy.";
  const difference = second - first;
  if (difference === 0) return "The same energy.";
  const step = Math.abs(difference) === 1 ? "step" : "steps";
  return `B is ${Math.abs(difference)} ${step} ${difference > 0 ? "higher" : "lower"}.`;
}
