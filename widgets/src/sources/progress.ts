/** How far the work is that brings songs in: the whole, each kind of work, what runs now and what failed. */

import { type Bridge, isAbort } from "../bridge";
import { append, h, setText } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import { countdown, jobName } from "../jobs/words";
import { isActive, isRunning, jobLabel, progressBar, setProgress } from "../parts";
import type { BatchState, Brought, JobRow } from "../types";
import { awaiting, fault, press, why } from "./marks";
import type { Started } from "./part";

/** At most one look in this time, whatever happens. */
const LOOK_MS = 700;
/** Kinds in the order of a song's way; others come last. */
const ORDER = ["lookup", "playlist_file", "scan", "import", "download", "separate", "analyze", "autocue"];
/** Work that finds out what else there is to do. */
const FINDERS = ["lookup", "playlist_file", "scan"];
const RUNNING_SHOWN = 5;

interface Kind {
  kind: string;
  jobs: number;
  ended: number;
  failed: number;
  cancelled: number;
}

export interface ProgressOptions {
  signal: AbortSignal;
  started: Started;
  /** How many stages each song goes through once it is here. */
  stages: number;
  /** What is said of leaving it alone. */
  leave: string;
  /** Nothing of it waits or runs any more, with what came of it; or something does again. */
  ended(over: boolean, brought: Brought | null): void;
}

export class ImportProgress {
  readonly element = h("div", { class: "sfa-work-body sfa-bringing" });
  readonly #bridge: Bridge;
  readonly #options: ProgressOptions;
  readonly #head = h("h3", { class: "sfa-cut", dir: "auto" });
  readonly #words = h("p", { class: "is-dim", role: "status" });
  readonly #figure = h("span", { class: "sfa-bringing-figure" });
  readonly #whole: HTMLElement;
  readonly #kinds = h("ul", { class: "sfa-bringing-kinds", role: "list" });
  readonly #running = h("ul", { class: "sfa-bringing-now", role: "list", "aria-label": "Under way" });
  readonly #failed = h("section", { class: "sfa-bringing-failed", hidden: true });
  readonly #refused = h("section", { class: "sfa-bringing-failed", hidden: true });
  readonly #fault = h("div");
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking = false;
  #again = false;
  #failures = "";
  #state: BatchState | null = null;

