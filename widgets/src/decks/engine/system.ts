/** The decks of a page: one for all views on it. */

import { type Bridge, describe, isAbort, type Reply } from "../../bridge";
import { type Clock, SmoothTime } from "../../clock/clock";
import { gridOf, hotCuesOf, songInfo } from "../../console/info";
import type { FromConsole, ToConsole } from "../../console/messages";
import { type ConsoleEvent, DECKS, type DeckState, HOT_CUES, type HotCue } from "../../console/types";
import type { LinkHost } from "../../control/link";
import { ControlStore } from "../../control/store";
import { type Control, controlOf } from "../../control/table";
import { AudioFailure, type Fetcher } from "../../engine/fetch";
import { type PageSound, pageSound } from "../../engine/page";
import type { AnalysisLoad, ControlValue, Cue, DeckLoad, DeckStand, ScriptDocument } from "../../types";
import { readPyramid } from "../../waveform/pyramid";
import { correctGrid, correction } from "./grid";
import { Headphones } from "./headphones";
import { loadSong, rolesOf } from "./loader";
import { Moments } from "./moments";
import { PlainSound } from "./plain";
import { Recording } from "./recording";
import { Scripts } from "./script";
import { Seats } from "./seats";
import { type Receive, type Sound, WorkletSound, workletMissing } from "./sound";
import type { DeckEvents, DeckLoading, DeckMoment, DeckSong, Failure, MasterLevels, Seat } from "./types";

/** Raised when bundles of two releases can no longer share one system. */
export const DECKS_VERSION = 1;

const KEY = Symbol.for("sfa.decks");
/** Changes of the system's own making, and those of the console. */
const OWN = "decks";
const CONSOLE = "console";
/** The kernel may read a song from a slow disk, and compressed bytes may come in one message; in ms. */
const LOAD_MS = 300_000;
/** While something plays, the kernel hears of it this often, in ms. */
const STANDS_MS = 1000;
/** What happens within so long goes to the kernel in one, in ms. */
const SOON_MS = 30;
/** A deck that is farther than this from where it was bound for has jumped, in s. */
const JUMP = 0.03;
/** What a deck goes back to with another song. */
const RESET = ["play", "loop.active", "reverse", "roll"];
/** What makes no sense before a deck's song has come; triggers and buttons, too. */
const NEEDS_SONG = new Set([...RESET, "cue_point"].map((name) => `deck.{deck}.${name}`));
/** What starts sound. */
const STARTS = /^deck\.\d\.(play|cue|hotcue\.\d\.press|jog\.touch)$/;
/** What the console has nothing to do with. */
const PAGE_ONLY = /^(view\.|mixer\.(record|decks|automix))/;

/** What differs between a browser and a test. */
export interface DecksHost {
  page: PageSound;
  fetch: Fetcher;
  /** Makes the sound; `code` is the console's script. */
  makeSound(context: AudioContext, code: () => Promise<BlobPart>, receive: Receive, failed: (error: AudioFailure) => void): Promise<Sound>;
  /** Seconds. */
  now(): number;
  link?: LinkHost;
}

function browserHost(): DecksHost {
  return {
    page: pageSound(),
    fetch: (url, init) => fetch(url, init),
    makeSound,
    now: () => performance.now() / 1000,
  };
}

/** One deck's song, and how far it has come. */
interface Bay {
  readonly number: number;
  song: DeckSong | null;
  /** Name of this load in the console. */
  id: string;
  loading: DeckLoading | null;
  failure: Failure | null;
  abort: AbortController;
  /** Changes that wait for the song; null while none is on its way. */
  held: [string, ControlValue][] | null;
  /** The song can be played; it can be heard with all its stems. */
  ready: Promise<void>;
  complete: Promise<void>;
  /** Requests for its cues and its grid that are under way: an older answer must not undo a newer change. */
  writing: number;
  /** Ids of the corrections that its analysis is known to hold. */
  corrections: string | null;
}

