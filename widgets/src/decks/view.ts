/** The decks: waveforms on top, deck A left, B right (C and D below), the mixer between. */

import type { Bridge } from "../bridge";
import type { Load } from "../dashboard/lazy";
import { append, h, setAttribute } from "../dom";
import { icon } from "../icons";
import { CoverArt } from "../media";
import { takeTracks } from "../ui/carry";
import type { Layer } from "../ui/layer";
import { deckPanel } from "./deck/deck";
import "./decks.css";
import { type Desk, SOURCE } from "./desk";
import type { DeckSystem } from "./engine/system";
import type { Seat } from "./engine/types";
import { IN_HAND, listenForKeys, MIXER, parse, SIDES } from "./keys";
import { bar } from "./mixer/bar";
import { crossfader, strips } from "./mixer/mixer";
import { sessionButtons } from "./session";
import { deckLetter, keepMoving, WaveStack } from "./waves/index";

/** What is pressed and keeps no focus when a pointer does it. */
const PRESSED = "button, input[type=radio]";

export interface DecksOptions {
  signal: AbortSignal;
  layer: Layer;
  /** Where keys are heard: the page when it is ours alone, else the widget. */
  keys: Document | HTMLElement;
  /** Brings the parts of the page that come when they are wanted. */
  load?: Load;
  /** Puts the library below the decks. */
  library?(host: HTMLElement, loadFree: (trackId: string) => void): void;
}

export interface DecksHandle {
  /** Loads a track into a deck, 1 to 4. */
  load(deck: number, trackId: string): void;
  focus(): void;
}

