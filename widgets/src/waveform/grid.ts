/** Places on the beat grid. */

/** Index of the first time that is later than `time`; `times` is sorted. */
export function after(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The grid's time that is nearest to `time`; `time` itself without a grid. */
export function snap(times: readonly number[], time: number): number {
  const next = after(times, time);
  const before = times[next - 1];
  const later = times[next];
  if (before === undefined) return later ?? time;
  if (later === undefined) return before;
  return time - before <= later - time ? before : later;
}

/** Two places closer than this are the same beat to a hand on the arrow keys, in s. */
const SAME = 0.03;

/** The next beat (or bar) in a direction, by steps of `fallback` s where there is no grid. */
export function step(times: readonly number[], time: number, direction: 1 | -1, fallback: number): number {
  if (direction > 0) return times[after(times, time + SAME)] ?? time + fallback;
  return times[after(times, time - SAME) - 1] ?? time - fallback;
}

export interface Place {
  /** From 1; 0 before the first downbeat. */
  bar: number;
  beat: number;
}

/** Bar and beat of a time, counted from the first downbeat; null without a grid. */
export function placeOf(beats: readonly number[], downbeats: readonly number[], time: number): Place | null {
  if (beats.length === 0 || downbeats.length === 0) return null;
  const bar = after(downbeats, time + 1e-6);
  const beat = after(beats, time + 1e-6);
  const first = bar === 0 ? 0 : after(beats, (downbeats[bar - 1] as number) - SAME);
  return { bar, beat: Math.max(1, beat - first) };
}

/** How many bars from one number to the next, so that numbers keep `room` px apart. */
export function barStride(pixelsPerBar: number, room: number): number {
  let stride = 1;
  while (stride * pixelsPerBar < room && stride < 4096) stride *= stride === 1 ? 4 : 2;
  return stride;
}
