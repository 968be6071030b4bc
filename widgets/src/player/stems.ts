/** The stems of a song: each with its picture, fader, mute, solo, place between the loudspeakers, and meter. */

import { h, setAttribute, setText } from "../dom";
import { faderGain, levelText, neutral, panText, roleOf, type Stem, stemOf, type StemSetting, UNITY } from "../engine";
import type { ExportOptions } from "../exporting/index";
import { bytes } from "../format";
import { stemLabel } from "../parts";
import type { Layer } from "../ui/layer";
import { Overview } from "../waveform/overview";
import { displayGain, type SongPicture } from "../waveform/song";
import { Fader } from "./fader";
import { Meter } from "./meter";
import type { PlayerModel } from "./model";
import { Task } from "./work";

/** What a person asks of the dialog that separates. */
export interface SeparateRequest {
  ids: string[];
  /** Seconds; null for the whole song. */
  region: [number, number] | null;
}

export interface StripOptions {
  /** Choosing, comparing and judging sets: a part that a page may load when it is wanted. */
  sets?: (strip: StripSlots) => void;
  /** Opens the dialog that separates. */
  separate?: (request: SeparateRequest) => void;
  /** Opens the dialog that writes files to take away. */
  take?: (options: ExportOptions) => void;
  /** Where notices of the page go. */
  layer?: Layer;
}

/** Where the part for the sets puts what it has. */
export interface StripSlots extends StripOptions {
  readonly model: PlayerModel;
  readonly signal: AbortSignal;
  /** In the head, in place of the badge. */
  readonly badge: HTMLElement;
  /** In the head, before the switches. */
  readonly tools: HTMLElement;
  /** Between the head and the stems. */
  readonly below: HTMLElement;
  /** The rows that are there now: beside the name, and the row itself. */
  readonly rows: ReadonlyMap<Stem, { element: HTMLElement; side: HTMLElement }>;
}

interface Row {
  stem: Stem;
  element: HTMLElement;
  /** A warning, or the switch between two sets. */
  side: HTMLElement;
  fader: Fader;
  pan: Fader;
  mute: HTMLButtonElement;
  solo: HTMLButtonElement;
  meter: Meter;
  picture: Overview;
  absent: HTMLElement;
}

/** One step of the keys, of the way from the middle to one side. */
const PAN_STEP = 0.1;

export class StemStrip {
  readonly element = h("section", { class: "sfa-stems-strip", "aria-label": "Stems" });
  readonly #model: PlayerModel;
  readonly #options: StripOptions;
  readonly #signal: AbortSignal;
  readonly #rows = new Map<Stem, Row>();
  readonly #badge = h("span", { class: "sfa-stems-badge" });
  readonly #tools = h("span", { class: "sfa-stems-tools" });
  readonly #below = h("div", { class: "sfa-stems-below" });
  readonly #list = h("div", { class: "sfa-stems-list" });
  readonly #note = h("span", { class: "sfa-pl-note", role: "status" });
  readonly #song: HTMLButtonElement;
  readonly #stems: HTMLButtonElement;
  readonly #reset: HTMLButtonElement;
  readonly #head: HTMLElement;
  #end = new AbortController();
  #shown = "";
  /** From which sets the pictures are. */
  #sides = "";
  #trackId: string | null = null;
  #task: Task | null = null;
  #asked = false;

