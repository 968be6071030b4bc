/** The stems of a song: each with its picture, fader, mute, solo and meter. */

import { h, setAttribute, setText } from "../dom";
import { faderGain, levelText, neutral, UNITY } from "../engine";
import { bytes } from "../format";
import { stemLabel } from "../parts";
import type { AudioSource } from "../types";
import { Overview } from "../waveform/overview";
import { displayGain } from "../waveform/song";
import { Fader } from "./fader";
import { Meter } from "./meter";
import type { PlayerModel } from "./model";
import { Task } from "./work";

interface Row {
  source: AudioSource;
  element: HTMLElement;
  fader: Fader;
  mute: HTMLButtonElement;
  solo: HTMLButtonElement;
  meter: Meter;
  picture: Overview;
}

/** The built-in engine works without a model; everybody should see that at once. */
export function engineLabel(engine: string | undefined): string | null {
  if (!engine) return null;
  return engine === "draft" ? "Draft (no AI)" : engine;
}

export class StemStrip {
  readonly element = h("section", { class: "sfa-stems-strip", "aria-label": "Stems" });
  readonly #model: PlayerModel;
  #rows: Row[] = [];
  #end = new AbortController();
  #shown = "";
  #trackId: string | null = null;
  #task: Task | null = null;
  #listen: { song: HTMLButtonElement; stems: HTMLButtonElement; reset: HTMLButtonElement; note: HTMLElement } | null = null;

