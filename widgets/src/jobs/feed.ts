/** The jobs as the page knows them: kept fresh by events, fetched in pages, for every view that shows some. */

import { type Bridge, isAbort } from "../bridge";
import { isActive, isRunning } from "../parts";
import type { JobCounts, JobGroup, JobRow, JobsOverview, QueueRow, ServiceRow } from "../types";

/** A row, and when it came [ms of this page's clock]: its seconds count from then. */
export type Job = JobRow & { at: number };

export const GROUPS: JobGroup[] = ["failed", "running", "waiting", "history"];

/** How many of each are asked for, and how many more each time. */
const PAGE: Record<JobGroup, number> = { failed: 50, running: 200, waiting: 50, history: 50 };
/** At most one reload in this time, whatever happens. */
const RELOAD_MS = 1000;

const NO_COUNTS: JobCounts = { queued: 0, downloading: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 };

export class JobsFeed {
  readonly #bridge: Bridge;
  readonly #signal: AbortSignal;
  readonly #few: boolean;
  readonly #jobs = new Map<string, Job>();
  readonly #wanted = { ...PAGE };
  readonly #listeners = new Set<() => void>();
  #overview: JobsOverview = { counts: NO_COUNTS, queues: [], services: [], paused: [] };
  #overviewAt = 0;
  #queue: string | null = null;
  #loaded = false;
  #failure: unknown = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loading: AbortController | null = null;

