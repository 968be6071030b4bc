/** One deck's waveform under its playhead: the song moves, the playhead stays. */

import { inMixerOrder, stemLabel } from "../../parts";
import type { Analysis } from "../../types";
import { draggable, ownWheel } from "../../waveform/gestures";
import { after, barStride } from "../../waveform/grid";
import { bandColours } from "../../waveform/overview";
import { chooseLevel, type Columns, fillColumns, makeColumns, type Pyramid } from "../../waveform/pyramid";
import { type BandColours, paintBands, paintLevel } from "../../waveform/raster";
import { title, typeColour } from "../../waveform/song";
import { type Span, timeAt, xAt } from "../../waveform/span";
import { Surface } from "../../waveform/surface";
import { type Flag, flagsOf } from "./flags";
import { boldGain } from "./gain";
import { box, colourOf, lettering } from "./pen";
import { PHRASE, spacing } from "./place";
import { type DeckMoment, type DeckSong, deckColour, deckLetter, type Scene, SOURCE } from "./source";
import { type Budget, TILE, Tiles } from "./tiles";

/** CSS pixels above the waveform, for flags, and below it, for numbers and sections. */
const FLAGS = 15;
const NUMBERS = 14;
/** A lane lower than this draws them over the waveform, which would be a thin line else. */
const ROOMY = 84;
const SECTIONS = 3;
/** Seconds of a song in a turn of a record at 33 1/3. */
export const TURN = 1.8;
const SILENT = 0.16;
const BANDS = ["low", "mid", "high"] as const;

/** One waveform among those of a lane, and how it is heard now. */
interface Strip {
  role: string;
  /** 0 to 1. */
  level: number;
  heard: boolean;
}

export class Lane {
  readonly #surface: Surface;
  readonly #scene: Scene;
  readonly #deck: number;
  readonly #tiles: Tiles;
  readonly #ids: { pitch: string; cue: string; stems: string };
  #song: DeckSong | null = null;
  #strips: Strip[] = [];
  #painted: (Pyramid | undefined)[] = [];
  #gain = 1;
  #beat = Number.POSITIVE_INFINITY;
  #bar = Number.POSITIVE_INFINITY;
  #flags: Flag[] = [];
  #columns: Columns = makeColumns(TILE);
  #image: ImageData | null = null;
  #bands: BandColours | null = null;
  #dirty = true;
  #drawn = Number.NaN;
  #label = "";

  constructor(host: HTMLElement, scene: Scene, deck: number) {
    this.#scene = scene;
    this.#deck = deck;
    this.#ids = { pitch: `deck.${deck}.pitch`, cue: `deck.${deck}.cue_point`, stems: `deck.${deck}.stem.` };
    this.#tiles = new Tiles((pen, start, perDevice) => this.#paint(pen, start, perDevice));
    this.#surface = new Surface(host, () => this.#forget(), scene.signal);
    const touched = () => this.touch();
    scene.decks.on("deck", (changed) => changed === deck && touched(), scene.signal);
    scene.controls.on(`deck.${deck}.`, (id) => {
      if (id.includes(".eq.") || id.includes(".kill.")) this.#tiles.renew();
      this.touch();
    }, scene.signal);
    this.#listen(host);
  }

  /** Something other than the position is another. */
  touch(): void {
    this.#dirty = true;
    this.#scene.clock.wake();
  }

