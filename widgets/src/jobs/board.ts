/** The jobs board: the queues, failures with the button that helps, then what runs, what waits, what was. */

import { type Bridge, describe } from "../bridge";
import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import { isActive } from "../parts";
import type { JobGroup } from "../types";
import type { Layer } from "../ui/layer";
import { notifyButton } from "../ui/notify";
import { batchesOf, BatchStrip } from "./batches";
import { GROUPS, type Job, type JobsFeed } from "./feed";
import "./jobs.css";
import { QueueStrip } from "./queues";
import { JobView, type RowHost } from "./row";
import { jobTitle, queueLabel } from "./words";

export interface JobsOptions {
  signal: AbortSignal;
  layer: Layer;
  feed: JobsFeed;
  /** Shows the track of a job; without it titles are no links. */
  onTrack?(id: string): void;
}

export type JobsFilter = "all" | "active" | "failed" | "history";

export interface JobsHandle {
  /** Shows these jobs alone, of all queues. */
  show(filter: JobsFilter): void;
  focus(): void;
}

const TITLES: Record<JobGroup, string> = { failed: "Failed", running: "Running", waiting: "Waiting", history: "Done" };
const FILTERS: Record<JobsFilter, { label: string; groups: JobGroup[]; none: string }> = {
  all: { label: "All", groups: GROUPS, none: "" },
  active: { label: "Active", groups: ["running", "waiting"], none: "Nothing runs, and nothing waits." },
  failed: { label: "Failed", groups: ["failed"], none: "Nothing has failed." },
  history: { label: "History", groups: ["history"], none: "Nothing is done yet." },
};

export function mountJobs(el: HTMLElement, bridge: Bridge, options: JobsOptions): JobsHandle {
  return new Board(el, bridge, options);
}

class Board implements JobsHandle {
  readonly #bridge: Bridge;
  readonly #options: JobsOptions;
  readonly #host: RowHost;
  readonly #rows = new Map<string, JobView>();
  readonly #root: HTMLElement;
  readonly #body: HTMLElement;
  readonly #groups = new Map<JobGroup, GroupView>();
  readonly #queues: QueueStrip;
  readonly #batches: BatchStrip;
  readonly #summary = h("span", { class: "sfa-count" });
  readonly #news = h("div", { class: "sfa-sr", role: "status", "aria-live": "polite" });
  readonly #state = h("div", { class: "sfa-state" });
  readonly #cancelAll = h("button", { type: "button", class: "sfa-button is-quiet" }, "Cancel all");
  readonly #notify = notifyButton();
  readonly #filters = new Map<JobsFilter, { button: HTMLButtonElement; count: HTMLElement }>();
  #filter: JobsFilter = "all";
  #open: JobView | null = null;
  #reachable: JobView | null = null;