  constructor(bridge: Bridge, options: ProgressOptions) {
    this.#bridge = bridge;
    this.#options = options;
    this.#whole = progressBar(`Progress of ${options.started.title}`);
    setText(this.#head, options.started.title);
    append(
      this.element,
      h("div", { class: "sfa-bringing-head" }, this.#head, this.#figure, this.#whole, this.#words),
      this.#fault, this.#kinds, this.#running, this.#failed, this.#refused,
    );
    this.#kinds.replaceChildren(h("li", {}, awaiting("Starting…")));
    const { signal, started } = options;
    const mine = (job: JobRow) => (job.batch !== null && started.batches.includes(job.batch)) || started.jobs.includes(job.id);
    const stops = [
      bridge.on("jobs.rows", ({ jobs }) => { if (jobs.some(mine)) this.#lookSoon(); }),
      bridge.on("jobs.changed", () => this.#lookSoon()),
    ];
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      clearTimeout(this.#timer);
    }, { once: true });
    void this.#look();
  }

  get paused(): boolean {
    return this.#state?.paused ?? false;
  }

  /** Work in batches can be paused and stopped. */
  get batches(): string[] {
    return this.#options.started.batches;
  }

  async pause(paused: boolean): Promise<void> {
    const { signal } = this.#options;
    await Promise.all(this.batches.map((batch) =>
      this.#bridge.request(paused ? "batch.pause" : "batch.resume", { batch }, { signal })));
    await this.#look();
  }

  async stop(): Promise<void> {
    const { signal } = this.#options;
    await Promise.all(this.batches.map((batch) => this.#bridge.request("batch.cancel", { batch }, { signal })));
    await this.#look();
  }

  #lookSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, LOOK_MS);
  }

  async #look(): Promise<void> {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    try {
      const states = await Promise.all(this.#asked());
      this.#fault.replaceChildren();
      this.#draw((this.#state = merged(states)));
    } catch (error) {
      if (!isAbort(error)) this.#fault.replaceChildren(fault(why(error), () => void this.#look()));
    } finally {
      this.#looking = false;
      if (this.#again) {
        this.#again = false;
        this.#lookSoon();
      }
    }
  }

  #asked(): Promise<BatchState>[] {
    const { signal, started } = this.#options;
    return [
      ...started.batches.map(async (batch) => (await this.#bridge.request("batch.show", { batch }, { signal })).result),
      ...started.jobs.map(async (id) => alone((await this.#bridge.request("jobs.show", { id }, { signal })).result.job)),
    ];
  }

  #draw(state: BatchState): void {
    const kinds = byKind(state);
    const jobs = kinds.reduce((sum, kind) => sum + kind.jobs, 0);
    const ended = kinds.reduce((sum, kind) => sum + kind.ended, 0);
    const failed = kinds.reduce((sum, kind) => sum + kind.failed, 0);
    const over = jobs > 0 && ended === jobs;
    const finding = kinds.some(({ kind, jobs: count, ended: done }) => FINDERS.includes(kind) && done < count);
    const stopped = over && kinds.some(({ cancelled }) => cancelled > 0);
    const percent = stopped ? (kinds.reduce((sum, kind) => sum + kind.ended - kind.cancelled, 0) / jobs) * 100 : over ? 100 : finding ? 0 : this.#percent(kinds, state);
    setProgress(this.#whole, percent);
    setText(this.#figure, finding || stopped ? "" : `${Math.floor(percent)} %`);
    setText(this.#words, over ? this.#outcome(kinds, failed, state.brought)
      : state.paused ? "Paused. What is under way is finished first."
      : finding ? "Finding out what there is…"
      : this.#options.leave);
    this.#words.classList.toggle("is-ok", over && failed === 0 && !stopped);
    // Who knows by now what there is needs no line any more.
    const shown = kinds.filter(({ kind, jobs: count, ended: done, failed: torn }) => !FINDERS.includes(kind) || done < count || torn > 0);
    this.#kinds.replaceChildren(...shown.map((kind) => kindRow(kind, underWay(state, kind.kind))));
    // What was put off says why; what only waits for its turn is in the counts.
    const shownJobs = [...state.running, ...state.waiting.filter(({ attempt, error }) => attempt > 0 && error !== null)];
    const rows = shownJobs.slice(0, RUNNING_SHOWN).map(jobLine);
    const more = shownJobs.length - rows.length;
    this.#running.replaceChildren(...rows, ...(more > 0 ? [h("li", { class: "is-dim" }, `and ${more} more`)] : []));
    this.#running.hidden = rows.length === 0;
    this.#drawFailed(state.failed, failed);
    this.#drawRefused(over ? state.brought?.refused ?? [] : []);
    this.#options.ended(over, over ? state.brought : null);
  }

  /** Songs on their way will ask for their stages: these count from the start, so that the bar goes one way only. */
  #percent(kinds: Kind[], state: BatchState): number {
    const coming = kinds
      .filter(({ kind }) => kind === "download" || kind === "import")
      .reduce((sum, kind) => sum + kind.jobs - kind.ended, 0) * this.#options.stages;
    const all = kinds.reduce((sum, kind) => sum + kind.jobs, 0) + coming;
    const done = kinds.reduce((sum, { kind, ended }) => sum + ended + underWay(state, kind), 0);
    return Math.min(99, (done / Math.max(1, all)) * 100);
  }

  #outcome(kinds: Kind[], failed: number, brought: Brought | null): string {
    const cancelled = kinds.reduce((sum, kind) => sum + kind.cancelled, 0);
    const came = brought ? cameWords(brought) : "";
    if (cancelled > 0) return `Stopped: ${plural(cancelled, "job was", "jobs were")} called off. ${came || "What had come before stays."}`;
    if (failed > 0) return `Ended; ${plural(failed, "job")} failed. ${came}`.trim();
    if (brought === null) return "Done.";
    return came === "" ? "Done. There was nothing new in it." : `Done. ${came}`;
  }

  /** Files that harmed no others, and so are no failure of the whole. */
  #drawRefused(refused: Brought["refused"]): void {
    this.#refused.hidden = refused.length === 0;
    if (refused.length > 0) this.#refused.replaceChildren(
      h("h3", {}, plural(refused.length, "file cannot be used", "files cannot be used")),
      h("ul", { role: "list" }, ...refused.map(([name, reason]) => h(
        "li", {}, h("strong", { dir: "auto", title: name }, name), h("span", { class: "is-dim", dir: "auto" }, reason),
      ))),
    );
  }

  #drawFailed(rows: JobRow[], count: number): void {
    // A button that somebody is about to press stays where it is.
    const failures = JSON.stringify([count, rows.map(({ id, attempt }) => [id, attempt])]);
    if (failures === this.#failures) return;
    this.#failures = failures;
    this.#failed.hidden = rows.length === 0;
    if (rows.length === 0) return;
    const again = press(rows.length === 1 ? "Try again" : "Try all again", () => {
      again.disabled = true;
      this.#bridge.request("jobs.retry", { ids: rows.map(({ id }) => id) }, { signal: this.#options.signal })
        .then(() => this.#look())
        .catch((error: unknown) => {
          again.disabled = false;
          if (!isAbort(error)) this.#fault.replaceChildren(fault(why(error)));
        });
    }, { icon: "retry" });
    const more = count - rows.length;
    this.#failed.replaceChildren(
      h("header", { class: "sfa-line" }, h("h3", { class: "is-danger" }, icon("alert"), `${plural(count, "job")} failed`), h("span", { class: "sfa-gap" }), again),
      h("ul", { role: "list" }, ...rows.map((job) => h(
        "li", {}, h("strong", { dir: "auto", title: jobName(job) }, jobName(job)), h("span", { class: "is-dim", dir: "auto" }, job.error ?? "It stopped without a reason."),
      ))),
      ...(more > 0 ? [h("p", { class: "is-dim" }, `and ${more} more`)] : []),
    );
  }
}

/** How much of the jobs of a kind is done that run now; 1 is a whole job. */
function underWay({ running }: BatchState, kind: string): number {
  return running.reduce((sum, job) => sum + (job.kind === kind ? job.progress / 100 : 0), 0);
}

function kindRow({ kind, jobs, ended, failed, cancelled }: Kind, begun: number): HTMLElement {
  const bar = progressBar(jobLabel(kind));
  const done = ended - cancelled; // what was called off is not done
  const percent = ((done + begun) / Math.max(1, jobs)) * 100;
  setProgress(bar, percent);
  // One such job is about dozens of files: its number would be taken for theirs.
  const count = kind === "import" ? `${Math.floor(percent)} %` : `${done} of ${jobs}`;
  return h(
    "li", {},
    h("span", {}, jobLabel(kind)), bar,
    h("span", { class: "is-dim" }, count, failed > 0 && h("span", { class: "is-danger" }, ` · ${failed} failed`)),
  );
}

function jobLine(job: JobRow): HTMLElement {
  const running = isRunning(job.status);
  const when = job.due_s === null || job.due_s <= 0 ? "soon" : `in ${countdown(job.due_s)}`;
  return h(
    "li", {},
    h("span", { class: "sfa-cut", dir: "auto", title: jobName(job) }, jobName(job)),
    h("span", { class: "is-dim" }, running ? jobLabel(job.kind) : `Next try ${when}`),
    h("span", { class: "is-dim" }, running ? `${Math.round(job.progress)} %` : ""),
    running ? null : h("small", { class: "is-warn" }, job.error),
  );
}

function cameWords({ new: fresh, known, playlists: [first, ...others] }: Brought): string {
  const songs = fresh > 0 && known > 0 ? `${plural(fresh, "song is", "songs are")} new, ${known} ${known === 1 ? "was" : "were"} here already.`
    : fresh > 0 ? `${plural(fresh, "song is", "songs are")} new.`
    : known > 0 ? `${known === 1 ? "The song was" : `All ${known} songs were`} here already.` : "";
  const lists = !first ? "" : others.length > 0 ? `${others.length + 1} playlists are among yours.` : `“${first.name}” is among your playlists.`;
  return [songs, lists].filter(Boolean).join(" ");
}

function alone(job: JobRow): BatchState {
  return {
    kinds: [{ kind: job.kind, status: job.status, jobs: 1 }], paused: job.paused,
    running: isRunning(job.status) ? [job] : [], waiting: job.status === "queued" ? [job] : [], failed: job.status === "failed" ? [job] : [],
    brought: null,
  };
}

function merged(states: BatchState[]): BatchState {
  return {
    kinds: states.flatMap(({ kinds }) => kinds),
    running: states.flatMap(({ running }) => running),
    waiting: states.flatMap(({ waiting }) => waiting),
    failed: states.flatMap(({ failed }) => failed),
    paused: states.some(({ paused }) => paused),
    brought: states.map(({ brought }) => brought).reduce((all, brought) => all && brought && {
      new: all.new + brought.new, known: all.known + brought.known,
      refused: [...all.refused, ...brought.refused], playlists: [...all.playlists, ...brought.playlists],
    }),
  };
}

function byKind({ kinds }: BatchState): Kind[] {
  const found = new Map<string, Kind>();
  for (const { kind, status, jobs } of kinds) {
    const row = found.get(kind) ?? { kind, jobs: 0, ended: 0, failed: 0, cancelled: 0 };
    row.jobs += jobs;
    if (!isActive(status)) row.ended += jobs;
    if (status === "failed") row.failed += jobs;
    if (status === "cancelled") row.cancelled += jobs;
    found.set(kind, row);
  }
  const place = (kind: string) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  return [...found.values()].sort((a, b) => place(a.kind) - place(b.kind));
}
