/** The speed of a deck: pitch, bend, taps, and the leader that it follows, with its phase. */

import type { Deck } from "./deck";
import { CONTROLS, controlOf } from "./table";
import { BLOCK } from "./voice";

/** Change of speed by a full bend. */
const BEND = 0.04;
/** Beyond these a leader's tempo is taken twice, or by half. */
const SLOW = 0.7;
const FAST = 1.4;
/** How much the speed is corrected for each second that the phase is off; at most, and at most when it is far off. */
const PULL = 4;
const MOST = 0.04;
const MOST_FAR = 0.1;
/** Seconds off at which correction begins, and at which it ends. */
const OFF = 0.001;
const CLOSE = 0.0001;
/** Beats off that are far: the leader was sent elsewhere. After so many seconds there its followers go there, too. */
const FAR = 0.08;
const CALM = 0.15;
/** Beats by which a loop may miss a whole number of them. */
const WHOLE = 0.02;
/** A follower this close to a new leader (in s) is meant to be on its beat. */
const MEANT = 0.01;
/** Taps that make a tempo, those that are averaged, and the longest pause between two, in s. */
const TAPS = 3;
const RECENT = 8;
const PAUSE = 2;

const RANGES = controlOf("deck.1.pitch_range").values.map(Number);
const PITCH = CONTROLS.find(({ line }) => line === "deck.{deck}.pitch")?.max ?? 50;

export class Tempo {
  /** Speed by pitch or by the leader's tempo: what the tempo fader shows. As `reckon` found it, like what follows. */
  speed = 1;
  /** Speed with all that acts on it, forwards. */
  steered = 1;
  /** BPM, but for hands; 0 without a grid. */
  steady = 0;
  readonly #deck: Deck;
  /** Beats of this deck in a beat of the leader: 1, 2, 0.5 ... */
  #multiple = 1;
  /** Beats that it is to be ahead of the leader. */
  #offset = 0;
  /** Change of speed that brings it back there. */
  #correction = 0;
  /** Frames for which it has been far off, and how often the leader had jumped then. */
  #astray = 0;
  #jumps = 0;
  #taps: number[] = [];

  constructor(deck: Deck) {
    this.#deck = deck;
  }

  get leader(): Deck | null {
    return this.#deck.sync.leaderOf(this.#deck);
  }

  /** Part by which hands push or brake it. */
  get push(): number {
    return BEND * this.#deck.values.get("bend") + this.#deck.jog.push;
  }

  /** BPM that is heard; null without a grid. */
  get now(): number | null {
    const { grid, voice } = this.#deck;
    return grid === null ? null : grid.tempoAt(voice.position) * this.steered;
  }

