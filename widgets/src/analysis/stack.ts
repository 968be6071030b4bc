/** The lanes over each other on one time axis: hovering, clicking, marking, zooming, and the playhead over all. */

import { h, setAttribute, setText } from "../dom";
import { duration, position as clockText } from "../format";
import type { PlayerModel } from "../player/model";
import { draggable } from "../waveform/gestures";
import { snap } from "../waveform/grid";
import { ordered } from "../waveform/overview";
import type { Range } from "../waveform/song";
import { Surface } from "../waveform/surface";
import { labelStep, TimeAxis } from "./axis";
import type { AnalysisData } from "./data";
import { Lane } from "./lane";
import type { Picture, PictureName } from "./picture";
import { ChromaPicture } from "./pictures/chroma";
import { EnergyPicture } from "./pictures/energy";
import { GridPicture } from "./pictures/grid";
import { MfccPicture } from "./pictures/mfcc";
import { SpectrumPicture } from "./pictures/spectrum";
import { StructurePicture } from "./pictures/structure";
import { bars, barsIn, covering, place, sectionName } from "./words";

const MADE: Record<Exclude<PictureName, "features">, new (data: AnalysisData) => Picture> = {
  structure: StructurePicture, grid: GridPicture, energy: EnergyPicture, chroma: ChromaPicture,
  spectrum: SpectrumPicture, mfcc: MfccPicture,
};
const ZOOM = 1.6;
/** While the song plays the numbers change this often, in ms: they are to be read. */
const TELL_MS = 100;

export interface StackOptions {
  model: PlayerModel;
  data: AnalysisData;
  /** The song that is compared; it has data only while one is. */
  other: AnalysisData;
  signal: AbortSignal;
  /** The user zoomed or scrolled. */
  viewed(): void;
}

