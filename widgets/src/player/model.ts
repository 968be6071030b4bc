/** A track that is open in a player: its data, its place, its range; pictures and controls look at this. */

import { type Bridge, BridgeError, describe, isAbort } from "../bridge";
import { type AudioEngine, audioEngine, type EngineError, type Loop, stemsFit } from "../engine";
import type { FetchBytes } from "../engine/fetch";
import { isRunning } from "../parts";
import type { Analysis, AudioSource, Cue, JobRow, PlayerHandle, PlayerLoad, Stage, TrackRow } from "../types";
import { type Pyramid, readPyramid } from "../waveform/pyramid";
import { after, snap, step } from "../waveform/grid";
import { pictureOf, type Range, type SongPicture } from "../waveform/song";

export type Status = "empty" | "loading" | "ready" | "failed";

export interface Failure {
  message: string;
  hint: string | null;
}

interface ModelEvents {
  /** Another track, or its data came: draw anew. */
  track: void;
  /** The row of the track or its running job changed. */
  progress: void;
  /** Playing, position by a seek, range, loop, mixer. */
  state: void;
  /** How far the sound is loaded; failures of the sound. */
  audio: void;
}

/** Seeks while a hand moves reach the sound this often, in ms: often enough to hear where one is. */
const SCRUB_MS = 70;
/** Bars of a loop that was not chosen. */
const LOOP_BARS = 4;
/** Its length without a grid, in s. */
const LOOP_SECONDS = 8;
/** The compressed bytes of a song in one message may take their time. */
const BYTES_TIMEOUT_MS = 300_000;

const models = new WeakMap<PlayerHandle, PlayerModel>();

/** Remembers which model a player is the handle of. */
export function register(player: PlayerHandle, model: PlayerModel): PlayerHandle {
  models.set(player, model);
  return player;
}

/** The model behind a mounted player. */
export function modelOf(player: PlayerHandle): PlayerModel {
  const model = models.get(player);
  if (!model) throw new TypeError("This player was not made by mountPlayer.");
  return model;
}

export class PlayerModel {
  readonly engine: AudioEngine;
  readonly bridge: Bridge;
  readonly signal: AbortSignal;
  status: Status = "empty";
  failure: Failure | null = null;
  /** What is wrong with the sound, while the pictures are fine. */
  audioFailure: Failure | null = null;
  /** The browser waits for the page's first click. */
  blocked = false;
  track: TrackRow | null = null;
  analysis: Analysis | null = null;
  cues: Cue[] = [];
  sources: AudioSource[] = [];
  pyramids = new Map<AudioSource["role"], Pyramid>();
  picture: SongPicture | null = null;
  /** The job that works on this track now. */
  job: JobRow | null = null;
  range: Range | null = null;
  looping = false;
  #trackId: string | null = null;
  /** Ids of the corrections that the analysis is known to hold. */
  #corrections: string | null = null;
  #position = 0;
  #hold: AbortController | null = null;
  #request: AbortController | null = null;
  #wasHere = false;
  /** Play as soon as the track is there. */
  #goOn = false;
  #scrubbed = 0;
  readonly #listeners = new Map<keyof ModelEvents, Set<() => void>>();

