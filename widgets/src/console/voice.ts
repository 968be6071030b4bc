// The sound of one deck: a song, played from a place that moves.
//
// Two paths lead from the song to the outputs. The direct one reads it at the place where the deck is: other speeds have
// another pitch, like a record. The other goes through the stretcher: other speeds at the same pitch, at the very same time.
// The stretcher needs a tenth of a second to fill after it is started; so after a jump the *bridge* plays: the direct path
// at the speed that has the right pitch, from the place of the jump on, until the stretched sound takes over.
//
// Whatever breaks off (a jump, a stop) is rendered a few milliseconds further at that moment, fading, and added to what
// comes: no break is heard, and what comes begins at once.
//
// Nothing depends on how blocks are cut: what is to be decided is decided every STEP frames of the voice's own count.
import type { StretchModule } from "signalsmith-stretch";
import { sameLoop, seam, wrap, type Loop } from "./seam";
import { Reader, STEP } from "./reader";
import type { Song } from "./song";
import { Spill } from "./spill";
import { Stretcher } from "./stretcher";
import type { Role } from "./types";

export type { Loop } from "./seam";

/** Frames that `render` can write at most, and the length of `outputs`. */
export const BLOCK = 128;

/** Times in s: what breaks off fades out, what comes begins, sound that was not here yet comes in. */
const FALL = 0.004;
const RISE = 0.001;
const GATE = 0.004;
/** From the mix to its stems and back, and from the direct path to the stretched one. */
const SWITCH = 0.01;
const BLEND = 0.03;
/** The rate follows with this time constant. */
const GLIDE = 0.001;
/** A record that stands is silent: below this speed the sound fades, but slower than a hand turns back. */
const CREEP = 0.05;
const STAND = 0.01;
/** Rates nearer to 1 than the first are not worth a stretcher; nearer than the second for `REST`, it is let go. */
const OFF_UNITY = 5e-4;
const AT_UNITY = 1e-4;
const REST = 1;
/** Rates that the stretcher is used for. */
const SLOWEST = 0.4;
const FASTEST = 2.5;
/** Stems that songs mostly have. */
const STEMS = 4;
/** How far before the beginning and behind the end a hand can turn the record, in s. */
const BEYOND = 10;

/** What is read of a song in at most STEP frames. */
interface Path {
  places: Float64Array;
  speeds: Float64Array;
  /** Beside a loop's seam: where else it is read, and how much of that is heard. */
  others: Float64Array;
  weights: Float64Array;
  joined: boolean;
}

/** The mix or the stems: what they sound like on both paths. */
interface Lane {
  parts: number[];
  stretcher: Stretcher | null;
  /** How far it has passed over from the direct path to the stretched one, 0 to 1, and where to. */
  blend: number;
  toward: number;
  direct: Float32Array[];
  other: Float32Array[];
  stretched: Float32Array[];
}

function newPath(): Path {
  const room = (): Float64Array => new Float64Array(STEP);
  return { places: room(), speeds: room(), others: room(), weights: room(), joined: false };
}

function newLane(parts: number[], stretcher: Stretcher | null): Lane {
  const room = (): Float32Array[] => Array.from({ length: 2 * parts.length }, () => new Float32Array(STEP));
  return { parts, stretcher, blend: 0, toward: 0, direct: room(), other: room(), stretched: room() };
}

export class Voice {
  /**
   * Left and right of each of `roles`, BLOCK frames each: the mix first, then the stems. Those that do not play are silent.
   * There may be more of them than roles after a song that had more: what it left behind fades out there.
   */
  readonly outputs: Float32Array[] = [];
  /** The roles of the song, in the order of `outputs`; empty without one. */
  roles: Role[] = [];
  /** Whether nothing but silence was written by the last `render`. */
  silent = true;
  /** The song has come to its end (or, backwards, to its beginning) and stopped; to be put back by whoever has seen it. */
  ended = false;
  /** Keep the pitch whatever the rate. */
  keylock = false;
  /** Shift of the pitch, with or without key lock. Not heard while scratching, backwards and at extreme rates. */
  semitones = 0;
  /** The hand is on the record: any speed, no key lock, and the ends of the song do not stop it. */
  scratching = false;
  /** Play the stems as soon as all of them are here. */
  useStems = false;

  private song: Song | null = null;
  private runs = false;
  private place = 0;
  private wanted = 1;
  private speed = 1;
  private around: Loop | null = null;
  /** Frames rendered. */
  private count = 0;

