/** Requests, replies and events over the messages of one widget model. */

import type { Events, Methods } from "./types";

export interface RequestOptions {
  buffers?: ArrayBuffer[];
  /** Aborting tells the kernel to drop the work and rejects with an `AbortError`. */
  signal?: AbortSignal;
  timeoutMs?: number;
}

export interface Reply<T> {
  result: T;
  buffers: DataView[];
}

export interface Bridge {
  request<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
    options?: RequestOptions,
  ): Promise<Reply<Methods[M]["result"]>>;
  /** Calls back for each event; returns the function that stops it. */
  on<E extends keyof Events>(
    event: E,
    callback: (data: Events[E], buffers: DataView[]) => void,
  ): () => void;
}

/** A failure with a line for people and, where there is one, the way out. */
export class BridgeError extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.name = "BridgeError";
    this.hint = hint;
  }
}

/** The part of an anywidget model that a bridge needs. */
export interface MessageModel {
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: "msg:custom", callback: (content: unknown, buffers: DataView[]) => void): void;
  off(event: "msg:custom", callback: (content: unknown, buffers: DataView[]) => void): void;
}

const TIMEOUT_MS = 30_000;

interface Pending {
  resolve(reply: Reply<unknown>): void;
  reject(error: unknown): void;
}

interface Message {
  id?: string;
  result?: unknown;
  error?: { message?: string; hint?: string | null };
  event?: string;
  data?: unknown;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** One line for people about any failure. */
export function describe(error: unknown): { message: string; hint: string | null } {
  if (!(error instanceof Error)) return { message: String(error), hint: null };
  // Not by its class: parts of a page that were loaded later have classes of their own.
  const { hint } = error as { hint?: unknown };
  return { message: error.message, hint: typeof hint === "string" ? hint : null };
}

function aborted(): DOMException {
  return new DOMException("The request was cancelled.", "AbortError");
}

/** A prefix that no other view or page of the same model shares: replies reach all of them. */
function uniquePrefix(): string {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return Array.from(words, (word) => word.toString(36)).join("");
}

export class ModelBridge implements Bridge {
  readonly #model: MessageModel;
  readonly #prefix = uniquePrefix();
  readonly #pending = new Map<string, Pending>();
  readonly #listeners = new Map<string, Set<(data: never, buffers: DataView[]) => void>>();
  #count = 0;
  #closed = false;

  /** Listens until `signal` aborts; whatever is pending then rejects. */
  constructor(model: MessageModel, signal: AbortSignal) {
    this.#model = model;
    const receive = (content: unknown, buffers: DataView[]) => this.#receive(content, buffers);
    model.on("msg:custom", receive);
    signal.addEventListener("abort", () => {
      this.#closed = true;
      model.off("msg:custom", receive);
      for (const pending of [...this.#pending.values()]) pending.reject(aborted());
      this.#listeners.clear();
    }, { once: true });
  }

  request<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
    options: RequestOptions = {},
  ): Promise<Reply<Methods[M]["result"]>> {
    const { signal, buffers = [], timeoutMs = TIMEOUT_MS } = options;
    if (this.#closed || signal?.aborted) return Promise.reject(aborted());
    const id = `${this.#prefix}-${++this.#count}`;
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", cancel);
        this.#pending.delete(id);
      };
      const cancel = () => {
        this.#send({ id, cancel: true });
        settle();
        reject(aborted());
      };
      // A message that is too large, or a kernel that has died, gives no answer at all.
      const timer = setTimeout(() => {
        this.#send({ id, cancel: true });
        settle();
        reject(new BridgeError(
          `The kernel did not answer within ${Math.round(timeoutMs / 1000)} s.`,
          "It may be busy with a running cell, or it has stopped. Try again, or reload the page.",
        ));
      }, timeoutMs);
      signal?.addEventListener("abort", cancel, { once: true });
      this.#pending.set(id, {
        resolve: (reply) => { settle(); resolve(reply as Reply<Methods[M]["result"]>); },
        reject: (error) => { settle(); reject(error); },
      });
      try {
        this.#model.send({ id, method, params }, undefined, buffers);
      } catch {
        settle();
        reject(new BridgeError("The kernel cannot be reached.", "Reload the page."));
      }
    });
  }

  on<E extends keyof Events>(
    event: E,
    callback: (data: Events[E], buffers: DataView[]) => void,
  ): () => void {
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(callback);
    return () => listeners.delete(callback);
  }

  #send(content: unknown): void {
    try {
      this.#model.send(content);
    } catch {
      // A cancellation that cannot be delivered has nobody left to stop.
    }
  }

  #receive(content: unknown, buffers: DataView[] = []): void {
    if (typeof content !== "object" || content === null) return;
    const message = content as Message;
    if (message.event !== undefined) {
      for (const listener of [...(this.#listeners.get(message.event) ?? [])]) {
        listener((message.data ?? {}) as never, buffers);
      }
      return;
    }
    const pending = message.id === undefined ? undefined : this.#pending.get(message.id);
    if (!pending) return; // another view's reply, or one that came after its timeout
    if (message.error) {
      pending.reject(new BridgeError(
        message.error.message ?? "The kernel reported an error without a reason.",
        message.error.hint ?? null,
      ));
    } else {
      pending.resolve({ result: message.result, buffers });
    }
  }
}
