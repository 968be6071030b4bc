/** The jobs as the page knows them: one list, kept fresh by events, for every view that shows some. */

import { type Bridge, isAbort } from "../bridge";
import type { JobCounts, JobRow } from "../types";

/** Jobs asked for at the start; older ones are history nobody scrolls to. */
const LIMIT = 200;

const NONE: JobCounts = { queued: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 };

export class JobsFeed {
  readonly #bridge: Bridge;
  readonly #signal: AbortSignal;
  readonly #status: "all" | "active";
  readonly #jobs = new Map<string, JobRow>();
  readonly #listeners = new Set<() => void>();
  #counts: JobCounts = NONE;
  #loaded = false;
  #failure: unknown = null;

  constructor(bridge: Bridge, signal: AbortSignal, status: "all" | "active" = "all") {
    this.#bridge = bridge;
    this.#status = status;
    this.#signal = signal;
    const stop = bridge.on("jobs.rows", ({ jobs, counts }) => {
      for (const job of jobs) this.#jobs.set(job.id, job);
      this.#counts = counts;
      this.#changed();
    });
    signal.addEventListener("abort", () => {
      stop();
      this.#listeners.clear();
    }, { once: true });
    void this.load();
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  get failure(): unknown {
    return this.#failure;
  }

  get counts(): JobCounts {
    return this.#counts;
  }

  get jobs(): JobRow[] {
    return [...this.#jobs.values()];
  }

  /** Running and waiting jobs together. */
  get active(): number {
    return this.#counts.queued + this.#counts.processing;
  }

  async load(): Promise<void> {
    try {
      const { result } = await this.#bridge.request(
        "jobs.list", { status: this.#status, limit: LIMIT }, { signal: this.#signal },
      );
      this.#jobs.clear();
      for (const job of result.jobs) this.#jobs.set(job.id, job);
      this.#counts = result.counts;
      this.#loaded = true;
      this.#failure = null;
    } catch (error) {
      if (isAbort(error)) return;
      this.#failure = error;
    }
    this.#changed();
  }

  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The order of a board: what runs, in the order it began; the rest by time, the newest first. */
export function byTime(field: "started_at" | "created_at" | "ended_at", newestFirst: boolean) {
  return (a: JobRow, b: JobRow): number => {
    const order = (a[field] ?? "").localeCompare(b[field] ?? "");
    return (newestFirst ? -order : order) || a.id.localeCompare(b.id);
  };
}
