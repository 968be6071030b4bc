/** The console: decks, mixer, effects, sync and timed events; everything that is heard is made here. */

import type { StretchModule } from "signalsmith-stretch";
import { Deck } from "./deck";
import { givenEvent, givenSong, givenUpdate } from "./given";
import type { SongUpdate } from "./messages";
import { Mixer } from "./mixer";
import { Ramps } from "./ramps";
import { Sync } from "./sync";
import { clamp, CONTROLS, ControlError, controlOf, holdsState, numberOf, type Control } from "./table";
import { Timeline } from "./timeline";
import { DECKS, type ConsoleEvent, type ConsoleState, type Role, type Slice, type SongInfo, type TimedEvent } from "./types";
import { DeckValues, Values } from "./values";
import { BLOCK } from "./voice";

export interface ConsoleOptions {
  /** Hz. */
  sampleRate: number;
  /**
   * The stretcher's modules of a deck (1 to 4), fresh from their factory: one for its mix (2 channels) and one for its
   * stems; null as long as they are not there, or for good: then key lock does not hold the key.
   */
  stretch: (deck: number, channels: number) => StretchModule | null;
}

/** Blocks between what is told of controls that move on their own. */
const TOLD = 8;
/** BPM that beats are counted by where nothing has a tempo. */
const USUAL = 120;

const TRACK = "deck.{deck}.track";
const IN_USE = controlOf("mixer.decks");

export class Console {
  /** Hz. */
  readonly sampleRate: number;
  /** Frames since it began; the next one that `process` makes. */
  frame = 0;
  /** Number of the last change that was taken in. */
  seen = 0;
  readonly #values: Values;
  readonly #decks: Deck[] = [];
  readonly #sync = new Sync(this.#decks);
  readonly #mixer: Mixer;
  readonly #timeline = new Timeline(this.#decks);
  readonly #ramps = new Ramps();
  #events: ConsoleEvent[] = [];
  /** Frame at which the timeline is to be looked at next. */
  #look = 0;

