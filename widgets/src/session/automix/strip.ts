/** A picture of a whole mix: each song on its deck's lane, where it is heard, with its energy; where two lie above each other they are mixed. */

import { h } from "../../dom";
import { duration } from "../../format";
import type { AutoMixPlan } from "../../types";
import { Surface } from "../../waveform/surface";

const LANES = 2;
const GAP = 4;
/** Below the lanes, in px: the times. */
const SCALE = 16;
/** Distances of the marks of time, in s. */
const STEPS = [10, 30, 60, 120, 300, 600, 1800, 3600];
/** Least distance of two marks, in px. */
const APART = 64;

export interface StripState {
  /** The deck that a song is on. */
  deck(song: number): number;
  /** Where each song that sounds is, in s of the mix. */
  heads(): readonly { deck: number; time: number }[];
}

export class MixStrip {
  readonly element = h("div", { class: "sfa-ss-strip", role: "img" });
  readonly #surface: Surface;
  readonly #state: StripState;
  readonly #heads = Array.from({ length: LANES }, () => h("i", { class: "sfa-ss-playhead", hidden: true }));
  #plan: AutoMixPlan | null = null;

  constructor(state: StripState, signal: AbortSignal) {
    this.#state = state;
    this.#surface = new Surface(this.element, () => this.draw(), signal);
    this.element.append(...this.#heads);
  }

  show(plan: AutoMixPlan | null): void {
    this.#plan = plan;
    this.element.hidden = plan === null;
    if (!plan) return;
    this.element.setAttribute("aria-label", `The mix: ${plan.tracks.length} songs, ${duration(plan.duration)}`);
    this.#surface.measure();
    this.draw();
  }

  /** Moves the playheads. */
  move(): void {
    const heads = this.#state.heads();
    const plan = this.#plan;
    this.#heads.forEach((head, lane) => {
      const at = heads.find(({ deck }) => deck === lane + 1);
      head.hidden = !at || !plan;
      if (!at || !plan) return;
      const { top, height } = this.#lane(lane);
      head.style.transform = `translate(${(at.time / plan.duration) * this.#surface.width}px, ${top}px)`;
      head.style.height = `${height}px`;
    });
  }

  #lane(lane: number): { top: number; height: number } {
    const height = (this.#surface.height - SCALE - GAP) / LANES;
    return { top: lane * (height + GAP), height };
  }

  draw(): void {
    const plan = this.#plan;
    const surface = this.#surface;
    const { context, width, height, ratio } = surface;
    if (!plan || !context || !surface.visible) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const x = (time: number) => (time / plan.duration) * width;
    // Where two songs sound, across both lanes.
    context.fillStyle = surface.colour("--surface-3");
    plan.songs.slice(1).forEach(({ start }, at) => {
      const end = plan.songs[at]?.end ?? start;
      context.fillRect(x(start), 0, Math.max(1, x(end) - x(start)), height - SCALE);
    });
    plan.songs.forEach((song, place) => {
      const deck = this.#state.deck(place);
      const { top, height: tall } = this.#lane(deck - 1);
      const left = x(song.start);
      const wide = Math.max(2, x(song.end) - left);
      context.globalAlpha = 0.22;
      context.fillStyle = surface.colour(deck === 1 ? "--deck-a" : "--deck-b");
      context.fillRect(left, top, wide, tall);
      context.globalAlpha = 1;
      this.#energy(song.energy, song, place, left, wide, top, tall);
      this.#name(`${place + 1}  ${plan.tracks[place]?.title ?? ""}`, left, wide, top);
    });
    this.#times(plan.duration, x, height);
  }

  #energy(energy: readonly number[], song: { from: number; to: number }, place: number, left: number, wide: number, top: number, tall: number): void {
    const context = this.#surface.context as CanvasRenderingContext2D;
    const length = this.#plan?.tracks[place]?.duration ?? song.to;
    if (energy.length < 2 || length <= 0) return;
    context.beginPath();
    context.moveTo(left, top + tall);
    for (let px = 0; px <= wide; px += 1) {
      const at = (song.from + ((song.to - song.from) * px) / wide) / length;
      const value = energy[Math.min(energy.length - 1, Math.max(0, Math.floor(at * energy.length)))] as number;
      context.lineTo(left + px, top + tall - Math.max(1, value * (tall - 15)));
    }
    context.lineTo(left + wide, top + tall);
    context.closePath();
    context.fill();
  }

  #name(text: string, left: number, wide: number, top: number): void {
    if (wide < 24) return;
    const context = this.#surface.context as CanvasRenderingContext2D;
    context.save();
    context.beginPath();
    context.rect(left, top, wide - 4, 15);
    context.clip();
    context.fillStyle = this.#surface.colour("--text");
    context.font = this.#surface.font(11);
    context.textBaseline = "top";
    context.fillText(text, left + 4, top + 3);
    context.restore();
  }

  #times(seconds: number, x: (time: number) => number, height: number): void {
    const context = this.#surface.context as CanvasRenderingContext2D;
    const step = STEPS.find((some) => x(some) >= APART) ?? 7200;
    context.font = this.#surface.font(11);
    context.textBaseline = "bottom";
    for (let time = 0; time < seconds; time += step) {
      context.fillStyle = this.#surface.colour("--line-strong");
      context.fillRect(x(time), height - SCALE, 1, 4);
      if (x(time) + 40 > this.#surface.width) break;
      context.fillStyle = this.#surface.colour("--dim");
      context.fillText(duration(time), x(time) + 3, height);
    }
  }
}
