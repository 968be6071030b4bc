/** The sets of stems of a song: which one is in the mixer, how good each is, and two of them beside each other. */

import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { gains, levelText, roleOf, type Side, type Stem } from "../engine";
import { ago, duration as wholeTime } from "../format";
import { icon } from "../icons";
import { stemLabel } from "../parts";
import { type PlayerModel, regionOf } from "../player/model";
import type { StripSlots } from "../player/stems";
import type { StemSet } from "../types";
import { Layer } from "../ui/layer";
import { type Match, matchLevels } from "./match";
import "./mixer.css";
import { reportView, residual } from "./report";

/** A preview of what nobody marked is this long, in s. */
const PREVIEW = 30;
/** A shorter range is a loop, and nothing to judge an engine by, in s. */
const SHORTEST = 2;
/** Smaller differences in level are not worth a word, in dB. */
const WORTH = 0.1;

/** Builds all of it into the slots of a strip; it lives as long as that. */
export function mountSets(strip: StripSlots): void {
  const { model, signal } = strip;
  const layer = strip.layer ?? new Layer(signal);
  const attempt = (work: () => Promise<void>) => {
    work().catch((error: unknown) => layer.failed(error, () => attempt(work)));
  };
  const list = setList(strip, layer, attempt);
  const visit = visitBar(model, attempt);
  const compare = compareBar(strip, attempt);
  const match = matchButton(model, signal);
  const take = takeButton(strip);
  strip.badge.replaceChildren(list.button);
  append(strip.tools, match, take.button);
  strip.below.append(visit.element, compare.element, list.element);

  const draw = () => {
    if (model.status !== "ready") return;
    list.draw();
    visit.draw();
    compare.draw();
    take.draw();
    warn(strip);
  };
  model.on("track", draw, signal);
  model.on("state", () => {
    list.place();
    compare.draw();
    warn(strip);
  }, signal);
  draw();
}

type Attempt = (work: () => Promise<void>) => void;

/** "0:45–1:15". */
export function span(set: StemSet): string {
  const region = regionOf(set);
  return region ? `${wholeTime(region.start)}–${wholeTime(region.end)}` : "";
}

/** What a preview would be of: what is marked, else the half minute around the playhead. */
export function previewRange(model: PlayerModel): [number, number] {
  const { range, duration } = model;
  if (range && range.end - range.start >= SHORTEST) return [range.start, range.end];
  const length = Math.min(PREVIEW, duration);
  const start = Math.max(0, Math.min(duration - length, model.position - length / 2));
  return [start, start + length];
}

// The list

