/** The pictures of an analysis: a song, or two, seen as a whole and in every moment. */

import type { Bridge } from "../bridge";
import { append, h, setAttribute, setText } from "../dom";
import { duration as wholeTime, position as clockText } from "../format";
import { icon, type IconName } from "../icons";
import { CoverArt } from "../media";
import { keyChip, tileTone } from "../parts";
import { glyph } from "../player/glyphs";
import { listenForKeys } from "../player/keys";
import { PlayerModel } from "../player/model";
import { showPlay } from "../player/play";
import { Task } from "../player/work";
import type { State } from "../widget";
import { Overview } from "../waveform/overview";
import { snap } from "../waveform/grid";
import "./analysis.css";
import { type Alignment, ALIGNMENTS, differences, shiftOf } from "./compare";
import { AnalysisData } from "./data";
import { mountEdit } from "./edit/edit";
import { mountHear } from "./hear/hear";
import { type PictureName, PICTURES, TITLES } from "./picture";
import { Radar } from "./radar";
import { LaneStack } from "./stack";
import { beatsPerMinute, figure, known, list, loudness, percent, sharps } from "./words";

export interface MountOptions {
  signal: AbortSignal;
  /** Traits of a notebook widget: `compare_id` and `pictures` go both ways. */
  state?: State;
  /** The page's player; without one the view has its own, with its buttons. */
  model?: PlayerModel;
}

export interface AnalysisHandle {
  readonly model: PlayerModel;
  readonly data: AnalysisData;
  /** Shows a second song under the first, or none. */
  compare(trackId: string | null): void;
}

const CORRECTED: Record<string, string> = { grid: "beat grid", key: "key", sections: "sections" };

/** Builds the pictures inside `el`; they live until `signal` aborts. */
export function mountAnalysis(el: HTMLElement, bridge: Bridge, options: MountOptions): AnalysisHandle {
  const model = options.model ?? new PlayerModel(bridge, options.signal);
  const view = new AnalysisView(el, bridge, model, options);
  if (!options.model) listenForKeys(el, model, options.signal);
  return { model, data: view.data, compare: (trackId) => view.compare(trackId) };
}

class AnalysisView {
  readonly data: AnalysisData;
  readonly #other: AnalysisData;
  readonly #model: PlayerModel;
  readonly #state: State | undefined;
  readonly #own: boolean;
  readonly #root: HTMLElement;
  readonly #art: CoverArt;
  readonly #head = h("header", { class: "sfa-an-song" });
  readonly #second = h("header", { class: "sfa-an-song is-second" });
  readonly #message = h("div", { class: "sfa-an-message" });
  readonly #notice = h("div", { class: "sfa-an-notice" });
  readonly #sound = h("div", { class: "sfa-an-sound", role: "alert" });
  readonly #differences = h("table", { class: "sfa-an-differences" });
  readonly #tools = h("div", { class: "sfa-an-tools" });
  readonly #body: HTMLElement;
  readonly #overviewHost = h("div", { class: "sfa-an-overview", "aria-hidden": "true" });
  readonly #overview: Overview | null;
  readonly #stack: LaneStack;
  readonly #radar: Radar;
  readonly #play: HTMLButtonElement;
  readonly #loop: HTMLButtonElement;
  readonly #time = h("strong", { class: "sfa-an-time" }, "0:00.0");
  readonly #chips: Map<PictureName, HTMLButtonElement>;
  readonly #whole: HTMLButtonElement;
  #pictures: PictureName[] = [...PICTURES];
  #alignment: Alignment = "start";
  #task: Task | null = null;
  #renewal: Task | null = null;
  #taskOf: string | null = null;

