/** Loops of a deck: by hand, of so many beats, moved, and rolls. */

import type { Deck } from "./deck";

/** Frames of the song. */
interface Span {
  start: number;
  end: number;
}

/** Beats of the shortest and of the longest loop. */
const SHORTEST = 1 / 32;
const LONGEST = 64;
/** Seconds below which nothing is a loop: there is no room for its seam. */
const LEAST = 0.005;

export class Loops {
  readonly #deck: Deck;
  /** The loop that is set; `active` says whether it is in force. */
  loop: Span | null = null;
  /** Where a loop begins that has no end yet. */
  #in: number | null = null;
  /** What a roll has taken the place of. */
  #under: { loop: Span | null; active: boolean } | null = null;

  constructor(deck: Deck) {
    this.#deck = deck;
  }

  get active(): boolean {
    return this.#deck.voice.loop !== null;
  }

  /** Beats of the loop in force; null without one. */
  get beats(): number | null {
    if (this.loop === null || !this.active) return null;
    const { beats } = this.#deck;
    return beats.beatAt(this.loop.end) - beats.beatAt(this.loop.start);
  }

  clear(): void {
    this.loop = null;
    this.#in = null;
    this.#under = null;
    this.#deck.voice.loop = null;
    this.#deck.values.put("loop.active", 0);
    this.#deck.values.put("roll", 0);
  }

  /** The loop button: on without a loop makes one of `loop.beats` from here. */
  switched(on: boolean): void {
    if (!on) this.leave();
    else if (this.loop === null) this.set(this.#deck.values.get("loop.beats"));
    else this.#enter();
    // Without a song, or at its very end, there is no room for one.
    if (on && !this.active) this.#deck.values.put("loop.active", 0);
  }

  setIn(): void {
    const start = this.#deck.snapped();
    if (this.loop !== null && this.active && start < this.loop.end) this.#change({ start, end: this.loop.end });
    else this.#in = start;
  }

  setOut(): void {
    const start = this.active ? (this.loop?.start ?? null) : (this.#in ?? this.loop?.start ?? null);
    if (start === null) return;
    const { beats, grid, values, voice } = this.#deck;
    let end = this.#deck.snapped();
    // In and out within a beat of each other, both on the nearest beat: one beat is meant.
    const near = voice.position > start - beats.lengthAt(start);
    if (grid && values.isOn("quantize") && end <= start && near) {
      end = beats.frameAt(beats.beatAt(start) + 1);
    }
    if (end <= start) return;
    this.#in = null;
    if (this.#change({ start, end })) this.#enter();
  }

  /** A loop of so many beats, from here; the one in force keeps its beginning. */
  set(beats: number): void {
    if (!this.#deck.song) return;
    this.#deck.values.put("loop.beats", beats);
    const start = this.loop !== null && this.active ? this.loop.start : this.#deck.snapped(Math.min(1, beats));
    if (this.#change(this.#span(start, beats))) this.#enter();
  }

  /** `loop.beats` was changed. */
  resized(): void {
    if (this.loop !== null && this.active) this.#change(this.#span(this.loop.start, this.#deck.values.get("loop.beats")));
  }

  /** Halves or doubles it. */
  scale(by: 0.5 | 2): void {
    const { values } = this.#deck;
    const now = this.beats ?? values.get("loop.beats");
    const beats = Math.max(SHORTEST, Math.min(LONGEST, now * by));
    values.put("loop.beats", beats);
    if (this.loop !== null && this.active) this.#change(this.#span(this.loop.start, beats));
  }

  /** Moves it by beats, and what plays within it along. */
  move(by: number): void {
    if (this.loop === null) return;
    const { beats, frames, voice } = this.#deck;
    const moved = (frame: number) => beats.frameAt(beats.beatAt(frame) + by);
    const span = { start: moved(this.loop.start), end: moved(this.loop.end) };
    if (span.start < 0 || span.end > frames) return;
    const place = voice.position;
    const within = this.active && place >= this.loop.start && place < this.loop.end;
    this.loop = span;
    if (!this.active) return;
    voice.loop = { ...span };
    if (within) this.#deck.jump(moved(place));
  }

  /** A loop that a hot cue holds. */
  take(span: Span): void {
    this.#in = null;
    if (this.#change({ start: span.start, end: Math.min(this.#deck.frames, span.end) })) this.#enter();
  }

  /** A roll of so many beats; 0 ends it where the song would be. */
  roll(beats: number): void {
    const { slip, voice } = this.#deck;
    if (beats <= 0) {
      const under = this.#under;
      this.#under = null;
      if (under === null) return;
      this.loop = under.loop;
      voice.loop = under.active && under.loop ? { ...under.loop } : null;
      slip.arrive("roll");
      return;
    }
    if (!this.#deck.song) return;
    if (this.#under === null) {
      const span = this.#span(this.#deck.snapped(Math.min(1, beats)), beats);
      if (!this.#isLoop(span)) return;
      this.#under = { loop: this.loop, active: this.active };
      slip.depart("roll");
      this.loop = span;
      voice.loop = { ...this.loop };
      this.#within();
    } else if (this.loop !== null) {
      this.#change(this.#span(this.loop.start, beats));
    }
  }

  /** Ends the loop in force; with slip the song goes on where it would be. */
  leave(): void {
    this.#deck.voice.loop = null;
    this.#deck.values.put("loop.active", 0);
    this.#deck.slip.arrive("loop");
  }

  /** The song goes to a place: the loop in force ends when it lies elsewhere. */
  leaving(target: number): void {
    if (this.loop === null || !this.active || (target >= this.loop.start && target < this.loop.end)) return;
    this.#deck.voice.loop = null;
    this.#deck.values.put("loop.active", 0);
    this.#deck.slip.drop("loop");
  }

  /** A place brought into the loop in force, when it is outside. */
  wrapped(frame: number): number {
    if (this.loop === null || !this.active) return frame;
    const { start, end } = this.loop;
    if (frame >= start && frame < end) return frame;
    const length = end - start;
    return start + ((((frame - start) % length) + length) % length);
  }

  #span(start: number, beats: number): Span {
    const { beats: grid, frames } = this.#deck;
    return { start, end: Math.min(frames, grid.frameAt(grid.beatAt(start) + beats)) };
  }

  #enter(): void {
    if (this.loop === null || !this.#deck.song) return;
    this.#deck.slip.depart("loop");
    this.#deck.voice.loop = { ...this.loop };
    this.#deck.values.put("loop.active", 1);
    this.#within();
  }

  /** Whether it is long enough to be the loop, which it is then. */
  #change(span: Span): boolean {
    if (!this.#isLoop(span)) return false;
    this.loop = span;
    if (!this.active) return true;
    this.#deck.voice.loop = { ...span };
    this.#within();
    return true;
  }

  #isLoop({ start, end }: Span): boolean {
    return end - start >= LEAST * this.#deck.sampleRate;
  }

  /** What plays beyond the end of the loop goes on within it, at the same place of its turn. */
  #within(): void {
    const place = this.#deck.voice.position;
    if (this.loop !== null && place >= this.loop.end) this.#deck.jump(this.wrapped(place));
  }
}
