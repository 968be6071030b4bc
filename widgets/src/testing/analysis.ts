/** An analysed song for tests, as the kernel sends it. */

import { trackRow } from "./rows";
import type { AnalysisLoad, CurveHeader, FullAnalysis } from "../types";

export function analysed(changes: Partial<FullAnalysis> = {}): FullAnalysis {
  return {
    duration_s: 60, bpm: 120, bpm_confidence: 0.9, bpm_alternative: 60, beats: Array.from({ length: 120 }, (_, i) => i / 2),
    downbeats: Array.from({ length: 30 }, (_, i) => i * 2), beats_per_bar: 4, key: "A minor", key_confidence: 0.8,
    camelot: "8A", tuning_cents: 0, lufs: -9.2, lra: 5, true_peak: -0.5, energy: 7, energy_curve: [], energy_rate: 10,
    sections: [
      { start: 0, end: 16, label: "intro", confidence: 0.7, group: "A", reason: "Few sounds play." },
      { start: 16, end: 48, label: "drop", confidence: 0.9, group: "B" },
      { start: 48, end: 60, label: "outro", confidence: 0.8, group: "A" },
    ],
    drops: [16], version: 2, beat_confidence: 0.9, downbeat_confidence: 0.8, metre_confidence: 0.9,
    grid_kind: "constant", grid: [{ start: 0, first: 0, beats: 120, tempo: 120 }], swing: null, swing_confidence: 0,
    key_alternative: "E minor", open_key: "1m", keys: [{ start: 0, end: 60, key: "A minor", camelot: "8A", confidence: 0.8 }],
    chords: [{ start: 0, end: 30, label: "Am", confidence: 0.9 }, { start: 30, end: 60, label: "N", confidence: 1 }],
    momentary_max: -7, short_term_max: -8, rms: -12, crest: 11, danceability: 0.8,
    timbre: { centroid: 2000, bandwidth: 1500, rolloff: 5000 },
    loops: [{ start: 16, end: 24, bars: 4, score: 0.9, reason: "The seam is quiet.", source: "mix" }], corrected: [],
    ...changes,
  };
}

export class Curves {
  readonly headers: Record<string, CurveHeader> = {};
  readonly buffers: DataView[] = [];

  /** Adds a curve of bytes, row after row. */
  add(name: string, bytes: number[], header: Partial<CurveHeader> = {}, x: number[] | null = null): this {
    const columns = header.columns ?? 1;
    this.headers[name] = {
      rows: bytes.length / columns, columns, rate: x ? null : 10, start: 0, minimum: 0, maximum: 255, unit: "", names: [],
      buffer: this.buffers.length, x_buffer: x ? this.buffers.length + 1 : null, ...header,
    };
    // A message's parts share one memory, at any offset.
    const shared = new Uint8Array(bytes.length + 3);
    shared.set(bytes, 3);
    this.buffers.push(new DataView(shared.buffer, 3));
    if (x) this.buffers.push(new DataView(new Float32Array(x).buffer));
    return this;
  }
}

/** Every curve that there may be, of a song of 60 s. */
export function allCurves(): Curves {
  const ramp = (count: number, columns = 1) => Array.from({ length: count * columns }, (_, i) => (i * 7) % 256);
  return new Curves()
    .add("onsets", ramp(1200, 3), { columns: 3, rate: 20, maximum: 1 })
    .add("tempo.curve", ramp(4), { minimum: 119, maximum: 121, unit: "BPM" }, [0, 20, 40, 60])
    .add("chroma", ramp(600, 12), { columns: 12, maximum: 1 })
    .add("mfcc", ramp(600, 20), { columns: 20, minimum: Array(20).fill(-50), maximum: Array(20).fill(50) })
    .add("centroid", ramp(600), { minimum: 100, maximum: 8000, unit: "Hz" })
    .add("rolloff", ramp(600), { minimum: 100, maximum: 12_000, unit: "Hz" })
    .add("bandwidth", ramp(600), { minimum: 100, maximum: 4000, unit: "Hz" })
    .add("energy", ramp(600), { maximum: 1 })
    .add("loudness.momentary", ramp(600), { minimum: -60, maximum: -6, unit: "LUFS" })
    .add("loudness.short_term", ramp(600), { minimum: -60, maximum: -7, unit: "LUFS" })
    .add("structure.novelty", ramp(4), {}, [0, 16, 32, 48]);
}

export function loadOf(id: string, changes: Partial<AnalysisLoad> = {}): AnalysisLoad {
  return {
    track: trackRow(id, { duration: 60 }), analysis: analysed(), automatic: analysed(), corrections: [], cues: [], loops: [],
    curves: {}, density: null, ...changes,
  };
}
