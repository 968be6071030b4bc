// Another tempo at the same pitch, or another pitch: Signalsmith Stretch, fed from a song ahead of what is heard. It only
// changes the tempo: a shift of the pitch is a stretch, read at another speed. So the pitch is exact (its own shifts are up
// to 6 cents off), and a shift is heard at once.
//
// What the module gives depends on how its input is cut, so it is always asked for BLOCK frames, counted from where it
// was started. How much it is fed for them follows from where the sound has to be when they are heard: the time of what
// comes out is that of the deck, whatever has happened to the rate.
import type { StretchModule } from "signalsmith-stretch";
import { Kernel } from "./kernel";
import { seam, wrap, type Loop } from "./seam";
import type { Song } from "./song";

/** Frames that are made at once. */
const BLOCK = 128;
/** Length of the analysed stretches and their distance, in s. */
const WINDOW = 0.12;
const INTERVAL = 0.03;
/** How much faster or slower than the deck it goes at most, to catch up after a change of rate. */
const HASTE = 0.25;
/** Rates that it takes as they are; a hand that takes hold of the record may ask for any until the stretcher is let go. */
const LEAST = 0.2;
const MOST = 5;
/** Frames kept behind what is heard, for the kernel, and room for all that is made before it is heard. */
const KEPT = 128;
const ROOM = 1024;

export class Stretcher {
  running = false;
  /** Whether it has been fed silence for want of sound that is not here yet. */
  starved = false;
  /** Frames from its start until its windows overlap. */
  private readonly filling: number;
  private readonly behind: number;
  private readonly ahead: number;
  private readonly history: number;
  private readonly address: number;
  private memory: ArrayBufferLike | null = null;
  private readonly ins: Float32Array[] = [];
  private readonly outs: Float32Array[] = [];
  private readonly seamLeft = new Float32Array(1);
  private readonly seamRight = new Float32Array(1);
  private song: Song | null = null;
  private parts: readonly number[] = [];
  /** The next frame of the song to be fed, and how far ahead of the deck that is on the way the deck will go. */
  private feed = 0;
  private lead = 0;
  /** What has been made; where in it the deck is and where it ends; frames since the start that have been passed. */
  private readonly rooms: Float32Array[] = [];
  private cursor = KEPT;
  private end = KEPT;
  private passed = 0;
  private readonly kernel = new Kernel();

  constructor(
    private readonly module: StretchModule,
    private readonly sampleRate: number,
    readonly channels: number,
  ) {
    const window = 2 * Math.round((WINDOW * sampleRate) / 2);
    // Even: at half the tempo each interval is then fed exactly half of it, and nothing is left to chance.
    const interval = 2 * Math.round((INTERVAL * sampleRate) / 2);
    module._main();
    module._configure(channels, window, interval, true);
    module._reset();
    this.behind = module._inputLatency();
    this.ahead = module._outputLatency();
    this.history = window + interval;
    this.filling = Math.round(0.9 * window);
    this.address = module._setBuffers(channels, this.history);
    for (let channel = 0; channel < channels; channel++) this.rooms.push(new Float32Array(ROOM));
    this.look();
  }

  /**
   * Begins anew at a place of a song, on the way that a deck takes from there. With a bridge its first stretch is what the
   * bridge will have come to, from where it catches up with the deck: tones go on in the phase that they have there.
   */
  start(song: Song, parts: readonly number[], position: number, rate: number, loop: Loop | null, semitones: number,
    bridged: boolean): void {
    this.song = song;
    this.parts = parts;
    this.running = true;
    this.starved = false;
    this.module._reset();
    for (const room of this.rooms) room.fill(0, 0, KEPT);
    this.cursor = KEPT;
    this.end = KEPT;
    this.passed = 0;
    const own = bridged ? 1 : rate / 2 ** (semitones / 12);
    const lead = own * this.ahead + this.behind;
    const begin = position + lead - this.history;
    this.feed = Math.round(begin);
    this.lead = lead - this.history + (this.feed - begin);
    this.fill(this.history, loop !== null && position < loop.end ? loop : null);
    this.module._seek(this.history, own);
  }

  stop(): void {
    this.running = false;
    this.starved = false;
    this.song = null;
  }

  /** Whether what it is fed is what comes on the way from a place. */
  follows(position: number, loop: Loop | null): boolean {
    return Math.abs(wrap(loop, position, position + this.lead) - this.feed) < 2;
  }

  /** Whether all that it was fed, and will be fed next, is here now. */
  here(position: number): boolean {
    for (let k = 0; k < this.parts.length; k++) {
      if (!this.song!.has(this.parts[k]!, Math.floor(position)) || !this.song!.has(this.parts[k]!, this.feed)) return false;
    }
    return true;
  }

