/** The song under a glass: a waveform that zooms and scrolls, with grid, cues, range and playhead. */

import type { Clock } from "../clock/clock";
import { position as clockText } from "../format";
import { bandColours, ordered } from "./overview";
import { draggable, ownWheel } from "./gestures";
import { after, barStride, placeOf, snap } from "./grid";
import { chooseLevel, type Columns, fillColumns, makeColumns } from "./pyramid";
import { type BandColours, paintBands } from "./raster";
import { displayGain, type Range, type SongPicture, typeColour } from "./song";
import { centred, held, type Span, timeAt, xAt, zoomed } from "./span";
import { Surface } from "./surface";

export interface ScrollOptions {
  clock: Clock;
  signal: AbortSignal;
  /** The hand moves the playhead; `done` on release. */
  seek(time: number, done: boolean): void;
  /** A range was drawn with shift and drag, or taken away. */
  range(range: Range | null): void;
  /** The user zoomed or scrolled. */
  viewed(): void;
}

/** Width of a cached strip in device pixels. */
const TILE = 256;
const FLAGS = 18;
const NUMBERS = 15;
const DEFAULT_PIXELS_PER_SECOND = 90;

interface Flag {
  x: number;
  width: number;
  time: number;
}

export class ScrollingWaveform {
  /** The playhead stays in the middle and the song moves. */
  follow = true;
  readonly #surface: Surface;
  readonly #options: ScrollOptions;
  readonly #tiles = new Map<number, HTMLCanvasElement>();
  readonly #spare: HTMLCanvasElement[] = [];
  #tileScale = 0;
  #columns: Columns = makeColumns(TILE);
  #image: ImageData | null = null;
  #bands: BandColours | null = null;
  #song: SongPicture | null = null;
  #gain = 1;
  #span: Span = { start: 0, secondsPerPixel: 1 / DEFAULT_PIXELS_PER_SECOND };
  #time = 0;
  #range: Range | null = null;
  #looping = false;
  #hover: number | null = null;
  #flags: Flag[] = [];
  #dirty = true;
  #drawn = Number.NaN;

