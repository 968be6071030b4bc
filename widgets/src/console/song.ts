// A song in memory: 16 bit slices of its mix and of its stems, as they come.
import { SLICE, type Role, type Slice, type SongInfo } from "./types";

/** Full scale of a slice, at least: below it samples would be louder than any sound. */
const QUIETEST = 1;

export class Song {
  readonly info: SongInfo;
  /** The mix, then its stems. */
  roles: readonly Role[];
  private slices: (Slice | null)[][];
  /** Slices of stems that are still to come. */
  private missing = 0;

  /** `like` is a song with the same sound: it is shared as far as it has come. */
  constructor(info: SongInfo, like: Song | null = null) {
    this.info = info;
    this.roles = like ? like.roles : info.roles;
    this.slices = like ? like.slices.map((slices) => slices.slice()) : this.roles.map(() => this.none());
    this.tally();
  }

  /** Other stems than before, whose slices are to come. */
  restem(stems: readonly Role[]): void {
    this.roles = [...this.roles.slice(0, 1), ...stems];
    this.slices = [...this.slices.slice(0, 1), ...stems.map(() => this.none())];
    this.tally();
  }

  /** Takes a slice in; one that is not of this song, that it has, or that is no sound is passed over. */
  add(role: Role, index: number, slice: Slice): void {
    if (slice.left.length !== slice.right.length || !(slice.scale >= QUIETEST)) return;
    const part = this.roles.indexOf(role);
    const slices = this.slices[part];
    if (slices?.[index] !== null) return;
    slices[index] = slice;
    if (part > 0) this.missing--;
  }

  /** Whether there are stems, and all of them are here. */
  get hasStems(): boolean {
    return this.missing === 0 && this.slices.length > 1;
  }

  /** Whether the sound of a role (by its index) at a frame is here; what lies outside the song is silence, and always is. */
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
    this.missing = this.slices.slice(1).flat().filter((slice) => slice === null).length;
  }

  private none(): null[] {
    return new Array<null>(Math.ceil(this.info.frames / SLICE)).fill(null);
  }
}
