/** The mixer between the decks: a strip for each, and the crossfader. */

import { h } from "../../dom";
import { drawn } from "../../icons";
import type { Desk } from "../desk";
import { toggle } from "../parts/button";
import { choice } from "../parts/choice";
import { fader } from "../parts/fader";
import { knob } from "../parts/knob";
import { deckColour, deckLetter, LevelMeter } from "../waves/index";

const HEADPHONES = "M2.8 10V8.2a5.2 5.2 0 0 1 10.4 0V10M2.8 9.2h2.4v4.2H2.8zM10.8 9.2h2.4v4.2h-2.4z";
const BANDS = [["high", "Hi"], ["mid", "Mid"], ["low", "Low"]] as const;

/** The strips of two decks, faders in the middle. */
export function strips(desk: Desk, left: number, right: number): HTMLElement {
  return h("div", { class: "sfa-dk-strips" }, strip(desk, left), strip(desk, right));
}

function strip(desk: Desk, deck: number): HTMLElement {
  const id = `deck.${deck}`;
  const letter = deckLetter(deck);
  const meter = h("div", { class: "sfa-dk-meter" });
  const element = h(
    "section", { class: `sfa-dk-strip ${deck % 2 === 1 ? "is-left" : "is-right"}`, "aria-label": `Mixer, deck ${letter}` },
    h("div", { class: "sfa-dk-knobs" },
      knob(desk, `${id}.gain`, { text: "Gain" }),
      ...BANDS.map(([band, text]) => h("div", { class: "sfa-dk-band" },
        knob(desk, `${id}.eq.${band}`, { text: "" }),
        toggle(desk, `${id}.kill.${band}`, { face: [text], label: `Kill ${band}`, title: `${text}: press to kill`, className: "sfa-dk-kill" }))),
      knob(desk, `${id}.filter`, { text: "Filter", className: "is-filter" })),
    h("div", { class: "sfa-dk-channel" },
      h("span", { class: "sfa-dk-letter", "aria-hidden": "true" }, letter),
      h("div", { class: "sfa-dk-volume" }, fader(desk, `${id}.volume`, { axis: "y", ticks: 11 }), meter),
      toggle(desk, `${id}.headphones`, { face: [drawn(HEADPHONES)], label: `Deck ${letter} in the headphones`, className: "sfa-dk-phones" }),
      choice(desk, `${id}.assign`, { words: { left: "Left", through: "Thru", right: "Right" }, label: `Side of the crossfader, deck ${letter}` })),
  );
  element.style.setProperty("--deck", `var(${deckColour(deck)})`);
  new LevelMeter(meter, { clock: desk.clock, signal: desk.signal, label: `Level of deck ${letter}`, read: () => desk.system.stand(deck) });
  return element;
}

export function crossfader(desk: Desk): HTMLElement {
  return h(
    "div", { class: "sfa-dk-crossfader" },
    h("div", {}, h("span", { "aria-hidden": "true" }, "A"), fader(desk, "mixer.crossfader", { axis: "x", ticks: 9 }), h("span", { "aria-hidden": "true" }, "B")),
    choice(desk, "mixer.crossfader_curve", { words: { power: "Smooth", linear: "Linear", cut: "Cut" } }),
  );
}
