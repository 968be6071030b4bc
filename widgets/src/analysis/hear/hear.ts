/** What the analysis says, to be heard beside the song: its beats, its key, and two of its sections in turn. */

import type { Bridge } from "../../bridge";
import { append, h, setAttribute, setText, uniqueId } from "../../dom";
import { levelText } from "../../engine";
import { Clicks } from "../../engine/clicks";
import { Tone, triad } from "../../engine/tone";
import { duration as wholeTime } from "../../format";
import { keyChip, setKeyChip } from "../../parts";
import { Fader } from "../../player/fader";
import type { PlayerModel } from "../../player/model";
import type { Section } from "../../types";
import type { Range } from "../../waveform/song";
import type { AnalysisData } from "../data";
import { glyph } from "../edit/glyphs";
import "../edit/edit.css";
import { foldable } from "../fold";
import { covering } from "../words";
import "./hear.css";
import { levelOf, matched, names, pair, sameBar } from "./level";

export interface HearOptions {
  bridge: Bridge;
  model: PlayerModel;
  data: AnalysisData;
  signal: AbortSignal;
}

/** A fader's place to a linear gain: the top is 0 dB. */
const TAPER = 3;
const LOUD = { clicks: 0.75, tone: 0.6 };
/** How often the tone looks where the song is, in ms. */
const LOOK_MS = 50;
/** While the song rests, a tone is only tried, for so long, in ms. */
const TRY_MS = 2500;
/** Ends of ranges this close are the same, in s: the engine puts them on sample frames. */
const SAME = 0.002;

type Side = "a" | "b";

/** Builds the switches inside `el`; they live until `signal` aborts. */
export function mountHear(el: HTMLElement, options: HearOptions): void {
  const { model, data, signal } = options;
  const root = h("section", { class: "sfa-he", "aria-label": "Hear it" });
  const heading = h("h3", {}, "Hear it");
  const clicks = clicksControl(model, signal);
  const tone = toneControl(model, data, signal);
  const compare = compareControl(model, data, signal);
  append(root, heading, clicks.element, tone.element, compare.element);
  append(el, root);
  foldable(root, heading, "hear", el, signal);
  // In another view nobody could switch off what is added to the song.
  const seen = new ResizeObserver(() => {
    const away = root.closest("[hidden]") !== null;
    clicks.rest(away);
    tone.rest(away);
  });
  seen.observe(root);
  signal.addEventListener("abort", () => {
    seen.disconnect();
    root.remove();
  }, { once: true });

  const region = el.closest<HTMLElement>(".sfa-view") ?? el.closest<HTMLElement>(".sfa") ?? el;
  region.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("input, textarea, select, [contenteditable]:not([contenteditable=false])")) return;
    const press = { c: clicks.toggle, t: tone.toggle, a: () => compare.play("a"), b: () => compare.play("b") }[event.key.toLowerCase()];
    if (!press || root.inert || root.closest("[hidden]")) return;
    event.preventDefault();
    press();
  }, { signal });

  const draw = () => {
    const ready = data.status === "ready" && data.analysis !== null && data.trackId === model.trackId && model.status === "ready";
    root.inert = !ready;
    root.classList.toggle("is-off", !ready);
    clicks.draw(ready);
    tone.draw(ready);
    compare.draw(ready);
  };
  data.on("change", draw, signal);
  model.on("track", draw, signal);
  model.on("state", () => compare.follow(), signal);
  draw();
}

function toggle(text: string, hint: string, symbol: Node): HTMLButtonElement {
  return h("button", { type: "button", class: "sfa-button", "aria-pressed": "false", title: hint }, symbol, h("span", {}, text));
}

function levelFader(label: string, value: number, changed: (gain: number) => void, signal: AbortSignal): Fader {
  return new Fader({
    label, value, reset: value, signal,
    text: (place) => levelText(place ** TAPER),
    changed: (place) => changed(place ** TAPER),
  });
}

interface Control {
  element: HTMLElement;
  toggle(): void;
  /** While it rests nothing sounds; it goes on afterwards. */
  rest(on: boolean): void;
  draw(ready: boolean): void;
}

