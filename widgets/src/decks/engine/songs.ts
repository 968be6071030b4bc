/** The songs in the decks: how they come, what is known of them, and what is written to them. */

import { describe, isAbort, type Reply } from "../../bridge";
import { gridOf, hotCuesOf, songInfo } from "../../console/info";
import type { ToConsole } from "../../console/messages";
import { type ConsoleEvent, DECKS, HOT_CUES, type HotCue } from "../../console/types";
import type { ControlStore } from "../../control/store";
import { AudioFailure, type Fetcher } from "../../engine/fetch";
import { LONGEST_IN_DECKS, stemsFit } from "../../engine/memory";
import type { AudioSource, ControlValue, Cue, DeckLoad, Methods } from "../../types";
import { readPyramid } from "../../waveform/pyramid";
import { correctGrid, correction } from "./grid";
import { loadSong, loadStems, type LoadOptions } from "./loader";
import { LONG_MS, type Seats } from "./seats";
import type { Sound } from "./sound";
import type { DeckLoading, DeckSong, Failure } from "./types";

/** What a deck goes back to with another song. */
export const RESET = ["play", "loop.active", "reverse", "roll"];
/** Changes of its own making. */
const OWN = "decks";

type CueMethod = "decks.cue.set" | "decks.cue.clear" | "decks.cue.fill";

/** One deck's song, and how far it has come. */
export interface Bay {
  readonly number: number;
  song: DeckSong | null;
  /** Name of this load in the console. */
  id: string;
  loading: DeckLoading | null;
  failure: Failure | null;
  abort: AbortController;
  /** Changes that wait for the song; null while none is on its way. */
  held: [string, ControlValue][] | null;
  /** Length of its sound; 0 while that is unknown. */
  frames: number;
  /** What the kernel has of its stems, and those of them that it plays or is to play; they come until this is aborted. */
  offered: readonly AudioSource[];
  stems: readonly AudioSource[];
  stemming: AbortController;
  /** All of its sound has come. */
  whole: boolean;
  /** The song can be played; it can be heard with all its stems. */
  ready: Promise<void>;
  complete: Promise<void>;
  /** Ids of the corrections that its analysis is known to hold. */
  corrections: string | null;
}

export interface SongsHost {
  readonly controls: ControlStore;
  readonly seats: Seats;
  readonly fetch: Fetcher;
  /** Aborts when the decks end. */
  readonly signal: AbortSignal;
  /** The sound, as soon as the page may make it; and what is there of it. */
  make(): Promise<Sound>;
  sound(): Sound | null;
  makeContext(): BaseAudioContext;
  post(message: ToConsole): void;
  /** Sends changes that have waited for a song. */
  release(changes: readonly [string, ControlValue][]): void;
  /** They wait for it no longer. */
  forget(changes: readonly [string, ControlValue][]): void;
  /** Where a deck is, in s. */
  place(deck: number): number;
  moved(deck: number): void;
  loading(deck: number): void;
  failed(deck: number, error: unknown): void;
  /** A deck begins to load a track. */
  begun(deck: number, track: string): void;
}

export class Songs {
  readonly bays: readonly Bay[] = Array.from({ length: DECKS }, (_, index) => emptyBay(index + 1));
  readonly #host: SongsHost;
  /** Songs that were asked for before a deck is to have them. */
  readonly #ahead = new Map<string, Promise<Reply<DeckLoad>>>();
  /** Requests for the cues and the grid of a track that are under way: an older answer must not undo a newer change. */
  readonly #writing = new Map<string, number>();
  #loads = 0;

  constructor(host: SongsHost) {
    this.#host = host;
  }

  bay(deck: number): Bay {
    const bay = this.bays[deck - 1];
    if (!bay) throw new RangeError(`There is no deck ${deck}.`);
    return bay;
  }

  // How they come

