/** Decks without an audio worklet: songs as they are, at their speed, as loud as the faders say; nothing else. */

import type { ToConsole } from "../../console/messages";
import { type Curve, side } from "../../console/dsp/crossfade";
import { decibelGain, levelGain, volumeGain } from "../../console/dsp/fader";
import { controlOf, holdsState, numberOf, valueOf } from "../../console/table";
import { type ConsoleEvent, type ConsoleState, DECKS, type DeckState, SLICE, type SongInfo } from "../../console/types";
import type { Receive, Samples, Sound } from "./sound";
import type { Failure } from "./types";

/** How often the state is told while something plays, in ms. */
const TELL_MS = 40;
/** Fades of starts and stops, in s. */
const FADE = 0.005;
/** A deck is at its cue point when it is this near, in s. */
const HERE = 0.01;
/** What would say that something happens that does not. */
const NOT_HERE = /^(sync|leader|slip|reverse|roll|loop\.active|headphones|stems|kill\..*|fx\..*\.on|stem\..*\.(mute|solo))$/;

interface Run {
  source: AudioBufferSourceNode;
  envelope: GainNode;
  /** Time of the context at which it was here, both in s. */
  time: number;
  position: number;
}

class PlainDeck {
  readonly fader: GainNode;
  info: SongInfo | null = null;
  buffer: AudioBuffer | null = null;
  /** What has come of the song so far. */
  coming: AudioBuffer | null = null;
  run: Run | null = null;
  position = 0;
  cuePoint = 0;
  /** It plays only as long as a button is held. */
  held: string | null = null;

  constructor(context: AudioContext) {
    this.fader = context.createGain();
    this.fader.connect(context.destination);
  }
}

