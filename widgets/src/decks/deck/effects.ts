/** Two effects of a deck, in step with its beats. */

import { h } from "../../dom";
import { type Desk, SOURCE } from "../desk";
import { toggle } from "../parts/button";
import { choice } from "../parts/choice";
import { knob } from "../parts/knob";
import { stepper } from "../parts/stepper";
import { beatText } from "./pads";

const WORDS = { echo: "Echo", reverb: "Reverb", flanger: "Flanger", crush: "Crush", gate: "Gate", roll: "Roll" };

export function effects(desk: Desk, deck: number): HTMLElement {
  return h("div", { class: "sfa-dk-effects", role: "group", "aria-label": "Effects" }, ...[1, 2].map((slot) => unit(desk, deck, slot)));
}

function unit(desk: Desk, deck: number, slot: number): HTMLElement {
  const { controls } = desk;
  const id = `deck.${deck}.fx.${slot}`;
  const scale = (factor: number) => controls.set(`${id}.beats`, controls.number(`${id}.beats`) * factor, SOURCE);
  return h(
    "div", { class: "sfa-dk-effect", role: "group", "aria-label": `Effect ${slot}` },
    toggle(desk, `${id}.on`, { face: [`FX ${slot}`], className: "sfa-dk-fxon" }),
    choice(desk, `${id}.kind`, { words: WORDS }),
    knob(desk, `${id}.mix`, { text: "Mix", className: "is-small" }),
    knob(desk, `${id}.amount`, { text: "Amount", className: "is-small" }),
    stepper(desk, `${id}.beats`, {
      label: `Time of effect ${slot}`, className: "is-small", text: (beats) => beatText(2 ** Math.round(Math.log2(beats))),
      less: { label: "Half the time", run: () => scale(0.5) }, more: { label: "Twice the time", run: () => scale(2) },
    }),
  );
}
