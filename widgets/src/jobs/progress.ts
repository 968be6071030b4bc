/** The pipeline in a few lines: one for each track, its stages side by side. */

import { append, h, setAttribute, setText } from "../dom";
import { plural, timeLeft } from "../format";
import { jobLabel, progressBar, setProgress } from "../parts";
import type { JobRow } from "../types";
import { byTime, type JobsFeed } from "./feed";
import "./jobs.css";

const ORDER = ["separate", "analyze", "autocue"];
const STATE: Record<JobRow["status"], string> = {
  queued: "waiting", processing: "", completed: "done", failed: "failed", cancelled: "cancelled",
};
const SIGN: Record<JobRow["status"], string> = {
  queued: "", processing: "", completed: "✓", failed: "✕", cancelled: "–",
};

export interface ProgressOptions {
  signal: AbortSignal;
  feed: JobsFeed;
}

export function mountProgress(el: HTMLElement, options: ProgressOptions): void {
  const { signal, feed } = options;
  const head = h("span", { class: "sfa-count", "aria-live": "polite" });
  const list = h("ul", { class: "sfa-pipeline", role: "list" });
  const root = h(
    "section", { class: "sfa-jobs is-compact", "aria-label": "Pipeline" },
    h("header", { class: "sfa-jobs-head" }, h("h2", {}, "Pipeline"), head),
    list,
  );
  append(el, root);
  const views = new Map<string, TrackView>();

  const update = () => {
    const tracks = new Map<string, JobRow[]>();
    for (const job of feed.jobs.sort(byTime("created_at", false))) {
      const key = job.track_id ?? job.id;
      tracks.set(key, [...(tracks.get(key) ?? []), job]);
    }
    for (const [id, view] of views) {
      if (tracks.has(id)) continue;
      view.element.remove();
      views.delete(id);
    }
    for (const [id, mine] of tracks) {
      let view = views.get(id);
      if (!view) {
        views.set(id, (view = new TrackView()));
        append(list, view.element);
      }
      view.update(mine);
    }
    const done = [...tracks.values()].filter((mine) => mine.every((job) => job.status === "completed")).length;
    const failed = [...tracks.values()].filter((mine) => mine.some((job) => job.status === "failed")).length;
    let text = "";
    if (!feed.loaded) text = "Loading…";
    else if (tracks.size === 0) text = "Nothing is running";
    else text = `${done} of ${plural(tracks.size, "track")} ready${failed > 0 ? `, ${failed} failed` : ""}`;
    setText(head, text);
  };

  const stop = feed.onChange(update);
  signal.addEventListener("abort", () => {
    stop();
    root.remove();
  }, { once: true });
  update();
}

class TrackView {
  readonly #name = h("span", { class: "sfa-job-name", dir: "auto" });
  readonly #stages = h("div", { class: "sfa-pipeline-stages" });
  readonly #note = h("span", { class: "sfa-job-note", dir: "auto" });
  readonly element = h("li", {}, this.#name, this.#stages, this.#note);
  readonly #views = new Map<string, { element: HTMLElement; text: HTMLElement; bar: HTMLElement }>();

  update(jobs: JobRow[]): void {
    const sorted = [...jobs].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    const name = sorted[0]?.title ?? "Untitled";
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
      setAttribute(view.element, "data-status", job.status);
      setAttribute(view.element, "title", STATE[job.status] || null);
      const state = job.status === "processing" ? `${Math.round(job.progress)} %` : SIGN[job.status];
      setText(view.text, `${jobLabel(job.kind)} ${state}`.trim());
      setProgress(view.bar, job.status === "completed" ? 100 : job.progress);
    }
    const failed = sorted.find((job) => job.status === "failed");
    const running = sorted.find((job) => job.status === "processing");
    setText(this.#note, failed?.error ?? timeLeft(running?.eta_s ?? null));
    setAttribute(this.#note, "title", failed?.error ?? null);
    setAttribute(this.element, "data-status", failed ? "failed" : null);
  }
}
