/** The hot cues of a deck. */

import type { Deck } from "./deck";
import { HOT_CUES, type HotCue } from "./types";

export class HotCues {
  readonly #deck: Deck;
  readonly #tell: (slot: number, cue: HotCue | null) => void;
  readonly #cues = new Array<HotCue | null>(HOT_CUES).fill(null);
  /** The one that slip comes back from when it is let go, and whether it brought a loop. */
  #away: { slot: number; looped: boolean } | null = null;

  /** @param tell Is told of a hot cue (1 to 8) that was set or cleared here. */
  constructor(deck: Deck, tell: (slot: number, cue: HotCue | null) => void) {
    this.#deck = deck;
    this.#tell = tell;
  }

  load(cues: readonly (HotCue | null)[]): void {
    for (let index = 0; index < HOT_CUES; index += 1) this.#cues[index] = cues[index] ?? null;
  }

  /** Sets an empty one here; goes to another one, or plays from it as long as it is held. */
  press(slot: number): void {
    const deck = this.#deck;
    if (!deck.song) return;
    const cue = this.#cues[slot - 1];
    if (!cue) {
      this.set(slot);
      return;
    }
    const start = cue.time * deck.sampleRate;
    const loop = cue.end !== null && cue.end > cue.time ? { start, end: cue.end * deck.sampleRate } : null;
    if (!deck.values.isOn("play")) {
      deck.transport.hold(name(slot), start, loop);
      return;
    }
    if (deck.values.isOn("slip")) {
      deck.slip.depart("hotcue");
      this.#away = { slot, looped: loop !== null };
    }
    const target = deck.inPhase(start);
    deck.loops.leaving(target);
    deck.jump(target);
    if (loop) deck.loops.take(loop);
  }

  release(slot: number): void {
    if (this.#away?.slot === slot) {
      if (this.#away.looped) this.#deck.loops.leaving(Infinity);
      this.#away = null;
      this.#deck.slip.arrive("hotcue");
    }
    this.#deck.transport.letGo(name(slot));
  }

  /** Sets it here, or to the loop that plays. */
  set(slot: number): void {
    const { song, loops, sampleRate } = this.#deck;
    if (!song) return;
    const { loop } = loops;
    const cue = loops.active && loop
      ? { time: loop.start / sampleRate, end: loop.end / sampleRate }
      : { time: this.#deck.snapped() / sampleRate, end: null };
    this.#change(slot, cue);
  }

  clear(slot: number): void {
    if (this.#cues[slot - 1]) this.#change(slot, null);
  }

  #change(slot: number, cue: HotCue | null): void {
    this.#cues[slot - 1] = cue;
    this.#tell(slot, cue);
  }
}

function name(slot: number): string {
  return `hot cue ${slot}`;
}
