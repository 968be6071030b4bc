/** The engine of this page, shared by every bundle on it. */

import { AudioEngine, ENGINE_VERSION } from "./engine";

const KEY = Symbol.for("sfa.audio");

/** The page's engine; the first bundle that asks makes it. It makes no sound before a gesture. */
export function audioEngine(): AudioEngine {
  const page = globalThis as { [KEY]?: AudioEngine };
  const there = page[KEY];
  if (there?.version === ENGINE_VERSION) return there;
  // Left by another release of the widgets in a page that was not reloaded.
  there?.dispose();
  return (page[KEY] = new AudioEngine());
}

export { AudioEngine, type EngineError, type EngineEvents, type Loading, stemsFit } from "./engine";
export { decibels, faderAt, faderGain, levelText, type MixerState, neutral, type Role, UNITY } from "./mixer";
export type { Loop } from "./transport";
