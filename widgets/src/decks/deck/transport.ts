/** Cue and play, and what the deck keeps to: sync, quantise, slip, key lock, reverse; its loop and its jumps. */

import { h, setAttribute } from "../../dom";
import { icon } from "../../icons";
import { type Desk, SOURCE } from "../desk";
import { action, held, toggle } from "../parts/button";
import { stepper } from "../parts/stepper";
import { beatText } from "./pads";

export function transport(desk: Desk, deck: number): HTMLElement {
  const { controls, signal, system } = desk;
  const id = `deck.${deck}`;
  const cue = held(desk, `${id}.cue`, { face: ["Cue"], label: "Cue", title: "Cue: sets it where the deck stands, else goes back to it; plays while held", className: "sfa-dk-cue" });
  const play = h("button", { type: "button", class: "sfa-dk-button sfa-dk-play", "data-control": `${id}.play` }, icon("play"));
  play.addEventListener("click", () => {
    system.unlock();
    controls.toggle(`${id}.play`, SOURCE);
  });
  const show = () => {
    const on = controls.isOn(`${id}.play`);
    setAttribute(play, "aria-pressed", String(on));
    setAttribute(play, "aria-label", on ? "Pause" : "Play");
    setAttribute(play, "title", on ? "Pause" : "Play");
    play.replaceChildren(icon(on ? "pause" : "play"));
  };
  controls.on(`${id}.play`, show, signal);
  show();
  return h("div", { class: "sfa-dk-transport" }, cue, play);
}

export function modes(desk: Desk, deck: number): HTMLElement {
  const id = `deck.${deck}`;
  const leader = toggle(desk, `${id}.leader`, { face: ["Lead"], title: "Leader: the other decks follow its tempo", className: "is-small sfa-dk-leader" });
  const { system, signal } = desk;
  // Without a choice the decks elect one: it is shown, else nobody knows whom sync follows.
  system.on("deck", () => leader.classList.toggle("is-elected", system.stand(deck).leader), signal);
  return h(
    "div", { class: "sfa-dk-switches", role: "group", "aria-label": "What the deck keeps to" },
    toggle(desk, `${id}.sync`, { face: ["Sync"], title: "Sync: follows the leader's tempo and beats", className: "is-small sfa-dk-sync" }),
    leader,
    toggle(desk, `${id}.quantize`, { face: ["Q"], label: "Quantise", title: "Quantise: cues, loops and jumps keep to the beats", className: "is-small" }),
    toggle(desk, `${id}.slip`, { face: ["Slip"], title: "Slip: the song goes on underneath loops, cues and scratches", className: "is-small" }),
    toggle(desk, `${id}.keylock`, { face: ["♪"], label: "Key lock", title: "Key lock: the tempo leaves the key alone", className: "is-small" }),
    toggle(desk, `${id}.reverse`, { face: ["Rev"], label: "Reverse", title: "Reverse", className: "is-small" }),
  );
}

export function loops(desk: Desk, deck: number): HTMLElement {
  const { controls } = desk;
  const id = `deck.${deck}`;
  const on = toggle(desk, `${id}.loop.active`, { face: ["4"], label: "Loop", title: "Loop of so many beats from here, or the marked one" });
  let jump = 4;
  const size = h("button", { type: "button", class: "sfa-dk-button sfa-dk-value", title: "Beats of a jump; press to change" });
  const back = action(desk, `${id}.beatjump`, { face: ["◂"], label: "Jump back", title: "Jump back; a running loop moves along" }, () => -jump);
  const ahead = action(desk, `${id}.beatjump`, { face: ["▸"], label: "Jump ahead", title: "Jump ahead; a running loop moves along" }, () => jump);
  const setJump = (beats: number) => {
    jump = beats;
    size.textContent = beatText(jump);
    setAttribute(size, "aria-label", `Jumps of ${beatText(jump)} beats`);
  };
  size.addEventListener("click", () => setJump(jump >= 32 ? 1 : jump * 2));
  size.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    setJump(jump <= 1 ? 32 : jump / 2);
  });
  setJump(4);
  return h(
    "div", { class: "sfa-dk-loops" },
    h("div", { class: "sfa-dk-joined", role: "group", "aria-label": "Loop" },
      action(desk, `${id}.loop.in`, { face: ["In"], label: "Loop in" }),
      action(desk, `${id}.loop.out`, { face: ["Out"], label: "Loop out" })),
    stepper(desk, `${id}.loop.beats`, {
      label: "Loop length", middle: on, className: "sfa-dk-loop", text: (beats) => `↻ ${beatText(beats)}`,
      less: { label: "Halve the loop", face: "½", run: () => controls.press(`${id}.loop.halve`, SOURCE) },
      more: { label: "Double the loop", face: "×2", run: () => controls.press(`${id}.loop.double`, SOURCE) },
    }),
    h("div", { class: "sfa-dk-joined", role: "group", "aria-label": "Beat jump" }, back, size, ahead),
  );
}
