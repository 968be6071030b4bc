/** Eight pads: hot cues, loops, rolls or jumps; or the key and the beat grid. */

import { h, setAttribute, setText, uniqueId } from "../../dom";
import { position } from "../../format";
import { type Desk, SOURCE } from "../desk";
import { whileDown } from "../parts/button";
import { cueColour, cueLetter } from "../waves/source";
import { cueMenu, cueWords } from "./cues";
import { gridPad, keyPad, type Pad } from "./keypads";

/** What a set of pads does; each makes a pad and says how to show it. */
interface Mode {
  name: string;
  label: string;
  pad(desk: Desk, deck: number, slot: number): Pad;
}

const LOOPS = [0.25, 0.5, 1, 2, 4, 8, 16, 32];
const ROLLS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8];
const JUMPS = [-1, 1, -4, 4, -16, 16, -32, 32];
/** A finger that rests this long asks for the menu, in ms. */
const LONG_PRESS = 550;

const MODES: Mode[] = [
  { name: "cues", label: "Cues", pad: cuePad },
  {
    name: "loops", label: "Loops",
    pad: (desk, deck, slot) => {
      const beats = LOOPS[slot - 1] as number;
      const { controls } = desk;
      const id = `deck.${deck}.loop`;
      const on = () => controls.isOn(`${id}.active`) && Math.abs(controls.number(`${id}.beats`) / beats - 1) < 1e-6;
      const element = plain(beatText(beats), `Loop of ${beatText(beats)} beats`);
      element.addEventListener("click", () => {
        if (on()) controls.set(`${id}.active`, 0, SOURCE);
        else controls.set(`${id}.set`, beats, SOURCE);
      });
      return { element, show: () => setAttribute(element, "aria-pressed", String(on())) };
    },
  },
  {
    name: "rolls", label: "Rolls",
    pad: (desk, deck, slot) => {
      const beats = ROLLS[slot - 1] as number;
      const id = `deck.${deck}.roll`;
      const element = plain(beatText(beats), `Roll of ${beatText(beats)} beats, while held`);
      whileDown(element, (down) => {
        // The finger that came last has the roll: one that goes up earlier leaves it.
        if (down || desk.controls.get(id) === beats) desk.controls.set(id, down ? beats : 0, SOURCE);
      }, desk.signal);
      return { element, show: () => element.classList.toggle("is-down", desk.controls.get(id) === beats) };
    },
  },
  {
    name: "jumps", label: "Jumps",
    pad: (desk, deck, slot) => {
      const beats = JUMPS[slot - 1] as number;
      const way = beats < 0 ? "back" : "forward";
      const text = beats < 0 ? `◂ ${-beats}` : `${beats} ▸`;
      const element = plain(text, `${Math.abs(beats)} beats ${way}`);
      element.addEventListener("click", () => desk.controls.set(`deck.${deck}.beatjump`, beats, SOURCE));
      return { element, show: () => undefined };
    },
  },
  { name: "key", label: "Key", pad: keyPad },
  { name: "grid", label: "Grid", pad: gridPad },
];

/** "1/4", "8": a length in beats without its unit. */
export function beatText(beats: number): string {
  return beats < 1 ? `1/${Math.round(1 / beats)}` : String(Math.round(beats * 100) / 100);
}

function plain(text: string, label: string): HTMLButtonElement {
  return h("button", { type: "button", class: "sfa-dk-pad", "aria-label": label, title: label }, h("b", {}, text));
}

function cuePad(desk: Desk, deck: number, slot: number): Pad {
  const { controls, layer, signal, system } = desk;
  const id = `deck.${deck}.hotcue.${slot}.press`;
  const name = h("span", { dir: "auto" });
  const place = h("small");
  const element = h("button", { type: "button", class: "sfa-dk-pad is-cue", "data-control": id }, h("b", {}, cueLetter(slot)), name, place);
  let resting: ReturnType<typeof setTimeout> | undefined;
  const menu = (x: number, y: number) => {
    controls.set(id, 0, SOURCE);
    const items = cueMenu(desk, deck, slot);
    if (items.length > 0) layer.menu(x, y, `Hot cue ${cueLetter(slot)}`, items);
  };
  whileDown(element, (down, event) => {
    clearTimeout(resting);
    if (down && !system.song(deck)) return;
    if (down && event instanceof PointerEvent && event.pointerType === "touch") {
      const { clientX, clientY } = event;
      // A finger that rests on a cue of a standing deck hears it; on any other it asks what can be done.
      const hears = !system.stand(deck).playing && system.song(deck)?.hotCues[slot - 1];
      if (!hears) resting = setTimeout(() => menu(clientX, clientY), LONG_PRESS);
    }
    controls.set(id, down ? 1 : 0, SOURCE);
  }, signal);
  element.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    if (event.pointerType === "touch") return;
    const box = element.getBoundingClientRect();
    if (event.clientX === 0 && event.clientY === 0) menu(box.left + 8, box.bottom);
    else menu(event.clientX, event.clientY);
  }, { signal });
  return {
    element,
    show() {
      const cue = system.song(deck)?.hotCues[slot - 1] ?? null;
      element.classList.toggle("is-set", cue !== null);
      element.classList.toggle("is-loop", cue !== null && cue.end !== null);
      element.classList.toggle("is-down", controls.isOn(id));
      element.style.setProperty("--cue", (cue && cueColour(cue)) ?? "var(--deck)");
      setText(name, cue?.label ?? "");
      setText(place, cue ? `${cue.end === null ? "" : "↻ "}${position(cue.time)}` : "");
      const words = cueWords(cue, slot);
      setAttribute(element, "aria-label", words);
      setAttribute(element, "title", `${words}${cue ? "; right click for more" : ""}`);
      setAttribute(element, "aria-disabled", system.song(deck) ? null : "true");
    },
  };
}

export function pads(desk: Desk, deck: number): HTMLElement {
  const { controls, signal, system } = desk;
  const grid = h("div", { class: "sfa-dk-pads", role: "group" });
  const group = uniqueId("pads");
  let end = new AbortController();
  let show: (() => void)[] = [];
  const choose = (mode: Mode) => {
    end.abort();
    end = new AbortController();
    const here = { ...desk, signal: AbortSignal.any([signal, end.signal]) };
    const made = Array.from({ length: 8 }, (_, i) => mode.pad(here, deck, i + 1));
    show = made.map((pad) => pad.show);
    setAttribute(grid, "aria-label", mode.label);
    grid.replaceChildren(...made.map(({ element }) => element));
    draw();
  };
  const draw = () => show.forEach((pad) => pad());
  const modes = h("div", { class: "sfa-dk-modes", role: "radiogroup", "aria-label": "What the pads do" }, ...MODES.map((mode, i) => {
    const radio = h("input", { type: "radio", name: group, checked: i === 0 });
    radio.addEventListener("change", () => choose(mode));
    return h("label", {}, radio, h("span", {}, mode.label));
  }));
  choose(MODES[0] as Mode);
  system.on("deck", (changed) => { if (changed === deck) draw(); }, signal);
  for (const prefix of ["hotcue.", "loop.", "roll", "key_shift"]) controls.on(`deck.${deck}.${prefix}`, draw, signal);
  return h("div", { class: "sfa-dk-padbox" }, modes, grid);
}
