/**
 * Keeps the store of a page and the values of a kernel equal.
 *
 * The page is nearer to the sound: the kernel applies a change of its own at once and the page does it as it comes. The
 * page says with its changes up to which of the kernel's messages it has come (`seen`); the kernel ignores a change of a
 * control that it has itself set in a later one. Nothing is sent while a message is under way, so that a hand on a fader
 * is no flood; what was not answered is sent again.
 */

import { type Bridge, isAbort } from "../bridge";
import type { ControlValue, DeckStand, Events } from "../types";
import type { ControlStore } from "./store";
import { type Control, controlOf, holdsState, isControl } from "./table";

const KERNEL = "kernel";

/** "held": this page plays for the kernel; "elsewhere": another page does; "joining": it has not answered yet. */
export type LinkState = "joining" | "held" | "elsewhere" | "left";

export interface LinkHost {
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

const browserHost: LinkHost = {
  wait: (milliseconds, signal) => new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  }),
};

/** Messages follow each other no sooner than this, in ms. */
const PAUSE_MS = 20;
/** After a failure the page waits so long, in ms: longer each time. */
const RETRY_MS = [200, 1000, 3000];

export type Settings = Record<string, ControlValue>;
type Change = [id: string, value: ControlValue];

export interface LinkOptions {
  store: ControlStore;
  /** Id of this page. */
  page: string;
  stands(): DeckStand[];
  /** The state has changed. */
  changed(): void;
  host?: LinkHost;
}

export class KernelLink {
  readonly #options: LinkOptions;
  readonly #host: LinkHost;
  /** What has not been sent yet, the newest last: states once each, increments summed, triggers and edges one by one. */
  readonly #waiting = new Map<string, Change>();
  /** What has been sent and not been answered; the first has number `#first`. */
  #sent: Change[] = [];
  #first = 1;
  #events = 0;
  /** What was changed since the kernel was asked to take this page up. */
  #meanwhile = new Map<string, ControlValue>();
  /** The kernel's last message that was done. */
  #seen = 0;
  /** It has had the decks of this kernel. */
  #joined = false;
  /** Messages that came before the answer to `attach`. */
  #early: Events["control.set"][] = [];
  #standsChanged = false;
  #running = false;
  #state: LinkState = "left";
  #bridge: Bridge | null = null;
  #end = new AbortController();