  private mix = newLane([], null);
  private stem = newLane([], null);
  /** 0 is the mix, 1 its stems; what it moves to; whether it may move yet. */
  private level = 0;
  private target: 0 | 1 = 0;
  private moving = false;
  private reader = new Reader(2);
  private readonly modules: [StretchModule | null, StretchModule | null] = [null, null];

  /** The stretchers run; they are let go when the direct path has taken over. */
  private stretching = false;
  private leaving = false;
  private bridging = false;
  private bridge = 0;
  /** Frames for which the rate has been 1. */
  private rest = 0;

  /** Frames heard since the last break. */
  private onset = 0;
  private gate = 1;
  private open = true;
  /** 1 while the record turns, 0 when it stands. */
  private turns = 1;
  private readonly spill = new Spill();
  private readonly scratch: Float32Array[] = [];

  // Of the frames that are being rendered.
  private readonly way = newPath();
  private readonly detour = newPath();
  private readonly levels = new Float32Array(STEP);
  private readonly envelope = new Float32Array(STEP);
  private readonly turning = new Float32Array(STEP);
  private readonly directGain = new Float32Array(STEP);
  private readonly stretchedGain = new Float32Array(STEP);

  private readonly fall: Float32Array;
  /** Of a sound from another place, and of the same one on another path, which makes up for what falls. */
  private readonly quick: Float32Array;
  private readonly gentle: Float32Array;
  private rise: Float32Array;
  private readonly glide: number;

