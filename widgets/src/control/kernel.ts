/** A kernel's side of the link, for tests: in memory, over a line that is slow, holds messages back and loses answers. */

import { type Bridge, BridgeError } from "../bridge";
import type { ControlValue, Events, Methods } from "../types";
import { clamp, controlOf, CONTROLS, holdsState } from "./table";

type Attach = Methods["decks.attach"];
type Changes = Methods["decks.changes"];

/** Whole numbers from 0 to `below`, the same for the same seed. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export class FakeKernel {
  readonly id: string;
  readonly values = new Map<string, ControlValue>();
  /** Triggers and edges as they were told here. */
  readonly told: [string, ControlValue][] = [];
  /** Every message of changes that was done. */
  readonly messages: Changes["params"][] = [];
  /** Steps that are due, in the order of their time. */
  readonly #due: { at: number; run(): void }[] = [];
  /** When the last message of each way arrives: none overtakes another. */
  readonly #last = { up: 0, down: 0 };
  readonly #setAt = new Map<string, number>();
  #now = 0;
  #n = 0;
  #done = 0;
  /** Time that a message takes. */
  delay: () => number = () => 0;
  /** Whether an answer gets lost. */
  loses: () => boolean = () => false;
  /** Its messages get lost. */
  deaf = false;
  /** Where decks are to stand, as `deck.N.seek`. */
  places: Record<string, number> = {};
  /** The page that has the decks. */
  holder: string | null = null;
  readonly #listeners = new Map<string, Set<(data: never) => void>>();

  constructor(id = "kernel") {
    this.id = id;
  }

  readonly bridge: Bridge = {
    request: ((method: string, params: never, { signal }: { signal?: AbortSignal } = {}) =>
      new Promise<unknown>((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new DOMException("Aborted.", "AbortError")), { once: true });
        this.#post("up", () => {
          let result: unknown;
          try {
            result = this.answer(method, params);
          } catch (error) {
            this.#post("down", () => reject(error));
            return;
          }
          if (this.loses()) this.#due.push({ at: this.#now + 50, run: () => reject(new BridgeError("No answer.")) });
          else this.#post("down", () => resolve({ result, buffers: [new DataView(new ArrayBuffer(8))] }));
        });
      })) as unknown as Bridge["request"],
    on: ((event: string, callback: (data: never) => void) => {
      let listeners = this.#listeners.get(event);
      if (!listeners) this.#listeners.set(event, (listeners = new Set()));
      listeners.add(callback);
      return () => listeners.delete(callback);
    }) as unknown as Bridge["on"],
  };

  /** Python sets a control. */
  set(id: string, value: ControlValue): void {
    this.#change([[id, value]]);
  }

  #change(changes: [string, ControlValue][]): void {
    this.#n += 1;
    for (const change of changes) {
      const control = controlOf(change[0]);
      change[1] = clamp(control, change[1]);
      if (!holdsState(control)) continue;
      this.values.set(control.id, change[1]);
      this.#setAt.set(control.id, this.#n);
    }
    if (this.holder && !this.deaf) this.push("control.set", { page: this.holder, changes, n: this.#n });
  }

  push<E extends keyof Events>(event: E, data: Events[E]): void {
    this.#post("down", () => this.#listeners.get(event)?.forEach((listener) => listener(data as never)));
  }

  /** Lets time pass until nothing is under way; what is due is done in its order. */
  async settle(): Promise<void> {
    do {
      for (let i = 0; i < 12; i += 1) await Promise.resolve();
      this.#due.sort((a, b) => a.at - b.at);
      const next = this.#due.shift();
      if (!next) return;
      this.#now = Math.max(this.#now, next.at);
      next.run();
    } while (true);
  }

  /** Does so many steps of what is under way. */
  async steps(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      await Promise.resolve();
      this.#due.sort((a, b) => a.at - b.at);
      const next = this.#due.shift();
      if (!next) return;
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
  }

  /** Waits in the kernel's time. */
  wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.#due.push({ at: this.#now + milliseconds, run: resolve });
    });

  #post(way: "up" | "down", run: () => void): void {
    const at = Math.max(this.#last[way], this.#now + this.delay());
    this.#last[way] = at;
    this.#due.push({ at, run });
  }

  /** What it answers; others may know more. */
  answer(method: string, params: never): unknown {
    if (method === "decks.kernel") return { kernel: this.id };
    if (method === "decks.attach") return this.#attach(params as Attach["params"]);
    if (method === "decks.changes") return this.#changes(params as Changes["params"]);
    if (method === "decks.detach") {
      if (this.holder === (params as { page: string }).page) this.holder = null;
      return {};
    }
    throw new Error(`No ${method} here.`);
  }

  #attach({ page, take, values, seen }: Attach["params"]): Attach["result"] {
    if (this.holder && this.holder !== page) {
      if (!take) return { held: false, values: {}, n: 0 };
      this.push("decks.lost", { page: this.holder });
    }
    if (this.holder !== page) this.#done = 0;
    if (values && (this.holder === null || this.holder === page)) {
      const last = this.holder === page ? seen : 0;
      for (const control of CONTROLS.filter(holdsState)) {
        if ((this.#setAt.get(control.id) ?? 0) <= last) this.values.set(control.id, values[control.id] ?? control.default);
      }
    }
    this.holder = page;
    return { held: true, values: { ...Object.fromEntries(this.values), ...this.places }, n: this.#n };
  }

  #changes(message: Changes["params"]): Changes["result"] {
    if (message.page !== this.holder) return { held: false };
    this.messages.push(message);
    message.changes.forEach(([id, value], index) => {
      const number = message.first + index;
      if (number <= this.#done) return;
      this.#done = number;
      const control = controlOf(id);
      if (control.kind === "trigger" || control.kind === "relative" || control.kind === "momentary") this.told.push([id, value]);
      if (holdsState(control) && (this.#setAt.get(id) ?? 0) <= message.seen) this.values.set(id, value);
    });
    return { held: true };
  }
}
