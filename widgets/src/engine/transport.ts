/** Where a song is, as a function of the audio clock. */

/** A range that repeats, in seconds of the song: `start` is heard again in the place of `end`. */
export interface Loop {
  start: number;
  end: number;
}

/** At context time `time` the song is at `position`; both in seconds. */
export interface Anchor {
  time: number;
  position: number;
}

/** How a playing song runs: where it is at any time of the context. */
export interface Timeline {
  anchor: Anchor;
  loop: Loop | null;
  /** Where the song ends, in s. */
  duration: number;
}

/** A shorter loop would be a tone. */
export const SHORTEST_LOOP = 0.02;

export function positionAt(anchor: Anchor, time: number, loop: Loop | null, duration: number): number {
  const position = anchor.position + Math.max(0, time - anchor.time);
  if (loops(anchor.position, loop) && position >= loop.end) {
    return loop.start + ((position - loop.start) % (loop.end - loop.start));
  }
  return Math.min(position, duration);
}

/** Whether playback from `position` comes round: a loop that lies behind is not entered. */
export function loops(position: number, loop: Loop | null): loop is Loop {
  return loop !== null && position < loop.end;
}

/** The time of the nearest sample frame, so that picture and sound agree to the sample. */
export function onFrame(seconds: number, sampleRate: number): number {
  return Math.round(seconds * sampleRate) / sampleRate;
}

/** A loop inside the song, its ends in order and on frames; null when nothing is left of it. */
export function normalLoop(loop: Loop | null, end: number, sampleRate: number, from = 0): Loop | null {
  if (loop === null) return null;
  const clamp = (t: number) => onFrame(Math.max(from, Math.min(end, t)), sampleRate);
  const start = clamp(Math.min(loop.start, loop.end));
  const last = clamp(Math.max(loop.start, loop.end));
  return last - start >= SHORTEST_LOOP ? { start, end: last } : null;
}
