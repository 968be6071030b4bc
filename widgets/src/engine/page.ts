/** What all sound of a page shares: one context, one animation loop, and the click that browsers want first. */

import { Clock } from "../clock/clock";
import { AudioFailure } from "./fetch";

/** Raised when bundles of two releases can no longer share it. */
export const PAGE_VERSION = 1;
const KEY = Symbol.for("sfa.sound");

/** How long a context may take to start its clock, in ms. */
const START_TIMEOUT = 2500;
export const NO_DEVICE = /* @__PURE__ */ new AudioFailure(
  "No sound device answers.",
  "Connect loudspeakers or headphones, check the system's sound settings, and press play again.",
);

/** What differs between a browser and a test. */
export interface PageHost {
  createContext(): AudioContext;
  /** Whether the page may make sound: browsers want a click first. */
  allowed(): boolean;
  wait(milliseconds: number): Promise<void>;
}

export const browserPage: PageHost = {
  createContext() {
    if (typeof AudioContext === "undefined") {
      throw new AudioFailure("This browser has no Web Audio.", "Open the page in a current Chrome, Firefox or Safari.");
    }
    return new AudioContext({ latencyHint: "interactive" });
  },
  allowed: () => navigator.userActivation?.hasBeenActive ?? true,
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

export class PageSound {
  readonly version = PAGE_VERSION;
  readonly clock: Clock;
  readonly #host: PageHost;
  readonly #others = new Set<(trackId: string) => number | null>();
  readonly #players = new Set<() => void>();
  #context: AudioContext | null = null;

  constructor(host: PageHost = browserPage, clock: Clock = new Clock()) {
    this.#host = host;
    this.clock = clock;
  }

  /** Null until something wanted it. */
  get context(): AudioContext | null {
    return this.#context;
  }

  /** Whether the page may make sound. */
  get allowed(): boolean {
    return this.#host.allowed();
  }

  /** The page's one context, made if there is none. */
  makeContext(): AudioContext {
    return (this.#context ??= this.#host.createContext());
  }

  /** Starts the context; call it from a gesture, so that the first play need not wait. */
  unlock(): void {
    if (!this.allowed) return;
    try {
      const context = this.makeContext();
      if (context.state === "suspended") context.resume().catch(() => {});
    } catch {
      // play() reports it; a gesture alone has asked for no sound
    }
  }

  /** Resolves when the audio clock runs; rejects with an `AudioFailure` when no device answers. */
  async run(): Promise<void> {
    const context = this.makeContext();
    if (context.state === "running" && context.currentTime > 0) return;
    const before = context.currentTime;
    context.resume().catch(() => {});
    for (let waited = 0; waited < START_TIMEOUT; waited += 20) {
      if (context.state === "running" && context.currentTime > before) return;
      await this.#host.wait(20);
    }
    throw NO_DEVICE;
  }

  /** Resolves when the page may make sound: at once, or with its first click or key. */
  async whenAllowed(signal: AbortSignal): Promise<void> {
    if (this.allowed) return;
    const done = new AbortController();
    await new Promise<void>((resolve, reject) => {
      const options = { capture: true, signal: done.signal };
      const allowed = () => {
        if (this.allowed) resolve();
      };
      for (const event of ["pointerup", "keyup", "click"]) addEventListener(event, allowed, options);
      signal.addEventListener("abort", () => reject(signal.reason), options);
      if (signal.aborted) reject(signal.reason);
    }).finally(() => done.abort());
  }

  /** Decks begin to play: what else plays in this page pauses. What is started beside them then is wanted. */
  hush(): void {
    for (const pause of this.#players) pause();
  }

  /** Something plays in this page that is to `pause` when decks begin to; returns the function that ends that. */
  yields(pause: () => void): () => void {
    this.#players.add(pause);
    return () => this.#players.delete(pause);
  }

  /** Where something in this page is heard playing a track, in s; null when nothing does. */
  heard(trackId: string): number | null {
    for (const other of this.#others) {
      const place = other(trackId);
      if (place !== null) return place;
    }
    return null;
  }

  /** Something plays tracks in this page until `signal` aborts, with this context: pictures follow it, too. */
  playsHere(heard: (trackId: string) => number | null, signal: AbortSignal): void {
    this.#others.add(heard);
    signal.addEventListener("abort", () => this.#others.delete(heard), { once: true });
  }
}

/** What this page has; the first bundle that asks makes it. */
export function pageSound(): PageSound {
  const page = globalThis as { [KEY]?: PageSound };
  const there = page[KEY];
  return there?.version === PAGE_VERSION ? there : (page[KEY] = new PageSound());
}
