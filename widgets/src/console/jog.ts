/** The jog wheel: touched it holds the record, else it pushes or brakes it. */

import type { Deck } from "./deck";

/** Seconds of the song in a turn: 33 1/3 turns a minute. */
const TURN = 1.8;
/** How closely the record follows the hand, in rad/s; critically damped. */
const STIFFNESS = 90;
/** Part of what a touched wheel would move the song by that an untouched one does, and over which time, in s. */
const PUSH = 0.08;
const FADE = 0.12;
/** Most change of speed by a push. */
const MOST = 0.3;
/** A push below this is over. */
const OVER = 1e-4;
/** Pull toward where the record should be, 1/s: the voice glides, and so lags a little behind. */
const PULL = 30;

export class Jog {
  readonly #deck: Deck;
  touched = false;
  /** Change of speed by turning without touch, as a part of it. */
  push = 0;
  /** Where the hand wants the record and where it is, in frames; its speed in frames a second. */
  #hand = 0;
  #place = 0;
  #speed = 0;

  constructor(deck: Deck) {
    this.#deck = deck;
  }

  touch(on: boolean): void {
    if (on === this.touched || (on && !this.#deck.song)) return;
    const { voice, slip, sampleRate } = this.#deck;
    if (on) {
      slip.depart("scratch");
      this.#speed = voice.playing ? voice.rate * sampleRate : 0;
      this.held(voice.position);
      this.push = 0;
      this.touched = true;
    } else {
      this.touched = false;
      if (!slip.arrive("scratch")) this.#deck.tempo.rejoin();
    }
  }

  /** Turns by so many turns. */
  turn(turns: number): void {
    const { voice, sampleRate, frames, song } = this.#deck;
    if (!song) return;
    const way = turns * TURN * sampleRate;
    if (this.touched) this.#hand = Math.max(0, Math.min(frames, this.#hand + way));
    else if (voice.playing) this.push = Math.max(-MOST, Math.min(MOST, this.push + (turns * TURN * PUSH) / FADE));
    else this.#deck.seek(voice.position + way);
  }

  /** The record was put elsewhere while it is held. */
  held(position: number): void {
    this.#hand = position;
    this.#place = position;
  }

  /** The push fades; called after every so many frames. */
  fade(frames: number): void {
    if (this.push === 0) return;
    this.push *= Math.exp(-frames / (FADE * this.#deck.sampleRate));
    if (Math.abs(this.push) < OVER) this.push = 0;
  }

  /** Speed of the held record for the next frames, 1 being that of the song. */
  follow(frames: number): number {
    const { voice, sampleRate } = this.#deck;
    const time = frames / sampleRate;
    const gone = Math.exp(-STIFFNESS * time);
    const away = this.#place - this.#hand;
    const slope = this.#speed + STIFFNESS * away;
    const next = this.#hand + (away + slope * time) * gone;
    const speed = (next - this.#place) / time + PULL * (this.#place - voice.position);
    this.#speed = (this.#speed - STIFFNESS * slope * time) * gone;
    this.#place = next;
    return Math.abs(speed) < 1e-3 * sampleRate ? 0 : speed / sampleRate;
  }
}
