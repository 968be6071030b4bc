/** The part of a song that a picture shows, and how it zooms and scrolls. */

export interface Span {
  /** Time at the left edge, in s; it may lie before the song. */
  start: number;
  secondsPerPixel: number;
}

/** The closest view, in s over the whole width. */
export const CLOSEST = 1;

export function timeAt(span: Span, x: number): number {
  return span.start + x * span.secondsPerPixel;
}

export function xAt(span: Span, time: number): number {
  return (time - span.start) / span.secondsPerPixel;
}

/** Zooms by `factor` (below 1: closer) so that the time at `anchor` px stays under it. */
export function zoomed(span: Span, factor: number, anchor: number, width: number, duration: number): Span {
  const widest = Math.max(CLOSEST, duration) / width;
  const secondsPerPixel = Math.max(CLOSEST / width, Math.min(widest, span.secondsPerPixel * factor));
  const start = timeAt(span, anchor) - anchor * secondsPerPixel;
  return { start, secondsPerPixel };
}

/** Keeps a view that is moved by hand over the song. */
export function held(span: Span, width: number, duration: number): Span {
  const last = Math.max(0, duration - width * span.secondsPerPixel);
  return { ...span, start: Math.max(0, Math.min(last, span.start)) };
}

/** The view with `time` in its middle. */
export function centred(span: Span, time: number, width: number): Span {
  return { ...span, start: time - (width / 2) * span.secondsPerPixel };
}