  constructor(host: HTMLElement, options: ScrollOptions) {
    this.#options = options;
    this.#surface = new Surface(host, () => {
      this.#forget();
      this.#touch();
    }, options.signal);
    this.#listen(host);
  }

  show(song: SongPicture | null): void {
    const other = song?.pyramid !== this.#song?.pyramid;
    if (song?.duration !== this.#song?.duration) this.#span.secondsPerPixel = 1 / DEFAULT_PIXELS_PER_SECOND;
    this.#song = song;
    this.#gain = displayGain(song?.pyramid?.peak ?? 0);
    if (other) this.#forget();
    this.#touch();
  }

  setRange(range: Range | null, looping: boolean): void {
    this.#range = range;
    this.#looping = looping;
    this.#touch();
  }

  /** The visible part of the song, in s. */
  get window(): Range {
    return { start: this.#span.start, end: timeAt(this.#span, this.#surface.width) };
  }

  /** Zooms around the playhead, or around the middle while it is out of sight. */
  zoom(factor: number): void {
    const head = xAt(this.#span, this.#time);
    const { width } = this.#surface;
    this.#zoomAround(factor, head >= 0 && head <= width ? head : width / 2);
  }

  /** Brings a time into sight. */
  reveal(time: number): void {
    const x = xAt(this.#span, time);
    const { width } = this.#surface;
    if (this.follow || (x >= 0 && x <= width)) return;
    this.#span = held(centred(this.#span, time, width), width, this.#song?.duration ?? 0);
    this.#touch();
  }

  /** Draws a frame with the playhead at `time` (s); does nothing where nothing moved. */
  draw(time: number): void {
    const { context, width, height, ratio, visible } = this.#surface;
    this.#time = time;
    if (!context || !visible || (!this.#dirty && time === this.#drawn)) return;
    this.#dirty = false;
    this.#drawn = time;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const song = this.#song;
    if (!song) return;
    // A view that was laid out while hidden has no sensible zoom yet.
    if (this.follow) this.#span = centred(this.#span, time, width);
    // Whole device pixels: columns stay sharp while they move.
    const perDevice = this.#span.secondsPerPixel / ratio;
    const span = { ...this.#span, start: Math.round(this.#span.start / perDevice) * perDevice };

    this.#drawSections(context, song, span);
    this.#drawRange(context, span);
    this.#drawTiles(context, song, span);
    this.#drawOutside(context, song, span);
    this.#drawGrid(context, song, span);
    this.#drawRangeEdges(context, span);
    this.#drawCues(context, song, span);
    this.#drawHover(context, song, span);
    this.#drawHead(context, xAt(span, time));
  }

  #drawSections(context: CanvasRenderingContext2D, song: SongPicture, span: Span): void {
    const { width, height } = this.#surface;
    for (const section of song.sections) {
      const from = Math.max(0, xAt(span, section.start));
      const to = Math.min(width, xAt(span, section.end));
      if (to <= from) continue;
      context.fillStyle = this.#surface.colour(typeColour(section.label));
      context.globalAlpha = 0.9;
      context.fillRect(from, height - 3, Math.max(1, to - from - 1), 3);
    }
    context.globalAlpha = 1;
  }

  /** What lies before and after the song is no silence. */
  #drawOutside(context: CanvasRenderingContext2D, song: SongPicture, span: Span): void {
    const { width, height } = this.#surface;
    context.fillStyle = this.#surface.colour("--surface-1");
    const start = xAt(span, 0);
    const end = xAt(span, song.duration);
    if (start > 0) context.fillRect(0, 0, start, height);
    if (end < width) context.fillRect(end, 0, width - end, height);
  }

  #drawTiles(context: CanvasRenderingContext2D, song: SongPicture, span: Span): void {
    const { width, height, ratio } = this.#surface;
    if (!song.pyramid) return;
    const perDevice = span.secondsPerPixel / ratio;
    const level = chooseLevel(song.pyramid.levels, perDevice);
    if (!level) return;
    if (this.#tileScale !== perDevice) {
      this.#forget();
      this.#tileScale = perDevice;
    }
    const tall = Math.round((height - FLAGS - NUMBERS) * ratio);
    if (tall < 8) return;
    const origin = Math.round(span.start / perDevice);
    const first = Math.floor(origin / TILE);
    const last = Math.floor((origin + width * ratio) / TILE);
    let painted = 0;
    for (let index = first; index <= last + 1; index += 1) {
      let tile = this.#tiles.get(index);
      if (!tile) {
        // The next strip is made ahead, in a frame that has nothing else to make.
        if (index > last && painted > 0) break;
        tile = this.#spare.pop() ?? document.createElement("canvas");
        if (tile.width !== TILE || tile.height !== tall) {
          tile.width = TILE;
          tile.height = tall;
        }
        const pen = tile.getContext("2d");
        if (!pen) return;
        if (this.#image?.height !== tall) this.#image = pen.createImageData(TILE, tall);
        fillColumns(level, index * TILE * perDevice, perDevice, this.#columns);
        paintBands(this.#image, this.#columns, this.#gain, (this.#bands ??= bandColours(this.#surface)));
        pen.putImageData(this.#image, 0, 0);
        this.#tiles.set(index, tile);
        painted += 1;
      }
      if (index <= last) {
        context.drawImage(tile, (index * TILE - origin) / ratio, FLAGS, TILE / ratio, tall / ratio);
      }
    }
    for (const [index, tile] of this.#tiles) {
      if (index >= first - 1 && index <= last + 1) continue;
      this.#tiles.delete(index);
      this.#spare.push(tile);
    }
  }

  #drawGrid(context: CanvasRenderingContext2D, song: SongPicture, span: Span): void {
    const { width, height } = this.#surface;
    const { beats, downbeats } = song;
    const bottom = height - NUMBERS;
    const from = span.start;
    const to = timeAt(span, width);
    const perBar = spacing(downbeats) / span.secondsPerPixel;
    const perBeat = spacing(beats) / span.secondsPerPixel;
    context.fillStyle = this.#surface.colour("--text");
    if (perBeat >= 7) {
      context.globalAlpha = 0.16;
      for (let i = after(beats, from); i < beats.length && (beats[i] as number) < to; i += 1) {
        context.fillRect(Math.round(xAt(span, beats[i] as number)), FLAGS, 1, bottom - FLAGS);
      }
    }
    const stride = barStride(perBar, 6);
    const numbered = barStride(perBar, 36);
    context.font = this.#surface.font(10);
    context.textAlign = "left";
    context.textBaseline = "middle";
    for (let i = after(downbeats, from - numbered * spacing(downbeats)); i < downbeats.length; i += 1) {
      const time = downbeats[i] as number;
      if (time >= to) break;
      const x = Math.round(xAt(span, time));
      if (i % stride === 0) {
        context.globalAlpha = 0.42;
        context.fillRect(x, FLAGS, 1, bottom - FLAGS + (i % numbered === 0 ? 10 : 3));
      }
      if (i % numbered === 0) {
        context.globalAlpha = 0.72;
        context.fillText(String(i + 1), x + 4, height - NUMBERS / 2 - 1);
      }
    }
    context.globalAlpha = 1;
  }

  #drawRange(context: CanvasRenderingContext2D, span: Span): void {
    const range = this.#range;
    if (!range) return;
    const { height } = this.#surface;
    context.globalAlpha = this.#looping ? 0.22 : 0.13;
    context.fillStyle = this.#surface.colour("--accent");
    const from = xAt(span, range.start);
    context.fillRect(from, FLAGS, xAt(span, range.end) - from, height - FLAGS - NUMBERS);
    context.globalAlpha = 1;
  }

  #drawRangeEdges(context: CanvasRenderingContext2D, span: Span): void {
    const range = this.#range;
    if (!range) return;
    const { height } = this.#surface;
    const from = Math.round(xAt(span, range.start));
    const to = Math.round(xAt(span, range.end));
    context.fillStyle = this.#surface.colour("--accent");
    const tall = height - FLAGS - NUMBERS;
    // Brackets: their shape says where it starts and ends, their weight that it repeats.
    const line = this.#looping ? 2 : 1;
    context.fillRect(from, FLAGS, line, tall);
    context.fillRect(to - line, FLAGS, line, tall);
    for (const y of [FLAGS, height - NUMBERS - line]) {
      context.fillRect(from, y, 6, line);
      context.fillRect(to - 6, y, 6, line);
    }
  }

  #drawCues(context: CanvasRenderingContext2D, song: SongPicture, span: Span): void {
    const { width, height } = this.#surface;
    this.#flags = [];
    context.textAlign = "left";
    context.textBaseline = "middle";
    const bold = this.#surface.font(11, 700);
    const normal = this.#surface.font(11, 500);
    for (let i = 0; i < song.cues.length; i += 1) {
      const cue = song.cues[i];
      if (!cue) continue;
      const x = Math.round(xAt(span, cue.time));
      if (x > width || x < -160) continue;
      const next = song.cues[i + 1];
      const room = next ? xAt(span, next.time) - x - 2 : Number.POSITIVE_INFINITY;
      context.font = normal;
      const label = room < 34 ? "" : fit(context, cue.label, Math.min(room, 150) - 24);
      const flag = 16 + (label ? context.measureText(label).width + 8 : 0);
      const colour = cue.colour.startsWith("--") ? this.#surface.colour(cue.colour) : cue.colour;
      context.fillStyle = colour;
      context.fillRect(x, 1, 2, height - NUMBERS - 1);
      context.beginPath();
      context.roundRect(x, 1, flag, 15, [0, 4, 4, 0]);
      context.fill();
      context.fillStyle = "#101216";
      context.font = bold;
      context.fillText(String(cue.number), x + 5, 9);
      context.font = normal;
      if (label) context.fillText(label, x + 16, 9);
      this.#flags.push({ x, width: flag, time: cue.time });
    }
  }

  #drawHover(context: CanvasRenderingContext2D, song: SongPicture, span: Span): void {
    const x = this.#hover;
    if (x === null) return;
    const time = timeAt(span, x);
    if (time < 0 || time > song.duration) return;
    const { width, height } = this.#surface;
    context.globalAlpha = 0.5;
    context.fillStyle = this.#surface.colour("--text");
    context.fillRect(Math.round(x), FLAGS, 1, height - FLAGS - NUMBERS);
    context.globalAlpha = 1;
    const place = placeOf(song.beats, song.downbeats, time);
    const label = place ? `${clockText(time)}  bar ${place.bar}.${place.beat}` : clockText(time);
    context.font = this.#surface.font(11);
    context.textAlign = "left";
    context.textBaseline = "middle";
    const box = context.measureText(label).width + 12;
    const left = x + 8 + box > width ? x - 8 - box : x + 8;
    const top = height - NUMBERS - 22;
    context.fillStyle = this.#surface.colour("--surface-2");
    context.beginPath();
    context.roundRect(left, top, box, 18, 4);
    context.fill();
    context.fillStyle = this.#surface.colour("--text");
    context.fillText(label, left + 6, top + 9.5);
  }

  #drawHead(context: CanvasRenderingContext2D, at: number): void {
    const { height } = this.#surface;
    const x = Math.round(at);
    const bottom = height - NUMBERS;
    // A dark seam keeps the line apart from bright columns, in either theme.
    context.fillStyle = this.#surface.colour("--surface-0");
    context.fillRect(x - 2, FLAGS - 2, 5, bottom - FLAGS + 4);
    context.fillStyle = this.#surface.colour("--text");
    context.fillRect(x - 1, FLAGS - 4, 3, bottom - FLAGS + 8);
    for (const [tip, base] of [[FLAGS + 3, FLAGS - 4], [bottom - 3, bottom + 4]] as const) {
      context.beginPath();
      context.moveTo(x - 5.5, base);
      context.lineTo(x + 6.5, base);
      context.lineTo(x + 0.5, tip);
      context.fill();
    }
  }

  #zoomAround(factor: number, x: number): void {
    const song = this.#song;
    const { width } = this.#surface;
    if (!song || width === 0) return;
    const anchor = this.follow ? width / 2 : x;
    const next = zoomed(this.#span, factor, anchor, width, song.duration);
    this.#span = this.follow ? next : held(next, width, song.duration);
    this.#touch();
    this.#options.viewed();
  }

  #touch(): void {
    this.#dirty = true;
    this.#options.clock.wake();
  }

  #forget(): void {
    this.#spare.push(...this.#tiles.values());
    this.#tiles.clear();
    this.#bands = null;
    // a resized view gives back what it no longer needs
    this.#spare.length = Math.min(this.#spare.length, 16);
  }

  #listen(host: HTMLElement): void {
    const { signal, clock, seek, range, viewed } = this.#options;
    const song = () => this.#song;
    const inSong = (time: number) => Math.max(0, Math.min(song()?.duration ?? 0, time));
    const onGrid = (time: number, event: PointerEvent) => {
      const beats = song()?.beats ?? [];
      // Alt leaves the grid, as in any editor.
      return inSong(event.altKey ? time : snap(beats, time));
    };
    let hand: { x: number; span: Span; time: number; anchor: number | null } | null = null;
    draggable(host, {
      start: (x, _y, event) => {
        if (!song()) return false;
        const time = timeAt(this.#span, x);
        hand = { x, span: this.#span, time: this.#time, anchor: event.shiftKey ? onGrid(time, event) : null };
        host.classList.add("is-held");
        return true;
      },
      move: (x, _y, event) => {
        if (!hand) return;
        if (hand.anchor !== null) {
          range(ordered(hand.anchor, onGrid(timeAt(this.#span, x), event)));
        } else if (this.follow) {
          seek(inSong(hand.time - (x - hand.x) * this.#span.secondsPerPixel), false);
        } else {
          const start = hand.span.start - (x - hand.x) * hand.span.secondsPerPixel;
          this.#span = held({ ...hand.span, start }, this.#surface.width, song()?.duration ?? 0);
          this.#touch();
          viewed();
        }
      },
      end: (x, y, _event, moved, cancelled) => {
        const was = hand;
        hand = null;
        host.classList.remove("is-held");
        if (!was) return;
        if (was.anchor !== null) {
          if (!moved && !cancelled) range(null);
        } else if (moved) {
          if (this.follow) seek(this.#time, true);
        } else if (!cancelled) {
          const flag = this.#flagAt(x, y);
          seek(flag ? flag.time : inSong(timeAt(was.span, x)), true);
        }
      },
      pinch: (factor, x) => this.#zoomAround(1 / factor, x),
    }, signal);
    ownWheel(host, (event, turn) => {
      const box = host.getBoundingClientRect();
      if (Math.abs(turn.x) > Math.abs(turn.y) || event.shiftKey) {
        const by = (event.shiftKey ? turn.x || turn.y : turn.x) * this.#span.secondsPerPixel;
        if (this.follow) seek(inSong(this.#time + by), true);
        else {
          this.#span = held({ ...this.#span, start: this.#span.start + by }, this.#surface.width, song()?.duration ?? 0);
          this.#touch();
          viewed();
        }
      } else {
        // A pinch on a trackpad comes as a small wheel with ctrl.
        this.#zoomAround(Math.exp(turn.y * (event.ctrlKey ? 0.01 : 0.0018)), event.clientX - box.left);
      }
    }, signal);
    host.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") return;
      const box = host.getBoundingClientRect();
      this.#hover = hand ? null : event.clientX - box.left;
      host.classList.toggle("is-flag", this.#flagAt(event.clientX - box.left, event.clientY - box.top) !== null);
      this.#touch();
      clock.wake();
    }, { signal });
    host.addEventListener("pointerleave", () => {
      this.#hover = null;
      this.#touch();
    }, { signal });
  }

  #flagAt(x: number, y: number): Flag | null {
    if (y > FLAGS) return null;
    const hit = this.#flags.filter((flag) => x >= flag.x - 2 && x <= flag.x + flag.width);
    return hit.at(-1) ?? null;
  }
}

/** Middle distance between neighbours, in s. */
function spacing(times: readonly number[]): number {
  if (times.length < 2) return Number.POSITIVE_INFINITY;
  return ((times.at(-1) as number) - (times[0] as number)) / (times.length - 1);
}

function fit(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  for (let length = text.length - 1; length > 1; length -= 1) {
    const short = `${text.slice(0, length).trimEnd()}…`;
    if (context.measureText(short).width <= room) return short;
  }
  return "";
}
