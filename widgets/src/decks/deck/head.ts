/** The head of a deck: which song, how fast, in which key, and how long still. */

import { h, setAttribute, setText } from "../../dom";
import { position } from "../../format";
import { icon } from "../../icons";
import type { CoverArt } from "../../media";
import { tileTone } from "../../parts";
import { type Desk, SOURCE } from "../desk";
import { DeckKey, deckLetter, PhaseMeter } from "../waves/index";
import { openLoad } from "./load";

export function head(desk: Desk, deck: number, covers: CoverArt): HTMLElement {
  const { clock, controls, signal, system } = desk;
  const letter = h("span", { class: "sfa-dk-letter", "aria-hidden": "true" }, deckLetter(deck));
  const art = h("span", { class: "sfa-tile sfa-dk-art", "aria-hidden": "true" });
  const title = h("strong", { dir: "auto" });
  const artist = h("span", { dir: "auto" });
  const bpm = h("button", { type: "button", class: "sfa-dk-bpm", title: "Tempo now; tap along to set it" });
  const time = h("button", { type: "button", class: "sfa-dk-time" });
  const load = h("button", { type: "button", class: "sfa-button sfa-dk-loadbutton", "aria-label": `Load deck ${deckLetter(deck)}`, title: "Load a song (Shift Enter)" }, icon("search"), h("span", {}, "Load a song"));
  const eject = h("button", { type: "button", class: "sfa-button is-quiet is-icon sfa-dk-eject", "aria-label": "Take the song out", title: "Take the song out" }, icon("close"));
  const key = h("div", { class: "sfa-dk-key" });
  const phase = h("div", { class: "sfa-dk-phase" });
  const element = h(
    "header", { class: "sfa-dk-head" }, letter, art,
    h("div", { class: "sfa-dk-names" }, title, artist), load, eject,
    h("div", { class: "sfa-dk-figures" }, bpm, time, key, phase),
  );
  new DeckKey(key, desk, deck);
  new PhaseMeter(phase, desk, deck);

  // With the press, not with the click that ends it: a beat is where the finger lands.
  bpm.addEventListener("pointerdown", () => controls.set(`deck.${deck}.tap`, 1, SOURCE));
  bpm.addEventListener("keydown", ({ key: pressed, repeat }) => {
    if (pressed === "Enter" && !repeat) controls.set(`deck.${deck}.tap`, 1, SOURCE);
  });

  let remaining = true;
  time.addEventListener("click", () => {
    remaining = !remaining;
    desk.clock.wake();
  });
  load.addEventListener("click", () => openLoad(desk, deck));
  eject.addEventListener("click", () => desk.load(deck, ""));

  let shown: string | null | undefined;
  const showSong = () => {
    const song = system.song(deck);
    element.classList.toggle("is-empty", song === null);
    const wanted = controls.get(`deck.${deck}.track`) !== "";
    setText(title, song?.title ?? (wanted ? "Loading…" : "No song"));
    setAttribute(title, "title", song?.title ?? null);
    setText(artist, song ? song.artist || "Unknown artist" : wanted ? "" : "Drop one here");
    eject.hidden = !song;
    setAttribute(eject, "aria-disabled", system.stand(deck).playing ? "true" : null);
    if (shown === (song?.id ?? null)) return;
    shown = song?.id ?? null;
    art.replaceChildren(icon("disc"));
    art.style.removeProperty("--tile");
    if (!song) return;
    art.style.setProperty("--tile", tileTone(song.id));
    if (song.track.art) {
      void covers.url(song.id).then((url) => {
        if (url && shown === song.id) art.replaceChildren(h("img", { src: url, alt: "" }));
      });
    }
  };
  system.on("deck", (changed) => { if (changed === deck) showSong(); }, signal);
  controls.on(`deck.${deck}.track`, showSong, signal);
  showSong();
  clock.subscribe(() => {
    const song = system.song(deck);
    const { position: now, tempo } = system.stand(deck);
    setText(bpm, tempo === null ? "–" : tempo.toFixed(2));
    const left = song ? Math.max(0, song.duration - now) : 0;
    const text = !song ? "–" : remaining ? `−${position(left)}` : position(now);
    setText(time, text);
    if (time.title === "" || element.dataset.remaining !== String(remaining)) {
      element.dataset.remaining = String(remaining);
      time.title = remaining ? "Time left; press for the time played" : "Time played; press for the time left";
      setAttribute(time, "aria-label", time.title);
    }
    // The last half minute: who mixes must have the next song ready.
    element.classList.toggle("is-ending", song !== null && left < 30 && system.stand(deck).playing);
  }, signal);
  return element;
}
