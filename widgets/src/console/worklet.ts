/** The console in an audio worklet: one processor makes all sound of the page's decks. */

import type { StretchModule } from "signalsmith-stretch";
import { Console } from "./console";
import { PROCESSOR, RECORD_PART, type FromConsole, type ToConsole } from "./messages";
import { stretchModules } from "./modules";
import { ControlError } from "./table";
import type { ConsoleState, DeckState } from "./types";

// What an audio worklet has; TypeScript does not know it.
declare const sampleRate: number;
declare const currentFrame: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Seconds between what is told of how everything stands. */
const PERIOD = 0.025;
/** Linear level below which nothing sounds. */
const SILENT = 1e-5;

export function registerConsole(): void {
  registerProcessor(PROCESSOR, class extends AudioWorkletProcessor {
    readonly #console: Console;
    readonly #nowhere = new Float32Array(1 << 14);
    #modules: (() => StretchModule | null) | null = null;
    #told = 0;
    /** Whether all was still when it was told of last. */
    #still = false;
    #recording: { left: Float32Array; right: Float32Array; filled: number; frame: number } | null = null;

    constructor() {
      super();
      this.#console = new Console({ sampleRate, stretch: () => this.#modules?.() ?? null });
      this.#console.frame = currentFrame;
      this.port.onmessage = ({ data }: MessageEvent<ToConsole>) => this.#take(data);
      stretchModules().then((modules) => {
        this.#modules = modules;
        this.#console.warm();
        this.#post({ type: "ready" });
      }, (error: unknown) => this.#post({ type: "refused", message: `Key lock is not there: ${String(error)}`, n: null }));
    }

    process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
      const [master, phones] = outputs;
      const frames = master?.[0]?.length ?? 128;
      const channel = (output: Float32Array[] | undefined, index: number) => output?.[index] ?? this.#nowhere;
      this.#console.frame = currentFrame;
      this.#console.process(channel(master, 0), channel(master, 1), channel(phones, 0), channel(phones, 1), frames);
      if (this.#recording) this.#record(channel(master, 0), channel(master, 1), frames);
      if (this.#console.frame - this.#told >= PERIOD * sampleRate) this.#report();
      return true;
    }

    #take(message: ToConsole): void {
      // What happened before is told with the number of before.
      this.#events();
      const n = message.type === "set" ? message.n : null;
      if (message.type === "set") {
        for (const [control, value] of message.changes) this.#attempt(n, () => this.#console.set(control, value));
        this.#console.seen = message.n;
      } else {
        this.#attempt(n, () => this.#follow(message));
      }
      if (message.type === "slice") return;
      this.#events();
      this.#state();
    }

    #follow(message: Exclude<ToConsole, { type: "set" }>): void {
      switch (message.type) {
        case "load": return this.#console.load(message.deck, message.info, message.like);
        case "slice": return this.#console.slice(message.deck, message.song, message.role, message.index, message.slice);
        case "restem": return this.#console.restem(message.deck, message.song, message.stems);
        case "update": return this.#console.update(message.deck, message);
        case "unload": return this.#console.unload(message.deck);
        case "play": return this.#console.play(message.tag, message.events);
        case "cancel": return this.#console.cancel(message.tag);
        case "record": return this.#switchRecording(message.on);
        case "probe": return;
      }
    }

    #attempt(n: number | null, follow: () => void): void {
      try {
        follow();
      } catch (error) {
        if (!(error instanceof ControlError)) throw error;
        this.#post({ type: "refused", message: error.message, n });
      }
    }

    #events(): void {
      const events = this.#console.drain();
      if (events.length > 0) this.#post({ type: "events", events, seen: this.#console.seen });
    }

    /** Tells what has happened, and how everything stands unless nothing moves. */
    #report(): void {
      this.#events();
      const still = this.#still;
      this.#state(still);
    }

    #state(unlessStill = false): void {
      this.#told = this.#console.frame;
      const state = this.#console.state();
      this.#still = isStill(state);
      if (!(unlessStill && this.#still)) this.#post({ type: "state", state });
    }

    #switchRecording(on: boolean): void {
      if (on && !this.#recording) this.#recording = this.#part(this.#console.frame);
      if (!on && this.#recording) {
        this.#send(true);
        this.#recording = null;
      }
    }

    #part(frame: number): { left: Float32Array; right: Float32Array; filled: number; frame: number } {
      return { left: new Float32Array(RECORD_PART), right: new Float32Array(RECORD_PART), filled: 0, frame };
    }

    #record(left: Float32Array, right: Float32Array, frames: number): void {
      for (let done = 0; done < frames; ) {
        const part = this.#recording;
        if (part === null) return;
        const some = Math.min(frames - done, RECORD_PART - part.filled);
        part.left.set(left.subarray(done, done + some), part.filled);
        part.right.set(right.subarray(done, done + some), part.filled);
        part.filled += some;
        done += some;
        if (part.filled === RECORD_PART) {
          this.#send(false);
          this.#recording = this.#part(part.frame + RECORD_PART);
        }
      }
    }

    #send(last: boolean): void {
      const part = this.#recording;
      if (part === null) return;
      const [left, right] = part.filled === RECORD_PART ? [part.left, part.right]
        : [part.left.slice(0, part.filled), part.right.slice(0, part.filled)];
      this.#post({ type: "recorded", left, right, frame: part.frame, last }, [left.buffer, right.buffer]);
    }

    #post(message: FromConsole, transfer: Transferable[] = []): void {
      this.port.postMessage(message, transfer);
    }
  });
}

function isStill({ decks, left, right }: ConsoleState): boolean {
  const stands = (deck: DeckState) => !deck.playing && deck.slip === null && Math.max(deck.left, deck.right) < SILENT;
  return Math.max(left, right) < SILENT && decks.every(stands);
}
