/** The jobs board: failures on top with the button that helps, then what runs, what waits, what was. */

import { type Bridge, describe } from "../bridge";
import { append, h, setAttribute, setText } from "../dom";
import { ago, duration, plural, timeLeft } from "../format";
import { icon, type IconName } from "../icons";
import { jobLabel, progressBar, setProgress } from "../parts";
import type { JobRow, JobStatus } from "../types";
import type { Layer } from "../ui/layer";
import { byTime, type JobsFeed } from "./feed";
import "./jobs.css";

const HISTORY = 60;

const KIND_ICONS: Record<string, IconName> = { separate: "split", analyze: "analyze", autocue: "cue" };

export interface JobsOptions {
  signal: AbortSignal;
  layer: Layer;
  feed: JobsFeed;
  /** Shows the track of a job; without it titles are no links. */
  onTrack?(id: string): void;
}

interface Group {
  statuses: JobStatus[];
  title: string;
  sort: (a: JobRow, b: JobRow) => number;
  limit: number;
  all?: { label: string; method: "jobs.cancel" | "jobs.retry" };
}

const GROUPS: Group[] = [
  {
    statuses: ["failed"], title: "Failed", sort: byTime("ended_at", true), limit: Infinity,
    all: { label: "Try all again", method: "jobs.retry" },
  },
  { statuses: ["processing"], title: "Running", sort: byTime("started_at", false), limit: Infinity },
  {
    statuses: ["queued"], title: "Waiting", sort: byTime("created_at", false), limit: 100,
    all: { label: "Cancel all", method: "jobs.cancel" },
  },
  { statuses: ["completed", "cancelled"], title: "Done", sort: byTime("ended_at", true), limit: HISTORY },
];

export function mountJobs(el: HTMLElement, bridge: Bridge, options: JobsOptions): void {
  const { signal, layer, feed, onTrack } = options;

  const command = async (method: "jobs.cancel" | "jobs.retry", ids: string[]) => {
    try {
      await bridge.request(method, { ids }, { signal });
    } catch (error) {
      layer.failed(error, () => void command(method, ids));
    }
  };

  const state = h("div", { class: "sfa-state" });
  const groups = GROUPS.map((group) => {
    const count = h("span", { class: "sfa-jobs-count" });
    const all = group.all && h("button", { type: "button", class: "sfa-button is-quiet" }, group.all.label);
    const list = h("ul", { class: "sfa-jobs-list", role: "list" });
    const section = h(
      "section", { hidden: true, "data-group": group.title.toLowerCase(), "aria-label": group.title },
      h("header", {}, h("h3", {}, group.title), count, all),
      list,
    );
    const views = new Map<string, JobView>();
    all?.addEventListener("click", () => {
      if (group.all) void command(group.all.method, [...views.keys()]);
    });
    return { group, section, count, all, list, views };
  });
  const head = h("span", { class: "sfa-count", "aria-live": "polite" });
  const root = h(
    "section", { class: "sfa-jobs", "aria-label": "Jobs" },
    h("header", { class: "sfa-jobs-head" }, h("h2", {}, "Jobs"), head),
    h("div", { class: "sfa-jobs-body" }, ...groups.map(({ section }) => section), state),
  );
  append(el, root);

  const draw = () => {
    const { jobs, counts } = feed;
    for (const { group, section, count, all, list, views } of groups) {
      const mine = jobs.filter((job) => group.statuses.includes(job.status)).sort(group.sort).slice(0, group.limit);
      section.hidden = mine.length === 0;
      const total = group.statuses.reduce((sum, status) => sum + counts[status], 0);
      setText(count, String(Math.max(total, mine.length)));
      if (all) all.hidden = mine.length < 2;
      reconcile(list, views, mine, (job) => new JobView(job, command, onTrack));
    }
    const parts = [
      counts.processing > 0 && `${counts.processing} running`,
      counts.queued > 0 && `${counts.queued} waiting`,
      counts.failed > 0 && `${counts.failed} failed`,
    ].filter((part) => part !== false);
    setText(head, parts.join(" · "));
    drawState();
  };

  const drawState = () => {
    const children: Node[] = [];
    if (feed.failure !== null && !feed.loaded) {
      const { message, hint } = describe(feed.failure);
      const again = h("button", { type: "button", class: "sfa-button is-primary" }, "Try again");
      again.addEventListener("click", () => void feed.load());
      children.push(icon("alert"), h("p", {}, message), ...(hint ? [h("p", { class: "is-dim" }, hint)] : []), again);
    } else if (!feed.loaded) {
      children.push(h("p", { class: "is-dim is-late" }, "Loading the jobs…"));
    } else if (feed.jobs.length === 0) {
      children.push(
        icon("jobs"),
        h("p", {}, "Nothing has run yet."),
        h("p", { class: "is-dim" }, "Separating and analysing songs shows up here, with the time left."),
      );
    }
    state.replaceChildren(...children);
    state.hidden = children.length === 0;
  };

  const stop = feed.onChange(draw);
  // "3 min ago" must grow older by itself.
  const clock = setInterval(() => {
    for (const { views } of groups) for (const view of views.values()) view.tick();
  }, 30_000);
  signal.addEventListener("abort", () => {
    stop();
    clearInterval(clock);
    root.remove();
  }, { once: true });
  draw();
}

