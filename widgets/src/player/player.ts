/** A track to look at and to play: pictures, transport, cues and stems. */

import { type Bridge, describe, isAbort } from "../bridge";
import { append, h, setAttribute, setText } from "../dom";
import { bytes, duration as wholeTime, measure, position as clockText, tempo } from "../format";
import { icon } from "../icons";
import { CoverArt } from "../media";
import { keyChip, progressBar, setProgress, tileTone } from "../parts";
import type { PlayerHandle, Stage } from "../types";
import { Overview } from "../waveform/overview";
import { snap } from "../waveform/grid";
import { ScrollingWaveform } from "../waveform/scroll";
import { title, typeColour } from "../waveform/song";
import type { Fader } from "./fader";
import { glyph } from "./glyphs";
import { listenForKeys, returnFocus } from "./keys";
import { PlayerModel, register } from "./model";
import { showPlay } from "./play";
import "./player.css";
import { StemStrip, type StripOptions } from "./stems";
import { tellState } from "./tell";
import { volumeFader, volumePlace } from "./volume";
import { Task, workText } from "./work";

export { mountTransport } from "./transport";

export interface MountOptions {
  signal: AbortSignal;
  /** Play, time and volume; not where the page has a bar of its own for them. */
  transport?: boolean;
  /** What the stems can do beyond their faders. */
  stems?: StripOptions;
}

/** Builds a player inside `el`; it lives until `signal` aborts. */
export function mountPlayer(el: HTMLElement, bridge: Bridge, { signal, transport = true, stems = {} }: MountOptions): PlayerHandle {
  const model = new PlayerModel(bridge, signal);
  new PlayerView(el, model, transport, stems);
  listenForKeys(el, model, signal);
  const player: PlayerHandle = {
    open: (trackId, options) => model.open(trackId, options),
    play: () => model.play(),
    pause: () => model.pause(),
    seek: (seconds) => model.seek(seconds),
    onState: (callback) => tellState(model, callback),
  };
  return register(player, model);
}

class PlayerView {
  readonly #model: PlayerModel;
  readonly #root: HTMLElement;
  readonly #head: HTMLElement;
  readonly #art: CoverArt;
  readonly #overviewHost: HTMLElement;
  readonly #overview: Overview;
  readonly #scroll: ScrollingWaveform;
  readonly #sections = h("div", { class: "sfa-pl-sections", role: "group", "aria-label": "Sections" });
  readonly #cues = h("div", { class: "sfa-pl-cues", role: "group", "aria-label": "Cues" });
  readonly #message = h("div", { class: "sfa-pl-message" });
  readonly #sound = h("div", { class: "sfa-pl-sound", role: "alert" });
  readonly #work = h("span", { class: "sfa-pl-work" });
  readonly #stems: StemStrip;
  readonly #play: HTMLButtonElement;
  readonly #loop: HTMLButtonElement;
  readonly #follow: HTMLButtonElement;
  readonly #time = h("strong", { class: "sfa-pl-time" }, "0:00.0");
  readonly #rest = h("span", { class: "sfa-pl-rest" });
  readonly #loading = h("span", { class: "sfa-pl-note", role: "status" });
  readonly #volume: Fader;
  #analyse: Task | null = null;
  #trackId: string | null = null;
  #spoken = -1;
  #soundWords = "";

