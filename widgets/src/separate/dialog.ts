/** The dialog that separates songs into stems: engine, model, stems, range and settings, and what it will take. */

import { type Bridge, describe, isAbort } from "../bridge";
import type { DialogHost } from "../dialogs/host";
import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { bytes, plural } from "../format";
import { icon, type IconName } from "../icons";
import { countdown } from "../jobs/words";
import { inMixerOrder, stemDot, stemLabel } from "../parts";
import { KeyForm } from "../services/key";
import { Quota } from "../services/quota";
import "../dialogs/dialogs.css";
import "../services/services.css";
import { FetchWeights } from "../services/weights";
import type { EngineInfo, EngineModel, SeparationEstimate, SeparationRequest, ServiceRow } from "../types";
import { Choice } from "./choice";
import { settingControl } from "./controls";
import type { SeparateOptions } from "./index";
import { clock, regionFault, seconds, usualRegion } from "./region";
import "./separate.css";

/** Typing and ticking rest this long before the kernel is asked what it will take, in ms. */
const ESTIMATE_MS = 150;
/** More models than these are a list to open. */
const FEW_MODELS = 5;

export function separateDialog(bridge: Bridge, host: DialogHost, options: SeparateOptions): void {
  if (options.ids.length === 0) host.layer.toast("info", "Select the songs to separate first.");
  else new SeparateDialog(bridge, host, options);
}

class SeparateDialog {
  readonly #bridge: Bridge;
  readonly #host: DialogHost;
  readonly #options: SeparateOptions;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #dialog: HTMLDialogElement;
  readonly #subject = h("p", { class: "sfa-work-subject", dir: "auto" });
  readonly #body = h("div", { class: "sfa-work-body" });
  readonly #cards = h("div", { class: "sfa-cards", role: "radiogroup", "aria-label": "Engine" });
  readonly #model = h("div", { class: "sfa-sep-model" });
  readonly #ready = h("div", { class: "sfa-sep-ready" });
  readonly #stems = h("section", { class: "sfa-sep-stems" });
  readonly #part = h("section", { class: "sfa-sep-part" });
  readonly #settings = h("details", { class: "sfa-sep-settings" });
  readonly #estimate = h("div", { class: "sfa-sep-estimate", role: "status" });
  readonly #cloud = h("div", { class: "sfa-sep-cloud" });
  readonly #start = h("button", { type: "button", class: "sfa-button is-primary", disabled: true }, "Separate");
  readonly #fault = h("p", { class: "is-danger", role: "alert", hidden: true });
  #choice!: Choice;
  #services: ServiceRow[] = [];
  #duration: number | null = null;
  #preview: boolean;
  #region: [number | null, number | null];
  #estimating: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #minutesShort = false;

