/** Where the sound's weight lies: centroid with bandwidth, and rolloff, on a scale of octaves. */

import { stripOf } from "../columns";
import { fillStrip, type Pen, Picture, strokeStrip, type Value } from "../picture";
import { hertz } from "../words";

const LOWEST = 60;
const HIGHEST = 16_000;
const LINES = [100, 200, 500, 1000, 2000, 5000, 10_000];
const LABELS: Record<number, string> = { 100: "100 Hz", 500: "500", 1000: "1 kHz", 2000: "2 k", 5000: "5 k", 10_000: "10 kHz" };

export class SpectrumPicture extends Picture {
  readonly name = "spectrum";
  readonly height = 112;

  missing(): string | null {
    return this.data.curve("centroid") || this.data.curve("rolloff") ? null : "No spectral curves are stored.";
  }

  paint(pen: Pen): void {
    const { context } = pen;
    context.fillStyle = pen.colour("--line");
    for (const line of LINES) context.fillRect(0, Math.round(this.#y(line)), pen.width, 1);
    const centroid = this.data.curve("centroid");
    const bandwidth = this.data.curve("bandwidth");
    const rolloff = this.data.curve("rolloff");
    const y = (value: number) => this.#y(value);
    const middle = centroid && stripOf(centroid, 0, pen.view);
    if (middle && bandwidth) {
      const half = stripOf(bandwidth, 0, pen.view).mean.map((value) => value / 2);
      context.fillStyle = pen.colour("--deck-c");
      context.globalAlpha = 0.22;
      fillStrip(pen, middle.mean.map((value, x) => value + (half[x] as number)), middle.mean.map((value, x) => Math.max(LOWEST, value - (half[x] as number))), y);
      context.globalAlpha = 1;
    }
    context.lineWidth = 1;
    if (rolloff) {
      const { mean, low, high } = stripOf(rolloff, 0, pen.view);
      context.fillStyle = pen.colour("--deck-d");
      context.globalAlpha = 0.2;
      fillStrip(pen, high, low, y);
      context.globalAlpha = 1;
      context.strokeStyle = pen.colour("--deck-d");
      strokeStrip(pen, mean, y);
    }
    if (middle) {
      context.lineWidth = 2;
      context.strokeStyle = pen.colour("--deck-c");
      strokeStrip(pen, middle.mean, y);
    }
  }

  override paintScale(pen: Pen): void {
    const { context, width } = pen;
    context.font = pen.font(9);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillStyle = pen.colour("--dim");
    for (const [line, label] of Object.entries(LABELS)) context.fillText(label, width - 5, this.#y(Number(line)));
  }

  override values(time: number): Value[] {
    const text = (name: string) => hertz(this.data.curve(name)?.at(time));
    return [
      { label: "Rolloff", text: text("rolloff"), tone: "--deck-d", line: "thin" },
      { label: "Centroid", text: text("centroid"), tone: "--deck-c", line: "solid" },
      { label: "Bandwidth", text: text("bandwidth"), tone: "--deck-c", line: "area" },
    ];
  }

  override words(time: number): string {
    const [rolloff, centroid, bandwidth] = this.values(time).map(({ text }) => text);
    return `Centroid ${centroid}: where the spectrum balances; bandwidth ${bandwidth}; most of the power lies below ${rolloff}`;
  }

  override describe(): string {
    const mean = (name: string) => hertz(this.data.analysis?.timbre[name]);
    return `On average the centroid is ${mean("centroid")}, the bandwidth ${mean("bandwidth")} and the rolloff ${mean("rolloff")}.`;
  }

  #y(value: number): number {
    const part = Math.log(Math.max(LOWEST, Math.min(HIGHEST, value)) / LOWEST) / Math.log(HIGHEST / LOWEST);
    return this.height - 3 - part * (this.height - 6);
  }
}
