/** A song of 64 seconds at 120 BPM with an analysis, and a kernel that corrects it. */

import type { AnalysisLoad, Correction, Cue, FullAnalysis, Methods, PlayerLoad, Section, StemSet } from "../types";
import { trackRow } from "./rows";

const LENGTH = 64;

export function fullAnalysis(changes: Partial<FullAnalysis> = {}): FullAnalysis {
  return {
    duration_s: LENGTH, bpm: 120, bpm_confidence: 0.9, bpm_alternative: 60,
    beats: Array.from({ length: 128 }, (_, i) => i / 2), downbeats: Array.from({ length: 32 }, (_, i) => i * 2),
    beats_per_bar: 4, key: "A minor", key_confidence: 0.8, camelot: "8A", tuning_cents: 10, lufs: -9, lra: 4, true_peak: -1,
    energy: 6, energy_curve: [], energy_rate: 10, drops: [], version: 2,
    sections: [part(0, 16, "intro"), part(16, 32, "drop", "A"), part(32, 48, "break"), part(48, 64, "drop", "A")],
    beat_confidence: 0.9, downbeat_confidence: 0.8, metre_confidence: 0.9, grid_kind: "constant", grid: [], swing: null,
    swing_confidence: 0, key_alternative: "C major", open_key: "1m", keys: [], chords: [], momentary_max: -6,
    short_term_max: -7, rms: -11, crest: 9, danceability: 0.7, timbre: {}, loops: [], corrected: [],
    ...changes,
  };
}

function part(start: number, end: number, label: string, group = ""): Section {
  return { start, end, label, confidence: 0.7, group };
}

/** As loud as these values (LUFS), each for as many seconds as the song has of it. */
export function analysisLoad(id: string, analysis: FullAnalysis, more: Partial<AnalysisLoad> = {}, loudness: number[] = []): {
  result: AnalysisLoad; buffers: DataView[];
} {
  const rows = LENGTH * 10;
  const bytes = Uint8Array.from({ length: rows }, (_, row) => {
    const value = loudness[Math.floor((row / rows) * loudness.length)] ?? -60;
    return Math.round(((value + 60) / 60) * 255);
  });
  const curve = { rows, columns: 1, rate: 10, start: 0, minimum: -60, maximum: 0, unit: "LUFS", names: [], buffer: 0, x_buffer: null };
  const result: AnalysisLoad = {
    track: trackRow(id, { duration: LENGTH }), analysis, automatic: fullAnalysis(), corrections: [], cues: [], loops: [],
    curves: { "loudness.momentary": curve }, density: 2, ...more,
  };
  return { result, buffers: [new DataView(bytes.buffer)] };
}

/** A set of stems of the whole song, as the draft makes it. */
export function stemSet(id: string, changes: Partial<StemSet> = {}): StemSet {
  return {
    id, engine: "draft", engine_label: "Draft", model: "", model_label: "", badge: "Draft (no AI)", draft: true,
    stems: ["vocals", "drums"], start: null, end: null, settings: {}, device: "cpu", seconds: 9, minutes: null, report: null,
    in_use: false, created_at: "2026-11-20T10:00:00+00:00", ...changes,
  };
}

export function playerLoad(id: string): PlayerLoad {
  return {
    track: trackRow(id, { duration: LENGTH }),
    sources: [{ id: `${id}-mix`, role: "mix", label: "Song", url: `sfa/audio/${id}-mix`, mime: "audio/flac" }],
    analysis: fullAnalysis(), cues: [], waveforms: {}, sets: [],
  };
}

/** Answers as the kernel does, as far as the page can tell. */
export function correctingKernel(id: string) {
  let corrections: Correction[] = [];
  let cues: Cue[] = [{ id: "c1", time: 16, type: "drop", label: "Drop", color: null, confidence: 1, reason: null, slot: null, end: null }];
  const corrected = (): FullAnalysis => corrections.reduce((before, { kind, value }) => {
    const now = { ...before, corrected: [...new Set([...before.corrected, kind])] };
    if (kind === "key") return { ...now, key: String(value.key), camelot: "9A" };
    if (kind === "sections") return { ...now, sections: value.sections as Section[] };
    if (typeof value.tempo === "number") return { ...now, bpm: value.tempo };
    const shift = Number(value.shift ?? 0);
    return { ...now, beats: before.beats.map((beat) => beat + shift), downbeats: before.downbeats.map((beat) => beat + shift) };
  }, fullAnalysis());
  const answer = () => analysisLoad(id, corrected(), { corrections: [...corrections], cues });
  return {
    "player.load": () => playerLoad(id),
    "analysis.load": answer,
    "analysis.correct": ({ kind, value }: Methods["analysis.correct"]["params"]) => {
      corrections = [...corrections, { id: `${corrections.length}`, kind, value: value as Record<string, unknown>, created_at: "" }];
      return answer();
    },
    "analysis.undo": () => {
      corrections = corrections.slice(0, -1);
      return answer();
    },
    "cue.add": ({ time, label, type }: Methods["cue.add"]["params"]) => {
      cues = [...cues, { id: `n${cues.length}`, time, type, label, color: null, confidence: 1, reason: null, slot: null, end: null }];
      return { cues };
    },
    "cue.change": ({ cue, label }: Methods["cue.change"]["params"]) => {
      cues = cues.map((each) => (each.id === cue ? { ...each, label: label ?? each.label } : each));
      return { cues };
    },
    "cue.remove": ({ cue }: Methods["cue.remove"]["params"]) => {
      cues = cues.filter(({ id: each }) => each !== cue);
      return { cues };
    },
  };
}