  constructor(bridge: Bridge, host: DialogHost, options: SeparateOptions) {
    this.#bridge = bridge;
    this.#host = host;
    this.#options = options;
    this.#signal = AbortSignal.any([host.signal, this.#end.signal]);
    this.#preview = Boolean(options.region);
    this.#region = options.region ?? usualRegion(null);
    const cancel = h("button", { type: "button", class: "sfa-button" }, "Cancel");
    this.#dialog = host.layer.dialog(
      "Separate stems",
      this.#subject,
      this.#body,
      h(
        "footer", {},
        h("div", { class: "sfa-sep-cost" }, this.#estimate, this.#cloud, this.#fault),
        h("div", { class: "sfa-work-buttons" }, cancel, this.#start),
      ),
    );
    this.#dialog.classList.add("sfa-work", "sfa-sep");
    this.#dialog.addEventListener("close", () => {
      clearTimeout(this.#timer);
      this.#end.abort();
    });
    cancel.addEventListener("click", () => this.#dialog.close());
    this.#start.addEventListener("click", () => void this.#run());
    host.signal.addEventListener("abort", () => this.#dialog.close(), { once: true, signal: this.#end.signal });
    void this.#open();
  }

  async #open(): Promise<void> {
    const { ids } = this.#options;
    setText(this.#subject, ids.length > 1 ? plural(ids.length, "song") : "");
    this.#body.replaceChildren(h("p", { class: "is-dim is-late", role: "status" }, "Looking at the engines…"));
    try {
      const [engines] = await Promise.all([this.#engines(), this.#track(), this.#lookAtServices()]);
      this.#choice = new Choice(engines, this.#options.engine);
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      const again = h("button", { type: "button", class: "sfa-button" }, icon("retry"), "Try again");
      again.addEventListener("click", () => void this.#open());
      this.#body.replaceChildren(h("div", { class: "sfa-line", role: "alert" }, icon("alert"), h("p", {}, [message, hint].filter(Boolean).join(" ")), again));
      return;
    }
    this.#body.replaceChildren(this.#cards, this.#model, this.#ready, this.#stems, this.#part, this.#settings);
    this.#drawCards();
    this.#drawEngine();
    this.#drawPart();
    this.#cards.querySelector<HTMLElement>("input:checked")?.focus();
  }

  async #engines(): Promise<EngineInfo[]> {
    const { result } = await this.#bridge.request("separation.engines", {}, { signal: this.#signal });
    return result.engines;
  }

  /** The name and the length of a single song; the dialog works without. */
  async #track(): Promise<void> {
    const [id, ...more] = this.#options.ids;
    if (id === undefined || more.length > 0) return;
    try {
      const { result } = await this.#bridge.request("track.show", { id }, { signal: this.#signal });
      this.#duration = result.track.duration;
      const { title, artist } = result.track;
      const name = [title, artist].filter(Boolean).join(" · ");
      setText(this.#subject, name);
      setAttribute(this.#subject, "title", name);
      if (!this.#options.region) this.#region = usualRegion(this.#duration);
    } catch (error) {
      if (isAbort(error)) throw error;
    }
  }

  /** Services that failed too often and are left alone; unknown is as good as none. */
  async #lookAtServices(): Promise<void> {
    try {
      const { result } = await this.#bridge.request(
        "jobs.list", { status: "running", queue: null, offset: 0, limit: 0 }, { signal: this.#signal },
      );
      this.#services = result.services;
    } catch (error) {
      if (isAbort(error)) throw error;
    }
  }

  /** An engine has become ready, or is so no more. */
  async #look(): Promise<void> {
    try {
      this.#choice.engines = await this.#engines();
      this.#drawCards();
      this.#drawEngine();
    } catch (error) {
      this.#host.layer.failed(error, () => void this.#look());
    }
  }

  // What is seen

  #drawCards(): void {
    const name = uniqueId("engine");
    const focused = this.#cards.contains(document.activeElement);
    this.#cards.replaceChildren(...this.#choice.engines.map((engine) => {
      const about = uniqueId("about");
      const input = h("input", { type: "radio", name, value: engine.name, "aria-label": engine.label, "aria-describedby": about });
      input.checked = engine === this.#choice.engine;
      input.addEventListener("change", () => {
        this.#choice.chooseEngine(engine.name);
        this.#drawEngine();
      });
      const { mark, said } = standing(engine);
      return h(
        "label", { class: "sfa-card" }, input,
        h(
          "div", { id: about },
          h("strong", {}, engine.label),
          h("span", { class: "sfa-card-state", "data-mark": mark }, icon(mark), said),
          h("p", {}, engine.description),
        ),
      );
    }));
    if (focused) this.#cards.querySelector<HTMLElement>("input:checked")?.focus();
  }

