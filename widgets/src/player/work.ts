/** What is missing for a track: the sentence and its one action, or how far the work is. */

import { describe, isAbort } from "../bridge";
import { h, setText } from "../dom";
import { timeLeft } from "../format";
import { icon, type IconName } from "../icons";
import { progressBar, setProgress, stageVerb } from "../parts";
import type { Stage } from "../types";
import type { PlayerModel } from "./model";

export interface TaskOptions {
  /** What there would be to see. */
  text: string;
  /** The one action. */
  label: string;
  symbol: IconName;
  /** The stages that the action starts; the first one is the missing one. */
  stages: [Stage, ...Stage[]];
  /** The same with choices. */
  more?: { label: string; run(): void };
}

export class Task {
  readonly element: HTMLElement;
  readonly #model: PlayerModel;
  readonly #options: TaskOptions;
  readonly #words = h("span", { role: "status" });
  readonly #button: HTMLButtonElement;
  readonly #more: HTMLButtonElement | null = null;
  readonly #bar: HTMLElement;
  #asked = false;
  #failure = "";

  constructor(model: PlayerModel, options: TaskOptions) {
    this.#model = model;
    this.#options = options;
    this.#button = h("button", { type: "button", class: "sfa-button" }, icon(options.symbol), options.label);
    this.#button.addEventListener("click", () => this.#run());
    this.#bar = progressBar(stageVerb(options.stages[0]));
    const { more } = options;
    if (more) {
      this.#more = h("button", { type: "button", class: "sfa-button is-quiet" }, more.label);
      this.#more.addEventListener("click", more.run);
    }
    this.element = h("p", { class: "sfa-pl-quiet" }, this.#words, this.#button, this.#more, this.#bar);
    this.update();
  }

  update(): void {
    const row = this.#model.track;
    const [stage] = this.#options.stages;
    const working = row?.status === "working" && row.stage === stage;
    const waiting = row?.status === "queued" || (row?.status === "working" && this.#asked);
    if (row?.status === "failed" || row?.status === "ready") this.#asked &&= this.#button.disabled;
    this.#button.hidden = working || waiting || this.#asked;
    if (this.#more) this.#more.hidden = this.#button.hidden;
    this.#bar.hidden = !working;
    if (working) setProgress(this.#bar, row.progress);
    if (working || waiting) setText(this.#words, workText(this.#model));
    else if (this.#asked) setText(this.#words, "Starting…");
    else setText(this.#words, this.#failure || this.#options.text);
  }

  #run(): void {
    this.#asked = true;
    this.#failure = "";
    this.#button.disabled = true;
    this.update();
    this.#model.run(this.#options.stages).catch((error: unknown) => {
      this.#asked = false;
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      this.#failure = hint ? `${message} ${hint}` : message;
    }).finally(() => {
      this.#button.disabled = false;
      this.update();
    });
  }
}

/** "Separating 42 %, about 2 min left". */
export function workText(model: PlayerModel): string {
  const row = model.track;
  if (row?.status === "queued") return "Waiting for its turn";
  if (row?.status !== "working") return "";
  const eta = model.job?.kind === row.stage ? timeLeft(model.job.eta_s) : "";
  return `${stageVerb(row.stage)} ${Math.round(row.progress)} %${eta && `, ${eta}`}`;
}
