/** The sections of a song as a person changes them: each change gives a whole new list, without gaps. */

import { snap } from "../../waveform/grid";

export interface Part {
  start: number;
  end: number;
  label: string;
}

/** What a section may be called. */
export const LABELS = ["intro", "verse", "build", "drop", "chorus", "break", "bridge", "outro"] as const;

/** Nothing shorter is a section, in s. */
const SHORTEST = 0.5;

/** A change that cannot be: one sentence for people. */
export class NoChange extends Error {}

/** Index of the section at a time; -1 where there is none. */
export function partAt(parts: readonly Part[], time: number): number {
  return parts.findIndex(({ start, end }, index) =>
    time >= start - 1e-6 && (time < end - 1e-6 || (index === parts.length - 1 && time <= end + 0.05)));
}

/** The list with another name for the section at a time. */
export function renamed(parts: readonly Part[], time: number, label: string): Part[] {
  const index = here(parts, time);
  return parts.map((part, i) => plain(i === index ? { ...part, label } : part));
}

/** The list with a boundary more; the new section has the old one's name. */
export function split(parts: readonly Part[], time: number): Part[] {
  const index = here(parts, time);
  const { start, end, label } = parts[index] as Part;
  if (time - start < SHORTEST || end - time < SHORTEST) {
    throw new NoChange("A boundary is here already: move the playhead into a section.");
  }
  return [
    ...parts.slice(0, index).map(plain),
    { start, end: time, label }, { start: time, end, label },
    ...parts.slice(index + 1).map(plain),
  ];
}

/** The list in which the section at a time goes on to the end of the next one. */
export function merged(parts: readonly Part[], time: number): Part[] {
  const index = here(parts, time);
  const next = parts[index + 1];
  if (!next) throw new NoChange("This is the last section: there is none to merge it with.");
  const { start, label } = parts[index] as Part;
  return [...parts.slice(0, index).map(plain), { start, end: next.end, label }, ...parts.slice(index + 2).map(plain)];
}

/** The boundary between two sections that is nearest to a time: where the later one starts; null without any. */
export function boundaryNear(parts: readonly Part[], time: number): number | null {
  if (parts.length < 2) return null;
  return snap(parts.slice(1).map(({ start }) => start), time);
}

/** The list with the nearest boundary at a time. */
export function moved(parts: readonly Part[], time: number): Part[] {
  const boundary = boundaryNear(parts, time);
  const index = parts.findIndex(({ start }) => start === boundary);
  const before = parts[index - 1];
  const after = parts[index];
  if (boundary === null || !before || !after) throw new NoChange("There is no boundary to move: split the section first.");
  if (Math.abs(boundary - time) < 1e-3) throw new NoChange("The boundary is here already.");
  if (time - before.start < SHORTEST || after.end - time < SHORTEST) {
    throw new NoChange("Hardly anything would be left of a section: merge the two instead.");
  }
  return parts.map((part, i) => plain(i === index - 1 ? { ...part, end: time } : i === index ? { ...part, start: time } : part));
}

function here(parts: readonly Part[], time: number): number {
  const index = partAt(parts, time);
  if (index < 0) throw new NoChange("There is no section at the playhead.");
  return index;
}

/** Without what the analysis knew of it. */
function plain({ start, end, label }: Part): Part {
  return { start, end, label };
}
