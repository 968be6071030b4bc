/** A loaded song: its sources, each through its own gain and tap, in step to the sample. */

import type { Role } from "./mixer";
import { type Loop, loops, onFrame, positionAt, type Timeline } from "./transport";

/** What the engine asks of a loaded song. */
export interface Deck {
  /** Where in the song its sound begins, in s: not at 0 when it holds a part of the song only. */
  readonly from: number;
  /** Seconds of sound. */
  readonly duration: number;
  readonly roles: Role[];
  /** How it runs now, the same object until that changes; null while nothing plays. */
  readonly timeline: Timeline | null;
  /** Plays from `position` (s), from now on, at a level of its own (linear, at most 1). */
  start(position: number, loop: Loop | null, level: number): void;
  /** Changes the loop and the level under the playing sound. */
  reloop(loop: Loop | null, level: number): void;
  /** Fades out; returns where the song stopped. */
  stop(): number;
  /** The song's position at a time of the context, both in s. */
  position(time: number): number;
  setGain(role: Role, gain: number, immediately?: boolean): void;
  /** -1 is left, 1 is right. */
  setPan(role: Role, pan: number): void;
  tap(role: Role): AnalyserNode | null;
  dispose(): void;
}

/** Nodes are started this far ahead, so that all of them hear of it in time, in s. */
export const LEAD = 0.02;
/** Fades of starts and stops, in s: short enough to keep an attack, long enough not to click. */
export const FADE = 0.004;
/** Time constant of gain changes, in s. */
export const SMOOTHING = 0.008;
const TAP_SIZE = 2048;
/** A streaming element whose clock is off by more than this has moved, in s. */
const DRIFT = 0.04;

interface Channel {
  gain: GainNode;
  tap: AnalyserNode;
  pan: StereoPannerNode;
}

/** Gain, tap and place between the loudspeakers of each source, summed into one output. */
class Channels {
  readonly #context: BaseAudioContext;
  readonly #output: AudioNode;
  readonly #map = new Map<Role, Channel>();

  constructor(context: BaseAudioContext, output: AudioNode) {
    this.#context = context;
    this.#output = output;
  }

