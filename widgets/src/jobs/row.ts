/** One job of the board: a line that opens to everything about it. */

import { type Bridge } from "../bridge";
import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { icon, type IconName } from "../icons";
import { isActive, isRunning, progressBar, setProgress } from "../parts";
import { Details } from "./detail";
import { isRetrying, type Job, type JobsFeed } from "./feed";
import { jobName, jobNote, jobTitle, jobWhat } from "./words";

const KINDS: Record<string, IconName> = {
  separate: "split", analyze: "analyze", autocue: "cue", download: "download", export: "upload", cleanup: "broom",
  webhook: "link", cloud: "link", weights: "download",
};

/** What a row may ask of its board. */
export interface RowHost {
  bridge: Bridge;
  signal: AbortSignal;
  feed: JobsFeed;
  view: string;
  onTrack?(id: string): void;
  act(job: Job): Promise<void>;
  toggle(row: JobView): void;
}

export class JobView {
  readonly element: HTMLElement;
  readonly opener: HTMLButtonElement;
  job: Job;
  readonly #host: RowHost;
  readonly #icon = h("span", { class: "sfa-job-icon" });
  readonly #name = h("bdi", {});
  readonly #what = h("span", { class: "sfa-job-what" });
  readonly #bar = progressBar("Progress");
  readonly #percent = h("span", { class: "sfa-job-percent" });
  readonly #note = h("span", { class: "sfa-job-say" });
  readonly #reason = h("span", { class: "sfa-job-why", dir: "auto" });
  readonly #button = h("button", { type: "button", class: "sfa-button" });
  readonly #line: HTMLElement;
  #details: Details | null = null;

  constructor(job: Job, host: RowHost) {
    this.job = job;
    this.#host = host;
    const id = uniqueId("job");
    this.opener = h(
      "button", { type: "button", class: "sfa-job-name", "aria-expanded": "false", "aria-describedby": `${id}-what ${id}-note` },
      this.#name,
    );
    this.#what.id = `${id}-what`;
    this.opener.addEventListener("click", () => host.toggle(this));
    this.#button.addEventListener("click", () => {
      this.#button.disabled = true;
      void host.act(this.job).finally(() => { this.#button.disabled = false; });
    });
    this.#line = h(
      "div", { class: "sfa-job-line" },
      this.#icon,
      h("div", { class: "sfa-job-text" }, this.opener, this.#what),
      h("div", { class: "sfa-job-progress" }, this.#bar, this.#percent),
      h("div", { class: "sfa-job-note", id: `${id}-note` }, this.#note, this.#reason),
      this.#button,
      h("span", { class: "sfa-job-chevron" }, icon("down")),
    );
    this.element = h("li", { class: "sfa-job", "data-job": job.id }, this.#line);
    this.update(job);
  }

  get open(): boolean {
    return this.#details !== null;
  }

  set open(open: boolean) {
    if (open === this.open) return;
    setAttribute(this.opener, "aria-expanded", String(open));
    this.element.classList.toggle("is-open", open);
    if (open) {
      const { bridge, view, signal, onTrack } = this.#host;
      this.#details = new Details(this.job, bridge, { view, signal, ...(onTrack && { onTrack }) });
      setAttribute(this.#details.element, "aria-label", `Details of ${jobTitle(this.job)}`);
      append(this.element, this.#details.element);
      this.#show();
      void this.#details.ready.then(() => this.#show());
    } else {
      this.#details?.close();
      this.#details = null;
    }
  }

  #show(): void {
    if (this.open) this.element.scrollIntoView({ block: "nearest" });
  }

  /** Whether Tab stops here: one row of the board at a time, arrow keys go on from there. */
  set reachable(reachable: boolean) {
    this.opener.tabIndex = this.#button.tabIndex = reachable ? 0 : -1;
  }

  update(job: Job): void {
    this.job = job;
    const { status } = job;
    const name = jobName(job);
    setText(this.#name, name);
    setAttribute(this.opener, "title", name);
    setText(this.#what, jobWhat(job));
    const running = isRunning(status);
    this.#bar.hidden = this.#percent.hidden = !running;
    if (running) {
      setProgress(this.#bar, job.progress);
      setText(this.#percent, `${Math.round(job.progress)} %`);
    }
    const label = status === "completed" ? "" : isActive(status) ? "Cancel" : "Try again";
    this.#button.hidden = label === "";
    setText(this.#button, label);
    this.#button.classList.toggle("is-quiet", status !== "failed");
    setAttribute(this.#button, "aria-label", label && `${label}: ${jobTitle(job)}`);
    this.#details?.update(job);
    this.tick();
  }

  /** What changes by itself: countdowns, time left, "3 min ago". */
  tick(): void {
    const [note, reason] = jobNote(this.job, this.#host.feed.services);
    const retrying = isRetrying(this.job);
    const { status } = this.job;
    setAttribute(this.element, "data-status", isRunning(status) ? "running" : retrying ? "retrying" : status);
    this.#setIcon(retrying ? "clock" : status === "failed" ? "alert" : status === "completed" ? "check"
      : status === "cancelled" ? "close" : (KINDS[this.job.kind] ?? "jobs"));
    setText(this.#note, note);
    setText(this.#reason, reason);
    setAttribute(this.#note, "title", status === "failed" ? note : null);
    setAttribute(this.#reason, "title", reason || null);
    this.#reason.hidden = reason === "";
  }

  #setIcon(name: IconName): void {
    if (this.#icon.dataset.icon === name) return;
    this.#icon.dataset.icon = name;
    this.#icon.replaceChildren(icon(name));
  }
}
