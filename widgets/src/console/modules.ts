/** The stretcher's WebAssembly modules, made ahead: a deck takes one for its mix and one for its stems. */

import stretchModule, { type StretchModule } from "signalsmith-stretch";
import { DECKS } from "./types";

/** For every deck: one for its mix and one for its stems. */
const ALL = 2 * DECKS;

/** Gives a module that nobody has yet; null when all are taken. */
export async function stretchModules(count = ALL): Promise<() => StretchModule | null> {
  const modules: StretchModule[] = [];
  while (modules.length < count) modules.push(await stretchModule());
  return () => modules.pop() ?? null;
}