  /** Puts a track into a deck in place of what is there; "" empties it. */
  load(bay: Bay, trackId: string, keepFailure = false): void {
    const { controls, forget, post, begun, moved } = this.#host;
    bay.abort.abort();
    forget(bay.held ?? []);
    post({ type: "unload", deck: bay.number });
    const failure = keepFailure ? bay.failure : null;
    Object.assign(bay, emptyBay(bay.number), { id: `${trackId}:${(this.#loads += 1)}`, failure });
    for (const name of RESET) controls.set(`deck.${bay.number}.${name}`, 0, OWN);
    if (trackId !== "") {
      begun(bay.number, trackId);
      const twin = this.bays.find(({ whole, song }) => whole && song?.id === trackId);
      if (twin) this.#double(bay, twin);
      else {
        bay.held = [];
        bay.loading = { what: "song", phase: "fetch", fraction: null };
        let isReady = (): void => {};
        bay.ready = new Promise((resolve) => { isReady = resolve; });
        bay.complete = this.#bring(bay, trackId, isReady).finally(isReady);
      }
    }
    moved(bay.number);
  }

  /** Ends what is under way. */
  end(): void {
    for (const bay of this.bays) bay.abort.abort();
  }

  /** The console was lost: brings all songs again, to where they stood. */
  again(): void {
    const { controls, place } = this.#host;
    const places = this.bays.map(({ number, song }) => (song ? place(number) : null));
    for (const bay of this.bays) bay.whole = false;
    this.bays.forEach((bay, index) => {
      const track = String(controls.get(`deck.${bay.number}.track`));
      if (track === "") return;
      this.load(bay, track);
      const at = places[index] ?? null;
      if (at !== null) controls.set(`deck.${bay.number}.seek`, at, OWN);
    });
  }