  get ready(): boolean {
    return this.running && this.passed >= this.filling;
  }

  /**
   * Writes the next frames into `outs`, from index `from` to before `to`. The deck goes on by each of `speeds` meanwhile,
   * and at `rate` from then on.
   */
  render(outs: readonly Float32Array[], from: number, to: number, speeds: Float64Array, rate: number, loop: Loop | null,
    semitones: number): void {
    const step = 2 ** (semitones / 12);
    const { kernel, rooms } = this;
    for (let i = from; i < to; i++) {
      const plain = step === 1 && Number.isInteger(this.cursor);
      const reach = plain ? 0 : Kernel.reach(step);
      while (Math.floor(this.cursor) + reach >= this.end) this.make(rate / step, loop);
      const whole = Math.floor(this.cursor);
      if (plain) {
        for (let channel = 0; channel < this.channels; channel++) outs[channel]![i] = rooms[channel]![whole]!;
      } else {
        kernel.at(this.cursor - whole, step);
        for (let k = 0; k < this.channels; k += 2) kernel.read(rooms[k]!, rooms[k + 1]!, whole, outs[k]!, outs[k + 1]!, i);
      }
      this.cursor += step;
      this.passed += step;
      this.lead -= speeds[i]!;
    }
  }

  /** Makes BLOCK frames more, at a rate of its own. */
  private make(rate: number, loop: Loop | null): void {
    const spare = Math.floor(this.cursor) - KEPT;
    if (this.end + BLOCK > ROOM) {
      for (const room of this.rooms) room.copyWithin(0, spare, this.end);
      this.cursor -= spare;
      this.end -= spare;
    }
    // The deck is at the cursor: where it will be when the last of these frames leaves the module, and what that needs.
    const wanted = rate * (this.end - this.cursor + BLOCK + this.ahead) + this.behind - this.lead;
    const usual = Math.max(LEAST, Math.min(MOST, rate)) * BLOCK;
    const count = Math.round(Math.max(usual * (1 - HASTE), Math.min(usual * (1 + HASTE), wanted)));
    this.fill(count, loop);
    this.module._process(count, BLOCK);
    if (this.module.HEAP8.buffer !== this.memory) this.look();
    for (let channel = 0; channel < this.channels; channel++) {
      const source = this.outs[channel]!;
      const target = this.rooms[channel]!;
      for (let i = 0; i < BLOCK; i++) target[this.end + i] = source[i]!;
    }
    this.end += BLOCK;
  }

  /** Puts the next frames of the song before the module. */
  private fill(count: number, loop: Loop | null): void {
    if (this.module.HEAP8.buffer !== this.memory) this.look();
    let done = 0;
    while (done < count) {
      const inside = loop !== null && this.feed < loop.end;
      const some = inside ? Math.min(count - done, Math.ceil(loop.end) - this.feed) : count - done;
      for (let k = 0; k < this.parts.length; k++) {
        const here = this.song!.copy(this.parts[k]!, this.feed, some, this.ins[2 * k]!, this.ins[2 * k + 1]!, done);
        if (!here) this.starved = true;
      }
      if (inside) this.join(loop, done, some);
      this.feed += some;
      this.lead += some;
      if (inside && this.feed >= loop.end) {
        const exact = wrap(loop, this.feed - some, this.feed);
        const next = Math.min(Math.round(exact), Math.ceil(loop.end) - 1);
        this.lead += next - exact;
        this.feed = next;
      }
      done += some;
    }
    // Silence would make the module stand still and lose the count of what it was fed: -140 dB keep it going.
    this.ins[0]![0]! += 1e-7;
  }

  /** Lets what leads up to the loop's start into the frames before its end. */
  private join(loop: Loop, at: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const frame = this.feed + i;
      const weight = seam(loop, frame, true, this.sampleRate);
      if (weight === 0) continue;
      const other = Math.round(frame - (loop.end - loop.start));
      for (let k = 0; k < this.parts.length; k++) {
        const left = this.ins[2 * k]!;
        const right = this.ins[2 * k + 1]!;
        this.song!.copy(this.parts[k]!, other, 1, this.seamLeft, this.seamRight, 0);
        left[at + i]! += (this.seamLeft[0]! - left[at + i]!) * weight;
        right[at + i]! += (this.seamRight[0]! - right[at + i]!) * weight;
      }
    }
  }

  /** Looks at the module's memory, which is another one after it has grown. */
  private look(): void {
    const memory = this.module.HEAP8.buffer;
    this.memory = memory;
    for (let channel = 0; channel < this.channels; channel++) {
      const bytes = 4 * this.history;
      this.ins[channel] = new Float32Array(memory, this.address + channel * bytes, this.history);
      this.outs[channel] = new Float32Array(memory, this.address + (this.channels + channel) * bytes, this.history);
    }
  }
}
