/** The decks of a page: one for all views on it. */

import { type Bridge, describe, isAbort } from "../../bridge";
import { type Clock, SmoothTime } from "../../clock/clock";
import type { FromConsole, ToConsole } from "../../console/messages";
import type { ConsoleEvent, DeckState } from "../../console/types";
import type { LinkHost } from "../../control/link";
import { ControlStore } from "../../control/store";
import { type Control, controlOf } from "../../control/table";
import { importCode } from "../../dashboard/lazy";
import { AudioFailure, type Fetcher } from "../../engine/fetch";
import { NO_DEVICE, type PageSound, pageSound } from "../../engine/page";
import type { ControlValue, DeckStand, ScriptDocument } from "../../types";
import { Headphones } from "./headphones";
import { Moments } from "./moments";
import type { PlainSound } from "./plain";
import { Recording } from "./recording";
import { Scripts } from "./script";
import { Seats } from "./seats";
import { bytesOf, RESET, Songs } from "./songs";
import { type Receive, type Sound, WorkletSound, workletMissing } from "./sound";
import type { DeckEvents, DeckLoading, DeckMoment, DeckSong, Failure, MasterLevels, Seat } from "./types";

/** Raised when bundles of two releases can no longer share one system. */
export const DECKS_VERSION = 1;

const KEY = Symbol.for("sfa.decks");
/** Changes of the system's own making, and those of the console. */
const OWN = "decks";
const CONSOLE = "console";
/** While something plays, the kernel hears of it this often, in ms. */
const STANDS_MS = 1000;
/** What happens within so long goes to the kernel in one, in ms. */
const SOON_MS = 30;
/** A deck that is farther than this from where it was bound for has jumped, in s. */
const JUMP = 0.03;
/** What makes no sense before a deck's song has come; triggers and buttons, too. */
const NEEDS_SONG = new Set([...RESET, "cue_point"].map((name) => `deck.{deck}.${name}`));
/** A console that breaks twice within so long is not made again, in s. */
const BROKEN_AGAIN = 30;
/** A message of a recording that was not answered is sent again after so long, in ms. */
const RECORDING_MS = 600_000;
/** What starts sound. */
const STARTS = /^deck\.\d\.(play|cue|hotcue\.\d\.press|jog\.touch)$/;
const NOTHING = new Float32Array(0);
/** What the console has nothing to do with. */
const PAGE_ONLY = /^(view\.|mixer\.(record|decks|automix))/;

