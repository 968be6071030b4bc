/** A track that is open in a player: its data, its place, its range; pictures and controls look at this. */

import { type Bridge, BridgeError, describe, isAbort } from "../bridge";
import { type AudioEngine, audioEngine, type EngineError, type Loop, type Role, roleOf, type Stem, stemsFit } from "../engine";
import type { FetchBytes } from "../engine/fetch";
import { isRunning } from "../parts";
import type {
  Analysis, AudioSource, Cue, JobRow, PlayerHandle, PlayerLoad, Stage, StemSet, TrackRow, WaveformHeader,
} from "../types";
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

/** Sounds and their pictures. */
interface Sounds {
  sources: AudioSource[];
  pyramids: Map<Role, Pyramid>;
}

interface LoadedSet extends Sounds {
  set: StemSet;
}

/** A set of stems of a part of the song: a preview. */
export function regionOf(set: StemSet | null): Range | null {
  return set && set.start !== null && set.end !== null ? { start: set.start, end: set.end } : null;
}

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
  /** What is in the mixer: the song, or the part of it that a preview is, and the stems of one set, or of two. */
  sources: AudioSource[] = [];
  pyramids = new Map<Role, Pyramid>();
  /** Every set of the track, the newest first. */
  sets: StemSet[] = [];
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
  /** The song and the set in use, as the kernel sent them. */
  #base: Sounds = { sources: [], pyramids: new Map() };
  /** A set that is in the mixer in place of the one in use. */
  #shown: LoadedSet | null = null;
  /** The set that it is compared with. */
  #other: LoadedSet | null = null;
  /** The newest wish for a set: an answer to an older one comes too late. */
  #wish = 0;
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

  /** What the engine knows the sound by: the track, or a preview of it. */
  get soundId(): string {
    const { region } = this;
    return region ? `${this.#trackId}#${region.start}-${region.end}` : (this.#trackId ?? "");
  }

  /** The engine holds this sound. */
  get here(): boolean {
    return this.#trackId !== null && this.engine.trackId === this.soundId;
  }

  /** The set whose stems are in the mixer. */
  get set(): StemSet | null {
    const id = this.#shown?.set.id;
    return this.sets.find((set) => (id ? set.id === id : set.in_use)) ?? null;
  }

  /** The set that was put into the mixer in place of the one in use. */
  get shown(): StemSet | null {
    return this.#shown?.set ?? null;
  }

  /** The set that it is compared with. */
  get other(): StemSet | null {
    return this.#other?.set ?? null;
  }

  /** The part of the song that is in the mixer; null for all of it. */
  get region(): Range | null {
    return regionOf(this.shown);
  }

  /** Sets that the one in the mixer can be compared with: those of the same part of the song. */
  get comparable(): StemSet[] {
    const { set } = this;
    return set ? this.sets.filter(({ id, start, end }) => id !== set.id && start === set.start && end === set.end) : [];
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

  /** Place to be drawn, in s: where the track is heard now, be it from a deck. */
  get heard(): number {
    const elsewhere = this.playing || this.#trackId === null ? null : this.engine.heardElsewhere(this.#trackId);
    return elsewhere ?? (this.here ? this.engine.heard : this.#position);
  }

  /** The stems in the mixer, of one set or of two. */
  get stems(): AudioSource[] {
    return this.sources.filter(({ role }) => role !== "mix");
  }

  /** Whether the browser can hold the stems beside the song. */
  get stemsFit(): boolean {
    return this.fits(0);
  }

  /** Whether it can hold so many more. */
  fits(more: number): boolean {
    return stemsFit(this.#length, this.sources.length + more);
  }

  /** Seconds of sound in the mixer. */
  get #length(): number {
    const { region } = this;
    return region ? region.end - region.start : this.duration;
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
    this.#holdSound();
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
  }

  /**
   * Puts a set into the mixer without making it the one in use; a preview plays as the part of the song that it is.
   * Null goes back to the set in use. Throws what the kernel says.
   */
  async show(setId: string | null): Promise<void> {
    if (setId === this.sets.find((set) => set.in_use)?.id) setId = null;
    const wish = (this.#wish += 1);
    if ((this.#shown?.set.id ?? null) === setId) return;
    const loaded = setId === null ? null : await this.#loadSet(setId);
    if (wish !== this.#wish || this.status !== "ready") return;
    const before = this.soundId;
    const [position, goOn] = [this.position, this.playing || this.starting];
    this.#other = null;
    this.#shown = loaded;
    if (before !== this.soundId) {
      this.looping = false;
      this.range = null;
      this.#holdSound();
      const { region } = this;
      this.#position = region && (position < region.start || position >= region.end) ? region.start : position;
    }
    this.#compose();
    if (before === this.soundId) return;
    if (goOn) this.play();
    else if (this.engine.context) this.preload();
  }

  /** Loads a second set to be heard beside the one in the mixer; null ends that. Throws what the kernel says. */
  async compare(setId: string | null): Promise<void> {
    if ((this.#other?.set.id ?? null) === setId) return;
    const wish = (this.#wish += 1);
    const loaded = setId === null ? null : await this.#loadSet(setId);
    if (wish !== this.#wish || this.status !== "ready") return;
    this.#other = loaded;
    this.#compose();
  }

  /** Makes a set the one in use. Throws what the kernel says. */
  async choose(setId: string): Promise<void> {
    await this.bridge.request("stems.choose", { set: setId }, { signal: this.signal });
    await this.reload();
    await this.show(null);
  }

  /** Takes a set away, or brings it back. Throws what the kernel says. */
  async keep(setId: string, kept: boolean): Promise<void> {
    await this.bridge.request(kept ? "stems.restore" : "stems.remove", { set: setId }, { signal: this.signal });
    await this.reload();
  }

  /** Hears the song, or its stems as they are set. */
  toggleListen(): void {
    if (this.stems.length === 0 || !this.stemsFit) return;
    const { listen } = this.engine.mixer(this.soundId);
    this.engine.setListen(this.soundId, listen === "song" ? "stems" : "song");
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

  /** Shows a failure where those of the sound are shown. */
  tellFailure(error: unknown): void {
    if (isAbort(error)) return;
    this.audioFailure = describe(error);
    this.#emit("audio");
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
    return this.engine.load(this.soundId, this.sources, this.#fetchBytes, {
      duration: this.#length, position: this.#position, from: this.region?.start ?? 0,
    });
  }

  /** The engine keeps this sound for as long as it is shown here. */
  #holdSound(): void {
    this.#hold?.abort();
    this.#hold = new AbortController();
    this.engine.hold(this.soundId, this.#hold.signal);
    this.#wasHere = this.here;
  }

  async #loadSet(id: string): Promise<LoadedSet> {
    const { result, buffers } = await this.bridge.request("stems.load", { set: id }, { signal: this.signal });
    return { set: result.set, sources: result.sources, pyramids: pyramidsOf(result.waveforms, buffers) };
  }

  /** What is in the mixer, from the song, the set that is shown, and the one that is compared. */
  #compose(): void {
    const shown = this.#shown;
    const { set, other } = this;
    // What was shown or compared may be gone, or have become the set in use.
    if (shown && !set) {
      this.#shown = null;
      this.#other = null;
      this.#holdSound();
      this.#compose();
      return;
    }
    if (other && !this.comparable.some(({ id }) => id === other.id)) this.#other = null;
    const parts: Sounds[] = shown ? [...(this.region ? [] : [songOnly(this.#base)]), shown] : [this.#base];
    if (this.#other) parts.push(secondSide(this.#other));
    else this.engine.clearSides(this.soundId);
    this.sources = parts.flatMap(({ sources }) => sources);
    this.pyramids = new Map(parts.flatMap(({ pyramids }) => [...pyramids]));
    if (this.here) this.engine.refresh(this.soundId, this.sources, this.#fetchBytes);
    this.#emit("track");
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
      this.#emit("track");
    }
  }

  #take(data: PlayerLoad, buffers: DataView[]): void {
    this.track = data.track;
    this.analysis = data.analysis;
    this.#corrections = null;
    this.cues = data.cues;
    this.sets = data.sets;
    this.#base = { sources: data.sources, pyramids: pyramidsOf(data.waveforms, buffers) };
    this.picture = this.#pictureOf(data.track.duration ?? 0);
    this.failure = null;
    this.status = "ready";
    this.#compose();
  }

  #pictureOf(duration: number): SongPicture {
    return pictureOf(duration, this.#base.pyramids.get("mix") ?? null, this.analysis, this.cues);
  }

  #forget(): void {
    this.track = null;
    this.analysis = null;
    this.cues = [];
    this.sources = [];
    this.pyramids = new Map();
    this.sets = [];
    this.#base = { sources: [], pyramids: new Map() };
    this.#shown = null;
    this.#other = null;
    this.#wish += 1;
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
    if (this.#trackId === null || error.trackId !== this.soundId) return;
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

function pyramidsOf(waveforms: Partial<Record<Role, WaveformHeader>>, buffers: DataView[]): Map<Role, Pyramid> {
  const found = Object.entries(waveforms) as [Role, WaveformHeader][];
  return new Map(found.map(([role, header]) => [role, readPyramid(header, buffers)]));
}

function songOnly({ sources, pyramids }: Sounds): Sounds {
  const picture = pyramids.get("mix");
  return { sources: sources.filter(({ role }) => role === "mix"), pyramids: new Map(picture ? [["mix", picture]] : []) };
}

/** The stems of a set as they are known beside those of another. */
function secondSide({ sources, pyramids }: Sounds): Sounds {
  return {
    sources: sources.filter(({ role }) => role !== "mix").map((source) => ({ ...source, role: roleOf(source.role as Stem, "b") })),
    pyramids: new Map([...pyramids].filter(([role]) => role !== "mix").map(([role, pyramid]) => [roleOf(role as Stem, "b"), pyramid])),
  };
}

function same(a: Loop, b: Range | null): boolean {
  return b !== null && Math.abs(a.start - b.start) < 1e-3 && Math.abs(a.end - b.end) < 1e-3;
}