/** Brings a list to a new order and content while every item that stays keeps its element. */
export function reconcile<V extends { element: HTMLElement; update(job: JobRow): void }>(
  list: HTMLElement, views: Map<string, V>, jobs: JobRow[], create: (job: JobRow) => V,
): void {
  const stay = new Set(jobs.map((job) => job.id));
  for (const [id, view] of views) {
    if (stay.has(id)) continue;
    view.element.remove();
    views.delete(id);
  }
  jobs.forEach((job, i) => {
    let view = views.get(job.id);
    if (view) view.update(job);
    else views.set(job.id, (view = create(job)));
    if (list.children[i] !== view.element) list.insertBefore(view.element, list.children[i] ?? null);
  });
}

class JobView {
  readonly element: HTMLElement;
  #job: JobRow;
  readonly #name = h("span", { class: "sfa-job-name", dir: "auto" });
  readonly #what = h("span", { class: "sfa-job-what" });
  readonly #bar = progressBar("Progress");
  readonly #percent = h("span", { class: "sfa-job-percent" });
  readonly #note = h("span", { class: "sfa-job-note", dir: "auto" });
  readonly #button: HTMLButtonElement;

  constructor(
    job: JobRow,
    command: (method: "jobs.cancel" | "jobs.retry", ids: string[]) => Promise<void>,
    onTrack?: (id: string) => void,
  ) {
    this.#job = job;
    this.#button = h("button", { type: "button", class: "sfa-button" });
    this.#button.addEventListener("click", () => {
      const retry = this.#job.status === "failed" || this.#job.status === "cancelled";
      this.#button.disabled = true;
      void command(retry ? "jobs.retry" : "jobs.cancel", [this.#job.id]).finally(() => {
        this.#button.disabled = false;
      });
    });
    let name: HTMLElement = this.#name;
    if (onTrack && job.track_id !== null) {
      name = h("button", { type: "button", class: "sfa-link" }, this.#name);
      name.addEventListener("click", () => {
        if (this.#job.track_id !== null) onTrack(this.#job.track_id);
      });
    }
    this.element = h(
      "li", { class: "sfa-job" },
      h("span", { class: "sfa-job-icon" }, icon(KIND_ICONS[job.kind] ?? "jobs")),
      h("div", { class: "sfa-job-text" }, name, this.#what),
      h("div", { class: "sfa-job-progress" }, this.#bar, this.#percent),
      this.#note,
      this.#button,
    );
    this.update(job);
  }

  update(job: JobRow): void {
    this.#job = job;
    const { status } = job;
    setAttribute(this.element, "data-status", status);
    const name = job.title ?? "Untitled";
    setText(this.#name, name);
    setAttribute(this.#name, "title", name);
    const tries = job.attempt > 1 && status !== "completed" ? `, attempt ${job.attempt} of ${job.max_attempts}` : "";
    setText(this.#what, jobLabel(job.kind) + tries);
    const running = status === "processing";
    this.#bar.hidden = this.#percent.hidden = !running;
    if (running) {
      setProgress(this.#bar, job.progress);
      setText(this.#percent, `${Math.round(job.progress)} %`);
    }
    const label = status === "failed" ? "Try again" : status === "completed" || status === "cancelled" ? "" : "Cancel";
    this.#button.hidden = label === "";
    setText(this.#button, label);
    this.#button.classList.toggle("is-primary", status === "failed");
    this.#button.classList.toggle("is-quiet", label === "Cancel");
    setAttribute(this.#button, "aria-label", label && `${label}: ${jobLabel(job.kind)} ${name}`);
    this.tick();
  }

  tick(): void {
    const { status, started_at: started, ended_at: ended, error, eta_s: eta } = this.#job;
    let note = "";
    if (status === "processing") note = timeLeft(eta) || "estimating…";
    else if (status === "failed") note = error ?? "It stopped without a reason.";
    else if (status === "cancelled") note = `Cancelled ${ago(ended)}`;
    else if (status === "completed") {
      const took = started !== null && ended !== null ? (Date.parse(ended) - Date.parse(started)) / 1000 : null;
      note = `${ago(ended)}${took === null ? "" : `, took ${took < 1 ? "less than 1 s" : duration(took)}`}`;
    } else note = "Waiting for its turn";
    setText(this.#note, note);
    setAttribute(this.#note, "title", status === "failed" ? note : null);
  }
}

/** "3 jobs under way, 42 %": what the ring in the top bar says. */
export function summary(feed: JobsFeed): { text: string; fraction: number } {
  const running = feed.jobs.filter((job) => job.status === "processing");
  const { active, counts } = feed;
  if (active === 0) {
    return { text: counts.failed > 0 ? `${plural(counts.failed, "job")} failed` : "No jobs under way", fraction: 0 };
  }
  const fraction = running.reduce((sum, job) => sum + job.progress / 100, 0) / Math.max(1, running.length);
  return { text: `${plural(active, "job")} under way, ${Math.round(fraction * 100)} %`, fraction };
}