  #drawEngine(): void {
    this.#drawModels();
    this.#drawSettings();
    this.#drawCloud();
    this.#modelChanged();
  }

  #drawModels(): void {
    const { engine, model } = this.#choice;
    this.#model.hidden = engine.models.length < 2;
    if (this.#model.hidden) return;
    const description = h("p", { class: "is-fine", "aria-live": "polite" }, model.description);
    const choose = (name: string) => {
      this.#choice.chooseModel(name);
      setText(description, this.#choice.model.description);
      this.#modelChanged();
    };
    if (engine.models.length > FEW_MODELS) {
      const id = uniqueId("model");
      const list = h("select", { id, class: "sfa-field" }, ...engine.models.map(({ name, label }) => h("option", { value: name }, label)));
      list.value = model.name;
      list.addEventListener("change", () => choose(list.value));
      this.#model.replaceChildren(h("label", { class: "sfa-sep-label", for: id }, "Model"), list, description);
      return;
    }
    const group = uniqueId("model");
    const rows = engine.models.map((one) => {
      const input = h("input", { type: "radio", name: group, value: one.name });
      input.checked = one === model;
      input.addEventListener("change", () => choose(one.name));
      return h(
        "label", { class: "sfa-pick" }, input,
        h("div", {}, h("strong", {}, one.label), h("small", {}, one.name), one.ready ? null : h("small", { class: "is-warn" }, lacking(one))),
      );
    });
    this.#model.replaceChildren(
      h("h3", { id: group }, "Model"),
      h("div", { class: "sfa-picks", role: "radiogroup", "aria-labelledby": group }, ...rows), description,
    );
  }

  #modelChanged(): void {
    this.#drawReady();
    this.#drawStems();
    this.#changed();
  }

  #drawReady(): void {
    const { engine, model } = this.#choice;
    this.#ready.hidden = model.ready;
    if (model.ready) {
      this.#ready.replaceChildren();
      return;
    }
    this.#ready.replaceChildren(h("p", { class: "sfa-sep-why" }, icon("info"), h("span", {}, model.reason)));
    const signal = this.#signal;
    if (model.fetch_bytes !== null) {
      const { name, label, fetch_bytes, notice } = model;
      const done = () => void this.#look();
      append(this.#ready, new FetchWeights(this.#bridge, { signal, model: name, label: label || name, bytes: fetch_bytes, notice, done }).element);
    } else if (engine.credential !== null) {
      append(this.#ready, this.#keyForm(engine.credential));
    }
  }

  #keyForm(name: string): HTMLElement {
    const changed = (present: boolean) => {
      void this.#look().then(() => {
        // Tells at once whether the key is a good one.
        if (present) this.#cloud.querySelector<HTMLButtonElement>(".sfa-quota button")?.click();
      });
    };
    return new KeyForm(this.#bridge, { signal: this.#signal, name, changed }).element;
  }

  #drawStems(): void {
    const { model, rest, ticked } = this.#choice;
    this.#stems.hidden = model.stems.length < 2;
    if (this.#stems.hidden) return;
    // A service bills every stem, and knows some that lie in others: all of them is nothing to offer.
    const few = model.usual.length < model.stems.length;
    const all = h("button", { type: "button", class: "sfa-chip", "aria-pressed": "false" }, few ? "Usual" : "All");
    const chips = inMixerOrder(model.stems).map((stem) => {
      const chip = h("button", { type: "button", class: "sfa-chip", "aria-pressed": "false", "data-stem": stem }, stemDot(stem), stemLabel(stem));
      chip.addEventListener("click", () => {
        const before = this.#choice.ticked;
        this.#tick(before.includes(stem) ? before.filter((name) => name !== stem) : [...before, stem]);
      });
      return chip;
    });
    all.addEventListener("click", () => this.#tick(model.usual));
    this.#stems.replaceChildren(
      h("h3", {}, "Stems"), h("div", { class: "sfa-chips", role: "group", "aria-label": "Stems" }, all, ...chips),
      h("p", { class: "is-fine", "aria-live": "polite" }),
    );
    this.#markStems(ticked, rest);
  }

  #tick(stems: string[]): void {
    if (stems.length === 0) {
      setText(this.#stems.lastElementChild as Element, "At least one stem has to be made.");
      return;
    }
    this.#choice.chooseStems(stems);
    this.#markStems(this.#choice.ticked, this.#choice.rest);
    this.#changed();
  }

  #markStems(ticked: string[], rest: boolean): void {
    for (const chip of this.#stems.querySelectorAll(".sfa-chip")) {
      const stem = chip.getAttribute("data-stem");
      setAttribute(chip, "aria-pressed", String(stem === null ? this.#choice.stems === null : ticked.includes(stem)));
    }
    const words = inMixerOrder(ticked).map((stem, i) => (i === 0 ? stemLabel(stem) : stemLabel(stem).toLowerCase()));
    const list = [...words, ...(rest ? ["the rest of the song"] : [])];
    const last = list.pop() ?? "";
    setText(this.#stems.lastElementChild as Element, rest ? `Makes ${plural(list.length + 1, "file")}: ${list.join(", ")} and ${last}.` : "");
  }

  #drawPart(): void {
    const many = this.#options.ids.length > 1;
    const group = uniqueId("part");
    const range = h("div", { class: "sfa-line sfa-sep-range" });
    const fault = h("span", { class: "is-danger", role: "status" });
    const check = () => {
      setText(fault, (this.#preview && regionFault(...this.#region, this.#duration)) || "");
      range.hidden = !this.#preview;
      this.#changed();
    };
    const field = (label: string, at: 0 | 1) => {
      const id = uniqueId("time");
      const input = h("input", { id, class: "sfa-field is-time", inputmode: "decimal", autocomplete: "off", spellcheck: "false" });
      const time = this.#region[at];
      input.value = time === null ? "" : clock(time);
      input.addEventListener("input", () => {
        this.#region[at] = seconds(input.value);
        check();
      });
      return [h("label", { for: id }, label), input];
    };
    append(
      range, ...field("from", 0), ...field("to", 1),
      h("span", { class: "is-dim" }, this.#options.region ? "as marked" : many ? "of each song" : ""), fault,
    );
    const choices = ([[false, many ? "Whole songs" : "Whole song"], [true, many ? "Previews" : "Preview"]] as const).map(([preview, label]) => {
      const input = h("input", { type: "radio", name: group, value: preview ? "preview" : "whole" });
      input.checked = preview === this.#preview;
      input.addEventListener("change", () => {
        this.#preview = preview;
        check();
      });
      return h("label", {}, input, h("span", {}, label));
    });
    this.#part.replaceChildren(
      h("h3", { id: group }, "Part"),
      h("div", { class: "sfa-line" }, h("div", { class: "sfa-segments", role: "radiogroup", "aria-labelledby": group }, ...choices), range),
    );
    check();
  }

  #drawSettings(): void {
    const { engine, settings } = this.#choice;
    this.#settings.hidden = engine.settings.length === 0;
    if (this.#settings.hidden) return;
    const changed = Object.keys(settings).length;
    const summary = h("summary", {}, "Settings", h("small", {}, changed > 0 ? `${changed} changed` : "as usual"));
    const reset = h("button", { type: "button", class: "sfa-button is-quiet", hidden: changed === 0 }, "Reset");
    reset.addEventListener("click", () => {
      this.#choice.resetSettings();
      this.#drawSettings();
      this.#changed();
    });
    const set = (name: string, value: unknown) => {
      this.#choice.set(name, value);
      const count = Object.keys(this.#choice.settings).length;
      setText(summary.lastElementChild as Element, count > 0 ? `${count} changed` : "as usual");
      reset.hidden = count === 0;
      this.#changed();
    };
    this.#settings.replaceChildren(
      summary,
      h("div", { class: "sfa-sep-grid" }, ...engine.settings.map((one) => settingControl(one, settings[one.name] ?? one.default, set))),
      reset,
    );
  }

  #drawCloud(): void {
    const { engine } = this.#choice;
    const ready = engine.models.some((model) => model.ready);
    if (engine.where !== "cloud" || !ready) {
      this.#cloud.replaceChildren();
      return;
    }
    const key = h("button", { type: "button", class: "sfa-button is-quiet" }, "Key…");
    const { credential } = engine;
    key.hidden = credential === null;
    key.addEventListener("click", () => {
      this.#ready.hidden = false;
      this.#ready.replaceChildren(this.#keyForm(credential as string));
      this.#ready.scrollIntoView({ block: "nearest" });
    });
    const quota = new Quota(this.#bridge, { signal: this.#signal, changed: () => this.#changed() });
    this.#cloud.replaceChildren(quota.element, key);
    const resting = this.#services.find(({ service }) => service === engine.service);
    if (resting) {
      const when = resting.trial_s > 0 ? `the next try is in ${countdown(resting.trial_s)}` : "one job is trying it";
      append(this.#cloud, h("p", { class: "is-warn" }, icon("clock"), `${engine.label} did not answer several times: ${when}, and jobs wait until then.`));
    }
  }

  // What it will take

  get #request(): SeparationRequest | null {
    const { engine, model, stems, settings } = this.#choice;
    const [start, end] = this.#region;
    if (this.#preview && regionFault(start, end, this.#duration) !== null) return null;
    const region = this.#preview ? [start, end] as [number, number] : null;
    return { ids: this.#options.ids, engine: engine.name, model: model.name, stems, region, settings };
  }

  #changed(): void {
    this.#fault.hidden = true;
    this.#minutesShort = false;
    this.#showStart();
    clearTimeout(this.#timer);
    this.#estimating?.abort();
    this.#timer = setTimeout(() => void this.#ask(), ESTIMATE_MS);
  }

  async #ask(): Promise<void> {
    const request = this.#request;
    if (!request || !this.#choice.model.ready) {
      this.#estimate.replaceChildren();
      return;
    }
    const asking = (this.#estimating = new AbortController());
    try {
      const signal = AbortSignal.any([this.#signal, asking.signal]);
      const { result } = await this.#bridge.request("separation.estimate", request, { signal });
      this.#showEstimate(result);
    } catch (error) {
      if (isAbort(error)) return;
      this.#estimate.replaceChildren(h("span", { class: "is-dim" }, describe(error).message));
    }
  }

  #showEstimate({ minutes, minutes_left: left, text }: SeparationEstimate): void {
    this.#minutesShort = minutes !== null && left !== null && minutes > left;
    this.#estimate.replaceChildren(icon(this.#minutesShort ? "alert" : "clock"), h("span", {}, text));
    this.#estimate.classList.toggle("is-warn", this.#minutesShort);
    if (this.#minutesShort) {
      append(this.#estimate, h("span", {}, "Choose fewer stems or a preview, or buy more minutes and ask again."));
    }
    this.#showStart();
  }

  #showStart(): void {
    const count = this.#options.ids.length;
    const what = this.#preview ? (count > 1 ? `Make ${plural(count, "preview")}` : "Make the preview")
      : count > 1 ? `Separate ${plural(count, "song")}` : "Separate";
    setText(this.#start, what);
    this.#start.disabled = this.#request === null || !this.#choice.model.ready || this.#minutesShort;
  }

  // What is done

  async #run(): Promise<void> {
    const request = this.#request;
    if (!request) return;
    this.#start.disabled = true;
    this.#choice.remember();
    try {
      await this.#send(request);
      this.#dialog.close();
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      this.#fault.replaceChildren(icon("alert"), [message, hint].filter(Boolean).join(" "));
      this.#fault.hidden = false;
      this.#showStart();
    }
  }

  /** Outlives the dialog: what is there already can be made anew from the notice that says so. */
  async #send(request: SeparationRequest & { force?: boolean }): Promise<void> {
    const { layer, signal } = this.#host;
    const { result } = await this.#bridge.request("separation.start", request, { signal });
    const one = request.ids.length === 1;
    if (result.jobs.length > 0) {
      layer.toast("ok", one ? "The separation is under way." : `${plural(result.jobs.length, "separation")} under way.`);
      return;
    }
    const again = () => {
      this.#send({ ...request, force: true }).catch((error: unknown) => layer.failed(error, again));
    };
    layer.toast("info", one ? "These stems are there already." : "All of these stems are there already.", {
      action: { label: "Make them anew", run: again },
    });
  }
}

/** What a model needs, in a word or two. */
function lacking({ fetch_bytes: count }: EngineModel): string {
  return count === null ? "not ready" : `${bytes(count)} to get`;
}

/** Whether an engine can be used, in two or three words. */
function standing(engine: EngineInfo): { mark: IconName; said: string } {
  const ready = (model: EngineModel) => model.ready;
  if (engine.models.some(ready)) return { mark: "check", said: "Ready" };
  if (engine.models.some((model) => model.fetch_bytes !== null)) return { mark: "download", said: "Needs its weights" };
  if (engine.credential !== null) return { mark: "link", said: "Needs a key" };
  return { mark: "info", said: "Not installed" };
}
