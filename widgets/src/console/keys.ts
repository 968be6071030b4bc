/** Keys of decks. */

import type { Deck } from "./deck";

const OCTAVE = 12;
/** From a minor key's tonic up to that of its relative major. */
const RELATIVE = 3;

/** Semitones by which speed shifts what a deck plays. */
function bySpeed(deck: Deck): number {
  return deck.values.isOn("keylock") ? 0 : OCTAVE * Math.log2(deck.tempo.speed);
}

/** The smallest key shift that brings a deck into the key that another one is heard in, or its relative; null while a key is unknown. */
export function keyShift(deck: Deck, other: Deck): number | null {
  const own = deck.key;
  const their = other.key;
  if (own === null || their === null) return null;
  const heard = their.tonic + other.values.get("key_shift") + bySpeed(other);
  const relative = own.minor === their.minor ? 0 : their.minor ? RELATIVE : -RELATIVE;
  const away = heard + relative - own.tonic - bySpeed(deck);
  return Math.round(away - OCTAVE * Math.round(away / OCTAVE));
}
