/** Bar and beat of a deck, and how far the next hot cue is. */

import { h, setAttribute, setText } from "../../dom";
import { beatPlace, beatsBetween, nextHotCue, PHRASE } from "./place";
import { cueLetter, type Scene } from "./source";

export class BeatCounter {
  readonly #scene: Scene;
  readonly #deck: number;
  readonly #place = h("span", { class: "sfa-counter-place" });
  readonly #phrase = h("span", { class: "sfa-counter-phrase", "aria-hidden": "true" });
  readonly #next = h("span", { class: "sfa-counter-next" });

  constructor(host: HTMLElement, scene: Scene, deck: number) {
    this.#scene = scene;
    this.#deck = deck;
    const element = h("div", { class: "sfa-counter", role: "group", "aria-label": "Bar and beat" }, this.#place, this.#phrase, this.#next);
    for (let bar = 0; bar < PHRASE; bar += 1) this.#phrase.append(h("i"));
    host.append(element);
    scene.signal.addEventListener("abort", () => element.remove(), { once: true });
    scene.clock.subscribe(() => this.#draw(), scene.signal);
  }

  #draw(): void {
    const { decks } = this.#scene;
    const song = decks.song(this.#deck);
    const { position } = decks.stand(this.#deck);
    const place = beatPlace(song?.analysis ?? null, position);
    setText(this.#place, place ? `${place.bar}.${place.beat}` : "");
    this.#phrase.style.visibility = place ? "" : "hidden";
    const bar = place && place.bar > 0 ? (place.bar - 1) % PHRASE : -1;
    for (let i = 0; i < PHRASE; i += 1) this.#phrase.children[i]?.classList.toggle("is-on", i <= bar);
    const cue = song ? nextHotCue(song.cues, position) : null;
    const beats = song?.analysis && cue ? beatsBetween(song.analysis, position, cue.time) : null;
    const metre = song?.analysis?.beats_per_bar ?? 4;
    // Rounded up: "0.1" is the last beat before it.
    const left = beats === null ? 0 : Math.max(1, Math.ceil(beats - 1e-6));
    setText(this.#next, cue?.slot && beats !== null ? `${cueLetter(cue.slot)} −${Math.floor(left / metre)}.${left % metre}` : "");
    setAttribute(this.#next, "title", cue?.slot && beats !== null ? `Bars and beats to hot cue ${cueLetter(cue.slot)}` : null);
  }
}
