/** The decks of a page for tests: the console itself, whose blocks a test makes, and a kernel in memory. */

import { Clock } from "../../clock/clock";
import { Console } from "../../console/console";
import { ControlError } from "../../console/table";
import type { FromConsole, ToConsole } from "../../console/messages";
import { quantise } from "../../console/quantise";
import { FakeKernel } from "../../control/kernel";
import { FakeContext, FakeFrames } from "../../engine/fake";
import { AudioFailure } from "../../engine/fetch";
import { PageSound } from "../../engine/page";
import { playerLoad } from "../../testing/song";
import type { Cue, DeckLoad, Methods, StemName } from "../../types";
import type { Receive, Samples, Sound } from "./sound";
import { DeckSystem } from "./system";

const BLOCK = 128;

/** The console without an audio worklet. */
export class FakeSound implements Sound {
  readonly limits = null;
  readonly node = null;
  readonly console: Console;
  readonly posted: ToConsole[] = [];
  readonly #context: FakeContext;
  readonly #receive: Receive;

  constructor(context: FakeContext, receive: Receive) {
    this.console = new Console({ sampleRate: context.sampleRate, stretch: () => null });
    this.console.frame = Math.ceil((context.currentTime * context.sampleRate) / BLOCK) * BLOCK;
    this.#context = context;
    this.#receive = receive;
  }

  post(message: ToConsole): void {
    this.posted.push(message);
    this.#tell();
    switch (message.type) {
      case "set":
        for (const [control, value] of message.changes) this.#set(control, value);
        this.console.seen = message.n;
        break;
      case "load": this.console.load(message.deck, message.info, message.like); break;
      case "restem": this.console.restem(message.deck, message.song, message.stems); break;
      case "unload": this.console.unload(message.deck); break;
      case "update": this.console.update(message.deck, message); break;
      case "play": this.console.play(message.tag, message.events); break;
      case "cancel": this.console.cancel(message.tag); break;
      default: break;
    }
    this.#tell();
  }

  give(deck: number, song: string, role: string, index: number, { left, right }: Samples): void {
    this.console.slice(deck, song, role, index, quantise(left, right, 0, left.length));
  }

  close(): void {}

  say(message: FromConsole): void {
    this.#receive(message);
  }

  /** Makes so many frames, and tells of them. */
  process(frames: number): void {
    const output = () => new Float32Array(BLOCK);
    for (let done = 0; done < frames; done += BLOCK) this.console.process(output(), output(), output(), output(), BLOCK);
    this.#tell();
  }

  #set(control: string, value: number | string): void {
    try {
      this.console.set(control, value);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      this.#receive({ type: "refused", message: error.message, n: null });
    }
  }

  #tell(): void {
    const events = this.console.drain();
    if (events.length > 0) this.#receive({ type: "events", events, seen: this.console.seen });
    const state = this.console.state();
    // All that was made has been heard, a moment ago.
    const heard = state.frame / this.#context.sampleRate + this.#context.outputLatency + 1e-6;
    this.#context.currentTime = Math.max(this.#context.currentTime, heard);
    this.#receive({ type: "state", state });
  }
}

/** A kernel with songs, and what it was asked. */
export class SongKernel extends FakeKernel {
  readonly calls: [method: string, params: Record<string, unknown>][] = [];
  readonly cues = new Map<string, Cue[]>();
  /** Stems of tracks, by name; each set of them is other sound than the one before. */
  readonly stems = new Map<string, StemName[]>([["stems", ["vocals", "drums"]]]);

  /** A method that fails from now on. */
  refuses: keyof Methods | null = null;

  override answer(method: string, params: never): unknown {
    this.calls.push([method, params]);
    if (method === this.refuses) throw new Error("The disk is full.");
    switch (method) {
      case "widget.bundle": return { css: "" };
      case "decks.load": return this.#song((params as { id: string }).id);
      case "decks.cue.set": return this.#setCue(params);
      case "recordings.begin": return { recording: "recording" };
      case "recordings.append": return { frames: 0 };
      case "recordings.finish": return { job: "job" };
      case "scripts.save": return { script: {} };
      default: return super.answer(method, params);
    }
  }

  asked(method: keyof Methods): Record<string, unknown>[] {
    return this.calls.filter(([name]) => name === method).map(([, params]) => params);
  }

  #song(id: string): DeckLoad {
    if (id === "gone") throw new Error("There is no such track.");
    const load = playerLoad(id);
    const names = this.stems.get(id) ?? [];
    const stem = (role: StemName) => ({ id: `${id}-${names}-${role}`, role, label: role, url: `sfa/audio/${role}`, mime: "audio/flac" });
    const sources = [...load.sources, ...names.map(stem)];
    return { ...load, sources, cues: this.cues.get(id) ?? [], gain: -3, key: { tonic: 9, minor: true } };
  }

  #setCue({ id, slot, time, end, label = "" }: Methods["decks.cue.set"]["params"]): { cues: Cue[] } {
    const others = (this.cues.get(id) ?? []).filter((cue) => cue.slot !== slot);
    const cues = [...others, { id: `cue${slot}`, time, end, slot, type: "cue", label, color: null, confidence: null, reason: null }];
    this.cues.set(id, cues);
    return { cues };
  }
}

export interface FakeDecks {
  decks: DeckSystem;
  page: PageSound;
  context: FakeContext;
  kernel: SongKernel;
  /** Made with the first view. */
  sound(): FakeSound;
  host: { allowed: boolean };
  /** The sound breaks. */
  break(): void;
  /** Lets everything happen that is under way. */
  settle(): Promise<void>;
}

/** Seconds of every song; its sound is a constant. */
export const LENGTH = 16;

export function fakeDecks(kernel = new SongKernel()): FakeDecks {
  const context = new FakeContext();
  context.decodeAudioData = async (bytes: ArrayBuffer) => {
    const name = new TextDecoder().decode(bytes);
    if (name.startsWith("bad")) throw new DOMException("No.", "EncodingError");
    const samples = new Float32Array(LENGTH * context.sampleRate).fill(0.25);
    return { duration: LENGTH, name, length: samples.length, numberOfChannels: 1, getChannelData: () => samples };
  };
  const host = { allowed: true };
  const page = new PageSound({
    createContext: () => context as unknown as AudioContext,
    allowed: () => host.allowed,
    wait: () => Promise.resolve(),
  }, new Clock(new FakeFrames()));
  let sound: FakeSound | null = null;
  let failed: (error: AudioFailure) => void = () => {};
  const decks = new DeckSystem({
    page,
    fetch: async (url) => new Response(url.split("/").at(-1)),
    makeSound: async (_, code, receive, broken) => {
      failed = broken;
      await code("console");
      return (sound = new FakeSound(context, receive));
    },
    now: () => context.currentTime,
    link: kernel,
  });
  return {
    decks, page, context, kernel, host,
    break: () => failed(new AudioFailure("It has stopped.")),
    sound: () => {
      if (!sound) throw new Error("There is no sound yet.");
      return sound;
    },
    settle: async () => {
      for (let i = 0; i < 12; i += 1) {
        await kernel.settle();
        await new Promise((resolve) => setTimeout(resolve));
      }
    },
  };
}
