/** A record: it turns as the song plays, and a hand on it scratches; a hand on its rim pushes. */

import { duration as durationText } from "../../format";
import { ownWheel } from "../../waveform/gestures";
import { Surface } from "../../waveform/surface";
import { type Flag, flagsOf } from "./flags";
import { TURN } from "./lane";
import { colourOf, lettering } from "./pen";
import { type DeckMoment, type DeckSong, deckColour, deckLetter, type Scene, SOURCE } from "./source";

const ROUND = 2 * Math.PI;
/** Parts of the radius: outside `RIM` one pushes, inside one scratches. */
const RIM = 0.78;
const RING = 0.92;
const LABEL = 0.46;
/** Turns that a key or a notch of the wheel moves it by. */
const KEY_TURN = 0.02;
const WHEEL_TURN = 0.0004;

export class JogWheel {
  readonly #surface: Surface;
  readonly #scene: Scene;
  readonly #deck: number;
  readonly #still: MediaQueryList;
  #song: DeckSong | null = null;
  #flags: Flag[] = [];
  #dirty = true;
  #drawn = Number.NaN;
  #slip = false;
  #touched = false;
  #said = 0;

  constructor(host: HTMLElement, scene: Scene, deck: number) {
    this.#scene = scene;
    this.#deck = deck;
    this.#still = matchMedia("(prefers-reduced-motion: reduce)");
    host.classList.add("sfa-jog");
    host.tabIndex = 0;
    host.setAttribute("role", "slider");
    host.setAttribute("aria-label", `Jog wheel of deck ${deckLetter(deck)}`);
    host.setAttribute("aria-valuemin", "0");
    this.#surface = new Surface(host, () => this.#touch(), scene.signal);
    scene.decks.on("deck", (changed) => changed === deck && this.#touch(), scene.signal);
    scene.controls.on(`deck.${deck}.`, () => this.#touch(), scene.signal);
    this.#still.addEventListener("change", () => this.#touch(), { signal: scene.signal });
    scene.clock.subscribe((now) => this.#draw(now), scene.signal);
    this.#listen(host);
  }

  #touch(): void {
    this.#dirty = true;
    this.#scene.clock.wake();
  }

  #draw(now: number): void {
    const { context, width, height, ratio, visible } = this.#surface;
    if (!context || !visible) return;
    const { decks } = this.#scene;
    const moment = decks.stand(this.#deck);
    const slips = moment.slip !== null;
    if (!this.#dirty && !slips && slips === this.#slip && moment.position === this.#drawn) return;
    if (this.#dirty) this.#take(decks.song(this.#deck));
    this.#dirty = false;
    this.#drawn = moment.position;
    this.#slip = slips;
    this.#say(moment, now);
    const radius = Math.min(width, height) / 2 - 1;
    if (radius < 20) return;
    context.setTransform(ratio, 0, 0, ratio, (width / 2) * ratio, (height / 2) * ratio);
    context.clearRect(-width / 2, -height / 2, width, height);
    this.#drawRim(context, radius, moment);
    this.#drawRecord(context, radius, moment);
    this.#drawLabel(context, radius, moment);
  }

  #take(song: DeckSong | null): void {
    if (song === this.#song) return;
    this.#song = song;
    this.#flags = flagsOf(song?.cues ?? []).filter(({ letter }) => letter);
    this.#surface.host.setAttribute("aria-valuemax", String(Math.round(song?.duration ?? 0)));
    this.#said = 0;
  }

  /** What a screen reader reads: now and then, not with each frame. */
  #say({ position }: DeckMoment, now: number): void {
    if (this.#said !== 0 && now - this.#said < 1000) return;
    this.#said = now;
    const { host } = this.#surface;
    host.setAttribute("aria-valuenow", String(Math.round(position)));
    host.setAttribute("aria-valuetext", this.#song ? `${durationText(position)} of ${durationText(this.#song.duration)}` : "empty");
  }

  /** Round the song: what was played, where the cues are. */
  #drawRim(context: CanvasRenderingContext2D, radius: number, { position, slip }: DeckMoment): void {
    const at = (time: number) => -Math.PI / 2 + (this.#song ? Math.max(0, Math.min(1, time / this.#song.duration)) : 0) * ROUND;
    const ring = radius * ((1 + RING) / 2);
    context.lineWidth = radius * (1 - RING);
    context.strokeStyle = this.#surface.colour("--surface-3");
    circle(context, ring);
    context.stroke();
    if (!this.#song) return;
    const mark = (colour: string, from: number, to: number) => {
      context.strokeStyle = colourOf(this.#surface, colour);
      context.beginPath();
      context.arc(0, 0, ring, from, to);
      context.stroke();
    };
    mark(deckColour(this.#deck), -Math.PI / 2, at(position));
    for (const { colour, time } of this.#flags) mark(colour, at(time) - 0.035, at(time) + 0.035);
    if (slip !== null) mark("--text", at(slip) - 0.03, at(slip) + 0.03);
  }

  #drawRecord(context: CanvasRenderingContext2D, radius: number, { position, slip }: DeckMoment): void {
    const colour = this.#surface.colour(deckColour(this.#deck));
    const outer = radius * (RING - 0.03);
    context.fillStyle = this.#surface.colour("--surface-2");
    circle(context, outer);
    context.fill();
    context.fillStyle = this.#surface.colour(this.#touched ? "--surface-3" : "--surface-1");
    circle(context, radius * RIM);
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = this.#surface.colour("--line");
    for (const part of [RIM, 0.7, 0.62, 0.54]) {
      circle(context, radius * part);
      context.stroke();
    }
    if (!this.#song) return;
    // Who asked for less motion sees the place on the rim and in figures; the record stands unless a hand turns it.
    const turn = this.#still.matches && !this.#touched ? 0 : position / TURN;
    context.save();
    context.rotate(turn * ROUND);
    context.fillStyle = this.#surface.colour("--line-strong");
    for (let i = 0; i < 24; i += 1) {
      context.rotate(ROUND / 24);
      context.fillRect(-1, -outer + 3, 2, radius * 0.06);
    }
    context.fillStyle = colour;
    const wide = Math.max(3, radius * 0.045);
    context.beginPath();
    context.roundRect(-wide / 2, -outer + 2, wide, outer - radius * LABEL - 2, wide / 2);
    context.fill();
    context.restore();
    if (slip === null) return;
    context.save();
    context.rotate((slip / TURN) * ROUND);
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(0, -radius * LABEL);
    context.lineTo(0, -outer + 2);
    context.stroke();
    context.restore();
  }

  #drawLabel(context: CanvasRenderingContext2D, radius: number, { position, tempo }: DeckMoment): void {
    context.fillStyle = this.#surface.colour("--surface-0");
    circle(context, radius * LABEL);
    context.fill();
    context.strokeStyle = this.#surface.colour(deckColour(this.#deck));
    context.lineWidth = 2;
    context.stroke();
    context.fillStyle = this.#surface.colour("--text");
    if (!this.#song) {
      lettering(this.#surface, Math.round(radius * 0.3), 700, "center");
      context.fillText(deckLetter(this.#deck), 0, 1);
      return;
    }
    lettering(this.#surface, Math.max(11, Math.round(radius * 0.2)), 700, "center");
    context.fillText(tempo?.toFixed(2) ?? "", 0, -radius * 0.07);
    context.font = this.#surface.font(Math.max(10, Math.round(radius * 0.14)));
    context.fillStyle = this.#surface.colour("--dim");
    context.fillText(`−${durationText(Math.max(0, this.#song.duration - position))}`, 0, radius * 0.17);
  }

  #listen(host: HTMLElement): void {
    const { decks, controls, signal } = this.#scene;
    const touch = `deck.${this.#deck}.jog.touch`;
    const turn = `deck.${this.#deck}.jog.turn`;
    let hand: { id: number; angle: number } | null = null;
    const place = (event: PointerEvent) => {
      const box = host.getBoundingClientRect();
      const x = event.clientX - box.left - box.width / 2;
      const y = event.clientY - box.top - box.height / 2;
      return { angle: Math.atan2(y, x), distance: Math.hypot(x, y) / (Math.min(box.width, box.height) / 2) };
    };
    const letGo = () => {
      hand = null;
      if (!this.#touched) return;
      this.#touched = false;
      controls.set(touch, 0, SOURCE);
      this.#touch();
    };
    host.addEventListener("pointerdown", (event) => {
      const { angle, distance } = place(event);
      if (event.button !== 0 || hand || distance > 1 || !decks.song(this.#deck)) return;
      hand = { id: event.pointerId, angle };
      host.setPointerCapture(event.pointerId);
      if (distance > RIM) return;
      this.#touched = true;
      controls.set(touch, 1, SOURCE);
      this.#touch();
    }, { signal });
    host.addEventListener("pointermove", (event) => {
      if (hand?.id !== event.pointerId) return;
      const { angle } = place(event);
      // The short way round.
      const by = Math.atan2(Math.sin(angle - hand.angle), Math.cos(angle - hand.angle)) / ROUND;
      hand.angle = angle;
      if (by !== 0) controls.nudge(turn, by, SOURCE);
    }, { signal });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
      host.addEventListener(end, (event) => {
        if (hand?.id === event.pointerId) letGo();
      }, { signal });
    }
    signal.addEventListener("abort", letGo, { once: true });
    ownWheel(host, (_event, by) => {
      if (decks.song(this.#deck)) controls.nudge(turn, -(by.y || by.x) * WHEEL_TURN, SOURCE);
    }, signal);
    host.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (way === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      controls.nudge(turn, way * KEY_TURN * (event.shiftKey ? 0.25 : 1), SOURCE);
    }, { signal });
  }
}

function circle(context: CanvasRenderingContext2D, radius: number): void {
  context.beginPath();
  context.arc(0, 0, radius, 0, ROUND);
}