  get roles(): Role[] {
    return [...this.#map.keys()];
  }

  add(role: Role, gain: number): GainNode {
    const context = this.#context;
    const channel = { gain: context.createGain(), tap: context.createAnalyser(), pan: context.createStereoPanner() };
    channel.gain.gain.value = gain;
    channel.tap.fftSize = TAP_SIZE;
    // A mono source in the middle is as loud as it was: a panner of one channel would take 3 dB from it.
    channel.pan.channelCount = 2;
    channel.pan.channelCountMode = "explicit";
    channel.gain.connect(channel.tap);
    channel.tap.connect(channel.pan);
    channel.pan.connect(this.#output);
    this.#map.set(role, channel);
    return channel.gain;
  }

  get(role: Role): Channel | undefined {
    return this.#map.get(role);
  }

  setGain(role: Role, value: number, immediately: boolean): void {
    const gain = this.#map.get(role)?.gain.gain;
    if (!gain) return;
    const now = this.#context.currentTime;
    gain.cancelScheduledValues(now);
    if (immediately) gain.setValueAtTime(value, now);
    else gain.setTargetAtTime(value, now, SMOOTHING);
  }

  setPan(role: Role, value: number): void {
    this.#map.get(role)?.pan.pan.setTargetAtTime(value, this.#context.currentTime, SMOOTHING);
  }

  /** Takes a channel out; returns the function that ends it. */
  take(role: Role): () => void {
    const channel = this.#map.get(role);
    this.#map.delete(role);
    return () => {
      channel?.gain.disconnect();
      channel?.tap.disconnect();
      channel?.pan.disconnect();
    };
  }

  clear(): void {
    for (const role of this.roles) this.take(role)();
  }
}

interface Player {
  source: AudioBufferSourceNode;
  envelope: GainNode;
}

/** One run of all sources from one place at one time, at one level. */
interface Run {
  timeline: Timeline;
  level: number;
  players: Map<Role, Player>;
}

/** A song in memory: every source starts at one context time, so stems never drift apart. */
export class BufferDeck implements Deck {
  readonly #context: BaseAudioContext;
  readonly #channels: Channels;
  readonly #buffers = new Map<Role, AudioBuffer>();
  readonly #ended: () => void;
  readonly from: number;
  #run: Run | null = null;

  constructor(context: BaseAudioContext, output: AudioNode, ended: () => void, from = 0) {
    this.#context = context;
    this.#channels = new Channels(context, output);
    this.#ended = ended;
    this.from = from;
  }

  get duration(): number {
    const buffer = this.#buffers.get("mix") ?? this.#buffers.values().next().value;
    return buffer?.duration ?? 0;
  }

  get roles(): Role[] {
    return this.#channels.roles;
  }

  get timeline(): Timeline | null {
    return this.#run?.timeline ?? null;
  }

  /** The samples of a source. */
  buffer(role: Role): AudioBuffer | null {
    return this.#buffers.get(role) ?? null;
  }

  /** Adds decoded sources; into a playing song they come in at its place, and one of the same role fades out there. */
  add(buffers: Map<Role, AudioBuffer>, gainOf: (role: Role) => number): void {
    const at = this.#soon();
    for (const [role, buffer] of buffers) {
      this.remove(role);
      this.#buffers.set(role, buffer);
      this.#channels.add(role, gainOf(role));
      if (this.#run) {
        const position = this.position(at);
        this.#run.players.set(role, this.#spin(role, at, position, this.#run.timeline.loop, this.#run.level));
      }
    }
    if (this.#run) this.#watchEnd(this.#run);
  }

  /** Takes a source away, in a few ms, and lets its memory go. */
  remove(role: Role): void {
    const run = this.#run;
    const player = run?.players.get(role);
    const end = this.#channels.take(role);
    if (run && player) {
      run.players.delete(role);
      fadeOut(player, run, this.#soon(), end);
    } else {
      end();
    }
    this.#buffers.delete(role);
  }

  start(position: number, loop: Loop | null, level: number): void {
    this.#startAt(this.#soon(), position, loop, level);
  }

  reloop(loop: Loop | null, level: number): void {
    if (!this.#run) return;
    const at = this.#soon();
    const position = this.position(at);
    this.#startAt(at, loop && position >= loop.end ? loop.start : position, loop, level);
  }

  stop(): number {
    const at = this.#soon();
    const position = this.position(at);
    this.#fadeOut(at);
    return position;
  }

  position(time: number): number {
    if (!this.#run) return 0;
    const { anchor, loop, duration } = this.#run.timeline;
    return positionAt(anchor, time, loop, duration);
  }

  setGain(role: Role, gain: number, immediately = false): void {
    this.#channels.setGain(role, gain, immediately);
  }

  setPan(role: Role, pan: number): void {
    this.#channels.setPan(role, pan);
  }

  tap(role: Role): AnalyserNode | null {
    return this.#channels.get(role)?.tap ?? null;
  }

  dispose(): void {
    for (const role of [...this.#buffers.keys()]) this.remove(role);
    this.#run = null;
    this.#channels.clear();
  }

  #soon(): number {
    return onFrame(this.#context.currentTime + LEAD, this.#context.sampleRate);
  }

  #startAt(at: number, position: number, loop: Loop | null, level: number): void {
    this.#fadeOut(at);
    const from = onFrame(position, this.#context.sampleRate);
    const players = new Map<Role, Player>();
    for (const role of this.#buffers.keys()) players.set(role, this.#spin(role, at, from, loop, level));
    const timeline = { anchor: { time: at, position: from }, loop, duration: this.from + this.duration };
    this.#run = { timeline, level, players };
    this.#watchEnd(this.#run);
  }

  #spin(role: Role, at: number, position: number, loop: Loop | null, level: number): Player {
    const source = this.#context.createBufferSource();
    source.buffer = this.#buffers.get(role) ?? null;
    if (loops(position, loop)) {
      source.loop = true;
      source.loopStart = loop.start - this.from;
      source.loopEnd = loop.end - this.from;
    }
    const envelope = this.#context.createGain();
    envelope.gain.value = 0;
    envelope.gain.setValueAtTime(0, at);
    envelope.gain.linearRampToValueAtTime(level, at + FADE);
    source.connect(envelope);
    const channel = this.#channels.get(role);
    if (channel) envelope.connect(channel.gain);
    source.start(at, Math.max(0, position - this.from));
    return { source, envelope };
  }

  #fadeOut(at: number): void {
    const run = this.#run;
    if (!run) return;
    this.#run = null;
    for (const player of run.players.values()) fadeOut(player, run, at);
  }

  #watchEnd(run: Run): void {
    for (const { source } of run.players.values()) source.onended = null;
    const last = run.players.get("mix") ?? run.players.values().next().value;
    if (!last) return;
    last.source.onended = () => {
      if (this.#run !== run) return;
      this.#run = null;
      this.#ended();
    };
  }
}

/** Lets one source of a run end at a time of the context, and calls back when it has. */
function fadeOut({ source, envelope }: Player, run: Run, at: number, ended?: () => void): void {
  // A start that is still ahead is taken back as a whole.
  if (at > run.timeline.anchor.time + FADE) envelope.gain.setValueAtTime(run.level, at);
  else envelope.gain.cancelScheduledValues(0);
  envelope.gain.linearRampToValueAtTime(0, at + FADE);
  source.onended = () => {
    source.disconnect();
    envelope.disconnect();
    ended?.();
  };
  source.stop(at + FADE);
}

/** A long recording, streamed: the browser fetches what it plays, by ranges of bytes. */
export class StreamDeck implements Deck {
  readonly #context: AudioContext;
  readonly #element: HTMLAudioElement;
  readonly #source: MediaElementAudioSourceNode;
  readonly #channels: Channels;
  readonly #duration: number;
  readonly from = 0;
  #loop: Loop | null = null;
  #level = 1;
  #timeline: Timeline | null = null;
  #running = false;
  #pausing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    context: AudioContext,
    output: AudioNode,
    element: HTMLAudioElement,
    duration: number,
    ended: () => void,
  ) {
    this.#context = context;
    this.#element = element;
    this.#duration = duration;
    this.#channels = new Channels(context, output);
    this.#source = context.createMediaElementSource(element);
    this.#source.connect(this.#channels.add("mix", 0));
    element.addEventListener("ended", () => {
      this.#running = false;
      ended();
    });
    element.addEventListener("timeupdate", () => this.#turn());
  }

  get duration(): number {
    return Number.isFinite(this.#element.duration) ? this.#element.duration : this.#duration;
  }

  get roles(): Role[] {
    return this.#channels.roles;
  }

  /** The element's own clock moves in steps: it is followed where it has left the line for good. */
  get timeline(): Timeline | null {
    if (!this.#running) return null;
    const time = this.#context.currentTime;
    const position = this.#element.currentTime;
    const last = this.#timeline;
    const guess = last && positionAt(last.anchor, time, last.loop, last.duration);
    if (!last || guess === null || last.loop !== this.#loop || Math.abs(guess - position) > DRIFT) {
      this.#timeline = { anchor: { time, position }, loop: this.#loop, duration: this.duration };
    }
    return this.#timeline;
  }

  start(position: number, loop: Loop | null, level: number): void {
    clearTimeout(this.#pausing);
    this.#loop = loop;
    this.#level = level;
    this.#timeline = null;
    this.#running = true;
    if (Math.abs(this.#element.currentTime - position) > 0.001) this.#element.currentTime = position;
    this.setGain("mix", 1);
    // A rejected play() comes with an error event or a pause that was asked for.
    this.#element.play().catch(() => {});
  }

  reloop(loop: Loop | null, level: number): void {
    this.#loop = loop;
    this.#level = level;
    this.setGain("mix", 1);
    this.#turn();
  }

  stop(): number {
    const position = this.#element.currentTime;
    this.#running = false;
    this.setGain("mix", 0);
    this.#pausing = setTimeout(() => this.#element.pause(), SMOOTHING * 5000);
    return position;
  }

  /** The element keeps time itself. */
  position(): number {
    this.#turn();
    return Math.min(this.#element.currentTime, this.duration);
  }

  setGain(role: Role, gain: number, immediately = false): void {
    this.#channels.setGain(role, this.#running ? gain * this.#level : 0, immediately);
  }

  /** A streamed song is heard as it is. */
  setPan(): void {}

  tap(role: Role): AnalyserNode | null {
    return this.#channels.get(role)?.tap ?? null;
  }

  dispose(): void {
    clearTimeout(this.#pausing);
    this.#running = false;
    this.#element.pause();
    // Without a source the browser closes the connection and frees what it holds.
    this.#element.removeAttribute("src");
    this.#element.load();
    this.#source.disconnect();
    this.#channels.clear();
  }

  #turn(): void {
    const loop = this.#loop;
    if (this.#running && loop && this.#element.currentTime >= loop.end) {
      this.#element.currentTime = loop.start;
    }
  }
}
