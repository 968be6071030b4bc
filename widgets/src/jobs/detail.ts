/** Everything about one job, below its row: reason, facts, and its log as it comes. */

import { type Bridge, describe, isAbort } from "../bridge";
import { append, h, setText } from "../dom";
import { duration } from "../format";
import { isActive, isRunning, jobLabel } from "../parts";
import type { JobDetail, JobRow, JobStatus, LogPart } from "../types";
import { copyButton } from "../ui/copy";
import type { Job } from "./feed";
import { LogView } from "./log";
import { holderName, queueLabel } from "./words";

const STATUS: Record<JobStatus, string> = {
  queued: "waiting", downloading: "downloading", processing: "running",
  completed: "done", failed: "failed", cancelled: "cancelled",
};

export interface DetailOptions {
  /** Names this view to the kernel. */
  view: string;
  signal: AbortSignal;
  onTrack?(id: string): void;
}

export class Details {
  readonly element = h("div", { class: "sfa-job-detail", role: "region" });
  #job: Job;
  #detail: JobDetail | null = null;
  readonly #bridge: Bridge;
  readonly #options: DetailOptions;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #reason = h("pre", { class: "sfa-job-reason", dir: "auto", hidden: true });
  readonly #facts = h("dl", { class: "sfa-job-facts" });
  readonly #failure = h("p", { class: "sfa-job-trouble", role: "alert", hidden: true });
  readonly #log = new LogView();
  #reading = false;
  #behind = false;
  /** Everything that was asked for at first has come. */
  readonly ready: Promise<unknown>;

  constructor(job: Job, bridge: Bridge, options: DetailOptions) {
    this.#job = job;
    this.#bridge = bridge;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#end.signal]);
    append(this.element, this.#reason, this.#failure, this.#facts, this.#log.element);
    const stop = bridge.on("jobs.log", ({ id, ...part }) => {
      if (id === job.id) this.#hear(part);
    });
    this.#signal.addEventListener("abort", stop, { once: true });
    this.#draw();
    void this.#ask(() => bridge.request("jobs.watch", { view: options.view, id: job.id }, { signal: this.#signal }));
    this.ready = Promise.all([this.#readOn(), this.#show()]);
  }

  update(job: Job): void {
    const moved = job.status !== this.#job.status || job.attempt !== this.#job.attempt;
    const changed = moved || job.error !== this.#job.error || job.holder !== this.#job.holder;
    this.#job = job;
    if (moved) void this.#show();
    if (changed) this.#draw();
  }

  close(): void {
    this.#end.abort();
    this.element.remove();
    this.#bridge.request("jobs.watch", { view: this.#options.view, id: null }).catch(() => undefined);
  }

  async #show(): Promise<void> {
    await this.#ask(async () => {
      const { result } = await this.#bridge.request("jobs.show", { id: this.#job.id }, { signal: this.#signal });
      this.#detail = result;
      this.#draw();
    });
  }

  #hear(part: LogPart): void {
    if (!this.#log.add(part)) void this.#readOn();
  }

  /** Reads from where the log ends here. */
  async #readOn(): Promise<void> {
    this.#behind = true;
    if (this.#reading) return; // what came meanwhile is read after that
    this.#reading = true;
    while (this.#behind) {
      this.#behind = false;
      await this.#ask(async () => {
        const params = { id: this.#job.id, offset: this.#log.next };
        const { result } = await this.#bridge.request("jobs.log", params, { signal: this.#signal });
        this.#log.add(result);
      });
    }
    this.#reading = false;
  }

  async #ask(request: () => Promise<unknown>): Promise<void> {
    try {
      await request();
      this.#failure.hidden = true;
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      setText(this.#failure, [message, hint].filter(Boolean).join(" "));
      this.#failure.hidden = false;
    }
  }

  #draw(): void {
    const job = this.#job;
    const reason = job.status === "failed" || job.status === "cancelled" || job.status === "queued" ? job.error : null;
    this.#reason.hidden = reason === null;
    this.#reason.classList.toggle("is-failed", job.status === "failed");
    setText(this.#reason, reason ?? "");
    this.#facts.replaceChildren(...facts(job, this.#detail, this.#options.onTrack));
    this.#log.ended = !isActive(job.status);
  }
}

function facts(job: JobRow, detail: JobDetail | null, onTrack?: (id: string) => void): HTMLElement[] {
  const list: HTMLElement[] = [];
  const fact = (label: string, ...value: (Node | string)[]) => {
    list.push(h("div", {}, h("dt", {}, label), h("dd", { dir: "auto" }, ...value)));
  };
  const { track_id: track } = job;
  if (track !== null && job.title !== null) {
    if (onTrack) {
      const link = h("button", { type: "button", class: "sfa-link" }, job.title);
      link.addEventListener("click", () => onTrack(track));
      fact("Song", link);
    } else fact("Song", job.title);
  }
  fact("Kind", job.kind);
  fact("Queue", `${queueLabel(job.queue)}, priority ${job.priority}`);
  fact("Attempt", job.attempt === 0 ? `none of ${job.max_attempts} yet` : `${job.attempt} of ${job.max_attempts}`);
  fact("Queued", when(job.created_at));
  if (job.status === "queued" && job.due_s !== null) fact(job.attempt > 0 ? "Next try" : "Starts", when(job.scheduled_at));
  if (job.started_at !== null) fact(job.status === "queued" ? "Tried at" : "Started", when(job.started_at));
  if (job.ended_at !== null) {
    const took = job.started_at === null ? 0 : (Date.parse(job.ended_at) - Date.parse(job.started_at)) / 1000;
    fact("Ended", when(job.ended_at) + (took >= 1 ? `, took ${duration(took)}` : ""));
  }
  if (isRunning(job.status) && job.holder !== null) fact("Runs in", holderName(job.holder));
  if (job.service !== null) fact("Service", job.service);
  if (detail !== null) {
    if (detail.needs.length > 0) {
      fact("Needs", detail.needs.map(({ kind, status }) => `${jobLabel(kind)} (${STATUS[status]})`).join(", "));
    }
    const given = Object.entries(detail.arguments).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    if (given.length > 0) fact("Arguments", given.join(", "));
  }
  fact("Id", h("code", {}, job.id), copyButton("Copy", () => job.id));
  return list;
}

/** "14:03:22", with the day where it is another one. */
function when(iso: string): string {
  const time = new Date(iso);
  const clock = time.toLocaleTimeString("en-GB");
  if (time.toDateString() === new Date().toDateString()) return clock;
  return `${time.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${clock}`;
}
