/** Slip: where the song would be had nothing departed from it. */

import type { Deck } from "./deck";

/** What a deck does meanwhile, and comes back from. */
export type Departure = "loop" | "roll" | "scratch" | "reverse" | "hotcue" | "pause";

export class Slip {
  readonly #deck: Deck;
  readonly #departures = new Set<Departure>();
  /** Frames of the song; null while nothing departs. */
  ghost: number | null = null;

  constructor(deck: Deck) {
    this.#deck = deck;
  }

  /** Whether the song goes on unheard, as it was paused. */
  get paused(): boolean {
    return this.#departures.has("pause");
  }

  /** Something begins that the song is to come back from; a roll does so whether slip is on or not. */
  depart(departure: Departure): void {
    if (departure !== "roll" && !this.#deck.values.isOn("slip")) return;
    this.ghost ??= this.#deck.voice.position;
    this.#departures.add(departure);
  }

  /** It ends; after the last one the song is where it would have been. Whether that is so. */
  arrive(departure: Departure): boolean {
    if (!this.#departures.delete(departure) || this.#departures.size > 0 || this.ghost === null) return false;
    const back = this.ghost;
    this.ghost = null;
    this.#deck.jump(back);
    return true;
  }

  /** A departure is over without coming back: another one has taken its place. */
  drop(departure: Departure): void {
    this.#departures.delete(departure);
    if (this.#departures.size === 0) this.ghost = null;
  }

  /** Slip was switched: what departs now does so from here, or stays. */
  switched(on: boolean): void {
    if (on) {
      if (this.#deck.loops.active) this.depart("loop");
      if (this.#deck.values.isOn("reverse")) this.depart("reverse");
      if (this.#deck.jog.touched) this.depart("scratch");
      return;
    }
    for (const departure of this.#departures) if (departure !== "roll") this.#departures.delete(departure);
    if (this.#departures.size === 0) this.ghost = null;
  }

  /** Nothing comes back: the song itself was sent elsewhere. */
  forget(): void {
    this.#departures.clear();
    this.ghost = null;
  }

  /** The ghost moves on by frames of the song; a song that ended while it was paused goes on where it stands. */
  advance(frames: number): void {
    if (this.ghost === null) return;
    this.ghost = Math.max(0, Math.min(this.#deck.frames, this.ghost + frames));
    if (this.ghost === this.#deck.frames) this.drop("pause");
  }
}
