/** What the lists of songs know of the decks: that songs can be loaded into them. */

import type { MenuItem } from "./layer";

export interface LoadsDecks {
  /** Loads a track into a deck, 1 to 4. */
  load(deck: number, trackId: string): void;
}

/** The decks of this page, whoever made them; null while it has none. */
export function pageDecks(): LoadsDecks | null {
  return (globalThis as { [key: symbol]: LoadsDecks | undefined })[Symbol.for("sfa.decks")] ?? null;
}

export function deckItems(decks: LoadsDecks | null | undefined, trackId: string): MenuItem[] {
  if (!decks) return [];
  return [1, 2].map((deck) => ({
    label: `Load to deck ${"AB"[deck - 1]}`, icon: "disc", keys: `⇧${deck}`, run: () => decks.load(deck, trackId),
  }));
}

/** Shift and a digit loads into that deck; tells whether it was such a key. */
export function deckKey({ code, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent, decks: LoadsDecks | null | undefined, trackId: string | undefined): boolean {
  const deck = /^Digit([1-4])$/.exec(code)?.[1];
  if (!deck || !shiftKey || ctrlKey || metaKey || altKey || !decks || trackId === undefined) return false;
  decks.load(Number(deck), trackId);
  return true;
}