  constructor(el: HTMLElement, bridge: Bridge, options: JobsOptions) {
    const { signal, feed, onTrack } = options;
    this.#bridge = bridge;
    this.#options = options;
    this.#host = {
      bridge, signal, feed, view: uniqueId("board"),
      ...(onTrack && { onTrack }),
      act: (job) => this.#act(job),
      toggle: (row) => this.#toggle(row),
    };
    this.#queues = new QueueStrip((queue) => { feed.queue = queue; });
    this.#batches = new BatchStrip((batch, paused) => this.#pause(batch, paused));
    for (const group of GROUPS) this.#groups.set(group, new GroupView(group, this.#actions(group), () => this.#more(group)));
    this.#body = h(
      "div", { class: "sfa-jobs-body" }, ...[...this.#groups.values()].map(({ section }) => section), this.#state,
    );
    const space = h("span", { class: "sfa-jobs-space" });
    this.#root = h(
      "section", { class: "sfa-jobs", "aria-label": "Jobs" },
      h(
        "header", { class: "sfa-jobs-head" },
        h("h2", {}, "Jobs"), this.#summary, space, this.#notify, this.#cancelAll, this.#filterBar(),
      ),
      this.#queues.element, this.#batches.element, this.#body, this.#news,
    );
    append(el, this.#root);

    this.#cancelAll.addEventListener("click", () => void this.#cancelEverything());
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("focusin", ({ target }) => {
      const row = this.#rowOf(target);
      if (row) this.#reach(row);
    });
    const stop = feed.onChange(() => this.#draw());
    const clock = setInterval(() => {
      if (!document.hidden) for (const row of this.#rows.values()) row.tick();
    }, 1000);
    signal.addEventListener("abort", () => {
      stop();
      clearInterval(clock);
      this.#root.remove();
    }, { once: true });
    this.#draw();
  }

  show(filter: JobsFilter): void {
    this.#options.feed.queue = null;
    this.#setFilter(filter);
    this.#body.scrollTop = 0;
  }

  focus(): void {
    const first = this.#reachable ?? this.#visible()[0];
    first?.opener.focus({ preventScroll: true });
  }

  // What is seen

  #draw(): void {
    const { feed } = this.#options;
    const wanted = FILTERS[this.#filter].groups;
    const focused = document.activeElement;
    const stay = new Set<string>();
    for (const [group, view] of this.#groups) {
      const jobs = wanted.includes(group) ? feed.group(group) : [];
      const rows = jobs.map((job) => {
        stay.add(job.id);
        return this.#row(job);
      });
      view.draw(rows, feed.total(group), feed.hasMore(group));
    }
    for (const [id, row] of this.#rows) {
      if (stay.has(id)) continue;
      if (row === this.#open) this.#setOpen(null);
      if (row === this.#reachable) this.#reachable = null;
      row.element.remove();
      this.#rows.delete(id);
    }
    // Moving an element takes the focus from it where the browser knows no better.
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.#root.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
    if (this.#reachable === null) this.#reach(this.#visible()[0] ?? null);
    this.#queues.update(feed.queues, feed.queue);
    this.#batches.update(batchesOf(feed));
    this.#drawHead();
    this.#drawState();
  }

  #row(job: Job): JobView {
    let row = this.#rows.get(job.id);
    if (!row) {
      row = new JobView(job, this.#host);
      row.reachable = false;
      this.#rows.set(job.id, row);
    } else if (row.job !== job) {
      if (job.status === "failed" && row.job.status !== "failed") {
        setText(this.#news, `${jobTitle(job)} failed: ${job.error ?? "no reason given"}`);
      }
      row.update(job);
    }
    return row;
  }

  #drawHead(): void {
    const { feed } = this.#options;
    const { counts } = feed;
    const running = counts.processing + counts.downloading;
    const said: [number, string][] = [[running, "running"], [counts.queued, "waiting"], [counts.failed, "failed"]];
    const parts = said.filter(([count]) => count > 0).map(([count, what]) => `${count.toLocaleString("en-GB")} ${what}`);
    setText(this.#summary, feed.loaded ? parts.join(" · ") || "All quiet" : "");
    const some = (feed.total("running") ?? 0) + (feed.total("waiting") ?? 0);
    this.#cancelAll.hidden = some === 0;
    setText(this.#cancelAll, feed.queue === null ? "Cancel all" : `Cancel all of ${feed.queue}`);
    this.#notify.classList.toggle("is-idle", feed.active === 0);
    const figures: Record<JobsFilter, number> = { all: 0, active: some, failed: feed.total("failed") ?? 0, history: 0 };
    for (const [filter, { button, count }] of this.#filters) {
      setAttribute(button, "aria-pressed", String(filter === this.#filter));
      setText(count, figures[filter] > 0 ? figures[filter].toLocaleString("en-GB") : "");
    }
  }

  #drawState(): void {
    const { feed } = this.#options;
    const children: Node[] = [];
    if (feed.failure !== null && !feed.loaded) {
      const { message, hint } = describe(feed.failure);
      const again = h("button", { type: "button", class: "sfa-button is-primary" }, "Try again");
      again.addEventListener("click", () => void feed.load());
      children.push(icon("alert"), h("p", {}, message), ...(hint ? [h("p", { class: "is-dim" }, hint)] : []), again);
    } else if (!feed.loaded) {
      children.push(h("p", { class: "is-dim is-late" }, "Loading the jobs…"));
    } else if (this.#rows.size === 0) {
      children.push(icon(this.#filter === "failed" ? "check" : "jobs"), ...this.#nothing());
    }
    this.#state.replaceChildren(...children);
    this.#state.hidden = children.length === 0;
  }

  #nothing(): Node[] {
    const { feed } = this.#options;
    if (this.#filter === "all" && feed.queue === null) {
      return [
        h("p", {}, "Nothing has run yet."),
        h("p", { class: "is-dim" }, "Separating and analysing songs shows up here, with the time left."),
      ];
    }
    const text = FILTERS[this.#filter].none || "There are no jobs.";
    if (feed.queue === null) return [h("p", {}, text)];
    const all = h("button", { type: "button", class: "sfa-button" }, "Show all queues");
    all.addEventListener("click", () => { feed.queue = null; });
    return [h("p", {}, `${queueLabel(feed.queue)}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`), all];
  }

  #filterBar(): HTMLElement {
    const bar = h("div", { class: "sfa-jobs-filter", role: "group", "aria-label": "Show" });
    for (const [filter, { label }] of Object.entries(FILTERS) as [JobsFilter, { label: string }][]) {
      const count = h("span", { class: "sfa-jobs-figure" });
      const button = h("button", { type: "button", "data-filter": filter, "aria-pressed": "false" }, label, count);
      button.addEventListener("click", () => this.#setFilter(filter));
      this.#filters.set(filter, { button, count });
      append(bar, button);
    }
    return bar;
  }

  #setFilter(filter: JobsFilter): void {
    this.#filter = filter;
    this.#draw();
  }

  // What is done

  #actions(group: JobGroup): HTMLButtonElement | null {
    if (group === "failed") {
      const button = h("button", { type: "button", class: "sfa-button is-quiet" }, "Try all again");
      button.addEventListener("click", () => void this.#retryFailed());
      return button;
    }
    if (group !== "history") return null;
    const button = h("button", { type: "button", class: "sfa-button is-quiet" }, "Clear history");
    button.addEventListener("click", () => this.#clear());
    return button;
  }

  async #act(job: Job): Promise<void> {
    const method = isActive(job.status) ? "jobs.cancel" : "jobs.retry";
    await this.#command(() => this.#bridge.request(method, { ids: [job.id] }, { signal: this.#options.signal }));
  }

  async #pause(batch: string, paused: boolean): Promise<void> {
    const { signal } = this.#options;
    await this.#command(() => this.#bridge.request(paused ? "batch.pause" : "batch.resume", { batch }, { signal }));
  }

  async #retryFailed(): Promise<void> {
    const { feed, signal } = this.#options;
    await this.#command(() => this.#bridge.request("jobs.retry_failed", { queue: feed.queue }, { signal }));
  }

  async #cancelEverything(): Promise<void> {
    const { feed, layer, signal } = this.#options;
    this.#cancelAll.disabled = true;
    await this.#command(async () => {
      const { result } = await this.#bridge.request("jobs.cancel_all", { queue: feed.queue }, { signal });
      const ids = result.cancelled;
      if (ids.length === 0) return;
      const undo = () => void this.#command(() => this.#bridge.request("jobs.retry", { ids }, { signal }));
      layer.toast("info", `Cancelled ${plural(ids.length, "job")}.`, { action: { label: "Queue again", run: undo } });
    });
    this.#cancelAll.disabled = false;
  }

  #clear(): void {
    const { feed, layer, signal } = this.#options;
    const { completed, cancelled, failed } = feed.counts;
    const ended = completed + cancelled + failed;
    const yes = h("button", { type: "button", class: "sfa-button is-primary" }, "Clear");
    const no = h("button", { type: "button", class: "sfa-button" }, "Keep");
    const among = failed > 0 ? `, among them ${failed.toLocaleString("en-GB")} that failed` : "";
    const dialog = layer.dialog(
      "Clear the history?",
      h("p", {}, `The records of ${plural(ended, "job")} that ended go for good${among}. Songs, stems and analyses stay.`),
      h("div", { class: "sfa-jobs-choice" }, no, yes),
    );
    dialog.classList.add("is-small");
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => {
      dialog.close();
      void this.#command(async () => {
        const { result } = await this.#bridge.request("jobs.prune", {}, { signal });
        layer.toast("ok", `Cleared ${plural(result.removed, "job")}.`);
        await feed.load();
      });
    });
    no.focus();
  }

  async #more(group: JobGroup): Promise<void> {
    await this.#command(() => this.#options.feed.more(group));
  }

  async #command(run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#options.layer.failed(error, () => void this.#command(run));
    }
  }

  #toggle(row: JobView): void {
    this.#setOpen(row === this.#open ? null : row);
  }

  /** One at a time: its log streams. */
  #setOpen(row: JobView | null): void {
    if (this.#open) this.#open.open = false;
    this.#open = row;
    if (row) row.open = true;
  }

  // Keys

  #visible(): JobView[] {
    return [...this.#groups.values()].flatMap(({ rows }) => rows);
  }

  #rowOf(target: EventTarget | null): JobView | null {
    const element = target instanceof Element ? target.closest(".sfa-job") : null;
    return this.#visible().find((row) => row.element === element) ?? null;
  }

  #reach(row: JobView | null): void {
    if (row === this.#reachable) return;
    if (this.#reachable) this.#reachable.reachable = false;
    this.#reachable = row;
    if (row) row.reachable = true;
  }

  #key(event: KeyboardEvent): void {
    const row = this.#rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && row.open) {
      this.#setOpen(null);
      row.opener.focus();
    } else if (event.target !== row.opener) {
      return;
    } else {
      const rows = this.#visible();
      const at = rows.indexOf(row);
      const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
      const to = moves[event.key];
      const retry = event.key.toLowerCase() === "r" && !isActive(row.job.status) && row.job.status !== "completed";
      const cancel = event.key === "Delete" && isActive(row.job.status);
      if (to !== undefined) {
        rows[to]?.opener.focus();
      } else if (retry || cancel) {
        // The row goes elsewhere; the hand stays where it is.
        (rows[at + 1] ?? rows[at - 1])?.opener.focus();
        void this.#act(row.job);
      } else return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/** One part of the board. */
class GroupView {
  readonly section: HTMLElement;
  rows: JobView[] = [];
  readonly #count = h("span", { class: "sfa-jobs-count" });
  readonly #list = h("ul", { class: "sfa-jobs-list", role: "list" });
  readonly #more = h("button", { type: "button", class: "sfa-button is-quiet sfa-jobs-more" }, "Show more");
  readonly #action: HTMLButtonElement | null;
  readonly #group: JobGroup;

  constructor(group: JobGroup, action: HTMLButtonElement | null, more: () => Promise<void>) {
    this.#group = group;
    this.#action = action;
    this.section = h(
      "section", { hidden: true, "data-group": group, "aria-label": TITLES[group] },
      h("header", {}, h("h3", {}, TITLES[group]), this.#count, action),
      this.#list, this.#more,
    );
    this.#more.addEventListener("click", () => {
      this.#more.disabled = true;
      void more().finally(() => { this.#more.disabled = false; });
    });
  }

  draw(rows: JobView[], total: number | null, hasMore: boolean): void {
    this.rows = rows;
    this.section.hidden = rows.length === 0;
    setText(this.#count, total === null ? "" : Math.max(total, rows.length).toLocaleString("en-GB"));
    this.#count.hidden = total === null;
    if (this.#action) this.#action.hidden = this.#group === "failed" && rows.length < 2;
    this.#more.hidden = !hasMore;
    arrange(this.#list, rows.map(({ element }) => element));
  }
}

/** Brings a list's elements into an order; those that are not of it are somebody else's to take away. */
function arrange(list: HTMLElement, elements: HTMLElement[]): void {
  const own = new Set<Element>(elements);
  let at = list.firstElementChild;
  const skip = () => {
    while (at && !own.has(at)) at = at.nextElementSibling;
  };
  for (const element of elements) {
    skip();
    if (element === at) at = at.nextElementSibling;
    else place(list, element, at);
  }
}

/** Puts an element before another; in a browser that can, it keeps its focus and what was scrolled in it. */
function place(list: HTMLElement, element: HTMLElement, before: Element | null): void {
  const moving = list as HTMLElement & { moveBefore?: (node: Node, before: Node | null) => void };
  if (moving.moveBefore && element.isConnected && list.isConnected) {
    // Chromium forgets what was still to be restyled in an element that it moves: have it done first.
    void getComputedStyle(element).display;
    moving.moveBefore(element, before);
  } else list.insertBefore(element, before);
}