function clicksControl(model: PlayerModel, signal: AbortSignal): Control {
  const clicks = new Clicks(model.engine, LOUD.clicks ** TAPER, signal);
  const button = toggle("Clicks", "A click on every beat, higher on the first of a bar (C)", glyph("metronome"));
  const fader = levelFader("Level of the clicks", LOUD.clicks, (gain) => { clicks.level = gain; }, signal);
  let wanted = false;
  let resting = false;
  let beats: readonly number[] | null = null;
  const sound = () => {
    // Another song of the page is not ours to click along with.
    clicks.on = wanted && !resting && model.here;
  };
  const set = (on: boolean) => {
    wanted = on;
    sound();
    setAttribute(button, "aria-pressed", String(on));
  };
  const press = () => {
    if (!button.disabled) set(!wanted);
  };
  button.addEventListener("click", press);
  model.on("state", sound, signal);
  return {
    element: h("div", { class: "sfa-he-group", role: "group", "aria-label": "Clicks" }, button, fader.element),
    toggle: press,
    rest(away) {
      resting = away;
      sound();
    },
    draw(ready) {
      const { picture } = model;
      button.disabled = !ready || !picture || picture.beats.length === 0;
      if (button.disabled) set(false);
      if (!picture || picture.beats === beats) return;
      beats = picture.beats;
      clicks.setGrid(picture.beats, picture.downbeats);
    },
  };
}

function toneControl(model: PlayerModel, data: AnalysisData, signal: AbortSignal): Control {
  const tone = new Tone(model.engine, LOUD.tone ** TAPER, signal);
  const chip = keyChip(null, null);
  const button = toggle("Tone", "The chord of the key, tuned as the song (T)", glyph("tone"));
  append(button, chip);
  const fader = levelFader("Level of the tone", LOUD.tone, (gain) => { tone.level = gain; }, signal);
  const what = h(
    "select", { "aria-label": "What the tone follows", title: "The tone follows the key, or each chord" },
    h("option", { value: "key" }, "Key"), h("option", { value: "chords" }, "Chords"),
  );
  let on = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  let tryUntil = 0;
  let resting = false;
  const name = (): string => {
    const { analysis } = data;
    if (!analysis) return "";
    const place = model.position;
    if (what.value === "chords") return covering(analysis.chords, place)?.label ?? "";
    return covering(analysis.keys, place)?.key ?? analysis.key ?? "";
  };
  const look = () => {
    const sounding = on && !resting && (model.playing || performance.now() < tryUntil);
    tone.play(sounding ? triad(name(), data.analysis?.tuning_cents ?? 0) : []);
  };
  const set = (next: boolean) => {
    if (next === on) return;
    on = next;
    clearInterval(timer);
    if (on) {
      timer = setInterval(look, LOOK_MS);
      tryUntil = model.playing ? 0 : performance.now() + TRY_MS;
    }
    look();
    setAttribute(button, "aria-pressed", String(on));
  };
  const press = () => {
    if (!button.disabled) set(!on);
  };
  button.addEventListener("click", press);
  what.addEventListener("change", look);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  return {
    element: h("div", { class: "sfa-he-group", role: "group", "aria-label": "Tone" }, button, what, fader.element),
    toggle: press,
    rest(away) {
      resting = away;
      look();
    },
    draw(ready) {
      const analysis = ready ? data.analysis : null;
      const chords = (analysis?.chords.length ?? 0) > 0;
      what.hidden = !chords;
      if (!chords) what.value = "key";
      setKeyChip(chip, analysis?.camelot ?? null, analysis?.key ?? null);
      button.disabled = !chords && analysis?.key == null;
      if (button.disabled) set(false);
      look();
    },
  };
}

interface Compare {
  element: HTMLElement;
  play(side: Side): void;
  draw(ready: boolean): void;
  /** The song went elsewhere: the comparison is over. */
  follow(): void;
}

