// A song in memory: 16 bit slices of its mix and of its stems, as they come.
import { SLICE, type Role, type Slice, type SongInfo } from "./types";

/** Full scale of a slice, at least: below it samples would be louder than any sound. */
const QUIETEST = 1;

export class Song {
  readonly info: SongInfo;
  /** The mix, then its stems. */
  roles: readonly Role[];
  private slices: (Slice | null)[][];
  private missing: number[] = [];
  private missingStems = 0;

  /** `like` is a song with the same sound: it is shared as far as it has come. */
  constructor(info: SongInfo, like: Song | null = null) {
    this.info = info;
    this.roles = like ? like.roles : info.roles;
    const count = Math.ceil(info.frames / SLICE);
    this.slices = like ? like.slices.map((slices) => slices.slice()) : this.roles.map(() => none(count));
    this.tally();
  }

  /** Other stems than before, whose slices are to come. */
  restem(stems: readonly Role[]): void {
    this.roles = [...this.roles.slice(0, 1), ...stems];
    this.slices = [...this.slices.slice(0, 1), ...stems.map(() => none(this.count))];
    this.tally();
  }

  /** Slices in each role. */
  get count(): number {
    return this.slices[0]?.length ?? 0;
  }

  /** Takes a slice in; one that is not of this song, that it has, or that is no sound is passed over. */
  add(role: Role, index: number, slice: Slice): void {
    if (slice.left.length !== slice.right.length || !(slice.scale >= QUIETEST)) return;
    const part = this.roles.indexOf(role);
    const slices = this.slices[part];
    if (slices?.[index] !== null) return;
    slices[index] = slice;
    this.missing[part]!--;
    if (part > 0) this.missingStems--;
  }

  /** Whether all of a role is here. */
  complete(role: Role): boolean {
    return this.missing[this.roles.indexOf(role)] === 0;
  }

  /** Whether there are stems, and all of them are here. */
  get hasStems(): boolean {
    return this.missingStems === 0 && this.slices.length > 1;
  }

  /** Whether the sound of a role at a frame is here; what lies outside the song is silence, and always is. */
  loaded(role: Role, frame: number): boolean {
    return this.has(this.roles.indexOf(role), frame);
  }

  /** How much of it is here, 0 to 1. */
  get fraction(): number {
    const all = this.count * this.slices.length;
    return all === 0 ? 1 : 1 - this.missing.reduce((sum, missing) => sum + missing, 0) / all;
  }

  /** As `loaded`, for the index of a role. */
  has(part: number, frame: number): boolean {
    if (!(frame >= 0 && frame < this.info.frames)) return true;
    return (this.slices[part]?.[Math.floor(frame / SLICE)] ?? null) !== null;
  }

  /** Writes `count` frames from `start` on of a role; silence where there is none. False when some of it is not here yet. */
  copy(part: number, start: number, count: number, left: Float32Array, right: Float32Array, at: number): boolean {
    const slices = this.slices[part]!;
    let here = true;
    let done = 0;
    while (done < count) {
      const frame = start + done;
      const index = Math.floor(frame / SLICE);
      const within = frame - index * SLICE;
      const some = Math.min(count - done, SLICE - within);
      const outside = index < 0 || index >= slices.length;
      const slice = outside ? null : slices[index]!;
      const to = at + done;
      if (slice === null) {
        here &&= outside;
        left.fill(0, to, to + some);
        right.fill(0, to, to + some);
      } else {
        const unit = 1 / slice.scale;
        const length = Math.min(some, slice.left.length - within);
        for (let i = 0; i < length; i++) {
          left[to + i] = slice.left[within + i]! * unit;
          right[to + i] = slice.right[within + i]! * unit;
        }
        if (length < some) {
          left.fill(0, to + Math.max(0, length), to + some);
          right.fill(0, to + Math.max(0, length), to + some);
        }
      }
      done += some;
    }
    return here;
  }

  private tally(): void {
    this.missing = this.slices.map((slices) => slices.filter((slice) => slice === null).length);
    this.missingStems = this.missing.slice(1).reduce((sum, missing) => sum + missing, 0);
  }
}

function none(count: number): null[] {
  return new Array<null>(count).fill(null);
}
