/** What the pictures of the decks are drawn from, and what they do: the decks' engine and the store of controls fit it. */

import type { Clock } from "../../clock/clock";
import type { ControlValue, Analysis, Cue } from "../../types";
import type { Pyramid } from "../../waveform/pyramid";

/** A song in a deck. It is another object when anything of it has changed. */
export interface DeckSong {
  id: string;
  title: string;
  /** Seconds. */
  duration: number;
  /** Of "mix" and of its stems, as far as they have come. */
  pyramids: ReadonlyMap<string, Pyramid>;
  analysis: Analysis | null;
  cues: readonly Cue[];
  /** Pitch class of the tonic (C is 0); null while unknown. */
  key: { tonic: number; minor: boolean } | null;
}

/** A deck at this moment. */
export interface DeckMoment {
  /** What is heard now, in s of the song: smooth from frame to frame. */
  position: number;
  playing: boolean;
  /** Seconds of the song in a second, with its sign; 0 while it stands. */
  rate: number;
  /** Seconds. */
  loop: { start: number; end: number } | null;
  loopActive: boolean;
  /** Where slip will go on, in s, moving along; null while nothing departs from it. */
  slip: number | null;
  /** Beats that it is ahead of its leader, -0.5 to 0.5; null without one. */
  phase: number | null;
  /** BPM now; null without a grid. */
  tempo: number | null;
  leader: boolean;
}

/** Decks are numbered from 1. */
export interface Decks {
  stand(deck: number): DeckMoment;
  song(deck: number): DeckSong | null;
  /** Something other than a playing deck's position has changed. */
  on(event: "deck", callback: (deck: number) => void, signal: AbortSignal): void;
}

export interface Controls {
  get(id: string): ControlValue;
  set(id: string, value: ControlValue, source: string): void;
  /** Of what holds no state: a trigger, or an increment. */
  nudge(id: string, value: number, source: string): void;
  /** 0 to 1, along the control's curve. */
  knob(id: string): number;
  setKnob(id: string, knob: number, source: string): void;
  on(idOrPrefix: string, callback: (id: string, value: ControlValue, source: string) => void, signal: AbortSignal): void;
}

/** What every picture here is made with. */
export interface Scene {
  decks: Decks;
  controls: Controls;
  /** All pictures of a page are drawn in its frames. */
  clock: Clock;
  signal: AbortSignal;
}

/** The name under which the pictures change controls. */
export const SOURCE = "waves";

const DECK_LETTERS = ["A", "B", "C", "D"] as const;

export function deckLetter(deck: number): string {
  return DECK_LETTERS[deck - 1] ?? String(deck);
}

export function deckColour(deck: number): string {
  return `--deck-${deckLetter(deck).toLowerCase()}`;
}

/** Hot cues are lettered, so that a flag on a waveform is no bar number: 1 is "A". */
export function cueLetter(slot: number): string {
  return String.fromCharCode(64 + slot);
}

/** Colours of hot cues that have none of their own, by slot, as the kernel gives them; and those to choose from. */
export const CUE_COLOURS = ["#e5484d", "#f2912e", "#f2c230", "#2fbf71", "#22b8cf", "#3b82f6", "#9b5de5", "#f25fa5"] as const;

/** A hot cue's own colour, else that of its slot; null for a cue of another kind without one. */
export function cueColour({ color, slot }: Cue): string | null {
  if (color && /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(color)) return color;
  return slot === null ? null : (CUE_COLOURS[(slot - 1) % CUE_COLOURS.length] as string);
}

/**
 * Keeps frames coming while a deck is heard to move, and brings one when anything changes. Once for each scene.
 *
 * What is heard is later than what the engine knows: a deck that has stopped still runs on for a moment.
 */
export function keepMoving({ decks, controls, clock, signal }: Scene): void {
  const wake = () => clock.wake();
  decks.on("deck", wake, signal);
  controls.on("", wake, signal);
  clock.subscribe(() => [1, 2, 3, 4].some((deck) => {
    const { playing, rate } = decks.stand(deck);
    return playing || rate !== 0;
  }), signal);
}
