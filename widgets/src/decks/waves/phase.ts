/** Two rows of beats, the leader's above and the deck's own below: they stand exactly above each other when they are in phase. */

import { Surface } from "../../waveform/surface";
import { box } from "./pen";
import { beatPlace } from "./place";
import { deckColour, deckLetter, type Scene } from "./source";

/** Beats that it is off and still called in phase: under a hundredth nobody hears. */
const IN_PHASE = 0.02;

export class PhaseMeter {
  readonly #surface: Surface;
  readonly #scene: Scene;
  readonly #deck: number;
  #drawn = "";

  constructor(host: HTMLElement, scene: Scene, deck: number) {
    this.#scene = scene;
    this.#deck = deck;
    host.setAttribute("role", "img");
    this.#surface = new Surface(host, () => {
      this.#drawn = "";
      scene.clock.wake();
    }, scene.signal);
    scene.clock.subscribe(() => this.#draw(), scene.signal);
  }

  #draw(): void {
    const { context, width, height, ratio, visible } = this.#surface;
    if (!context || !visible) return;
    const { decks } = this.#scene;
    const own = decks.stand(this.#deck);
    const place = beatPlace(decks.song(this.#deck)?.analysis ?? null, own.position);
    const leading = own.leader || own.phase === null ? null : [1, 2, 3, 4].find((deck) => deck !== this.#deck && decks.stand(deck).leader) ?? null;
    const lead = leading === null ? null : beatPlace(decks.song(leading)?.analysis ?? null, decks.stand(leading).position);
    const metre = place?.metre ?? 4;
    const each = width / metre;
    const phase = leading === null ? 0 : own.phase ?? 0;
    const shift = Math.round(phase * each * ratio) / ratio;
    const state = `${leading} ${lead?.beat} ${place?.beat} ${metre} ${shift} ${own.leader}`;
    if (state === this.#drawn) return;
    this.#drawn = state;
    this.#describe(leading, phase, own.leader);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!place) return;
    const row = (height - 3) / 2;
    this.#row(0, row, 0, lead?.metre ?? metre, lead?.beat ?? 0, leading === null ? "--line-strong" : deckColour(leading));
    this.#row(height - row, row, shift, metre, place?.beat ?? 0, deckColour(this.#deck));
    if (leading === null) return;
    // A tick says in phase or how far off, whatever the eye makes of the rows.
    const middle = Math.round(width / 2);
    box(this.#surface, Math.abs(phase) <= IN_PHASE ? "--ok" : "--warn", Math.min(middle, middle + shift), row, Math.max(3, Math.abs(shift)), 3);
  }

  /** One box a beat; what is shifted out at one side comes in at the other. */
  #row(y: number, tall: number, shift: number, metre: number, beat: number, colour: string): void {
    const { width } = this.#surface;
    const each = width / metre;
    for (let i = -1; i <= metre; i += 1) {
      const number = ((i + metre) % metre) + 1;
      const left = Math.max(0, i * each + shift + 1);
      const right = Math.min(width, (i + 1) * each + shift - 1);
      if (right <= left) continue;
      box(this.#surface, colour, left, y, right - left, tall, number === beat ? 1 : 0.28);
      // The one of the bar has a notch of its own.
      if (number === 1) box(this.#surface, "--text", left, y, Math.min(2, right - left), tall);
    }
  }

  #describe(leading: number | null, phase: number, leads: boolean): void {
    const letter = deckLetter(this.#deck);
    const { host } = this.#surface;
    let label = `Phase of deck ${letter}`;
    if (leads) label += ": it leads";
    else if (leading === null) label += ": nothing to follow";
    else if (Math.abs(phase) <= IN_PHASE) label += `: in phase with deck ${deckLetter(leading)}`;
    else label += `: ${phase > 0 ? "ahead of" : "behind"} deck ${deckLetter(leading)}`;
    if (host.getAttribute("aria-label") !== label) host.setAttribute("aria-label", label);
  }
}