/** What differs between a browser and a test. */
export interface DecksHost {
  page: PageSound;
  fetch: Fetcher;
  /** Makes the sound; `code` is the script of a family. */
  makeSound(context: AudioContext, code: (family: string) => Promise<BlobPart>, receive: Receive, failed: (error: AudioFailure) => void): Promise<Sound>;
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
  readonly #songs: Songs;
  #moments = new Moments(48_000);
  #state: "none" | "starting" | "full" | "plain" | "failed" = "none";
  #sound: Sound | null = null;
  #making: Promise<Sound> | null = null;
  #blocked = false;
  #watched = false;
  /** When the console broke last, in s. */
  #broke = Number.NEGATIVE_INFINITY;
  #bridge: Bridge | null = null;
  /** Number of the last message of changes to the console, and of the one that each control was last changed by. */
  #n = 0;
  readonly #sentAt = new Map<string, number>();
  #batch: [string, ControlValue][] = [];
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
      inUse: () => (this.#songs.bays.some(({ song }) => song !== null) ? this.controls.settings : null),
      silence: () => this.#silence(),
      changed: () => this.#seatsChanged(),
      signal,
      ...(host.link ? { link: host.link } : {}),
    });
    this.headphones = new Headphones(() => this.#emit("headphones", undefined));
    this.#songs = new Songs({
      controls: this.controls,
      seats: this.#seats,
      fetch: host.fetch,
      signal,
      make: () => this.#make(),
      sound: () => this.#sound,
      makeContext: () => this.#shared.makeContext(),
      post: (message) => this.#post(message),
      release: (changes) => {
        for (const [id, value] of changes) this.#send(id, value);
        this.#flush();
      },
      forget: (changes) => {
        for (const [id] of changes) this.#sentAt.set(id, this.#n);
      },
      place: (deck) => this.stand(deck).position,
      moved: (deck) => this.#deckMoved(deck),
      loading: (deck) => this.#emit("loading", deck),
      failed: (deck, error) => this.#fail(deck, error),
      begun: (deck, track) => this.script.noteLoad(deck, track),
    });
    this.recording = new Recording({
      ask: (method, params, buffers) => {
        return this.#seats.ask(method, params, signal, { timeoutMs: RECORDING_MS, patient: true, ...(buffers && { buffers }) });
      },
      changed: () => this.#emit("recording", undefined),
      stop: (why) => {
        if (!this.controls.isOn("mixer.record")) return;
        this.controls.set("mixer.record", 0, OWN);
        this.#fail(null, why);
      },
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
        await this.#songs.bay(deck).complete;
      },
      run: async () => {
        const { limits } = await this.#make();
        if (limits) throw new AudioFailure("Scripts cannot be played in this page.", limits.message);
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
    return state ?? { left: 0, right: 0, peak: 0, vuLeft: 0, vuRight: 0, reduction: 1 };
  }

  /** How a deck (from 1) is heard at this moment. */
  stand(deck: number): DeckMoment {
    return this.#moments.moment(deck, this.#frame);
  }

  song(deck: number): DeckSong | null {
    return this.#songs.bay(deck).song;
  }

  loading(deck: number): DeckLoading | null {
    return this.#songs.bay(deck).loading;
  }

  /** Why the last song that was asked for is not in the deck. */
  failure(deck: number): Failure | null {
    return this.#songs.bay(deck).failure;
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
        if (bridge === this.#seats.bridge) this.#songs.takeCues(id, cues);
      }),
      bridge.on("analysis.changed", ({ id, cues, corrections }) => {
        if (bridge !== this.#seats.bridge) return;
        this.#songs.takeCues(id, cues);
        this.#songs.corrected(id, String(corrections));
      }),
      bridge.on("player.refresh", ({ id }) => {
        if (bridge === this.#seats.bridge) void this.#songs.refresh(id);
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
    if (trackId !== "" && this.controls.get(id) === trackId) this.#songs.load(this.#songs.bay(deck), trackId);
    else this.controls.set(id, trackId, source);
  }

  /**
   * Asks the kernel about songs that decks will have next, instead of those that were expected before: they can then be
   * loaded while a cell runs.
   */
  expect(trackIds: readonly string[]): void {
    this.#songs.expect(trackIds);
  }

  /** Label, colour or place of a hot cue (slots from 1); one that is not set is set at the place of the deck. */
  setCue(deck: number, slot: number, change: { label?: string; color?: string; time?: number; end?: number | null }): Promise<void> {
    return this.#songs.setCue(deck, slot, change);
  }

  clearCue(deck: number, slot: number): Promise<void> {
    return this.#songs.clearCue(deck, slot);
  }

  /** Puts cues that were found into the free hot cues. */
  fillCues(deck: number): Promise<void> {
    return this.#songs.fillCues(deck);
  }

  /** Ends for good: another release takes over the page. */
  dispose(): void {
    this.#silence();
    this.#seats.link?.leave();
    this.#end.abort();
    this.#songs.end();
    this.#sound?.close();
    this.#listeners.clear();
  }

  // Controls

  #changed(id: string, value: ControlValue, source: string): void {
    const control = controlOf(id);
    const bay = control.deck === null ? null : this.#songs.bay(control.deck);
    if (control.kind === "meter") return;
    if (bay && control.line === "deck.{deck}.track") {
      this.#songs.load(bay, String(value), value === "" && source === OWN);
      return;
    }
    if (bay && control.line.startsWith("deck.{deck}.grid.")) {
      this.#songs.correctGrid(bay, control.line.slice("deck.{deck}.grid.".length), Number(value));
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
    if (value === 1 && STARTS.test(id)) {
      if (!this.#moving) this.#shared.hush();
      this.#run();
    }
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
      case "hotcue":
        this.#songs.cueMoved(event);
        return;
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
    if (!this.#watched) {
      this.#watched = true;
      context.addEventListener("statechange", () => void this.#interrupted(context), { signal });
      // Chrome tells of a device that has gone in this way.
      context.addEventListener("error", () => {
        if (!this.#moving) return;
        this.#silence();
        this.#fail(null, NO_DEVICE);
      }, { signal });
    }
    this.#moments = new Moments(context.sampleRate);
    const code = async (family: string) => {
      const { buffers } = await this.#seats.ask("widget.bundle", { family }, signal);
      return bytesOf(buffers, "The kernel sent nothing for the decks' sound.");
    };
    const sound = await this.#host.makeSound(context, code, this.#receive, (error) => this.#broken(error));
    if (signal.aborted) sound.close();
    signal.throwIfAborted();
    this.#sound = sound;
    if (sound.node) this.headphones.connect(context, sound.node);
    for (const [id, value] of Object.entries(this.controls.settings)) {
      const control = controlOf(id);
      if (control.kind !== "text" && !PAGE_ONLY.test(id) && !waits(control)) this.#send(id, value);
    }
    this.#become(sound.limits ? "plain" : "full");
    return sound;
  }

  /** The console has stopped for good: another one takes its place, with all songs where they stood. */
  #broken(error: AudioFailure): void {
    const now = this.#host.now();
    const again = now - this.#broke > BROKEN_AGAIN;
    this.#broke = now;
    this.#sound?.close();
    this.#sound = null;
    this.#making = null;
    this.recording.take(NOTHING, NOTHING, true);
    this.controls.set("mixer.record", 0, OWN);
    this.#silence();
    if (again) {
      this.#fail(null, new AudioFailure("The decks' sound broke off and was started anew.", "Press play to go on."));
      this.#songs.again();
    } else {
      this.#become("failed");
      this.#fail(null, error);
    }
    this.#moments = new Moments(this.#sampleRate);
  }

  /** The system has taken the device from the page (a call, a closed lid), or gives it back. */
  async #interrupted(context: AudioContext): Promise<void> {
    if (context.state === "running" || !this.#moving) return;
    await this.#shared.run().catch((error: unknown) => {
      this.#silence();
      this.#fail(null, error);
    });
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
    for (const { number, song } of this.#songs.bays) {
      if (song?.id !== track) continue;
      const { playing, position } = this.stand(number);
      if (playing) return position;
    }
    return null;
  }

  #console(): { frame: number; positions: Record<string, number> } {
    const { context } = this.#shared;
    const frame = context ? Math.round(context.currentTime * context.sampleRate) : 0;
    const loaded = this.#songs.bays.filter(({ song, held }) => song && !held);
    // As they stand at this very frame, not as they are heard.
    return {
      frame,
      positions: Object.fromEntries(loaded.map(({ number }) => [number, this.#moments.moment(number, frame).position])),
    };
  }

  #measure(): void {
    const state = this.#moments.last;
    if (!state) return;
    for (const { number, song } of this.#songs.bays) {
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
    this.controls.measure("mixer.vu", decibels(Math.max(state.vuLeft, state.vuRight)));
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
    this.#seats.ask("scripts.save", { id: null, name, document }, this.#end.signal)
      .catch((error: unknown) => this.#fail(null, error));
  }

  /** Loads a track unless it is there; resolves when it can be played. */
  async #loadNow(deck: number, track: string): Promise<void> {
    this.controls.set(`deck.${deck}.track`, track, OWN);
    await this.#songs.bay(deck).ready;
    const { failure } = this.#songs.bay(deck);
    if (failure) throw new AudioFailure(failure.message, failure.hint);
  }

  // Telling

  #stands(): DeckStand[] {
    return this.#songs.bays.map(({ number, song, held }) => {
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
    const { bridge } = this.#seats;
    if (bridge) void this.#make().catch(() => {});
    if (bridge && bridge !== this.#bridge) {
      this.#bridge = bridge;
      this.#songs.refreshAll();
    }
    this.#emit("holder", undefined);
  }

  #silence(): void {
    for (const { number } of this.#songs.bays) this.controls.set(`deck.${number}.play`, 0, OWN);
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
  context: AudioContext, code: (family: string) => Promise<BlobPart>, receive: Receive, failed: (error: AudioFailure) => void,
): Promise<Sound> {
  let limits = workletMissing(context);
  if (!limits) {
    const script = await code("console");
    try {
      return await WorkletSound.make(context, script, receive, failed);
    } catch (error) {
      const { message, hint } = describe(error);
      limits = { message: `Plain playback only: ${message}`, hint };
    }
  }
  // Few pages need it: it does not come with the others' code.
  const plain = (await importCode(await code("session"))) as { PlainSound: typeof PlainSound };
  return new plain.PlainSound(context, limits, receive);
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

function decibels(gain: number): number {
  return gain > 1e-6 ? 20 * Math.log10(gain) : -120;
}

/** Another one each time that the page is loaded. */
function pageName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(2)), (word) => word.toString(36)).join("");
}