  /**
   * Asks the kernel about songs that decks will have next, instead of those that were expected before: they can then be
   * loaded while a cell runs.
   */
  expect(trackIds: readonly string[]): void {
    const { seats, signal } = this.#host;
    for (const id of this.#ahead.keys()) if (!trackIds.includes(id)) this.#ahead.delete(id);
    for (const id of trackIds) {
      if (this.#ahead.has(id)) continue;
      const asked = seats.ask("decks.load", { id }, signal);
      this.#ahead.set(id, asked);
      // Whoever loads it asks again, and is told why it cannot be.
      asked.catch(() => { if (this.#ahead.get(id) === asked) this.#ahead.delete(id); });
    }
  }

  /** The same song as in another deck: its sound is there already. */
  #double(bay: Bay, twin: Bay): void {
    const { song, offered, stems, frames, corrections } = twin;
    Object.assign(bay, { song, offered, stems, frames, corrections, whole: true });
    this.#begin(bay, twin.number);
  }

  /** Brings a song into a deck. Failures are shown, not thrown. */
  async #bring(bay: Bay, trackId: string, ready: () => void): Promise<void> {
    const { controls, seats, make, moved, failed } = this.#host;
    const { number, abort: { signal } } = bay;
    try {
      const made = make();
      made.catch(() => {}); // told where it was made
      const ahead = await this.#ahead.get(trackId)?.catch(() => null);
      signal.throwIfAborted();
      const { result, buffers } = ahead ?? await seats.ask("decks.load", { id: trackId }, signal);
      const song = (bay.song = songOf(result, buffers));
      this.#offer(bay, result.sources);
      moved(number);
      // Its cues and its grid may have changed since it was asked for.
      if (ahead) void this.refresh(trackId);
      const came = await loadSong({
        ...this.#options(bay, made, signal),
        sources: result.sources,
        stems: bay.stems,
        duration: song.duration,
        begin: async (frames) => {
          await made;
          signal.throwIfAborted();
          bay.frames = frames;
          this.#begin(bay);
        },
      });
      ready();
      bay.loading = null;
      moved(number);
      if (sameSources(came, bay.stems)) this.#stemsCame(bay);
      else await this.#bringStems(bay);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      bay.loading = null;
      bay.failure = describe(error);
      // Nothing of it can be heard.
      if (bay.held) controls.set(`deck.${number}.track`, "", OWN);
      failed(number, error);
      moved(number);
    }
  }

  /** Tells the console of the song, and what has waited for it. */
  #begin(bay: Bay, like?: number): void {
    const { song, id, frames, number, held } = bay;
    if (!song) return;
    const { post, release } = this.#host;
    const facts = { analysis: song.analysis, cues: [...song.cues], gain: song.gain, key: song.key };
    const info = songInfo(facts, { id, frames, roles: ["mix", ...bay.stems.map(({ role }) => role)] });
    post({ type: "load", deck: number, info, ...(like !== undefined && { like }) });
    bay.held = null;
    release(held ?? []);
  }

  /** Brings the stems of a song that can be played already, in place of those it had. Failures are shown, not thrown. */
  async #bringStems(bay: Bay): Promise<void> {
    const { make, failed } = this.#host;
    bay.stemming.abort();
    bay.stemming = new AbortController();
    const signal = AbortSignal.any([bay.abort.signal, bay.stemming.signal]);
    try {
      // Without an audio worklet there is nothing that could play them.
      const sound = await make();
      signal.throwIfAborted();
      if (sound.limits) return;
      await loadStems(this.#options(bay, Promise.resolve(sound), signal), bay.stems, bay.frames);
      this.#stemsCame(bay);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      bay.loading = null;
      failed(bay.number, error);
      this.#host.moved(bay.number);
    }
  }

  #stemsCame(bay: Bay): void {
    bay.loading = null;
    bay.whole = true;
    if (bay.song) bay.song = { ...bay.song, stemsReady: bay.stems.length > 0 && !this.#host.sound()?.limits };
    this.#host.moved(bay.number);
  }

  #options(bay: Bay, made: Promise<Sound>, signal: AbortSignal): LoadOptions {
    const { seats, fetch, sound, makeContext, loading } = this.#host;
    const { number, id } = bay;
    return {
      context: made.then(makeContext),
      fetchBytes: (source, end) => fetchBytes(seats, source, end),
      fetch,
      signal,
      progress: (stand) => {
        if (signal.aborted) return;
        bay.loading = stand;
        loading(number);
      },
      give: (role, index, samples) => sound()?.give(number, id, role, index, samples),
    };
  }

  /** The kernel has these sources of a song: a deck is to play its stems unless they do not fit into memory. */
  #offer(bay: Bay, sources: readonly AudioSource[]): void {
    if (!bay.song) return;
    const { duration } = bay.song;
    bay.offered = sources.filter(({ role }) => role !== "mix");
    bay.stems = stemsFit(duration, sources.length) ? bay.offered : [];
    const held = this.bays.reduce((sum, { song, stems }) => sum + (song?.duration ?? 0) * (1 + stems.length), 0);
    if (bay.stems.length > 0 && held > LONGEST_IN_DECKS) {
      bay.stems = [];
      this.#host.failed(bay.number, new AudioFailure(
        "The stems of this song do not fit into memory beside the songs of the other decks: it plays without them.",
        "Empty another deck, then load the song again.",
      ));
    }
    bay.song = { ...bay.song, stems: bay.stems.map(({ role }) => role), stemsReady: false };
  }

  // What is known of them

  /** The kernel knows more of a track now: its pictures and its grid follow, and other stems take the place of those it had. */
  async refresh(trackId: string, corrections: string | null = null): Promise<void> {
    const { seats, moved } = this.#host;
    if (!seats.bridge || !this.bays.some(({ song }) => song?.id === trackId)) return;
    const reply = await seats.bridge.request("decks.load", { id: trackId }, { timeoutMs: LONG_MS }).catch(() => null);
    if (!reply) return; // what is shown stays as it was
    const { result, buffers } = reply;
    for (const bay of this.bays) {
      const before = bay.song;
      if (before?.id !== trackId) continue;
      const { stems, stemsReady, analysis, cues, hotCues } = before;
      const writing = this.#writing.has(trackId);
      bay.song = { ...songOf(result, buffers), stems, stemsReady, ...(writing && { analysis, cues, hotCues }) };
      if (!writing) {
        bay.corrections = corrections;
        this.#update(bay);
      }
      if (!sameSources(bay.offered, result.sources.filter(({ role }) => role !== "mix"))) this.#restem(bay, result.sources);
      moved(bay.number);
    }
  }

  /** Asks anew about all songs: what was told while there was no view of the kernel was heard by nobody. */
  refreshAll(): void {
    for (const id of new Set(this.bays.map(({ song }) => song?.id))) if (id !== undefined) void this.refresh(id);
  }

  /** A deck's song has other stems than those that it was loaded with; its mix plays on until they are there. */
  #restem(bay: Bay, sources: readonly AudioSource[]): void {
    this.#offer(bay, sources);
    bay.whole = false;
    if (bay.held) return; // the console has not heard of it yet
    this.#host.post({ type: "restem", deck: bay.number, song: bay.id, stems: bay.stems.map(({ role }) => role) });
    if (bay.loading?.what !== "song") bay.complete = this.#bringStems(bay);
  }

  #update({ number, song }: Bay): void {
    if (!song) return;
    const { analysis, cues, gain, key } = song;
    this.#host.post({ type: "update", deck: number, grid: gridOf(analysis), hotCues: hotCuesOf([...cues]), gain, key });
  }

  takeCues(trackId: string, cues: Cue[]): void {
    this.#take(trackId, null, { cues, hotCues: bySlot(cues) });
  }

  /** Corrections of a track were made elsewhere. */
  corrected(trackId: string, corrections: string): void {
    if (this.bays.some((bay) => bay.song?.id === trackId && bay.corrections !== corrections)) void this.refresh(trackId, corrections);
  }

  /** What the kernel has answered or told, unless a newer change is on its way to it. */
  #take(trackId: string, corrections: string | null, change: Partial<DeckSong>): void {
    if (this.#writing.has(trackId)) return;
    for (const bay of this.bays) {
      if (bay.song?.id !== trackId) continue;
      bay.song = { ...bay.song, ...change };
      bay.corrections = corrections ?? bay.corrections;
      this.#update(bay);
      this.#host.moved(bay.number);
    }
  }

  // What is written to them

  /** Label, colour or place of a hot cue; one that is not set is set at the place of the deck. */
  async setCue(deck: number, slot: number, change: { label?: string; color?: string; time?: number; end?: number | null }): Promise<void> {
    const { song } = this.bay(deck);
    if (!song) return;
    const before = song.hotCues[slot - 1];
    const time = change.time ?? before?.time ?? this.#host.place(deck);
    const end = change.end === undefined ? (before?.end ?? null) : change.end;
    const { label, color } = change;
    await this.#writeCues("decks.cue.set", {
      id: song.id, slot, time, end, ...(label === undefined ? {} : { label }), ...(color === undefined ? {} : { color }),
    });
  }

  async clearCue(deck: number, slot: number): Promise<void> {
    const { song } = this.bay(deck);
    if (song) await this.#writeCues("decks.cue.clear", { id: song.id, slot });
  }

  async fillCues(deck: number): Promise<void> {
    const { song } = this.bay(deck);
    if (song) await this.#writeCues("decks.cue.fill", { id: song.id });
  }

  /** A hot cue was set or cleared at a deck: its pad shows it at once. */
  cueMoved({ deck, slot, cue }: ConsoleEvent & { type: "hotcue" }): void {
    const bay = this.bay(deck);
    const { song } = bay;
    if (!song) return;
    bay.song = { ...song, hotCues: song.hotCues.map((before, i) => (i === slot - 1 ? cueAt(cue, slot, before) : before)) };
    this.#host.moved(deck);
    const saved = cue
      ? this.#writeCues("decks.cue.set", { id: song.id, slot, time: cue.time, end: cue.end })
      : this.#writeCues("decks.cue.clear", { id: song.id, slot });
    saved.catch((error: unknown) => {
      this.#host.failed(deck, error);
      void this.refresh(song.id);
    });
  }

  async #writeCues<M extends CueMethod>(method: M, params: Methods[M]["params"]): Promise<void> {
    const { seats, signal } = this.#host;
    const { result } = await this.#write(params.id, () => seats.ask(method, params, signal));
    this.takeCues(params.id, result.cues);
  }

  /** Corrects the grid of a deck's song: "shift", "here", "downbeat"... or "undo". */
  correctGrid({ number, song }: Bay, trigger: string, value: number): void {
    if (!song) return;
    const { seats, signal, place, failed } = this.#host;
    const wanted = trigger === "undo" ? "undo" : correction(trigger, value, place(number), song.analysis);
    if (!wanted) return;
    this.#write(song.id, async () => correctGrid(await seats.whenBridge(signal), song.id, wanted))
      .then(({ analysis, cues, track, corrections }) => {
        this.#take(song.id, String(corrections.map(({ id }) => id)), { analysis, cues, hotCues: bySlot(cues), track });
      })
      .catch((error: unknown) => failed(number, error));
  }

  async #write<T>(trackId: string, work: () => Promise<T>): Promise<T> {
    const writing = this.#writing;
    writing.set(trackId, (writing.get(trackId) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (writing.get(trackId) ?? 1) - 1;
      if (left > 0) writing.set(trackId, left);
      else writing.delete(trackId);
    }
  }
}

