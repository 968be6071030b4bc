/** Values in words and units. */

import { duration, position } from "../format";
import type { FullAnalysis, Section } from "../types";
import { after, placeOf } from "../waveform/grid";
import { title } from "../waveform/song";

const NONE = "–";
/** What is softer counts as silence (BS.1770's gate, less the curve's rounding), in LUFS. */
const SILENCE = -69.9;

export function known(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** A number with a true minus sign. */
export function figure(value: number | null | undefined, digits: number): string {
  return known(value) ? value.toFixed(digits).replace("-", "−") : NONE;
}

export function percent(value: number | null | undefined): string {
  return known(value) ? `${Math.round(value * 100)} %` : NONE;
}

export function hertz(value: number | null | undefined): string {
  if (!known(value)) return NONE;
  return value < 1000 ? `${Math.round(value)} Hz` : `${(value / 1000).toFixed(value < 9950 ? 2 : 1)} kHz`;
}

export function loudness(value: number | null | undefined): string {
  if (!known(value)) return NONE;
  return value > SILENCE ? `${figure(value, 1)} LUFS` : "silent";
}

/** "127.35 BPM", "128 BPM": as many figures as say something. */
export function beatsPerMinute(value: number | null | undefined): string {
  if (!known(value)) return NONE;
  return `${value.toFixed(2).replace(/\.?0+$/, "")} BPM`;
}

/** "1:23.4, bar 42, beat 3". */
export function place(analysis: FullAnalysis | null, time: number): string {
  const found = analysis && placeOf(analysis.beats, analysis.downbeats, time);
  const clock = time < 0 ? `−${position(-time)}` : position(time);
  return found && found.bar > 0 ? `${clock}, bar ${found.bar}, beat ${found.beat}` : clock;
}

export function spanWords(start: number, end: number): string {
  return `${duration(start)} to ${duration(end)}`;
}

/** What holds at a time in a list of stretches without overlaps. */
export function covering<T extends { start: number; end: number }>(spans: readonly T[], time: number): T | null {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as T).start <= time) low = middle + 1;
    else high = middle;
  }
  const found = spans[low - 1];
  return found && time < found.end ? found : null;
}

/** "Drop A". */
export function sectionName(section: Section): string {
  return section.group ? `${title(section.label)} ${section.group}` : title(section.label);
}

/** How many bars (or beats) begin in a stretch. */
export function barsIn(downbeats: readonly number[], start: number, end: number): number {
  return after(downbeats, end - 0.03) - after(downbeats, start - 0.03);
}

export function bars(count: number): string {
  return count === 1 ? "1 bar" : `${count} bars`;
}

/** "F# minor" as it is written in music. */
export function sharps(name: string): string {
  return name.replace("#", "♯");
}

/** "a, b and c". */
export function list(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
