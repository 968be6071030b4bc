/** The beat grid: beats and bars over what they were found in, and how the tempo moves. */

import { duration } from "../../format";
import { after, barStride, placeOf } from "../../waveform/grid";
import { stripOf } from "../columns";
import type { Curve } from "../curve";
import { fillStrip, fit, type Pen, Picture, strokeStrip, type Value } from "../picture";
import { beatsPerMinute, covering, figure, list, percent } from "../words";

const SEGMENTS = { top: 3, height: 15 };
const TEMPO = { top: 22, height: 30 };
const ONSETS = { top: 57, height: 54 };
const NUMBERS = { top: 112, height: 14 };
const BANDS = [
  { name: "Low", short: "low", tone: "--band-low" },
  { name: "Middle", short: "mid", tone: "--band-mid" },
  { name: "High", short: "high", tone: "--band-high" },
] as const;
/** The part of all moments that fit under the top of a band: one crash must not flatten every beat. */
const FULL = 0.995;
const KINDS: Record<string, string> = {
  constant: "one exact tempo", piecewise: "several tempi", free: "a tempo that breathes", none: "no grid",
};

export class GridPicture extends Picture {
  readonly name = "grid";
  readonly height = 128;
  #topsOf: Curve | null = null;
  #tops: number[] = [];

  missing(): string | null {
    const { analysis } = this.data;
    if (analysis && analysis.beats.length === 0 && !this.data.curve("onsets")) return "No beat was found.";
    return null;
  }

  paint(pen: Pen): void {
    this.#paintOnsets(pen);
    this.#paintBeats(pen);
    this.#paintTempo(pen);
    this.#paintSegments(pen);
  }

  override paintScale(pen: Pen): void {
    const { context, width } = pen;
    context.font = pen.font(9);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillStyle = pen.colour("--dim");
    const [low, high] = this.#tempoRange();
    if (high > low) {
      context.fillText(figure(high, 1), width - 5, TEMPO.top + 4);
      context.fillText(figure(low, 1), width - 5, TEMPO.top + TEMPO.height - 3);
    }
    const tall = ONSETS.height / 3;
    for (const [index, { short }] of BANDS.entries()) {
      context.fillText(short, width - 5, ONSETS.top + (2.5 - index) * tall);
    }
    context.fillText("bar", width - 5, NUMBERS.top + NUMBERS.height / 2);
  }

