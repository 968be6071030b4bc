/** Scripts as a console plays them: what is set before the first frame, and what happens when. */

import type { ControlValue, ScriptDocument } from "../types";
import { controlOf, holdsState } from "./table";
import type { ControlChange, TimedEvent } from "./types";

/** Steps of an opening: songs, settings, places in the songs, what depends on a place, what starts. */
const SETTING = 1;
const PLACE = 2;
const LAST: Readonly<Record<string, number>> = {
  "deck.{deck}.track": 0,
  "deck.{deck}.seek": PLACE,
  "deck.{deck}.leader": 3,
  "deck.{deck}.sync": 3,
  "deck.{deck}.loop.active": 3,
  "deck.{deck}.slip": 3,
  "deck.{deck}.reverse": 4,
  "deck.{deck}.roll": 4,
  "deck.{deck}.play": 5,
  "deck.{deck}.cue": 5,
  "deck.{deck}.hotcue.{cue}.press": 5,
};

/** What a script leaves alone: it is about the music, not about how a page looks or what it records. */
const KEPT = /^(view\.|mixer\.(record|automix|decks|headphones))/;

/**
 * What has to be set before a script begins, in this order.
 *
 * `now`: what a console is set to that is not fresh; what the script does not name goes back to its default.
 */
export function opening(
  document: ScriptDocument,
  now: Readonly<Record<string, ControlValue>> = {},
): ControlChange[] {
  const changes: ControlChange[] = [];
  for (const [control, value] of Object.entries(now)) {
    const { kind, default: usual } = controlOf(control);
    if (kind === "meter" || KEPT.test(control) || control in document.controls || value === usual) continue;
    if (holdsState(controlOf(control))) changes.push({ control, value: usual });
  }
  for (const [control, value] of Object.entries(document.controls)) changes.push({ control, value });
  for (const [deck, value] of Object.entries(document.positions)) changes.push({ control: `deck.${deck}.seek`, value });
  const step = ({ control }: ControlChange) => LAST[controlOf(control).line] ?? SETTING;
  return changes.sort((a, b) => step(a) - step(b)); // which keeps the order of equals
}

/** What happens in a script that begins at frame `start`. */
export function timed(document: ScriptDocument, start: number, sampleRate: number): TimedEvent[] {
  return document.events.map(({ time, control, value, over, deck }) => ({
    when: deck === undefined ? { frame: start + Math.round(time * sampleRate) } : { deck, position: time },
    control,
    value,
    ...(over === undefined || over <= 0 ? {} : { over: { seconds: over } }),
  }));
}

/** Whether a change puts a song into a deck. */
export function loads({ control }: { control: string }): boolean {
  return controlOf(control).line === "deck.{deck}.track";
}
