/**
 * A page's store of controls and its link to a kernel, for a test in Python that is the kernel and holds the line between
 * the two: it takes what the page sends, and says when an answer or an event arrives.
 */

import { type Bridge, BridgeError } from "../bridge";
import { KernelLink } from "../control/link";
import { ControlStore } from "../control/store";
import type { ControlValue } from "../types";

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

class LinkedPage {
  readonly #store = new ControlStore();
  readonly #end = new AbortController();
  readonly #listeners = new Map<string, Set<(data: never) => void>>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #pauses: (() => void)[] = [];
  #sent: [number, string, unknown][] = [];
  #number = 0;
  readonly #link: KernelLink;

  constructor(page: string) {
    const host = { wait: () => new Promise<void>((resolve) => this.#pauses.push(resolve)) };
    this.#link = new KernelLink({ store: this.#store, page, stands: () => [], changed: () => {}, host }, this.#end.signal);
  }

  readonly #bridge = {
    request: (method: string, params: unknown) =>
      new Promise((resolve, reject) => {
        this.#number += 1;
        this.#waiting.set(this.#number, { resolve, reject });
        this.#sent.push([this.#number, method, params]);
      }),
    on: (event: string, callback: (data: never) => void) => {
      const listeners = this.#listeners.get(event) ?? new Set();
      this.#listeners.set(event, listeners.add(callback));
      return () => listeners.delete(callback);
    },
  } as unknown as Bridge;

  join(): void {
    this.#link.join(this.#bridge);
  }

  set(id: string, value: ControlValue): void {
    this.#store.set(id, value, "pointer");
  }

  /** What it has sent since it was last asked: number, method and parameters of each, as JSON. */
  sent(): string {
    const sent = JSON.stringify(this.#sent);
    this.#sent = [];
    return sent;
  }

  /** The answer to a request arrives; none: it was lost. */
  answer(number: number, result: string): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (result) waiting?.resolve({ result: JSON.parse(result), buffers: [] });
    else waiting?.reject(new BridgeError("No answer."));
  }

  event(name: string, data: string): void {
    this.#listeners.get(name)?.forEach((callback) => callback(JSON.parse(data) as never));
  }

  /** Its pauses are over. */
  wake(): number {
    const due = this.#pauses.splice(0);
    due.forEach((resolve) => resolve());
    return due.length;
  }

  get settings(): string {
    return JSON.stringify(this.#store.settings);
  }

  get state(): string {
    return this.#link.state;
  }
}

Object.assign(globalThis, { LinkedPage });
