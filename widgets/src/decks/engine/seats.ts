/** The views of the decks in a page and the kernels behind them: one kernel has the decks, through one of its views. */

import { type Bridge, isAbort, type Reply } from "../../bridge";
import type { ControlStore } from "../../control/store";
import { KernelLink, type LinkHost, type Settings } from "../../control/link";
import type { DeckStand, Methods } from "../../types";
import type { Holding, Seat } from "./types";

/** A page without a view of the decks plays on for so long, in ms: a cell that is run again takes its view away. */
const GRACE_MS = 4000;
/** A kernel that does not say who it is, is asked again after so long, in ms. */
const ASK_AGAIN_MS = 2000;
/** A song may be on a slow disk, compressed bytes may come in one message, and a cell may keep the kernel busy; in ms. */
export const LONG_MS = 300_000;
/** Where a page keeps, over a reload, which kernel's decks it has. */
const HELD = "sfa.decks";

export interface SeatsOptions {
  page: string;
  controls: ControlStore;
  stands(): DeckStand[];
  /** What the engine is set to while a song is in a deck; null when all are empty. */
  inUse(): Settings | null;
  /** Stops the music. */
  silence(): void;
  /** A seat's `holding` has changed. */
  changed(): void;
  /** Aborts when the decks end. */
  signal: AbortSignal;
  link?: LinkHost;
}

export interface Asking {
  timeoutMs?: number;
  patient?: boolean;
  /** Made for each time that it is asked: what is sent may be taken away from this page. */
  buffers?(): ArrayBuffer[];
}

class Place implements Seat {
  readonly bridge: Bridge;
  readonly signal: AbortSignal;
  kernel: string | null = null;
  readonly #seats: Seats;

  constructor(seats: Seats, bridge: Bridge, signal: AbortSignal) {
    this.#seats = seats;
    this.bridge = bridge;
    this.signal = signal;
  }

  get holding(): Holding {
    return this.#seats.holding(this);
  }

  use(): void {
    this.#seats.use(this);
  }
}

export class Seats {
  readonly #options: SeatsOptions;
  readonly #places = new Set<Place>();
  /** Whose decks play here, and through which view. */
  #kernel: string | null = null;
  #link: KernelLink | null = null;
  #linkEnd = new AbortController();
  #through: Place | null = null;
  #silencing: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(options: SeatsOptions) {
    this.#options = options;
    const { signal } = options;
    addEventListener("pagehide", () => this.#link?.leave(), { signal });
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted && this.#through) this.#link?.join(this.#through.bridge);
    }, { signal });
  }

  /** To the kernel whose decks play here; null while there is none. */
  get bridge(): Bridge | null {
    return this.#link?.state === "held" ? (this.#through?.bridge ?? null) : null;
  }

  get link(): KernelLink | null {
    return this.#link;
  }

  /** The bridge, as soon as there is one. */
  async whenBridge(signal: AbortSignal): Promise<Bridge> {
    while (!this.bridge) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#waiting.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
      signal.throwIfAborted();
    }
    return this.bridge;
  }

  /**
   * Asks the kernel, as soon as there is a bridge; again through another view when the one that it was asked through goes,
   * and, if it is `patient`, when no answer has come.
   */
  async ask<M extends keyof Methods>(
    method: M, params: Methods[M]["params"], signal: AbortSignal, { timeoutMs = LONG_MS, patient = false, buffers }: Asking = {},
  ): Promise<Reply<Methods[M]["result"]>> {
    for (;;) {
      const bridge = await this.whenBridge(signal);
      signal.throwIfAborted();
      const begun = performance.now();
      try {
        return await bridge.request(method, params, { timeoutMs, signal, buffers: buffers?.() ?? [] });
      } catch (error) {
        const gone = isAbort(error) && !signal.aborted && bridge !== this.bridge;
        const unheard = patient && !isAbort(error) && performance.now() - begun >= timeoutMs;
        if (!gone && !unheard) throw error;
      }
    }
  }

  join(bridge: Bridge, signal: AbortSignal): Seat {
    const place = new Place(this, bridge, signal);
    if (signal.aborted) return place;
    this.#places.add(place);
    clearTimeout(this.#silencing);
    signal.addEventListener("abort", () => this.#left(place), { once: true });
    void this.#ask(place);
    return place;
  }

  holding({ kernel }: Place): Holding {
    if (kernel === null) return "joining";
    if (kernel !== this.#kernel) return "other";
    const state = this.#link?.state;
    return state === "held" ? "here" : state === "elsewhere" ? "elsewhere" : "joining";
  }

  use(place: Place): void {
    const holding = this.holding(place);
    if (holding === "elsewhere") this.#link?.take();
    else if (holding === "other") this.#switchTo(place, { take: true, values: null });
  }

  /** Finds out which kernel is behind a view, and joins it unless the decks of another play here. */
  async #ask(place: Place): Promise<void> {
    const { bridge, signal } = place;
    while (!signal.aborted) {
      try {
        place.kernel = (await bridge.request("decks.kernel", {}, { signal })).result.kernel;
        break;
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      }
    }
    if (signal.aborted) return;
    if (place.kernel === this.#kernel) {
      if (!this.#through) this.#through = this.#joined(place);
    } else if (![...this.#places].some(({ kernel }) => kernel !== null && kernel === this.#kernel)) {
      // The kernel before it has gone, or was restarted: what is in the decks stays there with this one.
      const values = this.#kernel === null ? null : this.#options.inUse();
      this.#switchTo(place, { take: kept() === place.kernel, values });
    }
    this.#told();
  }

  #switchTo(place: Place, join: { take: boolean; values: Settings | null }): void {
    const { page, controls, stands, silence, link: host } = this.#options;
    if (!join.values && this.#kernel !== null) silence();
    this.#link?.leave();
    this.#linkEnd.abort();
    this.#linkEnd = new AbortController();
    this.#kernel = place.kernel;
    this.#through = place;
    const link = new KernelLink({ store: controls, page, stands, changed: () => this.#told(), ...(host ? { host } : {}) }, this.#linkEnd.signal);
    this.#link = link;
    link.join(place.bridge, join);
  }

  #joined(place: Place): Place {
    this.#link?.join(place.bridge);
    return place;
  }

  #left(place: Place): void {
    this.#places.delete(place);
    if (place === this.#through) {
      this.#link?.drop();
      const next = [...this.#places].find(({ kernel }) => kernel === this.#kernel);
      this.#through = next ? this.#joined(next) : null;
    }
    if (this.#places.size === 0) this.#silencing = setTimeout(() => this.#options.silence(), GRACE_MS);
    this.#told();
  }

  #told(): void {
    const state = this.#link?.state;
    if (state === "held") keep(this.#kernel);
    if (state === "elsewhere") {
      keep(null);
      this.#options.silence();
    }
    for (const done of [...this.#waiting]) done();
    this.#options.changed();
  }
}

function kept(): string | null {
  try {
    return sessionStorage.getItem(HELD);
  } catch {
    return null; // the page may keep nothing: it asks as a new one
  }
}

function keep(kernel: string | null): void {
  try {
    if (kernel === null) sessionStorage.removeItem(HELD);
    else sessionStorage.setItem(HELD, kernel);
  } catch {
    // a page that may keep nothing asks as a new one after a reload
  }
}