  constructor(model: PlayerModel, signal: AbortSignal, options: StripOptions = {}) {
    this.#model = model;
    this.#options = options;
    this.#signal = signal;
    const choose = (listen: "song" | "stems", label: string, hint: string) => {
      const button = h("button", { type: "button", title: `${hint} (O)` }, label);
      button.addEventListener("click", () => model.engine.setListen(model.soundId, listen));
      return button;
    };
    this.#song = choose("song", "Song", "Hear the original");
    this.#stems = choose("stems", "Stems", "Hear the stems as they are set");
    this.#reset = h("button", { type: "button", class: "sfa-button is-quiet", title: "Every stem as it was made" }, "Reset");
    this.#reset.addEventListener("click", () => model.engine.resetMixer(model.soundId));
    this.#head = h(
      "header", {},
      h("h3", {}, "Stems"), this.#badge, this.#note,
      h("span", { class: "sfa-pl-gap" }),
      this.#tools, this.#reset,
      h("div", { class: "sfa-switch", role: "group", "aria-label": "What is heard" }, this.#song, this.#stems),
    );
    signal.addEventListener("abort", () => this.#end.abort(), { once: true });
    model.on("state", () => this.#update(), signal);
    model.on("audio", () => this.#showNote(), signal);
    model.on("track", () => this.show(), signal);
    model.on("progress", () => this.#task?.update(), signal);
  }

  /** Builds what the track calls for: rows, progress, or the one action. */
  show(): void {
    const model = this.#model;
    this.element.hidden = model.status !== "ready";
    if (model.status !== "ready") return;
    if (model.trackId !== this.#trackId) {
      this.#trackId = model.trackId;
      this.#shown = "";
      this.#task = null;
    }
    const names = [...new Set(model.stems.map(({ role }) => stemOf(role) as Stem))];
    const fit = model.stemsFit;
    const signature = fit ? names.join() : "";
    if (names.length === 0 || !fit) {
      this.#leave();
      this.element.replaceChildren(names.length > 0 ? tooLong() : this.#action());
      return;
    }
    if (signature !== this.#shown) {
      this.#leave();
      this.#shown = signature;
      this.#list.replaceChildren(...names.map((name) => this.#row(name)));
      this.element.replaceChildren(this.#head, this.#below, this.#list);
    }
    if (!this.#asked) {
      this.#asked = true;
      this.#options.sets?.({
        ...this.#options, model, signal: this.#signal, badge: this.#badge, tools: this.#tools, below: this.#below, rows: this.#rows,
      });
    }
    // The part for the sets has a menu here, with the badge on it.
    if (!this.#badge.querySelector("button")) {
      this.#badge.replaceChildren(h("span", { class: "sfa-badge" }, model.set?.badge ?? ""));
    }
    this.#pictures();
    this.#update();
  }

  /** Draws a frame; true while a meter still moves. */
  draw(time: number, now: number): boolean {
    const model = this.#model;
    const place = time - (model.region?.start ?? 0);
    const { sides } = model.engine.mixer(model.soundId);
    let moving = false;
    for (const { stem, meter, picture } of this.#rows.values()) {
      picture.draw(place);
      const tap = model.here ? model.engine.tapOf(roleOf(stem, sides?.[stem] ?? "a")) : null;
      if (meter.draw(tap, model.playing, now)) moving = true;
    }
    return moving;
  }

  #leave(): void {
    this.#end.abort();
    this.#end = new AbortController();
    this.#rows.clear();
    this.#shown = "";
  }

  #action(): HTMLElement {
    const model = this.#model;
    this.#task ??= new Task(model, {
      text: "No stems yet: vocals, drums, bass and the rest, each with its own fader.",
      label: "Separate stems",
      symbol: "split",
      stages: ["separate"],
      ...(this.#options.separate && { more: { label: "Options…", run: () => this.#separate() } }),
    });
    this.#task.update();
    return this.#task.element;
  }

  /** The dialog, for the marked range where there is one. */
  #separate(): void {
    const { range, trackId } = this.#model;
    if (trackId !== null) this.#options.separate?.({ ids: [trackId], region: range && [range.start, range.end] });
  }