export class PlainSound implements Sound {
  readonly limits: Failure;
  readonly node = null;
  readonly #context: AudioContext;
  readonly #receive: Receive;
  readonly #decks: PlainDeck[];
  readonly #values = new Map<string, number>();
  #events: ConsoleEvent[] = [];
  #seen = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(context: AudioContext, limits: Failure, receive: Receive) {
    this.#context = context;
    this.limits = limits;
    this.#receive = receive;
    this.#decks = Array.from({ length: DECKS }, () => new PlainDeck(context));
    this.#level();
  }

  post(message: ToConsole): void {
    switch (message.type) {
      case "set":
        for (const [id, value] of message.changes) this.#set(id, value);
        this.#seen = message.n;
        break;
      case "load":
        this.#unload(message.deck);
        this.#load(this.#deck(message.deck), message.info);
        if (message.like !== undefined) this.#deck(message.deck).buffer = this.#deck(message.like).buffer;
        this.#put(`deck.${message.deck}.cue_point`, message.info.cuePoint);
        break;
      case "unload":
        this.#unload(message.deck);
        break;
      case "update": {
        const { info } = this.#deck(message.deck);
        if (info) Object.assign(info, message);
        break;
      }
      default:
        break; // slices come as whole sounds, and nothing is timed or recorded here
    }
    this.#level();
    this.#tell();
  }

  give(deck: number, song: string, role: string, index: number, { left, right }: Samples): void {
    const target = this.#deck(deck);
    const { info } = target;
    if (role !== "mix" || info?.id !== song) return;
    const buffer = (target.coming ??= this.#context.createBuffer(2, info.frames, this.#context.sampleRate));
    buffer.copyToChannel(left as Float32Array<ArrayBuffer>, 0, index * SLICE);
    buffer.copyToChannel(right as Float32Array<ArrayBuffer>, 1, index * SLICE);
    if (index * SLICE + left.length < info.frames) return;
    // A source that plays takes no more sound: it is whole before it can start.
    target.buffer = buffer;
    target.coming = null;
    if (this.#number(`deck.${deck}.play`)) this.#start(deck);
    this.#tell();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const deck of this.#decks) {
      this.#halt(deck);
      deck.fader.disconnect();
    }
  }

  #deck(deck: number): PlainDeck {
    return this.#decks[deck - 1] as PlainDeck;
  }

  #number(id: string): number {
    return this.#values.get(id) ?? numberOf(controlOf(id), controlOf(id).default);
  }

  /** A change of its own. */
  #put(id: string, value: number): void {
    if (this.#number(id) === value) return;
    this.#values.set(id, value);
    this.#events.push({ type: "control", frame: this.#frame, control: id, value: valueOf(controlOf(id), value) });
  }

  get #frame(): number {
    return Math.round(this.#context.currentTime * this.#context.sampleRate);
  }

  #set(id: string, value: number | string): void {
    const control = controlOf(id);
    const number = numberOf(control, value);
    if (holdsState(control)) this.#values.set(id, number);
    if (control.deck === null) return;
    const deck = this.#deck(control.deck);
    const name = control.line.slice("deck.{deck}.".length);
    const place = this.#place(deck);
    if (name === "play") {
      deck.held = null;
      if (number && !deck.info) this.#put(id, 0);
      else if (number) this.#start(control.deck);
      else this.#stop(deck);
    } else if (name === "seek") this.#go(control.deck, number);
    else if (name === "search") this.#go(control.deck, place + number);
    else if (name === "pitch") this.#go(control.deck, place);
    else if (name === "cue_point") deck.cuePoint = number;
    else if (name === "cue") this.#cue(control.deck, id, number === 1);
    else if (name === "hotcue.{cue}.press") this.#hotCue(control.deck, id, Number(control.keys.cue), number === 1);
    else if (name === "hotcue.{cue}.set") this.#setHotCue(control.deck, Number(control.keys.cue), { time: place, end: null });
    else if (name === "hotcue.{cue}.clear") this.#setHotCue(control.deck, Number(control.keys.cue), null);
    else if (NOT_HERE.test(name)) this.#put(id, 0);
  }

  /** As on a player of CDs: back to the cue point, a listen while it is held, or a new cue point. */
  #cue(number: number, id: string, pressed: boolean): void {
    const deck = this.#deck(number);
    if (!deck.info) return;
    if (!pressed) this.#release(number, id, deck.cuePoint);
    else if (deck.run) {
      this.#put(`deck.${number}.play`, 0);
      this.#stop(deck);
      deck.position = deck.cuePoint;
    } else if (Math.abs(deck.position - deck.cuePoint) < HERE) {
      deck.held = id;
      this.#start(number);
    } else {
      deck.cuePoint = deck.position;
      this.#put(`deck.${number}.cue_point`, deck.position);
    }
  }

  #hotCue(number: number, id: string, slot: number, pressed: boolean): void {
    const deck = this.#deck(number);
    const cue = deck.info?.hotCues[slot - 1];
    if (!deck.info) return;
    if (!pressed) this.#release(number, id, cue?.time ?? deck.position);
    else if (!cue) this.#setHotCue(number, slot, { time: this.#place(deck), end: null });
    else {
      if (!deck.run) deck.held = id;
      this.#go(number, cue.time);
      if (!deck.run) this.#start(number);
    }
  }

  #setHotCue(number: number, slot: number, cue: { time: number; end: null } | null): void {
    const { info } = this.#deck(number);
    if (!info) return;
    info.hotCues = info.hotCues.map((before, index) => (index === slot - 1 ? cue : before));
    this.#events.push({ type: "hotcue", deck: number, slot, cue });
  }

  /** A held button is let go: unless play was pressed meanwhile, the deck goes back. */
  #release(number: number, id: string, back: number): void {
    const deck = this.#deck(number);
    if (deck.held !== id) return;
    deck.held = null;
    this.#stop(deck);
    deck.position = back;
  }

  #load(deck: PlainDeck, info: SongInfo): void {
    deck.info = { ...info };
    deck.position = info.cuePoint;
    deck.cuePoint = info.cuePoint;
  }

  #unload(number: number): void {
    const deck = this.#deck(number);
    this.#stop(deck);
    deck.info = null;
    deck.buffer = null;
    deck.coming = null;
    deck.position = 0;
    deck.held = null;
    this.#put(`deck.${number}.play`, 0);
  }

  #rate(number: number): number {
    return 1 + this.#number(`deck.${number}.pitch`) / 100;
  }

  #place(deck: PlainDeck): number {
    const { run } = deck;
    if (!run) return deck.position;
    const { duration } = deck.buffer as AudioBuffer;
    const since = Math.max(0, this.#context.currentTime - run.time);
    return Math.min(duration, run.position + since * run.source.playbackRate.value);
  }

  #start(number: number): void {
    const deck = this.#deck(number);
    if (deck.run || !deck.buffer) return;
    const { currentTime: time } = this.#context;
    if (deck.position >= deck.buffer.duration - HERE) deck.position = 0;
    const source = this.#context.createBufferSource();
    source.buffer = deck.buffer;
    source.playbackRate.value = this.#rate(number);
    const envelope = this.#context.createGain();
    envelope.gain.setValueAtTime(0, time);
    envelope.gain.linearRampToValueAtTime(1, time + FADE);
    source.connect(envelope);
    envelope.connect(deck.fader);
    source.start(time, deck.position);
    const run = { source, envelope, time, position: deck.position };
    deck.run = run;
    source.onended = () => {
      if (deck.run !== run) return;
      this.#stop(deck);
      this.#put(`deck.${number}.play`, 0);
      this.#events.push({ type: "ended", deck: number });
      this.#tell();
    };
    this.#timer ??= setInterval(() => this.#tell(), TELL_MS);
  }

  #stop(deck: PlainDeck): void {
    deck.position = this.#place(deck);
    this.#halt(deck);
  }

  #halt({ run }: PlainDeck): void {
    if (!run) return;
    for (const deck of this.#decks) if (deck.run === run) deck.run = null;
    const { currentTime: time } = this.#context;
    run.envelope.gain.cancelScheduledValues(time);
    run.envelope.gain.setValueAtTime(1, time);
    run.envelope.gain.linearRampToValueAtTime(0, time + FADE);
    run.source.stop(time + FADE);
    run.source.onended = () => run.envelope.disconnect();
  }

  /** Goes to a place (s), playing on if it plays; also where its speed has changed. */
  #go(number: number, position: number): void {
    const deck = this.#deck(number);
    const { run } = deck;
    this.#stop(deck);
    deck.position = Math.max(0, Math.min(deck.buffer?.duration ?? Number.POSITIVE_INFINITY, position));
    if (run) this.#start(number);
  }

  #level(): void {
    const curve = valueOf(controlOf("mixer.crossfader_curve"), this.#number("mixer.crossfader_curve")) as Curve;
    const crossfader = this.#number("mixer.crossfader");
    this.#decks.forEach(({ fader, info }, index) => {
      const id = `deck.${index + 1}`;
      const assigned = this.#number(`${id}.assign`) - 1; // -1 is left, 1 right
      const gain = volumeGain(this.#number(`${id}.volume`)) * (assigned === 0 ? 1 : side(assigned * crossfader, curve))
        * decibelGain(this.#number(`${id}.gain`) + (info?.gain ?? 0)) * levelGain(this.#number("mixer.master"));
      fader.gain.setTargetAtTime(gain, this.#context.currentTime, 0.008);
    });
  }

  #tell(): void {
    if (this.#timer !== undefined && this.#decks.every(({ run }) => run === null)) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    const events = this.#events.splice(0);
    if (events.length > 0) this.#receive({ type: "events", events, seen: this.#seen });
    const state: ConsoleState = {
      frame: this.#frame, decks: this.#decks.map((deck, index) => this.#stateOf(deck, index + 1)),
      left: 0, right: 0, peak: 0, vuLeft: 0, vuRight: 0, reduction: 1, seen: this.#seen,
    };
    this.#receive({ type: "state", state });
  }

  #stateOf(deck: PlainDeck, number: number): DeckState {
    return {
      loaded: deck.info !== null, playing: deck.run !== null, position: this.#place(deck),
      rate: deck.run ? this.#rate(number) : 0, loop: null, loopActive: false, slip: null, beat: null, phase: null,
      tempo: null, leader: false, left: 0, right: 0,
    };
  }
}