  override values(time: number): Value[] {
    const tempo = this.#tempoAt(time);
    const onsets = this.data.curve("onsets");
    return [
      { label: "Tempo", text: beatsPerMinute(tempo), tone: "--accent", line: "solid" },
      ...BANDS.map(({ name, tone }, band): Value => ({
        label: name, tone, line: "area",
        text: onsets ? figure(this.#strength(band, time), 2) : "–",
      })),
    ];
  }

  override words(time: number, y: number): string {
    const { analysis } = this.data;
    if (!analysis) return "";
    const at = y * this.height;
    const tempo = beatsPerMinute(this.#tempoAt(time));
    const place = placeOf(analysis.beats, analysis.downbeats, time);
    const segment = analysis.grid.find(({ start, tempo: bpm, beats }) => time >= start && time < start + (beats * 60) / bpm);
    if (at < ONSETS.top) {
      const kind = KINDS[analysis.grid_kind] ?? "";
      return segment
        ? `${beatsPerMinute(segment.tempo)} for ${segment.beats} beats from ${duration(segment.start)}; ${kind}, tempo ${percent(analysis.bpm_confidence)} sure`
        : `${tempo}; ${kind}`;
    }
    const hits = this.data.curve("onsets")
      ? BANDS.map(({ name }, band) => `${name.toLowerCase()} ${figure(this.#strength(band, time), 2)}`).join(", ")
      : "";
    const bar = place && place.bar > 0 ? `Bar ${place.bar}, beat ${place.beat} of ${analysis.beats_per_bar}` : "Before the first bar";
    return hits ? `${bar}; onsets ${hits}; ${tempo}` : `${bar}; ${tempo}`;
  }

  override describe(): string {
    const { analysis } = this.data;
    if (!analysis || analysis.bpm === null) return "No beat was found.";
    const parts = [
      `${beatsPerMinute(analysis.bpm)}, ${percent(analysis.bpm_confidence)} sure`,
      `${analysis.beats.length} beats in ${analysis.downbeats.length} bars of ${analysis.beats_per_bar}`,
      KINDS[analysis.grid_kind] ?? "",
    ];
    return `${list(parts.filter(Boolean))}.`;
  }

  /** Against the strong moments of the song in that band. */
  #strength(band: number, time: number): number {
    const onsets = this.data.curve("onsets");
    return onsets ? Math.max(0, Math.min(1, onsets.at(time, band) / this.#top(onsets, band))) : Number.NaN;
  }

  #top(onsets: Curve, band: number): number {
    if (onsets !== this.#topsOf) {
      this.#topsOf = onsets;
      this.#tops = BANDS.map((_, i) => Math.max(1e-9, onsets.quantile(FULL, i)));
    }
    return this.#tops[band] as number;
  }

  #tempoAt(time: number): number | null {
    const { analysis } = this.data;
    const curve = this.data.curve("tempo.curve");
    if (analysis?.grid_kind === "free" && curve) return curve.at(time);
    const segments = (analysis?.grid ?? []).map(({ start, beats, tempo }) => ({ start, end: start + (beats * 60) / tempo, tempo }));
    return covering(segments, time)?.tempo ?? analysis?.bpm ?? null;
  }

  /** The scale of the tempo curve: some room around the tempo, so that a steady one is a flat line. */
  #tempoRange(): [number, number] {
    const { analysis } = this.data;
    const bpm = analysis?.bpm;
    if (!bpm) return [0, 0];
    const curve = this.data.curve("tempo.curve");
    const seen = [bpm, ...(analysis?.grid ?? []).map(({ tempo }) => tempo)];
    // A slip at the very start or end must not flatten all the rest.
    const inner: number[] = [];
    if (curve) for (let row = 0; row < curve.rows; row += 1) inner.push(curve.value(row));
    inner.sort((a, b) => a - b);
    if (inner.length > 0) seen.push(inner[Math.floor(inner.length * 0.02)] as number, inner[Math.ceil(inner.length * 0.98) - 1] as number);
    const room = Math.max(0.02 * bpm, 0.15 * (Math.max(...seen) - Math.min(...seen)));
    return [Math.min(...seen) - room, Math.max(...seen) + room];
  }

