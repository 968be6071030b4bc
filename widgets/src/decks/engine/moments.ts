/** Where decks are at the moment that is heard: between what the console told, and before what it has told already. */

import type { ConsoleState, DeckState } from "../../console/types";
import type { DeckMoment } from "./types";

/** What was told is kept so long, in s: farther than outputs are late. */
const KEPT = 0.6;
/** Nothing is worked out farther than this from what was told, in s. */
const FARTHEST = 1;

const EMPTY: DeckState = {
  loaded: false, playing: false, position: 0, rate: 0, loop: null, loopActive: false, slip: null, beat: null, phase: null,
  tempo: null, leader: false, left: 0, right: 0,
};

export class Moments {
  readonly #sampleRate: number;
  /** The oldest first. */
  #states: ConsoleState[] = [];

  /** Hz. */
  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** What was told last; null before anything was. */
  get last(): ConsoleState | null {
    return this.#states.at(-1) ?? null;
  }

  take(state: ConsoleState): void {
    const { last } = this;
    if (last && state.frame < last.frame) this.#states = []; // another console
    this.#states.push(state);
    const oldest = state.frame - KEPT * this.#sampleRate;
    while (this.#states.length > 1 && (this.#states[1] as ConsoleState).frame <= oldest) this.#states.shift();
  }

  /** What was so at a frame: the last that was told of a time before it; null for the newest of all. */
  at(frame: number | null): ConsoleState | null {
    if (frame === null) return this.last;
    for (let i = this.#states.length - 1; i >= 0; i -= 1) {
      const state = this.#states[i] as ConsoleState;
      if (state.frame <= frame) return state;
    }
    return this.#states[0] ?? null;
  }

  /** A deck (from 1) at a frame; null: as it was told last. */
  moment(deck: number, frame: number | null): DeckMoment {
    const state = this.at(frame);
    const told = state?.decks[deck - 1] ?? EMPTY;
    if (!state || frame === null || told.rate === 0) return { ...told };
    const since = (frame - state.frame) / this.#sampleRate;
    const seconds = Math.max(-FARTHEST, Math.min(FARTHEST, since));
    return {
      ...told,
      position: turned(told, told.position + told.rate * seconds),
      slip: told.slip === null ? null : told.slip + Math.abs(told.rate) * seconds,
      beat: told.beat === null || told.tempo === null ? told.beat
        : told.beat + Math.sign(told.rate) * (told.tempo / 60) * seconds,
    };
  }
}

/** A place that a loop has brought back. */
function turned({ loop, loopActive, position }: DeckState, place: number): number {
  if (!loop || !loopActive || position < loop.start || position > loop.end) return place;
  const length = loop.end - loop.start;
  if (length <= 0) return place;
  if (place >= loop.end) return loop.start + ((place - loop.start) % length);
  return place < loop.start ? loop.end - ((loop.end - place) % length) : place;
}