  constructor(bridge: Bridge, signal: AbortSignal, engine: AudioEngine = audioEngine()) {
    this.bridge = bridge;
    this.signal = signal;
    this.engine = engine;
    engine.on("state", () => this.#engineChanged(), signal);
    engine.on("loading", () => this.#emit("audio"), signal);
    engine.on("error", (error) => this.#engineFailed(error), signal);
    engine.on("blocked", (blocked) => {
      this.blocked = blocked && this.here;
      this.#emit("audio");
    }, signal);
    signal.addEventListener("abort", () => {
      this.#hold?.abort();
      this.#request?.abort();
      this.#listeners.clear();
    }, { once: true });
    this.#hear(bridge.on("tracks.rows", ({ rows }) => {
      const row = rows.find(({ id }) => id === this.#trackId);
      if (!row || !this.track) return;
      this.track = row;
      this.#emit("progress");
    }));
    this.#hear(bridge.on("jobs.rows", ({ jobs }) => {
      const own = jobs.filter((job) => job.track_id === this.#trackId);
      if (own.length === 0) return;
      this.job = own.find((job) => isRunning(job.status)) ?? null;
      this.#emit("progress");
    }));
    this.#hear(bridge.on("player.refresh", ({ id }) => {
      if (id === this.#trackId) void this.reload();
    }));
    this.#hear(bridge.on("analysis.changed", ({ id, corrections, cues }) => {
      if (id !== this.#trackId) return;
      if (this.#corrections !== String(corrections)) void this.reload();
      else if (JSON.stringify(cues) !== JSON.stringify(this.cues)) this.takeAnalysis(this.analysis, cues, corrections);
    }));
  }

  get trackId(): string | null {
    return this.#trackId;
  }

  /** The engine holds this track. */
  get here(): boolean {
    return this.#trackId !== null && this.engine.trackId === this.#trackId;
  }

  get playing(): boolean {
    return this.here && this.engine.playing;
  }

  get starting(): boolean {
    return this.here && this.engine.starting;
  }

  get duration(): number {
    return this.picture?.duration || this.track?.duration || 0;
  }

  /** Place by the audio clock, in s. */
  get position(): number {
    return this.here ? this.engine.position : this.#position;
  }

  /** Place to be drawn, in s. */
  get heard(): number {
    return this.here ? this.engine.heard : this.#position;
  }

  /** Names of the stems that were made. */
  get stems(): AudioSource[] {
    return this.sources.filter(({ role }) => role !== "mix");
  }

  /** Whether the browser can hold the stems beside the song. */
  get stemsFit(): boolean {
    return stemsFit(this.duration, this.sources.length);
  }

  on(event: keyof ModelEvents, callback: () => void, signal: AbortSignal = this.signal): void {
    if (signal.aborted) return;
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(callback);
    signal.addEventListener("abort", () => listeners.delete(callback), { once: true });
  }

  /**
   * Opens a track. A player that was playing goes on with the new one, unless `play` says otherwise.
   * Failures are shown, not thrown.
   */
  async open(trackId: string, { play, position = 0 }: { play?: boolean; position?: number } = {}): Promise<void> {
    const goOn = play ?? (this.playing || this.starting || this.#goOn);
    if (trackId === this.#trackId && this.status !== "failed") {
      if (goOn) this.play();
      return;
    }
    if (this.here) this.engine.pause();
    this.#trackId = trackId;
    this.#position = position;
    this.#wasHere = false;
    this.#forget();
    this.#hold?.abort();
    this.#hold = new AbortController();
    this.engine.hold(trackId, this.#hold.signal);
    if (this.here) this.#wasHere = true;
    this.#goOn = goOn;
    this.status = "loading";
    this.#emit("track");
    await this.#fetch();
    if (this.#trackId !== trackId || this.#status() !== "ready") return;
    if (this.#goOn) this.play();
    else if (this.engine.context && !this.engine.playing && !this.engine.starting) this.preload();
  }

  /** Fetches the data again: the sound goes on, and new stems join it. */
  async reload(): Promise<void> {
    if (this.#trackId === null) return;
    await this.#fetch();
    if (this.status === "ready" && this.here) {
      this.engine.refresh(this.#trackId, this.sources, this.#fetchBytes);
    }
  }

  /** Shows another analysis and other cues of the same song; its sound and its waveform stay as they are. */
  takeAnalysis(analysis: Analysis | null, cues: Cue[], corrections: readonly string[]): void {
    if (this.status !== "ready") return;
    this.#corrections = String(corrections);
    this.analysis = analysis;
    this.cues = cues;
    this.picture = this.#pictureOf(this.track?.duration ?? 0);
    this.#emit("track");
  }

  /** Brings the sound in without playing it; from a gesture, so that play need not wait. */
  preload(): void {
    if (this.status !== "ready" || this.#trackId === null || this.here) return;
    if (this.engine.playing || this.engine.starting) return;
    this.engine.unlock();
    if (this.engine.context) this.#load().catch(() => {});
  }

  play(): void {
    this.#goOn = this.status === "loading";
    if (this.status !== "ready" || this.#trackId === null) return;
    this.dismissAudioFailure();
    const loop = this.looping ? this.range : null;
    if (!this.here) this.#load().catch(() => {}); // the engine tells of it
    if (loop) this.engine.setLoop(loop);
    void this.engine.play();
  }

  pause(): void {
    this.#goOn = false;
    if (this.here) this.engine.pause();
  }

  toggle(): void {
    if (this.playing || this.starting) this.pause();
    else this.play();
  }

  seek(seconds: number): void {
    if (!Number.isFinite(seconds)) return;
    const place = Math.max(0, Math.min(this.duration || Number.POSITIVE_INFINITY, seconds));
    this.#position = place;
    if (this.here) this.engine.seek(place);
    else {
      this.engine.clock.wake();
      this.#emit("state");
    }
  }

  /** A hand moves the place: the sound follows in steps. */
  scrub(seconds: number, done: boolean): void {
    const now = performance.now();
    if (!done && this.playing && now - this.#scrubbed < SCRUB_MS) return;
    this.#scrubbed = done ? 0 : now;
    this.seek(seconds);
  }

  /** Steps by beats, bars or seconds. */
  step(direction: 1 | -1, unit: "seconds" | "beat" | "bar"): void {
    const place = this.position;
    if (unit === "seconds") this.seek(place + 5 * direction);
    else if (unit === "beat") this.seek(step(this.picture?.beats ?? [], place, direction, 0.5));
    else this.seek(step(this.picture?.downbeats ?? [], place, direction, 2));
  }

  jump(cueNumber: number): void {
    const mark = this.picture?.cues[cueNumber - 1];
    if (mark) this.seek(mark.time);
  }

  setRange(range: Range | null): void {
    if (range?.start === this.range?.start && range?.end === this.range?.end) return;
    this.range = range;
    if (!range) this.looping = false;
    this.#applyLoop();
  }

  setLooping(on: boolean): void {
    if (on && !this.range) this.range = this.#loopHere();
    this.looping = on && this.range !== null;
    this.#applyLoop();
  }

  /** Sets one end of the range at the playhead; the second one starts the loop. */
  mark(end: "in" | "out"): void {
    const place = this.#snapped(this.position);
    const last = this.duration;
    if (end === "in") {
      const out = this.range && this.range.end > place ? this.range.end : last;
      this.range = { start: place, end: out };
    } else {
      const start = this.range && this.range.start < place ? this.range.start : 0;
      if (place <= start) return;
      this.range = { start, end: place };
      this.looping = true;
    }
    this.#applyLoop();
  }

  async run(stages: Stage[]): Promise<void> {
    if (this.#trackId === null) return;
    await this.bridge.request("tracks.run", { ids: [this.#trackId], stages }, { signal: this.signal });
  }

  dismissAudioFailure(): void {
    if (!this.audioFailure) return;
    this.audioFailure = null;
    this.#emit("audio");
  }

  readonly #fetchBytes: FetchBytes = async (id, signal) => {
    const { buffers } = await this.bridge.request(
      "audio.bytes", { id }, { signal, timeoutMs: BYTES_TIMEOUT_MS },
    );
    const view = buffers[0];
    if (!view) throw new BridgeError("The kernel sent no audio.");
    // decodeAudioData takes the memory away; the message's may be shared.
    return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice().buffer;
  };

  #load(): Promise<void> {
    const position = this.#position;
    return this.engine.load(this.#trackId as string, this.sources, this.#fetchBytes, {
      duration: this.duration, position,
    });
  }

  /** Read anew: the compiler does not know that a request has changed it. */
  #status(): Status {
    return this.status;
  }

  async #fetch(): Promise<void> {
    const id = this.#trackId as string;
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    try {
      const { result, buffers } = await this.bridge.request(
        "player.load", { id }, { signal: AbortSignal.any([request.signal, this.signal]) },
      );
      this.#take(result, buffers);
    } catch (error) {
      if (isAbort(error) || this.#trackId !== id) return;
      // A reload that fails leaves what is there.
      if (this.status === "ready") return;
      this.status = "failed";
      this.failure = describe(error);
    }
    this.#emit("track");
  }

  #take(data: PlayerLoad, buffers: DataView[]): void {
    this.track = data.track;
    this.analysis = data.analysis;
    this.#corrections = null;
    this.cues = data.cues;
    this.sources = data.sources;
    this.pyramids = new Map();
    for (const [role, header] of Object.entries(data.waveforms)) {
      if (header) this.pyramids.set(role as AudioSource["role"], readPyramid(header, buffers));
    }
    this.picture = this.#pictureOf(data.track.duration ?? 0);
    this.failure = null;
    this.status = "ready";
  }

  #pictureOf(duration: number): SongPicture {
    return pictureOf(duration, this.pyramids.get("mix") ?? null, this.analysis, this.cues);
  }

  #forget(): void {
    this.track = null;
    this.analysis = null;
    this.cues = [];
    this.sources = [];
    this.pyramids = new Map();
    this.picture = null;
    this.job = null;
    this.failure = null;
    this.audioFailure = null;
    this.range = null;
    this.looping = false;
  }

  #engineChanged(): void {
    if (this.here) {
      this.#position = this.engine.position;
      this.#wasHere = true;
      // a second view of this track has set or ended the loop
      const { loop } = this.engine;
      if (loop && !same(loop, this.range)) this.range = loop;
      this.looping = loop !== null;
    } else if (this.#wasHere) {
      this.#wasHere = false;
      this.blocked = false;
    }
    this.#emit("state");
  }

  #engineFailed(error: EngineError): void {
    if (error.trackId !== this.#trackId || this.#trackId === null) return;
    this.audioFailure = { message: error.message, hint: error.hint };
    this.#emit("audio");
  }

  #applyLoop(): void {
    if (this.here) this.engine.setLoop(this.looping ? this.range : null);
    else this.#emit("state");
    this.engine.clock.wake();
  }

  #snapped(time: number): number {
    return snap(this.picture?.beats ?? [], time);
  }

  #loopHere(): Range | null {
    const place = this.position;
    const downbeats = this.picture?.downbeats ?? [];
    const bar = after(downbeats, place + 0.03) - 1;
    const start = downbeats[bar];
    const end = downbeats[bar + LOOP_BARS];
    if (start !== undefined && end !== undefined) return { start, end };
    const from = Math.min(place, Math.max(0, this.duration - LOOP_SECONDS));
    return { start: from, end: Math.min(this.duration, from + LOOP_SECONDS) };
  }

  #hear(stop: () => void): void {
    this.signal.addEventListener("abort", stop, { once: true });
  }

  #emit(event: keyof ModelEvents): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener();
  }
}

function same(a: Loop, b: Range | null): boolean {
  return b !== null && Math.abs(a.start - b.start) < 1e-3 && Math.abs(a.end - b.end) < 1e-3;
}