function setList(strip: StripSlots, layer: Layer, attempt: Attempt) {
  const { model, separate } = strip;
  const id = uniqueId("sets");
  const name = h("span", { class: "sfa-badge" });
  const count = h("small");
  const button = h(
    "button",
    { type: "button", class: "sfa-sets-button", "aria-expanded": "false", "aria-controls": id, title: "Sets of stems: choose, compare, judge" },
    name, count, icon("down"),
  );
  const whole = h("ul");
  const previews = h("ul");
  const previewTitle = h("h4", {}, "Previews");
  const again = h("button", { type: "button", class: "sfa-button" }, icon("split"), "Separate again…");
  const here = h("button", { type: "button", class: "sfa-button" }, icon("plus"), h("span"));
  const element = h(
    "div", { class: "sfa-sets", id, role: "region", "aria-label": "Sets of stems", hidden: true },
    whole, previewTitle, previews,
    h("div", { class: "sfa-sets-foot", hidden: !separate }, again, here),
  );
  const open = new Set<string>();
  let shown = "";

  button.addEventListener("click", () => {
    element.hidden = !element.hidden;
    setAttribute(button, "aria-expanded", String(!element.hidden));
  });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    button.click();
    button.focus();
  });
  again.addEventListener("click", () => separate?.({ ids: [model.trackId as string], region: null }));
  here.addEventListener("click", () => separate?.({ ids: [model.trackId as string], region: previewRange(model) }));

  const action = (label: string, hint: string, run: () => Promise<void>, ...content: (Node | string)[]) => {
    const made = h("button", { type: "button", class: "sfa-button", title: hint, "aria-label": label }, ...content);
    made.addEventListener("click", () => attempt(run));
    return made;
  };
  const remove = async (set: StemSet) => {
    await model.keep(set.id, false);
    layer.toast("info", `Removed the stems by ${set.badge}${set.start === null ? "" : ` of ${span(set)}`}.`, {
      action: { label: "Undo", run: () => attempt(() => model.keep(set.id, true)) },
    });
  };
  const compare = async (set: StemSet) => {
    if (!model.fits(set.stems.length)) {
      layer.toast("warn", "This song is too long to hold two sets of stems in the browser.", { hint: "Compare them on a preview." });
      return;
    }
    await model.compare(set.id);
  };

  function row(set: StemSet): HTMLElement {
    const inMixer = set.id === model.set?.id;
    const preview = set.start !== null;
    const report = set.report;
    const detail = uniqueId("report");
    const words = set.stems.map(stemLabel).join(", ");
    const facts = [
      ago(set.created_at), words, set.seconds ? `took ${wholeTime(set.seconds)}` : "",
      set.minutes ? `${set.minutes} min billed` : "",
    ];
    const judge = report && h(
      "button",
      { type: "button", class: "sfa-link", "aria-expanded": String(open.has(set.id)), "aria-controls": detail },
      `Quality: ${residual(report)}`, report.warnings.length > 0 ? h("b", {}, icon("alert"), String(report.warnings.length)) : null,
      icon("down"),
    );
    const view = report && h("div", { id: detail, hidden: !open.has(set.id) }, reportView(set, report));
    judge?.addEventListener("click", () => {
      if (!open.delete(set.id)) open.add(set.id);
      (view as HTMLElement).hidden = !open.has(set.id);
      setAttribute(judge, "aria-expanded", String(open.has(set.id)));
    });
    const twin = model.sets.some(({ id, badge, start, end }) => id !== set.id && badge === set.badge && start === set.start && end === set.end);
    const about = `${set.badge}${preview ? ` of ${span(set)}` : ""}${twin ? `: ${words}` : ""}`;
    const comparable = model.comparable.some((other) => other.id === set.id) && model.other?.id !== set.id;
    return h(
      "li", { class: inMixer ? "is-here" : null },
      h(
        "div", { class: "sfa-set" },
        h(
          "div", { class: "sfa-set-names" },
          h("span", {},
            preview ? h("b", {}, span(set)) : null,
            h("span", { class: "sfa-badge" }, set.badge),
            set.in_use ? h("em", {}, "In use") : null,
            inMixer && !set.in_use ? h("em", {}, "In the mixer") : null),
          h("small", { title: new Date(set.created_at).toLocaleString() }, facts.filter(Boolean).join(" · ")),
          judge,
        ),
        h(
          "div", { class: "sfa-set-actions" },
          preview && !inMixer ? action(`Open the preview by ${about}`, "Hear this part of the song", () => model.show(set.id), icon("play"), "Open") : null,
          !preview && !set.in_use ? action(`Use ${about}`, "Make these the stems of the song", () => model.choose(set.id), icon("check"), "Use") : null,
          comparable ? action(`Compare with ${about}`, "Hear each stem from one set or the other", () => compare(set), "A|B Compare") : null,
          action(`Remove ${about}`, "Remove, with undo", () => remove(set), icon("trash")),
        ),
      ),
      view,
    );
  }

  return {
    button,
    element,
    draw() {
      const { set, sets } = model;
      setText(name, set?.badge ?? "");
      setText(count, sets.length > 1 ? `${sets.length} sets` : "");
      const now = JSON.stringify([sets, set?.id, model.other?.id]);
      if (now === shown) return;
      shown = now;
      const parts = sets.filter(({ start }) => start !== null);
      whole.replaceChildren(...sets.filter(({ start }) => start === null).map(row));
      previews.replaceChildren(...parts.map(row));
      previewTitle.hidden = parts.length === 0;
      this.place();
    },
    /** The words for where a preview would be. */
    place() {
      const { range } = model;
      const marked = range && range.end - range.start >= SHORTEST;
      setText(here.lastElementChild as Element, marked
        ? `Preview another engine on ${wholeTime(range.start)}–${wholeTime(range.end)}…`
        : "Preview another engine here…");
      setAttribute(here, "title", marked ? "On the marked range" : "On half a minute around the playhead");
    },
  };
}