  constructor(el: HTMLElement, bridge: Bridge, model: PlayerModel, { signal, state, model: given }: MountOptions) {
    this.#model = model;
    this.#state = state;
    this.#own = !given;
    this.data = new AnalysisData(bridge, signal);
    this.#other = new AnalysisData(bridge, signal);
    this.#art = new CoverArt(bridge, signal);
    const { clock } = model.engine;
    this.#radar = new Radar(clock, signal);
    this.#stack = new LaneStack({
      model, data: this.data, other: this.#other, signal,
      viewed: () => clock.wake(),
    });

    this.#play = button("sfa-an-play", "Play", "Play (space)", () => model.toggle(), "play");
    this.#loop = button("sfa-button is-quiet", "Loop", "Play the range again and again; without one, four bars", () => model.setLooping(!model.looping));
    append(this.#loop, glyph("loop"), h("span", {}, "Loop"));
    const closer = button("sfa-button is-quiet is-icon", "Zoom in", "Zoom in (+, or ctrl and wheel)", () => this.#stack.zoom(1 / 1.6));
    closer.append(glyph("zoomIn"));
    const wider = button("sfa-button is-quiet is-icon", "Zoom out", "Zoom out (−)", () => this.#stack.zoom(1.6));
    wider.append(glyph("zoomOut"));
    this.#whole = button("sfa-button is-quiet", "Whole song", "Show the whole song (0)", () => this.#stack.axis.showAll());
    this.#whole.append("Whole song");
    this.#chips = new Map(PICTURES.map((name) => {
      const chip = button("sfa-an-chip", TITLES[name], `Show or hide: ${TITLES[name]}`, () => this.#toggle(name));
      chip.append(TITLES[name]);
      return [name, chip];
    }));
    const bar = h(
      "div", { class: "sfa-an-bar" },
      this.#own ? h("span", { class: "sfa-an-transport" }, this.#play, this.#time) : null,
      this.#own ? this.#loop : null,
      h("span", { class: "sfa-an-chips", role: "group", "aria-label": "Pictures" }, ...this.#chips.values()),
      h("span", { class: "sfa-an-glass" }, this.#whole, wider, closer),
    );
    this.#body = h(
      "div", { class: "sfa-an-body" }, this.#notice, this.#sound, this.#radar.element, this.#differences, bar,
      this.#own ? this.#overviewHost : null, this.#tools, this.#stack.element,
    );
    this.#root = h(
      "div", { class: "sfa-analysis", tabindex: -1, role: "region", "aria-label": "Analysis" },
      this.#head, this.#second, this.#message, this.#body,
    );
    el.append(h("div", { class: "sfa-analysis-box" }, this.#root));
    mountHear(this.#tools, { bridge, model, data: this.data, signal });
    mountEdit(this.#tools, { bridge, model, data: this.data, signal });

    this.#overview = this.#own
      ? new Overview(this.#overviewHost, {
        clock, signal, marks: true,
        seek: (time, done) => {
          model.scrub(time, done);
          if (done) this.#stack.axis.reveal(time);
        },
        range: (range) => model.setRange(range),
        snap: (time) => snap(this.data.analysis?.beats ?? [], time),
      })
      : null;

    this.#root.addEventListener("pointerdown", () => model.preload(), { signal });
    // After the mouse, the keys belong to the pictures again and not to the button that was clicked.
    this.#root.addEventListener("click", (event) => {
      const pressed = event.target instanceof Element ? event.target.closest("button") : null;
      if (pressed && event.detail > 0) this.#root.focus({ preventScroll: true });
    }, { signal });
    this.#followState();
    this.data.on("change", () => this.#show());
    this.#other.on("change", () => this.#show());
    model.on("track", () => this.#showTrack(), signal);
    model.on("progress", () => this.#showWork(), signal);
    model.on("state", () => this.#showState(), signal);
    model.on("audio", () => this.#showSound(), signal);
    clock.subscribe((now) => this.#frame(now), signal);
    this.#showTrack();
    this.#show();
  }

  compare(trackId: string | null): void {
    void this.#other.load(trackId || null);
    if (this.#state && this.#state.get("compare_id") !== (trackId ?? "")) this.#state.set("compare_id", trackId ?? "");
  }

  get #comparing(): boolean {
    return this.#other.status !== "empty";
  }

  #followState(): void {
    const state = this.#state;
    if (!state) return;
    const applyPictures = () => {
      const chosen = state.get<string[] | null>("pictures") ?? PICTURES;
      this.#pictures = PICTURES.filter((name) => chosen.includes(name));
      this.#show();
    };
    state.on("pictures", applyPictures);
    state.on("compare_id", () => this.compare(state.get<string | null>("compare_id")));
    const chosen = state.get<string[] | null>("pictures");
    if (chosen) this.#pictures = PICTURES.filter((name) => chosen.includes(name));
    const other = state.get<string | null>("compare_id");
    if (other) this.compare(other);
  }

  #toggle(name: PictureName): void {
    const shown = new Set(this.#pictures);
    if (!shown.delete(name)) shown.add(name);
    this.#pictures = PICTURES.filter((picture) => shown.has(picture));
    this.#state?.set("pictures", [...this.#pictures]);
    this.#show();
  }

  #swap(): void {
    const [first, second] = [this.#model.trackId, this.#other.trackId];
    if (first === null || second === null) return;
    this.compare(first);
    void this.#model.open(second);
    this.#state?.set("track_id", second);
  }

  #frame(now: number): void {
    const model = this.#model;
    this.#radar.draw();
    this.#stack.draw(now);
    const time = model.heard;
    if (this.#overview) {
      const { axis } = this.#stack;
      this.#overview.window = axis.whole ? null : { start: axis.start, end: axis.end };
      this.#overview.draw(time);
    }
    this.#whole.disabled = this.#stack.axis.whole;
    if (this.#own) setText(this.#time, clockText(time));
  }

  /** The player has another track, or news of it. */
  #showTrack(): void {
    const model = this.#model;
    if (model.trackId !== this.data.trackId) void this.data.load(model.trackId);
    this.#overview?.show(model.picture);
    this.#showWork();
    this.#showState();
    this.#showSound();
  }

  #show(): void {
    const { data } = this;
    const ready = data.status === "ready" && data.analysis !== null;
    for (const name of ["empty", "loading", "ready", "failed"]) this.#root.classList.toggle(`is-${name}`, data.status === name);
    this.#root.classList.toggle("is-bare", !ready);
    this.#showMessage();
    this.#showSong(this.#head, data, this.#comparing ? "A" : "");
    this.#second.hidden = !this.#comparing;
    if (this.#comparing) this.#showSecond();
    this.#body.hidden = !ready;
    for (const [name, chip] of this.#chips) setAttribute(chip, "aria-pressed", String(this.#pictures.includes(name)));
    this.#radar.element.hidden = !this.#pictures.includes("features");
    this.#radar.show(data, this.#comparing ? this.#other : null);
    const beside = this.#comparing && this.#other.analysis !== null;
    this.#showDifferences(beside);
    this.#stack.shift = beside ? (shiftOf(data, this.#other, this.#alignment) ?? 0) : 0;
    if (ready) this.#stack.show(this.#pictures, beside);
    this.#showWork();
    this.#showState();
  }

  #showMessage(): void {
    const { data } = this;
    this.#message.hidden = data.status === "ready" && data.analysis !== null;
    if (data.status === "empty") {
      this.#message.replaceChildren(h("p", {}, "No song is open. Open one, and its pictures appear here."));
    } else if (data.status === "loading") {
      this.#message.replaceChildren(h("p", { class: "sfa-an-late", role: "status" }, "Opening the analysis…"));
    } else if (data.status === "failed") {
      const retry = button("sfa-button", "Try again", "", () => void data.refresh(), "retry");
      retry.append("Try again");
      // What was lost comes back by an analysis only.
      const lost = /analyse/i.test(data.failure?.hint ?? "") && this.#model.trackId === data.trackId;
      const anew = button("sfa-button", "Analyse", "", () => {
        anew.disabled = true;
        this.#model.run(["analyze", "autocue"]).catch(() => { anew.disabled = false; });
      }, "analyze");
      anew.append("Analyse");
      this.#message.replaceChildren(h(
        "div", { role: "alert" },
        h("p", {}, icon("alert"), h("strong", {}, data.failure?.message ?? "The analysis could not be opened.")),
        data.failure?.hint ? h("p", { class: "is-dim" }, data.failure.hint) : null, lost ? anew : null, retry,
      ));
    } else if (!data.analysis && this.#task && this.#message.firstChild !== this.#task.element) {
      this.#message.replaceChildren(this.#task.element);
    }
  }

  #showSong(host: HTMLElement, data: AnalysisData, letter: string): void {
    const { track, analysis } = data;
    host.hidden = !track;
    if (!track) return;
    const art = h("span", { class: "sfa-an-art", "aria-hidden": "true" }, track.title.trim().charAt(0).toUpperCase());
    art.style.setProperty("--tile", tileTone(track.id));
    if (track.art) {
      void this.#art.url(track.id).then((url) => {
        if (url) art.replaceChildren(h("img", { src: url, alt: "" }));
      });
    }
    const facts = h("span", { class: "sfa-an-facts" });
    if (analysis) {
      const other = analysis.bpm_alternative === null ? "" : ` It may also be felt as ${beatsPerMinute(analysis.bpm_alternative)}.`;
      if (analysis.bpm !== null) {
        append(facts, fact(beatsPerMinute(analysis.bpm), `${percent(analysis.bpm_confidence)} sure`, `Tempo.${other}`));
      }
      if (analysis.key !== null) {
        const second = analysis.key_alternative ? ` Second likeliest: ${analysis.key_alternative}.` : "";
        append(facts, h(
          "span", { class: "sfa-an-fact", title: `Key; ${analysis.open_key ?? "–"} in Open Key.${second}` },
          keyChip(analysis.camelot, analysis.key), h("b", {}, sharps(analysis.key)), h("small", {}, `${percent(analysis.key_confidence)} sure`),
        ));
      }
      const peak = `${figure(analysis.true_peak, 1)} dBTP`;
      if (known(analysis.lufs)) append(facts, fact(loudness(analysis.lufs), peak, "Integrated loudness, and the true peak"));
      else append(facts, known(analysis.true_peak) ? fact(peak, "too short or too soft for LUFS", "True peak") : fact("Silent", "", "There is nothing to hear"));
    }
    const corrected = analysis && analysis.corrected.length > 0
      ? h("span", { class: "sfa-an-corrected", title: "Put right by hand; the machine's own answer is kept beside it." },
        icon("check"), `${list(analysis.corrected.map((kind) => CORRECTED[kind] ?? kind))} corrected by hand`)
      : null;
    // Beside a player, which names the song already, only what the analysis says of it.
    if (!this.#own && !letter) {
      host.replaceChildren(...(corrected ? [corrected] : []), facts);
      return;
    }
    host.replaceChildren(
      ...(letter ? [h("b", { class: `sfa-an-letter is-${letter.toLowerCase()}` }, letter)] : []),
      art,
      h(
        "div", { class: "sfa-an-names" },
        h("h2", { title: track.title, dir: "auto" }, track.title),
        h("p", { title: track.artist, dir: "auto" }, `${track.artist || "Unknown artist"} · ${wholeTime(data.duration)}`),
      ),
      ...(corrected ? [corrected] : []), facts,
    );
  }

  #showSecond(): void {
    const other = this.#other;
    this.#showSong(this.#second, other, "B");
    this.#second.hidden = false;
    if (!other.track) {
      const text = other.status === "failed" ? (other.failure?.message ?? "The second song could not be opened.") : "Opening the second song…";
      this.#second.replaceChildren(h("b", { class: "sfa-an-letter is-b" }, "B"), h("p", { role: "status" }, text));
    } else if (!other.analysis) {
      append(this.#second, h("p", { class: "is-dim" }, "Not analysed yet: nothing to compare."));
    }
    const align = h("select", { "aria-label": "Align the two songs" });
    for (const [name, label] of Object.entries(ALIGNMENTS)) {
      const possible = shiftOf(this.data, other, name as Alignment) !== null;
      align.append(h("option", { value: name, selected: name === this.#alignment, disabled: !possible }, label));
    }
    align.addEventListener("change", () => {
      this.#alignment = align.value as Alignment;
      this.#show();
    });
    const swap = button("sfa-button is-quiet", "Swap the songs", "Make this one the first", () => this.#swap());
    swap.append("Swap");
    append(
      this.#second,
      h("span", { class: "sfa-an-second-tools" }, other.analysis ? align : null, other.track ? swap : null,
        button("sfa-button is-quiet is-icon", "Compare no longer", "Compare no longer", () => this.compare(null), "close")),
    );
  }

  #showDifferences(beside: boolean): void {
    this.#differences.hidden = !beside;
    if (!beside) return;
    const rows = differences(this.data, this.#other).map(({ label, first, second, words }) =>
      h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, first), h("td", {}, second), h("td", {}, words)));
    this.#differences.replaceChildren(
      h("caption", { class: "sfa-sr" }, "How the two songs differ"),
      h("thead", {}, h("tr", {}, h("td"), ...(["a", "b"] as const).map((letter) =>
        h("th", { scope: "col" }, h("b", { class: `sfa-an-letter is-${letter}` }, letter.toUpperCase()))), h("th", { scope: "col" }, "Together"))),
      h("tbody", {}, ...rows),
    );
  }

  /** What is missing, and how far the work on it is. */
  #showWork(): void {
    const { data } = this;
    const model = this.#model;
    if (data.trackId !== this.#taskOf) {
      this.#taskOf = data.trackId;
      this.#task = this.#renewal = null;
    }
    this.#notice.hidden = true;
    if (data.status !== "ready" || model.trackId !== data.trackId) return;
    if (!data.analysis) {
      if (!this.#task) {
        this.#task = new Task(model, {
          text: "Not analysed yet: tempo, key, structure and all pictures are still to come.",
          label: "Analyse", symbol: "analyze", stages: ["analyze", "autocue"],
        });
        this.#showMessage();
      }
      this.#task.update();
    } else if (data.outdated) {
      this.#renewal ??= new Task(model, {
        text: "This analysis is of an earlier version: it has numbers, but no curves to draw. Analyse the song again to see them.",
        label: "Analyse again", symbol: "analyze", stages: ["analyze", "autocue"],
      });
      this.#renewal.update();
      this.#notice.hidden = false;
      if (this.#notice.firstChild !== this.#renewal.element) this.#notice.replaceChildren(this.#renewal.element);
    }
  }

  #showState(): void {
    const model = this.#model;
    showPlay(this.#play, model);
    setAttribute(this.#loop, "aria-pressed", String(model.looping));
    setText(this.#loop.lastElementChild as Element, model.range ? this.#stack.rangeWords(model.range) : "Loop");
    if (this.#overview) this.#overview.range = model.range;
    this.#stack.setRange(model.range);
    model.engine.clock.wake();
  }

  #showSound(): void {
    const model = this.#model;
    const failure = this.#own ? model.audioFailure : null;
    const blocked = this.#own && model.blocked;
    this.#sound.hidden = !failure && !blocked;
    if (blocked) this.#sound.replaceChildren(icon("info"), "The browser wants a click before it lets this page make sound: click anywhere.");
    else if (failure) {
      const again = button("sfa-button", "Try again", "", () => model.play(), "retry");
      again.append("Try again");
      this.#sound.replaceChildren(icon("alert"), h("span", {}, h("strong", {}, failure.message), failure.hint ? ` ${failure.hint}` : null), again);
    }
  }
}

function button(className: string, label: string, hint: string, clicked: () => void, symbol?: IconName): HTMLButtonElement {
  const element = h("button", { type: "button", class: className, "aria-label": label, title: hint || null }, symbol ? icon(symbol) : null);
  element.addEventListener("click", clicked);
  return element;
}

function fact(value: string, small: string, label: string): HTMLElement {
  return h("span", { class: "sfa-an-fact", title: label }, h("b", {}, value), h("small", {}, small));
}
