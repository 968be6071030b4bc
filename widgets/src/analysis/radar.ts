/** The features of one song, or of two, on a radar with their numbers beside it. */

import type { Clock } from "../clock/clock";
import { h, setText } from "../dom";
import { Surface } from "../waveform/surface";
import type { AnalysisData } from "./data";
import { type Feature, featuresOf } from "./features";
import { list } from "./words";

const TONES = ["--deck-a", "--deck-b"] as const;
const LETTERS = ["A", "B"] as const;
const RINGS = 4;
/** Room for the names around the radar, in px. */
const MARGIN = 34;

/** A corner of the radar: the axis `index` of `count` at a distance of 0 to 1 of the radius. */
export function corner(index: number, count: number, value: number, radius: number): [number, number] {
  const angle = (index / count) * 2 * Math.PI - Math.PI / 2;
  return [Math.cos(angle) * radius * value, Math.sin(angle) * radius * value];
}

/** The axis nearest to a place seen from the middle; -1 in the middle, where all are. */
export function axisAt(x: number, y: number, count: number, radius: number): number {
  if (count === 0 || Math.hypot(x, y) < 6 || Math.hypot(x, y) > radius + MARGIN + 20) return -1;
  const turn = (Math.atan2(y, x) + Math.PI / 2) / (2 * Math.PI);
  return ((Math.round(turn * count) % count) + count) % count;
}

