/** Pads that put the key and the beat grid of a deck right. */

import { h, setAttribute, setText } from "../../dom";
import { type Desk, SOURCE } from "../desk";
import { camelotOf, shifted } from "../waves/keys";

export interface Pad {
  element: HTMLButtonElement;
  show(): void;
}

/** Semitones; the last pad looks for the best by itself. Seven up is one hour on, five up one hour back. */
const SHIFTS = [-2, -1, 0, 1, 2, -5, 7];
/** Seconds that the grid moves with a press. */
const SHIFT = 0.01;

const GRID: [face: string, words: string, control: string, value?: number][] = [
  ["◂", "The grid 10 ms earlier", "grid.shift", -SHIFT],
  ["Beat here", "A beat is here: moves the grid to it", "grid.here"],
  ["Bar here", "The first beat of a bar is here", "grid.downbeat"],
  ["▸", "The grid 10 ms later", "grid.shift", SHIFT],
  ["½ tempo", "The grid has half as many beats", "grid.halve"],
  ["×2 tempo", "The grid has twice as many beats", "grid.double"],
  ["Pin beat", "The nearest beat is here: those since the last pin are spaced anew, later ones move along", "grid.pin"],
  ["Undo", "Takes the grid's last change back", "grid.undo"],
];

function pad(text: string, words: string, run: () => void): HTMLButtonElement {
  const element = h("button", { type: "button", class: "sfa-dk-pad", "aria-label": words, title: words }, h("b", {}, text));
  element.addEventListener("click", run);
  return element;
}

export function gridPad(desk: Desk, deck: number, slot: number): Pad {
  const [face, words, control, value = 1] = GRID[slot - 1] as (typeof GRID)[number];
  return { element: pad(face, words, () => desk.controls.set(`deck.${deck}.${control}`, value, SOURCE)), show: () => undefined };
}

export function keyPad(desk: Desk, deck: number, slot: number): Pad {
  const { controls, system } = desk;
  const id = `deck.${deck}.key_shift`;
  const shift = SHIFTS[slot - 1];
  if (shift === undefined) {
    const words = "Shifts the key by as little as needed to fit the leader's";
    return { element: pad("Match", words, () => controls.press(`deck.${deck}.key_sync`, SOURCE)), show: () => undefined };
  }
  const face = shift === 0 ? "0" : `${shift > 0 ? "+" : "−"}${Math.abs(shift)}`;
  const element = pad(face, shift === 0 ? "The key as it is" : `Key shifted by ${face} semitones`, () => controls.set(id, shift, SOURCE));
  const key = h("small");
  element.append(key);
  return {
    element,
    show() {
      const song = system.song(deck);
      setText(key, song?.key ? camelotOf(shifted(song.key, shift)) : "");
      setAttribute(element, "aria-pressed", String(controls.number(id) === shift));
    },
  };
}