  /** Draws a frame; does nothing where nothing moved. True while there is more to paint. */
  draw(budget: Budget, now: number): boolean {
    const { context, width, height, ratio, visible } = this.#surface;
    if (!context || !visible) return false;
    const moment = this.#scene.decks.stand(this.#deck);
    if (!this.#dirty && moment.position === this.#drawn) return false;
    this.#take(this.#scene.decks.song(this.#deck));
    this.#dirty = false;
    this.#drawn = moment.position;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const song = this.#song;
    if (!song) {
      lettering(this.#surface, 13, 500, "center");
      context.fillStyle = this.#surface.colour("--dim");
      context.fillText(`Deck ${deckLetter(this.#deck)} is empty: drop a song here`, width / 2, height / 2);
      this.#drawBadge(context);
      return false;
    }
    const span = this.#span(moment.position);
    this.#drawSections(song, span);
    this.#drawLoop(moment, span);
    const more = this.#drawTiles(context, song, span, budget, now);
    this.#drawOutside(context, song, span);
    this.#drawGrid(context, song, span);
    this.#drawLoopEdges(context, moment, span);
    this.#drawCuePoint(context, span);
    this.#drawFlags(context, span);
    if (moment.slip !== null) this.#drawGhost(context, xAt(span, moment.slip));
    this.#drawHead(context);
    this.#drawBadge(context);
    if (more) this.#dirty = true;
    return more;
  }

  /** Seconds of the song in a CSS pixel: each deck at its own tempo, so that beats that sound together stand together. */
  get #perPixel(): number {
    const { controls } = this.#scene;
    return (1 + Number(controls.get(this.#ids.pitch)) / 100) / Number(controls.get("view.zoom"));
  }

  #span(position: number): Span {
    const { width, ratio } = this.#surface;
    const secondsPerPixel = this.#perPixel;
    const perDevice = secondsPerPixel / ratio;
    const head = Math.round((width / 2) * ratio);
    return { start: (Math.round(position / perDevice) - head) * perDevice, secondsPerPixel };
  }

  /** Where a time is drawn: on a device pixel, so that marks move with the columns. */
  #at(span: Span, time: number): number {
    const { ratio } = this.#surface;
    return Math.round(xAt(span, time) * ratio) / ratio;
  }

  #take(song: DeckSong | null): void {
    const { controls } = this.#scene;
    const roles = song && Number(controls.get("view.stems")) ? inMixerOrder([...song.pyramids.keys()].filter((role) => role !== "mix")) : [];
    const shown = roles.length > 0 ? roles : ["mix"];
    if (song !== this.#song) {
      this.#song = song;
      this.#beat = spacing(song?.analysis?.beats ?? []);
      this.#bar = spacing(song?.analysis?.downbeats ?? []);
      this.#flags = flagsOf(song?.cues ?? []);
    }
    const pyramids = shown.map((role) => song?.pyramids.get(role));
    if (pyramids.length !== this.#painted.length || pyramids.some((pyramid, i) => pyramid !== this.#painted[i])) {
      this.#painted = pyramids;
      // Stems share one, so that their levels compare.
      this.#gain = Math.min(...pyramids.map(boldGain));
      this.#forget();
    }
    const of = (role: string, what: string) => Number(controls.get(`${this.#ids.stems}${role}.${what}`));
    const soloed = roles.some((role) => of(role, "solo") > 0);
    this.#strips = shown.map((role) => role === "mix" ? { role, level: 1, heard: true } : {
      role, level: of(role, "volume"), heard: of(role, "mute") === 0 && (!soloed || of(role, "solo") > 0),
    });
    const label = song ? `Waveform of deck ${deckLetter(this.#deck)}: ${song.title}` : `Deck ${deckLetter(this.#deck)} is empty`;
    if (label === this.#label) return;
    this.#label = label;
    this.#surface.host.setAttribute("aria-label", label);
  }

