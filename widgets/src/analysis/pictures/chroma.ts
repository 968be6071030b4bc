/** Which notes sound: twelve rows, the chords above them, the key's own notes marked. */

import type { Chord } from "../../types";
import { camelotHue } from "../colour";
import type { Curve } from "../curve";
import { fit, type Pen, type Value } from "../picture";
import { covering, figure, list, percent, sharps } from "../words";
import { HeatPicture } from "./heat";

export const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"] as const;
const MAJOR = [0, 2, 4, 5, 7, 9, 11];
const MINOR = [0, 2, 3, 5, 7, 8, 10];
/** Camelot numbers of the major keys from C upwards. */
const WHEEL = [8, 3, 10, 5, 12, 7, 2, 9, 4, 11, 6, 1];
const CHORDS = { top: 2, height: 17 };

/** The notes of a key, its root first; none for no key. */
export function notesOf(key: string | null): number[] {
  const match = /^([A-G])([#♯b♭]?)\s+(major|minor)$/.exec(key ?? "");
  if (!match) return [];
  const letter = NOTES.indexOf(match[1] as (typeof NOTES)[number]);
  const root = (letter + (match[2] === "#" || match[2] === "♯" ? 1 : match[2] ? 11 : 0)) % 12;
  return (match[3] === "major" ? MAJOR : MINOR).map((step) => (root + step) % 12);
}

/** "A♯ minor", "C", "no chord". */
export function chordName(label: string): string {
  return label === "N" ? "no chord" : sharps(label);
}

/** The place of a triad on the Camelot wheel. */
export function chordCamelot(label: string): string | null {
  const match = /^([A-G]#?)(m?)$/.exec(label);
  if (!match) return null;
  const root = NOTES.findIndex((note) => note.replace("♯", "#") === match[1]);
  return match[2] ? `${WHEEL[(root + 3) % 12]}A` : `${WHEEL[root]}B`;
}

export class ChromaPicture extends HeatPicture {
  readonly name = "chroma";
  readonly map = "magma";
  readonly top = 22;
  readonly tall = 11;
  readonly rows = 12;

  get curve(): Curve | null {
    return this.data.curve("chroma");
  }

  missing(): string | null {
    return this.curve ? null : "No chroma is stored.";
  }

  paint(pen: Pen): void {
    this.paintMap(pen);
    const { context } = pen;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.font = pen.font(10, 600);
    for (const chord of this.#chords) {
      const from = Math.max(0, pen.x(chord.start));
      const to = Math.min(pen.width, pen.x(chord.end));
      if (to - from < 0.5) continue;
      const hue = camelotHue(chordCamelot(chord.label));
      const tone = pen.colour(chord.label.endsWith("m") ? "--key-minor" : "--key-major");
      context.fillStyle = hue === null ? pen.colour("--surface-2") : `oklch(${tone} ${hue})`;
      context.globalAlpha = hue === null ? 1 : 0.45 + 0.55 * chord.confidence;
      context.fillRect(from, CHORDS.top, Math.max(0.5, to - from - (to - from > 3 ? 1 : 0)), CHORDS.height);
      context.globalAlpha = 1;
      if (chord.label === "N") continue;
      context.fillStyle = pen.colour("--ink");
      const label = fit(context, chordName(chord.label), to - from - 5);
      if (label && !label.endsWith("…")) context.fillText(label, from + 4, CHORDS.top + CHORDS.height / 2 + 0.5);
    }
  }

  override paintScale(pen: Pen): void {
    const { context, width } = pen;
    const notes = notesOf(this.data.analysis?.key ?? null);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.font = pen.font(9);
    context.fillStyle = pen.colour("--dim");
    context.fillText("chord", width - 5, CHORDS.top + CHORDS.height / 2);
    for (let note = 0; note < 12; note += 1) {
      const y = this.top + (11 - note + 0.5) * this.tall;
      const own = notes.includes(note);
      context.fillStyle = pen.colour(own ? "--text" : "--dim");
      context.globalAlpha = notes.length === 0 || own ? 1 : 0.7;
      context.font = pen.font(9, own ? 700 : 400);
      context.fillText(NOTES[note] as string, width - 9, y + 0.5);
      if (own) {
        // The key's notes have a dot, its root a bar: not the weight of the letters alone tells.
        context.fillStyle = pen.colour("--accent");
        if (note === notes[0]) context.fillRect(width - 6, y - 4.5, 4, 9);
        else {
          context.beginPath();
          context.arc(width - 4, y, 1.6, 0, 7);
          context.fill();
        }
      }
    }
    context.globalAlpha = 1;
  }

  override values(time: number): Value[] {
    const chord = this.#chord(time);
    const strongest = this.#strongest(time);
    return [
      { label: "Chord", text: chord ? chordName(chord.label) : "–" },
      { label: "Strongest", text: strongest === null ? "–" : (NOTES[strongest] as string) },
      { label: "Key", text: sharps(this.data.analysis?.key ?? "–"), tone: "--accent", line: "area" },
    ];
  }

  override words(time: number, y: number): string {
    const chord = this.#chord(time);
    if (y * this.height < this.top) {
      return chord ? `Chord ${chordName(chord.label)}, ${percent(chord.confidence)} sure` : "No chord";
    }
    const note = this.rowAt(y);
    const { curve } = this;
    if (!curve || note < 0) return "";
    const notes = notesOf(this.data.analysis?.key ?? null);
    const belongs = notes.length === 0 ? "" : notes.includes(note) ? ", a note of the key" : ", outside of the key";
    return `${NOTES[note]} ${figure(curve.at(time, note), 2)} of 1${belongs}; chord ${chord ? chordName(chord.label) : "unknown"}`;
  }

  override describe(): string {
    const { curve } = this;
    const { analysis } = this.data;
    if (!curve) return "No chroma is stored.";
    const sums = NOTES.map((note, index) => ({ note, sum: this.#mean(curve, index) })).sort((a, b) => b.sum - a.sum);
    const chords = new Map<string, number>();
    for (const { label, start, end } of this.#chords) if (label !== "N") chords.set(label, (chords.get(label) ?? 0) + end - start);
    const common = [...chords].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([label]) => chordName(label));
    const key = analysis?.key ? `${sharps(analysis.key)}, ${percent(analysis.key_confidence)} sure. ` : "No key. ";
    const usual = common.length > 0 ? ` The most frequent chords are ${list(common)}.` : "";
    return `${key}The strongest notes are ${list(sums.slice(0, 4).map(({ note }) => note))}.${usual}`;
  }

  get #chords(): readonly Chord[] {
    return this.data.analysis?.chords ?? [];
  }

  #chord(time: number): Chord | null {
    return covering(this.#chords, time);
  }

  #strongest(time: number): number | null {
    const { curve } = this;
    if (!curve) return null;
    const values = NOTES.map((_, note) => curve.at(time, note));
    const most = Math.max(...values);
    return most > 0.05 ? values.indexOf(most) : null;
  }

  #mean(curve: Curve, note: number): number {
    let sum = 0;
    for (let row = 0; row < curve.rows; row += 1) sum += curve.value(row, note);
    return sum / Math.max(1, curve.rows);
  }
}
