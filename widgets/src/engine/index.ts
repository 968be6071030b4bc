/** The engine of this page, shared by every bundle on it. */

import { AudioEngine, ENGINE_VERSION } from "./engine";
import { pageSound } from "./page";

const KEY = Symbol.for("sfa.audio");

/** The page's engine; the first bundle that asks makes it. It makes no sound before a gesture. */
export function audioEngine(): AudioEngine {
  const page = globalThis as { [KEY]?: AudioEngine };
  const there = page[KEY];
  if (there?.version === ENGINE_VERSION) return there;
  // Left by another release of the widgets in a page that was not reloaded.
  there?.dispose();
  return (page[KEY] = new AudioEngine(undefined, pageSound()));
}

export { AudioEngine, type EngineError, type EngineEvents, type Loading } from "./engine";
export { stemsFit } from "./memory";
export {
  decibels, faderAt, faderGain, gains, levelText, type MixerState, neutral, panText, type Role, roleOf, type Side, type Stem,
  stemOf, type StemSetting, UNITY,
} from "./mixer";
export type { Loop } from "./transport";
