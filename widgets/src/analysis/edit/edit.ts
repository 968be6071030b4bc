/** Puts right what the analysis got wrong: beat grid, key, sections and cues, at the playhead. */

import { type Bridge, describe, isAbort } from "../../bridge";
import { append, h, setAttribute, setText, uniqueId } from "../../dom";
import { position as clockText } from "../../format";
import { icon } from "../../icons";
import { keyChip, setKeyChip } from "../../parts";
import type { PlayerModel } from "../../player/model";
import type { CorrectionKind, CorrectionValues, Cue, FullAnalysis } from "../../types";
import { snap } from "../../waveform/grid";
import { marksOf, title, typeColour } from "../../waveform/song";
import type { AnalysisData } from "../data";
import { foldable } from "../fold";
import { beatsPerMinute } from "../words";
import "./edit.css";
import { boundaryNear, LABELS, merged, moved, NoChange, type Part, partAt, renamed, split } from "./form";
import { glyph } from "./glyphs";
import { KEYS } from "./keys";
import { Taps } from "./tap";

export interface EditOptions {
  bridge: Bridge;
  model: PlayerModel;
  data: AnalysisData;
  signal: AbortSignal;
  /** After a correction, an undo, or a change of the cues. */
  onData?(): void;
}

type Tab = CorrectionKind | "cues";

const TABS: readonly { name: Tab; label: string }[] = [
  { name: "grid", label: "Grid" }, { name: "key", label: "Key" },
  { name: "sections", label: "Sections" }, { name: "cues", label: "Cues" },
];
const CUE_TYPES = ["cue", "intro", "vocal", "build", "drop", "break", "loop", "outro"] as const;
/** How long a failure is shown, in ms. */
const FAILURE_MS = 8000;
/** Presses that follow each other sooner are one shift of the grid, in ms. */
const NUDGE_PAUSE = 450;
const TEMPO = { min: 20, max: 400 };

/** Builds the tools inside `el`; they live until `signal` aborts. */
export function mountEdit(el: HTMLElement, options: EditOptions): void {
  new Editor(el, options);
}

class Editor {
  readonly #options: EditOptions;
  readonly #model: PlayerModel;
  readonly #data: AnalysisData;
  readonly #tabs = new Map<Tab, HTMLButtonElement>();
  readonly #panels = new Map<Tab, HTMLElement>();
  readonly #undoButton: HTMLButtonElement;
  readonly #note = h("p", { class: "sfa-ed-note", role: "status" });
  readonly #grid: GridTools;
  readonly #key: KeyTools;
  readonly #sections: SectionTools;
  readonly #cues: CueTools;
  #tab: Tab = "grid";
  #said = "";
  #failed = false;
  #forgetting: ReturnType<typeof setTimeout> | undefined;
  /** How cues that were changed here are taken back, and where corrections came between them; the newest last. */
  #done: ("correction" | (() => Promise<void>))[] = [];
  #queue: Promise<void> = Promise.resolve();
  #trackId: string | null = null;

