/** A deck's whole song in one line: what was played is dimmed; sections, cues and loop are marked. */

import { position as clockText } from "../../format";
import { bandColours } from "../../waveform/overview";
import { draggable } from "../../waveform/gestures";
import { chooseLevel, fillColumns, makeColumns } from "../../waveform/pyramid";
import { paintBands } from "../../waveform/raster";
import { typeColour } from "../../waveform/song";
import { Surface } from "../../waveform/surface";
import { boldGain } from "./gain";
import { type Flag, flagsOf } from "./flags";
import { box, colourOf, lettering } from "./pen";
import { type DeckMoment, type DeckSong, deckColour, deckLetter, type Scene, SOURCE } from "./source";

const PLAYED = 0.34;
/** CSS pixels of the strip of sections, and above the waveform for flags. */
const SECTIONS = 4;
const FLAGS = 11;
const MINUTE = 60;

export class DeckOverview {
  readonly #surface: Surface;
  readonly #scene: Scene;
  readonly #deck: number;
  readonly #still = document.createElement("canvas");
  #song: DeckSong | null | undefined;
  #flags: Flag[] = [];
  #painted = false;
  #dirty = true;
  #head = Number.NaN;
  #ghost = Number.NaN;
  #hover: number | null = null;

  constructor(host: HTMLElement, scene: Scene, deck: number) {
    this.#scene = scene;
    this.#deck = deck;
    host.classList.add("sfa-overview-deck");
    host.setAttribute("role", "img");
    this.#surface = new Surface(host, () => this.#repaint(), scene.signal);
    scene.decks.on("deck", (changed) => changed === deck && this.#touch(), scene.signal);
    scene.controls.on(`deck.${deck}.cue_point`, () => this.#touch(), scene.signal);
    scene.clock.subscribe(() => this.#draw(), scene.signal);
    this.#listen(host);
  }

  #touch(): void {
    this.#dirty = true;
    this.#scene.clock.wake();
  }

  #repaint(): void {
    this.#painted = false;
    this.#touch();
  }

  #draw(): void {
    const { context, width, height, ratio, visible } = this.#surface;
    if (!context || !visible) return;
    const moment = this.#scene.decks.stand(this.#deck);
    if (this.#dirty) this.#take(this.#scene.decks.song(this.#deck));
    const song = this.#song;
    const duration = song?.duration ?? 0;
    const x = (time: number) => (duration > 0 ? (time / duration) * width : 0);
    const head = Math.round(x(moment.position) * ratio) / ratio;
    const ghost = moment.slip === null ? -1 : Math.round(x(moment.slip));
    if (!this.#dirty && head === this.#head && ghost === this.#ghost) return;
    this.#dirty = false;
    this.#head = head;
    this.#ghost = ghost;
    if (!this.#painted) this.#paint();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!song || duration <= 0) {
      box(this.#surface, "--line-strong", 0, Math.round(height / 2), width, 1);
      return;
    }
    this.#drawMinutes(context, duration);
    this.#drawLoop(context, moment, x);
    this.#blit(context, 0, head, PLAYED);
    this.#blit(context, head, width, 1);
    this.#drawSections(context, song, x, head);
    this.#drawFlags(context, x);
    const cue = Math.round(x(Number(this.#scene.controls.get(`deck.${this.#deck}.cue_point`))));
    context.fillStyle = this.#surface.colour("--warn");
    context.beginPath();
    context.moveTo(cue + 0.5, height - SECTIONS - 7);
    context.lineTo(cue + 5.5, height - SECTIONS);
    context.lineTo(cue - 4.5, height - SECTIONS);
    context.fill();
    if (ghost >= 0) {
      context.fillStyle = this.#surface.colour(deckColour(this.#deck));
      for (let y = 0; y < height; y += 6) context.fillRect(ghost, y, 1.5, 3);
    }
    box(this.#surface, "--surface-0", head - 2, 0, 5, height);
    box(this.#surface, "--text", head - 0.5, 0, 2, height);
    if (this.#hover !== null) this.#drawHover(context, this.#hover, duration);
  }

  #take(song: DeckSong | null): void {
    if (song === this.#song) return;
    if (song?.pyramids.get("mix") !== this.#song?.pyramids.get("mix")) this.#painted = false;
    this.#song = song;
    this.#flags = flagsOf(song?.cues ?? []);
    const letter = deckLetter(this.#deck);
    this.#surface.host.setAttribute("aria-label", song ? `Deck ${letter}, the whole of ${song.title}` : `Deck ${letter} is empty`);
  }

  #blit(context: CanvasRenderingContext2D, from: number, to: number, alpha: number): void {
    const { height, ratio } = this.#surface;
    const wide = Math.round((to - from) * ratio);
    if (wide <= 0 || this.#still.height === 0 || this.#still.width === 0) return;
    context.globalAlpha = alpha;
    context.drawImage(
      this.#still, Math.round(from * ratio), 0, wide, this.#still.height, from, FLAGS, wide / ratio, height - FLAGS - SECTIONS - 1,
    );
    context.globalAlpha = 1;
  }

  #drawMinutes(context: CanvasRenderingContext2D, duration: number): void {
    const { width, height } = this.#surface;
    let every = MINUTE;
    while ((every / duration) * width < 24) every *= 5;
    context.fillStyle = this.#surface.colour("--line-strong");
    for (let time = every; time < duration; time += every) {
      context.fillRect(Math.round((time / duration) * width), FLAGS, 1, height - FLAGS - SECTIONS - 1);
    }
  }

  #drawLoop(context: CanvasRenderingContext2D, { loop, loopActive }: DeckMoment, x: (time: number) => number): void {
    if (!loop) return;
    const { height } = this.#surface;
    const from = Math.round(x(loop.start));
    const wide = Math.max(3, Math.round(x(loop.end)) - from);
    box(this.#surface, loopActive ? "--ok" : "--dim", from, FLAGS, wide, height - FLAGS - SECTIONS, loopActive ? 0.45 : 0.22);
    context.fillRect(from, FLAGS, wide, 2);
  }

  #drawSections(context: CanvasRenderingContext2D, song: DeckSong, x: (time: number) => number, head: number): void {
    const { height } = this.#surface;
    for (const section of song.analysis?.sections ?? []) {
      const from = Math.round(x(section.start));
      const to = Math.round(x(section.end));
      context.fillStyle = this.#surface.colour(typeColour(section.label));
      context.globalAlpha = 1;
      context.fillRect(from, height - SECTIONS, Math.max(1, to - from - 1), SECTIONS);
    }
    box(this.#surface, "--surface-0", 0, height - SECTIONS, head, SECTIONS, 0.6);
  }

  #drawFlags(context: CanvasRenderingContext2D, x: (time: number) => number): void {
    const { width, height } = this.#surface;
    lettering(this.#surface, 9, 700, "center");
    for (const flag of this.#flags) {
      const at = Math.round(x(flag.time));
      context.fillStyle = colourOf(this.#surface, flag.colour);
      if (flag.end !== null) context.fillRect(at, FLAGS - 2, Math.max(2, Math.round(x(flag.end)) - at), 2);
      if (!flag.letter) {
        context.fillRect(at, FLAGS - 4, 1.5, 4);
        continue;
      }
      context.fillRect(at, 0, 1.5, height - SECTIONS);
      // At the very end the flag flies the other way.
      const left = at + 11 > width ? at - 11 : at;
      context.fillRect(left, 0, 11, 10);
      context.fillStyle = "#101216";
      context.fillText(flag.letter, left + 5.5, 5.5);
    }
  }

  #drawHover(context: CanvasRenderingContext2D, at: number, duration: number): void {
    const { width, height } = this.#surface;
    box(this.#surface, "--text", at, 0, 1, height, 0.6);
    const label = clockText((at / width) * duration);
    lettering(this.#surface, 11);
    const wide = context.measureText(label).width + 10;
    const left = at + 6 + wide > width ? at - 6 - wide : at + 6;
    context.fillStyle = this.#surface.colour("--surface-2");
    context.beginPath();
    context.roundRect(left, height - 21, wide, 17, 4);
    context.fill();
    context.fillStyle = this.#surface.colour("--text");
    context.fillText(label, left + 5, height - 12);
  }

  /** The waveform, once for each size, theme and song. */
  #paint(): void {
    this.#painted = true;
    const { width, height, ratio } = this.#surface;
    const still = this.#still;
    still.width = Math.round(width * ratio);
    still.height = Math.max(0, Math.round((height - FLAGS - SECTIONS - 1) * ratio));
    const pen = still.getContext("2d");
    const pyramid = this.#song?.pyramids.get("mix");
    if (!pen || !pyramid || !this.#song || still.width === 0 || still.height === 0) return;
    const perColumn = this.#song.duration / still.width;
    const level = chooseLevel(pyramid.levels, perColumn);
    if (!level) return;
    const columns = makeColumns(still.width);
    fillColumns(level, 0, perColumn, columns);
    const image = pen.createImageData(still.width, still.height);
    paintBands(image, columns, boldGain(pyramid), bandColours(this.#surface));
    pen.putImageData(image, 0, 0);
  }

  #listen(host: HTMLElement): void {
    const { decks, controls, signal } = this.#scene;
    const place = (x: number) => Math.max(0, Math.min(1, x / Math.max(1, this.#surface.width)));
    const go = (x: number) => {
      const song = decks.song(this.#deck);
      if (song) controls.nudge(`deck.${this.#deck}.seek`, place(x) * song.duration, SOURCE);
    };
    draggable(host, {
      start: () => decks.song(this.#deck) !== null,
      move: (x) => {
        this.#hover = place(x) * this.#surface.width;
        this.#touch();
      },
      end: (x, _y, _event, _moved, cancelled) => {
        if (!cancelled) go(x);
      },
    }, signal);
    host.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch" || !this.#song) return;
      this.#hover = Math.round(event.clientX - host.getBoundingClientRect().left);
      this.#touch();
    }, { signal });
    for (const gone of ["pointerleave", "pointerup", "pointercancel"]) {
      host.addEventListener(gone, () => {
        this.#hover = null;
        this.#touch();
      }, { signal });
    }
  }
}
