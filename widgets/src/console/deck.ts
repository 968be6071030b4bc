/** One deck: a song, what its controls do to it, and its way through the mixer. */

import type { StretchModule } from "signalsmith-stretch";
import { KINDS } from "./dsp/fx/unit";
import type { Band } from "./dsp/isolator";
import { Strip } from "./dsp/strip";
import { BeatGrid } from "./grid";
import { HotCues } from "./hotcues";
import { Jog } from "./jog";
import { keyShift } from "./keys";
import { Loops } from "./loops";
import type { SongUpdate } from "./messages";
import { Slip } from "./slip";
import { Song } from "./song";
import { Stems } from "./stems";
import type { Sync } from "./sync";
import type { Control } from "./table";
import { Tempo } from "./tempo";
import { Transport } from "./transport";
import type { ConsoleEvent, DeckState, Role, SongInfo } from "./types";
import type { DeckValues } from "./values";
import { BLOCK, Voice } from "./voice";

/** What a deck has of its console. */
export interface DeckPlace {
  /** 1 to 4. */
  number: number;
  sampleRate: number;
  values: DeckValues;
  sync: Sync;
  stretch: (channels: number) => StretchModule | null;
  /** Frames since the console began. */
  now: () => number;
  tell: (event: ConsoleEvent) => void;
}

/** Controls that are about the channel, whatever song it has. */
const CHANNEL = /\.(gain|eq|kill|filter|volume|assign|headphones|stems?|fx|pitch_range|keylock|quantize|bend)\b/;

export class Deck {
  readonly number: number;
  readonly sampleRate: number;
  readonly values: DeckValues;
  readonly sync: Sync;
  readonly voice: Voice;
  readonly strip: Strip;
  readonly transport: Transport;
  readonly loops: Loops;
  readonly slip: Slip;
  readonly jog: Jog;
  readonly tempo: Tempo;
  readonly hotCues: HotCues;
  readonly stems: Stems;
  song: Song | null = null;
  grid: BeatGrid | null = null;
  key: SongInfo["key"] = null;
  /** Frame of the console at which it began to run. */
  since = 0;
  /** How often it has gone elsewhere, instead of on. */
  jumps = 0;
  readonly left = new Float32Array(BLOCK);
  readonly right = new Float32Array(BLOCK);
  readonly #even: BeatGrid;
  readonly #now: () => number;
  readonly #tell: (event: ConsoleEvent) => void;
  readonly #clock = { beat: 0, beatsPerFrame: 0 };
  /** Beat that effects go by while the song does not lead them. */
  #beat = 0;
  #gain = 0;
  /** Whether it ran when it was last looked at. */
  #ran = false;
  /** What was set while a song is on its way; null when none is. */
  #later: { control: Control; number: number; before: number }[] | null = null;

