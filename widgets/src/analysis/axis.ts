/** The one time axis that all lanes share. */

import { CLOSEST, type Span, timeAt, xAt } from "../waveform/span";

export class TimeAxis {
  /** CSS pixels of the plots. */
  width = 0;
  /** What there is to see, in s; it starts before 0 where a compared song begins earlier. */
  from = 0;
  to = 0;
  #span: Span = { start: 0, secondsPerPixel: 1 };
  #whole = true;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get start(): number {
    return this.#span.start;
  }

  get end(): number {
    return timeAt(this.#span, this.width);
  }

  get secondsPerPixel(): number {
    return this.#span.secondsPerPixel;
  }

  /** All of it is in sight. */
  get whole(): boolean {
    return this.#whole;
  }

  x(time: number): number {
    return xAt(this.#span, time);
  }

  time(x: number): number {
    return timeAt(this.#span, x);
  }

  /** Another song, or another alignment: the whole is shown. */
  reach(from: number, to: number): void {
    if (from === this.from && to === this.to) return;
    this.from = from;
    this.to = to;
    this.showAll();
  }

  resize(width: number): void {
    if (width === this.width) return;
    const { start, end } = this;
    const whole = this.#whole || this.width === 0;
    this.width = width;
    if (whole) this.showAll();
    else this.show(start, end);
  }

  showAll(): void {
    this.#set(this.from, (this.to - this.from) / Math.max(1, this.width), true);
  }

  /** Shows a stretch, as far as it is there. */
  show(start: number, end: number): void {
    this.#zoomTo(start, (end - start) / Math.max(1, this.width));
  }

  /** Zooms by `factor` (below 1: closer) so that the time at `anchor` px stays under it. */
  zoom(factor: number, anchor: number): void {
    const time = this.time(anchor);
    const scale = this.#limited(this.secondsPerPixel * factor);
    this.#zoomTo(time - anchor * scale, scale);
  }

  /** Scrolls by pixels. */
  scroll(pixels: number): void {
    if (!this.#whole) this.#zoomTo(this.start + pixels * this.secondsPerPixel, this.secondsPerPixel);
  }

  /** Turns the page so that a time that has left the view is at its beginning again. */
  follow(time: number): void {
    if (this.#whole || (time >= this.start && time <= this.end)) return;
    this.#zoomTo(time - 0.04 * (this.end - this.start), this.secondsPerPixel);
  }

  /** Brings a time into the middle when it is out of sight. */
  reveal(time: number): void {
    if (this.#whole || (time >= this.start && time <= this.end)) return;
    this.#zoomTo(time - (this.end - this.start) / 2, this.secondsPerPixel);
  }

  #limited(scale: number): number {
    const width = Math.max(1, this.width);
    return Math.max(CLOSEST / width, Math.min((this.to - this.from) / width, scale));
  }

  #zoomTo(start: number, asked: number): void {
    const scale = this.#limited(asked);
    const last = this.to - this.width * scale;
    const whole = this.width * scale >= (this.to - this.from) * 0.9999;
    this.#set(whole ? this.from : Math.max(this.from, Math.min(last, start)), scale, whole);
  }

  #set(start: number, secondsPerPixel: number, whole: boolean): void {
    this.#whole = whole;
    this.#span = { start, secondsPerPixel: secondsPerPixel > 0 ? secondsPerPixel : 1 };
    this.#changed();
  }
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** Seconds between labels that are at least `room` px apart. */
export function labelStep(secondsPerPixel: number, room: number): number {
  return STEPS.find((step) => step / secondsPerPixel >= room) ?? 7200;
}
