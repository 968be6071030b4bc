/** What was asked for together and is still under way, a line for each: how much there is, and a way to pause it. */

import { h, setAttribute, setText } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import { isActive, isRunning } from "../parts";
import type { Job, JobsFeed } from "./feed";

export interface Batch {
  id: string;
  songs: number;
  running: number;
  waiting: number;
  /** There may be more that wait than are at hand. */
  more: boolean;
  paused: boolean;
}

/** Work on several songs, and whatever is paused; the oldest first. */
export function batchesOf(feed: Pick<JobsFeed, "jobs" | "paused" | "hasMore">): Batch[] {
  const jobs = new Map<string, Job[]>();
  for (const job of feed.jobs) {
    if (job.batch !== null && isActive(job.status)) jobs.set(job.batch, [...(jobs.get(job.batch) ?? []), job]);
  }
  const paused = new Map(feed.paused.map(({ batch, waiting }) => [batch, waiting]));
  const oldest = (id: string) => (jobs.get(id) ?? []).reduce((first, { created_at: at }) => (first === "" || at < first ? at : first), "");
  return [...new Set([...jobs.keys(), ...paused.keys()])]
    .sort((a, b) => oldest(a).localeCompare(oldest(b)) || a.localeCompare(b))
    .map((id) => {
      const own = jobs.get(id) ?? [];
      const running = own.filter(({ status }) => isRunning(status)).length;
      return {
        id, running,
        songs: new Set(own.map(({ track_id: track }) => track)).size,
        waiting: paused.get(id) ?? own.length - running,
        more: !paused.has(id) && feed.hasMore("waiting"),
        paused: paused.has(id),
      };
    })
    .filter(({ songs, waiting, paused: held }) => held || (songs > 1 && waiting > 0));
}

/** "2 under way, 10 wait". */
export function batchText({ running, waiting, more, paused }: Batch): string {
  const wait = `${plural(waiting, "job")}${more ? " or more" : ""} ${waiting === 1 && !more ? "waits" : "wait"}`;
  if (paused) return running > 0 ? `Paused: what is under way is finished first, ${wait}` : `Paused: ${wait}`;
  return running > 0 ? `${running} under way, ${wait}` : wait;
}

export class BatchStrip {
  readonly element = h("ul", { class: "sfa-batches", role: "list", "aria-label": "Work that was asked for together" });
  readonly #lines = new Map<string, Line>();
  readonly #set: (batch: string, paused: boolean) => Promise<void>;

  constructor(set: (batch: string, paused: boolean) => Promise<void>) {
    this.#set = set;
  }

  update(batches: Batch[]): void {
    const stay = new Set(batches.map(({ id }) => id));
    for (const [id, line] of this.#lines) {
      if (stay.has(id)) continue;
      line.element.remove();
      this.#lines.delete(id);
    }
    for (const batch of batches) {
      let line = this.#lines.get(batch.id);
      if (!line) {
        line = new Line(batch, this.#set);
        this.#lines.set(batch.id, line);
        this.element.append(line.element);
      }
      line.update(batch);
    }
    this.element.hidden = batches.length === 0;
  }
}

class Line {
  readonly #icon = h("span", { class: "sfa-batch-icon" });
  readonly #name = h("strong");
  readonly #words = h("span", { role: "status" });
  readonly #button = h("button", { type: "button", class: "sfa-button" });
  readonly element = h("li", {}, this.#icon, h("div", {}, this.#name, this.#words), this.#button);
  #batch: Batch;

  constructor(batch: Batch, set: (batch: string, paused: boolean) => Promise<void>) {
    this.#batch = batch;
    this.#button.addEventListener("click", () => {
      this.#button.disabled = true;
      void set(batch.id, !this.#batch.paused).finally(() => {
        this.#button.disabled = false;
        // A button that waits has lost the focus.
        if (document.activeElement === document.body) this.#button.focus();
      });
    });
  }

  update(batch: Batch): void {
    this.#batch = batch;
    const { paused, songs, more } = batch;
    const name = songs === 0 ? "Work" : `${plural(songs, "song")}${more ? " or more" : ""}`;
    const label = paused ? "Resume" : "Pause";
    setText(this.#name, name);
    setText(this.#words, batchText(batch));
    this.element.classList.toggle("is-paused", paused);
    if (this.#button.textContent === label) return;
    this.#icon.replaceChildren(icon(paused ? "pause" : "jobs"));
    this.#button.replaceChildren(icon(paused ? "play" : "pause"), label);
    setAttribute(this.#button, "title", paused ? null : "What is under way is finished first");
    setAttribute(this.#button, "aria-label", `${label}: ${name}`);
  }
}
