/** Timed events: what happens at which frame, or when a deck comes to a place. */

import type { Deck } from "./deck";
import type { TimedEvent, When } from "./types";

/** The events of one tag; the next is armed when the one before has happened. */
interface Script {
  readonly tag: string | null;
  readonly events: readonly TimedEvent[];
  next: number;
  /** Where the deck of the armed event was when it was last looked at, and how often it had jumped; null when just armed. */
  place: number | null;
  jumps: number;
}

export class Timeline {
  readonly #decks: readonly Deck[];
  #scripts: Script[] = [];

  constructor(decks: readonly Deck[]) {
    this.#decks = decks;
  }

  get empty(): boolean {
    return this.#scripts.length === 0;
  }

  /** Takes events in, in their order; they replace what is left of the same tag (null is no tag). */
  add(tag: string | null, events: readonly TimedEvent[]): void {
    if (tag !== null) this.cancel(tag);
    this.#scripts.push({ tag, events, next: 0, place: null, jumps: 0 });
  }

  cancel(tag: string): void {
    this.#scripts = this.#scripts.filter((script) => script.tag !== tag);
  }

  /** Lets happen what is due at this frame. */
  run(frame: number, happen: (event: TimedEvent, tag: string | null) => void, finished: (tag: string) => void): void {
    // What happens in one script may bring a deck to a place that another one waits for.
    for (let some = true; some; ) {
      some = false;
      for (let index = 0; index < this.#scripts.length; index += 1) {
        if (this.#proceed(this.#scripts[index] as Script, frame, happen)) some = true;
      }
    }
    for (let index = this.#scripts.length - 1; index >= 0; index -= 1) {
      const { tag, events, next } = this.#scripts[index] as Script;
      if (next < events.length) continue;
      this.#scripts.splice(index, 1);
      if (tag !== null) finished(tag);
    }
  }

  /** Whether something of a script was due. */
  #proceed(script: Script, frame: number, happen: (event: TimedEvent, tag: string | null) => void): boolean {
    const before = script.next;
    for (let event = script.events[before]; event && this.#isDue(script, event.when, frame); event = script.events[script.next]) {
      script.next += 1;
      script.place = null;
      happen(event, script.tag);
    }
    return script.next > before;
  }

  /** Frames until the first event that is due, at most `most`. */
  ahead(frame: number, most: number): number {
    let least = most;
    for (const { events, next } of this.#scripts) {
      const event = events[next];
      if (event !== undefined) least = Math.min(least, this.#framesTo(event.when, frame));
    }
    return Math.max(1, least);
  }

  #framesTo(when: When, frame: number): number {
    if ("frame" in when) return Math.ceil(when.frame) - frame;
    const deck = this.#deck(when.deck);
    const target = placeOf(when, deck);
    if (deck === undefined || target === null || !forwards(deck)) return Infinity;
    const way = target - deck.voice.position;
    return way > 0 ? Math.round(way / deck.voice.rate) : Infinity;
  }

  #isDue(script: Script, when: When, frame: number): boolean {
    if ("frame" in when) return frame >= when.frame;
    const deck = this.#deck(when.deck);
    const target = placeOf(when, deck);
    if (deck === undefined || target === null) return false;
    const { place: before, jumps } = script;
    const now = deck.voice.position;
    script.place = now;
    script.jumps = deck.jumps;
    if (!forwards(deck)) return false;
    if (now >= target - 0.5 * Math.max(1, deck.voice.rate)) return true;
    // A place just before a loop's end: the loop has come round since it was looked at last.
    const { loop } = deck.voice;
    if (before === null || loop === null || jumps !== deck.jumps) return false;
    return now < before && target > before && target < loop.end;
  }

  #deck(number: number): Deck | undefined {
    return this.#decks[number - 1];
  }
}

/** Whether places are passed: not while a button is held to listen into a song that stands. */
function forwards(deck: Deck): boolean {
  return deck.running && deck.voice.playing && deck.voice.rate > 0;
}

function placeOf(when: When, deck: Deck | undefined): number | null {
  if (!deck?.song || "frame" in when) return null;
  if ("position" in when) return when.position * deck.sampleRate;
  return deck.grid === null ? null : deck.grid.frameAt(when.beat);
}
