/** The decks of a page: one for all views on it. */

import type { Bridge } from "../../bridge";
import type { Clock } from "../../clock/clock";
import { ControlStore } from "../../control/store";
import type { ScriptDocument } from "../../types";
import type { DeckEvents, DeckLoading, DeckMoment, DeckSong, Failure, MasterLevels, Seat } from "./types";

/** Raised when bundles of two releases can no longer share one system. */
export const DECKS_VERSION = 1;

/** STUB: the real one follows with these very names. */
export declare class DeckSystem {
  readonly version: number;
  readonly controls: ControlStore;
  /** The page's animation loop. */
  readonly clock: Clock;
  /** "none" until there was a reason to make it; "plain" without an audio worklet: `limits` says what is missing. */
  readonly sound: "none" | "starting" | "full" | "plain" | "failed";
  readonly limits: Failure | null;
  readonly blocked: boolean;
  readonly levels: MasterLevels;
  /** Decks are numbered from 1. */
  stand(deck: number): DeckMoment;
  song(deck: number): DeckSong | null;
  loading(deck: number): DeckLoading | null;
  /** Why the last song that was asked for is not in the deck. */
  failure(deck: number): Failure | null;
  on<E extends keyof DeckEvents>(event: E, callback: (data: DeckEvents[E]) => void, signal: AbortSignal): void;
  /** A view of these decks lives until `signal` aborts. */
  join(bridge: Bridge, signal: AbortSignal): Seat;
  /** From a gesture, so that the first play need not wait. */
  unlock(): void;
  /** Loads a track; "" empties the deck. The same as setting `deck.N.track`. */
  load(deck: number, trackId: string, source?: string): void;
  /** Label, colour or place of a hot cue (slots from 1); one that is not set is set at the place of the deck. */
  setCue(deck: number, slot: number, change: { label?: string; color?: string; time?: number; end?: number | null }): Promise<void>;
  clearCue(deck: number, slot: number): Promise<void>;
  /** Puts cues that were found into the free hot cues. */
  fillCues(deck: number): Promise<void>;
  readonly headphones: Headphones;
  readonly recording: Recording;
  readonly script: Scripts;
}

/** The second output. */
export interface Headphones {
  /** Why there can be no second output here; null when there can. */
  readonly missing: Failure | null;
  /** The chosen device; null for none. */
  readonly device: { id: string; label: string } | null;
  /** Asks the browser, which may ask the person: call it from a gesture. Throws an Error with a sentence. */
  devices(): Promise<{ id: string; label: string }[]>;
  choose(device: { id: string; label: string } | null): Promise<void>;
}

/** The recording of the master; `mixer.record` turns it on and off. */
export interface Recording {
  readonly on: boolean;
  /** Seconds recorded. */
  readonly seconds: number;
  /** What has been recorded is still on its way to the kernel. */
  readonly saving: boolean;
  format: "wav" | "flac";
}

/** Scripts: recorded from what is done, and played. */
export interface Scripts {
  readonly recording: boolean;
  /** Tags of scripts that play now. */
  readonly playing: readonly string[];
  record(): void;
  /** Ends the recording; null when none was on. */
  finish(): ScriptDocument | null;
  play(tag: string, document: ScriptDocument): Promise<void>;
  stop(tag: string): void;
}

/** The decks of this page; the first bundle that asks makes them. They make no sound before a gesture. */
export declare function deckSystem(): DeckSystem;
