// What breaks off rings out for a few milliseconds under what comes; it is rendered at the break and waits here.

/** Frames that can wait: a power of two, above the longest fade and a block at any sample rate. */
const ROOM = 2048;

export class Spill {
  private readonly rooms: Float32Array[] = [];
  private end = 0;

  /** Makes room for so many channels; what waits in others stays. */
  widen(channels: number): void {
    while (this.rooms.length < channels) this.rooms.push(new Float32Array(ROOM));
  }

  /** Whether nothing waits from a frame on, counted as whoever uses it counts. */
  over(frame: number): boolean {
    return this.end <= frame;
  }

  /** Adds `count` frames of each channel, `gains` of them from index `offset` on, to be heard from `frame` on. */
  add(frame: number, channels: readonly Float32Array[], count: number, gains: Float32Array, offset: number): void {
    for (let channel = 0; channel < channels.length; channel++) {
      const source = channels[channel]!;
      const target = this.rooms[channel]!;
      for (let i = 0; i < count; i++) target[(frame + i) % ROOM]! += source[i]! * gains[offset + i]!;
    }
    this.end = Math.max(this.end, frame + count);
  }

  /** Adds what waits for `frame` and what follows to channels, from index `from` to before `to`. */
  pour(frame: number, channels: readonly Float32Array[], from: number, to: number): void {
    if (this.over(frame)) return;
    for (let channel = 0; channel < channels.length; channel++) {
      const source = this.rooms[channel]!;
      const target = channels[channel]!;
      for (let i = from; i < to; i++) {
        const index = (frame + i - from) % ROOM;
        target[i]! += source[index]!;
        source[index] = 0;
      }
    }
  }
}