  constructor(place: DeckPlace) {
    this.number = place.number;
    this.sampleRate = place.sampleRate;
    this.values = place.values;
    this.sync = place.sync;
    this.#now = place.now;
    this.#tell = place.tell;
    this.#even = BeatGrid.even(place.sampleRate);
    this.voice = new Voice(place.sampleRate, place.stretch);
    this.strip = new Strip(place.sampleRate, BLOCK);
    this.transport = new Transport(this);
    this.loops = new Loops(this);
    this.slip = new Slip(this);
    this.jog = new Jog(this);
    this.tempo = new Tempo(this);
    this.hotCues = new HotCues(this, (slot, cue) => this.#tell({ type: "hotcue", deck: this.number, slot, cue }));
    this.stems = new Stems(place.sampleRate, place.values);
    this.#channel();
    this.strip.settle();
  }

  /** Length of the song. */
  get frames(): number {
    return this.song?.info.frames ?? 0;
  }

  /** Its grid, or beats of 120 BPM where it has none. */
  get beats(): BeatGrid {
    return this.grid ?? this.#even;
  }

  /** Whether it plays, other than for as long as a button is held. */
  get running(): boolean {
    return this.values.isOn("play") && this.transport.moves;
  }

  /** A song is on its way: what is set from now on is about it. */
  expect(): void {
    this.unload();
    this.#later = [];
  }

  load(info: SongInfo, like: Song | null = null): void {
    const later = this.#later ?? [];
    if (this.#later === null) this.#reset();
    this.#later = null;
    this.song = new Song(info, like);
    this.grid = info.grid ? new BeatGrid(info.grid, this.sampleRate) : null;
    this.key = info.key;
    this.#gain = info.gain;
    this.hotCues.load(info.hotCues);
    this.voice.load(this.song);
    this.stems.load(this.song.roles);
    this.values.put("cue_point", info.cuePoint);
    this.#channel();
    this.tempo.reckon();
    this.sync.elect();
    this.tempo.join();
    this.steer();
    for (const { control, number, before } of later) this.apply(control, number, before);
  }

  /** The song has other stems, whose sound is to come. */
  restem(stems: readonly Role[]): void {
    if (!this.song) return;
    this.song.restem(stems);
    this.voice.restem();
    this.stems.load(this.song.roles);
  }

  unload(): void {
    this.#later = null;
    this.#reset();
    this.song = null;
    this.grid = null;
    this.key = null;
    this.#gain = 0;
    this.hotCues.load([]);
    this.voice.load(null);
    this.values.put("cue_point", 0);
    this.tempo.reckon();
    this.sync.elect();
  }

  /** What is known of the song has changed. */
  update(change: SongUpdate): void {
    if (!this.song) return;
    if (change.grid !== undefined) {
      this.grid = change.grid ? new BeatGrid(change.grid, this.sampleRate) : null;
      this.tempo.reckon();
      this.sync.elect();
      this.tempo.join();
    }
    if (change.hotCues) this.hotCues.load(change.hotCues);
    if (change.key !== undefined) this.key = change.key;
    if (change.gain !== undefined) this.#gain = change.gain;
    this.#channel();
  }

  /** A control of this deck was set; its value is in `values` already, `before` is what it was. */
  apply(control: Control, number: number, before: number): void {
    const held = control.kind === "toggle" || control.kind === "momentary";
    if (held && number === before) return;
    if (this.#later !== null && !CHANNEL.test(control.line)) {
      this.#later.push({ control, number, before });
      return;
    }
    this.#follow(control, number);
    this.steer();
  }

  /** The nearest multiple of `unit` beats when quantise is on, else here. */
  snapped(unit = 1): number {
    const { position } = this.voice;
    const place = this.grid !== null && this.values.isOn("quantize") ? this.grid.nearest(position, unit) : position;
    return Math.max(0, Math.min(this.frames, place));
  }

  /** A place to go to while it plays, brought into phase: with the leader, or as far off the beat as it is now. */
  inPhase(target: number): number {
    if (this.grid === null || !this.running || !this.values.isOn("quantize")) return target;
    if (this.tempo.leader?.running) return this.tempo.aligned(target);
    const beat = this.grid.beatAt(this.voice.position);
    return this.grid.frameAt(this.grid.beatAt(target) + beat - Math.round(beat));
  }

  /** Goes to a place at once. */
  jump(frame: number): void {
    this.jumps += 1;
    this.voice.jump(frame);
    if (this.jog.touched) this.jog.held(frame);
    this.tempo.jumped();
  }

  /** The song is sent to a place: nothing comes back to where it was. */
  seek(frame: number): void {
    if (!this.song) return;
    const target = Math.max(0, Math.min(this.frames, frame));
    this.slip.forget();
    this.loops.leaving(target);
    this.jump(this.running ? this.tempo.aligned(target) : target);
  }

  /** Whether the sound at its place has come. */
  isHere(): boolean {
    return this.song?.has(0, this.voice.position) ?? false;
  }

  /** It runs from now on. */
  runs(): void {
    this.since = this.#now();
    this.#ran = true;
    this.sync.elect();
  }

  /** It no longer runs, if it did. */
  halts(): void {
    if (this.#ran) this.sync.stopped(this);
    this.#ran = false;
  }

  /** Sets the voice as the controls and the hand want it. */
  steer(): void {
    const { voice, values } = this;
    this.tempo.reckon();
    voice.keylock = values.isOn("keylock");
    voice.semitones = values.get("key_shift");
    voice.useStems = values.isOn("stems");
    voice.scratching = this.jog.touched;
    voice.playing = this.transport.moves || this.jog.touched;
    if (!this.jog.touched) voice.rate = this.tempo.steered * (values.isOn("reverse") ? -1 : 1);
  }

  /** What is seen to once a block, before it is made. */
  prepare(frames: number): void {
    this.transport.proceed();
    this.jog.fade(frames);
    this.tempo.follow();
    if (this.jog.touched) this.voice.rate = this.jog.follow(frames);
    this.steer();
  }

  /** Makes frames `from` to `to` of a block: what the mixer takes from `left` and `right`, and from the strip. */
  render(from: number, to: number): void {
    const { voice, left, right } = this;
    const clock = this.#beatClock(to - from);
    if (this.running || this.slip.paused) this.slip.advance((to - from) * this.tempo.steered);
    voice.render(from, to);
    left.fill(0, from, to);
    right.fill(0, from, to);
    if (!voice.silent) this.stems.sum(voice, left, right, from, to);
    this.strip.process(left, right, from, to, clock);
    if (voice.ended) this.#ended();
  }

  state(): DeckState {
    const { voice, loops, sampleRate } = this;
    const loop = loops.loop;
    const { meter } = this.strip;
    const [left, right] = [meter.left, meter.right];
    meter.reset();
    return {
      loaded: this.song !== null,
      playing: voice.playing,
      position: voice.position / sampleRate,
      rate: voice.playing ? voice.rate : 0,
      loop: loop && { start: loop.start / sampleRate, end: loop.end / sampleRate },
      loopActive: loops.active,
      slip: this.slip.ghost === null ? null : this.slip.ghost / sampleRate,
      beat: this.grid && this.grid.beatAt(voice.position),
      phase: this.tempo.phase,
      tempo: this.tempo.now,
      leader: this.sync.leader === this,
      left,
      right,
    };
  }

  #reset(): void {
    this.jog.touch(false);
    this.slip.forget();
    this.loops.clear();
    this.values.put("reverse", 0);
    this.transport.reset();
  }

  #ended(): void {
    this.voice.ended = false;
    if (this.jog.touched) return;
    const over = this.voice.position >= this.frames;
    if (this.slip.ghost === null || over) {
      this.transport.ended();
      if (over) this.#tell({ type: "ended", deck: this.number });
    }
  }

  /** Beats for the effects; they go on evenly while the song is turned back or scratched. */
  #beatClock(frames: number): { beat: number; beatsPerFrame: number } {
    const clock = this.#clock;
    const moves = this.transport.moves;
    clock.beatsPerFrame = moves ? this.tempo.steered / this.beats.lengthAt(this.voice.position) : 0;
    const forwards = moves && !this.jog.touched && !this.values.isOn("reverse");
    clock.beat = forwards ? this.beats.beatAt(this.voice.position) : this.#beat;
    this.#beat = clock.beat + clock.beatsPerFrame * frames;
    return clock;
  }

