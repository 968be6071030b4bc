/**
 * Plays a planned mix on decks 1 and 2 of this page, transition by transition: what is changed of the plan counts for all
 * that has not begun. It needs no kernel once the next songs are known.
 *
 * A person keeps the last word. Who pauses the song that plays pauses the mix. Who moves the crossfader, or starts, stops
 * or jumps within a song, while two songs sound takes the transition over: the mix moves nothing more until one song is
 * left, and goes on from that one. Any other control that is moved during a transition is left alone until the next.
 */

import type { Bridge } from "../../bridge";
import type { ConsoleEvent } from "../../console/types";
import type { DeckSystem } from "../../decks/engine/system";
import type { AutoMixPlan, ControlValue, ScriptDocument, ScriptEvent, TransitionRow } from "../../types";
import { Bars, deckOf, movedTo, type Part, partOf } from "./part";

export const TAG = "automix";
const SOURCE = "automix";
/** Changes of these are none of a person's. */
const OTHERS = new Set(["console", "decks", SOURCE]);
/** What has to reach the console before it happens is told this long before, in s. */
const NOTICE = 0.3;
/** A place that was passed by so much without anything happening was jumped over, in s. */
const MISSED = 0.5;
/** How many songs the kernel is asked about in advance. */
const AHEAD = 6;
/** Hands have been off for so long before the mix goes on with the song that comes, and with the one that was to go, in s. */
const OVER = 1;
const BACK = 3;
/** Bars until a transition is tried again that a person took back. */
const LATER = 4;
/** A fader this near to its end lets nothing through. */
const SHUT = 0.02;
/** Who moves these during a transition takes it over. */
const HANDS = /^(play|cue|seek|search|beatjump|hotcue\.\d\.press|loop\.(active|in|out|set|move)|roll|reverse)$/;

/**
 * "starting" until its first song sounds; "alone" while one song plays; "mixing" in a transition; "hands" while a person
 * has taken it over.
 */
export type MixState = "off" | "starting" | "alone" | "mixing" | "hands";

/** What differs between a page and a test. */
export interface MixHost {
  /** Seconds. */
  now(): number;
}

export class AutoMixPlayer {
  readonly #system: DeckSystem;
  readonly #host: MixHost;
  readonly #listeners = new Set<() => void>();
  #bridge: Bridge | null = null;
  #plan: AutoMixPlan | null = null;
  #state: MixState = "off";
  /** The song that plays, or goes; its deck follows from it. */
  #current = 0;
  #swapped = false;
  /** What waits in the console, or happens, and how many of its events have happened. */
  #part: Part | null = null;
  #done = 0;
  /** What a person left of a transition to be done by hand. */
  #left: ScriptEvent[] = [];
  #touched = 0;
  /** The bar of the song that plays at which a person wants the next one; null where it is planned. */
  #wanted: number | null = null;
  #skipping = false;
  #notice: string | null = null;

