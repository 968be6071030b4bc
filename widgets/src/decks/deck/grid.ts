/** The key and the beat grid of a deck, to be put right by hand. */

import { h } from "../../dom";
import { icon } from "../../icons";
import { type Desk, SOURCE } from "../desk";
import { action } from "../parts/button";
import { stepper } from "../parts/stepper";

/** Seconds that the grid moves with a press. */
const SHIFT = 0.01;

export function gridAndKey(desk: Desk, deck: number): HTMLElement {
  const { controls } = desk;
  const id = `deck.${deck}`;
  const shift = (by: number) => controls.nudge(`${id}.key_shift`, by, SOURCE);
  return h(
    "div", { class: "sfa-dk-grid" },
    h("span", { class: "sfa-dk-caption" }, "Key"),
    stepper(desk, `${id}.key_shift`, {
      label: "Key shift in semitones", className: "is-small", text: (value) => (value === 0 ? "0" : `${value > 0 ? "+" : "−"}${Math.abs(value)}`),
      less: { label: "A semitone down", face: "♭", run: () => shift(-1) }, more: { label: "A semitone up", face: "♯", run: () => shift(1) },
    }),
    action(desk, `${id}.key_sync`, { face: ["Match"], title: "Shifts the key by as little as needed to fit the leader's", className: "is-small" }),
    h("span", { class: "sfa-dk-caption" }, "Beats"),
    h("div", { class: "sfa-dk-joined", role: "group", "aria-label": "Beat grid" },
      action(desk, `${id}.grid.shift`, { face: ["◂"], label: "Grid earlier", title: "Moves the grid 10 ms earlier", className: "is-small" }, -SHIFT),
      action(desk, `${id}.grid.here`, { face: ["Beat"], label: "Beat here", title: "A beat is here: moves the grid to it", className: "is-small" }),
      action(desk, `${id}.grid.downbeat`, { face: ["1"], label: "Downbeat here", title: "The first beat of a bar is here", className: "is-small" }),
      action(desk, `${id}.grid.shift`, { face: ["▸"], label: "Grid later", title: "Moves the grid 10 ms later", className: "is-small" }, SHIFT)),
    h("div", { class: "sfa-dk-joined", role: "group", "aria-label": "Tempo of the grid" },
      action(desk, `${id}.grid.halve`, { face: ["½"], label: "Halve the grid's tempo", className: "is-small" }),
      action(desk, `${id}.grid.double`, { face: ["×2"], label: "Double the grid's tempo", className: "is-small" })),
    action(desk, `${id}.grid.undo`, { face: [icon("retry")], label: "Take the grid's last change back", className: "is-small is-icon" }),
  );
}
