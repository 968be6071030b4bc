/** The pictures of the decks. */

import "./waves.css";

export { DeckKey } from "./chip";
export { BeatCounter } from "./counter";
export { JogWheel } from "./jog";
export { LevelMeter } from "./meter";
export { DeckOverview } from "./overview";
export { PhaseMeter } from "./phase";
export { WaveStack } from "./stack";
export * from "./source";