  constructor(system: DeckSystem, host: MixHost = { now: () => performance.now() / 1000 }, signal: AbortSignal = new AbortController().signal) {
    this.#system = system;
    this.#host = host;
    system.controls.on("", (id, value, source) => this.#heard(id, value, source), signal, SOURCE);
    system.on("happened", (event) => this.#happened(event), signal);
    system.on("meters", () => this.#look(), signal);
    system.on("deck", () => this.#look(), signal);
    // It was switched on before this part of the page had come.
    if (system.controls.isOn("mixer.automix")) this.#switched(true);
  }

  get plan(): AutoMixPlan | null {
    return this.#plan;
  }

  get state(): MixState {
    return this.#state;
  }

  /** Why it stands, or has stopped, in a sentence; null when there is nothing to say. */
  get notice(): string | null {
    return this.#notice;
  }

  /** The song of the plan that plays, or goes; null while it is off. */
  get current(): number | null {
    return this.#state === "off" ? null : this.#current;
  }

  /** The last song whose place in the plan is settled: it plays, or comes. */
  get settled(): number {
    if (this.#state === "off") return -1;
    return this.#state === "alone" || this.#state === "starting" ? this.#current : this.#current + 1;
  }

  /** Seconds until the transition that waits begins; null where there is none. */
  get until(): number | null {
    if (this.#state !== "alone" || !this.#part) return null;
    const { position, playing, rate } = this.#system.stand(this.#part.going);
    return playing && rate > 0 ? Math.max(0, (this.#part.at - position) / rate) : null;
  }

  /** Whether the next song was asked for before its time. */
  get hurried(): boolean {
    return this.#wanted !== null;
  }

  /** The deck that a song of the plan is on, or will be. */
  deck(song: number): number {
    return deckOf(song, this.#swapped);
  }

  /** Calls back when anything of this has changed but `until`. */
  on(callback: () => void, signal: AbortSignal): void {
    this.#listeners.add(callback);
    signal.addEventListener("abort", () => this.#listeners.delete(callback), { once: true });
  }

  /** A plan to be played, or the same as it was changed. */
  take(plan: AutoMixPlan, bridge: Bridge): void {
    this.#bridge = bridge;
    const before = this.#plan;
    this.#plan = plan;
    if (before && this.#state !== "off") this.#follow(before, plan);
    this.#changed();
  }

  /** Forgets the plan. */
  clear(): void {
    this.stop();
    this.#plan = null;
    this.#changed();
  }

  /** Plays the plan from a song; one that plays already plays on. */
  async start(song?: number): Promise<void> {
    const plan = this.#plan;
    if (!plan) return;
    if (this.#system.limits) throw new Error(`An auto-mix needs the whole decks. ${this.#system.limits.message}`);
    this.#reset();
    const there = song === undefined ? this.#playing(plan) : null;
    this.#current = there?.song ?? song ?? 0;
    this.#swapped = there !== null && deckOf(there.song, false) !== there.deck;
    this.#become(there ? "alone" : "starting");
    this.#system.controls.set("mixer.automix", 1, SOURCE);
    this.#system.expect(plan.tracks.slice(this.#current, this.#current + AHEAD).map(({ id }) => id));
    if (there) {
      this.#system.controls.set("deck.1.assign", "left", SOURCE);
      this.#system.controls.set("deck.2.assign", "right", SOURCE);
      this.#bringNext();
      this.#look();
      return;
    }
    try {
      await this.#system.script.play(TAG, openingOf(plan, this.#current, this.deck(this.#current)));
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Ends it; the decks play on. */
  stop(notice: string | null = null): void {
    if (this.#state === "off") return;
    this.#system.script.stop(TAG);
    this.#reset();
    this.#notice = notice;
    this.#system.expect([]);
    this.#become("off");
    this.#system.controls.set("mixer.automix", 0, SOURCE);
  }

  /** The next song comes with the next phrase; asked again, with the next bar. */
  next(): void {
    const going = this.#system.song(this.deck(this.#current));
    if (this.#state !== "alone" || !this.#plan?.tracks[this.#current + 1] || !going) return;
    const bars = new Bars(going.analysis, going.duration);
    const soonest = Math.ceil(bars.at(this.#position + NOTICE) + 0.5);
    const phrase = bars.phrase(soonest);
    const again = this.#wanted !== null || phrase >= bars.at(this.#part?.at ?? Infinity) - 0.5 || phrase + 1 > bars.count;
    this.#wanted = again ? soonest : phrase;
    this.#disarm();
    this.#look();
    this.#changed();
  }

  // What happens

  #heard(id: string, value: ControlValue, source: string): void {
    if (id === "mixer.automix") {
      this.#switched(value === 1);
      return;
    }
    if (id === "mixer.automix.next") {
      this.next();
      return;
    }
    const [, number, name = ""] = /^deck\.([12])\.(.+)$/.exec(id) ?? [];
    const deck = Number(number);
    if (this.#state === "off" || this.#state === "starting") return;
    const taken = value === "" && deck === this.deck(this.#current) && !OTHERS.has(source);
    if (name === "track" && (taken || (value !== "" && value !== this.#trackOf(deck)))) {
      this.stop("Another song was put into a deck: the auto-mix has ended, the decks are yours.");
      return;
    }
    if (OTHERS.has(source) || (id !== "mixer.crossfader" && number === undefined)) return;
    this.#touched = this.#host.now();
    if (this.#state === "mixing") {
      if (id === "mixer.crossfader" || HANDS.test(name)) this.#takenOver();
      else this.#leaveAlone(id);
    } else if (this.#state === "alone" && name === "play" && value === 1 && deck !== this.deck(this.#current)) {
      // Started by hand before its time.
      this.#takenOver();
    }
  }

  #switched(on: boolean): void {
    if (!on) {
      this.stop();
      return;
    }
    if (this.#state !== "off") return;
    const start = this.#plan ? this.start() : Promise.reject(new Error("There is no mix to play: plan one first."));
    start.catch((error: unknown) => {
      this.#notice = error instanceof Error ? error.message : String(error);
      this.#system.controls.set("mixer.automix", 0, SOURCE);
      this.#changed();
    });
  }

  #happened(event: ConsoleEvent): void {
    if (this.#state === "off") return;
    if (event.type === "applied" && event.tag === TAG) {
      this.#done += 1;
      if (this.#state === "alone" && this.#part) this.#become("mixing");
    } else if (event.type === "finished" && event.tag === TAG) {
      this.#finished();
    } else if (event.type === "ended") this.#ended(event.deck);
  }

  #finished(): void {
    if (this.#state === "mixing") this.#current += 1;
    else if (this.#state !== "starting") return;
    this.#part = null;
    this.#wanted = null;
    this.#become("alone");
    this.#bringNext();
    this.#look();
  }

  /** A deck has come to the end of its song. */
  #ended(deck: number): void {
    const going = this.deck(this.#current);
    if (deck !== going) return;
    if (this.#state === "mixing" && this.#part) {
      // It was shorter than was planned for.
      this.#complete(this.#part.events.slice(this.#done), this.#part);
      return;
    }
    if (this.#state !== "alone") return;
    const next = this.#current + 1;
    if (!this.#plan?.tracks[next]) {
      this.stop();
      return;
    }
    if (!this.#isThere(next)) {
      this.stop("The next song had not come when the last one ended.");
      return;
    }
    // Nothing led over to the next one: it simply begins.
    const { controls } = this.#system;
    const coming = this.deck(next);
    this.#disarm();
    controls.set("mixer.crossfader", sideOf(coming), SOURCE);
    controls.set(`deck.${coming}.seek`, this.#transition?.in_at ?? 0, SOURCE);
    controls.set(`deck.${coming}.play`, 1, SOURCE);
    this.#current = next;
    this.#wanted = null;
    this.#bringNext();
    this.#changed();
  }

  /** Now and then: whether the next transition can be made ready, was jumped over, or has been made by hand. */
  #look(): void {
    if (this.#state === "hands") this.#seeHands();
    if (this.#state !== "alone") return;
    if (this.#part && this.#position > this.#part.begin + MISSED) this.#disarm();
    if (!this.#part) this.#arm();
  }

  // The next transition

  #arm(): void {
    const next = this.#current + 1;
    const song = this.#system.song(this.deck(this.#current));
    const plan = this.#plan;
    if (!plan?.tracks[next] || !song) return;
    if (!this.#isThere(next)) {
      if (this.#system.failure(this.deck(next))) this.#skipLost(next);
      else this.#bringNext();
      return;
    }
    const planned = partOf(plan, next, this.#swapped);
    const soon = this.#position + NOTICE;
    let part: Part | null = planned;
    if (this.#wanted !== null || planned.begin < soon) {
      const bars = new Bars(song.analysis, song.duration);
      const soonest = bars.at(soon) + 0.5;
      const bar = this.#wanted !== null && this.#wanted >= soonest ? this.#wanted : bars.phrase(soonest);
      part = movedTo(planned, bars, bar) ?? movedTo(planned, bars, Math.ceil(soonest));
    }
    if (!part) return; // too late: the next song begins when this one has ended
    this.#part = part;
    this.#done = 0;
    this.#play(part.events);
    this.#changed();
  }

  #disarm(): void {
    if (!this.#part) return;
    this.#part = null;
    this.#system.script.stop(TAG);
  }

  /** Brings the next song into the free deck. */
  #bringNext(): void {
    const plan = this.#plan;
    if (!plan) return;
    const next = this.#current + 1;
    const track = plan.tracks[next];
    const deck = this.deck(next);
    if (!track || this.#system.stand(deck).playing || this.#system.controls.get(`deck.${deck}.track`) === track.id) return;
    this.#system.expect(plan.tracks.slice(next, next + AHEAD).map(({ id }) => id));
    this.#system.load(deck, track.id, SOURCE);
  }

  #isThere(song: number): boolean {
    const deck = this.deck(song);
    const loading = this.#system.loading(deck);
    return this.#system.song(deck)?.id === this.#plan?.tracks[song]?.id && (loading === null || loading.what === "stems");
  }

  /** A song that cannot be brought is left out. */
  #skipLost(song: number): void {
    const plan = this.#plan;
    const bridge = this.#bridge;
    if (!plan || !bridge || this.#skipping) return;
    this.#skipping = true;
    const ids = plan.tracks.filter((_, place) => place !== song).map(({ id }) => id);
    bridge.request("automix.songs", { plan: plan.id, ids }, { timeoutMs: 300_000 })
      .then(({ result }) => {
        if (this.#plan?.id === plan.id) this.take(result.plan, bridge);
      })
      .catch((error: unknown) => this.stop(error instanceof Error ? error.message : String(error)))
      .finally(() => { this.#skipping = false; });
  }

  /** The plan was changed while it plays. */
  #follow(before: AutoMixPlan, plan: AutoMixPlan): void {
    const kept = this.#state === "alone" || this.#state === "starting" ? this.#current : this.#current + 1;
    const deck = this.deck(kept);
    const id = before.tracks[kept]?.id;
    const place = nearest(plan.tracks.map((track) => track.id), id, kept);
    if (place === null) {
      this.stop("The song that plays was taken out of the plan: it plays on, the auto-mix has ended.");
      return;
    }
    this.#current += place - kept;
    this.#swapped = deckOf(place, false) !== deck;
    if (this.#state !== "alone" || (this.#part && this.#position > this.#part.begin - NOTICE)) return;
    this.#disarm();
    this.#bringNext();
    this.#look();
  }

  // A person's hands

  #takenOver(): void {
    const part = this.#part ?? (this.#plan?.tracks[this.#current + 1] ? partOf(this.#plan, this.#current + 1, this.#swapped) : null);
    if (!part) return;
    this.#left = part.events.slice(this.#part ? this.#done : 0);
    this.#part = part;
    this.#system.script.stop(TAG);
    this.#become("hands");
  }

  /** What is left of a transition happens without this control. */
  #leaveAlone(id: string): void {
    const part = this.#part;
    if (!part) return;
    const left = part.events.slice(this.#done);
    const others = left.filter(({ control }) => control !== id);
    if (others.length === left.length) return;
    this.#part = { ...part, events: others };
    this.#done = 0;
    this.#play(others);
  }

  #seeHands(): void {
    const part = this.#part;
    if (!part) return;
    const rest = this.#host.now() - this.#touched;
    const goes = this.#isHeard(part.going);
    const comes = this.#isHeard(part.coming);
    if (comes && !goes && rest > OVER) {
      this.#complete(this.#left, part);
    } else if (goes && !comes && rest > BACK) {
      // It was taken back: the song that was to go stays, and is as it was.
      const { controls } = this.#system;
      const going = this.#system.song(part.going);
      if (going) this.#wanted = Math.ceil(new Bars(going.analysis, going.duration).at(this.#position)) + LATER;
      this.#part = null;
      this.#become("alone");
      controls.set(`deck.${part.coming}.play`, 0, SOURCE);
      for (const { control, value, deck } of this.#left) {
        if (deck === part.coming && control.startsWith(`deck.${part.going}.`)) controls.set(control, value, SOURCE);
      }
      this.#look();
    }
  }

  /** The song that goes is no longer heard: the rest of the transition happens at once, but for what is in a person's hands. */
  #complete(left: readonly ScriptEvent[], part: Part): void {
    const started = new RegExp(`^deck\\.${part.coming}\\.(seek|play|quantize)$`);
    const synced = `deck.${part.coming}.sync`;
    const bent = `deck.${part.coming}.pitch`;
    const events = left
      .filter(({ control, value, over }) => control !== "mixer.crossfader" && !started.test(control)
        && !(control === synced && value === 1) && !(control === bent && over === undefined))
      .map(({ deck: _, ...event }) => ({ ...event, time: 0 }));
    const stopped = this.#state === "mixing";
    this.#part = { ...part, events };
    this.#done = 0;
    this.#become("mixing");
    // Nobody's hand is on the crossfader when a song has ended by itself.
    if (stopped) this.#system.controls.set("mixer.crossfader", sideOf(part.coming), SOURCE);
    this.#play([...events, { time: 0, control: `deck.${part.going}.play`, value: 0 }]);
  }

  #isHeard(deck: number): boolean {
    const { controls } = this.#system;
    const side = controls.get(`deck.${deck}.assign`);
    const at = controls.number("mixer.crossfader");
    const shut = (side === "left" && at > 1 - SHUT) || (side === "right" && at < SHUT - 1);
    return this.#system.stand(deck).playing && !shut && controls.number(`deck.${deck}.volume`) > SHUT;
  }

  // Parts

  get #position(): number {
    return this.#system.stand(this.deck(this.#current)).position;
  }

  get #transition(): TransitionRow | undefined {
    return this.#plan?.transitions[this.#current];
  }

  /** What of the plan is in a deck. */
  #trackOf(deck: number): string | undefined {
    const song = this.deck(this.#current) === deck ? this.#current : this.#current + 1;
    return this.#plan?.tracks[song]?.id;
  }

  /** A song of the plan that plays already, alone. */
  #playing(plan: AutoMixPlan): { song: number; deck: number } | null {
    const decks = [1, 2].filter((deck) => this.#system.stand(deck).playing);
    const [deck] = decks;
    if (deck === undefined || decks.length > 1) return null;
    const song = plan.tracks.findIndex(({ id }) => id === this.#system.song(deck)?.id);
    return song < 0 ? null : { song, deck };
  }

  #play(events: ScriptEvent[]): void {
    this.#system.script.play(TAG, documentOf({ events }), false)
      .catch((error: unknown) => this.stop(error instanceof Error ? error.message : String(error)));
  }

  #reset(): void {
    this.#part = null;
    this.#left = [];
    this.#done = 0;
    this.#wanted = null;
    this.#notice = null;
  }

  #become(state: MixState): void {
    this.#state = state;
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function documentOf(change: Partial<ScriptDocument>): ScriptDocument {
  return { version: 1, sample_rate: 48_000, duration: 0, controls: {}, positions: {}, events: [], ...change };
}

/** The beginning of a plan, from one of its songs. */
function openingOf(plan: AutoMixPlan, song: number, deck: number): ScriptDocument {
  return documentOf({
    controls: {
      "deck.1.assign": "left", "deck.2.assign": "right", "mixer.crossfader": sideOf(deck),
      [`deck.${deck}.track`]: plan.tracks[song]?.id ?? "",
    },
    positions: { [deck]: plan.songs[song]?.from ?? 0 },
    events: [{ time: 0, control: `deck.${deck}.play`, value: 1 }],
  });
}

/** Where the crossfader is to stand for a deck. */
function sideOf(deck: number): number {
  return deck === 1 ? -1 : 1;
}

/** The place of an id that is nearest to where it was. */
function nearest(ids: readonly string[], id: string | undefined, place: number): number | null {
  let found: number | null = null;
  ids.forEach((other, index) => {
    if (other === id && (found === null || Math.abs(index - place) < Math.abs(found - place))) found = index;
  });
  return found;
}
