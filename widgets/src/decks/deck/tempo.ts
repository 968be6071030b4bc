/** The tempo: a fader of the chosen range, its range, and what pushes the song for a moment. */

import { h, setText } from "../../dom";
import { valueText, controlOf } from "../../control/table";
import { type Desk, SOURCE } from "../desk";
import { held } from "../parts/button";
import { choice } from "../parts/choice";
import { fader } from "../parts/fader";

export function tempo(desk: Desk, deck: number): HTMLElement {
  const { controls, signal } = desk;
  const pitch = `deck.${deck}.pitch`;
  const range = `deck.${deck}.pitch_range`;
  const most = () => Number(controls.get(range));
  const value = h("output", { class: "sfa-dk-percent", "aria-hidden": "true" });
  const show = () => setText(value, valueText(controlOf(pitch), controls.get(pitch)).replace(" %", ""));
  controls.on(pitch, show, signal);
  show();
  return h(
    "div", { class: "sfa-dk-tempo", role: "group", "aria-label": "Tempo" },
    choice(desk, range, { words: { 6: "±6 %", 10: "±10 %", 16: "±16 %", 50: "±50 %" } }),
    fader(desk, pitch, {
      axis: "y", ticks: 9, className: "is-tempo", follows: [range],
      read: () => Math.max(0, Math.min(1, 0.5 + controls.number(pitch) / most() / 2)),
      write: (knob) => controls.set(pitch, (2 * knob - 1) * most(), SOURCE),
    }),
    value,
    h("div", { class: "sfa-dk-joined", role: "group", "aria-label": "Bend" },
      held(desk, `deck.${deck}.bend`, { face: ["−"], label: "Slower for a moment", title: "Slower while held" }, -1),
      held(desk, `deck.${deck}.bend`, { face: ["+"], label: "Faster for a moment", title: "Faster while held" }, 1)),
  );
}
