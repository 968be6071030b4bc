/** The stems of the song in a deck: level, filter, mute and solo of each. */

import { h, setAttribute, setText } from "../../dom";
import { icon } from "../../icons";
import { stemLabel } from "../../parts";
import type { Desk } from "../desk";
import { toggle } from "../parts/button";
import { knob } from "../parts/knob";

export function stems(desk: Desk, deck: number): HTMLElement {
  const { controls, signal, system } = desk;
  const element = h("div", { class: "sfa-dk-stems", role: "group", "aria-label": "Stems" });
  const none = h("span", { class: "sfa-dk-none" });
  let shown: string | null = null;
  let end = new AbortController();
  const draw = () => {
    const song = system.song(deck);
    const names = song?.stems ?? [];
    // The line is there without stems too: a deck does not grow while a song comes.
    none.hidden = names.length > 0;
    setText(none, song ? "No stems: separate this song in the library to mix its parts." : "The stems of a song come here.");
    element.classList.toggle("is-waiting", song !== null && names.length > 0 && !song.stemsReady);
    setAttribute(element, "aria-busy", song && names.length > 0 && !song.stemsReady ? "true" : null);
    if (shown === names.join()) return;
    shown = names.join();
    end.abort();
    end = new AbortController();
    const here = { ...desk, signal: AbortSignal.any([signal, end.signal]) };
    element.replaceChildren(
      none,
      ...(names.length === 0 ? [] : [toggle(here, `deck.${deck}.stems`, {
        face: [icon("split")], label: "Play the stems", title: "Plays the stems in place of the song", className: "is-small is-icon",
      })]),
      ...names.map((name) => stem(here, deck, name)),
    );
  };
  system.on("deck", (changed) => { if (changed === deck) draw(); }, signal);
  const showOff = () => element.classList.toggle("is-off", !controls.isOn(`deck.${deck}.stems`));
  controls.on(`deck.${deck}.stems`, showOff, signal);
  showOff();
  draw();
  return element;
}

function stem(desk: Desk, deck: number, name: string): HTMLElement {
  const id = `deck.${deck}.stem.${name}`;
  const label = stemLabel(name);
  const element = h(
    "div", { class: "sfa-dk-stem", role: "group", "aria-label": label, title: label },
    knob(desk, `${id}.volume`, { text: label, label: `${label}: volume`, className: "is-small is-named" }),
    knob(desk, `${id}.filter`, { text: "", label: `${label}: filter`, className: "is-small" }),
    h("div", { class: "sfa-dk-joined is-upright" },
      toggle(desk, `${id}.mute`, { face: ["M"], label: `Mute ${label}`, className: "is-small is-mute" }),
      toggle(desk, `${id}.solo`, { face: ["S"], label: `Solo ${label}`, className: "is-small is-solo" })),
  );
  element.style.setProperty("--stem", `var(--stem-${name}, var(--dim))`);
  const show = () => element.classList.toggle("is-muted", desk.controls.isOn(`${id}.mute`));
  desk.controls.on(`${id}.mute`, show, desk.signal);
  show();
  return element;
}