  /** It follows the store until `signal` aborts. */
  constructor(options: LinkOptions, signal: AbortSignal) {
    this.#options = options;
    this.#host = options.host ?? browserHost;
    options.store.on("", (id, value) => this.#note(id, value), signal, KERNEL);
    signal.addEventListener("abort", () => this.leave(), { once: true });
  }

  get state(): LinkState {
    return this.#state;
  }

  /** True when all that happened has been told and answered. */
  get settled(): boolean {
    return !this.#running && this.#waiting.size === 0 && this.#sent.length === 0;
  }

  /**
   * Joins the kernel behind a bridge and takes over its values; a page that it knows already, or one that plays
   * (`values`), says what it stands at. `take` takes the decks from another page. What has not been told yet is told as
   * soon as it has joined.
   */
  join(bridge: Bridge, { take = false, values = null }: { take?: boolean; values?: Settings | null } = {}): void {
    this.#end.abort();
    const end = (this.#end = new AbortController());
    this.#bridge = bridge;
    this.#early = [];
    const { page } = this.#options;
    const stops = [
      bridge.on("control.set", (message) => this.#receive(message)),
      bridge.on("decks.lost", (lost) => {
        if (lost.page === page) this.#become("elsewhere");
      }),
      // Whether this page is still there.
      bridge.on("decks.ask", (asked) => {
        if (asked.page === page) this.touch();
      }),
    ];
    end.signal.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
    this.#become("joining");
    void this.#attach(bridge, take, values, end.signal);
  }

  /** Takes the decks from the page that has them. */
  take(): void {
    if (this.#bridge) this.join(this.#bridge, { take: true });
  }

  /** Plays for this kernel no longer, and tells it where that can be told. */
  leave(): void {
    if (this.#state === "left") return;
    this.#bridge?.request("decks.detach", { page: this.#options.page }).catch(() => {});
    this.drop();
  }

  /** The bridge has gone: what happens is kept until there is another. */
  drop(): void {
    this.#end.abort();
    this.#bridge = null;
    this.#become("left");
  }

  /** Decks stand in another way than the kernel can work out. */
  touch(): void {
    this.#standsChanged = true;
    this.#run();
  }

  async #attach(bridge: Bridge, take: boolean, values: Settings | null, signal: AbortSignal): Promise<void> {
    const { page, store } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const known = this.#joined;
      this.#meanwhile.clear();
      try {
        const { result } = await bridge.request("decks.attach", {
          page, take, values: known ? store.settings : values, seen: known ? this.#seen : 0, clock: clockTime(),
        }, { signal });
        if (signal.aborted) return;
        if (!result.held) {
          this.#become("elsewhere");
          return;
        }
        this.#joined = true;
        this.#seen = result.n;
        store.take({ ...result.values, ...Object.fromEntries(this.#meanwhile) }, KERNEL);
        // What is sent again of a state is what it is now.
        for (const change of [...this.#sent, ...this.#waiting.values()]) {
          if (holdsState(controlOf(change[0]))) change[1] = store.get(change[0]);
        }
        // Where decks are to stand.
        for (const [id, value] of Object.entries(result.values)) {
          if (isControl(id) && controlOf(id).kind === "trigger") store.set(id, value, KERNEL);
        }
        this.#standsChanged = true;
        this.#become("held");
        for (const message of this.#early.splice(0)) this.#receive(message);
        this.#run();
        return;
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        await this.#host.wait(delay(attempt), signal);
        if (signal.aborted) return;
      }
    }
  }

  #receive(message: Events["control.set"]): void {
    if (message.page !== this.#options.page) return;
    if (this.#state === "joining") {
      this.#early.push(message);
      return;
    }
    if (this.#state !== "held" || message.n <= this.#seen) return;
    if (message.n > this.#seen + 1) {
      // One was lost on the way.
      this.join(this.#bridge as Bridge);
      return;
    }
    for (const [id, value] of message.changes) {
      if (!isControl(id)) continue; // a kernel of another release
      // The kernel's is the newer one: what the page has not told it any more is as if it had never been.
      if (holdsState(controlOf(id))) {
        for (const change of this.#sent) if (change[0] === id) change[1] = value;
        for (const [key, change] of this.#waiting) if (change[0] === id) this.#waiting.delete(key);
      }
      this.#options.store.set(id, value, KERNEL);
    }
    this.#seen = message.n;
  }

  #note(id: string, value: ControlValue): void {
    const control = controlOf(id);
    if (control.kind === "meter" || !this.#joined && this.#state !== "joining" || this.#state === "elsewhere") return;
    if (this.#state === "joining" && holdsState(control)) this.#meanwhile.set(id, value);
    this.#queue(control, value);
    this.#run();
  }

  #queue(control: Control, value: ControlValue): void {
    const { id, kind } = control;
    const apart = kind === "trigger" || kind === "momentary";
    const key = apart ? `${id}#${(this.#events += 1)}` : id;
    const before = this.#waiting.get(key);
    this.#waiting.delete(key);
    this.#waiting.set(key, [id, kind === "relative" ? Number(before?.[1] ?? 0) + Number(value) : value]);
  }

  #run(): void {
    if (this.#running || this.#state !== "held") return;
    this.#running = true;
    // What one gesture changes goes in one message.
    queueMicrotask(() => void this.#send());
  }

  async #send(): Promise<void> {
    const { page, stands } = this.#options;
    let failures = 0;
    while (this.#state === "held" && this.#bridge && (this.#waiting.size > 0 || this.#sent.length > 0 || this.#standsChanged)) {
      const { signal } = this.#end;
      this.#sent.push(...this.#waiting.values());
      this.#waiting.clear();
      this.#standsChanged = false;
      const changes = this.#sent.map(([id, value]): Change => [id, value]);
      try {
        const { result } = await this.#bridge.request(
          "decks.changes",
          { page, changes, first: this.#first, seen: this.#seen, decks: stands(), clock: clockTime() },
          { signal },
        );
        if (signal.aborted) continue;
        failures = 0;
        this.#sent.splice(0, changes.length);
        this.#first += changes.length;
        if (!result.held) {
          // The kernel knows nothing of this page any more; another one may have come meanwhile.
          this.join(this.#bridge as Bridge);
          continue;
        }
        await this.#host.wait(PAUSE_MS, signal);
      } catch (error) {
        if (signal.aborted || isAbort(error)) continue;
        this.#standsChanged = true;
        await this.#host.wait(delay(failures), signal);
        failures += 1;
      }
    }
    this.#running = false;
  }

  #become(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    if (state === "elsewhere") {
      // Another page says now how things are.
      this.#waiting.clear();
      this.#first += this.#sent.length;
      this.#sent = [];
      this.#joined = false;
    }
    this.#options.changed();
  }
}

/** Seconds since the epoch: the kernel works out from it how long a message was on its way. */
function clockTime(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

function delay(attempt: number): number {
  return RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] as number;
}