  constructor(model: PlayerModel, signal: AbortSignal) {
    this.#model = model;
    signal.addEventListener("abort", () => this.#end.abort(), { once: true });
    model.on("state", () => this.#update(), signal);
    model.on("audio", () => this.#note(), signal);
    model.on("track", () => this.show(), signal);
    model.on("progress", () => this.#task?.update(), signal);
  }

  /** Builds what the track calls for: rows, progress, or the one action. */
  show(): void {
    const model = this.#model;
    const { stems } = model;
    this.element.hidden = model.status !== "ready";
    if (model.status !== "ready") return;
    if (model.trackId !== this.#trackId) {
      this.#trackId = model.trackId;
      this.#shown = "";
      this.#task = null;
    }
    const fit = model.stemsFit;
    const signature = stems.length > 0 && fit ? stems.map(({ id }) => id).join() : "";
    if (signature && signature === this.#shown) {
      this.#pictures();
      this.#update();
      return;
    }
    this.#shown = signature;
    this.#end.abort();
    this.#end = new AbortController();
    this.#rows = [];
    this.#listen = null;
    if (signature) {
      this.element.replaceChildren(this.#head(stems), ...stems.map((source) => this.#row(source)));
      this.#pictures();
      this.#update();
    } else if (stems.length > 0) {
      this.element.replaceChildren(h("p", { class: "sfa-pl-quiet" },
        "This song is too long to mix its stems in the browser, so the original plays."));
    } else {
      this.#task ??= new Task(model, {
        text: "No stems yet: vocals, drums, bass and the rest, each with its own fader.",
        label: "Separate stems",
        symbol: "split",
        stages: ["separate"],
      });
      this.#task.update();
      this.element.replaceChildren(this.#task.element);
    }
  }

  /** Draws a frame; true while a meter still moves. */
  draw(time: number, now: number): boolean {
    const model = this.#model;
    let moving = false;
    for (const { source, meter, picture } of this.#rows) {
      picture.draw(time);
      const tap = model.here ? model.engine.tapOf(source.role) : null;
      if (meter.draw(tap, model.playing, now)) moving = true;
    }
    return moving;
  }

  #head(stems: AudioSource[]): HTMLElement {
    const model = this.#model;
    const engines = new Set(stems.map(({ engine }) => engineLabel(engine)));
    const [engine] = engines;
    const id = () => model.trackId as string;
    const choose = (listen: "song" | "stems", label: string, hint: string) => {
      const button = h("button", { type: "button", title: hint }, label);
      button.addEventListener("click", () => model.engine.setListen(id(), listen));
      return button;
    };
    const song = choose("song", "Song", "Hear the original");
    const all = choose("stems", "Stems", "Hear the stems as they are set");
    const reset = h("button", { type: "button", class: "sfa-button is-quiet" }, "Reset");
    reset.addEventListener("click", () => model.engine.resetMixer(id()));
    const note = h("span", { class: "sfa-pl-note", role: "status" });
    this.#listen = { song, stems: all, reset, note };
    return h(
      "header", {},
      h("h3", {}, "Stems"),
      engines.size === 1 && engine ? h("span", { class: "sfa-badge" }, engine) : null,
      note,
      h("span", { class: "sfa-pl-gap" }),
      reset,
      h("div", { class: "sfa-switch", role: "group", "aria-label": "What is heard" }, song, all),
    );
  }

  #row(source: AudioSource): HTMLElement {
    const model = this.#model;
    const { role } = source;
    const signal = this.#end.signal;
    const name = source.label || stemLabel(role);
    const id = model.trackId as string;
    const setting = () => model.engine.mixer(id).stems[role] ?? neutral();
    const toggle = (letter: string, what: string, key: "muted" | "solo") => {
      const button = h(
        "button",
        {
          type: "button", class: `sfa-toggle is-${key}`, "aria-pressed": "false",
          "aria-label": `${what} ${name}`, title: `${what} (${letter})`,
        },
        letter,
      );
      button.addEventListener("click", () => model.engine.setStem(id, role, { [key]: !setting()[key] }));
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
      changed: (value) => model.engine.setStem(id, role, { fader: value }),
      signal,
    });
    const wave = h("div", { class: "sfa-stem-wave" });
    const engines = new Set(model.stems.map(({ engine }) => engine));
    const badge = engines.size > 1 ? engineLabel(source.engine) : null;
    const element = h(
      "div",
      { class: "sfa-stem-row", role: "group", "aria-label": name },
      h(
        "span", { class: "sfa-stem-name" },
        h("i", { "aria-hidden": "true" }, name.charAt(0)),
        h("span", { title: name }, name),
        badge ? h("span", { class: "sfa-badge" }, badge) : null,
      ),
      h("span", { class: "sfa-stem-buttons" }, mute, solo),
      h("span", { class: "sfa-stem-level" }, fader.element, meter.element),
      wave,
    );
    element.style.setProperty("--stem", `var(--stem-${role}, var(--dim))`);
    element.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const key = event.key.toLowerCase();
      if (key === "m") mute.click();
      else if (key === "s") solo.click();
      else return;
      event.preventDefault();
      event.stopPropagation();
    }, { signal });
    const picture = new Overview(wave, {
      clock: model.engine.clock,
      signal,
      colour: `--stem-${role}`,
      seek: (time, done) => model.scrub(time, done),
    });
    this.#rows.push({ source, element, fader, mute, solo, meter, picture });
    return element;
  }

  /** The stems of a song share one scale, so that their sizes compare. */
  #pictures(): void {
    const model = this.#model;
    const peaks = this.#rows.map(({ source }) => model.pyramids.get(source.role)?.peak ?? 0);
    const gain = displayGain(Math.max(0, ...peaks));
    for (const { source, picture } of this.#rows) {
      picture.show(model.picture, model.pyramids.get(source.role) ?? null, gain);
    }
  }

  #update(): void {
    const model = this.#model;
    if (this.#rows.length === 0 || model.trackId === null) return;
    const { listen, stems } = model.engine.mixer(model.trackId);
    const anySolo = this.#rows.some(({ source }) => stems[source.role]?.solo);
    let touched = false;
    for (const { source, element, fader, mute, solo, picture } of this.#rows) {
      const setting = stems[source.role] ?? neutral();
      fader.value = setting.fader;
      setAttribute(mute, "aria-pressed", String(setting.muted));
      setAttribute(solo, "aria-pressed", String(setting.solo));
      const silent = listen === "stems" && (setting.muted || (anySolo && !setting.solo) || setting.fader === 0);
      element.classList.toggle("is-silent", silent);
      picture.muted = silent;
      touched ||= setting.muted || setting.solo || setting.fader !== UNITY;
    }
    if (this.#listen) {
      setAttribute(this.#listen.song, "aria-pressed", String(listen === "song"));
      setAttribute(this.#listen.stems, "aria-pressed", String(listen === "stems"));
      this.#listen.reset.hidden = !touched;
    }
    this.element.classList.toggle("is-song", listen === "song");
    this.#note();
  }

  #note(): void {
    const model = this.#model;
    if (!this.#listen) return;
    const loading = model.here ? model.engine.loading : null;
    let text = "";
    if (loading?.what === "stems") {
      text = loading.phase === "decode" ? "Preparing stems…" : `Loading stems… ${bytes(loading.received)}`;
    }
    setText(this.#listen.note, text);
  }
}
