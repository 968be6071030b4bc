/** The sound of a page: one engine for all widgets, with one song at a time. */

import { isAbort } from "../bridge";
import { type Clock, SmoothTime } from "../clock/clock";
import type { AudioSource } from "../types";
import { BufferDeck, type Deck, LEAD, StreamDeck } from "./deck";
import { AudioFailure, describeMime, type FetchBytes, fetchAudio, type Fetcher } from "./fetch";
import { LONGEST_DECODED, stemsFit } from "./memory";
import { gains, type Listen, type MixerState, neutral, type Role, type Side, type Stem, stemOf, type StemSetting } from "./mixer";
import { browserPage, NO_DEVICE, type PageHost, PageSound } from "./page";
import { type Loop, normalLoop, type Timeline } from "./transport";
import { mediaUrl } from "../media";

/** Raised when bundles of two releases can no longer share one engine. */
export const ENGINE_VERSION = 4;

export interface Loading {
  trackId: string;
  /** The song itself, or its stems behind it. */
  what: "song" | "stems";
  phase: "fetch" | "decode";
  received: number;
  /** Bytes; null while unknown. */
  total: number | null;
}

export interface EngineError {
  trackId: string | null;
  message: string;
  hint: string | null;
}

export interface EngineEvents {
  /** Track, playing, position (by a seek), loop or mixer changed. */
  state: void;
  loading: Loading | null;
  error: EngineError;
  /** Play was asked for before the page's first click: sound starts with that click. */
  blocked: boolean;
}

/** What differs between a browser and a test. */
export interface EngineHost extends PageHost {
  createElement(): HTMLAudioElement;
  fetch: Fetcher;
  /** Seconds. */
  now(): number;
}

const browserHost: EngineHost = {
  ...browserPage,
  createElement: () => new Audio(),
  fetch: (url, init) => fetch(url, init),
  now: () => performance.now() / 1000,
};

interface Song {
  trackId: string;
  sources: AudioSource[];
  /** Seconds, as the catalogue has it: decides how the song is loaded. */
  duration: number;
  /** Where its sound begins, in s; not 0 when it is a part of a song. */
  from: number;
  deck: Deck | null;
  /** Ids of the stems that can be heard. */
  stems: Map<Role, string>;
  abort: AbortController;
  /** The song can play. */
  ready: Promise<void>;
  /** Its stems can play too. */
  complete: Promise<void>;
}

export class AudioEngine {
  readonly version = ENGINE_VERSION;
  readonly clock: Clock;
  readonly #host: EngineHost;
  readonly #listeners = new Map<keyof EngineEvents, Set<(data: never) => void>>();
  readonly #mixers = new Map<string, MixerState>();
  readonly #holders = new Map<string, number>();
  readonly #smooth = new SmoothTime();
  readonly #page: PageSound;
  readonly #yielding: () => void;
  #context: AudioContext | null = null;
  #master: GainNode | null = null;
  #tap: AnalyserNode | null = null;
  #volume = 1;
  #trim = 1;
  #song: Song | null = null;
  #playing = false;
  #wanted = false;
  #position = 0;
  #loop: Loop | null = null;
  #loading: Loading | null = null;
  #stopWaiting: (() => void) | null = null;

  constructor(host: EngineHost = browserHost, page: PageSound = new PageSound(host)) {
    this.#host = host;
    this.#page = page;
    this.clock = page.clock;
    this.#yielding = page.yields(() => this.pause());
  }

  // What it is doing

  /** The context, once there was a reason to make it. */
  get context(): AudioContext | null {
    return this.#context;
  }

  /** What reaches the loudspeakers: for meters, and for tests that want samples. */
  get tap(): AnalyserNode | null {
    return this.#tap;
  }

  /** Where a sound beside the song goes in: it follows the page's level; null before there is a context. */
  get input(): AudioNode | null {
    return this.#master;
  }

  /** How the song runs on the context's clock, the same object until that changes; null while it does not play. */
  get timeline(): Timeline | null {
    return this.#playing ? (this.#song?.deck?.timeline ?? null) : null;
  }

  /** The samples of one source; null before it is loaded, and of a song that is streamed. */
  bufferOf(role: Role): AudioBuffer | null {
    const deck = this.#song?.deck;
    return deck instanceof BufferDeck ? deck.buffer(role) : null;
  }