export class Radar {
  readonly element: HTMLElement;
  readonly #surface: Surface;
  readonly #clock: Clock;
  readonly #table = h("table", { class: "sfa-an-features" });
  readonly #about = h("p", { class: "sfa-an-about", role: "status" });
  #songs: Feature[][] = [];
  #chosen = -1;
  #fresh = false;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    const host = h("div", { class: "sfa-an-radar-plot", "aria-hidden": "true" });
    this.element = h(
      "section", { class: "sfa-an-radar", "aria-label": "Features" },
      host, h("div", { class: "sfa-an-features-box" }, this.#table, this.#about),
    );
    this.#surface = new Surface(host, () => this.#touch(), signal);
    host.addEventListener("pointermove", (event) => {
      const box = host.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      this.#choose(axisAt(x, y, this.#songs[0]?.length ?? 0, this.#radius));
    }, { signal });
    host.addEventListener("pointerleave", () => this.#choose(-1), { signal });
    const rowOf = (event: Event) => (event.target instanceof Element ? event.target.closest("tr[data-axis]") : null);
    for (const name of ["pointerover", "focusin"]) {
      this.#table.addEventListener(name, (event) => {
        const row = rowOf(event);
        if (row instanceof HTMLElement) this.#choose(Number(row.dataset.axis));
      }, { signal });
    }
    for (const name of ["pointerleave", "focusout"]) this.#table.addEventListener(name, () => this.#choose(-1), { signal });
  }

  show(first: AnalysisData, second: AnalysisData | null): void {
    this.#songs = [featuresOf(first)];
    if (second?.analysis) this.#songs.push(featuresOf(second));
    this.#showTable();
    this.#chosen = -1;
    this.#showAbout();
    this.#touch();
  }

  /** The numbers in one sentence. */
  describe(): string {
    return `${list((this.#songs[0] ?? []).map(({ label, text }) => `${label.toLowerCase()} ${text}`))}.`;
  }

  draw(): void {
    const { context, width, height, ratio, visible } = this.#surface;
    if (this.#fresh || !context || !visible) return;
    this.#fresh = true;
    const surface = this.#surface;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const features = this.#songs[0] ?? [];
    const count = features.length;
    if (count === 0) return;
    context.translate(width / 2, height / 2);
    const radius = this.#radius;
    // What was not measured has no corner.
    const polygon = (values: (number | null)[]) => {
      context.beginPath();
      values.forEach((value, i) => {
        if (value !== null) context.lineTo(...corner(i, count, value, radius));
      });
      context.closePath();
    };
    context.lineWidth = 1;
    context.strokeStyle = surface.colour("--line");
    for (let ring = 1; ring <= RINGS; ring += 1) {
      polygon(features.map(() => ring / RINGS));
      context.stroke();
    }
    context.textBaseline = "middle";
    features.forEach((feature, i) => {
      const chosen = i === this.#chosen;
      const [x, y] = corner(i, count, 1, radius);
      context.strokeStyle = surface.colour(chosen ? "--text" : "--line");
      context.beginPath();
      context.moveTo(0, 0);
      context.lineTo(x, y);
      context.stroke();
      const [nameX, nameY] = corner(i, count, 1, radius + 9);
      context.textAlign = Math.abs(nameX) < 8 ? "center" : nameX > 0 ? "left" : "right";
      context.font = surface.font(11, chosen ? 700 : 500);
      context.fillStyle = surface.colour(chosen ? "--text" : "--dim");
      const unknown = this.#songs.every((song) => (song[i]?.value ?? null) === null);
      context.fillText(unknown ? `${feature.label} –` : feature.label, nameX, nameY + (Math.abs(nameX) < 8 ? Math.sign(nameY) * 4 : 0));
    });
    this.#songs.forEach((song, index) => {
      const tone = surface.colour(TONES[index] as string);
      polygon(song.map(({ value }) => value));
      context.fillStyle = tone;
      context.globalAlpha = 0.22;
      context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = tone;
      context.lineWidth = 2;
      // The second song is dashed: not colour alone tells them apart.
      if (index === 1) context.setLineDash([6, 4]);
      context.stroke();
      context.setLineDash([]);
      song.forEach(({ value }, i) => {
        if (value === null) return;
        const [x, y] = corner(i, count, value, radius);
        context.fillStyle = tone;
        context.beginPath();
        context.arc(x, y, i === this.#chosen ? 5 : 3, 0, 7);
        context.fill();
      });
    });
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  get #radius(): number {
    const { width, height } = this.#surface;
    return Math.max(20, Math.min(width / 2 - 78, height / 2 - MARGIN + 6));
  }

  #choose(axis: number): void {
    if (axis === this.#chosen) return;
    this.#chosen = axis;
    for (const row of this.#table.querySelectorAll<HTMLElement>("tr[data-axis]")) {
      row.classList.toggle("is-chosen", Number(row.dataset.axis) === axis);
    }
    this.#showAbout();
    this.#touch();
  }

  #showAbout(): void {
    const feature = this.#songs[0]?.[this.#chosen];
    const numbers = this.#songs.map((song, i) => {
      const text = song[this.#chosen]?.text ?? "";
      return this.#songs.length > 1 ? `${LETTERS[i]} ${text}` : text;
    });
    setText(this.#about, feature ? `${feature.label} ${numbers.join(", ")}. ${feature.about}` : "Point at a feature to see what it says.");
  }

  #showTable(): void {
    const two = this.#songs.length > 1;
    const rows = (this.#songs[0] ?? []).map((feature, axis) => h(
      "tr", { "data-axis": axis },
      h("th", { scope: "row" }, feature.label),
      h("td", { class: "sfa-an-bars" }, ...this.#songs.map((song, i) => {
        const bar = h("i", { class: (song[axis]?.value ?? null) === null ? "is-unknown" : "" });
        bar.style.setProperty("--value", String(song[axis]?.value ?? 0));
        bar.style.setProperty("--tone", `var(${TONES[i]})`);
        return bar;
      })),
      ...this.#songs.map((song) => h("td", { class: "is-number" }, song[axis]?.text ?? "–")),
    ));
    this.#table.replaceChildren(
      h("caption", { class: "sfa-sr" }, "Features with their numbers"),
      h(
        "thead", { class: two ? "" : "sfa-sr" },
        h("tr", {}, h("th", { scope: "col" }, two ? "" : "Feature"), h("td"), ...this.#songs.map((_, i) => h("th", { scope: "col", class: "is-number" }, two ? (LETTERS[i] as string) : "Value"))),
      ),
      h("tbody", {}, ...rows),
    );
  }

  #touch(): void {
    this.#fresh = false;
    this.#clock.wake();
  }
}