function emptyBay(number: number): Bay {
  return {
    number, song: null, id: "", loading: null, failure: null, abort: new AbortController(), held: null, frames: 0, offered: [],
    stems: [], stemming: new AbortController(), whole: false, ready: Promise.resolve(), complete: Promise.resolve(),
    corrections: null,
  };
}

function songOf(load: DeckLoad, buffers: DataView[]): DeckSong {
  const { track, analysis, cues, gain, key } = load;
  const pyramids = new Map(Object.entries(load.waveforms).map(([role, header]) => [role, readPyramid(header, buffers)]));
  const duration = pyramids.get("mix")?.duration || analysis?.duration_s || track.duration || 0;
  return {
    id: track.id, title: track.title, artist: track.artist ?? "", track, duration, pyramids, analysis, cues,
    hotCues: bySlot(cues), key, stems: [], stemsReady: false, gain,
  };
}

function sameSources(a: readonly AudioSource[], b: readonly AudioSource[]): boolean {
  return a.length === b.length && a.every(({ id, role }, i) => id === b[i]?.id && role === b[i]?.role);
}

/** A hot cue as it will be, before the kernel has answered. */
function cueAt(cue: HotCue | null, slot: number, before: Cue | null): Cue | null {
  if (!cue) return null;
  const { id = "", type = "cue", label = "", color = null } = before ?? {};
  return { id, type, label, color, slot, time: cue.time, end: cue.end, confidence: null, reason: null };
}

function bySlot(cues: readonly Cue[]): (Cue | null)[] {
  return Array.from({ length: HOT_CUES }, (_, index) => cues.find(({ slot }) => slot === index + 1) ?? null);
}

async function fetchBytes(seats: Seats, id: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const { buffers } = await seats.ask("audio.bytes", { id }, signal);
  return bytesOf(buffers, "The kernel sent no audio.");
}

/** The first buffer of an answer, as an array of its own. */
export function bytesOf([bytes]: DataView[], missing: string): ArrayBuffer {
  if (!bytes) throw new AudioFailure(missing, "Reload the page.");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice().buffer;
}