export class DeckSystem {
  readonly version = DECKS_VERSION;
  readonly controls = new ControlStore();
  /** The page's animation loop. */
  readonly clock: Clock;
  readonly headphones: Headphones;
  readonly recording: Recording;
  readonly script: Scripts;
  readonly #host: DecksHost;
  readonly #shared: PageSound;
  readonly #seats: Seats;
  readonly #page = pageName();
  readonly #end = new AbortController();
  readonly #listeners = new Map<keyof DeckEvents, Set<(data: never) => void>>();
  readonly #smooth = new SmoothTime();
  readonly #bays: Bay[] = Array.from({ length: DECKS }, (_, index) => emptyBay(index + 1));
  #moments = new Moments(48_000);
  #state: "none" | "starting" | "full" | "plain" | "failed" = "none";
  #sound: Sound | null = null;
  #making: Promise<Sound> | null = null;
  #blocked = false;
  #loads = 0;
  /** Number of the last message of changes to the console, and of the one that each control was last changed by. */
  #n = 0;
  readonly #sentAt = new Map<string, number>();
  #batch: [string, ControlValue][] = [];
  /** Songs that were asked for before a deck is to have them. */
  readonly #ahead = new Map<string, Promise<Reply<DeckLoad>>>();
  #toldStands = 0;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(host: DecksHost = browserHost()) {
    this.#host = host;
    this.#shared = host.page;
    this.clock = host.page.clock;
    const { signal } = this.#end;
    this.#seats = new Seats({
      page: this.#page,
      controls: this.controls,
      stands: () => this.#stands(),
      playing: () => (this.#moving ? this.controls.settings : null),
      silence: () => this.#silence(),
      changed: () => this.#seatsChanged(),
      ...(host.link ? { link: host.link } : {}),
    });
    this.headphones = new Headphones(() => this.#emit("headphones", undefined));
    this.recording = new Recording({
      bridge: () => this.#seats.whenBridge(signal),
      changed: () => this.#emit("recording", undefined),
      failed: (error) => {
        this.controls.set("mixer.record", 0, OWN);
        this.#fail(null, error);
      },
    });
    this.script = new Scripts({
      controls: this.controls,
      sampleRate: () => this.#sampleRate,
      now: () => this.#console(),
      load: async (deck, track) => {
        await this.#loadNow(deck, track);
        await this.#bay(deck).complete;
      },
      run: async () => {
        await this.#make();
        await this.#shared.run();
      },
      play: (tag, events) => this.#post({ type: "play", tag, events }),
      cancel: (tag) => this.#post({ type: "cancel", tag }),
      changed: () => this.#emit("script", undefined),
    });
    this.controls.on("", (id, value, source) => this.#changed(id, value, source), signal, CONSOLE);
    this.#shared.playsHere((track) => this.#heard(track), signal);
    // The loop of the page runs as long as anything moves here.
    this.clock.subscribe(() => this.#moving, signal);
  }

  // What is so

  /** What the kernel calls this page. */
  get page(): string {
    return this.#page;
  }

  /** "none" until there was a reason to make it; "plain" without an audio worklet: `limits` says what is missing. */
  get sound(): "none" | "starting" | "full" | "plain" | "failed" {
    return this.#state;
  }

  get limits(): Failure | null {
    return this.#sound?.limits ?? null;
  }

  /** Play was asked for and waits for the page's first click. */
  get blocked(): boolean {
    return this.#blocked;
  }

  get levels(): MasterLevels {
    const state = this.#moments.at(this.#frame);
    return state ?? { left: 0, right: 0, peak: 0, reduction: 1 };
  }

  /** How a deck (from 1) is heard at this moment. */
  stand(deck: number): DeckMoment {
    return this.#moments.moment(deck, this.#frame);
  }

  song(deck: number): DeckSong | null {
    return this.#bay(deck).song;
  }

  loading(deck: number): DeckLoading | null {
    return this.#bay(deck).loading;
  }

  /** Why the last song that was asked for is not in the deck. */
  failure(deck: number): Failure | null {
    return this.#bay(deck).failure;
  }

  on<E extends keyof DeckEvents>(event: E, callback: (data: DeckEvents[E]) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(callback);
    signal.addEventListener("abort", () => listeners.delete(callback), { once: true });
  }

  // What can be done

  /** A view of these decks lives until `signal` aborts. */
  join(bridge: Bridge, signal: AbortSignal): Seat {
    const seat = this.#seats.join(bridge, signal);
    const stops = [
      bridge.on("decks.play", ({ page, tag, script, opening }) => {
        if (page !== this.#page || bridge !== this.#seats.bridge) return;
        if (script) this.script.play(tag, script, opening).catch((error: unknown) => this.#fail(null, error));
        else this.script.stop(tag);
      }),
      bridge.on("decks.record", ({ page, on }) => {
        if (page !== this.#page || bridge !== this.#seats.bridge) return;
        if (on) this.script.record();
        else this.#saveScript(this.script.finish());
      }),
      bridge.on("decks.cues", ({ id, cues }) => {
        if (bridge === this.#seats.bridge) this.#takeCues(id, cues);
      }),
      bridge.on("analysis.changed", ({ id, cues, corrections }) => {
        if (bridge !== this.#seats.bridge) return;
        this.#takeCues(id, cues);
        const now = String(corrections);
        if (this.#bays.some((bay) => bay.song?.id === id && bay.corrections !== now)) void this.#refresh(id, now);
      }),
      bridge.on("player.refresh", ({ id }) => {
        if (bridge === this.#seats.bridge) void this.#refresh(id);
      }),
    ];
    signal.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
    return seat;
  }

  /** From a gesture, so that the first play need not wait. */
  unlock(): void {
    this.#shared.unlock();
    this.headphones.wake();
  }

  /** Loads a track; "" empties the deck. The same as setting `deck.N.track`. */
  load(deck: number, trackId: string, source = "page"): void {
    const id = `deck.${deck}.track`;
    // The same song again begins anew.
    if (trackId !== "" && this.controls.get(id) === trackId) this.#load(this.#bay(deck), trackId);
    else this.controls.set(id, trackId, source);
  }

  /**
   * Asks the kernel about songs that decks will have next, instead of those that were expected before: they can then be
   * loaded while a cell runs.
   */
  expect(trackIds: readonly string[]): void {
    for (const id of this.#ahead.keys()) if (!trackIds.includes(id)) this.#ahead.delete(id);
    for (const id of trackIds) {
      if (this.#ahead.has(id)) continue;
      const asked = this.#seats.whenBridge(this.#end.signal).then((bridge) => bridge.request("decks.load", { id }, { timeoutMs: LOAD_MS }));
      this.#ahead.set(id, asked);
      // Whoever loads it asks again, and is told why it cannot be.
      asked.catch(() => { if (this.#ahead.get(id) === asked) this.#ahead.delete(id); });
    }
  }

  /** Label, colour or place of a hot cue (slots from 1); one that is not set is set at the place of the deck. */
  async setCue(
    deck: number, slot: number, change: { label?: string; color?: string; time?: number; end?: number | null },
  ): Promise<void> {
    const { song } = this.#bay(deck);
    if (!song) return;
    const before = song.hotCues[slot - 1];
    const time = change.time ?? before?.time ?? this.stand(deck).position;
    const end = change.end === undefined ? (before?.end ?? null) : change.end;
    const { label, color } = change;
    await this.#writeCues(song.id, "decks.cue.set", {
      id: song.id, slot, time, end, ...(label === undefined ? {} : { label }), ...(color === undefined ? {} : { color }),
    });
  }

  async clearCue(deck: number, slot: number): Promise<void> {
    const { song } = this.#bay(deck);
    if (song) await this.#writeCues(song.id, "decks.cue.clear", { id: song.id, slot });
  }

  /** Puts cues that were found into the free hot cues. */
  async fillCues(deck: number): Promise<void> {
    const { song } = this.#bay(deck);
    if (song) await this.#writeCues(song.id, "decks.cue.fill", { id: song.id });
  }

  /** Ends for good: another release takes over the page. */
  dispose(): void {
    this.#silence();
    this.#seats.link?.leave();
    this.#end.abort();
    for (const bay of this.#bays) bay.abort.abort();
    this.#sound?.close();
    this.#listeners.clear();
  }

  // Controls

  #changed(id: string, value: ControlValue, source: string): void {
    const control = controlOf(id);
    const bay = control.deck === null ? null : this.#bay(control.deck);
    if (control.kind === "meter") return;
    if (bay && control.line === "deck.{deck}.track") {
      this.#load(bay, String(value), value === "" && source === OWN);
      return;
    }
    if (bay && control.line.startsWith("deck.{deck}.grid.")) {
      this.#correctGrid(bay, control.line.slice("deck.{deck}.grid.".length), Number(value));
      return;
    }
    if (id === "mixer.record") this.#record(value === 1);
    if (id === "mixer.headphones.split") this.headphones.split = value === 1;
    if (PAGE_ONLY.test(id)) return;
    if (bay && !bay.song && !bay.held && value === 1 && RESET.some((name) => id.endsWith(name))) {
      // Nothing to play, loop or reverse.
      this.controls.set(id, 0, OWN);
      return;
    }
    if (value === 1 && STARTS.test(id)) this.#run();
    if (bay?.held && waits(control)) {
      bay.held.push([id, value]);
      this.#sentAt.set(id, Number.POSITIVE_INFINITY);
    } else this.#send(id, value);
  }

  /** To the console, together with what else changes in this moment. */
  #send(id: string, value: ControlValue): void {
    if (!this.#sound) return; // it gets all settings when it is there
    if (this.#batch.length === 0) queueMicrotask(() => this.#flush());
    this.#batch.push([id, value]);
    this.#sentAt.set(id, this.#n + 1);
  }

  #flush(): void {
    if (this.#batch.length === 0) return;
    this.#n += 1;
    this.#post({ type: "set", changes: this.#batch, n: this.#n });
    this.#batch = [];
  }

  #post(message: ToConsole): void {
    // What was set before it comes before it.
    if (message.type !== "set") this.#flush();
    this.#sound?.post(message);
  }

  readonly #receive = (message: FromConsole): void => {
    switch (message.type) {
      case "state": {
        const before = this.#moments.last;
        this.#moments.take(message.state);
        this.#measure();
        message.state.decks.forEach((deck, index) => {
          const was = before?.decks[index];
          const same = was && was.playing === deck.playing && was.loaded === deck.loaded && was.loopActive === deck.loopActive
            && was.leader === deck.leader && was.loop?.start === deck.loop?.start && was.loop?.end === deck.loop?.end;
          if (!same) this.#deckMoved(index + 1);
          else if (jumped(was, deck, (message.state.frame - (before?.frame ?? 0)) / this.#sampleRate)) this.#tellStands();
        });
        this.#emit("meters", undefined);
        if (this.#moving && this.#host.now() * 1000 - this.#toldStands > STANDS_MS) this.#tellStands();
        if (!this.#moving) this.clock.wake();
        return;
      }
      case "events":
        for (const event of message.events) this.#happened(event, message.seen);
        return;
      case "recorded":
        this.recording.take(message.left, message.right, message.last);
        return;
      case "refused":
        console.warn(message.message);
        return;
      default:
        return;
    }
  };

  #happened(event: ConsoleEvent, seen: number): void {
    this.script.note(event);
    this.#emit("happened", event);
    switch (event.type) {
      case "control":
        // What has been set here since is newer.
        if ((this.#sentAt.get(event.control) ?? 0) <= seen) this.controls.set(event.control, event.value, CONSOLE);
        return;
      case "hotcue": {
        const { song } = this.#bay(event.deck);
        if (!song) return;
        const { slot, cue } = event;
        // Its pad lights up at once.
        this.#bay(event.deck).song = { ...song, hotCues: song.hotCues.map((before, i) => (i === slot - 1 ? cueAt(cue, slot, before) : before)) };
        this.#deckMoved(event.deck);
        const saved = cue
          ? this.#writeCues(song.id, "decks.cue.set", { id: song.id, slot, time: cue.time, end: cue.end })
          : this.#writeCues(song.id, "decks.cue.clear", { id: song.id, slot });
        saved.catch((error: unknown) => {
          this.#fail(event.deck, error);
          void this.#refresh(song.id);
        });
        return;
      }
      case "load":
        this.controls.set(`deck.${event.deck}.track`, event.track, OWN);
        return;
      case "ended":
        this.#deckMoved(event.deck);
        return;
      default:
        return;
    }
  }

  // Sound

  /** The sound of the decks, made once and as soon as the page may make any. */
  #make(): Promise<Sound> {
    if (!this.#making) {
      this.#making = this.#makeSound();
      this.#making.catch((error: unknown) => {
        this.#making = null;
        if (this.#end.signal.aborted) return;
        this.#become("failed");
        this.#fail(null, error);
      });
    }
    return this.#making;
  }

  async #makeSound(): Promise<Sound> {
    const { signal } = this.#end;
    await this.#shared.whenAllowed(signal);
    this.#become("starting");
    const context = this.#shared.makeContext();
    this.#moments = new Moments(context.sampleRate);
    const code = async () => {
      const bridge = await this.#seats.whenBridge(signal);
      const { buffers } = await bridge.request("widget.bundle", { family: "console" }, { timeoutMs: LOAD_MS });
      const [bytes] = buffers;
      if (!bytes) throw new AudioFailure("The kernel sent nothing for the decks' sound.", "Reload the page.");
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
    };
    const sound = await this.#host.makeSound(context, code, this.#receive, (error) => {
      this.#become("failed");
      this.#fail(null, error);
    });
    this.#sound = sound;
    if (sound.node) this.headphones.connect(context, sound.node);
    for (const [id, value] of Object.entries(this.controls.settings)) {
      const control = controlOf(id);
      if (control.kind !== "text" && !PAGE_ONLY.test(id) && !waits(control)) this.#send(id, value);
    }
    this.#become(sound.limits ? "plain" : "full");
    return sound;
  }

  /** Starts the audio clock for what is to be heard. */
  #run(): void {
    void this.#start().catch((error: unknown) => {
      if (!isAbort(error)) this.#fail(null, error);
    });
  }

  async #start(): Promise<void> {
    if (!this.#shared.allowed) {
      this.#setBlocked(true);
      await this.#shared.whenAllowed(this.#end.signal).finally(() => this.#setBlocked(false));
    }
    this.headphones.wake();
    await Promise.all([this.#make(), this.#shared.run()]);
  }

  #setBlocked(blocked: boolean): void {
    if (this.#blocked === blocked) return;
    this.#blocked = blocked;
    this.#emit("blocked", blocked);
  }

  #become(state: DeckSystem["sound"]): void {
    this.#state = state;
    this.#emit("sound", undefined);
  }

  get #sampleRate(): number {
    return this.#shared.context?.sampleRate ?? 48_000;
  }

  /** The frame that is heard now; null while the clock stands: then what was told last holds. */
  get #frame(): number | null {
    const { context } = this.#shared;
    if (!context || context.state !== "running") return null;
    const time = this.#smooth.read(context.currentTime, this.#host.now()) - (context.outputLatency || 0);
    return time * context.sampleRate;
  }

  get #moving(): boolean {
    return this.#moments.last?.decks.some(({ playing, rate }) => playing || rate !== 0) ?? false;
  }

  /** Where a track is heard in this page; null while no deck plays it. */
  #heard(track: string): number | null {
    for (const { number, song } of this.#bays) {
      if (song?.id !== track) continue;
      const { playing, position } = this.stand(number);
      if (playing) return position;
    }
    return null;
  }

  #console(): { frame: number; positions: Record<string, number> } {
    const { context } = this.#shared;
    const frame = context ? Math.round(context.currentTime * context.sampleRate) : 0;
    const loaded = this.#bays.filter(({ song, held }) => song && !held);
    // As they stand at this very frame, not as they are heard.
    return {
      frame,
      positions: Object.fromEntries(loaded.map(({ number }) => [number, this.#moments.moment(number, frame).position])),
    };
  }

  #measure(): void {
    const state = this.#moments.last;
    if (!state) return;
    for (const { number, song } of this.#bays) {
      const deck = state.decks[number - 1];
      if (!deck || !song) continue;
      const meter = (name: string, value: number) => this.controls.measure(`deck.${number}.${name}`, value);
      meter("position", deck.position);
      meter("duration", song.duration);
      meter("bpm", deck.tempo ?? 0);
      meter("rate", deck.rate);
      meter("beat", deck.beat ?? 0);
      meter("phase", deck.phase ?? 0);
      meter("vu", decibels(Math.max(deck.left, deck.right)));
    }
    this.controls.measure("mixer.vu", decibels(Math.max(state.left, state.right)));
    this.controls.measure("mixer.peak", decibels(state.peak));
    this.controls.measure("mixer.reduction", decibels(state.reduction));
  }

  #record(on: boolean): void {
    if (!on) {
      this.#post({ type: "record", on: false });
      return;
    }
    void this.#start().then(() => {
      if (!this.controls.isOn("mixer.record")) return;
      if (this.#sound?.limits) throw new AudioFailure("The mix cannot be recorded here.", this.#sound.limits.hint);
      if (!this.recording.begin(this.#sampleRate)) {
        throw new AudioFailure("The recording before this one is still being saved.", "Wait a moment, then record again.");
      }
      this.#post({ type: "record", on: true });
    }).catch((error: unknown) => {
      this.controls.set("mixer.record", 0, OWN);
      this.#fail(null, error);
    });
  }

  #saveScript(document: ScriptDocument | null): void {
    if (!document) return;
    const name = `Played on ${new Date().toLocaleString()}`;
    this.#seats.whenBridge(this.#end.signal)
      .then((bridge) => bridge.request("scripts.save", { id: null, name, document }, { timeoutMs: LOAD_MS }))
      .catch((error: unknown) => this.#fail(null, error));
  }

  // Songs

  #bay(deck: number): Bay {
    const bay = this.#bays[deck - 1];
    if (!bay) throw new RangeError(`There is no deck ${deck}.`);
    return bay;
  }

  /** Loads a track unless it is there; resolves when it can be played. */
  async #loadNow(deck: number, track: string): Promise<void> {
    this.controls.set(`deck.${deck}.track`, track, OWN);
    await this.#bay(deck).ready;
    const { failure } = this.#bay(deck);
    if (failure) throw new AudioFailure(failure.message, failure.hint);
  }

  #load(bay: Bay, trackId: string, keepFailure = false): void {
    bay.abort.abort();
    bay.abort = new AbortController();
    this.#forgetHeld(bay);
    bay.song = null;
    bay.corrections = null;
    bay.loading = null;
    if (!keepFailure) bay.failure = null;
    this.#post({ type: "unload", deck: bay.number });
    bay.id = `${trackId}:${(this.#loads += 1)}`;
    for (const name of RESET) this.controls.set(`deck.${bay.number}.${name}`, 0, OWN);
    if (trackId === "") {
      bay.ready = bay.complete = Promise.resolve();
    } else {
      bay.held = [];
      bay.loading = { what: "song", phase: "fetch", fraction: null };
      this.script.noteLoad(bay.number, trackId);
      let isReady = (): void => {};
      bay.ready = new Promise((resolve) => { isReady = resolve; });
      bay.complete = this.#bring(bay, trackId, isReady).finally(isReady);
    }
    this.#deckMoved(bay.number);
  }

  /** What waited for a song that does not come any more. */
  #forgetHeld(bay: Bay): void {
    for (const [id] of bay.held ?? []) this.#sentAt.set(id, this.#n);
    bay.held = null;
  }

  /** Brings a song into a deck. Failures are shown, not thrown. */
  async #bring(bay: Bay, trackId: string, ready: () => void): Promise<void> {
    const { number, id } = bay;
    const { signal } = bay.abort;
    try {
      const bridge = await this.#seats.whenBridge(signal);
      const made = this.#make();
      made.catch(() => {}); // told where it was made
      const ahead = await this.#ahead.get(trackId)?.catch(() => null);
      signal.throwIfAborted();
      const { result, buffers } = ahead ?? await bridge.request("decks.load", { id: trackId }, { signal, timeoutMs: LOAD_MS });
      bay.song = songOf(result, buffers);
      this.#deckMoved(number);
      // Its cues and its grid may have changed since it was asked for.
      if (ahead) void this.#refresh(trackId);
      await loadSong({
        sources: result.sources,
        duration: bay.song.duration,
        context: made.then(() => this.#shared.makeContext()),
        fetchBytes: (source, end) => fetchBytes(bridge, source, end),
        fetch: this.#host.fetch,
        signal,
        progress: (loading) => {
          if (signal.aborted) return;
          bay.loading = loading;
          this.#emit("loading", number);
        },
        begin: async (frames, roles) => {
          await made;
          const song = bay.song as DeckSong;
          const info = songInfo({ analysis: song.analysis, cues: [...song.cues], gain: song.gain, key: song.key }, { id, frames, roles });
          this.#post({ type: "load", deck: number, info });
          const held = bay.held ?? [];
          bay.held = null;
          for (const [control, value] of held) this.#send(control, value);
          this.#flush();
        },
        give: (role, index, samples) => this.#sound?.give(number, id, role, index, samples),
        playable: () => {
          ready();
          this.#deckMoved(number);
        },
      });
      bay.loading = null;
      if (bay.song) bay.song = { ...bay.song, stemsReady: bay.song.stems.length > 0 };
      this.#deckMoved(number);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      bay.loading = null;
      if (bay.held) {
        // Nothing of it can be heard.
        bay.failure = describe(error);
        this.controls.set(`deck.${number}.track`, "", OWN);
      }
      this.#fail(number, error);
      this.#deckMoved(number);
    }
  }

  /** The kernel knows more of a track now: its pictures and its grid follow, its sound stays as it is. */
  async #refresh(trackId: string, corrections: string | null = null): Promise<void> {
    const bays = this.#bays.filter(({ song, writing }) => song?.id === trackId && writing === 0);
    const { bridge } = this.#seats;
    if (bays.length === 0 || !bridge) return;
    try {
      const { result, buffers } = await bridge.request("decks.load", { id: trackId }, { timeoutMs: LOAD_MS });
      for (const bay of bays) {
        if (bay.song?.id !== trackId || bay.writing > 0) continue;
        const { stems, stemsReady } = bay.song;
        bay.song = { ...songOf(result, buffers), stems, stemsReady };
        bay.corrections = corrections;
        const { analysis, cues, gain, key } = bay.song;
        this.#post({ type: "update", deck: bay.number, grid: gridOf(analysis), hotCues: hotCuesOf([...cues]), gain, key });
        this.#deckMoved(bay.number);
      }
    } catch {
      // what is shown stays as it was
    }
  }

  #takeCues(trackId: string, cues: Cue[]): void {
    for (const bay of this.#bays) {
      if (bay.song?.id !== trackId || bay.writing > 0) continue;
      bay.song = { ...bay.song, cues, hotCues: bySlot(cues) };
      this.#post({ type: "update", deck: bay.number, hotCues: hotCuesOf(cues) });
      this.#deckMoved(bay.number);
    }
  }

  async #writeCues<M extends "decks.cue.set" | "decks.cue.clear" | "decks.cue.fill">(
    trackId: string, method: M, params: Parameters<typeof askCues<M>>[2],
  ): Promise<void> {
    const bays = this.#bays.filter(({ song }) => song?.id === trackId);
    for (const bay of bays) bay.writing += 1;
    let cues: Cue[] | null = null;
    try {
      cues = await askCues(await this.#seats.whenBridge(this.#end.signal), method, params);
    } finally {
      for (const bay of bays) bay.writing -= 1;
    }
    if (cues) this.#takeCues(trackId, cues);
  }

  #correctGrid(bay: Bay, trigger: string, value: number): void {
    const { song } = bay;
    if (!song) return;
    const wanted = trigger === "undo" ? "undo" : correction(trigger, value, this.stand(bay.number).position, song.analysis);
    if (!wanted) return;
    bay.writing += 1;
    this.#seats.whenBridge(this.#end.signal)
      .then((bridge) => correctGrid(bridge, song.id, wanted))
      .finally(() => { bay.writing -= 1; })
      .then((load) => this.#takeGrid(song.id, load))
      .catch((error: unknown) => this.#fail(bay.number, error));
  }

  #takeGrid(trackId: string, { analysis, cues, track, corrections }: AnalysisLoad): void {
    for (const bay of this.#bays) {
      if (bay.song?.id !== trackId || bay.writing > 0) continue;
      bay.song = { ...bay.song, analysis, cues, hotCues: bySlot(cues), track };
      bay.corrections = String(corrections.map(({ id }) => id));
      this.#post({ type: "update", deck: bay.number, grid: gridOf(analysis), hotCues: hotCuesOf(cues) });
      this.#deckMoved(bay.number);
    }
  }

  // Telling

  #stands(): DeckStand[] {
    return this.#bays.map(({ number, song, held }) => {
      const told = this.#moments.moment(number, this.#frame);
      return {
        deck: number,
        track: song && !held ? song.id : null,
        playing: told.playing,
        position: told.position,
        rate: told.playing ? told.rate : 0,
        duration: song?.duration ?? 0,
        tempo: told.tempo,
        selection: told.loop ? [told.loop.start, told.loop.end] : null,
      };
    });
  }

  /** Soon: a hand that scratches moves a deck all the time. */
  #tellStands(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#toldStands = this.#host.now() * 1000;
      this.#seats.link?.touch();
    }, SOON_MS);
  }

  /** Views have to look at more of a deck than its place. */
  #deckMoved(deck: number): void {
    this.#tellStands();
    this.#emit("deck", deck);
    this.clock.wake();
  }

  #seatsChanged(): void {
    // The page is the one that plays: its sound is made ready, so that a deck need not wait for it.
    if (this.#seats.bridge) void this.#make().catch(() => {});
    this.#emit("holder", undefined);
  }

  #silence(): void {
    for (const { number } of this.#bays) this.controls.set(`deck.${number}.play`, 0, OWN);
  }

  #fail(deck: number | null, error: unknown): void {
    if (isAbort(error)) return;
    this.#emit("error", { deck, ...describe(error) });
  }

  #emit<E extends keyof DeckEvents>(event: E, data: DeckEvents[E]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(data as never);
  }
}

