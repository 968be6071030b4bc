/** The waveforms of all decks, one above the other, with their playheads in one column. */

import { h } from "../../dom";
import { Lane } from "./lane";
import { deckLetter, type Scene } from "./source";

/** What painting new parts of waveforms may take of a frame, in ms. */
const PAINTING = 5;

export class WaveStack {
  readonly #lanes: { element: HTMLElement; lane: Lane }[];
  readonly #scene: Scene;

  constructor(host: HTMLElement, scene: Scene) {
    this.#scene = scene;
    const { controls, clock, signal } = scene;
    host.classList.add("sfa-waves");
    this.#lanes = [1, 2, 3, 4].map((deck) => {
      const element = h("div", { class: "sfa-lane", role: "img", "aria-label": `Waveform of deck ${deckLetter(deck)}` });
      host.append(element);
      return { element, lane: new Lane(element, scene, deck) };
    });
    this.#arrange();
    controls.on("mixer.decks", () => this.#arrange(), signal);
    controls.on("view.", () => {
      for (const { lane } of this.#lanes) lane.touch();
    }, signal);
    clock.subscribe((now) => this.#draw(now), signal);
    signal.addEventListener("abort", () => {
      for (const { element } of this.#lanes) element.remove();
      host.classList.remove("sfa-waves");
    }, { once: true });
  }

  #arrange(): void {
    const shown = Number(this.#scene.controls.get("mixer.decks"));
    this.#lanes.forEach(({ element }, index) => {
      element.hidden = index >= shown;
    });
  }

  #draw(now: number): boolean {
    const budget = { until: performance.now() + PAINTING };
    let more = false;
    for (const { lane } of this.#lanes) {
      if (lane.draw(budget, now)) more = true;
    }
    return more;
  }
}