  /** `newStretch` gives a module fresh from its factory, or null while there is none: then there is no key lock. */
  constructor(
    readonly sampleRate: number,
    private readonly newStretch: (channels: number) => StretchModule | null,
  ) {
    const ramp = (seconds: number): Float32Array => {
      const frames = Math.max(1, Math.round(seconds * sampleRate));
      return Float32Array.from({ length: frames }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / frames));
    };
    this.gentle = ramp(FALL);
    this.fall = this.gentle.slice().reverse();
    this.quick = ramp(RISE);
    this.rise = this.quick;
    this.glide = 1 - Math.exp(-1 / (GLIDE * sampleRate));
  }

  /** Frames of the song, with fractions: what is heard at the next frame. */
  get position(): number {
    return this.place;
  }

  /** Frames of the song in a frame, with its sign; reached within a few milliseconds. */
  get rate(): number {
    return this.wanted;
  }

  set rate(rate: number) {
    this.wanted = rate;
    if (!this.runs) this.speed = rate;
  }

  get playing(): boolean {
    return this.runs;
  }

  /** Stopping keeps the position; what sounded fades out beyond it. */
  set playing(playing: boolean) {
    if (playing === this.runs || (playing && this.song === null)) return;
    if (playing) {
      this.runs = true;
      this.speed = this.wanted;
      this.begin();
    } else {
      this.cut();
      this.halt();
    }
  }

  get loop(): Loop | null {
    return this.around;
  }

  /**
   * The loop in force. Passing its end, forwards, goes on at its start; the other way round backwards. One that has no
   * length is none.
   */
  set loop(wanted: Loop | null) {
    const loop = wanted !== null && wanted.end - wanted.start >= 2 ? wanted : null;
    const before = this.around;
    if (sameLoop(before, loop)) return;
    if (!this.runs) {
      this.around = loop;
      return;
    }
    const weight = (one: Loop | null): number => seam(one, this.place, this.speed >= 0, this.sampleRate);
    const follows = (one: Lane): boolean => !one.stretcher?.running || one.stretcher.follows(this.place, loop);
    const smooth = weight(before) === weight(loop) && follows(this.mix) && follows(this.stem);
    if (!smooth) this.cut();
    this.around = loop;
    if (!smooth) this.begin(this.gentle);
  }

  /** Whether it plays the stems now, not the mix. */
  get stems(): boolean {
    return this.level > 0;
  }

  /** Takes a song in, standing at its beginning; what sounded fades out. Null takes it out. */
  load(song: Song | null): void {
    this.cut();
    this.halt();
    this.song = song;
    this.place = 0;
    this.around = null;
    this.ended = false;
    this.level = 0;
    this.target = 0;
    this.mix = newLane(song ? [0] : [], this.mix.stretcher);
    this.prepare(0);
    this.makeRoom();
  }

  /** The song has other stems now: its mix is heard until all of them are here. */
  restem(): void {
    const heard = this.level > 0 && this.runs;
    if (heard) this.cut();
    this.stop(this.stem);
    this.level = 0;
    this.target = 0;
    this.makeRoom();
    if (heard) this.begin(this.gentle);
  }

  /** Room for the song's stems. */
  private makeRoom(): void {
    this.roles = [...(this.song?.roles ?? [])];
    const stems = this.roles.slice(1).map((_, index) => index + 1);
    this.stem = newLane(stems, this.stem.stretcher);
    this.reader = new Reader(2 * Math.max(1, stems.length));
    while (this.outputs.length < 2 * this.roles.length) {
      this.outputs.push(new Float32Array(BLOCK));
      this.scratch.push(new Float32Array(STEP));
    }
    this.spill.widen(this.outputs.length);
    this.prepare(1);
  }

  /** Makes its stretchers before they are needed, which takes milliseconds each. */
  warm(): void {
    this.prepare(0, 2);
    if (this.stem.stretcher === null) this.prepare(1, 2 * STEMS);
  }

  /** Goes on at another place. Before the beginning there is silence. */
  jump(frames: number): void {
    this.cut();
    this.place = frames;
    if (this.runs) this.begin();
  }

  /** Writes `outputs` from frame `from` to before frame `to`, and moves on. */
  render(from: number, to: number): void {
    const first = this.count;
    for (const output of this.outputs) output.fill(0, from, to);
    this.silent = !this.runs && this.spill.over(first);
    for (let at = from; at < to && this.runs; ) {
      if (this.count % STEP === 0) this.decide();
      const done = this.sound(this.outputs, at, Math.min(to, at + STEP - (this.count % STEP)), true);
      at += done;
      this.count += done;
      if (this.ended) {
        this.cut();
        this.halt();
      }
    }
    this.count = first + to - from;
    this.spill.pour(first, this.outputs, from, to);
  }

  // --- breaks

  /** Lets what sounds now fade out by itself, under what comes. */
  private cut(): void {
    if (!this.runs || this.onset === 0) return;
    const { place, speed, scratch, fall } = this;
    for (let done = 0; done < fall.length; ) {
      const count = Math.min(STEP, fall.length - done);
      for (const room of scratch) room.fill(0);
      this.sound(scratch, 0, count, false);
      this.spill.add(this.count + done, scratch, count, fall, done);
      done += count;
    }
    this.place = place;
    this.speed = speed;
  }

  /** Starts to sound at its place, after a break or a silence. */
  private begin(rise = this.quick): void {
    this.disengage();
    this.turns = Math.min(1, Math.abs(this.speed) / CREEP);
    this.rise = rise;
    this.onset = 0;
    this.target = this.wantsStems();
    this.level = this.target;
    this.open = this.here();
    this.gate = this.open ? 1 : 0;
    if (this.open && this.wantsStretch()) this.engage(true);
  }

  private halt(): void {
    this.runs = false;
    this.speed = this.wanted;
    this.disengage();
  }

  // --- the stretchers

  /** What can be played through a stretcher at all. */
  private able(): boolean {
    return !this.scratching && this.wanted >= SLOWEST && this.wanted <= FASTEST;
  }

  private wantsStretch(): boolean {
    const rested = this.rest > REST * this.sampleRate;
    const off = Math.abs(this.wanted - 1) > OFF_UNITY || (this.stretching && !rested);
    return this.able() && (this.semitones !== 0 || (this.keylock && off));
  }

  /** Makes sure that a lane (0 the mix, 1 the stems) has a stretcher, where there is one to be had. */
  private prepare(index: 0 | 1, channels = 2 * (index === 0 ? this.mix : this.stem).parts.length): void {
    const lane = index === 0 ? this.mix : this.stem;
    if (channels === 0 || lane.stretcher?.channels === channels) return;
    this.modules[index] ??= this.newStretch(channels);
    const module = this.modules[index];
    lane.stretcher = module && new Stretcher(module, this.sampleRate, channels);
  }

  /** Starts the stretchers of what is heard. Until they are filled the bridge is heard, or the direct path goes on. */
  private engage(bridging: boolean): void {
    if (this.level < 1) this.start(0, bridging);
    if (this.level > 0) this.start(1, bridging);
    this.stretching = this.mix.stretcher?.running === true || this.stem.stretcher?.running === true;
    this.bridging = this.stretching && bridging;
    this.bridge = this.place;
  }

  private start(index: 0 | 1, bridged: boolean): void {
    this.prepare(index);
    const lane = index === 0 ? this.mix : this.stem;
    lane.blend = 0;
    lane.stretcher?.start(this.song!, lane.parts, this.place, this.wanted, this.around, this.semitones, bridged);
  }

  private stop(lane: Lane): void {
    lane.stretcher?.stop();
    lane.blend = 0;
    lane.toward = 0;
  }

  private disengage(): void {
    this.stop(this.mix);
    this.stop(this.stem);
    this.stretching = false;
    this.leaving = false;
    this.bridging = false;
  }

  // --- what is decided every STEP frames

  private decide(): void {
    this.rest = Math.abs(this.wanted - 1) < AT_UNITY ? this.rest + STEP : 0;
    this.open = this.here();
    if (this.open && this.gate === 0) this.begin();
    this.choosePath();
    this.chooseLane();
  }

  /** Whether the sound at its place, and a little on, is here. */
  private here(): boolean {
    if (this.target === 1 && this.level === 1) return true;
    const { song, place } = this;
    const next = place + Math.sign(this.speed) * 2 * GATE * this.sampleRate;
    return song!.has(0, Math.floor(place)) && song!.has(0, Math.floor(next));
  }

  private choosePath(): void {
    const want = this.wantsStretch();
    if (!this.stretching) {
      if (want && this.open) this.engage(false);
    } else if (want) {
      this.leaving = false;
    } else if (this.bridging || !this.able()) {
      this.cut();
      this.disengage();
      this.rise = this.gentle;
      this.onset = 0;
    } else {
      this.leaving = true;
    }
    // What was fed before the song was here is missing in what comes out.
    const { mix, stem } = this;
    if (this.open && mix.stretcher?.starved === true && mix.stretcher.here(this.place)) {
      this.cut();
      this.begin(this.gentle);
    }
    if (this.leaving && mix.blend === 0 && stem.blend === 0) this.disengage();
    if ((this.level === 1 || mix.blend === 1) && (this.level === 0 || stem.blend === 1)) this.bridging = false;
    mix.toward = mix.stretcher?.ready && !this.leaving ? 1 : 0;
    stem.toward = stem.stretcher?.ready && !this.leaving ? 1 : 0;
  }

  private wantsStems(): 0 | 1 {
    return this.useStems && this.song!.hasStems ? 1 : 0;
  }

  private chooseLane(): void {
    this.target = this.wantsStems();
    if (this.level === this.target) {
      this.moving = false;
      const unheard = this.level === 1 ? this.mix : this.stem;
      if (unheard.stretcher?.running) this.stop(unheard);
      return;
    }
    const index = this.target;
    const next = index === 0 ? this.mix : this.stem;
    const unheard = this.level === 1 - index;
    if (unheard && this.stretching && !next.stretcher?.running) this.start(index, false);
    const waits = unheard && next.stretcher?.running === true && !next.stretcher.ready;
    if (unheard && next.stretcher?.ready && !this.leaving) next.blend = 1;
    this.moving = !waits;
  }

  // --- sound

  /**
   * Writes what is heard next into `outs` from index `from` on, at most STEP frames, and moves on. A live one stops at the
   * song's end; returns how many frames it has written.
   */
  private sound(outs: readonly Float32Array[], from: number, to: number, live: boolean): number {
    const count = this.travel(to - from, live);
    if (this.bridging) this.takeDetour(count);
    this.shape(count);
    this.play(this.mix, 1, outs, from, count);
    this.play(this.stem, 0, outs, from, count);
    return count;
  }

  /** Writes down the way of the next frames and goes it. */
  private travel(count: number, live: boolean): number {
    const { way } = this;
    const last = this.song!.info.frames;
    const beyond = BEYOND * this.sampleRate;
    way.joined = false;
    for (let i = 0; i < count; i++) {
      this.note(way, i, this.place, this.speed);
      const next = this.place + this.speed;
      this.place = wrap(this.around, this.place, next);
      this.speed += (this.wanted - this.speed) * this.glide;
      if (Math.abs(this.wanted - this.speed) < 1e-9) this.speed = this.wanted;
      if (this.scratching) {
        this.place = Math.max(-beyond, Math.min(last + beyond, this.place));
      } else if (live && (this.speed > 0 ? this.place >= last : this.speed < 0 && this.place < 0)) {
        this.place = this.speed > 0 ? last : 0;
        this.ended = true;
        return i + 1;
      }
    }
    return count;
  }

  /** The way of the bridge. */
  private takeDetour(count: number): void {
    const speed = 2 ** (this.semitones / 12);
    this.detour.joined = false;
    for (let i = 0; i < count; i++) {
      this.note(this.detour, i, this.bridge, speed);
      this.bridge = wrap(this.around, this.bridge, this.bridge + speed);
    }
  }

  private note(path: Path, i: number, place: number, speed: number): void {
    path.places[i] = place;
    path.speeds[i] = speed;
    const forward = speed >= 0;
    const weight = seam(this.around, place, forward, this.sampleRate);
    path.weights[i] = weight;
    if (weight === 0) {
      path.others[i] = place;
      return;
    }
    const length = this.around!.end - this.around!.start;
    path.others[i] = forward ? place - length : place + length;
    path.joined = true;
  }

  /** The envelope and the levels of the next frames. */
  private shape(count: number): void {
    const { rise, envelope, levels, turning } = this;
    const slow = 1 / (STAND * this.sampleRate);
    const gate = 1 / (GATE * this.sampleRate);
    const step = this.moving ? (this.target === 1 ? 1 : -1) / (SWITCH * this.sampleRate) : 0;
    for (let i = 0; i < count; i++) {
      levels[i] = this.level;
      envelope[i] = this.gate * (this.onset < rise.length ? rise[this.onset]! : 1);
      this.onset++;
      const turns = Math.min(1, Math.abs(this.way.speeds[i]!) / CREEP);
      this.turns += (turns - this.turns) * slow;
      if (Math.abs(turns - this.turns) < 1e-5) this.turns = turns;
      turning[i] = this.turns;
      this.gate = Math.max(0, Math.min(1, this.gate + (this.open ? gate : -gate)));
      this.level = Math.max(0, Math.min(1, this.level + step));
    }
  }

  /** Plays a lane into `outs`; it is heard as far as the level is away from `mute`. */
  private play(lane: Lane, mute: number, outs: readonly Float32Array[], from: number, count: number): void {
    const { levels, envelope, turning, directGain, stretchedGain } = this;
    const running = lane.stretcher?.running === true;
    const heard = lane.parts.length > 0 && (levels[0] !== mute || levels[count - 1] !== mute);
    if (running) {
      lane.stretcher!.render(lane.stretched, 0, count, this.way.speeds, this.wanted, this.around, this.semitones);
    }
    if (!heard) return;
    const straight = lane.blend < 1 || lane.toward < 1;
    const path = this.bridging ? this.detour : this.way;
    if (straight) this.direct(lane, path, count);
    const step = 1 / (BLEND * this.sampleRate);
    const { toward } = lane;
    let blend = Number(lane.blend);
    for (let i = 0; i < count; i++) {
      const gain = envelope[i]! * Math.abs(levels[i]! - mute);
      // Equal power where the two have phases of their own; the bridge is in phase with what comes after it.
      const passed = this.bridging ? blend : Math.sin((Math.PI / 2) * blend);
      const rest = this.bridging ? 1 - blend : Math.cos((Math.PI / 2) * blend);
      directGain[i] = blend === 1 ? 0 : gain * turning[i]! * rest;
      stretchedGain[i] = gain * passed;
      blend = toward > blend ? Math.min(1, blend + step) : toward < blend ? Math.max(0, blend - step) : blend;
    }
    lane.blend = blend;
    for (let channel = 0; channel < lane.direct.length; channel++) {
      const out = outs[2 * lane.parts[channel >> 1]! + (channel & 1)]!;
      if (straight) {
        const source = lane.direct[channel]!;
        for (let i = 0; i < count; i++) out[from + i] = source[i]! * directGain[i]!;
      }
      if (running) {
        const source = lane.stretched[channel]!;
        for (let i = 0; i < count; i++) out[from + i]! += source[i]! * stretchedGain[i]!;
      }
    }
  }

  private direct(lane: Lane, path: Path, count: number): void {
    this.reader.read(this.song!, lane.parts, path.places, path.speeds, 0, count, lane.direct);
    if (!path.joined) return;
    this.reader.read(this.song!, lane.parts, path.others, path.speeds, 0, count, lane.other);
    for (let channel = 0; channel < lane.direct.length; channel++) {
      const target = lane.direct[channel]!;
      const other = lane.other[channel]!;
      for (let i = 0; i < count; i++) target[i]! += (other[i]! - target[i]!) * path.weights[i]!;
    }
  }
}