  constructor(el: HTMLElement, model: PlayerModel, transport: boolean, stems: StripOptions) {
    const { signal, engine } = model;
    this.#model = model;
    this.#art = new CoverArt(model.bridge, signal);
    this.#head = h("header", { class: "sfa-pl-head" });
    this.#overviewHost = h("div", {
      class: "sfa-pl-overview", role: "slider", tabindex: 0, "aria-label": "Position in the song",
      "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0,
    });
    const scrollHost = h("div", {
      class: "sfa-pl-scroll", tabindex: 0, role: "group",
      "aria-label": "Waveform: drag to move, wheel to zoom, shift and drag for a range",
    });
    this.#stems = new StemStrip(model, signal, stems);

    this.#play = button("sfa-pl-play", "Play", "Play (space)", () => model.toggle(), icon("play"));
    const toStart = button("sfa-button is-quiet is-icon", "To the start", "To the start (Home)", () => model.seek(0), glyph("toStart"));
    this.#loop = button("sfa-button is-quiet sfa-pl-loop", "Loop", "Loop: the range, else four bars ( [ and ] set its ends)",
      () => model.setLooping(!model.looping), glyph("loop"), h("span"));
    const closer = button("sfa-button is-quiet is-icon", "Zoom in", "Zoom in (wheel over the waveform)", () => this.#scroll.zoom(1 / 1.6), glyph("zoomIn"));
    const wider = button("sfa-button is-quiet is-icon", "Zoom out", "Zoom out", () => this.#scroll.zoom(1.6), glyph("zoomOut"));
    this.#follow = button("sfa-button is-quiet is-icon", "Follow the playhead", "Keep the playhead in the middle",
      () => this.#setFollow(!this.#scroll.follow), glyph("follow"));
    this.#volume = volumeFader(engine, signal);

    const bar = h(
      "div", { class: "sfa-pl-bar" },
      transport ? h("span", { class: "sfa-pl-buttons" }, toStart, this.#play) : null,
      transport ? h("span", { class: "sfa-pl-times" }, this.#time, this.#rest) : this.#cues,
      this.#loading,
      h("span", { class: "sfa-pl-gap" }),
      this.#loop,
      h("span", { class: "sfa-pl-buttons sfa-pl-glass" }, wider, closer, this.#follow),
      transport ? h("span", { class: "sfa-pl-volume" }, icon("volume"), this.#volume.element) : null,
    );
    this.#root = h(
      "div",
      { class: "sfa-player", tabindex: -1, role: "region", "aria-label": "Player" },
      this.#head,
      this.#message,
      this.#overviewHost,
      this.#sections,
      scrollHost,
      bar,
      this.#sound,
      transport ? this.#cues : null,
      this.#stems.element,
    );
    // The root may be narrow in a wide window: its children ask it, not the screen.
    el.append(h("div", { class: "sfa-player-box" }, this.#root));

    this.#overview = new Overview(this.#overviewHost, {
      clock: engine.clock,
      signal,
      marks: true,
      seek: (time, done) => {
        model.scrub(time, done);
        this.#scroll.reveal(time);
      },
      range: (range) => model.setRange(range),
      snap: (time) => snap(model.picture?.beats ?? [], time),
    });
    this.#scroll = new ScrollingWaveform(scrollHost, {
      clock: engine.clock,
      signal,
      seek: (time, done) => model.scrub(time, done),
      range: (range) => model.setRange(range),
      viewed: () => engine.clock.wake(),
    });
    setAttribute(this.#follow, "aria-pressed", "true");

    model.on("track", () => this.#showTrack(), signal);
    model.on("progress", () => this.#showWork(), signal);
    model.on("state", () => this.#showState(), signal);
    model.on("audio", () => this.#showAudio(), signal);
    engine.clock.subscribe((now) => this.#frame(now), signal);
    this.#listen(scrollHost);
    this.#showTrack();
  }

  #listen(scrollHost: HTMLElement): void {
    const model = this.#model;
    const { signal } = model;
    // The song comes in while the finger is still on its way up.
    this.#root.addEventListener("pointerdown", () => model.preload(), { signal });
    returnFocus(this.#root, signal);
    scrollHost.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "+" || event.key === "=") this.#scroll.zoom(1 / 1.6);
      else if (event.key === "-") this.#scroll.zoom(1.6);
      else return;
      event.preventDefault();
    }, { signal });
  }

  #frame(now: number): boolean {
    const model = this.#model;
    const time = model.heard;
    this.#scroll.draw(time);
    const { window } = this.#scroll;
    this.#overview.window = model.picture?.pyramid ? window : null;
    this.#overview.draw(time);
    setText(this.#time, clockText(time));
    const { duration } = model;
    setText(this.#rest, duration > 0 ? `−${clockText(Math.max(0, duration - time))}` : "");
    const second = Math.floor(time);
    if (second !== this.#spoken) {
      this.#spoken = second;
      setAttribute(this.#overviewHost, "aria-valuenow", second);
      setAttribute(this.#overviewHost, "aria-valuetext", `${wholeTime(second)} of ${wholeTime(duration)}`);
    }
    return this.#stems.draw(time, now);
  }

  #showTrack(): void {
    const model = this.#model;
    const { status } = model;
    for (const name of ["empty", "loading", "ready", "failed"]) this.#root.classList.toggle(`is-${name}`, status === name);
    // Nothing to zoom into before the song was analysed.
    this.#root.classList.toggle("is-bare", model.picture?.pyramid === null);
    this.#showMessage();
    if (model.trackId !== this.#trackId) {
      this.#trackId = model.trackId;
      this.#analyse = null;
    }
    this.#showHead();
    this.#overview.show(model.picture);
    this.#scroll.show(model.picture);
    setAttribute(this.#overviewHost, "aria-valuemax", Math.floor(model.duration));
    this.#showSections();
    this.#showCues();
    this.#stems.show();
    this.#showState();
    this.#showAudio();
    model.engine.clock.wake();
  }

  #showMessage(): void {
    const model = this.#model;
    this.#message.hidden = model.status === "ready";
    if (model.status === "empty") {
      this.#message.replaceChildren(h("p", {}, "No song is open. Choose one in the library, and it appears here."));
    } else if (model.status === "loading") {
      this.#message.replaceChildren(h("p", { class: "sfa-pl-late", role: "status" }, "Opening the song…"));
    } else if (model.status === "failed") {
      const retry = button("sfa-button", "Try again", "", () => void model.open(model.trackId as string), icon("retry"), "Try again");
      this.#message.replaceChildren(h(
        "div", { role: "alert" },
        h("p", {}, icon("alert"), h("strong", {}, model.failure?.message ?? "The song could not be opened.")),
        model.failure?.hint ? h("p", { class: "sfa-pl-hint" }, model.failure.hint) : null,
        retry,
      ));
    }
  }

  #showHead(): void {
    const { track, analysis } = this.#model;
    this.#head.hidden = !track;
    if (!track) return;
    const art = h("span", { class: "sfa-pl-art", "aria-hidden": "true" }, track.title.trim().charAt(0).toUpperCase());
    art.style.setProperty("--tile", tileTone(track.id));
    if (track.art) {
      void this.#art.url(track.id).then((url) => {
        if (url) art.replaceChildren(h("img", { src: url, alt: "" }));
      });
    }
    const key = analysis?.key ?? track.key;
    const facts = h("span", { class: "sfa-pl-facts" });
    const bpm = analysis?.bpm ?? track.bpm;
    if (bpm !== null) append(facts, fact(tempo(bpm), "BPM", "Tempo"));
    if (key !== null) append(facts, h("span", { class: "sfa-pl-fact" }, keyChip(analysis?.camelot ?? track.camelot, key), h("small", {}, key)));
    const loudness = analysis?.lufs ?? track.lufs;
    if (loudness !== null) append(facts, fact(measure(loudness, "").trim(), "LUFS", "Loudness"));
    this.#head.replaceChildren(
      art,
      h(
        "div", { class: "sfa-pl-names" },
        h("h2", { title: track.title, dir: "auto" }, track.title),
        h("p", { title: track.artist, dir: "auto" }, track.artist ?? "Unknown artist"),
      ),
      this.#work,
      facts,
    );
    this.#showWork();
  }

  #showWork(): void {
    const model = this.#model;
    const { track } = model;
    this.#analyse?.update();
    this.#work.hidden = true;
    if (!track) return;
    if (track.status === "working" || track.status === "queued") {
      this.#work.hidden = false;
      if (!this.#work.querySelector(".sfa-bar")) {
        this.#work.replaceChildren(h("span", { role: "status" }), progressBar("Progress of this song"));
      }
      const [words, bar] = this.#work.children;
      if (words) setText(words, workText(model));
      if (bar instanceof HTMLElement) setProgress(bar, track.status === "queued" ? 0 : track.progress);
    } else if (track.status === "failed") {
      this.#work.hidden = false;
      if (this.#work.querySelector(".sfa-pl-error")?.textContent === track.error) return;
      const again = button("sfa-button", "Try again", "Run what is missing again", () => this.#retry(again), icon("retry"), "Try again");
      const text = track.error ?? "The last job of this song failed.";
      this.#work.replaceChildren(icon("alert"), h("span", { class: "sfa-pl-error", role: "alert", title: text }, text), again);
    }
  }

  #retry(again: HTMLButtonElement): void {
    const model = this.#model;
    const stages: Stage[] = [];
    if (model.stems.length === 0) stages.push("separate");
    if (!model.analysis) stages.push("analyze");
    stages.push("autocue");
    again.disabled = true;
    model.run(stages).catch((error: unknown) => {
      if (!isAbort(error)) setText(this.#work.querySelector("span") ?? this.#work, describe(error).message);
    }).finally(() => {
      again.disabled = false;
    });
  }

  #showSections(): void {
    const model = this.#model;
    const { picture, analysis } = model;
    this.#sections.hidden = model.status !== "ready";
    this.#sections.classList.toggle("is-missing", !analysis);
    if (!picture || model.status !== "ready") return;
    if (!analysis) {
      this.#analyse ??= new Task(model, {
        text: "Not analysed yet: the waveform, tempo, key and sections are still to come.",
        label: "Analyse",
        symbol: "analyze",
        stages: ["analyze", "autocue"],
      });
      this.#analyse.update();
      this.#sections.replaceChildren(this.#analyse.element);
      return;
    }
    if (picture.sections.length === 0) {
      this.#sections.replaceChildren();
      this.#sections.hidden = true;
      return;
    }
    this.#sections.replaceChildren(...picture.sections.map((section) => {
      const name = title(section.label);
      const part = button("sfa-pl-section", `${name} at ${wholeTime(section.start)}`, `${name}, ${wholeTime(section.start)} to ${wholeTime(section.end)}`,
        () => {
          model.seek(section.start);
          this.#scroll.reveal(section.start);
        }, h("span", {}, name));
      part.style.left = `${(section.start / picture.duration) * 100}%`;
      part.style.width = `${((section.end - section.start) / picture.duration) * 100}%`;
      part.style.setProperty("--tone", `var(${typeColour(section.label)})`);
      return part;
    }));
  }

  #showCues(): void {
    const model = this.#model;
    const marks = model.picture?.cues ?? [];
    this.#cues.hidden = marks.length === 0;
    this.#cues.replaceChildren(...marks.map((mark) => {
      const cue = model.cues.find(({ time, type }) => time === mark.time && type === mark.type);
      const item = button(
        "sfa-pl-cue", `Cue ${mark.number}: ${mark.label} at ${clockText(mark.time)}`,
        [cue?.reason ?? mark.label, mark.number <= 8 ? `(${mark.number})` : ""].join(" ").trim(),
        () => {
          model.seek(mark.time);
          this.#scroll.reveal(mark.time);
        },
        h("b", {}, String(mark.number)), h("span", {}, mark.label), h("small", {}, clockText(mark.time)),
      );
      item.style.setProperty("--tone", mark.colour.startsWith("--") ? `var(${mark.colour})` : mark.colour);
      return item;
    }));
  }

  #showState(): void {
    const model = this.#model;
    showPlay(this.#play, model);
    setAttribute(this.#loop, "aria-pressed", String(model.looping));
    setText(this.#loop.lastElementChild as Element, loopText(model));
    this.#overview.range = model.range;
    this.#scroll.setRange(model.range, model.looping);
    this.#volume.value = volumePlace(model.engine.volume);
    model.engine.clock.wake();
  }

  #showAudio(): void {
    const model = this.#model;
    const loading = model.here ? model.engine.loading : null;
    let text = "";
    if (loading?.what === "song") {
      text = loading.phase === "decode" ? "Preparing the sound…" : `Loading the sound… ${progressOf(loading.received, loading.total)}`;
    }
    setText(this.#loading, text);
    this.#sound.hidden = !model.audioFailure && !model.blocked;
    const { message = "", hint = null } = model.audioFailure ?? {};
    // Built once for each message: a button must not vanish under the finger while bytes come in.
    const words = model.blocked ? "blocked" : `${message}\n${hint}`;
    if (this.#sound.hidden || words === this.#soundWords) return;
    this.#soundWords = words;
    this.#sound.classList.toggle("is-info", model.blocked);
    if (model.blocked) {
      this.#sound.replaceChildren(icon("info"), h("span", {}, "The browser wants a click before it lets this page make sound: click anywhere."));
    } else {
      this.#sound.replaceChildren(
        icon("alert"),
        h("span", {}, h("strong", {}, message), hint ? ` ${hint}` : null),
        button("sfa-button", "Try again", "", () => model.play(), icon("retry"), "Try again"),
        button("sfa-button is-quiet is-icon", "Dismiss", "", () => model.dismissAudioFailure(), icon("close")),
      );
    }
  }

  #setFollow(on: boolean): void {
    this.#scroll.follow = on;
    setAttribute(this.#follow, "aria-pressed", String(on));
    this.#scroll.reveal(this.#model.heard);
    this.#scroll.setRange(this.#model.range, this.#model.looping);
  }
}

function button(
  className: string,
  label: string,
  hint: string,
  clicked: () => void,
  ...children: (Node | string)[]
): HTMLButtonElement {
  const element = h("button", { type: "button", class: className, "aria-label": label, title: hint || null }, ...children);
  element.addEventListener("click", clicked);
  return element;
}

function fact(value: string, unit: string, label: string): HTMLElement {
  return h("span", { class: "sfa-pl-fact", title: label }, h("b", {}, value), h("small", {}, unit));
}

function progressOf(received: number, total: number | null): string {
  return total ? `${Math.round((received / total) * 100)} %` : bytes(received);
}

function loopText(model: PlayerModel): string {
  const { range, picture } = model;
  if (!range) return "Loop";
  const bars = (picture?.downbeats ?? []).filter((time) => time >= range.start - 0.03 && time < range.end - 0.03).length;
  const onBars = (picture?.downbeats ?? []).some((time) => Math.abs(time - range.start) < 0.03)
    && (picture?.downbeats ?? []).some((time) => Math.abs(time - range.end) < 0.03);
  if (onBars) return bars === 1 ? "1 bar" : `${bars} bars`;
  return `${(range.end - range.start).toFixed(1)} s`;
}
