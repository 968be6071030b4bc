/** The analysis of one track as the page holds it: the document, its corrections, cues, loops and curves. */

import { type Bridge, describe, isAbort } from "../bridge";
import type { AnalysisLoad, ByHand, Correction, CorrectionKind, CorrectionValues, Cue, FullAnalysis, LoopSpan, TrackRow } from "../types";
import { Curve } from "./curve";

export { Curve } from "./curve";

export type DataStatus = "empty" | "loading" | "ready" | "failed";

/** What an analysis is without: old documents and those of silence say less. */
const NOTHING: FullAnalysis = {
  duration_s: 0, bpm: null, bpm_confidence: 0, bpm_alternative: null, beats: [], downbeats: [], beats_per_bar: 4,
  key: null, key_confidence: 0, camelot: null, tuning_cents: null, lufs: null, lra: null, true_peak: null,
  energy: null, energy_curve: [], energy_rate: 10, sections: [], drops: [], version: 0,
  beat_confidence: 0, downbeat_confidence: 0, metre_confidence: 0, grid_kind: "none", grid: [], swing: null,
  swing_confidence: 0, key_alternative: null, open_key: null, keys: [], chords: [], momentary_max: null,
  short_term_max: null, rms: null, crest: null, danceability: null, timbre: {}, loops: [], corrected: [],
};

export class AnalysisData {
  readonly bridge: Bridge;
  readonly signal: AbortSignal;
  status: DataStatus = "empty";
  failure: { message: string; hint: string | null } | null = null;
  track: TrackRow | null = null;
  /** With corrections; null where the track was not analysed. */
  analysis: FullAnalysis | null = null;
  /** As the machine found it. */
  automatic: FullAnalysis | null = null;
  /** The newest last. */
  corrections: Correction[] = [];
  cues: Cue[] = [];
  loops: LoopSpan[] = [];
  curves: ReadonlyMap<string, Curve> = new Map();
  /** Attacks a second. */
  density: number | null = null;
  #trackId: string | null = null;
  #request: AbortController | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(bridge: Bridge, signal: AbortSignal) {
    this.bridge = bridge;
    this.signal = signal;
    const again = ({ id }: { id: string }) => {
      if (id === this.#trackId) void this.refresh();
    };
    const stops = [
      bridge.on("analysis.changed", (changed) => {
        if (changed.id === this.#trackId && !this.#known(changed)) again(changed);
      }),
      bridge.on("player.refresh", again),
      bridge.on("tracks.rows", ({ rows }) => {
        const row = rows.find(({ id }) => id === this.#trackId);
        if (!row || !this.track) return;
        this.track = row;
        this.#emit();
      }),
    ];
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      this.#request?.abort();
      this.#listeners.clear();
    }, { once: true });
  }

  get trackId(): string | null {
    return this.#trackId;
  }

  /** Seconds. */
  get duration(): number {
    return this.analysis?.duration_s || this.track?.duration || 0;
  }

  /** An analysis of an earlier version: it has numbers, but nothing to draw over time. */
  get outdated(): boolean {
    return this.analysis !== null && this.curves.size === 0;
  }

  curve(name: string): Curve | null {
    const curve = this.curves.get(name);
    return curve && curve.rows > 0 ? curve : null;
  }

  /** Calls back whenever anything here is another; returns the function that stops it. */
  on(_event: "change", callback: () => void, signal: AbortSignal = this.signal): () => void {
    if (signal.aborted) return () => {};
    const stop = () => this.#listeners.delete(callback);
    this.#listeners.add(callback);
    signal.addEventListener("abort", stop, { once: true });
    return stop;
  }

  /** Shows another track, or none. Failures are kept in `failure`, not thrown. */
  async load(trackId: string | null): Promise<void> {
    if (trackId === this.#trackId && this.status !== "failed") return;
    this.#request?.abort();
    this.#trackId = trackId;
    this.#forget();
    this.status = trackId === null ? "empty" : "loading";
    this.#emit();
    if (trackId !== null) await this.refresh();
  }

  /** Fetches everything again; what is shown stays until the new is there. */
  async refresh(): Promise<void> {
    const id = this.#trackId;
    if (id === null) return;
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    try {
      const { result, buffers } = await this.bridge.request(
        "analysis.load", { id }, { signal: AbortSignal.any([request.signal, this.signal]) },
      );
      if (this.#trackId === id) this.take(result, buffers);
    } catch (error) {
      // A refresh that fails leaves what is there.
      if (isAbort(error) || this.#trackId !== id || this.status === "ready") return;
      this.status = "failed";
      this.failure = describe(error);
      this.#emit();
    }
  }

  /** Puts something right; throws what the kernel refuses. */
  async correct<K extends CorrectionKind>(kind: K, value: CorrectionValues[K]): Promise<void> {
    const id = this.#trackId;
    if (id === null) return;
    const params = { id, kind, value } as { id: string; kind: "key"; value: { key: string } };
    const { result, buffers } = await this.bridge.request("analysis.correct", params, { signal: this.signal });
    if (this.#trackId === id) this.#takeOwn(result, buffers);
  }

  /** Takes the newest correction back; throws what the kernel refuses. */
  async undo(): Promise<void> {
    const id = this.#trackId;
    if (id === null) return;
    const { result, buffers } = await this.bridge.request("analysis.undo", { id }, { signal: this.signal });
    if (this.#trackId === id) this.#takeOwn(result, buffers);
  }

  /** Holds a reply of `analysis.load`, `analysis.correct` or `analysis.undo`. */
  take(reply: AnalysisLoad, buffers: readonly DataView[]): void {
    this.#trackId = reply.track.id;
    this.track = reply.track;
    this.analysis = reply.analysis && { ...NOTHING, ...reply.analysis };
    this.automatic = reply.automatic && { ...NOTHING, ...reply.automatic };
    this.corrections = reply.corrections ?? [];
    this.cues = reply.cues ?? [];
    this.loops = reply.loops ?? [];
    this.curves = new Map(Object.entries(reply.curves ?? {}).map(([name, header]) => [name, new Curve(header, buffers)]));
    this.density = reply.density ?? null;
    this.status = "ready";
    this.failure = null;
    this.#emit();
  }

  /** The answer to what was done here is newer than whatever is on its way. */
  #takeOwn(reply: AnalysisLoad, buffers: readonly DataView[]): void {
    this.#request?.abort();
    this.take(reply, buffers);
  }

  /** Whether all that people made of the song is here already, cues at the latest now. */
  #known({ corrections, cues }: ByHand): boolean {
    if (this.status !== "ready" || String(this.corrections.map(({ id }) => id)) !== String(corrections)) return false;
    if (JSON.stringify(cues) !== JSON.stringify(this.cues)) this.takeCues(cues);
    return true;
  }

  /** Holds the cues that `cue.add`, `cue.change` or `cue.remove` answered. */
  takeCues(cues: Cue[]): void {
    this.cues = cues;
    this.#emit();
  }

  #forget(): void {
    this.track = null;
    this.analysis = null;
    this.automatic = null;
    this.corrections = [];
    this.cues = [];
    this.loops = [];
    this.curves = new Map();
    this.density = null;
    this.failure = null;
  }

  #emit(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
