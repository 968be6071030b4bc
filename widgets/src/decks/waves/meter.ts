/** An upright stereo level meter as mixers have it: lamps, a peak that is held, a red one for too loud. */

import type { Clock } from "../../clock/clock";
import { measure } from "../../format";
import { Surface } from "../../waveform/surface";

/** dBFS at the bottom; lamps turn amber and red. */
const FLOOR = -42;
const AMBER = -9;
const RED = -3;
const CLIP = -0.05;
/** dB a second that a level falls by: that of a quasi-peak meter. */
const FALL = 24;
/** ms. */
const HOLD = 1200;
const CLIPPED = 2000;
/** Height of a lamp and the gap to the next, in CSS pixels. */
const LAMP = 3;
const GAP = 1;

export interface LevelMeterOptions {
  clock: Clock;
  signal: AbortSignal;
  label: string;
  /** Peaks since the last time, linear, and VU levels where they are known: peaks are then drawn paler above them. */
  read(): { left: number; right: number; vuLeft?: number; vuRight?: number };
}

interface Side {
  /** dBFS. */
  level: number;
  /** dBFS; null where only peaks are known. */
  vu: number | null;
  held: number;
  heldSince: number;
  /** ms; when it was last too loud. */
  clipped: number;
}

const quiet = (): Side => ({ level: FLOOR, vu: null, held: FLOOR, heldSince: 0, clipped: Number.NEGATIVE_INFINITY });

export class LevelMeter {
  readonly #surface: Surface;
  readonly #options: LevelMeterOptions;
  readonly #sides = [quiet(), quiet()] as const;
  #last = 0;
  #said = 0;
  #drawn = "";

  constructor(host: HTMLElement, options: LevelMeterOptions) {
    this.#options = options;
    host.setAttribute("role", "meter");
    host.setAttribute("aria-label", options.label);
    host.setAttribute("aria-valuemin", String(FLOOR));
    host.setAttribute("aria-valuemax", "0");
    this.#surface = new Surface(host, () => {
      this.#drawn = "";
      options.clock.wake();
    }, options.signal);
    options.clock.subscribe((now) => this.#draw(now), options.signal);
  }

  /** True while a lamp is still to go out. */
  #draw(now: number): boolean {
    const { context, width, height, ratio, visible } = this.#surface;
    if (!context || !visible) return false;
    const { left, right, vuLeft, vuRight } = this.#options.read();
    const elapsed = Math.min(0.1, Math.max(0, (now - this.#last) / 1000));
    this.#last = now;
    follow(this.#sides[0], left, now, elapsed);
    follow(this.#sides[1], right, now, elapsed);
    this.#sides[0].vu = vuLeft === undefined ? null : decibels(vuLeft);
    this.#sides[1].vu = vuRight === undefined ? null : decibels(vuRight);
    this.#say(now);
    const lamps = Math.floor(height / (LAMP + GAP));
    const at = (level: number) => Math.round(((level - FLOOR) / -FLOOR) * lamps);
    const moving = this.#sides.some(({ held, clipped }) => held > FLOOR || now - clipped < CLIPPED);
    const state = this.#sides.map((side) => `${at(side.level)} ${at(side.vu ?? FLOOR)} ${at(side.held)} ${now - side.clipped < CLIPPED}`).join();
    if (state === this.#drawn) return moving;
    this.#drawn = state;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const wide = Math.max(3, Math.floor((width - 2) / 2));
    this.#column(context, 0, wide, lamps, at, this.#sides[0], now);
    this.#column(context, width - wide, wide, lamps, at, this.#sides[1], now);
    return moving;
  }

  #column(context: CanvasRenderingContext2D, x: number, wide: number, lamps: number, at: (level: number) => number, side: Side, now: number): void {
    const { height } = this.#surface;
    const lit = at(side.level);
    const full = side.vu === null ? lit : Math.min(lit, at(side.vu));
    const held = at(side.held);
    const clipped = now - side.clipped < CLIPPED;
    for (let lamp = 0; lamp < lamps; lamp += 1) {
      const level = FLOOR + ((lamp + 0.5) / lamps) * -FLOOR;
      const top = lamp === lamps - 1;
      const on = lamp < lit || (lamp === held - 1 && held > 0) || (top && clipped);
      context.fillStyle = this.#surface.colour(level >= RED ? "--danger" : level >= AMBER ? "--warn" : "--ok");
      context.globalAlpha = !on ? 0.16 : lamp >= full && lamp < lit ? 0.5 : 1;
      context.fillRect(x, height - (lamp + 1) * (LAMP + GAP), wide, LAMP);
    }
    context.globalAlpha = 1;
  }

  #say(now: number): void {
    if (now - this.#said < 500) return;
    this.#said = now;
    const level = Math.round(Math.max(this.#sides[0].level, this.#sides[1].level));
    const { host } = this.#surface;
    if (host.getAttribute("aria-valuenow") === String(level)) return;
    host.setAttribute("aria-valuenow", String(level));
    host.setAttribute("aria-valuetext", level <= FLOOR ? "silent" : measure(level, "dBFS", 0));
  }
}

function decibels(gain: number): number {
  return Math.max(FLOOR, Math.min(0, 20 * Math.log10(gain + 1e-9)));
}

function follow(side: Side, peak: number, now: number, elapsed: number): void {
  const level = decibels(peak);
  side.level = Math.max(level, side.level - FALL * elapsed);
  if (level >= CLIP) side.clipped = now;
  if (level >= side.held) {
    side.held = level;
    side.heldSince = now;
  } else if (now - side.heldSince > HOLD) {
    side.held = Math.max(level, side.held - FALL * elapsed);
  }
}