  /** Beats ahead of the leader, at most half a beat either way; null without one. */
  get phase(): number | null {
    const { leader } = this.#deck.sync;
    if (leader === null || leader === this.#deck || leader.grid === null || this.#deck.grid === null) return null;
    const multiple = this.leader === null ? fold(leader.tempo.steady / this.steady) : this.#multiple;
    return this.#ahead(leader, multiple, this.#deck.voice.position);
  }

  /** Sees how fast it goes now: whenever something of it has changed, and every block. */
  reckon(): void {
    const { leader } = this;
    const { grid, values, voice } = this.#deck;
    const own = grid === null ? 0 : grid.tempoAt(voice.position);
    let speed = 1 + values.get("pitch") / 100;
    if (leader !== null && grid !== null) {
      const most = PITCH / 100;
      speed = Math.max(1 - most, Math.min(1 + most, (leader.tempo.steady * this.#multiple) / own));
    }
    const pushed = leader?.running ? 1 + leader.tempo.push : 1;
    this.speed = speed;
    this.steady = own * speed;
    this.steered = speed * pushed * (1 + this.push + this.#correction);
  }

  /** Sync was switched. */
  synced(on: boolean): void {
    const { sync } = this.#deck;
    if (!on) {
      this.#correction = 0;
      sync.elect();
      return;
    }
    sync.elect();
    this.join();
  }

  /** Takes up the leader's tempo and beat. */
  join(): void {
    const { leader } = this;
    if (leader === null) return;
    this.#multiple = fold(leader.tempo.steady / this.#own());
    this.#offset = 0;
    this.#correction = 0;
    if (this.#deck.running && leader.running) this.#land();
    this.follow();
  }

  /** Another deck leads, or none. */
  led(leader: Deck | null, before: Deck | null): void {
    this.#correction = 0;
    if (leader === null || this.leader !== leader) return;
    // A song that is taken along by another one of the group stays as it is to it; a stranger is joined.
    if (before === null || !leader.values.isOn("sync")) {
      this.join();
      return;
    }
    this.#multiple = fold(leader.tempo.steady / this.#own());
    this.#keep();
    this.follow();
  }

  /** Where to start or to go to, so that the beats meet those of the leader; the place itself without one. */
  aligned(place: number): number {
    const { leader } = this;
    const { grid, values } = this.#deck;
    if (leader === null || grid === null || !leader.running || !values.isOn("quantize")) return place;
    const ahead = wrap(this.#ahead(leader, this.#multiple, place) - this.#offset, this.#unit(leader));
    return grid.frameAt(grid.beatAt(place) - ahead);
  }

  /** It starts: in phase when it is to be quantised, else as it is. */
  started(): void {
    if (this.leader === null) return;
    if (this.#deck.values.isOn("quantize")) this.#offset = 0;
    else this.#keep();
  }

  /** It went elsewhere: without quantise it is meant to be where it is now. */
  jumped(): void {
    if (this.#deck.running && !this.#deck.values.isOn("quantize")) this.#keep();
  }

  /** The hand has let go of the record. */
  rejoin(): void {
    if (this.leader === null || !this.#deck.running) return;
    if (this.#deck.values.isOn("quantize")) this.#land();
    else this.#keep();
  }

  /** Pitch was set by hand. */
  pitched(): void {
    const { values } = this.#deck;
    if (this.leader !== null) values.repeat("pitch");
    this.#widen();
  }

  /** The range was set: it holds the pitch. */
  ranged(): void {
    const { values } = this.#deck;
    const most = RANGES[values.get("pitch_range")] as number;
    if (this.leader === null) values.put("pitch", Math.max(-most, Math.min(most, values.get("pitch"))));
    this.#widen();
  }

  /** Plays at so many BPM. */
  set(bpm: number): void {
    const { values, grid } = this.#deck;
    if (grid === null || this.leader !== null) {
      values.repeat("pitch");
      return;
    }
    values.put("pitch", Math.max(-PITCH, Math.min(PITCH, (bpm / this.#own() - 1) * 100)));
    this.#widen();
  }

  /** A tap on the beat. */
  tap(frame: number): void {
    const { sampleRate, grid } = this.#deck;
    const last = this.#taps.at(-1);
    if (last !== undefined && frame - last > PAUSE * sampleRate) this.#taps = [];
    this.#taps = [...this.#taps, frame].slice(-RECENT);
    if (this.#taps.length < TAPS || grid === null) return;
    const span = frame - (this.#taps[0] as number);
    if (span <= 0) return;
    const bpm = (60 * sampleRate * (this.#taps.length - 1)) / span;
    this.set(bpm * fold(bpm / this.#own()));
  }

  /** Follows the leader: called for every block. */
  follow(): void {
    const { leader } = this;
    if (leader === null) return;
    this.reckon();
    this.#deck.values.move("pitch", (this.speed - 1) * 100);
    this.#widen();
    this.#lock(leader);
  }

  #lock(leader: Deck): void {
    const deck = this.#deck;
    if (!isEven(deck) || !isEven(leader)) {
      this.#correction = 0;
      this.#astray = 0;
      return;
    }
    if (this.push !== 0) {
      this.#keep();
      return;
    }
    const ahead = wrap(this.#ahead(leader, this.#multiple, deck.voice.position) - this.#offset, this.#unit(leader));
    const far = Math.abs(ahead) > FAR;
    this.#astray = far && this.#jumps === leader.jumps ? this.#astray + BLOCK : 0;
    this.#jumps = leader.jumps;
    if (far && deck.values.isOn("quantize")) {
      this.#correction = 0;
      if (this.#astray > CALM * deck.sampleRate) this.#land();
      return;
    }
    const seconds = (ahead * deck.beats.lengthAt(deck.voice.position)) / deck.sampleRate / this.speed;
    const off = Math.abs(seconds) > (this.#correction === 0 ? OFF : CLOSE);
    const most = far ? MOST_FAR : MOST;
    this.#correction = off ? Math.max(-most, Math.min(most, -PULL * seconds)) : 0;
  }

  /** Goes to the nearest place at which the beats meet. */
  #land(): void {
    const { leader } = this;
    const { grid, voice, sampleRate } = this.#deck;
    if (leader === null || grid === null || !leader.running) return;
    const ahead = wrap(this.#ahead(leader, this.#multiple, voice.position) - this.#offset, this.#unit(leader));
    const place = this.#deck.loops.wrapped(grid.frameAt(grid.beatAt(voice.position) - ahead));
    if (Math.abs(place - voice.position) > CLOSE * sampleRate) this.#deck.jump(place);
  }

  /** The phase is right as it is. */
  #keep(): void {
    this.#correction = 0;
    const { leader } = this;
    if (leader === null) return;
    const ahead = this.#ahead(leader, this.#multiple, this.#deck.voice.position);
    const seconds = (ahead * this.#deck.beats.lengthAt(this.#deck.voice.position)) / this.#deck.sampleRate;
    this.#offset = Math.abs(seconds) < MEANT && this.push === 0 ? 0 : ahead;
  }

  #ahead(leader: Deck, multiple: number, place: number): number {
    const own = this.#deck.beats.beatAt(place);
    const lead = leader.beats.beatAt(leader.voice.position);
    return wrap(own - lead * multiple, this.#unit(leader, multiple));
  }

  /** Beats after which a place is as good as another: less than one in short loops, or when the leader is slower. */
  #unit(leader: Deck, multiple = this.#multiple): number {
    return Math.min(1, multiple, this.#deck.loops.beats ?? 1, (leader.loops.beats ?? 1) * multiple);
  }

  #own(): number {
    return this.#deck.beats.tempoAt(this.#deck.voice.position);
  }

  #widen(): void {
    const { values } = this.#deck;
    const pitch = Math.abs(values.get("pitch"));
    if ((RANGES[values.get("pitch_range")] as number) >= pitch) return;
    values.put("pitch_range", Math.max(0, RANGES.findIndex((range) => range >= pitch)));
  }
}

/** Whether a deck goes on evenly: no hand holds it, it does not play backwards, nor a loop of broken beats. */
function isEven({ running, jog, values, loops }: Deck): boolean {
  if (!running || jog.touched || values.isOn("reverse")) return false;
  const { beats } = loops;
  if (beats === null) return true;
  const whole = beats < 1 ? 1 / beats : beats;
  return Math.abs(whole - Math.round(whole)) < WHOLE;
}

/** What a ratio of two tempos is to be multiplied by: a power of two. */
function fold(ratio: number): number {
  if (!(ratio > 0) || ratio === Infinity) return 1;
  let multiple = 1;
  while (ratio * multiple > FAST) multiple /= 2;
  while (ratio * multiple < SLOW) multiple *= 2;
  return multiple;
}

/** The same place within a unit, -half to half of it. */
function wrap(beats: number, unit: number): number {
  return beats - unit * Math.round(beats / unit);
}
