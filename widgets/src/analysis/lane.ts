/** One picture on its canvas, with its name, legend and scale; painted anew only when what it shows is another. */

import type { Clock } from "../clock/clock";
import { h, setAttribute, setText, uniqueId } from "../dom";
import { Surface } from "../waveform/surface";
import type { TimeAxis } from "./axis";
import type { Pen, Picture, Value } from "./picture";

export class Lane {
  readonly element: HTMLElement;
  readonly picture: Picture;
  /** Add this to a time of the axis to get the song's own, in s. */
  shift = 0;
  readonly #axis: TimeAxis;
  readonly #clock: Clock;
  readonly #plot: HTMLElement;
  readonly #surface: Surface;
  readonly #scale: Surface;
  readonly #name: HTMLElement;
  readonly #legend = h("dl", { class: "sfa-an-legend" });
  readonly #missing = h("p", { class: "sfa-an-missing" });
  readonly #summary: HTMLElement;
  #values: HTMLElement[] = [];
  #shape = "";
  #fresh = false;
  #scaled = false;

  /** `letter` tells the songs apart where two are compared. */
  constructor(picture: Picture, axis: TimeAxis, clock: Clock, letter: string, signal: AbortSignal) {
    this.picture = picture;
    this.#axis = axis;
    this.#clock = clock;
    const summary = uniqueId("picture");
    this.#summary = h("p", { class: "sfa-sr", id: summary });
    this.#plot = h("div", {
      class: "sfa-an-plot", tabindex: 0, role: "img", "aria-label": letter ? `${picture.title}, song ${letter}` : picture.title,
      "aria-describedby": summary,
    }, this.#missing);
    const scale = h("div", { class: "sfa-an-scale", "aria-hidden": "true" });
    const badge = letter ? h("b", { class: `sfa-an-letter is-${letter.toLowerCase()}` }, letter) : null;
    this.#name = h("h3", {}, badge, picture.title);
    this.element = h(
      "section", { class: letter === "B" ? "sfa-an-lane is-second" : "sfa-an-lane", "data-picture": picture.name },
      h("div", { class: "sfa-an-gutter" }, this.#name, this.#legend), scale, this.#plot, this.#summary,
    );
    this.#surface = new Surface(this.#plot, () => this.touch(), signal);
    this.#scale = new Surface(scale, () => {
      this.#scaled = false;
      clock.wake();
    }, signal);
    this.update();
  }

  get plot(): HTMLElement {
    return this.#plot;
  }

  /** Its data are others. */
  update(): void {
    const missing = this.picture.missing();
    this.#plot.style.height = `${missing === null ? this.picture.height : 44}px`;
    this.#plot.classList.toggle("is-missing", missing !== null);
    setText(this.#missing, missing ?? "");
    setText(this.#summary, missing ?? this.picture.describe());
    setAttribute(this.#name, "title", missing ?? this.picture.describe());
    this.#scaled = false;
    this.touch();
  }

  /** What it shows is another part or looks different. */
  touch(): void {
    this.#fresh = false;
    this.#clock.wake();
  }

  /** The legend says what holds at a time of the axis. */
  tell(time: number): void {
    if (this.picture.missing() !== null) {
      this.#legend.replaceChildren();
      this.#shape = "";
      return;
    }
    const values = this.picture.values(time + this.shift);
    const shape = values.map(({ label, tone, line }) => `${label}${tone}${line}`).join();
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#legend.replaceChildren(...values.map((value) => entry(value)));
      this.#values = [...this.#legend.querySelectorAll("dd")];
    }
    values.forEach(({ text }, i) => setText(this.#values[i] as HTMLElement, text));
  }

  draw(): void {
    const { picture } = this;
    if (!this.#fresh && this.#surface.visible) {
      this.#fresh = true;
      const pen = this.#pen(this.#surface);
      if (pen && picture.missing() === null) picture.paint(pen);
    }
    if (!this.#scaled && this.#scale.visible) {
      this.#scaled = true;
      const pen = this.#pen(this.#scale);
      if (pen && picture.missing() === null) picture.paintScale(pen);
    }
  }

  #pen(surface: Surface): Pen | null {
    const { context, width, height, ratio, canvas } = surface;
    if (!context) return null;
    const axis = this.#axis;
    const start = axis.start + this.shift;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.globalAlpha = 1;
    return {
      context, width, height, ratio, start,
      end: axis.end + this.shift,
      view: { start, step: axis.secondsPerPixel / ratio, width: canvas.width },
      x: (time) => axis.x(time - this.shift),
      colour: (name) => surface.colour(name),
      rgb: (name) => surface.rgb(name),
      font: (size, weight) => surface.font(size, weight),
    };
  }
}

function entry({ label, tone, line }: Value): HTMLElement {
  const swatch = tone ? h("i", { class: `is-${line ?? "solid"}`, "aria-hidden": "true" }) : null;
  if (tone) swatch?.style.setProperty("--tone", `var(${tone})`);
  return h("div", {}, h("dt", {}, swatch, label), h("dd"));
}