  #channel(): void {
    const { strip, values } = this;
    strip.gain = this.#gain + values.get("gain");
    strip.volume = values.get("volume");
    strip.sweep.position = values.get("filter");
    for (const band of ["low", "mid", "high"] as const satisfies readonly Band[]) {
      strip.isolator.set(band, values.get(`eq.${band}`));
      strip.isolator.kill(band, values.isOn(`kill.${band}`));
    }
    strip.effects.forEach((effect, index) => {
      const value = (name: string) => values.get(`fx.${index + 1}.${name}`);
      effect.kind = KINDS[value("kind")] ?? "echo";
      effect.on = value("on") === 1;
      effect.mix = value("mix");
      effect.amount = value("amount");
      effect.beats = value("beats");
    });
  }

  #follow(control: Control, number: number): void {
    const { line, keys } = control;
    const on = number === 1;
    switch (line.slice("deck.{deck}.".length)) {
      case "play": return this.transport.play(on);
      case "cue": return this.transport.cue(on);
      case "seek": return this.seek(number * this.sampleRate);
      case "search": return this.seek(this.voice.position + number * this.sampleRate);
      case "pitch": return this.tempo.pitched();
      case "pitch_range": return this.tempo.ranged();
      case "tempo": return this.tempo.set(number);
      case "tap": return this.tempo.tap(this.#now());
      case "key_sync": return this.#matchKey();
      case "sync": return this.tempo.synced(on);
      case "leader": return this.sync.appointed(this);
      case "slip": return this.slip.switched(on);
      case "reverse": return on ? this.slip.depart("reverse") : void this.slip.arrive("reverse");
      case "beatjump": return this.#beatJump(number);
      case "loop.active": return this.loops.switched(on);
      case "loop.in": return this.loops.setIn();
      case "loop.out": return this.loops.setOut();
      case "loop.beats": return this.loops.resized();
      case "loop.set": return this.loops.set(number);
      case "loop.halve": return this.loops.scale(0.5);
      case "loop.double": return this.loops.scale(2);
      case "loop.move": return this.loops.move(number);
      case "roll": return this.loops.roll(number);
      case "hotcue.{cue}.press": return on ? this.hotCues.press(Number(keys.cue)) : this.hotCues.release(Number(keys.cue));
      case "hotcue.{cue}.set": return this.hotCues.set(Number(keys.cue));
      case "hotcue.{cue}.clear": return this.hotCues.clear(Number(keys.cue));
      case "jog.touch": return this.jog.touch(on);
      case "jog.turn": return this.jog.turn(number);
      default:
        if (keys.stem !== undefined) this.stems.follow();
        else this.#channel();
    }
  }

  #beatJump(by: number): void {
    if (!this.song) return;
    const { beats, loops, voice } = this;
    if (loops.active) {
      loops.move(by);
      return;
    }
    const place = voice.position;
    const target = Math.max(0, Math.min(this.frames, beats.frameAt(beats.beatAt(place) + by)));
    this.slip.advance(target - place);
    this.jump(target);
  }

  #matchKey(): void {
    const { leader } = this.sync;
    if (leader === null || leader === this) return;
    const shift = keyShift(this, leader);
    if (shift !== null) this.values.put("key_shift", shift);
  }
}

