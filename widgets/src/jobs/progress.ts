/** The pipeline in a few lines: one for each track, its stages side by side. */

import { append, h, setAttribute, setText } from "../dom";
import { isActive, isRunning, jobLabel, progressBar, setProgress } from "../parts";
import type { JobRow } from "../types";
import { byTime, isRetrying, type Job, type JobsFeed } from "./feed";
import "./jobs.css";
import { jobName, jobNote } from "./words";

const ORDER = ["separate", "analyze", "autocue"];
/** Of more songs than these, those that are done make room for the others. */
const SHOWN = 30;
const STATE: Record<JobRow["status"], string> = {
  queued: "waiting", downloading: "", processing: "", completed: "done", failed: "failed", cancelled: "cancelled",
};
const SIGN: Record<JobRow["status"], string> = {
  queued: "", downloading: "", processing: "", completed: "✓", failed: "✕", cancelled: "–",
};

export interface ProgressOptions {
  signal: AbortSignal;
  feed: JobsFeed;
}

export function mountProgress(el: HTMLElement, options: ProgressOptions): void {
  const { signal, feed } = options;
  const head = h("span", { class: "sfa-count", "aria-live": "polite" });
  const whole = progressBar("All of it");
  const list = h("ul", { class: "sfa-pipeline", role: "list" });
  const rest = h("p", { class: "sfa-pipeline-rest is-dim", hidden: true });
  const root = h(
    "section", { class: "sfa-jobs is-compact", "aria-label": "Pipeline" },
    h("header", { class: "sfa-jobs-head" }, h("h2", {}, "Pipeline"), head, whole),
    list, rest,
  );
  append(el, root);
  const views = new Map<string, TrackView>();

  const update = () => {
    const tracks = new Map<string, Job[]>();
    for (const job of feed.jobs.sort(byTime("created_at", false))) {
      const key = job.track_id ?? job.id;
      tracks.set(key, [...(tracks.get(key) ?? []), job]);
    }
    const shown = foremost(tracks);
    for (const [id, view] of views) {
      if (shown.has(id)) continue;
      view.element.remove();
      views.delete(id);
    }
    for (const [id, mine] of shown) {
      let view = views.get(id);
      if (!view) {
        views.set(id, (view = new TrackView()));
        append(list, view.element);
      }
      view.update(mine);
    }
    const hidden = [...tracks].filter(([id]) => !shown.has(id)).map(([, mine]) => mine);
    const waiting = hidden.filter((mine) => mine.some(({ status }) => isActive(status))).length;
    rest.hidden = hidden.length === 0;
    setText(rest, [
      waiting > 0 && `${waiting.toLocaleString("en-GB")} more wait`,
      hidden.length > waiting && `${(hidden.length - waiting).toLocaleString("en-GB")} are done`,
    ].filter(Boolean).join(", "));
    whole.hidden = tracks.size <= 1;
    const jobs = feed.jobs;
    const percent = jobs.map((job) => (isActive(job.status) ? job.progress : 100)).reduce((sum, one) => sum + one, 0);
    setProgress(whole, percent / Math.max(1, jobs.length));
    const done = [...tracks.values()].filter((mine) => mine.every((job) => job.status === "completed")).length;
    const failed = [...tracks.values()].filter((mine) => mine.some((job) => job.status === "failed")).length;
    let text = "";
    if (!feed.loaded) text = "Loading…";
    else if (tracks.size === 0) text = "Nothing is running";
    else text = `${done} of ${tracks.size} done${failed > 0 ? `, ${failed} failed` : ""}`;
    setText(head, text);
  };

  const stop = feed.onChange(update);
  const clock = setInterval(() => {
    for (const view of views.values()) view.tick();
  }, 1000);
  signal.addEventListener("abort", () => {
    stop();
    clearInterval(clock);
    root.remove();
  }, { once: true });
  update();
}

/** Which songs are shown: all of a few; of many those that failed or are at work, then those that wait. */
function foremost(tracks: Map<string, Job[]>): Map<string, Job[]> {
  if (tracks.size <= SHOWN) return tracks;
  const rank = (mine: Job[]) => {
    if (mine.some(({ status }) => status === "failed")) return 0;
    if (mine.some(({ status }) => isRunning(status))) return 1;
    return mine.some(({ status }) => isActive(status)) ? 2 : 3;
  };
  const ranked = [...tracks].map((one) => [rank(one[1]), one] as const).filter(([place]) => place < 3);
  // The sort is stable: within a rank they stay in order of time.
  return new Map(ranked.sort(([a], [b]) => a - b).slice(0, SHOWN).map(([, one]) => one));
}

class TrackView {
  readonly #name = h("span", { class: "sfa-job-name", dir: "auto" });
  readonly #stages = h("div", { class: "sfa-pipeline-stages" });
  readonly #note = h("span", { class: "sfa-job-note", dir: "auto" });
  readonly element = h("li", {}, this.#name, this.#stages, this.#note);
  #jobs: Job[] = [];
  readonly #views = new Map<string, { element: HTMLElement; text: HTMLElement; bar: HTMLElement }>();

  update(jobs: Job[]): void {
    const sorted = [...jobs].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    this.#jobs = sorted;
    const name = sorted[0] ? jobName(sorted[0]) : "";
    setText(this.#name, name);
    setAttribute(this.#name, "title", name);
    for (const job of sorted) {
      let view = this.#views.get(job.kind);
      if (!view) {
        const text = h("span");
        const bar = progressBar(jobLabel(job.kind));
        view = { element: h("div", { class: "sfa-pipeline-stage" }, text, bar), text, bar };
        this.#views.set(job.kind, view);
        append(this.#stages, view.element);
      }
      const running = isRunning(job.status);
      setAttribute(view.element, "data-status", running ? "running" : job.status);
      setAttribute(view.element, "title", STATE[job.status] || null);
      const state = running ? `${Math.round(job.progress)} %` : SIGN[job.status];
      setText(view.text, `${jobLabel(job.kind)} ${state}`.trim());
      setProgress(view.bar, job.status === "completed" ? 100 : job.progress);
    }
    this.tick();
  }

  /** The news of the stage that has most to say. */
  tick(): void {
    const failed = this.#jobs.find((job) => job.status === "failed");
    const job = failed ?? this.#jobs.find((each) => isRunning(each.status)) ?? this.#jobs.find((each) => isRetrying(each));
    const [note, reason] = job ? jobNote(job) : ["", ""];
    setText(this.#note, note);
    setAttribute(this.#note, "title", failed ? note : reason || null);
    setAttribute(this.element, "data-status", failed ? "failed" : null);
  }
}
