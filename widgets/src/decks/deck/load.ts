/** The dialog that finds a song for a deck. */

import { findSongs } from "../../ui/find";
import type { Desk } from "../desk";
import { deckLetter } from "../waves/source";

export function openLoad(desk: Desk, deck: number): void {
  findSongs(desk, `Load deck ${deckLetter(deck)}`, ({ id }) => {
    desk.load(deck, id);
    return undefined;
  });
}
