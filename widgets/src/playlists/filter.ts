/** What a smart playlist asks for, as conditions that read as a sentence. */

import { duration, plural } from "../format";
import type { PlaylistFilter, SortColumn } from "../types";

export interface Condition {
  name: string;
  label: string;
  /** What it begins with. */
  start: PlaylistFilter;
  /** In words; null where the filter has no such condition. */
  words(filter: PlaylistFilter): string | null;
}

/** By what tracks can be sorted: its name, and what the other way round means. */
export const ORDERS: Partial<Record<SortColumn, [string, string]>> = {
  title: ["title", "Z to A"], artist: ["artist", "Z to A"], bpm: ["tempo", "the fastest first"], key: ["key", "12B first"],
  energy: ["energy", "the most first"], duration: ["length", "the longest first"], added_at: ["time of adding", "the newest first"],
};

export const CONDITIONS: Condition[] = [
  { name: "text", label: "Words", start: { text: "" }, words: ({ text }) => said(text, (words) => `“${words || "…"}”`) },
  {
    name: "tempo", label: "Tempo", start: { tempo: [120, 128] },
    words: ({ tempo, octaves }) => said(tempo, (ends) => `${span(ends)} BPM${octaves ? ", half or double" : ""}`),
  },
  {
    name: "key", label: "Key", start: { compatible_with: "8A" },
    words: ({ compatible_with: mixes, keys }) =>
      said(mixes, (code) => `mixes with ${code}`) ?? said(keys, (codes) => `in ${codes.length > 0 ? codes.join(" or ") : "…"}`),
  },
  { name: "energy", label: "Energy", start: { energy: [6, 10] }, words: ({ energy }) => said(energy, (ends) => `energy ${span(ends)}`) },
  {
    name: "duration", label: "Length", start: { duration: [120, 480] },
    words: ({ duration: length }) => said(length, ([from, to]) => `${duration(from)}–${duration(to)} long`),
  },
  { name: "genre", label: "Genre", start: { genre: "" }, words: ({ genre }) => said(genre, (name) => `genre ${name || "…"}`) },
  { name: "year", label: "Year", start: { year: [2000, new Date().getFullYear()] }, words: ({ year }) => said(year, (ends) => `from ${span(ends)}`) },
  { name: "stems", label: "Stems", start: { stems: true }, words: ({ stems }) => said(stems, (has) => has ? "has stems" : "has no stems") },
  {
    name: "analyzed", label: "Analysis", start: { analyzed: true },
    words: ({ analyzed }) => said(analyzed, (is) => is ? "is analysed" : "is not analysed"),
  },
  {
    name: "added", label: "Added", start: { added_days: 30 },
    words: ({ added_days: days }) => said(days, (count) => count === 1 ? "added in the last day" : `added in the last ${plural(count, "day")}`),
  },
  {
    name: "order", label: "Order", start: { sort: "added_at", descending: true },
    words: ({ sort, descending }) => said(sort, (by) => {
      const [name, backwards] = ORDERS[by] ?? [by, "backwards"];
      return descending ? `by ${name}, ${backwards}` : `by ${name}`;
    }),
  },
  { name: "limit", label: "Limit", start: { limit: 50 }, words: ({ limit }) => said(limit, (count) => count === 1 ? "the first one" : `the first ${count.toLocaleString("en-GB")}`) },
];

/** The fields of a filter that one condition sets. */
const FIELDS: Record<string, (keyof PlaylistFilter)[]> = {
  tempo: ["tempo", "octaves"], key: ["compatible_with", "keys"], added: ["added_days"], order: ["sort", "descending"],
};

/** The filter without a condition. */
export function without(filter: PlaylistFilter, { name }: Condition): PlaylistFilter {
  const gone = FIELDS[name] ?? [name];
  return Object.fromEntries(Object.entries(filter).filter(([field]) => !gone.includes(field)));
}

/** What is sent: fields that say nothing are left out. */
export function clean(filter: PlaylistFilter): PlaylistFilter {
  return Object.fromEntries(Object.entries(filter).flatMap(([field, value]) => {
    const said = typeof value === "string" ? value.trim() : (value as unknown);
    const empty = said === null || said === undefined || said === "" || (Array.isArray(said) && said.length === 0);
    return empty || (said === false && (field === "octaves" || field === "descending")) ? [] : [[field, said]];
  }));
}

/** The conditions of a filter in words, in their order. */
export function phrases(filter: PlaylistFilter): string[] {
  return CONDITIONS.flatMap((condition) => condition.words(filter) ?? []);
}

function said<T>(value: T | null | undefined, words: (value: T) => string): string | null {
  return value === null || value === undefined ? null : words(value);
}

function span([from, to]: [number, number]): string {
  return from === to ? String(from) : `${from}–${to}`;
}