function compareControl(model: PlayerModel, data: AnalysisData, signal: AbortSignal): Compare {
  const id = uniqueId("compare");
  const selects = { a: h("select", { "aria-label": "Section A" }), b: h("select", { "aria-label": "Section B" }) };
  const buttons = { a: side("a"), b: side("b") };
  const match = toggle("Match levels", "The louder one comes down, so that the ear does not choose the louder one", glyph("switch"));
  setAttribute(match, "aria-pressed", "true");
  const note = h("span", { class: "sfa-he-note", id, role: "status" });
  const element = h(
    "div", { class: "sfa-he-group sfa-he-compare", role: "group", "aria-label": "Compare two sections", "aria-describedby": id },
    h("span", { class: "sfa-he-side" }, buttons.a, selects.a), h("span", { class: "sfa-he-side" }, buttons.b, selects.b), match, note,
  );
  let equal = true;
  let heard: Side | null = null;
  /** What the song was sent to: while it stays there, the comparison goes on. */
  let range: Range | null = null;
  let shown = "";

  function side(name: Side): HTMLButtonElement {
    const button = h("button", {
      type: "button", class: "sfa-button sfa-he-ab", "aria-pressed": "false",
      title: `Hear section ${name.toUpperCase()}, from the same place of the bar (${name.toUpperCase()})`,
    }, name.toUpperCase());
    button.addEventListener("click", () => play(name));
    return button;
  }
  const sections = () => data.analysis?.sections ?? [];
  const chosen = (name: Side): Section | null => sections()[Number(selects[name].value)] ?? null;
  const levels = (): [number | null, number | null] => {
    const curve = data.curve("loudness.momentary");
    const of = (section: Section | null) => (curve && section ? levelOf(curve, section.start, section.end) : null);
    return [of(chosen("a")), of(chosen("b"))];
  };
  const trimOf = (name: Side): number => (equal ? matched(...levels())[name === "a" ? 0 : 1] : 1);

  function play(name: Side): void {
    const to = chosen(name);
    if (!to || buttons[name].disabled) return;
    const { engine } = model;
    const from = heard && heard !== name ? chosen(heard) : null;
    const goesOn = heard === name && model.playing;
    const there = { start: to.start, end: to.end };
    const trim = trimOf(name);
    // What the song does on its way there is no end of the comparison.
    range = null;
    heard = name;
    if (goesOn) {
      engine.trim = trim;
    } else if (model.here) {
      const downbeats = model.picture?.downbeats ?? [];
      engine.switchTo((place) => (from ? sameBar(place, from, to, downbeats) : to.start), there, trim);
      if (!model.playing) model.play();
    } else {
      model.setRange(there);
      model.setLooping(true);
      model.seek(to.start);
      model.play();
      engine.trim = trim;
    }
    range = there;
    show();
  }

  function end(): void {
    if (heard === null) return;
    heard = null;
    range = null;
    if (model.here) model.engine.trim = 1;
    show();
  }

  function show(): void {
    for (const name of ["a", "b"] as const) setAttribute(buttons[name], "aria-pressed", String(heard === name));
    const [a, b] = levels();
    const difference = a !== null && b !== null ? b - a : null;
    if (difference === null) setText(note, "");
    else if (Math.abs(difference) < 0.05) setText(note, "Both are equally loud.");
    else {
      const [louder, by] = [difference > 0 ? "B" : "A", Math.abs(difference).toFixed(1)];
      setText(note, `${louder} is ${by} dB louder${equal ? ": it plays lower by that." : "."}`);
    }
  }

  match.addEventListener("click", () => {
    equal = !equal;
    setAttribute(match, "aria-pressed", String(equal));
    if (heard) model.engine.trim = trimOf(heard);
    show();
  });
  for (const name of ["a", "b"] as const) {
    selects[name].addEventListener("change", () => {
      if (heard === name) {
        heard = null; // another section begins at its own start
        play(name);
      } else if (heard) model.engine.trim = trimOf(heard);
      show();
    });
  }
  signal.addEventListener("abort", end, { once: true });
  return {
    element,
    play,
    draw(ready) {
      const list = ready ? sections() : [];
      const enough = list.length > 1;
      element.hidden = !enough;
      if (!enough) end();
      const now = list.map(({ label, start, end: last }) => `${label} ${start} ${last}`).join();
      if (now === shown) {
        show();
        return;
      }
      shown = now;
      end();
      const labels = names(list);
      const first = pair(list);
      for (const [at, name] of (["a", "b"] as const).entries()) {
        selects[name].replaceChildren(...list.map(({ start }, index) =>
          h("option", { value: index }, `${labels[index]}, ${wholeTime(start)}`)));
        if (first) selects[name].value = String(first[at]);
      }
      show();
    },
    follow() {
      if (heard === null || !range) return;
      const { range: now, looping } = model;
      const same = now && Math.abs(now.start - range.start) < SAME && Math.abs(now.end - range.end) < SAME;
      if (!model.here || !looping || !same) end();
    },
  };
}
