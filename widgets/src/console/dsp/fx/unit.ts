/** An effect slot of a channel. */

import { CHUNK } from "../smooth";
import { Crush } from "./crush";
import { Echo } from "./echo";
import type { Effect } from "./effect";
import { Flanger } from "./flanger";
import { Gate } from "./gate";
import { Reverb } from "./reverb";
import { Roll } from "./roll";

export const KINDS = ["echo", "reverb", "flanger", "crush", "gate", "roll"] as const;
export type Kind = (typeof KINDS)[number];

/** Where the beat is: at the first frame of a call, and by how much it moves a frame (0 while the deck stands). */
export interface Clock {
  beat: number;
  beatsPerFrame: number;
}

/** Without a beat, so many a second. */
const BEATS = 2;
/** Beats are rounded to this, so that where they are reckoned from makes no difference. */
const ROUND = 2 ** 26;

/**
 * One of six effects, in time with the beat.
 *
 * All six are here, in a row: the chosen one works, and one that was chosen before fades or rings out.
 */
export class EffectUnit {
  readonly #effects: readonly Effect[];
  readonly #awake: boolean[];
  #kind: Kind = "echo";
  #on = false;
  #mix = 0.5;
  #amount = 0.5;
  #beats = 0.5;
  /** Where the beat was at the last place on the grid of `CHUNK`s. */
  #beat = 0;
  #perFrame: number;
  #frame = 0;

  constructor(sampleRate: number) {
    this.#perFrame = BEATS / sampleRate;
    const makers = { echo: Echo, reverb: Reverb, flanger: Flanger, crush: Crush, gate: Gate, roll: Roll };
    this.#effects = KINDS.map((kind) => new makers[kind](sampleRate));
    this.#awake = this.#effects.map(() => false);
  }

  get kind(): Kind {
    return this.#kind;
  }

  set kind(kind: Kind) {
    if (kind === this.#kind) return;
    this.#chosen.on = false;
    this.#kind = kind;
    this.#tell();
  }

  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    this.#tell();
  }

  /** 0 is the sound as it came. */
  get mix(): number {
    return this.#mix;
  }

  set mix(mix: number) {
    this.#mix = mix;
    this.#tell();
  }

  /** 0 to 1; what it does differs with the kind: see the effects. */
  get amount(): number {
    return this.#amount;
  }

  set amount(amount: number) {
    this.#amount = amount;
    this.#tell();
  }

  /** Its time in beats; what that is differs with the kind. */
  get beats(): number {
    return this.#beats;
  }

  set beats(beats: number) {
    this.#beats = beats;
    this.#tell();
  }

  /** Its controls are where they were set, at once; what rings, rings on. */
  settle(): void {
    for (const effect of this.#effects) effect.settle();
  }

  /** In place. Call it for every frame: tails ring out, and go on at the last tempo while the deck stands. */
  process(left: Float32Array, right: Float32Array, from: number, to: number, clock: Clock): void {
    for (let start = from; start < to;) {
      const into = this.#frame % CHUNK;
      if (into === 0) this.#tick(clock, start - from);
      const end = Math.min(to, start + CHUNK - into);
      for (let k = 0; k < this.#effects.length; k += 1) {
        const effect = this.#effects[k] as Effect;
        if (effect.idle) continue;
        if (!this.#awake[k]) effect.tick(this.#beat, this.#perFrame);
        this.#awake[k] = true;
        effect.process(left, right, start, end, into);
      }
      this.#frame += end - start;
      start = end;
    }
  }

  #tick(clock: Clock, ahead: number): void {
    if (Math.abs(clock.beatsPerFrame) > 0) {
      this.#perFrame = Math.fround(clock.beatsPerFrame);
      this.#beat = Math.round((clock.beat + ahead * clock.beatsPerFrame) * ROUND) / ROUND;
    } else {
      this.#beat += CHUNK * this.#perFrame;
    }
    for (let k = 0; k < this.#effects.length; k += 1) {
      const effect = this.#effects[k] as Effect;
      if (!this.#awake[k]) continue;
      effect.tick(this.#beat, this.#perFrame);
      this.#awake[k] = !effect.idle;
    }
  }

  get #chosen(): Effect {
    return this.#effects[KINDS.indexOf(this.#kind)] as Effect;
  }

  #tell(): void {
    const effect = this.#chosen;
    effect.mix = this.#mix;
    effect.amount = this.#amount;
    effect.beats = this.#beats;
    if (effect.on !== this.#on) effect.on = this.#on;
  }
}
