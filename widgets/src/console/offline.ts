/** A console without a clock, which plays a script as fast as it can. Its host is Python: what goes in and out is numbers, texts and buffers. */

import type { StretchModule } from "signalsmith-stretch";
import type { ScriptDocument } from "../types";
import { Console } from "./console";
import { songInfo } from "./info";
import type { SongFacts } from "./info";
import { stretchModules } from "./modules";
import { quantise } from "./quantise";
import { loads, opening, timed } from "./script";
import { SLICE } from "./types";
import type { ControlChange, Role, TimedEvent } from "./types";

/** Frames that one call of `render` makes at most. */
export const RENDER = 1 << 15;
const BLOCK = 128;
const TAG = "script";

export class Offline {
  /** What was rendered, from the beginning of each; RENDER frames. */
  readonly left = new Float32Array(RENDER);
  readonly right = new Float32Array(RENDER);
  /** Where the host puts the next slice of a song; SLICE frames. */
  readonly songLeft = new Float32Array(SLICE);
  readonly songRight = new Float32Array(SLICE);

  readonly #sampleRate: number;
  readonly #console: Console;
  readonly #blocks = [0, 1, 2, 3].map(() => new Float32Array(BLOCK)) as [Float32Array, Float32Array, Float32Array, Float32Array];
  /** What is to be set before the first frame. */
  #opening: ControlChange[] = [];
  /** What comes after; a change that puts a song into a deck stands alone. */
  #pieces: TimedEvent[][] = [];
  /** Whether the console has not yet done all it was given. */
  #busy = false;
  #wanted: { deck: number; track: string }[] = [];
  /** Songs in decks that were not started yet. */
  readonly #fresh = new Map<number, string>();
  readonly #started: { track: string; frame: number }[] = [];

  constructor(sampleRate: number, stretch: () => StretchModule | null) {
    this.#sampleRate = sampleRate;
    this.#console = new Console({ sampleRate, stretch });
  }

  static async create(sampleRate: number): Promise<Offline> {
    return new Offline(sampleRate, await stretchModules());
  }

  /** Takes a script (a ScriptDocument as JSON); it begins with the next frame. */
  script(text: string): void {
    const document = JSON.parse(text) as ScriptDocument;
    this.#opening = opening(document);
    this.#pieces = pieces(timed(document, this.#console.frame, this.#sampleRate));
  }

  /** Makes up to `frames` more; fewer when a song is wanted: `wanted` tells, and the host loads it before it goes on. */
  render(frames: number): number {
    const most = Math.min(frames, RENDER);
    const [left, right, cueLeft, cueRight] = this.#blocks;
    let made = 0;
    while (made < most) {
      this.#next();
      if (this.#wanted.length > 0) break;
      // A song is to come on its frame: the block before ends there.
      const count = Math.min(BLOCK, most - made, this.#ahead(this.#pieces[0]?.[0]) || BLOCK);
      this.#console.process(left, right, cueLeft, cueRight, count);
      this.left.set(left.subarray(0, count), made);
      this.right.set(right.subarray(0, count), made);
      made += count;
      this.#hear();
    }
    return made;
  }

  /** Songs that the script wants in decks, as JSON: [{deck, track}]. Each is told once. */
  wanted(): string {
    const told = JSON.stringify(this.#wanted);
    this.#wanted = [];
    return told;
  }

  /** When songs were started after they were put into a deck, as JSON: [{track, frame}]. */
  started(): string {
    return JSON.stringify(this.#started);
  }

  /** `facts`: SongFacts as JSON; `roles`: "mix" and the stems, as JSON. */
  load(deck: number, id: string, frames: number, roles: string, facts: string): void {
    const sound = { id, frames, roles: JSON.parse(roles) as Role[] };
    this.#console.load(deck, songInfo(JSON.parse(facts) as SongFacts, sound));
    this.#fresh.set(deck, id);
    this.#hear();
  }

  /** Takes the first `frames` of `songLeft` and `songRight` as a slice of a song. */
  slice(deck: number, song: string, role: Role, index: number, frames: number): void {
    this.#console.slice(deck, song, role, index, quantise(this.songLeft, this.songRight, 0, frames));
  }

  /** Gives the console what it is to do next, as far as no song has to come first. */
  #next(): void {
    for (let change = this.#opening[0]; change !== undefined && this.#wanted.length === 0; change = this.#opening[0]) {
      this.#opening.shift();
      this.#console.set(change.control, change.value);
      this.#hear();
    }
    while (!this.#busy && this.#wanted.length === 0) {
      const piece = this.#pieces[0];
      const first = piece?.[0];
      if (piece === undefined || first === undefined || this.#ahead(first) > 0) return;
      this.#pieces.shift();
      if (loads(first) && "frame" in first.when) {
        this.#console.set(first.control, first.value);
      } else {
        this.#busy = true;
        this.#console.play(TAG, piece);
      }
      this.#hear();
    }
  }

  /** Frames until this puts a song into a deck; 0 for what else it may do. */
  #ahead(event: TimedEvent | undefined): number {
    if (event === undefined || !loads(event) || !("frame" in event.when)) return 0;
    return Math.max(0, event.when.frame - this.#console.frame);
  }

  #hear(): void {
    for (const event of this.#console.drain()) {
      if (event.type === "load") this.#wanted.push({ deck: event.deck, track: event.track });
      else if (event.type === "finished" && event.tag === TAG) this.#busy = false;
    }
    for (const [deck, track] of this.#fresh) {
      if (this.#console.get(`deck.${deck}.play`) !== 1) continue;
      this.#fresh.delete(deck);
      this.#started.push({ track, frame: this.#console.frame });
    }
  }
}

/** Events in order, cut before and after each that puts a song into a deck. */
function pieces(events: TimedEvent[]): TimedEvent[][] {
  const made: TimedEvent[][] = [];
  let open = false;
  for (const event of events) {
    if (!open || loads(event)) made.push([]);
    made.at(-1)?.push(event);
    open = !loads(event);
  }
  return made;
}
