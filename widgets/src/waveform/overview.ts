/** A whole song in one line: what was played is dimmed, cues and the visible part are marked. */

import type { Clock } from "../clock/clock";
import { position as clockText } from "../format";
import { draggable } from "./gestures";
import { chooseLevel, fillColumns, makeColumns, type Pyramid } from "./pyramid";
import { paintBands, paintLevel } from "./raster";
import { displayGain, type Range, type SongPicture } from "./song";
import { Surface } from "./surface";

export interface OverviewOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Draws one level in this colour of the theme instead of the three bands. */
  colour?: string;
  /** Cues, range and readout; off for small companions of a larger overview. */
  marks?: boolean;
  /** The user points at a time; `done` on release. */
  seek(time: number, done: boolean): void;
  /** Shift and drag. */
  range?(range: Range | null): void;
  snap?(time: number): number;
}

const PLAYED = 0.38;

export class Overview {
  readonly #surface: Surface;
  readonly #options: OverviewOptions;
  readonly #still: HTMLCanvasElement;
  #pyramid: Pyramid | null = null;
  #gain = 1;
  #song: SongPicture | null = null;
  #window: Range | null = null;
  #range: Range | null = null;
  #muted = false;
  #level = 1;
  #hover: number | null = null;
  #fresh = false;
  #drawn = "";

  constructor(host: HTMLElement, options: OverviewOptions) {
    this.#options = options;
    this.#still = host.ownerDocument.createElement("canvas");
    this.#surface = new Surface(host, () => this.#changed(), options.signal);
    this.#listen(host);
  }

  /** `gain` scales the picture: stems of one song share it, so that their levels compare. */
  show(song: SongPicture | null, pyramid: Pyramid | null = song?.pyramid ?? null, gain?: number): void {
    this.#song = song;
    this.#pyramid = pyramid;
    this.#gain = gain ?? displayGain(pyramid?.peak ?? 0);
    this.#changed();
  }

  /** The part that a zoomed picture shows. */
  set window(window: Range | null) {
    this.#window = window;
  }

  set range(range: Range | null) {
    this.#range = range;
    this.#options.clock.wake();
  }

