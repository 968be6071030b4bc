/** What every part of the decks' view is built with. */

import type { Bridge } from "../bridge";
import type { Clock } from "../clock/clock";
import type { ControlStore } from "../control/store";
import type { Layer } from "../ui/layer";
import type { DeckSystem } from "./engine/system";

/** The name under which this view changes controls; it hears of its own changes too, and shows what the store has. */
export const SOURCE = "page";

export interface Desk {
  bridge: Bridge;
  layer: Layer;
  signal: AbortSignal;
  system: DeckSystem;
  /** The system's. */
  controls: ControlStore;
  clock: Clock;
  /** The system again, as the pictures know it. */
  decks: DeckSystem;
  /** The deck that the keys without a side of their own are for. */
  active: number;
  /** Brings the dialogs that are seldom wanted. */
  dialogs(): Promise<typeof import("./dialogs")>;
  /** Makes a deck the active one. */
  activate(deck: number): void;
  /** Loads a track; asks before it takes the song from under a playing deck. */
  load(deck: number, trackId: string): void;
}
