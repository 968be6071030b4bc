/** The player of a page: a mix plays on when the panel that began it is gone. */

import type { DeckSystem } from "../../decks/engine/system";
import { AutoMixPlayer } from "./player";

const KEY = Symbol.for("sfa.automix");

/** The player of these decks; the first panel makes it. */
export function pagePlayer(system: DeckSystem): AutoMixPlayer {
  const page = globalThis as { [KEY]?: { system: DeckSystem; player: AutoMixPlayer } };
  if (page[KEY]?.system !== system) page[KEY] = { system, player: new AutoMixPlayer(system) };
  return page[KEY].player;
}
