/** One deck. */

import { h, setAttribute, setText } from "../../dom";
import { icon } from "../../icons";
import type { CoverArt } from "../../media";
import { progressBar, setProgress } from "../../parts";
import { takeTracks } from "../../ui/carry";
import type { Desk } from "../desk";
import { BeatCounter, deckColour, deckLetter, DeckOverview, JogWheel } from "../waves/index";
import { effects } from "./effects";
import { head } from "./head";
import { pads } from "./pads";
import { stems } from "./stems";
import { tempo } from "./tempo";
import { loops, modes, transport } from "./transport";

export function deckPanel(desk: Desk, deck: number, covers: CoverArt): HTMLElement {
  const { controls, signal } = desk;
  const overview = h("div", { class: "sfa-dk-overview" });
  const jog = h("div", { class: "sfa-dk-jog" });
  const beats = h("div", { class: "sfa-dk-beats" });
  const fx = effects(desk, deck);
  const element = h(
    "section", { class: "sfa-dk-deck", "aria-label": `Deck ${deckLetter(deck)}`, "data-deck": deck },
    h("div", { class: "sfa-dk-deckbox" },
      head(desk, deck, covers),
      overview,
      arrival(desk, deck),
      h("div", { class: "sfa-dk-body" },
        h("div", { class: "sfa-dk-hand" }, h("div", { class: "sfa-dk-jogbox" }, jog, beats), transport(desk, deck)),
        h("div", { class: "sfa-dk-middle" }, pads(desk, deck), loops(desk, deck), modes(desk, deck))),
      tempo(desk, deck),
      stems(desk, deck),
      fx),
  );
  element.style.setProperty("--deck", `var(${deckColour(deck)})`);
  new DeckOverview(overview, desk, deck);
  new JogWheel(jog, desk, deck);
  new BeatCounter(beats, desk, deck);

  const showEffects = () => { fx.hidden = !controls.isOn("view.effects"); };
  controls.on("view.effects", showEffects, signal);
  showEffects();
  element.addEventListener("pointerdown", () => desk.activate(deck), { signal, capture: true });
  element.addEventListener("focusin", () => desk.activate(deck), { signal });
  takeTracks(element, ([first]) => { if (first !== undefined) desk.load(deck, first); }, signal);
  return element;
}

/** What comes, or why it does not; and what a song lacks that nobody has analysed. */
function arrival(desk: Desk, deck: number): HTMLElement {
  const { bridge, controls, layer, signal, system } = desk;
  const bar = progressBar("Loading");
  const text = h("span");
  const again = h("button", { type: "button", class: "sfa-button" }, icon("retry"), "Try again");
  again.addEventListener("click", () => system.load(deck, String(controls.get(`deck.${deck}.track`))));
  const analyse = h("button", { type: "button", class: "sfa-button" }, "Analyse");
  analyse.addEventListener("click", () => {
    const id = system.song(deck)?.id;
    if (id) bridge.request("tracks.run", { ids: [id], stages: ["analyze", "autocue"] }, { signal }).catch((error: unknown) => layer.failed(error));
  });
  /** The song that is worked on, and how far it is. */
  let work: { id: string; progress: number } | null = null;
  const element = h("div", { class: "sfa-dk-arrival", role: "status" }, text, bar, again, analyse);
  const show = () => {
    const failure = system.failure(deck);
    const loading = system.loading(deck);
    const song = system.song(deck);
    const bare = !failure && !loading && song !== null && !song.analysis;
    const working = work && work.id === song?.id ? ` ${Math.round(work.progress)} %` : null;
    element.hidden = !failure && !loading && !bare;
    element.classList.toggle("is-failed", failure !== null);
    again.hidden = !failure || controls.get(`deck.${deck}.track`) === "";
    analyse.hidden = !bare || working !== null;
    bar.hidden = failure !== null || loading?.fraction == null;
    if (bare) setText(text, working === null ? "Not analysed: no waveform, tempo or key yet." : `Analysing…${working}`);
    if (failure) setText(text, [failure.message, failure.hint].filter(Boolean).join(" "));
    else if (loading) {
      const percent = loading.fraction === null ? "" : ` ${Math.round(loading.fraction * 100)} %`;
      setText(text, `${loading.phase === "fetch" ? "Loading" : "Preparing"} the ${loading.what}…${percent}`);
      if (loading.fraction !== null) setProgress(bar, loading.fraction * 100);
    }
    setAttribute(element, "title", failure ? text.textContent : null);
  };
  const heard = (changed: number) => { if (changed === deck) show(); };
  system.on("loading", heard, signal);
  system.on("deck", heard, signal);
  signal.addEventListener("abort", bridge.on("tracks.rows", ({ rows }) => {
    const row = rows.find(({ id }) => id === system.song(deck)?.id);
    if (!row) return;
    work = row.status === "working" ? row : null;
    show();
  }), { once: true });
  show();
  return element;
}
