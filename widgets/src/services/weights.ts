/** Fetching a model's weights: what they are, the explicit yes, and how far it is. */

import { type Bridge, describe, isAbort } from "../bridge";
import { h, setText } from "../dom";
import { bytes, timeLeft } from "../format";
import { icon } from "../icons";
import { progressBar, setProgress } from "../parts";
import type { JobRow } from "../types";
import { failureOf, followJobs, underWay } from "./follow";

export interface WeightsOptions {
  signal: AbortSignal;
  model: string;
  label: string;
  /** How much is to be fetched. */
  bytes: number;
  /** What a person has to agree to. */
  notice: string;
  /** The weights are there. */
  done(): void;
}

export class FetchWeights {
  readonly element = h("div", { class: "sfa-weights" });
  readonly #bridge: Bridge;
  readonly #options: WeightsOptions;

  constructor(bridge: Bridge, options: WeightsOptions) {
    this.#bridge = bridge;
    this.#options = options;
    this.#offer();
    void this.#resume();
  }

  #offer(failure = ""): void {
    const { bytes: count, label, notice } = this.#options;
    const agree = h("input", { type: "checkbox" });
    const get = h(
      "button", { type: "button", class: "sfa-button is-primary", disabled: true }, icon("download"), `Get ${label} (${bytes(count)})`,
    );
    agree.addEventListener("change", () => { get.disabled = !agree.checked; });
    get.addEventListener("click", () => void this.#follow(() => this.#ask()));
    this.element.replaceChildren(
      h("p", { class: "is-fine" }, notice),
      h("label", { class: "sfa-check" }, agree, h("span", {}, "I have read this and agree.")),
      h("div", { class: "sfa-line" }, get, failure && h("span", { class: "is-danger", role: "alert" }, icon("alert"), failure)),
    );
  }

  async #ask(): Promise<string[]> {
    const { model, signal } = this.#options;
    const { result } = await this.#bridge.request("weights.fetch", { model, agreed: true }, { signal });
    return result.jobs;
  }

  /** Somebody may have asked for them before. */
  async #resume(): Promise<void> {
    try {
      const jobs = await underWay(this.#bridge, this.#options.signal, "weights");
      const ids = jobs.filter(({ arguments: { model } }) => model === this.#options.model).map(({ id }) => id);
      if (ids.length > 0) await this.#follow(() => Promise.resolve(ids));
    } catch {
      // the page is gone
    }
  }

  async #follow(ask: () => Promise<string[]>): Promise<void> {
    const { label, signal, done } = this.#options;
    const words = h("span", { role: "status" }, "Starting…");
    const bar = progressBar(`Fetching ${label}`);
    const cancel = h("button", { type: "button", class: "sfa-button is-quiet" }, "Cancel");
    let ids: string[] = [];
    cancel.addEventListener("click", () => {
      cancel.disabled = true;
      this.#bridge.request("jobs.cancel", { ids }, { signal }).catch(() => { cancel.disabled = false; });
    });
    this.element.replaceChildren(h("div", { class: "sfa-line is-progress" }, words, cancel), bar);
    const show = ([job]: JobRow[]) => {
      if (!job) return;
      setProgress(bar, job.progress);
      const trouble = failureOf(job);
      const left = timeLeft(job.eta_s);
      setText(words, trouble ? `Trying again soon: ${trouble}`
        : job.status === "queued" ? "Waiting for its turn…" : `Fetching ${Math.round(job.progress)} %${left && `, ${left}`}`);
    };
    try {
      const [job] = await followJobs(this.#bridge, signal, async () => (ids = await ask()), show);
      const failure = job ? failureOf(job) : null;
      if (failure) this.#offer(failure);
      else {
        this.element.replaceChildren(h("p", { class: "is-ok" }, icon("check"), `${label} is ready.`));
        done();
      }
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      this.#offer([message, hint].filter(Boolean).join(" "));
    }
  }
}