  /** The level of one source after its fader. */
  tapOf(role: Role): AnalyserNode | null {
    return this.#song?.deck?.tap(role) ?? null;
  }

  get trackId(): string | null {
    return this.#song?.trackId ?? null;
  }

  get playing(): boolean {
    return this.#playing;
  }

  /** Play was asked for and will follow as soon as the song is there. */
  get starting(): boolean {
    return this.#wanted && !this.#playing;
  }

  get loading(): Loading | null {
    return this.#loading;
  }

  /** Roles that can be heard now. */
  get roles(): Role[] {
    return this.#song?.deck?.roles ?? [];
  }

  get duration(): number {
    return this.#song?.deck?.duration || (this.#song?.duration ?? 0);
  }

  /** Where its sound begins and ends, in s: the whole song, or the part of it that is loaded. */
  get #span(): { start: number; end: number } {
    const start = this.#song?.from ?? 0;
    return { start, end: start + this.duration };
  }

  get loop(): Loop | null {
    return this.#loop;
  }

  /** Place in the song by the audio clock, in s. */
  get position(): number {
    const deck = this.#song?.deck;
    if (!this.#playing || !deck || !this.#context) return this.#position;
    return deck.position(this.#context.currentTime);
  }

  /** Place in the song that is heard at this moment, for pictures: smooth, and behind by the output's latency. */
  get heard(): number {
    const deck = this.#song?.deck;
    if (!this.#playing || !deck || !this.#context) return this.#position;
    const time = this.#smooth.read(this.#context.currentTime, this.#host.now());
    return deck.position(time - (this.#context.outputLatency || 0));
  }

  /** Where something else in this page is heard playing a track, in s; null when nothing does. */
  heardElsewhere(trackId: string): number | null {
    return this.#page.heard(trackId);
  }

  on<E extends keyof EngineEvents>(
    event: E,
    callback: (data: EngineEvents[E]) => void,
    signal: AbortSignal,
  ): void {
    if (signal.aborted) return;
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(callback);
    signal.addEventListener("abort", () => listeners.delete(callback), { once: true });
  }

  // Songs

  /**
   * Loads a song and lets the one before go. Resolves when it can play; its stems follow by
   * themselves and join without a break (`stemsReady`). Of a part of a song `from` says where it begins, in s:
   * all times stay those of the song.
   *
   * Rejects with an `AbortError` when another song takes its place meanwhile, and with an
   * `AudioFailure` when there is nothing to play.
   */
  load(
    trackId: string,
    sources: AudioSource[],
    fetchBytes: FetchBytes,
    { duration = 0, position = 0, from = 0 }: { duration?: number; position?: number; from?: number } = {},
  ): Promise<void> {
    if (this.#song?.trackId === trackId) {
      this.refresh(trackId, sources, fetchBytes);
      return this.#song.ready;
    }
    this.unload();
    const song: Song = {
      trackId, sources, duration, from, deck: null, stems: new Map(), abort: new AbortController(),
      ready: Promise.resolve(), complete: Promise.resolve(),
    };
    this.#song = song;
    this.#position = Math.max(from, position);
    song.ready = this.#loadSong(song, fetchBytes);
    song.complete = song.ready.then(() => this.#loadStems(song, fetchBytes));
    song.complete.catch((error: unknown) => this.#failed(song, error));
    this.#emit("state", undefined);
    return song.ready;
  }

  /** Resolves when every stem of the loaded song can be heard. */
  get stemsReady(): Promise<void> {
    return this.#song?.complete ?? Promise.resolve();
  }

  /** Other stems for the loaded song, without stopping its sound: each takes the place of the one before it. */
  refresh(trackId: string, sources: AudioSource[], fetchBytes: FetchBytes): void {
    const song = this.#song;
    if (song?.trackId !== trackId || same(song.sources, sources)) return;
    const before = song.sources;
    song.sources = sources;
    const kept = new Set(sources.map(({ role }) => role));
    this.#drop(song, before.filter(({ role }) => role !== "mix" && !kept.has(role)).map(({ role }) => role));
    song.complete = song.complete.catch(() => {}).then(() => this.#loadStems(song, fetchBytes));
    song.complete.catch((error: unknown) => this.#failed(song, error));
  }

  /** Stops and frees the song's memory. */
  unload(): void {
    const song = this.#song;
    if (!song) return;
    this.pause();
    song.abort.abort();
    song.deck?.dispose();
    this.#song = null;
    this.#loop = null;
    this.#trim = 1;
    this.#position = 0;
    this.#setLoading(null);
    this.#emit("state", undefined);
  }

  /** A view shows this track until `signal` aborts; a song that nobody shows any more stops. */
  hold(trackId: string, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#holders.set(trackId, (this.#holders.get(trackId) ?? 0) + 1);
    signal.addEventListener("abort", () => {
      const left = (this.#holders.get(trackId) ?? 1) - 1;
      if (left > 0) {
        this.#holders.set(trackId, left);
        return;
      }
      this.#holders.delete(trackId);
      if (this.trackId === trackId) this.unload();
    }, { once: true });
  }

  // Transport

  /** Starts the context; call it from a gesture, so that the first play need not wait. */
  unlock(): void {
    this.#page.unlock();
    if (this.#page.context) this.#ensureContext();
  }

  /** Plays the loaded song from where it is, as soon as it can. */
  async play(): Promise<void> {
    const song = this.#song;
    if (!song || this.#playing || this.#wanted) return;
    this.#wanted = true;
    this.#emit("state", undefined);
    try {
      if (!this.#page.allowed) await this.#blocked(song.abort.signal);
      if (!this.#wanted) return;
      this.#ensureContext();
      await this.#page.run();
    } catch (error) {
      if (this.#song === song && !isAbort(error)) {
        this.#wanted = false;
        this.#report(song.trackId, error);
        this.#emit("state", undefined);
      }
      return;
    }
    // A song that cannot be loaded has been reported where it was loaded.
    await song.ready.catch(() => {});
    if (!this.#wanted || this.#playing || this.#song !== song || !song.deck) return;
    const { start, end } = this.#span;
    if (this.#position >= end - 0.01 || this.#position < start) this.#position = start;
    song.deck.start(this.#position, this.#loop, this.#trim);
    this.#playing = true;
    this.#smooth.reset();
    this.clock.running = true;
    this.#emit("state", undefined);
  }

  pause(): void {
    const was = this.#playing || this.#wanted;
    this.#wanted = false;
    this.#stopWaiting?.();
    if (this.#playing) {
      this.#playing = false;
      this.#position = this.#song?.deck?.stop() ?? this.#position;
      this.clock.running = false;
    }
    if (was) this.#emit("state", undefined);
    this.clock.wake();
  }

  /** Goes to a place of the song, in s. */
  seek(seconds: number): void {
    const song = this.#song;
    if (!song || !Number.isFinite(seconds)) return;
    const { start, end } = this.#span;
    this.#position = Math.max(start, Math.min(end > start ? end : Number.POSITIVE_INFINITY, seconds));
    if (this.#playing) {
      song.deck?.start(this.#position, this.#loop, this.#trim);
      this.#smooth.reset();
    }
    this.#emit("state", undefined);
    this.clock.wake();
  }

  /**
   * Goes to another place with another loop and another level at one stroke: what was heard fades into what is
   * heard now, in a few ms. `move` gets the place where the song will be at that moment, in s.
   */
  switchTo(move: (position: number) => number, loop: Loop | null, trim: number): void {
    if (!this.#song) return;
    const deck = this.#playing && this.#context ? this.#song.deck : null;
    const place = deck ? deck.position((this.#context as AudioContext).currentTime + LEAD) : this.#position;
    this.#loop = this.#normal(loop);
    this.#trim = limited(trim);
    this.seek(move(place));
  }

  /** Repeats a range of the song, to the sample; null plays on. */
  setLoop(loop: Loop | null): void {
    if (!this.#song) return;
    this.#loop = this.#normal(loop);
    if (this.#playing) this.#song.deck?.reloop(this.#loop, this.#trim);
    this.#emit("state", undefined);
  }

  // Levels

  /** Master level as a linear gain. */
  get volume(): number {
    return this.#volume;
  }

  set volume(gain: number) {
    this.#volume = limited(gain);
    if (this.#master && this.#context) {
      this.#master.gain.setTargetAtTime(this.#volume, this.#context.currentTime, 0.008);
    }
    this.#emit("state", undefined);
  }

  /** Level of the loaded song under its faders, as a linear gain: what makes two of its parts equally loud. */
  get trim(): number {
    return this.#trim;
  }

  set trim(gain: number) {
    this.#trim = limited(gain);
    if (this.#playing) this.#song?.deck?.reloop(this.#loop, this.#trim);
  }

  /** The mixer of a track; kept while the page lives, whether its sound is loaded or not. */
  mixer(trackId: string): Readonly<MixerState> {
    return this.#mixers.get(trackId) ?? { listen: "song", stems: {} };
  }

  /** Sets a stem; whoever touches a stem wants to hear the stems. */
  setStem(trackId: string, stem: Stem, change: Partial<StemSetting>): void {
    const before = this.mixer(trackId);
    const setting = { ...(before.stems[stem] ?? neutral()), ...change };
    this.#setMixer(trackId, { ...before, listen: "stems", stems: { ...before.stems, [stem]: setting } });
  }

  /** Sets all stems at one stroke; those that are not named are as they were made. */
  setStems(trackId: string, stems: MixerState["stems"]): void {
    this.#setMixer(trackId, { ...this.mixer(trackId), listen: "stems", stems });
  }

  /** From which of two sets the named stems are heard from now on. */
  setSides(trackId: string, sides: Partial<Record<Stem, Side>>): void {
    const before = this.mixer(trackId);
    this.#setMixer(trackId, { ...before, listen: "stems", sides: { ...before.sides, ...sides } });
  }

  /** Nothing is compared any more. */
  clearSides(trackId: string): void {
    const { sides, ...rest } = this.mixer(trackId);
    if (sides) this.#setMixer(trackId, rest);
  }

  /** Linear gains, at most 1, under the faders: what makes the things that are compared equally loud. */
  setMatch(trackId: string, match: NonNullable<MixerState["match"]>): void {
    this.#setMixer(trackId, { ...this.mixer(trackId), match });
  }

  setListen(trackId: string, listen: Listen): void {
    this.#setMixer(trackId, { ...this.mixer(trackId), listen });
  }

  /** Every stem as it was made, and the original to be heard. */
  resetMixer(trackId: string): void {
    this.#setMixer(trackId, { ...this.mixer(trackId), listen: "song", stems: {} });
  }

  /** Ends for good: another release of the engine takes over the page. */
  dispose(): void {
    this.unload();
    this.#listeners.clear();
    this.#yielding();
    this.#master?.disconnect();
    this.#context = null;
  }

  // Inside

  #normal(loop: Loop | null): Loop | null {
    const { start, end } = this.#span;
    return normalLoop(loop, end > start ? end : Number.POSITIVE_INFINITY, this.#context?.sampleRate ?? 48_000, start);
  }

  #setMixer(trackId: string, mixer: MixerState): void {
    this.#mixers.set(trackId, mixer);
    if (this.trackId === trackId) this.#applyGains();
    this.#emit("state", undefined);
  }

  #applyGains(): void {
    const song = this.#song;
    if (!song?.deck) return;
    const mixer = this.mixer(song.trackId);
    for (const [role, gain] of gains(mixer, song.deck.roles)) {
      const stem = stemOf(role);
      song.deck.setGain(role, gain);
      if (stem) song.deck.setPan(role, mixer.stems[stem]?.pan ?? 0);
    }
  }

  /** Lets stems of a song go; what is heard then follows. */
  #drop(song: Song, roles: Role[]): void {
    if (roles.length === 0) return;
    for (const role of roles) {
      if (song.deck instanceof BufferDeck) song.deck.remove(role);
      song.stems.delete(role);
    }
    this.#applyGains();
  }

  #ensureContext(): AudioContext {
    if (this.#context) return this.#context;
    const context = this.#page.makeContext();
    const master = context.createGain();
    const tap = context.createAnalyser();
    master.gain.value = this.#volume;
    tap.fftSize = 2048;
    master.connect(tap);
    tap.connect(context.destination);
    context.addEventListener("statechange", () => {
      // The system took the device (a call, a closed lid): the song waits where it is.
      if (context.state !== "running" && this.#playing) this.pause();
    });
    // Chrome tells of a device that has gone in this way.
    context.addEventListener("error", () => {
      this.pause();
      this.#report(this.trackId, NO_DEVICE);
    });
    this.#context = context;
    this.#master = master;
    this.#tap = tap;
    return context;
  }

  /** Waits for a gesture on behalf of play, and tells of it; rejects when play is taken back. */
  async #blocked(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    this.#stopWaiting = () => stop.abort();
    this.#emit("blocked", true);
    try {
      await this.#page.whenAllowed(AbortSignal.any([signal, stop.signal]));
    } finally {
      this.#stopWaiting = null;
      this.#emit("blocked", false);
    }
  }

  async #loadSong(song: Song, fetchBytes: FetchBytes): Promise<void> {
    const { signal } = song.abort;
    const mix = song.sources.find((source) => source.role === "mix");
    if (!mix && song.sources.length === 0) {
      throw new AudioFailure("This track has no audio.", "Its file may have been moved; add the song again.");
    }
    // Decoding needs a context, and browsers frown at one that no gesture asked for.
    await this.#page.whenAllowed(signal);
    const context = this.#ensureContext();
    if (mix && song.duration > LONGEST_DECODED) {
      song.deck = await this.#stream(song, mix, context, fetchBytes);
      this.#applyGains();
      return;
    }
    if (!mix) return; // the stems are the song
    let buffer: AudioBuffer;
    try {
      buffer = await this.#decode(song, mix, fetchBytes, (phase, received, total) => {
        this.#setLoading({ trackId: song.trackId, what: "song", phase, received, total });
      });
    } catch (error) {
      signal.throwIfAborted();
      // A browser that cannot read the original can read its stems, and they sum to it.
      if (song.sources.length > 1 && error instanceof AudioFailure) return;
      throw error;
    }
    this.#addBuffers(song, new Map([["mix", buffer]]));
    this.#setLoading(null);
  }

  async #loadStems(song: Song, fetchBytes: FetchBytes): Promise<void> {
    const { signal } = song.abort;
    signal.throwIfAborted();
    if (song.deck instanceof StreamDeck) return;
    const stems = song.sources.filter(({ role, id }) => role !== "mix" && song.stems.get(role) !== id);
    if (stems.length === 0) return;
    if (song.deck && !stemsFit(song.deck.duration, song.sources.length)) return;
    // Side by side: browsers decode on threads of their own.
    const received = new Map<Role, number>();
    const buffers = await Promise.all(stems.map(async (source): Promise<[Role, AudioBuffer]> => [
      source.role,
      await this.#decode(song, source, fetchBytes, (phase, bytes) => {
        received.set(source.role, phase === "fetch" ? bytes : Number.POSITIVE_INFINITY);
        const counts = [...received.values()];
        const fetching = counts.filter(Number.isFinite);
        this.#setLoading({
          trackId: song.trackId,
          what: "stems",
          phase: fetching.length > 0 ? "fetch" : "decode",
          received: fetching.reduce((sum, count) => sum + count, 0),
          total: null,
        });
      }),
    ])).catch((error: unknown) => {
      // What the new ones were to replace is not what the page shows any more.
      if (!signal.aborted) this.#drop(song, stems.map(({ role }) => role));
      throw error;
    });
    // Others may have been asked for meanwhile.
    const wanted = new Set(song.sources.map(({ id }) => id));
    const come = stems.filter(({ id }) => wanted.has(id));
    this.#addBuffers(song, new Map(buffers.filter(([role]) => come.some((source) => source.role === role))));
    for (const { role, id } of come) song.stems.set(role, id);
    this.#setLoading(null);
    if (this.starting) {
      // there was no original to begin with
      this.#wanted = false;
      void this.play();
    }
  }

  #addBuffers(song: Song, buffers: Map<Role, AudioBuffer>): void {
    const context = this.#ensureContext();
    const deck = song.deck instanceof BufferDeck
      ? song.deck
      : new BufferDeck(context, this.#master as GainNode, () => this.#ended(song), song.from);
    song.deck = deck;
    // New stems come in silent and rise with the change of gains, together with the mix going down; one that takes
    // the place of another is as loud as that was.
    const before = new Set(deck.roles);
    const heard = gains(this.mixer(song.trackId), before);
    deck.add(buffers, (role) => (before.has(role) ? (heard.get(role) ?? 0) : role === "mix" ? 1 : 0));
    this.#applyGains();
    this.#emit("state", undefined);
  }

  async #decode(
    song: Song,
    source: AudioSource,
    fetchBytes: FetchBytes,
    progress: (phase: Loading["phase"], received: number, total: number | null) => void,
  ): Promise<AudioBuffer> {
    const { signal } = song.abort;
    const show: typeof progress = (phase, received, total) => {
      if (!signal.aborted) progress(phase, received, total);
    };
    show("fetch", 0, null);
    const bytes = await fetchAudio(source, fetchBytes, this.#host.fetch, signal, (received, total) => {
      show("fetch", received, total);
    });
    signal.throwIfAborted();
    show("decode", bytes.byteLength, bytes.byteLength);
    let buffer: AudioBuffer;
    try {
      buffer = await this.#ensureContext().decodeAudioData(bytes);
    } catch {
      signal.throwIfAborted();
      throw new AudioFailure(
        `This browser cannot decode ${describeMime(source.mime)}.`,
        "Separate the song to play it from its stems, or add it as FLAC, WAV, MP3 or Ogg.",
      );
    }
    signal.throwIfAborted();
    return buffer;
  }

  async #stream(
    song: Song,
    mix: AudioSource,
    context: AudioContext,
    fetchBytes: FetchBytes,
  ): Promise<Deck> {
    const { signal } = song.abort;
    this.#setLoading({ trackId: song.trackId, what: "song", phase: "fetch", received: 0, total: null });
    const element = this.#host.createElement();
    element.preload = "auto";
    if (!(await canPlay(element, mediaUrl(mix.url), signal))) {
      const bytes = await fetchBytes(mix.id, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw new AudioFailure("The audio could not be fetched.", error instanceof Error ? error.message : null);
      });
      const url = URL.createObjectURL(new Blob([bytes], { type: mix.mime }));
      signal.addEventListener("abort", () => URL.revokeObjectURL(url), { once: true });
      if (!(await canPlay(element, url, signal))) {
        throw new AudioFailure(`This browser cannot decode ${describeMime(mix.mime)}.`, "Add the song as FLAC, WAV, MP3 or Ogg.");
      }
    }
    element.addEventListener("error", () => {
      if (signal.aborted) return;
      this.pause();
      this.#report(song.trackId, new AudioFailure("The stream of this song broke off.", "Press play to go on."));
    });
    this.#setLoading(null);
    return new StreamDeck(context, this.#master as GainNode, element, song.duration, () => this.#ended(song));
  }

  #ended(song: Song): void {
    if (this.#song !== song) return;
    this.#playing = false;
    this.#wanted = false;
    this.#position = this.#span.end;
    this.clock.running = false;
    this.#emit("state", undefined);
    this.clock.wake();
  }

  #setLoading(loading: Loading | null): void {
    if (this.#loading === loading) return;
    this.#loading = loading;
    this.#emit("loading", loading);
  }

  #failed(song: Song, error: unknown): void {
    if (isAbort(error) || this.#song !== song) return;
    this.#setLoading(null);
    if (song.deck) {
      this.#report(song.trackId, error);
      return;
    }
    // Nothing can be heard: the next play tries again from the beginning.
    this.#wanted = false;
    this.#song = null;
    this.#report(song.trackId, error);
    this.#emit("state", undefined);
  }

  #report(trackId: string | null, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof AudioFailure ? error.hint : null;
    this.#emit("error", { trackId, message, hint });
  }

  #emit<E extends keyof EngineEvents>(event: E, data: EngineEvents[E]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(data as never);
  }
}

/** A level that never lifts a song over its own peaks. */
function limited(gain: number): number {
  return Math.max(0, Math.min(1, gain));
}

function same(a: AudioSource[], b: AudioSource[]): boolean {
  return a.length === b.length && a.every((source, i) => source.id === b[i]?.id);
}

/** Whether an element can play an address, as soon as it knows. */
function canPlay(element: HTMLAudioElement, url: string, signal: AbortSignal): Promise<boolean> {
  const done = new AbortController();
  return new Promise<boolean>((resolve, reject) => {
    element.addEventListener("loadedmetadata", () => resolve(true), { signal: done.signal });
    element.addEventListener("error", () => resolve(false), { signal: done.signal });
    signal.addEventListener("abort", () => reject(signal.reason), { signal: done.signal });
    element.src = url;
    element.load();
  }).finally(() => done.abort());
}