// What is in the mixer in place of the set in use

function visitBar(model: PlayerModel, attempt: Attempt) {
  const words = h("span");
  const use = h("button", { type: "button", class: "sfa-button" }, icon("check"), "Use these");
  const back = h("button", { type: "button", class: "sfa-button" }, "Back to the song");
  const element = h("div", { class: "sfa-sets-bar", role: "status", hidden: true }, words, h("span", { class: "sfa-pl-gap" }), use, back);
  use.addEventListener("click", () => attempt(() => model.choose((model.shown as StemSet).id)));
  back.addEventListener("click", () => attempt(() => model.show(null)));
  return {
    element,
    draw() {
      const { shown } = model;
      element.hidden = shown === null;
      if (!shown) return;
      const preview = shown.start !== null;
      words.replaceChildren(
        ...(preview ? [icon("disc"), h("b", {}, `Preview ${span(shown)}:`), " only this part of the song plays."] : [h("b", {}, "Another set"), " than the one in use."]),
      );
      use.hidden = preview;
      setText(back, preview ? "Back to the song" : "Back to the set in use");
    },
  };
}

// Two sets

function compareBar(strip: StripSlots, attempt: Attempt) {
  const { model, rows, signal } = strip;
  const { engine } = model;
  const badges = { a: h("span", { class: "sfa-badge" }), b: h("span", { class: "sfa-badge" }) };
  const stems = { a: h("small"), b: h("small") };
  const all = {
    a: h("button", { type: "button", title: "Hear every stem from set A" }, "All A"),
    b: h("button", { type: "button", title: "Hear every stem from set B" }, "All B"),
  };
  const end = h("button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": "End the comparison", title: "End the comparison" }, icon("close"));
  const element = h(
    "div", { class: "sfa-sets-bar sfa-compare", role: "group", "aria-label": "Compare two sets", hidden: true },
    h("span", {}, h("b", {}, "A"), badges.a, stems.a, h("b", {}, "B"), badges.b, stems.b),
    h("span", { class: "sfa-pl-gap" }),
    h("div", { class: "sfa-switch", role: "group", "aria-label": "Every stem from" }, all.a, all.b), end,
  );
  const send = (stems: Iterable<Stem>, side: Side) =>
    engine.setSides(model.soundId, Object.fromEntries([...stems].map((stem) => [stem, side])));
  for (const side of ["a", "b"] as const) all[side].addEventListener("click", () => send(rows.keys(), side));
  end.addEventListener("click", () => attempt(() => model.compare(null)));
  const sideOfStem = (stem: Stem): Side => engine.mixer(model.soundId).sides?.[stem] ?? "a";

  const switches = new WeakMap<HTMLElement, Record<Side, HTMLButtonElement>>();
  function switchOf(stem: Stem, element: HTMLElement, slot: HTMLElement): Record<Side, HTMLButtonElement> {
    let made = switches.get(slot);
    if (!made) {
      const name = stemLabel(stem);
      const part = (side: Side) => {
        const button = h("button", { type: "button", "aria-label": `${name} from set ${side.toUpperCase()}`, title: `From set ${side.toUpperCase()} (X changes)` }, side.toUpperCase());
        button.addEventListener("click", () => send([stem], side));
        return button;
      };
      made = { a: part("a"), b: part("b") };
      switches.set(slot, made);
      element.addEventListener("keydown", (event) => {
        if (event.key.toLowerCase() !== "x" || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !model.other) return;
        event.preventDefault();
        event.stopPropagation();
        send([stem], sideOfStem(stem) === "a" ? "b" : "a");
      }, { signal });
    }
    return made;
  }

  return {
    element,
    draw() {
      const { other, set } = model;
      element.hidden = other === null;
      for (const [stem, { element: row, side: slot }] of rows) {
        const before = slot.querySelector(".sfa-switch");
        if (!other) {
          before?.remove();
          continue;
        }
        const buttons = switchOf(stem, row, slot);
        if (!before) slot.append(h("span", { class: "sfa-switch", role: "group", "aria-label": `${stemLabel(stem)} from` }, buttons.a, buttons.b));
        for (const side of ["a", "b"] as const) setAttribute(buttons[side], "aria-pressed", String(sideOfStem(stem) === side));
      }
      if (!other) return;
      setText(badges.a, set?.badge ?? "");
      setText(badges.b, other.badge);
      // One engine may have made both: then the stems tell them apart.
      const alike = set?.badge === other.badge;
      setText(stems.a, alike ? set.stems.map(stemLabel).join(", ") : "");
      setText(stems.b, alike ? other.stems.map(stemLabel).join(", ") : "");
      const sides = new Set([...rows.keys()].map(sideOfStem));
      for (const side of ["a", "b"] as const) setAttribute(all[side], "aria-pressed", String(sides.size === 1 && sides.has(side)));
    },
  };
}