/** The decks of this page; the first bundle that asks makes them. They make no sound before a gesture. */
export function deckSystem(): DeckSystem {
  const page = globalThis as { [KEY]?: DeckSystem };
  const there = page[KEY];
  if (there?.version === DECKS_VERSION) return there;
  there?.dispose();
  return (page[KEY] = new DeckSystem());
}

async function makeSound(
  context: AudioContext, code: () => Promise<BlobPart>, receive: Receive, failed: (error: AudioFailure) => void,
): Promise<Sound> {
  const missing = workletMissing(context);
  if (missing) return new PlainSound(context, missing, receive);
  const script = await code();
  try {
    return await WorkletSound.make(context, script, receive, failed);
  } catch (error) {
    const { message, hint } = describe(error);
    return new PlainSound(context, { message: `Plain playback only: ${message}`, hint }, receive);
  }
}

function waits(control: Control): boolean {
  const { kind, line, deck } = control;
  return deck !== null && (kind === "trigger" || kind === "momentary" || kind === "relative" || NEEDS_SONG.has(line));
}

/** Whether a deck is elsewhere, or faster, than it would be by what was told so many seconds before. */
function jumped(was: DeckState, now: DeckState, seconds: number): boolean {
  if (Math.abs(now.rate - was.rate) > 0.002) return true;
  if (now.loopActive && now.playing) return false;
  return Math.abs(now.position - was.position - was.rate * seconds) > (now.playing ? JUMP : 0);
}