  constructor({ sampleRate, stretch }: ConsoleOptions) {
    this.sampleRate = sampleRate;
    this.#values = new Values((control, value) => this.#tell({ type: "control", frame: this.frame, control: control.id, value }));
    for (let number = 1; number <= DECKS; number += 1) {
      this.#decks.push(new Deck({
        number,
        sampleRate,
        values: new DeckValues(this.#values, number),
        sync: this.#sync,
        stretch: (channels) => stretch(number, channels),
        now: () => this.frame,
        tell: (event) => this.#tell(event),
      }));
    }
    this.#mixer = new Mixer(sampleRate, this.#decks, this.#values);
  }

  /** Values of all controls in the order of the table (an enum's is its place); texts are not in it. */
  get values(): Float64Array {
    return this.#values.numbers;
  }

  /** Value of a control as the table has it. */
  get(control: number | string): number | string {
    return this.#values.get(find(control));
  }

  /**
   * Sets a control or sets off a trigger, now or when frame `at` comes; `n` numbers the host's changes.
   *
   * A ControlError when there is no such control or it does not take this value.
   */
  set(control: number | string, value: number | string, { at, n }: { at?: number; n?: number } = {}): void {
    if (n !== undefined) this.seen = n;
    const found = find(control);
    const taken = clamp(found, value);
    if (at !== undefined && at > this.frame) this.#timeline.add(null, [{ when: { frame: at }, control: found.id, value: taken }]);
    else this.#ask(found, taken);
    this.#look = this.frame;
  }

  /**
   * Puts a song into a deck (1 to 4), which stops. Its sound comes in slices, beyond what has come for deck `like`: that
   * has a song with the same sound.
   */
  load(deck: number, info: SongInfo, like?: number): void {
    const loaded = this.#deck(deck);
    const given = givenSong(info, this.sampleRate);
    const shared = like === undefined ? null : this.#deck(like).song;
    this.#values.setText(controlOf(`deck.${deck}.track`), info.id);
    loaded.load(given, shared?.info.frames === info.frames ? shared : null);
  }

  /** Other stems for the song that is in a deck: its mix plays on until their slices have come. */
  restem(deck: number, song: string, stems: readonly Role[]): void {
    const target = this.#deck(deck);
    if (target.song?.info.id === song) target.restem(stems);
  }

  /** A slice of the song that is in a deck; that of another song is passed over. */
  slice(deck: number, song: string, role: Role, index: number, slice: Slice): void {
    const target = this.#deck(deck).song;
    if (target?.info.id === song) target.add(role, index, slice);
  }

  /** What is known of the song in a deck has changed. */
  update(deck: number, change: SongUpdate): void {
    this.#deck(deck).update(givenUpdate(change));
  }

  unload(deck: number): void {
    this.#values.setText(controlOf(`deck.${deck}.track`), "");
    this.#deck(deck).unload();
  }

  /** Lets events happen, each after the one before; what is left of the same tag does not. A ControlError for a wrong one. */
  play(tag: string, events: TimedEvent[]): void {
    this.#timeline.add(tag, events.map(givenEvent));
    this.#look = this.frame;
  }

  cancel(tag: string): void {
    this.#timeline.cancel(tag);
  }

  /** The stretcher's modules are there: decks that are in use make their stretchers now, unless that could be heard. */
  warm(): void {
    if (this.#decks.some(({ voice }) => voice.playing)) return;
    const used = Number(this.#values.get(IN_USE));
    for (const { voice } of this.#decks.slice(0, used)) voice.warm();
  }

  /** Makes the next frames: each array is filled from its beginning. */
  process(
    masterLeft: Float32Array, masterRight: Float32Array, phonesLeft: Float32Array, phonesRight: Float32Array, frames: number,
  ): void {
    const mixer = this.#mixer;
    for (let done = 0; done < frames; ) {
      const from = this.frame % BLOCK;
      // Not more often than that: blocks may be cut anywhere.
      const looks = from === 0 || this.frame >= this.#look;
      // Before the block is prepared, as what hands do between two blocks: a script is what it was written down from.
      if (looks) this.#happen();
      if (from === 0) this.#prepare();
      if (looks) this.#look = this.frame + this.#timeline.ahead(this.frame, BLOCK - from);
      const to = Math.min(BLOCK, from + frames - done, from + this.#look - this.frame);
      for (const deck of this.#decks) deck.render(from, to);
      mixer.process(from, to);
      for (let frame = from; frame < to; frame += 1, done += 1) {
        masterLeft[done] = mixer.left[frame] as number;
        masterRight[done] = mixer.right[frame] as number;
        phonesLeft[done] = mixer.phonesLeft[frame] as number;
        phonesRight[done] = mixer.phonesRight[frame] as number;
      }
      this.frame += to - from;
    }
  }

  /** What has happened since the last time. */
  drain(): ConsoleEvent[] {
    if (this.#events.length === 0) return [];
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** How everything stands; peaks begin anew. */
  state(): ConsoleState {
    const { meter, limiter } = this.#mixer;
    const { left, right, peak, vuLeft, vuRight } = meter;
    meter.reset();
    return {
      frame: this.frame + limiter.latency,
      decks: this.#decks.map((deck) => deck.state()),
      left,
      right,
      peak,
      vuLeft,
      vuRight,
      reduction: limiter.takeReduction(),
      seen: this.seen,
    };
  }

  /** Once a block: what moves on its own. */
  #prepare(): void {
    if (!this.#ramps.empty) {
      this.#ramps.move(this.frame, (control, number) => {
        const before = this.#values.numbers[control.index] as number;
        this.#values.move(control, number);
        this.#apply(control, number, before);
      });
    }
    for (const deck of this.#decks) deck.prepare(BLOCK);
    if (this.frame % (TOLD * BLOCK) === 0) this.#values.flush();
  }

  /** Lets events happen that are due. */
  #happen(): void {
    if (this.#timeline.empty) return;
    this.#timeline.run(this.frame, (event, tag) => this.#scripted(event, tag), (tag) => this.#tell({ type: "finished", tag }));
  }

  #scripted({ control: id, value, over, when }: TimedEvent, tag: string | null): void {
    const control = controlOf(id);
    const minute = 60 * this.sampleRate;
    const tempo = () => this.#tempo(control, "deck" in when ? when.deck : null);
    const frames = over === undefined || control.kind !== "absolute" ? 0
      : "seconds" in over ? over.seconds * this.sampleRate : (over.beats * minute) / tempo();
    if (over === undefined || frames <= 0) {
      this.#ask(control, value, tag);
      if (holdsState(control)) this.#values.repeat(control);
      return;
    }
    this.#tell({ type: "applied", frame: this.frame, control: id, value, over: frames / this.sampleRate, ...(tag !== null && { tag }) });
    const now = this.#values.numbers[control.index] as number;
    const pace = "beats" in over ? () => tempo() / (over.beats * minute) : () => 1 / frames;
    this.#ramps.begin(control, now, numberOf(control, value), this.frame, pace);
  }

  /** A change that was asked for takes effect. */
  #ask(control: Control, value: number | string, tag: string | null = null): void {
    this.#ramps.end(control);
    this.#tell({ type: "applied", frame: this.frame, control: control.id, value, ...(tag !== null && { tag }) });
    if (control.line === TRACK) {
      this.#track(control, value as string);
      return;
    }
    const number = numberOf(control, value);
    const before = this.#values.numbers[control.index] as number;
    if (holdsState(control)) this.#values.numbers[control.index] = number;
    this.#apply(control, number, before);
  }

  #apply(control: Control, number: number, before: number): void {
    if (control.deck !== null) this.#deck(control.deck).apply(control, number, before);
    if (control === IN_USE) this.warm();
    if (control.deck === null || ACROSS.has(control.line)) this.#mixer.follow();
  }

  /** The host loads songs: it is told. */
  #track(control: Control, track: string): void {
    const deck = control.deck as number;
    this.#values.setText(control, track);
    const song = this.#deck(deck).song;
    if (track === "") {
      this.#deck(deck).unload();
    } else if (song?.info.id !== track) {
      this.#deck(deck).expect();
      this.#tell({ type: "load", frame: this.frame, deck, track });
    }
  }

  /** BPM that the beats of a control's way are counted by. */
  #tempo(control: Control, deck: number | null): number {
    const own = deck ?? control.deck;
    const running = this.#sync.leader ?? this.#decks.find((other) => other.running && other.grid);
    return (own === null ? null : this.#deck(own).tempo.now) ?? running?.tempo.now ?? USUAL;
  }

  #deck(number: number): Deck {
    const deck = this.#decks[number - 1];
    if (deck === undefined) throw new ControlError(`There is no deck ${number}.`);
    return deck;
  }

  #tell(event: ConsoleEvent): void {
    this.#events.push(event);
  }
}

/** Controls of a deck that the mixer goes by. */
const ACROSS = new Set(["deck.{deck}.assign", "deck.{deck}.headphones"]);

function find(control: number | string): Control {
  if (typeof control === "string") return controlOf(control);
  const found = CONTROLS[control];
  if (found === undefined) throw new ControlError(`There is no control ${control}.`);
  return found;
}
