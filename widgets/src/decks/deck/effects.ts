/** Two effects of a deck, in step with its beats. */

import { controlOf } from "../../control/table";
import { h } from "../../dom";
import { type Desk, SOURCE } from "../desk";
import { toggle } from "../parts/button";
import { choice } from "../parts/choice";
import { knob } from "../parts/knob";
import { beatText } from "./pads";

const WORDS = { echo: "Echo", reverb: "Reverb", flanger: "Flanger", crush: "Crush", gate: "Gate", roll: "Roll" };

export function effects(desk: Desk, deck: number): HTMLElement {
  return h("div", { class: "sfa-dk-effects", role: "group", "aria-label": "Effects" }, ...[1, 2].map((slot) => unit(desk, deck, slot)));
}

function unit(desk: Desk, deck: number, slot: number): HTMLElement {
  const { controls } = desk;
  const id = `deck.${deck}.fx.${slot}`;
  const { min, max } = controlOf(`${id}.beats`);
  return h(
    "div", { class: "sfa-dk-effect", role: "group", "aria-label": `Effect ${slot}` },
    toggle(desk, `${id}.on`, { face: [`FX${slot}`], className: "sfa-dk-fxon" }),
    choice(desk, `${id}.kind`, { words: WORDS }),
    knob(desk, `${id}.mix`, { text: "Mix", className: "is-small" }),
    knob(desk, `${id}.amount`, { text: "Amount", className: "is-small" }),
    knob(desk, `${id}.beats`, {
      text: beatText, className: "is-small", steps: Math.log2(max / min),
      // By the hand it keeps to parts and multiples of a beat.
      write: (at) => controls.set(`${id}.beats`, min * 2 ** Math.round(at * Math.log2(max / min)), SOURCE),
    }),
  );
}
