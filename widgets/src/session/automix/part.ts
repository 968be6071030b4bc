/** The parts of a planned mix as events of the console: on other decks, or at another place than they were planned for. */

import type { Analysis, AutoMixPlan, ControlValue, ScriptEvent } from "../../types";

/** Bars of a phrase. */
const PHRASE = 8;
/** Of a song without a beat grid, in s. */
const BAR = 2;
/** What waits for a place comes so long before the song's end, in s. */
const END = 0.1;
/** Lengths a transition is cut to, in bars, where its song ends too soon for all of it. */
const LENGTHS = [64, 32, 16, 8, 4, 2, 1];

/** A transition on two decks. */
export interface Part {
  events: ScriptEvent[];
  /** The decks whose song goes and comes. */
  going: number;
  coming: number;
  /** Seconds of the song that goes: the transition, and its first event, which makes the other deck ready. */
  at: number;
  begin: number;
  bars: number;
}

/** The deck of a song of the plan: they take turns, from deck 1 or, `swapped`, from deck 2. */
export function deckOf(song: number, swapped: boolean): number {
  return (song % 2 === 0) === swapped ? 2 : 1;
}

/** How a song of the plan (from 1) comes in. Which songs are in the decks is seen to by whoever plays it. */
export function partOf(plan: AutoMixPlan, song: number, swapped: boolean): Part {
  const planned = plan.script.events.slice(plan.parts[song], plan.parts[song + 1]).filter(({ control }) => !/^deck\.\d\.track$/.test(control));
  const events = swapped ? planned.map(onOtherDeck) : planned;
  const { out_at: at, bars } = plan.transitions[song - 1] as { out_at: number; bars: number };
  const going = deckOf(song - 1, swapped);
  return { events, going, coming: deckOf(song, swapped), at, begin: events.find(({ deck }) => deck === going)?.time ?? at, bars };
}

function onOtherDeck(event: ScriptEvent): ScriptEvent {
  const control = event.control.replace(/^deck\.([12])\./, (_, deck: string) => `deck.${3 - Number(deck)}.`);
  const value: ControlValue = control === "mixer.crossfader" ? -Number(event.value) : event.value;
  return { ...event, control, value, ...(event.deck !== undefined && { deck: 3 - event.deck }) };
}

/** The bars of a song. */
export class Bars {
  readonly #starts: readonly number[];
  readonly #length: number;
  readonly #phase: number;
  /** How many whole bars it has from its first. */
  readonly count: number;
  /** The last place that something may wait for, in s. */
  readonly last: number;

  constructor(analysis: Analysis | null, duration: number) {
    this.last = duration - END;
    const grid = analysis?.downbeats ?? [];
    const whole = grid.length > 1;
    this.#length = whole ? ((grid.at(-1) as number) - (grid[0] as number)) / (grid.length - 1) : BAR;
    this.#starts = whole ? grid : Array.from({ length: Math.max(2, Math.floor(duration / BAR)) }, (_, bar) => bar * BAR);
    this.count = Math.floor(this.at(duration) + 0.5);
    this.#phase = this.#phraseOf(analysis);
  }

  /** A place [s] in bars since the first downbeat. */
  at(place: number): number {
    const starts = this.#starts;
    const first = starts[0] as number;
    const last = starts.length - 1;
    if (place <= first) return (place - first) / this.#length;
    if (place >= (starts[last] as number)) return last + (place - (starts[last] as number)) / this.#length;
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= place) low = middle;
      else high = middle;
    }
    return low + (place - (starts[low] as number)) / ((starts[high] as number) - (starts[low] as number));
  }

  /** The opposite: seconds. */
  time(bar: number): number {
    const starts = this.#starts;
    const last = starts.length - 1;
    if (bar <= 0) return (starts[0] as number) + bar * this.#length;
    if (bar >= last) return (starts[last] as number) + (bar - last) * this.#length;
    const low = Math.floor(bar);
    return (starts[low] as number) + (bar - low) * ((starts[low + 1] as number) - (starts[low] as number));
  }

  /** The first bar from here on that begins a phrase: where most of its sections do. */
  phrase(bar: number): number {
    const from = Math.ceil(bar);
    return from + ((((this.#phase - from) % PHRASE) + PHRASE) % PHRASE);
  }

  #phraseOf(analysis: Analysis | null): number {
    const counts = new Array<number>(PHRASE).fill(0);
    for (const { start } of analysis?.sections ?? []) {
      if (start < 0.1) continue;
      const bar = ((Math.round(this.at(start)) % PHRASE) + PHRASE) % PHRASE;
      counts[bar] = (counts[bar] as number) + 1;
    }
    return counts.indexOf(Math.max(...counts));
  }
}

/**
 * The transition at another bar of the song that goes; shorter where that song ends too soon. Null where not even a bar
 * is left.
 */
export function movedTo(part: Part, bars: Bars, bar: number): Part | null {
  const room = Math.floor(bars.count - bar);
  const length = part.bars <= room ? part.bars : LENGTHS.find((some) => some <= room);
  if (length === undefined) return null;
  const share = length / part.bars;
  const planned = bars.at(part.at);
  // The deck that comes is made ready as long before as it was planned to be.
  const moved = (place: number) => {
    const after = bars.at(place) - planned;
    return bars.time(bar + (after > 0 ? after * share : after));
  };
  const events = part.events.map((event) => {
    if (event.deck !== part.going) return event;
    const time = Math.min(moved(event.time), bars.last);
    return { ...event, time, ...(event.over !== undefined && { over: event.over * share }) };
  });
  return { ...part, events, at: bars.time(bar), begin: moved(part.begin), bars: length };
}
