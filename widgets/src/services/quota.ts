/** How many minutes a cloud service still has for us, as it said last, with a button that asks it anew. */

import { type Bridge, describe, isAbort } from "../bridge";
import { h, setText } from "../dom";
import { ago } from "../format";
import { icon } from "../icons";
import { failureOf, followJobs } from "./follow";

export interface QuotaOptions {
  signal: AbortSignal;
  /** The service has answered. */
  changed?(): void;
}

const minutes = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });

/** "1 minute", "12.5 minutes". */
export function minutesText(count: number): string {
  return `${minutes.format(count)} ${count === 1 ? "minute" : "minutes"}`;
}

export class Quota {
  readonly element: HTMLElement;
  readonly #bridge: Bridge;
  readonly #options: QuotaOptions;
  readonly #words = h("span", { role: "status" });
  readonly #button = h(
    "button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": "Ask for the minutes left", title: "Ask again" },
    icon("retry"),
  );

  constructor(bridge: Bridge, options: QuotaOptions) {
    this.#bridge = bridge;
    this.#options = options;
    this.element = h("div", { class: "sfa-quota" }, this.#words, this.#button);
    this.#button.addEventListener("click", () => void this.refresh());
    void this.#look(false);
  }

  /** Asks the service; what is wrong with the key shows here. */
  async refresh(): Promise<void> {
    const { signal, changed } = this.#options;
    this.#button.disabled = true;
    this.element.classList.remove("is-danger");
    setText(this.#words, "Asking…");
    try {
      const [job] = await followJobs(this.#bridge, signal, () => this.#look(true));
      const failure = job ? failureOf(job) : null;
      if (failure) this.#failed(failure);
      else {
        await this.#look(false);
        changed?.();
      }
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      this.#failed([message, hint].filter(Boolean).join(" "));
    } finally {
      this.#button.disabled = false;
    }
  }

  async #look(refresh: boolean): Promise<string[]> {
    const { signal } = this.#options;
    try {
      const { result } = await this.#bridge.request("cloud.quota", { refresh }, { signal });
      if (!refresh) {
        const known = result.minutes_left !== null;
        setText(this.#words, known
          ? `${minutesText(result.minutes_left as number)} left, as of ${ago(result.checked_at)}`
          : "Nobody has asked yet how many minutes are left.");
      }
      return result.jobs;
    } catch (error) {
      if (refresh || isAbort(error)) throw error;
      this.#failed(describe(error).message);
      return [];
    }
  }

  #failed(text: string): void {
    this.element.classList.add("is-danger");
    setText(this.#words, text);
  }
}
