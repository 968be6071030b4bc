/** Where the decks come together: crossfader, master, limiter and headphones. */

import type { Deck } from "./deck";
import { side, type Curve } from "./dsp/crossfade";
import { levelGain } from "./dsp/fader";
import { Limiter } from "./dsp/limiter";
import { MasterMeter } from "./dsp/meter";
import { Phones } from "./dsp/phones";
import { Smooth } from "./dsp/smooth";
import { controlOf } from "./table";
import type { Values } from "./values";
import { BLOCK } from "./voice";

export class Mixer {
  readonly left = new Float32Array(BLOCK);
  readonly right = new Float32Array(BLOCK);
  readonly phonesLeft = new Float32Array(BLOCK);
  readonly phonesRight = new Float32Array(BLOCK);
  readonly meter: MasterMeter;
  readonly limiter: Limiter;
  readonly #decks: readonly Deck[];
  readonly #values: Values;
  readonly #phones: Phones;
  /** Of the headphones; always on. */
  readonly #ceiling: Limiter;
  readonly #gain: Smooth;
  /** How much of each deck the headphones hear. */
  readonly #listens: Smooth[];
  readonly #heard = [new Float32Array(BLOCK), new Float32Array(BLOCK)] as const;

  constructor(sampleRate: number, decks: readonly Deck[], values: Values) {
    this.#decks = decks;
    this.#values = values;
    this.meter = new MasterMeter(sampleRate);
    this.limiter = new Limiter(sampleRate);
    this.#phones = new Phones(sampleRate);
    this.#ceiling = new Limiter(sampleRate);
    this.#gain = new Smooth(sampleRate, 1);
    this.#listens = decks.map(() => new Smooth(sampleRate, 0));
    this.follow();
    this.#gain.settle();
    this.#phones.settle();
    for (const { strip } of decks) strip.settle();
  }

  /** Something was set that concerns more than one deck. */
  follow(): void {
    const curve = String(this.#values.get(CURVE)) as Curve;
    const position = this.#values.numbers[CROSSFADER.index] as number;
    this.#decks.forEach((deck, index) => {
      const assigned = deck.values.get("assign");
      deck.strip.side = assigned === THROUGH ? 1 : side(assigned === LEFT ? -position : position, curve);
      (this.#listens[index] as Smooth).target = deck.values.get("headphones");
    });
    const value = (id: string) => this.#values.numbers[controlOf(id).index] as number;
    this.#gain.target = levelGain(value("mixer.master"));
    this.limiter.on = value("mixer.limiter") === 1;
    this.#phones.mix = value("mixer.headphones.mix");
    this.#phones.volume = value("mixer.headphones.volume");
    this.#phones.split = value("mixer.headphones.split") === 1;
  }

  /** Mixes frames `from` to `to` of what the decks have made. */
  process(from: number, to: number): void {
    const { left, right, phonesLeft, phonesRight } = this;
    for (const channel of [left, right, phonesLeft, phonesRight]) channel.fill(0, from, to);
    for (let index = 0; index < this.#decks.length; index += 1) {
      const deck = this.#decks[index] as Deck;
      add(deck.left, left, from, to);
      add(deck.right, right, from, to);
      this.#listen(deck, this.#listens[index] as Smooth, from, to);
    }
    this.#gain.apply(left, right, from, to);
    // Before the limiters, which delay: what is cued and the master stay on the same beat.
    this.#phones.process(phonesLeft, phonesRight, left, right, from, to);
    this.limiter.process(left, right, from, to);
    this.#ceiling.process(phonesLeft, phonesRight, from, to);
    this.meter.process(left, right, from, to);
  }

  #listen(deck: Deck, listens: Smooth, from: number, to: number): void {
    if (listens.settled && listens.value === 0) return;
    const [left, right] = this.#heard;
    for (let frame = from; frame < to; frame += 1) {
      left[frame] = deck.strip.preLeft[frame] as number;
      right[frame] = deck.strip.preRight[frame] as number;
    }
    listens.apply(left, right, from, to);
    add(left, this.phonesLeft, from, to);
    add(right, this.phonesRight, from, to);
  }
}

const CROSSFADER = controlOf("mixer.crossfader");
const CURVE = controlOf("mixer.crossfader_curve");
const LEFT = controlOf("deck.1.assign").values.indexOf("left");
const THROUGH = controlOf("deck.1.assign").values.indexOf("through");

function add(source: Float32Array, sum: Float32Array, from: number, to: number): void {
  for (let frame = from; frame < to; frame += 1) sum[frame] = (sum[frame] as number) + (source[frame] as number);
}