export class LaneStack {
  readonly element: HTMLElement;
  readonly axis: TimeAxis;
  /** What to add to a time of the song to get the compared one's, in s. */
  shift = 0;
  readonly #options: StackOptions;
  readonly #top: HTMLElement;
  readonly #readout = h("p", { class: "sfa-an-readout" });
  readonly #ruler = h("div", {
    class: "sfa-an-ruler", role: "slider", tabindex: 0, "aria-label": "Position in the song", "aria-valuemin": 0,
    title: "Drag to mark a range",
  });
  readonly #surface: Surface;
  readonly #lanesHost = h("div", { class: "sfa-an-lanes" });
  readonly #over = h("div", { class: "sfa-an-over", "aria-hidden": "true" });
  readonly #heads: HTMLElement[];
  readonly #ranges: HTMLElement[];
  readonly #hoverLine = h("i", { class: "sfa-an-hover" });
  #lanes: Lane[] = [];
  #lanesEnd: AbortController | null = null;
  #shown = "";
  #hover: { time: number; lane: Lane | null; y: number } | null = null;
  #axisFresh = false;
  /** The user looks at another place than the one that plays. */
  #away = false;
  #range: Range | null = null;
  #headX = Number.NaN;
  #told = 0;
  #toldTime = Number.NaN;
  #spoken = -1;

  constructor(options: StackOptions) {
    const { model, signal } = options;
    this.#options = options;
    this.axis = new TimeAxis(() => {
      this.#axisFresh = false;
      model.engine.clock.wake();
    });
    const rulerOver = h("div", { class: "sfa-an-ruler-over", "aria-hidden": "true" });
    this.#heads = [this.#over, rulerOver].map((host) => host.appendChild(h("i", { class: "sfa-an-head" })));
    this.#ranges = [this.#over, rulerOver].map((host) => host.appendChild(h("div", { class: "sfa-an-range" }, h("span"))));
    this.#over.append(this.#hoverLine);
    this.#top = h(
      "div", { class: "sfa-an-top" }, this.#readout, h("div", { class: "sfa-an-ruler-row" }, this.#ruler),
    );
    this.element = h("div", { class: "sfa-an-stack" }, this.#top, this.#lanesHost, this.#over);
    this.#surface = new Surface(this.#ruler, () => {
      this.axis.resize(this.#ruler.clientWidth);
      this.#axisFresh = false;
      model.engine.clock.wake();
    }, signal);
    this.#ruler.append(rulerOver);
    this.#listen();
  }

  /** Shows these pictures, of one song or of two. */
  show(pictures: readonly PictureName[], comparing: boolean): void {
    const { data, other, model } = this.#options;
    const names = pictures.filter((name): name is Exclude<PictureName, "features"> => name !== "features");
    const shown = `${names.join()} ${comparing}`;
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#lanesEnd?.abort();
      const end = (this.#lanesEnd = new AbortController());
      this.#options.signal.addEventListener("abort", () => end.abort(), { once: true, signal: end.signal });
      this.#lanes = names.flatMap((name) => {
        const songs = comparing ? [[data, "A"], [other, "B"]] as const : [[data, ""]] as const;
        return songs.map(([song, letter]) => new Lane(new MADE[name](song), this.axis, model.engine.clock, letter, end.signal));
      });
      this.#lanesHost.replaceChildren(...this.#lanes.map(({ element }) => element));
    }
    this.element.classList.toggle("is-bare", names.length === 0);
    this.update(comparing);
  }

  /** The data are others, or are laid over each other differently. */
  update(comparing: boolean): void {
    const { data, other } = this.#options;
    this.axis.resize(this.#ruler.clientWidth);
    const from = comparing ? Math.min(0, -this.shift) : 0;
    const to = comparing ? Math.max(data.duration, other.duration - this.shift) : data.duration;
    this.axis.reach(from, to);
    setAttribute(this.#ruler, "aria-valuemax", Math.floor(data.duration));
    for (const lane of this.#lanes) {
      lane.shift = lane.picture.data === other ? this.shift : 0;
      lane.update();
    }
    this.#axisFresh = false;
    this.#toldTime = Number.NaN;
    this.setRange(this.#options.model.range);
  }

  setRange(range: Range | null): void {
    this.#range = range;
    this.#axisFresh = false;
    this.#options.model.engine.clock.wake();
  }

  zoom(factor: number): void {
    const head = this.axis.x(this.#options.model.heard);
    this.#zoomAround(factor, head >= 0 && head <= this.axis.width ? head : this.axis.width / 2);
  }

  /** Draws a frame; only the playhead moves where nothing else changed. */
  draw(now: number): void {
    const { model } = this.#options;
    const time = model.heard;
    const seen = time >= this.axis.start && time <= this.axis.end;
    if (seen) this.#away = false;
    else if (model.playing && !this.#away) this.axis.follow(time);
    const changed = !this.#axisFresh;
    if (changed) {
      this.#axisFresh = true;
      this.#paintRuler();
      this.#placeRange();
      for (const lane of this.#lanes) lane.touch();
    }
    for (const lane of this.#lanes) lane.draw();
    const x = Math.round(this.axis.x(time) * this.#surface.ratio) / this.#surface.ratio;
    if (x !== this.#headX) {
      this.#headX = x;
      const hidden = x < -8 || x > this.axis.width + 8;
      for (const head of this.#heads) {
        head.hidden = hidden;
        head.style.transform = `translateX(${x}px)`;
      }
    }
    if (changed || now - this.#told >= TELL_MS) this.#tell(now, changed);
  }

  #tell(now: number, force: boolean): void {
    const { data, model } = this.#options;
    const time = this.#hover?.time ?? model.heard;
    if (!force && time === this.#toldTime) return;
    this.#told = now;
    this.#toldTime = time;
    for (const lane of this.#lanes) lane.tell(time);
    setText(this.#readout, this.#words(time));
    const second = Math.floor(model.heard);
    if (second !== this.#spoken) {
      this.#spoken = second;
      setAttribute(this.#ruler, "aria-valuenow", second);
      setAttribute(this.#ruler, "aria-valuetext", `${duration(second)} of ${duration(data.duration)}`);
    }
  }

  /** Where this is, and what the lane under the pointer says there. */
  #words(time: number): string {
    const lane = this.#hover?.lane ?? null;
    const song = lane?.picture.data ?? this.#options.data;
    const own = time + (lane?.shift ?? 0);
    const where = place(song.analysis, own);
    const letter = this.#shown.endsWith("true") ? (song === this.#options.data ? "A " : "B ") : "";
    if (lane && this.#hover) {
      const words = own < 0 || own > song.duration ? "outside of this song" : lane.picture.words(own, this.#hover.y);
      return [`${letter}${where}`, words].filter(Boolean).join(" · ");
    }
    const section = covering(song.analysis?.sections ?? [], own);
    return [`${letter}${where}`, section && sectionName(section)].filter(Boolean).join(" · ");
  }

  #paintRuler(): void {
    const { context, width, height, ratio, visible } = this.#surface;
    if (!context || !visible) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const step = labelStep(this.axis.secondsPerPixel, 56);
    const ticks = step / 5;
    context.font = this.#surface.font(10);
    context.textAlign = "left";
    context.textBaseline = "middle";
    const { duration: last } = this.#options.data;
    for (let i = Math.ceil(this.axis.start / ticks - 1e-9); i * ticks <= this.axis.end; i += 1) {
      const time = i * ticks;
      const x = Math.round(this.axis.x(time));
      const main = i % 5 === 0;
      const inside = time >= 0 && time <= last;
      context.fillStyle = this.#surface.colour(main ? "--line-strong" : "--line");
      context.fillRect(x, height - (main ? 9 : 5), 1, main ? 9 : 5);
      if (!main || x > width - 24) continue;
      context.globalAlpha = inside ? 1 : 0.45;
      context.fillStyle = this.#surface.colour("--dim");
      const text = step < 1 ? clockText(Math.abs(time)) : duration(Math.abs(time));
      context.fillText(time < 0 ? `−${text}` : text, x + 4, height / 2 - 1);
      context.globalAlpha = 1;
    }
  }

  #placeRange(): void {
    const range = this.#range;
    for (const element of this.#ranges) {
      element.hidden = range === null;
      if (!range) continue;
      const from = this.axis.x(range.start);
      element.style.transform = `translateX(${from}px)`;
      element.style.width = `${Math.max(2, this.axis.x(range.end) - from)}px`;
    }
    const label = this.#ranges[1]?.firstElementChild;
    if (label && range) setText(label, this.rangeWords(range));
  }

  /** "4 bars, 7.5 s". */
  rangeWords(range: Range): string {
    const { beats = [], beats_per_bar: metre = 4 } = this.#options.data.analysis ?? {};
    const count = barsIn(beats, range.start, range.end);
    const seconds = `${(range.end - range.start).toFixed(1)} s`;
    if (count === 0) return seconds;
    return `${count % metre === 0 ? bars(count / metre) : count === 1 ? "1 beat" : `${count} beats`}, ${seconds}`;
  }

  #zoomAround(factor: number, x: number): void {
    this.axis.zoom(factor, x);
    this.#moved();
  }

  #moved(): void {
    const { heard } = this.#options.model;
    this.#away = heard < this.axis.start || heard > this.axis.end;
    this.#options.viewed();
  }

  #listen(): void {
    const { model, data, signal } = this.#options;
    const { clock } = model.engine;
    const inSong = (time: number) => Math.max(0, Math.min(data.duration, time));
    const onGrid = (time: number, event: PointerEvent) =>
      // Alt leaves the grid, as in any editor.
      inSong(event.altKey ? time : snap(data.analysis?.beats ?? [], time));
    const left = () => this.#ruler.getBoundingClientRect().left;

    for (const host of [this.#ruler, this.#lanesHost]) {
      const onRuler = host === this.#ruler;
      const offset = () => (onRuler ? 0 : left() - host.getBoundingClientRect().left);
      let hand: { x: number; anchor: number | null; last: number } | null = null;
      draggable(host, {
        start: (x, _y, event) => {
          const plot = event.target instanceof Element && (onRuler || event.target.closest(".sfa-an-plot"));
          if (!plot || data.duration <= 0) return false;
          const place = x - offset();
          hand = { x: place, last: place, anchor: event.shiftKey || onRuler ? onGrid(this.axis.time(place), event) : null };
          return true;
        },
        move: (x, _y, event) => {
          if (!hand) return;
          const place = x - offset();
          if (hand.anchor !== null) model.setRange(ordered(hand.anchor, onGrid(this.axis.time(place), event)));
          else if (this.axis.whole) model.scrub(inSong(this.axis.time(place)), false);
          else {
            this.axis.scroll(hand.last - place);
            this.#moved();
          }
          hand.last = place;
        },
        end: (_x, _y, event, moved, cancelled) => {
          const was = hand;
          hand = null;
          if (!was || cancelled) return;
          if (!moved && was.anchor !== null && event.shiftKey) model.setRange(null);
          else if (!moved) model.seek(inSong(this.axis.time(was.x)));
          else if (was.anchor === null && this.axis.whole) model.scrub(inSong(this.axis.time(was.last)), true);
        },
        pinch: (factor, x) => this.#zoomAround(1 / factor, x - offset()),
      }, signal);
    }

    this.element.addEventListener("wheel", (event) => {
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const across = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
      if (event.ctrlKey) {
        this.#zoomAround(Math.exp(event.deltaY * unit * 0.006), event.clientX - left());
      } else if (!this.axis.whole && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
        this.axis.scroll(across * unit);
        this.#moved();
      } else {
        return; // the page scrolls
      }
      event.preventDefault();
    }, { passive: false, signal });

    const point = (event: PointerEvent) => {
      if (event.pointerType === "touch" && event.type === "pointermove") return;
      const x = event.clientX - left();
      // While a hand drags, all events go to the host that was pressed.
      const held = event.buttons > 0 ? this.#hover : null;
      const lane = this.#laneAt(event.target) ?? held?.lane ?? null;
      const over = lane !== null || held !== null || (event.target instanceof Node && this.#ruler.contains(event.target));
      if (!over || x < 0 || x > this.axis.width) this.#setHover(null);
      else {
        const box = lane?.plot.getBoundingClientRect();
        this.#setHover({ time: this.axis.time(x), lane, y: box ? (event.clientY - box.top) / box.height : 0 });
        this.#hoverLine.style.transform = `translateX(${Math.round(x)}px)`;
      }
      clock.wake();
    };
    this.element.addEventListener("pointermove", point, { signal });
    this.element.addEventListener("pointerdown", point, { signal });
    this.element.addEventListener("pointerleave", () => {
      this.#setHover(null);
      clock.wake();
    }, { signal });
    this.#lanesHost.addEventListener("dblclick", (event) => {
      const lane = this.#laneAt(event.target);
      if (!lane) return;
      const box = lane.plot.getBoundingClientRect();
      const hit = lane.picture.hit(this.axis.time(event.clientX - box.left) + lane.shift, (event.clientY - box.top) / box.height);
      if (!hit?.range) return;
      model.setRange({ start: hit.range.start - lane.shift, end: hit.range.end - lane.shift });
    }, { signal });

    this.element.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const { key } = event;
      if (key === "+" || key === "=") this.zoom(1 / ZOOM);
      else if (key === "-") this.zoom(ZOOM);
      else if (key === "0") this.axis.showAll();
      else if (key === "PageUp" || key === "PageDown") {
        if (this.axis.whole) return;
        this.axis.scroll((key === "PageDown" ? 0.8 : -0.8) * this.axis.width);
        this.#moved();
      } else if (key === "Escape" && model.range) model.setRange(null);
      else return;
      event.preventDefault();
    }, { signal });
  }

  #laneAt(target: EventTarget | null): Lane | null {
    if (!(target instanceof Element) || !target.closest(".sfa-an-plot")) return null;
    return this.#lanes.find(({ element }) => element.contains(target)) ?? null;
  }

  #setHover(hover: { time: number; lane: Lane | null; y: number } | null): void {
    this.#hover = hover;
    this.#hoverLine.hidden = hover === null;
    this.#toldTime = Number.NaN;
    this.#told = 0;
    for (const lane of this.#lanes) {
      const time = hover?.lane === lane ? hover.time + lane.shift : null;
      if (lane.picture instanceof StructurePicture && lane.picture.point(time)) lane.touch();
    }
  }
}