  /** A stem that is not heard is drawn faint. */
  set muted(muted: boolean) {
    if (this.#muted === muted) return;
    this.#muted = muted;
    this.#options.clock.wake();
  }

  /** How tall it is drawn: the linear gain of what it shows. */
  set level(level: number) {
    if (this.#level === level) return;
    this.#level = level;
    this.#options.clock.wake();
  }

  /** Draws a frame with the playhead at `time` (s); does nothing where nothing moved. */
  draw(time: number): void {
    const { context, width, height, ratio, visible } = this.#surface;
    const song = this.#song;
    if (!context || !visible) return;
    const duration = song?.duration ?? 0;
    const x = (seconds: number) => (duration > 0 ? (seconds / duration) * width : 0);
    const head = Math.round(x(time) * ratio) / ratio;
    const window = this.#window;
    const left = window ? Math.round(x(window.start)) : 0;
    const right = window ? Math.round(x(window.end)) : 0;
    const state = `${head} ${left} ${right} ${this.#hover} ${this.#muted} ${this.#level} ${this.#range?.start} ${this.#range?.end}`;
    if (this.#fresh && state === this.#drawn) return;
    if (!this.#fresh) this.#paint();
    this.#drawn = state;

    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!song || duration <= 0) return;
    const text = this.#surface.colour("--text");
    const range = this.#range;
    if (range) {
      context.globalAlpha = 0.2;
      context.fillStyle = this.#surface.colour("--accent");
      context.fillRect(x(range.start), 0, Math.max(2, x(range.end) - x(range.start)), height);
      context.globalAlpha = 1;
    }
    if (window && right - left < width - 2) {
      context.globalAlpha = 0.1;
      context.fillStyle = text;
      context.fillRect(left, 0, right - left, height);
      context.globalAlpha = 1;
    }
    if (!this.#pyramid) {
      context.fillStyle = this.#surface.colour("--line-strong");
      context.fillRect(0, height / 2 - 1, width, 2);
    }
    this.#blit(0, head, this.#muted ? PLAYED / 2 : PLAYED);
    this.#blit(head, width, this.#muted ? PLAYED : 1);
    if (window && right - left < width - 2) {
      context.globalAlpha = 0.5;
      context.strokeStyle = text;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, 0.5, Math.max(3, right - left - 1), height - 1);
      context.globalAlpha = 1;
    }
    if (this.#options.marks) this.#drawCues(song, x);
    const surface = this.#surface.colour("--surface-0");
    context.fillStyle = surface;
    context.fillRect(head - 1.5, 0, 3.5, height);
    context.fillStyle = text;
    context.fillRect(head - 0.5, 0, 1.5, height);
    if (this.#hover !== null) this.#drawHover(this.#hover, duration);
  }

  #blit(from: number, to: number, alpha: number): void {
    const { context, height, ratio } = this.#surface;
    const width = Math.round((to - from) * ratio);
    if (!context || width <= 0) return;
    context.globalAlpha = alpha;
    // A line stays where nothing is heard.
    const tall = Math.max(1, height * this.#level);
    context.drawImage(
      this.#still, Math.round(from * ratio), 0, width, this.#still.height, from, (height - tall) / 2, width / ratio, tall,
    );
    context.globalAlpha = 1;
  }

  #drawCues(song: SongPicture, x: (time: number) => number): void {
    const { context, height } = this.#surface;
    if (!context) return;
    context.font = this.#surface.font(9, 700);
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const cue of song.cues) {
      const at = Math.round(x(cue.time));
      const colour = cue.colour.startsWith("--") ? this.#surface.colour(cue.colour) : cue.colour;
      context.fillStyle = colour;
      context.fillRect(at, 0, 1.5, height);
      context.fillRect(at, 0, 11, 11);
      context.fillStyle = "#101216";
      context.fillText(String(cue.number), at + 5.5, 6);
    }
  }

  #drawHover(at: number, duration: number): void {
    const { context, width, height } = this.#surface;
    if (!context) return;
    context.globalAlpha = 0.6;
    context.fillStyle = this.#surface.colour("--text");
    context.fillRect(at, 0, 1, height);
    context.globalAlpha = 1;
    if (!this.#options.marks) return;
    const label = clockText((at / width) * duration);
    context.font = this.#surface.font(11);
    context.textAlign = "left";
    context.textBaseline = "middle";
    const box = context.measureText(label).width + 10;
    const left = Math.max(0, Math.min(width - box, at + 6 + box > width ? at - 6 - box : at + 6));
    context.fillStyle = this.#surface.colour("--surface-2");
    context.beginPath();
    context.roundRect(left, height - 19, box, 17, 4);
    context.fill();
    context.fillStyle = this.#surface.colour("--text");
    context.fillText(label, left + 5, height - 10);
  }

  /** The waveform, once for each size, theme and song. */
  #paint(): void {
    this.#fresh = true;
    const { canvas } = this.#surface;
    const still = this.#still;
    still.width = canvas.width;
    still.height = canvas.height;
    const context = still.getContext("2d");
    const pyramid = this.#pyramid;
    const song = this.#song;
    if (!context || !pyramid || !song || still.width === 0 || still.height === 0) return;
    const perColumn = song.duration / still.width;
    const level = chooseLevel(pyramid.levels, perColumn);
    if (!level) return;
    const columns = makeColumns(still.width);
    fillColumns(level, 0, perColumn, columns);
    const image = context.createImageData(still.width, still.height);
    const { colour } = this.#options;
    if (colour) paintLevel(image, columns, this.#gain, this.#surface.rgb(colour));
    else paintBands(image, columns, this.#gain, bandColours(this.#surface));
    context.putImageData(image, 0, 0);
  }

  #changed(): void {
    this.#fresh = false;
    this.#options.clock.wake();
  }

  #listen(host: HTMLElement): void {
    const { seek, range, snap, signal, clock } = this.#options;
    const time = (x: number) => {
      const duration = this.#song?.duration ?? 0;
      return Math.max(0, Math.min(duration, (x / Math.max(1, this.#surface.width)) * duration));
    };
    let anchor: number | null = null;
    draggable(host, {
      start: (x, _y, event) => {
        if (!this.#song) return false;
        anchor = range && event.shiftKey ? (snap ?? same)(time(x)) : null;
        if (anchor === null) seek(time(x), false);
        return true;
      },
      move: (x) => {
        if (anchor === null) seek(time(x), false);
        else range?.(ordered(anchor, (snap ?? same)(time(x))));
      },
      end: (x, _y, _event, moved, cancelled) => {
        if (anchor === null) seek(time(x), true);
        else if (!moved && !cancelled) range?.(null);
      },
    }, signal);
    host.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") return;
      this.#hover = Math.round(event.clientX - host.getBoundingClientRect().left);
      clock.wake();
    }, { signal });
    host.addEventListener("pointerleave", () => {
      this.#hover = null;
      clock.wake();
    }, { signal });
  }
}

const same = (time: number): number => time;

export function ordered(a: number, b: number): Range | null {
  return a === b ? null : { start: Math.min(a, b), end: Math.max(a, b) };
}

export function bandColours(surface: Surface) {
  return { low: surface.rgb("--band-low"), mid: surface.rgb("--band-mid"), high: surface.rgb("--band-high") };
}