function emptyBay(number: number): Bay {
  return {
    number, song: null, id: "", loading: null, failure: null, abort: new AbortController(), held: null,
    ready: Promise.resolve(), complete: Promise.resolve(), writing: 0, corrections: null,
  };
}

function songOf(load: DeckLoad, buffers: DataView[]): DeckSong {
  const { track, analysis, cues, sources, gain, key } = load;
  const pyramids = new Map(Object.entries(load.waveforms).map(([role, header]) => [role, readPyramid(header, buffers)]));
  const duration = pyramids.get("mix")?.duration || analysis?.duration_s || track.duration || 0;
  return {
    id: track.id, title: track.title, artist: track.artist ?? "", track, duration, pyramids, analysis, cues,
    hotCues: bySlot(cues), key, stems: rolesOf(sources, duration).slice(1), stemsReady: false, gain,
  };
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

async function askCues<M extends "decks.cue.set" | "decks.cue.clear" | "decks.cue.fill">(
  bridge: Bridge, method: M, params: Parameters<typeof bridge.request<M>>[1],
): Promise<Cue[]> {
  const { result } = await bridge.request(method, params, { timeoutMs: LOAD_MS });
  return result.cues;
}

async function fetchBytes(bridge: Bridge, id: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const { buffers } = await bridge.request("audio.bytes", { id }, { signal, timeoutMs: LOAD_MS });
  const [bytes] = buffers;
  if (!bytes) throw new AudioFailure("The kernel sent no audio.");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice().buffer;
}

function decibels(gain: number): number {
  return gain > 1e-6 ? 20 * Math.log10(gain) : -120;
}

/** Another one each time that the page is loaded. */
function pageName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(2)), (word) => word.toString(36)).join("");
}
