/** Play and cue, as on a CD deck. */

import type { Deck } from "./deck";

/** This close to the cue point (in s) the song stands at it. */
const AT_CUE = 0.003;

export class Transport {
  readonly #deck: Deck;
  /** The button that is held and plays as long as it is; null when none is. */
  #held: string | null = null;
  /** Frames to which letting it go returns. */
  #back = 0;
  /** It is to play but its sound is not here yet. */
  #waits = false;

  constructor(deck: Deck) {
    this.#deck = deck;
  }

  /** Whether the song is to move on its own. */
  get wanted(): boolean {
    return this.#deck.values.isOn("play") || this.#held !== null;
  }

  /** Whether it does. */
  get moves(): boolean {
    return this.wanted && !this.#waits && this.#deck.song !== null;
  }

  play(on: boolean): void {
    const deck = this.#deck;
    if (!on) {
      this.#held = null;
      if (deck.voice.playing) deck.slip.depart("pause");
      this.#halt();
      return;
    }
    if (!deck.song) {
      deck.values.put("play", 0);
      return;
    }
    if (this.#held !== null) {
      this.#held = null;
      deck.runs();
      return;
    }
    deck.slip.arrive("pause");
    if (deck.voice.position >= deck.frames) deck.seek(0);
    this.#begin();
  }

  cue(pressed: boolean): void {
    const deck = this.#deck;
    if (!deck.song) return;
    const point = deck.values.get("cue_point") * deck.sampleRate;
    if (!pressed) {
      this.letGo("cue");
    } else if (deck.values.isOn("play")) {
      deck.values.put("play", 0);
      this.#held = null;
      this.#halt();
      deck.seek(point);
    } else if (this.#held !== null || Math.abs(deck.voice.position - point) <= AT_CUE * deck.sampleRate) {
      this.hold("cue", point, null);
    } else {
      const here = deck.snapped();
      deck.values.put("cue_point", here / deck.sampleRate);
      deck.seek(here);
    }
  }

  /** Plays from a place as long as a button is held. */
  hold(button: string, from: number, loop: { start: number; end: number } | null): void {
    const deck = this.#deck;
    deck.seek(from);
    if (loop) deck.loops.take(loop);
    this.#held = button;
    this.#back = from;
    this.#begin();
  }

  /** The button is let go: back to where it began, unless it plays on. */
  letGo(button: string): void {
    if (this.#held !== button) return;
    this.#held = null;
    this.#halt();
    this.#deck.seek(this.#back);
  }

  /** Its sound may have come: called for every block. */
  proceed(): void {
    if (this.#waits) this.#begin();
  }

  /** The song has come to its end. */
  ended(): void {
    this.#held = null;
    this.#deck.values.put("play", 0);
    this.#halt();
  }

  /** Another song, or none. */
  reset(): void {
    this.#held = null;
    this.#deck.values.put("play", 0);
    this.#halt();
  }

  #begin(): void {
    const deck = this.#deck;
    this.#waits = !deck.isHere();
    if (this.#waits) return;
    const place = deck.tempo.aligned(deck.voice.position);
    if (place !== deck.voice.position) deck.jump(place);
    deck.tempo.started();
    deck.steer();
    if (deck.running) deck.runs();
  }

  #halt(): void {
    this.#waits = false;
    this.#deck.steer();
    this.#deck.halts();
  }
}
