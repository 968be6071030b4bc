/** When marks of a song are heard: from places in the song to times of the context. */

import { after } from "../waveform/grid";
import type { AudioEngine } from "./engine";
import { loops, type Timeline } from "./transport";

export interface Sounding {
  /** Index of the mark. */
  index: number;
  /** Time of the context, in s. */
  time: number;
}

/** How often one looks ahead, in ms. */
const PERIOD_MS = 200;
/** How far one looks ahead, in s: farther than timers of a page in the background are late. */
const AHEAD = 1.3;
/** What is due sooner than this cannot be started in time any more, in s. */
const SOON = 0.001;
/** A mark this close before a place is still on it, in s: places are rounded to sample frames. */
const FRAME = 2e-5;

/** When each of these places (s, sorted) is heard in a span of the context's time, in order; in a loop again and again. */
export function soundings(timeline: Timeline, marks: readonly number[], from: number, to: number): Sounding[] {
  const { anchor, loop, duration } = timeline;
  const found: Sounding[] = [];
  const turning = loops(anchor.position, loop);
  // Pieces without a jump, each from a place at a time to its end.
  let { time, position } = anchor;
  if (turning) {
    const first = time + loop.end - position;
    const length = loop.end - loop.start;
    if (from > first) {
      time = first + Math.floor((from - first) / length) * length;
      position = loop.start;
    }
  }
  while (time < to) {
    const end = turning ? loop.end : duration;
    for (let index = after(marks, position - FRAME); index < marks.length; index += 1) {
      const mark = marks[index] as number;
      if (mark >= end - FRAME) break;
      const at = time + Math.max(0, mark - position);
      if (at >= to) break;
      if (at >= from) found.push({ index, time: at });
    }
    if (!turning) break;
    time += end - position;
    position = loop.start;
  }
  return found;
}

/**
 * Starts sounds at marks of the playing song, ahead of time and to the sample.
 *
 * It follows whatever the song does: what was started for a place to which the song no longer comes is taken back.
 */
export class Scheduler {
  readonly #engine: AudioEngine;
  /** Starts the sound of a mark at a time of the context; returns what takes it back. */
  readonly #start: (index: number, time: number) => () => void;
  #marks: readonly number[] = [];
  #timeline: Timeline | null = null;
  /** Everything before this time of the context is started. */
  #done = 0;
  #started: { time: number; cancel(): void }[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(engine: AudioEngine, start: (index: number, time: number) => () => void, signal: AbortSignal) {
    this.#engine = engine;
    this.#start = start;
    engine.on("state", () => this.#look(), signal);
    signal.addEventListener("abort", () => { this.on = false; }, { once: true });
  }

  get on(): boolean {
    return this.#timer !== undefined;
  }

  set on(on: boolean) {
    if (on === this.on) return;
    clearInterval(this.#timer);
    this.#timer = on ? setInterval(() => this.#look(), PERIOD_MS) : undefined;
    this.#restart();
  }

  /** Places in the song, in s, sorted. */
  set marks(marks: readonly number[]) {
    this.#marks = marks;
    this.#restart();
  }

  #restart(): void {
    this.#takeBack();
    this.#timeline = null;
    this.#look();
  }

  #look(): void {
    const { context, timeline } = this.#engine;
    if (!context || !timeline || !this.on) {
      this.#takeBack();
      this.#timeline = null;
      return;
    }
    const now = context.currentTime;
    if (timeline !== this.#timeline) {
      this.#takeBack();
      this.#timeline = timeline;
      this.#done = Math.max(now + SOON, timeline.anchor.time);
    }
    const from = Math.max(this.#done, now);
    const to = now + AHEAD;
    this.#started = this.#started.filter(({ time }) => time > now);
    for (const { index, time } of soundings(timeline, this.#marks, from, to)) {
      this.#started.push({ time, cancel: this.#start(index, time) });
    }
    this.#done = Math.max(from, to);
  }

  /** Silences what is still to come; what sounds already may end by itself. */
  #takeBack(): void {
    const now = this.#engine.context?.currentTime ?? 0;
    for (const { time, cancel } of this.#started) if (time > now) cancel();
    this.#started = [];
  }
}