  get #roomy(): boolean {
    return this.#surface.height >= ROOMY;
  }

  /** Where the waveforms begin and end, in CSS pixels. */
  get #top(): number {
    return this.#roomy ? FLAGS : 1;
  }

  get #bottom(): number {
    return this.#surface.height - (this.#roomy ? NUMBERS : SECTIONS + 1);
  }

  /** Height of the waveforms in device pixels. */
  get #tall(): number {
    return Math.round((this.#bottom - this.#top) * this.#surface.ratio);
  }

  #drawTiles(context: CanvasRenderingContext2D, song: DeckSong, span: Span, budget: Budget, now: number): boolean {
    const { width, ratio } = this.#surface;
    const tall = this.#tall;
    if (tall < 8 || song.pyramids.size === 0) return false;
    const window = {
      start: span.start, perDevice: span.secondsPerPixel / ratio, width: Math.ceil(width * ratio), tall, duration: song.duration,
    };
    const strips = this.#strips;
    const each = Math.floor(tall / strips.length);
    const whole = strips.every(({ level, heard }) => level === 1 && heard);
    context.setTransform(1, 0, 0, 1, 0, 0);
    const top = Math.round(this.#top * ratio);
    const more = this.#tiles.draw(window, budget, now, (tile, x, wide) => {
      if (whole) {
        context.drawImage(tile, x, top, wide, tall);
        return;
      }
      for (let i = 0; i < strips.length; i += 1) {
        const { level, heard } = strips[i] as Strip;
        // A line stays where nothing is heard.
        const high = Math.max(ratio, each * (heard ? level : 1));
        context.globalAlpha = heard ? 1 : SILENT;
        context.drawImage(tile, 0, i * each, TILE, each, x, top + i * each + (each - high) / 2, wide, high);
      }
      context.globalAlpha = 1;
    });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (strips.length > 1) this.#drawNames(context, each / ratio);
    return more;
  }

  /** Names of the stems at the left edge, where the picture has the least to say. */
  #drawNames(context: CanvasRenderingContext2D, each: number): void {
    if (each < 12) return;
    lettering(this.#surface, 10, 600);
    this.#strips.forEach(({ role }, i) => {
      const y = this.#top + (i + 0.5) * each;
      const label = stemLabel(role);
      this.#plate(context, 26, y - 7, context.measureText(label).width + 8, 14);
      context.fillStyle = this.#surface.colour("--text");
      context.fillText(label, 30, y + 0.5);
    });
  }

  #paint(pen: CanvasRenderingContext2D, start: number, perDevice: number): void {
    const song = this.#song;
    const tall = this.#tall;
    pen.clearRect(0, 0, TILE, tall);
    if (!song) return;
    const each = Math.floor(tall / this.#strips.length);
    if (this.#image?.height !== each) this.#image = pen.createImageData(TILE, each);
    this.#strips.forEach(({ role }, i) => {
      const level = chooseLevel(song.pyramids.get(role)?.levels ?? [], perDevice);
      if (!level || !this.#image) return;
      fillColumns(level, start, perDevice, this.#columns);
      if (role === "mix") {
        this.#equalise();
        paintBands(this.#image, this.#columns, this.#gain, (this.#bands ??= bandColours(this.#surface)));
      } else paintLevel(this.#image, this.#columns, this.#gain, this.#surface.rgb(`--stem-${role}`));
      pen.putImageData(this.#image, 0, i * each);
    });
  }

  /** The bands as the isolator leaves them: what is turned down is drawn low. */
  #equalise(): void {
    const { controls } = this.#scene;
    for (const band of BANDS) {
      const of = (what: string) => Number(controls.get(`deck.${this.#deck}.${what}.${band}`));
      const gain = of("kill") > 0 ? 0 : 10 ** (of("eq") / 20);
      if (gain === 1) continue;
      const heights = this.#columns[band];
      for (let x = 0; x < heights.length; x += 1) heights[x] = (heights[x] as number) * gain;
    }
  }

  /** What lies before and after the song is no silence. */
  #drawOutside(context: CanvasRenderingContext2D, song: DeckSong, span: Span): void {
    const { width, height } = this.#surface;
    context.fillStyle = this.#surface.colour("--surface-1");
    const start = this.#at(span, 0);
    const end = this.#at(span, song.duration);
    if (start > 0) context.fillRect(0, 0, start, height);
    if (end < width) context.fillRect(end, 0, width - end, height);
  }

  #drawSections(song: DeckSong, span: Span): void {
    const { width, height } = this.#surface;
    for (const section of song.analysis?.sections ?? []) {
      const from = Math.max(0, xAt(span, section.start));
      const to = Math.min(width, xAt(span, section.end));
      if (to <= from) continue;
      box(this.#surface, typeColour(section.label), from, height - SECTIONS, Math.max(1, to - from - 1), SECTIONS);
    }
  }

  #drawGrid(context: CanvasRenderingContext2D, song: DeckSong, span: Span): void {
    const { analysis } = song;
    if (!analysis) return;
    const { width } = this.#surface;
    const { beats, downbeats } = analysis;
    const top = this.#top;
    const bottom = this.#bottom;
    const tall = bottom - top;
    const from = span.start;
    const to = timeAt(span, width);
    const perBar = this.#bar / span.secondsPerPixel;
    const text = this.#surface.colour("--text");
    const bar = this.#surface.colour("--danger");
    if (this.#beat / span.secondsPerPixel >= 7) {
      context.fillStyle = text;
      for (let i = after(beats, from); i < beats.length && (beats[i] as number) < to; i += 1) {
        const x = this.#at(span, beats[i] as number);
        context.globalAlpha = 0.22;
        context.fillRect(x, top, 1, tall);
        context.globalAlpha = 0.85;
        context.fillRect(x, top, 1, 4);
        context.fillRect(x, bottom - 4, 1, 4);
      }
    }
    const stride = barStride(perBar, 6);
    const numbered = barStride(perBar, this.#roomy ? 44 : 120);
    lettering(this.#surface, 10, 600);
    const line = this.#roomy ? bottom + 5.5 : bottom - 6.5;
    // Where stems leave no line for them, their colours must do.
    const clear = this.#roomy || this.#strips.length === 1 ? this.#drawSectionNames(context, analysis, span, line) : 0;
    const reach = Math.max(stride, numbered) * this.#bar;
    for (let i = after(downbeats, from - (Number.isFinite(reach) ? reach : 0)); i < downbeats.length; i += 1) {
      const time = downbeats[i] as number;
      if (time >= to) break;
      const x = this.#at(span, time);
      const phrase = i % PHRASE === 0;
      if (i % stride === 0) {
        // Colour and shape: bars are red and taller than beats, phrases bear a triangle as well.
        context.fillStyle = phrase ? text : bar;
        context.globalAlpha = phrase ? 0.75 : 0.4;
        context.fillRect(x, top, phrase ? 2 : 1, tall);
        context.globalAlpha = 1;
        context.fillStyle = bar;
        context.fillRect(x - 1, top, 3, 6);
        context.fillRect(x - 1, bottom - 6, 3, 6);
        if (phrase && perBar * PHRASE > 24) triangle(context, x + 0.5, bottom - 7, 5, 7);
      }
      if (i % numbered === 0 && x > clear) {
        const number = String(i + 1);
        if (!this.#roomy) this.#plate(context, x + 1, line - 6, context.measureText(number).width + 6, 12);
        context.fillStyle = text;
        context.globalAlpha = phrase ? 0.95 : 0.6;
        context.fillText(number, x + 4, line);
      }
    }
    context.globalAlpha = 1;
  }

  /** Returns how far the name at the left edge reaches. */
  #drawSectionNames(context: CanvasRenderingContext2D, { sections, downbeats }: Analysis, span: Span, y: number): number {
    const { width } = this.#surface;
    let clear = 0;
    for (const section of sections) {
      const from = xAt(span, section.start);
      const to = xAt(span, section.end);
      if (to < 60 || from > width) continue;
      // The name of the section that is under way stays at the left edge; else it stands beside the number of its first bar.
      const bar = xAt(span, downbeats[after(downbeats, section.start - 0.05)] ?? section.start);
      const x = Math.max(26, (bar < to ? bar : from) + 28);
      const label = title(section.label);
      const wide = context.measureText(label).width;
      if (x + wide > to - 4) continue;
      this.#plate(context, x - 4, y - 6, wide + 8, 12);
      context.fillStyle = this.#surface.colour("--dim");
      context.fillText(label, x, y);
      if (from < 0) clear = x + wide + 4;
    }
    return clear;
  }

  #drawLoop({ loop, loopActive }: DeckMoment, span: Span): void {
    if (!loop) return;
    const from = xAt(span, loop.start);
    box(this.#surface, loopActive ? "--ok" : "--dim", from, this.#top, xAt(span, loop.end) - from, this.#bottom - this.#top, loopActive ? 0.28 : 0.12);
  }

  #drawLoopEdges(context: CanvasRenderingContext2D, { loop, loopActive }: DeckMoment, span: Span): void {
    if (!loop) return;
    const top = this.#top;
    const bottom = this.#bottom;
    const from = this.#at(span, loop.start);
    const to = this.#at(span, loop.end);
    context.fillStyle = this.#surface.colour(loopActive ? "--ok" : "--dim");
    // Brackets: their shape says where it starts and ends, their weight that it repeats.
    const line = loopActive ? 3 : 1;
    context.fillRect(from, top, line, bottom - top);
    context.fillRect(to - line, top, line, bottom - top);
    for (const y of [top, bottom - line]) {
      context.fillRect(from, y, 8, line);
      context.fillRect(to - 8, y, 8, line);
    }
  }

  #drawCuePoint(context: CanvasRenderingContext2D, span: Span): void {
    const x = this.#at(span, Number(this.#scene.controls.get(this.#ids.cue)));
    if (x < -10 || x > this.#surface.width + 10) return;
    const bottom = this.#bottom;
    box(this.#surface, "--warn", x, this.#top, 1, bottom - this.#top);
    triangle(context, x + 0.5, bottom - 9, 7, 9);
  }

  #drawFlags(context: CanvasRenderingContext2D, span: Span): void {
    const { width } = this.#surface;
    const bottom = this.#bottom;
    context.textAlign = "left";
    context.textBaseline = "middle";
    const bold = this.#surface.font(11, 700);
    const normal = this.#surface.font(11, 500);
    let room = width;
    // From the right: each knows how much room the next leaves it.
    for (let i = this.#flags.length - 1; i >= 0; i -= 1) {
      const flag = this.#flags[i] as Flag;
      const x = this.#at(span, flag.time);
      if (flag.end !== null) this.#drawLoopCue(context, flag, x, this.#at(span, flag.end));
      if (x > width || x < -170) continue;
      const colour = colourOf(this.#surface, flag.colour);
      context.fillStyle = colour;
      context.globalAlpha = flag.letter ? 1 : 0.7;
      context.fillRect(x, 0, flag.letter ? 2 : 1, bottom);
      context.globalAlpha = 1;
      if (!flag.letter) {
        triangle(context, x + 0.5, 9, 5, -8);
        continue;
      }
      context.font = normal;
      const label = fit(context, flag.label, Math.min(150, room - x - 24));
      context.beginPath();
      context.roundRect(x, 0, 16 + (label ? context.measureText(label).width + 7 : 0), 14, [0, 4, 4, 0]);
      context.fill();
      context.fillStyle = "#101216";
      if (label) context.fillText(label, x + 16, 7.5);
      context.font = bold;
      context.fillText(flag.letter, x + 4.5, 7.5);
      room = x;
    }
  }

  #drawLoopCue(context: CanvasRenderingContext2D, { colour }: Flag, from: number, to: number): void {
    context.fillStyle = colourOf(this.#surface, colour);
    context.globalAlpha = 0.16;
    context.fillRect(from, this.#top, to - from, this.#bottom - this.#top);
    context.globalAlpha = 1;
    context.fillRect(from, Math.max(0, this.#top - 1), to - from, 2);
  }

  /** Where the song would be without loop, scratch or reverse. */
  #drawGhost(context: CanvasRenderingContext2D, x: number): void {
    const top = this.#top;
    context.strokeStyle = this.#surface.colour(deckColour(this.#deck));
    context.lineWidth = 2;
    context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, this.#bottom);
    context.stroke();
    context.setLineDash([]);
    lettering(this.#surface, 10, 600);
    this.#plate(context, x + 3, top + 1, 24, 12);
    context.fillStyle = this.#surface.colour("--text");
    context.fillText("slip", x + 6, top + 7.5);
  }

  #drawHead(context: CanvasRenderingContext2D): void {
    const { width, height, ratio } = this.#surface;
    const x = Math.round((width / 2) * ratio) / ratio;
    // A dark seam keeps the line apart from bright columns, in either theme.
    box(this.#surface, "--surface-0", x - 2, 0, 5, height);
    box(this.#surface, "--text", x - 1, 0, 3, height);
    triangle(context, x + 0.5, 8, 6, -8);
    triangle(context, x + 0.5, height - 8, 6, 8);
  }

  #drawBadge(context: CanvasRenderingContext2D): void {
    const { height } = this.#surface;
    box(this.#surface, deckColour(this.#deck), 0, 0, 3, height);
    context.beginPath();
    context.roundRect(3, 0, 17, 17, [0, 0, 5, 0]);
    context.fill();
    context.fillStyle = "#101216";
    lettering(this.#surface, 12, 700, "center");
    context.fillText(deckLetter(this.#deck), 11, 9);
  }

  /** A ground for text over a waveform. */
  #plate(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
    context.globalAlpha = 0.78;
    context.fillStyle = this.#surface.colour("--surface-0");
    context.beginPath();
    context.roundRect(x, y, width, height, 3);
    context.fill();
    context.globalAlpha = 1;
  }

  #forget(): void {
    this.#tiles.forget();
    this.#bands = null;
    this.touch();
  }

  #listen(host: HTMLElement): void {
    const { controls, signal } = this.#scene;
    const touch = `deck.${this.#deck}.jog.touch`;
    const turn = `deck.${this.#deck}.jog.turn`;
    let held: number | null = null;
    const letGo = () => {
      if (held === null) return;
      held = null;
      host.classList.remove("is-held");
      controls.set(touch, 0, SOURCE);
    };
    draggable(host, {
      start: (x) => {
        if (!this.#scene.decks.song(this.#deck)) return false;
        held = x;
        host.classList.add("is-held");
        controls.set(touch, 1, SOURCE);
        return true;
      },
      move: (x) => {
        if (held === null || x === held) return;
        controls.nudge(turn, ((held - x) * this.#perPixel) / TURN, SOURCE);
        held = x;
      },
      end: letGo,
      pinch: (factor) => this.#zoom(Math.log2(factor)),
    }, signal);
    signal.addEventListener("abort", letGo, { once: true });
    ownWheel(host, (event, by) => {
      if (Math.abs(by.x) > Math.abs(by.y) || event.shiftKey) {
        controls.nudge(`deck.${this.#deck}.search`, (by.x || by.y) * this.#perPixel, SOURCE);
      } else {
        // A pinch on a trackpad comes as a small wheel with ctrl.
        this.#zoom(-by.y * (event.ctrlKey ? 0.0145 : 0.0026));
      }
    }, signal);
  }

  /** Closer by so many octaves. */
  #zoom(octaves: number): void {
    const { controls } = this.#scene;
    controls.setKnob("view.zoom", Math.max(0, Math.min(1, controls.knob("view.zoom") + octaves / OCTAVES)), SOURCE);
  }
}

/** Between the ends of `view.zoom`. */
const OCTAVES = Math.log2(800 / 20);

/** A triangle that stands on `y + height` with its tip at `y`; upside down for a negative height. */
function triangle(context: CanvasRenderingContext2D, x: number, y: number, half: number, height: number): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + half, y + height);
  context.lineTo(x - half, y + height);
  context.fill();
}

function fit(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (room < 16) return "";
  if (context.measureText(text).width <= room) return text;
  for (let length = text.length - 1; length > 1; length -= 1) {
    const short = `${text.slice(0, length).trimEnd()}…`;
    if (context.measureText(short).width <= room) return short;
  }
  return "";
}
