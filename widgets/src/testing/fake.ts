/** A bridge and a model without a kernel, for tests. */

import type { Bridge, MessageModel, Reply, RequestOptions } from "../bridge";
import { BridgeError } from "../bridge";
import type { Events, Methods } from "../types";

type Handler<M extends keyof Methods> = (
  params: Methods[M]["params"],
  options: RequestOptions,
) => Methods[M]["result"] | Reply<Methods[M]["result"]> | Promise<Methods[M]["result"]>;

export type FakeHandlers = { [M in keyof Methods]?: Handler<M> };

export interface Call {
  method: keyof Methods;
  params: Record<string, unknown>;
  options: RequestOptions;
}

/** Answers from `handlers`, remembers every call, and lets a test push events. */
export class FakeBridge implements Bridge {
  readonly calls: Call[] = [];
  readonly #listeners = new Map<string, Set<(data: never, buffers: DataView[]) => void>>();

  constructor(readonly handlers: FakeHandlers = {}) {}

  /** The parameters of every call of one method, in order. */
  params<M extends keyof Methods>(method: M): Methods[M]["params"][] {
    return this.calls
      .filter((call) => call.method === method)
      .map((call) => call.params as unknown as Methods[M]["params"]);
  }

  async request<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
    options: RequestOptions = {},
  ): Promise<Reply<Methods[M]["result"]>> {
    this.calls.push({ method, params: params as unknown as Record<string, unknown>, options });
    const handler = this.handlers[method] as Handler<M> | undefined;
    if (!handler) throw new BridgeError(`The fake kernel does not answer ${method}.`);
    const answer = await handler(params, options);
    if (options.signal?.aborted) throw new DOMException("The request was cancelled.", "AbortError");
    if (typeof answer === "object" && answer !== null && "buffers" in answer && "result" in answer) {
      return answer as Reply<Methods[M]["result"]>;
    }
    return { result: answer as Methods[M]["result"], buffers: [] };
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

  push<E extends keyof Events>(event: E, data: Events[E], buffers: DataView[] = []): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(data as never, buffers);
  }
}

/** The message half and the trait half of an anywidget model. */
export class FakeModel implements MessageModel {
  readonly sent: { content: Record<string, unknown>; buffers: ArrayBuffer[] }[] = [];
  readonly traits: Record<string, unknown>;
  saves = 0;
  readonly #listeners = new Map<string, Set<(...args: never[]) => void>>();

  constructor(traits: Record<string, unknown> = {}) {
    this.traits = { ...traits };
  }

  send(content: unknown, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void {
    this.sent.push({ content: content as Record<string, unknown>, buffers });
  }

  on(event: string, callback: (...args: never[]) => void): void {
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(callback);
  }

  off(event: string, callback: (...args: never[]) => void): void {
    this.#listeners.get(event)?.delete(callback);
  }

  get(name: string): unknown {
    return this.traits[name];
  }

  set(name: string, value: unknown): void {
    if (this.traits[name] === value) return;
    this.traits[name] = value;
    this.#emit(`change:${name}`);
  }

  save_changes(): void {
    this.saves += 1;
  }

  /** A message from the kernel. */
  receive(content: unknown, buffers: DataView[] = []): void {
    this.#emit("msg:custom", content, buffers);
  }

  listenerCount(event: string): number {
    return this.#listeners.get(event)?.size ?? 0;
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...(args as never[]));
  }
}
