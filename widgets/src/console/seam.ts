// A loop and its seam: the last few milliseconds before it pass over into what leads up to the loop's start, so that the
// sound goes on there without a click and the attack at the start is whole.

/** Frames of the song, with fractions. */
export interface Loop {
  readonly start: number;
  readonly end: number;
}

/** Longest passage at a seam, in s. */
const SEAM = 0.005;

/** Where a step from one place to another leads. A loop is left only over its other side. */
export function wrap(loop: Loop | null, before: number, after: number): number {
  if (loop === null) return after;
  const length = loop.end - loop.start;
  if (after >= loop.end && before < loop.end) return loop.start + ((after - loop.end) % length);
  if (after < loop.start && before >= loop.start && before < loop.end) return loop.end - ((loop.start - after) % length);
  return after;
}

/** How much of what lies a loop's length away is heard at a place, 0 to 1. */
export function seam(loop: Loop | null, place: number, forward: boolean, sampleRate: number): number {
  if (loop === null) return 0;
  const left = forward ? loop.end - place : place - loop.start;
  const length = Math.min(SEAM * sampleRate, (loop.end - loop.start) / 2);
  if (left >= length || left <= 0) return 0;
  return 0.5 + 0.5 * Math.cos((Math.PI * left) / length);
}

export function sameLoop(a: Loop | null, b: Loop | null): boolean {
  return a === b || (a !== null && b !== null && a.start === b.start && a.end === b.end);
}