  /** `few`: the kernel has chosen some jobs, and all of them are wanted. */
  constructor(bridge: Bridge, signal: AbortSignal, { few = false } = {}) {
    this.#bridge = bridge;
    this.#few = few;
    this.#signal = signal;
    const stops = [
      bridge.on("jobs.rows", ({ jobs, ...overview }) => {
        this.#hear(overview);
        for (const job of jobs) this.#take(job);
        this.#trim();
        this.#refill();
        this.#changed();
      }),
      bridge.on("jobs.changed", (overview) => {
        this.#hear(overview);
        this.#reloadSoon();
        this.#changed();
      }),
    ];
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      clearTimeout(this.#timer);
      this.#loading?.abort();
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
    return this.#overview.counts;
  }

  get queues(): QueueRow[] {
    return this.#overview.queues;
  }

  get services(): (ServiceRow & { at: number })[] {
    return this.#overview.services.map((service) => ({ ...service, at: this.#overviewAt }));
  }

  get paused(): JobsOverview["paused"] {
    return this.#overview.paused;
  }

  /** Whatever is at hand, in no order. */
  get jobs(): Job[] {
    return [...this.#jobs.values()];
  }

  /** Running and waiting jobs together. */
  get active(): number {
    const { queued, downloading, processing } = this.counts;
    return queued + downloading + processing;
  }

  /** The queue whose jobs are wanted; null for all. */
  get queue(): string | null {
    return this.#queue;
  }

  set queue(queue: string | null) {
    if (queue === this.#queue) return;
    this.#queue = queue;
    Object.assign(this.#wanted, PAGE);
    this.#trim();
    this.#changed();
    void this.load();
  }

  /** The jobs of one part, in its order; as many as were asked for. */
  group(group: JobGroup): Job[] {
    return this.#sorted(group).slice(0, this.#wanted[group]);
  }

  /** How many jobs one part has in the library; null when nobody has counted. */
  total(group: JobGroup): number | null {
    const { counts } = this;
    if (this.#queue !== null) {
      const queue = this.queues.find((row) => row.queue === this.#queue);
      if (group === "history" || !queue) return null;
      return group === "waiting" ? queue.waiting + queue.retrying : queue[group];
    }
    if (group === "failed") return counts.failed;
    if (group === "waiting") return counts.queued;
    if (group === "running") return counts.downloading + counts.processing;
    return counts.completed + counts.cancelled;
  }

  /** Whether there are more than are at hand. */
  hasMore(group: JobGroup): boolean {
    const have = this.group(group).length;
    return have < (this.total(group) ?? (have < this.#wanted[group] ? 0 : Infinity));
  }

  async more(group: JobGroup): Promise<void> {
    const offset = this.group(group).length;
    this.#wanted[group] = offset + PAGE[group];
    try {
      const { result } = await this.#bridge.request(
        "jobs.list", { status: group, queue: this.#queue, offset, limit: PAGE[group] }, { signal: this.#signal },
      );
      for (const job of result.jobs) this.#take(job);
    } finally {
      this.#changed();
    }
  }

  async load(): Promise<void> {
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    const signal = AbortSignal.any([loading.signal, this.#signal]);
    const queue = this.#queue;
    const lists = this.#few
      ? [{ status: "all" as const, queue, offset: 0, limit: 500 }]
      : GROUPS.map((status) => (
          // What runs is wanted by more than the board.
          { status, queue: status === "running" ? null : queue, offset: 0, limit: this.#wanted[status] }
        ));
    try {
      const replies = await Promise.all(lists.map((list) => this.#bridge.request("jobs.list", list, { signal })));
      const before = new Map(this.#jobs);
      this.#jobs.clear();
      for (const { result } of replies) {
        const { jobs, ...overview } = result;
        this.#hear(overview);
        for (const job of jobs) {
          const known = before.get(job.id);
          // News may have come while the answer was on its way.
          if (known && isStale(job, known)) this.#jobs.set(job.id, known);
          else this.#take(job);
        }
      }
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

  #hear(overview: JobsOverview): void {
    this.#overview = overview;
    this.#overviewAt = performance.now();
  }

  #take(job: JobRow): void {
    const known = this.#jobs.get(job.id);
    if (known && isStale(job, known)) return;
    this.#jobs.set(job.id, { ...job, at: performance.now() });
  }

  #sorted(group: JobGroup): Job[] {
    const now = performance.now();
    return this.jobs
      .filter((job) => groupOf(job) === group && (this.#queue === null || job.queue === this.#queue))
      .sort(group === "waiting" ? byTurn(now) : byTime(group === "running" ? "started_at" : "ended_at", group !== "running"));
  }

  /** Forgets what nobody has asked to see: a night's work must not pile up in the page. */
  #trim(): void {
    if (this.#few) return;
    for (const group of GROUPS) {
      if (group === "running") continue;
      const shown = new Set(this.group(group));
      for (const job of this.jobs) if (groupOf(job) === group && !shown.has(job)) this.#jobs.delete(job.id);
    }
  }

  /** Fetches again where jobs have left a list that has more of them. */
  #refill(): void {
    if (this.#few || !this.#loaded) return;
    const short = GROUPS.some((group) => {
      const have = this.group(group).length;
      const few = group === "running" ? Infinity : this.#wanted[group] / 2;
      return have < few && have < (this.total(group) ?? 0);
    });
    if (short) this.#reloadSoon();
  }

  #reloadSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.load();
    }, RELOAD_MS);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Whether a row tells of a time before another one of the same job. */
function isStale(job: JobRow, known: JobRow): boolean {
  if (job.attempt !== known.attempt) return job.attempt < known.attempt;
  if (!isRunning(job.status)) return false;
  return !isRunning(known.status) || job.progress < known.progress;
}

export function groupOf(job: JobRow): JobGroup {
  if (job.status === "failed") return "failed";
  if (!isActive(job.status)) return "history";
  return job.status === "queued" ? "waiting" : "running";
}

/** Seconds until a waiting job may start, now; 0 when nothing but its turn keeps it. */
export function dueIn(job: Job, now = performance.now()): number {
  return job.due_s === null ? 0 : Math.max(0, job.due_s - (now - job.at) / 1000);
}

/** Whether a job failed and waits for its next attempt. */
export function isRetrying(job: Job, now = performance.now()): boolean {
  return job.status === "queued" && job.attempt > 0 && dueIn(job, now) > 0;
}

/** What failed before, the next try first; then in the order in which they will run. */
function byTurn(now: number) {
  const rank = (job: Job) => (isRetrying(job, now) ? 0 : job.blockers > 0 || dueIn(job, now) > 0 ? 2 : 1);
  return (a: Job, b: Job): number => {
    const [first, second] = [rank(a), rank(b)];
    const due = first === 0 && second === 0 ? a.scheduled_at.localeCompare(b.scheduled_at) : 0;
    return first - second || due || a.priority - b.priority
      || a.created_at.localeCompare(b.created_at) || a.id.localeCompare(b.id);
  };
}

export function byTime(field: "started_at" | "created_at" | "ended_at", newestFirst: boolean) {
  return (a: JobRow, b: JobRow): number => {
    const order = (a[field] ?? "").localeCompare(b[field] ?? "");
    return (newestFirst ? -order : order) || a.id.localeCompare(b.id);
  };
}
