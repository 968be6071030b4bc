/** Ranges of a song as people type them. */

import { position } from "../format";

/** How long a preview is where nobody marked a range, in s. */
export const PREVIEW = 30;
/** Engines need something to hear, in s. */
const SHORTEST = 1;

/** Seconds of "1:15", "75", "1:02:03.5"; null for anything else. */
export function seconds(text: string): number | null {
  const match = /^\s*(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:[.,]\d+)?)\s*$/.exec(text);
  if (!match) return null;
  const [, hours = "0", minutes, rest = "0"] = match;
  const last = Number(rest.replace(",", "."));
  if (minutes !== undefined && last >= 60) return null;
  return Number(hours) * 3600 + Number(minutes ?? 0) * 60 + last;
}

/** "1:15" or, where it is not whole, "1:15.5". */
export function clock(time: number): string {
  return position(time).replace(/\.0$/, "");
}

/** The middle third is where songs are themselves; `duration` is null when nobody knows it. */
export function usualRegion(duration: number | null): [number, number] {
  if (duration === null) return [PREVIEW, 2 * PREVIEW];
  const length = Math.min(PREVIEW, duration);
  const start = Math.max(0, Math.min(Math.round(duration / 3), duration - length));
  return [start, start + length];
}

/** What is wrong with a range, as a sentence; null when nothing is. */
export function regionFault(start: number | null, end: number | null, duration: number | null): string | null {
  if (start === null || end === null) return "Write times as 1:15 or 75.";
  if (end - start < SHORTEST) return `The end must be at least ${SHORTEST} s after the start.`;
  if (duration !== null && start > duration - SHORTEST) return `The song is ${clock(duration)} long.`;
  return null;
}