// Levels

function matchButton(model: PlayerModel, signal: AbortSignal): HTMLElement {
  const words = h("span");
  const button = h("button", {
    type: "button", class: "sfa-button is-quiet sfa-match", "aria-pressed": "true",
    title: "The louder of what is compared comes down, so that the ear does not choose the louder one",
  }, words);
  let match: Match | null = null;
  const show = () => {
    if (!match) return;
    const { difference } = match;
    setAttribute(button, "aria-pressed", String(match.on));
    button.hidden = !model.here;
    const mixer = model.engine.mixer(model.soundId);
    const song = gains({ ...mixer, listen: "song" }, ["mix"]).get("mix") ?? 1;
    const text = !match.on || difference === null || Math.abs(difference) < WORTH ? ""
      : difference < 0 ? `: song ${levelText(song)}` : `: stems −${difference.toFixed(1)} dB`;
    setText(words, `Match levels${text}`);
  };
  const levels = (match = matchLevels(model, show, signal));
  button.addEventListener("click", () => { levels.on = !levels.on; });
  show();
  return button;
}

// Away with them

function takeButton({ model, take }: StripSlots) {
  const button = h("button", { type: "button", class: "sfa-button is-quiet", title: "Files of these stems to take away" }, "Export…");
  button.addEventListener("click", () => {
    const { set, trackId } = model;
    if (set && trackId !== null) take?.({ ids: [trackId], ...(!set.in_use && { set }) });
  });
  return {
    button,
    /** A preview is for listening. */
    draw() {
      button.hidden = !take || model.set === null || model.set.start !== null;
    },
  };
}

// What a stem is known for

function warn({ model, rows }: StripSlots): void {
  const { sides } = model.engine.mixer(model.soundId);
  for (const [stem, { side: slot }] of rows) {
    const side = sides?.[stem] ?? "a";
    const set = side === "b" ? model.other : model.set;
    const here = model.sources.some(({ role }) => role === roleOf(stem, side));
    const silent = here && (set?.report?.stems[stem]?.silent ?? false);
    const before = slot.querySelector(".sfa-stem-warn");
    if (silent && !before) {
      slot.prepend(h("span", { class: "sfa-stem-warn", title: "The engine found nothing of this in the song" }, icon("alert"), "Silent"));
    } else if (!silent) {
      before?.remove();
    }
  }
}