/** Builds a view of these decks inside `el`; it lives until `signal` aborts. */
export function mountView(el: HTMLElement, bridge: Bridge, system: DeckSystem, options: DecksOptions & { load: Load }): DecksHandle {
  const { signal, layer } = options;
  const { controls, clock } = system;
  const seat = system.join(bridge, signal);
  const covers = new CoverArt(bridge, signal);
  const desk: Desk = {
    bridge, layer, signal, system, controls, clock, decks: system, active: 1,
    dialogs: () => options.load("session") as ReturnType<Desk["dialogs"]>,
    activate(deck) {
      desk.active = deck;
      root.dataset.active = String(deck);
    },
    load(deck, trackId) {
      system.unlock();
      if (!system.stand(deck).playing) {
        system.load(deck, trackId);
        return;
      }
      layer.toast("warn", `Deck ${deckLetter(deck)} is playing.`, {
        action: { label: trackId ? "Load all the same" : "Take the song out", run: () => system.load(deck, trackId) },
      });
    },
  };

  const notice = h("div", { class: "sfa-dk-notices", role: "status" });
  const waves = h("div", { class: "sfa-dk-waves" });
  const stage = h("div", { class: "sfa-dk-stage" });
  const console_ = h("div", { class: "sfa-dk-console" }, waves, stage);
  const library = h("div", { class: "sfa-dk-library", hidden: options.library === undefined });
  const session = h("div", { class: "sfa-dk-session" });
  const showKeys = () => void desk.dialogs()
    .then((dialogs) => dialogs.showKeys(desk, { sides: SIDES, hand: IN_HAND, mixer: MIXER, parse }))
    .catch((error: unknown) => layer.failed(error, showKeys));
  const root: HTMLElement = h(
    "div", { class: "sfa-decks", role: "region", "aria-label": "Decks", tabindex: -1, "data-active": "1" },
    bar(desk, showKeys, sessionButtons(desk, session, options.load)), notice, console_, session, library,
  );
  append(el, root);
  keepMoving(desk);
  new WaveStack(waves, desk);
  [...waves.children].forEach((lane, i) => takeTracks(lane as HTMLElement, ([first]) => { if (first !== undefined) desk.load(i + 1, first); }, signal));

  // What is shown

  const place = (element: HTMLElement, area: string) => {
    element.style.gridArea = area;
    stage.append(element);
    return element;
  };
  place(deckPanel(desk, 1, covers), "a");
  const mixer = [place(strips(desk, 1, 2), "s"), place(crossfader(desk), "x")];
  place(deckPanel(desk, 2, covers), "b");
  let lower: HTMLElement[] = [];
  const arrange = () => {
    const four = controls.get("mixer.decks") === "4";
    // Two more decks are made when they are first wanted.
    if (four && lower.length === 0) {
      const more = place(strips(desk, 3, 4), "t");
      mixer.push(more);
      lower = [place(deckPanel(desk, 3, covers), "c"), place(deckPanel(desk, 4, covers), "d"), more];
    }
    const mixing = controls.isOn("view.mixer");
    root.classList.toggle("has-four", four);
    root.classList.toggle("is-unmixed", !mixing);
    root.classList.toggle("has-stemwaves", controls.isOn("view.stems"));
    for (const element of lower) element.hidden = !four;
    for (const element of mixer) element.hidden = !mixing || (!four && lower.includes(element));
    if (!four && desk.active > 2) desk.activate(1);
  };
  for (const id of ["mixer.decks", "view.mixer", "view.stems"]) controls.on(id, arrange, signal);
  arrange();
  options.library?.(library, (trackId) => desk.load(freeDeck(system), trackId));

  // How it stands

  const showNotices = () => {
    notice.replaceChildren(...notices(system, seat));
    notice.hidden = notice.childElementCount === 0;
    const ours = seat.holding === "here" || seat.holding === "joining";
    setAttribute(console_, "inert", !ours);
  };
  for (const event of ["holder", "sound", "blocked"] as const) system.on(event, showNotices, signal);
  showNotices();
  system.on("error", ({ deck, message, hint }) => {
    // What is about one deck is told there as well; a sentence at the bottom reaches who looks elsewhere.
    layer.toast("danger", deck === null ? message : `Deck ${deckLetter(deck)}: ${message}`, { hint });
  }, signal);

  // Who presses buttons with a mouse has the keys for the decks: Space plays, whatever was pressed last.
  let pointed = false;
  root.addEventListener("pointerdown", () => {
    pointed = true;
    system.unlock();
  }, { signal, capture: true });
  root.addEventListener("keydown", () => { pointed = false; }, { signal, capture: true });
  const toRoot = () => root.focus({ preventScroll: true });
  root.addEventListener("mousedown", (event) => {
    if (event.target instanceof Element && event.target.closest(PRESSED)) {
      event.preventDefault();
      toRoot();
    }
  }, { signal });
  root.addEventListener("change", (event) => {
    if (pointed && event.target instanceof HTMLSelectElement) toRoot();
  }, { signal });
  listenForKeys(options.keys, desk, () => root.isConnected && root.closest("[hidden]") === null, showKeys);
  signal.addEventListener("abort", () => root.remove(), { once: true });
  return {
    load: (deck, trackId) => {
      if (deck > 2) controls.set("mixer.decks", "4", SOURCE);
      desk.load(deck, trackId);
    },
    focus: () => root.focus({ preventScroll: true }),
  };
}

/** The deck that a song goes to when none is named: one that is empty, else one that stands. */
function freeDeck(system: DeckSystem): number {
  const decks = system.controls.get("mixer.decks") === "4" ? [1, 2, 3, 4] : [1, 2];
  return decks.find((deck) => !system.song(deck)) ?? decks.find((deck) => !system.stand(deck).playing) ?? 1;
}

/** Sentences about what keeps these decks from playing as they could. */
function notices(system: DeckSystem, seat: Seat): HTMLElement[] {
  const found: HTMLElement[] = [];
  const say = (kind: "info" | "alert", words: string, action?: { label: string; run(): void }) => {
    const button = action && h("button", { type: "button", class: "sfa-button" }, action.label);
    if (action) button?.addEventListener("click", action.run);
    found.push(h("div", { class: kind === "alert" ? "is-alert" : null }, icon(kind), h("span", {}, words), button));
  };
  if (seat.holding === "elsewhere") {
    say("info", "These decks play in another page.", { label: "Play them here", run: () => seat.use() });
  } else if (seat.holding === "other") {
    say("info", "This page plays the decks of another notebook, or of this one before its kernel was restarted.", { label: "Use these instead", run: () => seat.use() });
  }
  if (system.blocked) say("info", "The browser wants a click before it lets this page make sound: click anywhere.");
  if (system.limits) {
    const { message, hint } = system.limits;
    say("alert", [message, hint].filter(Boolean).join(" "));
  }
  return found;
}