  #row(stem: Stem): HTMLElement {
    const model = this.#model;
    const signal = this.#end.signal;
    const name = stemLabel(stem);
    const setting = () => model.engine.mixer(model.soundId).stems[stem] ?? neutral();
    const change = (by: Partial<StemSetting>) => model.engine.setStem(model.soundId, stem, by);
    const toggle = (letter: string, what: string, key: "muted" | "solo") => {
      const button = h(
        "button",
        {
          type: "button", class: `sfa-toggle is-${key}`, "aria-pressed": "false",
          "aria-label": `${what} ${name}`, title: `${what} (${letter})`,
        },
        letter,
      );
      button.addEventListener("click", () => change({ [key]: !setting()[key] }));
      return button;
    };
    const mute = toggle("M", "Mute", "muted");
    const solo = toggle("S", "Solo", "solo");
    const meter = new Meter();
    const fader = new Fader({
      label: `Level of ${name}`,
      value: setting().fader,
      reset: UNITY,
      text: (value) => levelText(faderGain(value)),
      changed: (value) => change({ fader: value }),
      signal,
    });
    const pan = new Fader({
      label: `Pan of ${name}`,
      value: (setting().pan + 1) / 2,
      reset: 0.5,
      balance: true,
      text: (value) => panText(2 * value - 1),
      changed: (value) => change({ pan: 2 * value - 1 }),
      signal,
    });
    const side = h("span", { class: "sfa-stem-side" });
    const absent = h("span", { class: "sfa-stem-absent", hidden: true }, "Not in this set");
    const wave = h("div", { class: "sfa-stem-wave" });
    const element = h(
      "div",
      { class: "sfa-stem-row", role: "group", "aria-label": name },
      h(
        "span", { class: "sfa-stem-name" },
        h("i", { "aria-hidden": "true" }, name.charAt(0)),
        h("span", { title: name }, name),
        side,
      ),
      h("span", { class: "sfa-stem-buttons" }, mute, solo),
      h("span", { class: "sfa-stem-level" }, fader.element, meter.element),
      h("span", { class: "sfa-stem-pan" }, h("small", { "aria-hidden": "true" }, "L"), pan.element, h("small", { "aria-hidden": "true" }, "R")),
      wave,
    );
    wave.append(absent);
    element.style.setProperty("--stem", `var(--stem-${stem}, var(--dim))`);
    // Before the fader hears of it: with shift its arrows move the stem to a side.
    element.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      if (event.shiftKey && (key === "arrowleft" || key === "arrowright")) {
        const next = setting().pan + (key === "arrowright" ? PAN_STEP : -PAN_STEP);
        change({ pan: Math.max(-1, Math.min(1, Math.round(next * 100) / 100)) });
      } else if (key === "m" && !event.repeat) mute.click();
      else if (key === "s" && !event.repeat) solo.click();
      else return;
      event.preventDefault();
      event.stopPropagation();
    }, { signal, capture: true });
    const picture = new Overview(wave, {
      clock: model.engine.clock,
      signal,
      colour: `--stem-${stem}`,
      seek: (time, done) => model.scrub(time + (model.region?.start ?? 0), done),
    });
    this.#rows.set(stem, { stem, element, side, fader, pan, mute, solo, meter, picture, absent });
    return element;
  }

  /** The stems of a song share one scale, so that their sizes compare. */
  #pictures(): void {
    const model = this.#model;
    const { region, picture: whole } = model;
    const { sides } = model.engine.mixer(model.soundId);
    const song: SongPicture | null = region && whole
      ? { ...whole, duration: region.end - region.start, pyramid: null, beats: [], downbeats: [], sections: [], cues: [] }
      : whole;
    const peaks = model.stems.map(({ role }) => model.pyramids.get(role)?.peak ?? 0);
    const gain = displayGain(Math.max(0, ...peaks));
    for (const { stem, picture, absent } of this.#rows.values()) {
      const role = roleOf(stem, sides?.[stem] ?? "a");
      picture.show(song, model.pyramids.get(role) ?? null, gain);
      absent.hidden = model.sources.some((source) => source.role === role);
    }
  }

  #update(): void {
    const model = this.#model;
    if (this.#rows.size === 0 || model.trackId === null) return;
    const { listen, stems, sides = {} } = model.engine.mixer(model.soundId);
    const now = JSON.stringify(sides);
    if (now !== this.#sides) {
      this.#sides = now;
      this.#pictures();
    }
    const anySolo = [...this.#rows.keys()].some((stem) => stems[stem]?.solo);
    let touched = false;
    for (const { stem, element, fader, pan, mute, solo, picture } of this.#rows.values()) {
      const setting = stems[stem] ?? neutral();
      fader.value = setting.fader;
      pan.value = (setting.pan + 1) / 2;
      setAttribute(mute, "aria-pressed", String(setting.muted));
      setAttribute(solo, "aria-pressed", String(setting.solo));
      const silent = listen === "stems" && (setting.muted || (anySolo && !setting.solo) || setting.fader === 0);
      element.classList.toggle("is-silent", silent);
      element.classList.toggle("is-panned", setting.pan !== 0);
      picture.muted = silent;
      picture.level = faderGain(setting.fader);
      touched ||= setting.muted || setting.solo || setting.pan !== 0 || setting.fader !== UNITY;
    }
    setAttribute(this.#song, "aria-pressed", String(listen === "song"));
    setAttribute(this.#stems, "aria-pressed", String(listen === "stems"));
    this.#reset.hidden = !touched;
    this.element.classList.toggle("is-song", listen === "song");
    this.#showNote();
  }

  #showNote(): void {
    const model = this.#model;
    const loading = model.here ? model.engine.loading : null;
    let text = "";
    if (loading?.what === "stems") {
      text = loading.phase === "decode" ? "Preparing stems…" : `Loading stems… ${bytes(loading.received)}`;
    }
    setText(this.#note, text);
  }
}

function tooLong(): HTMLElement {
  return h("p", { class: "sfa-pl-quiet" }, "This song is too long to mix its stems in the browser, so the original plays.");
}