  #paintSegments(pen: Pen): void {
    const { context } = pen;
    const { top, height } = SEGMENTS;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const segment of this.data.analysis?.grid ?? []) {
      const from = pen.x(segment.start);
      const to = pen.x(segment.start + (segment.beats * 60) / segment.tempo);
      if (to < 0 || from > pen.width) continue;
      const left = Math.max(0, from);
      context.fillStyle = pen.colour("--accent");
      context.globalAlpha = 0.16;
      context.fillRect(left, top, Math.max(1, Math.min(pen.width, to) - left - 1), height);
      context.globalAlpha = 1;
      if (from >= 0) context.fillRect(from, top, 2, height);
      context.font = pen.font(10, 600);
      context.fillStyle = pen.colour("--text");
      const text = fit(context, beatsPerMinute(segment.tempo), Math.min(pen.width, to) - left - 12);
      if (text && !text.endsWith("…")) context.fillText(text, left + 7, top + height / 2 + 0.5);
    }
  }

  #paintTempo(pen: Pen): void {
    const curve = this.data.curve("tempo.curve");
    const [low, high] = this.#tempoRange();
    if (high <= low) return;
    const { context } = pen;
    const { top, height } = TEMPO;
    const y = (value: number) => top + height - (Math.max(low, Math.min(high, value)) - low) / (high - low) * height;
    context.strokeStyle = pen.colour("--line");
    context.lineWidth = 1;
    for (const value of [low, high]) {
      context.beginPath();
      context.moveTo(0, Math.round(y(value)) + 0.5);
      context.lineTo(pen.width, Math.round(y(value)) + 0.5);
      context.stroke();
    }
    context.strokeStyle = pen.colour("--accent");
    context.lineWidth = 1.5;
    if (!curve) return;
    if (curve.rows > pen.view.width * 2) {
      strokeStrip(pen, stripOf(curve, 0, pen.view).mean, y);
      return;
    }
    context.beginPath();
    const first = Math.max(0, curve.following(pen.start) - 1);
    const last = Math.min(curve.rows - 1, curve.following(pen.end));
    for (let row = first; row <= last; row += 1) {
      const x = pen.x(curve.time(row));
      if (row === first) context.moveTo(x, y(curve.value(row)));
      else context.lineTo(x, y(curve.value(row)));
    }
    context.stroke();
  }

  #paintOnsets(pen: Pen): void {
    const onsets = this.data.curve("onsets");
    if (!onsets) return;
    const tall = ONSETS.height / 3;
    for (const [band, { tone }] of BANDS.entries()) {
      const bottom = ONSETS.top + (3 - band) * tall;
      const most = this.#top(onsets, band);
      const { mean, high } = stripOf(onsets, band, pen.view);
      const y = (value: number) => bottom - Math.min(1, Math.max(0, value / most)) ** 0.7 * (tall - 1);
      pen.context.fillStyle = pen.colour(tone);
      pen.context.globalAlpha = 0.4;
      fillStrip(pen, high, 0, y);
      pen.context.globalAlpha = 0.85;
      fillStrip(pen, mean, 0, y);
    }
    pen.context.globalAlpha = 1;
  }

  #paintBeats(pen: Pen): void {
    const { context } = pen;
    const { beats, downbeats } = this.data.analysis ?? { beats: [], downbeats: [] };
    const perBeat = pixelsApart(pen, beats);
    const perBar = pixelsApart(pen, downbeats);
    context.fillStyle = pen.colour("--text");
    if (perBeat >= 5) {
      context.globalAlpha = perBeat >= 12 ? 0.34 : 0.2;
      for (let i = after(beats, pen.start); i < beats.length && (beats[i] as number) < pen.end; i += 1) {
        context.fillRect(Math.round(pen.x(beats[i] as number)), ONSETS.top, 1, ONSETS.height);
      }
    }
    const stride = barStride(perBar, 6);
    const numbered = barStride(perBar, 34);
    context.font = pen.font(10);
    context.textAlign = "left";
    context.textBaseline = "middle";
    const first = after(downbeats, pen.start - (40 / Math.max(1, pen.width)) * (pen.end - pen.start));
    for (let i = first; i < downbeats.length; i += 1) {
      const time = downbeats[i] as number;
      if (time > pen.end) break;
      const x = Math.round(pen.x(time));
      if (i % stride === 0) {
        context.globalAlpha = i % numbered === 0 ? 0.75 : 0.45;
        context.fillRect(x, ONSETS.top - 2, 1, ONSETS.height + (i % numbered === 0 ? 14 : 4));
      }
      if (i % numbered === 0) {
        const number = String(i + 1);
        // Cut off at the edge it would be another number.
        context.globalAlpha = x >= 0 && x + 4 + context.measureText(number).width <= pen.width ? 0.8 : 0;
        context.fillText(number, x + 4, NUMBERS.top + NUMBERS.height / 2 + 1);
      }
    }
    context.globalAlpha = 1;
  }
}

/** Middle distance between neighbours, in px. */
function pixelsApart(pen: Pen, times: readonly number[]): number {
  if (times.length < 2) return 0;
  const seconds = ((times.at(-1) as number) - (times[0] as number)) / (times.length - 1);
  return (seconds / Math.max(1e-9, pen.end - pen.start)) * pen.width;
}
