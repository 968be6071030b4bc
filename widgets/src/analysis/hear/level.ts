/** Two parts of a song, to be heard at one loudness from the same place of a bar. */

import type { Section } from "../../types";
import { after } from "../../waveform/grid";
import { title } from "../../waveform/song";
import type { Curve } from "../data";

/** Below this a moment is silence, in LUFS: the absolute gate of the loudness standard. */
const GATE = -70;
/** A value of the loudness curve speaks for this much before it, in s. */
const MOMENT = 0.4;
/** Beats this close are one, in s. */
const SAME = 0.03;

/** Loudness of a stretch in LUFS: the mean of its moments' energy; null where nothing sounds. */
export function levelOf(curve: Curve, start: number, end: number): number | null {
  // Values that still hear what was before are left out, where there is enough without them.
  const from = end - start > 2 * MOMENT ? start + MOMENT : start;
  let sum = 0;
  let count = 0;
  for (let row = curve.row(from); row >= 0 && row < curve.rows && curve.time(row) < end; row += 1) {
    const value = curve.value(row);
    if (!(value > GATE)) continue;
    sum += 10 ** (value / 10);
    count += 1;
  }
  return count > 0 ? 10 * Math.log10(sum / count) : null;
}

/** Linear gains that make two levels (in LUFS) equal: the louder one comes down, nothing is ever lifted. */
export function matched(a: number | null, b: number | null): [number, number] {
  if (a === null || b === null) return [1, 1];
  const quiet = Math.min(a, b);
  return [10 ** ((quiet - a) / 20), 10 ** ((quiet - b) / 20)];
}

/** Where in one part one is at the same bar, and the same place in it, as in another part. */
export function sameBar(
  place: number, from: Pick<Section, "start" | "end">, to: Pick<Section, "start" | "end">, downbeats: readonly number[],
): number {
  const first = after(downbeats, from.start - SAME);
  const last = after(downbeats, from.end - SAME);
  const start = after(downbeats, to.start - SAME);
  const count = after(downbeats, to.end - SAME) - start;
  const bar = after(downbeats, place + 1e-6) - 1;
  if (place >= from.start && place < from.end && count > 0 && bar >= first && bar < last) {
    const target = start + ((bar - first) % count);
    const length = barLength(downbeats, bar);
    const fraction = (place - (downbeats[bar] as number)) / length;
    return Math.min((downbeats[target] as number) + fraction * barLength(downbeats, target), to.end - 1e-3);
  }
  const offset = Math.max(0, place - from.start);
  return to.start + (offset % Math.max(0.1, to.end - to.start));
}

function barLength(downbeats: readonly number[], bar: number): number {
  const here = downbeats[bar] as number;
  const next = downbeats[bar + 1];
  const before = downbeats[bar - 1];
  return next !== undefined ? next - here : before !== undefined ? here - before : 2;
}

/** What to compare first: two that repeat each other, else verse and chorus, else the two longest. */
export function pair(sections: readonly Section[]): [number, number] | null {
  if (sections.length < 2) return null;
  const rank = (label: string) => ["drop", "chorus", "verse", "build", "break", "bridge"].indexOf(label) + 1 || 9;
  const same = (a: Section, b: Section) => (a.group ? a.group === b.group : a.label === b.label);
  let best: [number, number] | null = null;
  for (const [a, one] of sections.entries()) {
    const b = sections.findIndex((other, index) => index > a + 1 && same(one, other));
    if (b > a && (best === null || rank(one.label) < rank((sections[best[0]] as Section).label))) best = [a, b];
  }
  if (best) return best;
  const find = (...labels: string[]) => sections.findIndex(({ label }) => labels.includes(label));
  const verse = find("verse");
  const chorus = find("chorus", "drop");
  if (verse >= 0 && chorus >= 0) return [verse, chorus];
  const length = (index: number) => (sections[index] as Section).end - (sections[index] as Section).start;
  const [a = 0, b = 1] = [...sections.keys()].sort((x, y) => length(y) - length(x)).slice(0, 2).sort((x, y) => x - y);
  return [a, b];
}

/** "Chorus 2": numbered where there are several. */
export function names(sections: readonly Section[]): string[] {
  const counts = new Map<string, number>();
  const all = sections.map(({ label }) => label);
  return sections.map(({ label }) => {
    const number = (counts.get(label) ?? 0) + 1;
    counts.set(label, number);
    return all.filter((other) => other === label).length > 1 ? `${title(label)} ${number}` : title(label);
  });
}
