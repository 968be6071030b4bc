/** Scripts in a page: recorded from what is done at the decks, and played to the sample. */

import { opening, timed } from "../../console/script";
import { controlOf, holdsState } from "../../console/table";
import type { ConsoleEvent, TimedEvent } from "../../console/types";
import type { ControlStore } from "../../control/store";
import type { ControlValue, ScriptDocument, ScriptEvent } from "../../types";

/** What is about the page and not about the music is in no script. */
const ASIDE = /^(view\.|mixer\.(record|automix|decks|headphones))|\.grid\./;
/** A script begins so long after it was asked for, in s: all of its opening has come to the console by then. */
const LEAD = 0.15;

export interface ScriptsHost {
  readonly controls: ControlStore;
  /** Hz. */
  sampleRate(): number;
  /** Frame of the console as far as it has told, and where each deck (from 1) that is loaded stands, in s. */
  now(): { frame: number; positions: Record<string, number> };
  /** Loads a track; resolves when it can be heard with all its stems. */
  load(deck: number, track: string): Promise<void>;
  /** Resolves when the audio clock runs. */
  run(): Promise<void>;
  play(tag: string, events: TimedEvent[]): void;
  cancel(tag: string): void;
  changed(): void;
}

interface Take {
  frame: number;
  controls: Record<string, ControlValue>;
  positions: Record<string, number>;
  events: ScriptEvent[];
}

export class Scripts {
  readonly #host: ScriptsHost;
  readonly #playing = new Map<string, AbortController>();
  #take: Take | null = null;

  constructor(host: ScriptsHost) {
    this.#host = host;
  }

  get recording(): boolean {
    return this.#take !== null;
  }

  /** How many changes the recording holds so far. */
  get count(): number {
    return this.#take?.events.length ?? 0;
  }

  /** Tags of scripts that play now. */
  get playing(): readonly string[] {
    return [...this.#playing.keys()];
  }

  record(): void {
    if (this.#take) return;
    const { frame, positions } = this.#host.now();
    const settings = Object.entries(this.#host.controls.settings).filter(([id]) => isMusic(id));
    this.#take = { frame, positions, controls: Object.fromEntries(settings), events: [] };
    this.#host.changed();
  }

  /** Ends the recording; null when none was on. */
  finish(): ScriptDocument | null {
    const take = this.#take;
    this.#take = null;
    if (!take) return null;
    this.#host.changed();
    const { controls, positions } = take;
    const duration = this.#seconds(take, this.#host.now().frame);
    const events = [...take.events].sort((a, b) => a.time - b.time); // which keeps the order of equals
    return { version: 1, sample_rate: this.#host.sampleRate(), duration, controls, positions, events };
  }

  /** Takes down what was done at the decks. */
  note(event: ConsoleEvent): void {
    if (event.type === "finished" && this.#playing.delete(event.tag)) this.#host.changed();
    if (event.type === "applied") this.#write(event.control, event.value, event.frame, event.over);
  }

  /** Takes down that a track was asked for: the page itself loads it. */
  noteLoad(deck: number, track: string): void {
    this.#write(`deck.${deck}.track`, track, this.#host.now().frame);
  }

  /**
   * Brings the decks to where a script begins, and plays it; in place of one of the same tag. Without its `opening` its
   * events happen from now on, whatever the decks are doing.
   */
  async play(tag: string, document: ScriptDocument, withOpening = true): Promise<void> {
    this.stop(tag);
    const { controls, load, run, now, play, sampleRate, changed } = this.#host;
    const end = new AbortController();
    this.#playing.set(tag, end);
    changed();
    try {
      await run();
      const changes = withOpening ? opening(document, controls.settings) : [];
      const tracks = changes.filter(({ control }) => isTrack(control));
      await Promise.all(tracks.map(({ control, value }) => load(controlOf(control).deck as number, String(value))));
      if (end.signal.aborted) return;
      const start = now().frame + Math.ceil(LEAD * sampleRate());
      const before = changes.filter(({ control }) => !isTrack(control)).map((change) => ({ when: { frame: start }, ...change }));
      play(tag, [...before, ...timed(document, start, sampleRate())]);
    } catch (error) {
      this.stop(tag);
      throw error;
    }
  }

  stop(tag: string): void {
    const end = this.#playing.get(tag);
    if (!end) return;
    end.abort();
    this.#playing.delete(tag);
    this.#host.cancel(tag);
    this.#host.changed();
  }

  #write(control: string, value: ControlValue, frame: number, over?: number): void {
    const take = this.#take;
    if (!take || !isMusic(control)) return;
    take.events.push({ time: this.#seconds(take, frame), control, value, ...(over !== undefined && { over }) });
  }

  #seconds(take: Take, frame: number): number {
    return Math.max(0, frame - take.frame) / this.#host.sampleRate();
  }
}

function isMusic(id: string): boolean {
  const { kind } = controlOf(id);
  return kind !== "meter" && !ASIDE.test(id);
}

function isTrack(id: string): boolean {
  const control = controlOf(id);
  return control.kind === "text" && control.deck !== null && holdsState(control);
}
