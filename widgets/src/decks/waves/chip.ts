/** The key that a deck sounds in, and how it goes with the deck that leads. */

import { h, setAttribute, setText } from "../../dom";
import { setKeyChip } from "../../parts";
import { camelotOf, type Key, keyMatch, type KeyMatch, keyName, soundingKey } from "./keys";
import { deckLetter, type Scene } from "./source";

/** A shape for each match, beside its colour. */
const MARKS: Record<KeyMatch, string> = {
  "same": "=", "relative": "≈", "neighbour": "✓", "energy up": "↑", "energy down": "↓", "clash": "✕",
};
const WORDS: Record<KeyMatch, string> = {
  "same": "the same key as", "relative": "the relative key of", "neighbour": "next to the key of",
  "energy up": "lifts the energy over", "energy down": "lowers the energy under", "clash": "clashes with",
};

export class DeckKey {
  readonly #scene: Scene;
  readonly #deck: number;
  readonly #chip = h("span", { class: "sfa-key" });
  readonly #mark = h("span", { class: "sfa-key-match" });
  readonly #element = h("span", { class: "sfa-deck-key", role: "img" }, this.#chip, this.#mark);
  #shown = "";

  constructor(host: HTMLElement, scene: Scene, deck: number) {
    this.#scene = scene;
    this.#deck = deck;
    host.append(this.#element);
    scene.signal.addEventListener("abort", () => this.#element.remove(), { once: true });
    scene.clock.subscribe(() => this.#draw(), scene.signal);
  }

  #key(deck: number): Key | null {
    const { decks, controls } = this.#scene;
    const key = decks.song(deck)?.key;
    const value = (name: string) => Number(controls.get(`deck.${deck}.${name}`));
    return key ? soundingKey(key, value("key_shift"), value("pitch"), value("keylock") > 0) : null;
  }

  /** The deck to go with: the leader, else the only other one that plays. */
  #other(): number | null {
    const { decks } = this.#scene;
    const others = [1, 2, 3, 4].filter((deck) => deck !== this.#deck && decks.song(deck));
    const leader = others.find((deck) => decks.stand(deck).leader);
    if (leader !== undefined) return leader;
    const playing = others.filter((deck) => decks.stand(deck).playing);
    return playing.length === 1 ? playing[0] as number : null;
  }

  #draw(): void {
    const own = this.#key(this.#deck);
    const other = own ? this.#other() : null;
    const theirs = other === null ? null : this.#key(other);
    const match = own && theirs ? keyMatch(theirs, own) : null;
    const name = own ? keyName(own) : null;
    const says = own === null ? "Key unknown"
      : `${camelotOf(own)}, ${name}${match && other !== null ? `: ${WORDS[match]} deck ${deckLetter(other)}` : ""}`;
    if (says === this.#shown) return;
    this.#shown = says;
    setKeyChip(this.#chip, own ? camelotOf(own) : null, name);
    setText(this.#mark, match ? MARKS[match] : "");
    setAttribute(this.#element, "data-match", match?.replace(" ", "-"));
    setAttribute(this.#element, "aria-label", says);
    setAttribute(this.#element, "title", says);
  }
}