  constructor(el: HTMLElement, options: EditOptions) {
    const { data, model, signal } = options;
    this.#options = options;
    this.#model = model;
    this.#data = data;
    this.#undoButton = tool("Undo", () => this.undo(), { symbol: glyph("undo"), hint: "Take the last change back (Ctrl+Z)" });
    this.#grid = new GridTools(this);
    this.#key = new KeyTools(this);
    this.#sections = new SectionTools(this);
    this.#cues = new CueTools(this);
    const list = h("div", { class: "sfa-ed-tabs", role: "tablist", "aria-label": "What to correct" });
    const parts: Record<Tab, HTMLElement> = {
      grid: this.#grid.element, key: this.#key.element, sections: this.#sections.element, cues: this.#cues.element,
    };
    for (const { name, label } of TABS) {
      const id = uniqueId("edit");
      const tab = h(
        "button", { type: "button", role: "tab", id, "aria-controls": `${id}-panel`, "data-tab": name },
        label, h("i", { class: "sfa-ed-dot", hidden: true, title: "Corrected by hand" }, h("span", { class: "sfa-sr" }, ", corrected by hand")),
      );
      tab.addEventListener("click", () => this.#show(name));
      const panel = h("div", { class: "sfa-ed-panel", role: "tabpanel", id: `${id}-panel`, "aria-labelledby": id }, parts[name]);
      this.#tabs.set(name, tab);
      this.#panels.set(name, panel);
      append(list, tab);
    }
    list.addEventListener("keydown", (event) => this.#walk(event));
    const heading = h("h3", {}, "Correct by hand");
    const root = h(
      "section", { class: "sfa-ed", "aria-label": "Correct by hand" },
      h("header", {}, heading, list, this.#undoButton),
      ...this.#panels.values(),
      this.#note,
    );
    root.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      if (event.target instanceof HTMLInputElement && event.target.value !== event.target.defaultValue) return;
      event.preventDefault();
      this.undo();
    });
    append(el, root);
    foldable(root, heading, "correct", el, signal);
    signal.addEventListener("abort", () => {
      clearTimeout(this.#forgetting);
      this.#grid.end();
      root.remove();
    }, { once: true });
    data.on("change", () => this.#dataChanged(), signal);
    model.on("track", () => this.#draw(), signal);
    model.engine.clock.subscribe(() => this.#sections.follow(), signal);
    this.#show("grid");
    this.#dataChanged();
  }

  get data(): AnalysisData {
    return this.#data;
  }

  get model(): PlayerModel {
    return this.#model;
  }

  get bridge(): Bridge {
    return this.#options.bridge;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  get analysis(): FullAnalysis | null {
    return this.#data.analysis;
  }

  /** Where the playhead is drawn, in s. */
  get playhead(): number {
    return this.#model.heard;
  }

  /** Sends a correction; what was asked for before it comes first. */
  correct<K extends CorrectionKind>(kind: K, value: CorrectionValues[K], answered?: () => void): void {
    this.run(async () => {
      try {
        await this.#data.correct(kind, value);
      } finally {
        answered?.();
      }
      this.#done.push("correction");
      return "";
    });
  }

  /** Changes the cues, and remembers how to take it back. */
  changeCues(change: () => Promise<Cue[]>, back: (before: Cue[], now: Cue[]) => Promise<Cue[]>, said: string): void {
    this.run(async () => {
      const before = this.#data.cues;
      const now = await change();
      this.#data.takeCues(now);
      this.#done.push(async () => this.#data.takeCues(await back(before, now)));
      return said;
    });
  }

  undo(): void {
    this.#grid.flush();
    this.run(async () => {
      const last = this.#done.pop();
      if (typeof last === "function") {
        await last();
        return "Taken back.";
      }
      const correction = this.#data.corrections.at(-1);
      if (!correction) return "There is nothing to take back.";
      await this.#data.undo();
      return `Taken back: the correction of the ${correction.kind}.`;
    });
  }

  /** One thing after the other; a failure becomes one sentence. */
  run(work: () => Promise<string>): void {
    const trackId = this.#data.trackId;
    this.#queue = this.#queue.then(async () => {
      if (trackId !== this.#data.trackId || this.signal.aborted) return;
      try {
        this.say(await work());
        this.#options.onData?.();
      } catch (error) {
        if (!isAbort(error)) this.fail(error);
      }
    }).finally(() => {
      this.#sync();
      this.#draw();
    });
    this.#draw();
  }

  say(text: string): void {
    clearTimeout(this.#forgetting);
    this.#said = text;
    this.#failed = false;
    this.#drawNote();
  }

  fail(error: unknown): void {
    const { message, hint } = describe(error);
    this.#said = [message, hint].filter(Boolean).join(" ");
    this.#failed = true;
    this.#drawNote();
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.say(""), FAILURE_MS);
  }

  /** The player shows this grid at once; `null` goes back to that of the data. */
  preview(analysis: FullAnalysis | null): void {
    if (this.#model.trackId !== this.#data.trackId || this.#data.status !== "ready") return;
    const { cues, corrections } = this.#data;
    this.#model.takeAnalysis(analysis ?? this.#data.analysis, cues, corrections.map(({ id }) => id));
  }

  #dataChanged(): void {
    if (this.#data.trackId !== this.#trackId) {
      this.#trackId = this.#data.trackId;
      this.#done = [];
      this.#grid.forget();
      this.say("");
    }
    this.#sync();
    this.#draw();
  }

  /** The player draws what is held here. */
  #sync(): void {
    const { analysis, cues } = this.#data;
    if (this.#grid.pending !== 0) this.#grid.preview();
    else if (this.#model.analysis !== analysis || this.#model.cues !== cues) this.preview(null);
  }

  #show(name: Tab): void {
    this.#grid.flush();
    this.#tab = name;
    for (const [tab, button] of this.#tabs) {
      setAttribute(button, "aria-selected", String(tab === name));
      button.tabIndex = tab === name ? 0 : -1;
    }
    for (const [tab, panel] of this.#panels) panel.hidden = tab !== name;
    this.say("");
  }

  #walk(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const at = TABS.findIndex(({ name }) => name === this.#tab);
    const next = (TABS[(at + step + TABS.length) % TABS.length] as (typeof TABS)[number]).name;
    this.#show(next);
    this.#tabs.get(next)?.focus();
  }

  #draw(): void {
    const { analysis } = this.#data;
    const ready = this.#data.status === "ready" && analysis !== null;
    for (const { name } of TABS) {
      const dot = this.#tabs.get(name)?.querySelector<HTMLElement>(".sfa-ed-dot");
      if (dot) dot.hidden = !ready || name === "cues" || !analysis.corrected.includes(name);
      const panel = this.#panels.get(name) as HTMLElement;
      panel.inert = !ready;
      panel.classList.toggle("is-off", !ready);
    }
    const { activeElement: focused } = document;
    this.#undoButton.disabled = this.#done.length === 0 && this.#data.corrections.length === 0;
    if (ready) {
      this.#grid.draw(analysis);
      this.#key.draw(analysis);
      this.#sections.draw(analysis);
      this.#cues.draw();
    }
    // A button that can do no more must not take the keyboard with it.
    const panel = this.#panels.get(this.#tab);
    if (focused instanceof HTMLButtonElement && focused.disabled && (focused === this.#undoButton || panel?.contains(focused))) {
      this.#tabs.get(this.#tab)?.focus({ preventScroll: true });
    }
    this.#drawNote();
  }

  #drawNote(): void {
    const { analysis, automatic } = this.#data;
    this.#note.classList.toggle("is-failed", this.#failed);
    setAttribute(this.#note, "role", this.#failed ? "alert" : "status");
    if (this.#said !== "") {
      const said = this.#failed ? h("span", {}, icon("alert"), this.#said) : h("span", {}, this.#said);
      if (this.#note.textContent !== this.#said || this.#note.childElementCount !== 1) this.#note.replaceChildren(said);
      if (this.#failed) return;
    } else this.#note.replaceChildren();
    if (!analysis || this.#tab === "cues" || !analysis.corrected.includes(this.#tab)) return;
    const found = automatic && foundWords(this.#tab, automatic);
    this.#note.replaceChildren(
      h("strong", { class: "sfa-ed-hand" }, glyph("hand"), "Corrected by hand"),
      h("span", {}, [found, this.#said].filter(Boolean).join(" ")),
    );
  }
}

/** "The analysis had found 64 BPM in 4/4." */
export function foundWords(kind: CorrectionKind, automatic: FullAnalysis): string {
  if (kind === "key") {
    return automatic.key === null ? "The analysis had found no key." : `The analysis had found ${automatic.key} (${automatic.camelot}).`;
  }
  if (kind === "sections") {
    const count = automatic.sections.length;
    return count === 0 ? "The analysis had found no sections." : `The analysis had found ${count === 1 ? "one section" : `${count} sections`}.`;
  }
  if (automatic.bpm === null || automatic.beats.length === 0) return "The analysis had found no beat.";
  const [first] = automatic.downbeats;
  const where = first === undefined ? "" : `, the first bar at ${first.toFixed(3)} s`;
  return `The analysis had found ${beatsPerMinute(automatic.bpm)} in ${automatic.beats_per_bar}/4${where}.`;
}

// Tools

interface ToolOptions {
  hint?: string;
  symbol?: Node;
  /** Where the words do not say it all. */
  label?: string;
}

function tool(text: string, pressed: (event: MouseEvent) => void, { hint, symbol, label }: ToolOptions = {}): HTMLButtonElement {
  const button = h(
    "button", { type: "button", class: "sfa-button", title: hint, "aria-label": label },
    symbol, text ? h("span", {}, text) : null,
  );
  button.addEventListener("click", pressed);
  return button;
}

function group(label: string, ...tools: (Node | null)[]): HTMLElement {
  return h("div", { class: "sfa-ed-group", role: "group", "aria-label": label }, h("span", { class: "sfa-ed-label", "aria-hidden": "true" }, label), ...tools);
}

class GridTools {
  readonly element: HTMLElement;
  readonly #editor: Editor;
  readonly #tempo = h("input", {
    type: "number", inputmode: "decimal", min: TEMPO.min, max: TEMPO.max, step: "0.01", "aria-label": "Tempo in beats per minute",
    title: "Type a tempo: a steady grid, held at the bar that is nearest to the playhead",
  });
  readonly #tap: HTMLButtonElement;
  readonly #useTap: HTMLButtonElement;
  readonly #metres: [3 | 4, HTMLButtonElement][];
  readonly #needGrid: HTMLButtonElement[];
  readonly #taps = new Taps();
  readonly #shift = h("output", { class: "sfa-ed-shift", "aria-live": "polite" });
  #pending = 0;
  /** Seconds of a shift that was sent and is not part of the data yet. */
  #flying = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(editor: Editor) {
    this.#editor = editor;
    const half = tool("½", () => this.#scale(0.5), { label: "Half the tempo", hint: "Half the tempo: every second beat goes" });
    const twice = tool("×2", () => this.#scale(2), { label: "Double the tempo", hint: "Double the tempo: a beat between each two" });
    this.#tap = tool("Tap", () => this.#tapped(), { hint: "Tap the tempo: at least four times, on the beat", label: "Tap the tempo" });
    this.#useTap = tool("", () => this.#takeTap(), { hint: "A steady grid of the tapped tempo" });
    this.#useTap.classList.add("is-primary");
    this.#useTap.hidden = true;
    const nudge = (ms: number) => tool(`${ms < 0 ? "−" : "+"}${Math.abs(ms)}`, () => this.#nudge(ms), {
      label: `All beats ${Math.abs(ms)} ms ${ms < 0 ? "earlier" : "later"}`,
      hint: `All beats ${Math.abs(ms)} ms ${ms < 0 ? "earlier" : "later"}`,
    });
    const nudges = [-10, -1, 1, 10].map(nudge);
    const one = tool("Beat 1 is here", () => this.#downbeat(), { hint: "The beat nearest to the playhead begins a bar" });
    this.#metres = ([3, 4] as const).map((beats) => [beats, tool(`${beats}/4`, () => this.#metre(beats), { label: `${beats} beats in a bar` })]);
    this.#needGrid = [half, twice, ...nudges, one, ...this.#metres.map(([, button]) => button)];
    this.#tempo.addEventListener("change", () => this.#typed());
    this.#tempo.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#typed();
      if (event.key === "Escape") this.#restore();
    });
    this.element = h(
      "div", { class: "sfa-ed-tools" },
      group("Tempo", half, h("span", { class: "sfa-ed-field" }, this.#tempo, h("small", {}, "BPM")), twice, this.#tap, this.#useTap),
      group("Shift, ms", h("span", { class: "sfa-ed-joined" }, ...nudges), this.#shift),
      group("Bar", one, h("span", { class: "sfa-ed-joined" }, ...this.#metres.map(([, button]) => button))),
    );
  }

  /** Seconds by which the grid is shown later than the data says. */
  get pending(): number {
    return Math.round((this.#pending + this.#flying) * 1000) / 1000;
  }

  /** Shows the shift that is under way. */
  preview(): void {
    const { analysis } = this.#editor;
    if (!analysis) return;
    const by = this.pending;
    const later = (times: number[]) => times.map((time) => time + by);
    this.#editor.preview({ ...analysis, beats: later(analysis.beats), downbeats: later(analysis.downbeats) });
  }

  draw({ bpm, beats, beats_per_bar }: FullAnalysis): void {
    const text = bpm === null ? "" : bpm.toFixed(2);
    if (this.#tempo.defaultValue !== text) {
      this.#tempo.defaultValue = text;
      this.#restore();
    }
    for (const button of this.#needGrid) {
      button.disabled = beats.length === 0;
    }
    for (const [count, button] of this.#metres) setAttribute(button, "aria-pressed", String(count === beats_per_bar));
    if (beats.length === 0) this.#tempo.placeholder = "none";
  }

  /** Sends the shift that waits for more presses. */
  flush(): void {
    clearTimeout(this.#timer);
    const shift = this.#pending;
    if (shift === 0) return;
    this.#pending = 0;
    this.#flying += shift;
    setText(this.#shift, "");
    // What was sent is part of the data as soon as it is answered, or of nothing at all.
    const { trackId } = this.#editor.data;
    this.#editor.correct("grid", { shift }, () => {
      if (trackId === this.#editor.data.trackId) this.#flying -= shift;
    });
  }

  /** Another track: nothing of this one is to be sent to it. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#pending = 0;
    this.#flying = 0;
    setText(this.#shift, "");
    this.#taps.clear();
    this.#showTap();
    this.#restore();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #restore(): void {
    this.#tempo.value = this.#tempo.defaultValue;
  }

  #scale(scale: 0.5 | 2): void {
    this.flush();
    this.#editor.correct("grid", { scale });
  }

  #nudge(ms: number): void {
    if (!this.#editor.analysis) return;
    const total = Math.round(this.#pending * 1000 + ms);
    this.#pending = total / 1000;
    setText(this.#shift, total === 0 ? "" : `${total > 0 ? "+" : "−"}${Math.abs(total)} ms`);
    this.preview();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), NUDGE_PAUSE);
  }

  #downbeat(): void {
    this.flush();
    const downbeat = this.#editor.playhead;
    this.#editor.correct("grid", { downbeat });
  }

  #metre(beats: 3 | 4): void {
    this.flush();
    if (this.#editor.analysis?.beats_per_bar === beats) return;
    this.#editor.correct("grid", { beats_per_bar: beats });
  }

  #typed(): void {
    if (this.#tempo.value === this.#tempo.defaultValue) return;
    const tempo = this.#tempo.valueAsNumber;
    if (!(tempo >= TEMPO.min && tempo <= TEMPO.max)) {
      this.#editor.fail(new NoChange(`A tempo is a number from ${TEMPO.min} to ${TEMPO.max} BPM.`));
      this.#restore();
      return;
    }
    this.#steady(tempo);
  }

  #tapped(): void {
    this.#taps.add(performance.now());
    this.#showTap();
  }

  #showTap(): void {
    const { count, tempo } = this.#taps;
    setText(this.#tap.querySelector("span") as Element, count === 0 || tempo !== null ? "Tap" : `Tap ${"·".repeat(count)}`);
    this.#useTap.hidden = tempo === null;
    if (tempo !== null) this.#useTap.replaceChildren(h("span", {}, `Use ${tempo.toFixed(1)}`));
    setAttribute(this.#useTap, "aria-label", tempo === null ? null : `Use the tapped tempo, ${tempo.toFixed(1)} BPM`);
  }

  #takeTap(): void {
    const { tempo } = this.#taps;
    if (tempo === null) return;
    this.#taps.clear();
    this.#showTap();
    this.#tap.focus();
    this.#steady(Math.round(tempo * 10) / 10);
  }

  /** One tempo for the whole song; the grid stays where it is at the playhead. */
  #steady(tempo: number): void {
    this.flush();
    const { analysis, playhead } = this.#editor;
    const anchor = snap(analysis?.downbeats ?? [], playhead);
    const first = Math.max(0, Math.min(anchor, Math.max(0, (analysis?.duration_s ?? 0) - 0.1)));
    this.#editor.correct("grid", { tempo, first_beat: first });
  }
}

class KeyTools {
  readonly element: HTMLElement;
  readonly #editor: Editor;
  readonly #chips: HTMLButtonElement[];
  readonly #name = h("span", { class: "sfa-ed-key" });
  readonly #back: HTMLButtonElement;
  readonly #chip = keyChip(null, null);

  constructor(editor: Editor) {
    this.#editor = editor;
    this.#chips = KEYS.map(({ name, camelot }, index) => {
      const chip = keyChip(camelot, name);
      const button = h("button", {
        type: "button", role: "radio", tabindex: -1, "aria-label": `${name}, ${camelot}`, title: name, "data-key": name,
      }, chip);
      chip.removeAttribute("title");
      button.addEventListener("click", () => this.#choose(name));
      button.addEventListener("focus", () => this.#hold(index));
      return button;
    });
    const wheel = h("div", { class: "sfa-ed-wheel", role: "radiogroup", "aria-label": "Key" }, ...this.#chips);
    wheel.addEventListener("keydown", (event) => this.#walk(event));
    this.#back = tool("As analysed", () => this.#clear(), { hint: "Back to the key that the analysis found" });
    this.element = h("div", { class: "sfa-ed-tools" }, wheel, h("div", { class: "sfa-ed-group" }, this.#chip, this.#name, this.#back));
  }

  draw({ key, camelot, corrected }: FullAnalysis): void {
    const { automatic } = this.#editor.data;
    const chosen = KEYS.findIndex((each) => each.camelot === camelot);
    for (const [index, button] of this.#chips.entries()) {
      setAttribute(button, "aria-checked", String(index === chosen));
      const found = KEYS[index]?.camelot === automatic?.camelot;
      button.classList.toggle("is-found", found);
      setAttribute(button, "title", `${KEYS[index]?.name}${found ? ", as the analysis found" : ""}`);
    }
    if (!this.#chips.some((button) => button === document.activeElement)) this.#hold(Math.max(0, chosen));
    setKeyChip(this.#chip, camelot, key);
    setText(this.#name, key ?? "No key");
    this.#back.hidden = !corrected.includes("key") || automatic?.key == null;
  }

  #hold(index: number): void {
    for (const [at, button] of this.#chips.entries()) button.tabIndex = at === index ? 0 : -1;
  }

  /** Across the wheel by fifths, down to the relative key. */
  #walk(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = this.#chips.indexOf(event.target as HTMLButtonElement);
    const to = {
      ArrowRight: (at + 2) % 24, ArrowLeft: (at + 22) % 24, ArrowDown: at ^ 1, ArrowUp: at ^ 1, Home: 0, End: 23,
    }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    this.#chips[to]?.focus();
  }

  #choose(key: string): void {
    if (this.#editor.analysis?.key === key) return;
    this.#editor.correct("key", { key });
  }

  #clear(): void {
    const { data } = this.#editor;
    // A correction that is the newest one is better taken back than covered by another.
    const mine = data.corrections.filter(({ kind }) => kind === "key");
    if (mine.length === 1 && data.corrections.at(-1)?.kind === "key") this.#editor.undo();
    else if (data.automatic?.key) this.#choose(data.automatic.key);
  }
}

class SectionTools {
  readonly element: HTMLElement;
  readonly #editor: Editor;
  readonly #name = h("select", { "aria-label": "Name of the section at the playhead" },
    ...LABELS.map((label) => h("option", { value: label }, title(label))));
  readonly #where = h("span", { class: "sfa-ed-where" });
  readonly #snap: HTMLButtonElement;
  readonly #merge: HTMLButtonElement;
  readonly #move: HTMLButtonElement;
  readonly #free: HTMLButtonElement[];
  #bars = true;
  #shown = "";

  constructor(editor: Editor) {
    this.#editor = editor;
    this.#name.addEventListener("change", () => this.#change((parts, time) => renamed(parts, time, this.#name.value), this.#editor.playhead));
    const at = (change: (parts: Part[], time: number) => Part[]) => (event: MouseEvent) => this.#change(change, this.#place(event.altKey));
    const splitHere = tool("Split here", at(split), { symbol: glyph("split"), hint: "A boundary at the playhead, on the nearest bar (Alt: exactly here)" });
    this.#merge = tool("Merge with next", () => this.#change(merged, this.#editor.playhead), { symbol: glyph("merge") });
    this.#move = tool("Move boundary here", at(moved), { symbol: glyph("move"), hint: "The nearest boundary goes to the playhead, on the nearest bar (Alt: exactly here)" });
    this.#snap = tool("Snap to bars", () => this.#toggle(), { hint: "Boundaries fall on bars; Alt does the opposite" });
    setAttribute(this.#snap, "aria-pressed", "true");
    this.#free = [splitHere, this.#merge, this.#move];
    this.element = h(
      "div", { class: "sfa-ed-tools" },
      h("div", { class: "sfa-ed-group sfa-ed-named", role: "group", "aria-label": "Section at the playhead" },
        h("span", { class: "sfa-ed-label", "aria-hidden": "true" }, "At the playhead"), this.#name, this.#where),
      h("div", { class: "sfa-ed-group", role: "group", "aria-label": "Boundaries" }, splitHere, this.#merge, this.#move, this.#snap),
    );
  }

  draw({ sections, duration_s }: FullAnalysis): void {
    this.#shown = "";
    for (const button of this.#free) button.disabled = duration_s <= 0;
    this.#merge.disabled = sections.length < 2;
    this.#move.disabled = sections.length < 2;
    this.follow();
  }

  /** What is at the playhead now. */
  follow(): void {
    const parts = this.#parts();
    const time = this.#editor.playhead;
    const index = partAt(parts, time);
    const part = parts[index];
    const boundary = boundaryNear(parts, time);
    const shown = part ? `${index} ${part.label} ${part.start} ${part.end} ${boundary}` : "none";
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#name.disabled = !part;
    if (part && document.activeElement !== this.#name) this.#name.value = part.label;
    this.#name.style.setProperty("--tone", part ? `var(${typeColour(part.label)})` : "transparent");
    setText(this.#where, part ? `${clockText(part.start)} to ${clockText(part.end)}` : "");
    setAttribute(this.#move, "aria-label", boundary === null ? null : `Move the boundary at ${clockText(boundary)} here`);
  }

  #parts(): Part[] {
    const { analysis } = this.#editor;
    if (!analysis) return [];
    if (analysis.sections.length > 0) return analysis.sections;
    // Nothing was found: the whole song is one section to begin with.
    return [{ start: 0, end: analysis.duration_s, label: "verse" }];
  }

  #place(other: boolean): number {
    const { analysis, playhead } = this.#editor;
    return this.#bars !== other ? snap(analysis?.downbeats ?? [], playhead) : playhead;
  }

  #toggle(): void {
    this.#bars = !this.#bars;
    setAttribute(this.#snap, "aria-pressed", String(this.#bars));
  }

  #change(change: (parts: Part[], time: number) => Part[], time: number): void {
    try {
      this.#editor.correct("sections", { sections: change(this.#parts(), time) });
    } catch (error) {
      if (!(error instanceof NoChange)) throw error;
      this.#editor.fail(error);
    }
  }
}

class CueTools {
  readonly element: HTMLElement;
  readonly #editor: Editor;
  readonly #type = h("select", { "aria-label": "Type of the new cue" }, ...CUE_TYPES.map((type) => h("option", { value: type }, title(type))));
  readonly #label = h("input", { type: "text", maxlength: 60, placeholder: "Label", "aria-label": "Label of the new cue", dir: "auto" });
  readonly #list = h("ul", { class: "sfa-ed-cues", "aria-label": "Cues" });
  #shown = "";

  constructor(editor: Editor) {
    this.#editor = editor;
    const add = tool("Add at the playhead", () => this.#add(), { symbol: icon("plus") });
    this.#label.addEventListener("keydown", (event) => { if (event.key === "Enter") this.#add(); });
    this.element = h("div", { class: "sfa-ed-tools is-column" },
      h("div", { class: "sfa-ed-group", role: "group", "aria-label": "New cue" }, this.#type, this.#label, add), this.#list);
  }

  draw(): void {
    const { cues } = this.#editor.data;
    const shown = JSON.stringify(cues);
    if (shown === this.#shown) return;
    this.#shown = shown;
    // Whoever is typing or has the focus goes on where they were.
    const active = document.activeElement;
    const row = [...this.#list.children].findIndex((item) => item.contains(active));
    const place = row < 0 ? -1 : [...(this.#list.children[row] as Element).children].indexOf(active as Element);
    const typed = active instanceof HTMLInputElement && active.value !== active.defaultValue ? active.value : null;
    const marks = marksOf(cues);
    const sorted = [...cues].sort((one, other) => one.time - other.time);
    this.#list.replaceChildren(...sorted.map((cue, index) => this.#row(cue, marks[index]?.number ?? 0, marks[index]?.colour ?? "")));
    if (row < 0) return;
    const again = this.#list.children[Math.min(row, sorted.length - 1)]?.children[place];
    if (again instanceof HTMLInputElement && typed !== null) again.value = typed;
    (again instanceof HTMLElement ? again : this.#label).focus();
  }

  #row(cue: Cue, number: number, colour: string): HTMLElement {
    const { model } = this.#editor;
    const name = cue.label || title(cue.type);
    const go = h("button", { type: "button", class: "sfa-ed-go", title: cue.reason, "aria-label": `To cue ${number}, ${clockText(cue.time)}` },
      h("b", {}, String(number)), h("small", {}, clockText(cue.time)));
    go.style.setProperty("--tone", colour.startsWith("--") ? `var(${colour})` : colour);
    go.addEventListener("click", () => model.seek(cue.time));
    const label = h("input", { type: "text", maxlength: 60, value: cue.label, placeholder: title(cue.type), "aria-label": `Label of cue ${number}`, dir: "auto" });
    label.addEventListener("change", () => this.#rename(cue, label.value.trim()));
    label.addEventListener("keydown", (event) => {
      if (event.key === "Enter") label.blur();
      if (event.key !== "Escape") return;
      label.value = cue.label;
      label.blur();
    });
    const remove = h("button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": `Remove ${name}`, title: "Remove, with undo" }, icon("trash"));
    remove.addEventListener("click", () => this.#remove(cue));
    return h("li", {}, go, label, remove);
  }

  #add(): void {
    const { data, bridge, signal, playhead } = this.#editor;
    const id = data.trackId;
    if (id === null) return;
    const label = this.#label.value.trim();
    const type = this.#type.value;
    this.#editor.changeCues(
      async () => {
        const { result } = await bridge.request("cue.add", { id, time: playhead, label: label || title(type), type }, { signal });
        this.#label.value = "";
        return result.cues;
      },
      async (before, now) => {
        const known = new Set(before.map((cue) => cue.id));
        const added = now.find((cue) => !known.has(cue.id));
        return added ? (await bridge.request("cue.remove", { cue: added.id }, { signal })).result.cues : now;
      },
      `Added a cue at ${clockText(playhead)}.`,
    );
  }

  #rename(cue: Cue, label: string): void {
    if (label === cue.label) return;
    const { bridge, signal } = this.#editor;
    const named = (text: string) => async () => (await bridge.request("cue.change", { cue: cue.id, label: text }, { signal })).result.cues;
    this.#editor.changeCues(named(label), named(cue.label), `Renamed the cue at ${clockText(cue.time)}.`);
  }

  #remove(cue: Cue): void {
    const { data, bridge, signal } = this.#editor;
    const id = data.trackId;
    if (id === null) return;
    const { time, label, type } = cue;
    this.#editor.changeCues(
      async () => (await bridge.request("cue.remove", { cue: cue.id }, { signal })).result.cues,
      async () => (await bridge.request("cue.add", { id, time, label, type }, { signal })).result.cues,
      `Removed ${label || title(type)}.`,
    );
  }
}
