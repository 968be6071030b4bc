/** How full the song feels, how loud it is, and where it drops. */

import { duration } from "../../format";
import { type Strip, stripOf } from "../columns";
import { fillStrip, type Pen, Picture, strokeStrip, type Value } from "../picture";
import { figure, list, loudness } from "../words";

const TOP = 14;
const BOTTOM = 4;
/** The loudness scale, in LUFS. */
const LOUDEST = 0;
const QUIETEST = -36;

export class EnergyPicture extends Picture {
  readonly name = "energy";
  readonly height = 106;

  missing(): string | null {
    if (this.data.curve("energy") || (this.data.analysis?.energy_curve.length ?? 0) > 0) return null;
    return "No energy was measured.";
  }

  paint(pen: Pen): void {
    const { context } = pen;
    const tall = this.height - TOP - BOTTOM;
    const energyY = (value: number) => TOP + (1 - Math.max(0, Math.min(1, value))) * tall;
    const loudY = (value: number) => energyY((value - QUIETEST) / (LOUDEST - QUIETEST));
    this.#paintLines(pen, loudY);
    const energy = this.#energy(pen);
    if (energy) {
      context.fillStyle = pen.colour("--accent");
      context.globalAlpha = 0.3;
      fillStrip(pen, energy.mean, 0, energyY);
      context.globalAlpha = 1;
      context.strokeStyle = pen.colour("--accent");
      context.lineWidth = 1.5;
      strokeStrip(pen, energy.mean, energyY);
    }
    const momentary = this.data.curve("loudness.momentary");
    if (momentary) {
      const { low, high, mean } = stripOf(momentary, 0, pen.view);
      context.fillStyle = context.strokeStyle = pen.colour("--deck-b");
      context.globalAlpha = 0.35;
      fillStrip(pen, high, low.map((value) => Math.max(QUIETEST, value)), loudY);
      context.globalAlpha = 0.9;
      context.lineWidth = 1;
      strokeStrip(pen, mean, loudY);
      context.globalAlpha = 1;
    }
    const shortTerm = this.data.curve("loudness.short_term");
    if (shortTerm) {
      context.strokeStyle = pen.colour("--text");
      context.lineWidth = 1.5;
      strokeStrip(pen, stripOf(shortTerm, 0, pen.view).mean, loudY);
    }
    this.#paintDrops(pen);
  }

  override paintScale(pen: Pen): void {
    const { context, width } = pen;
    const tall = this.height - TOP - BOTTOM;
    context.font = pen.font(9);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillStyle = pen.colour("--dim");
    context.fillText("LUFS", width - 5, 6);
    for (const level of [-6, -12, -18, -24, -30]) {
      context.fillText(figure(level, 0), width - 5, TOP + (level / QUIETEST) * tall);
    }
  }

  override values(time: number): Value[] {
    const momentary = this.data.curve("loudness.momentary");
    const shortTerm = this.data.curve("loudness.short_term");
    return [
      { label: "Energy", text: figure(this.#energyAt(time), 2), tone: "--accent", line: "area" },
      { label: "Short-term", text: shortTerm ? loudness(shortTerm.at(time)) : "–", tone: "--text", line: "solid" },
      { label: "Momentary", text: momentary ? loudness(momentary.at(time)) : "–", tone: "--deck-b", line: "thin" },
    ];
  }

  override words(time: number): string {
    const [energy, shortTerm, momentary] = this.values(time).map(({ text }) => text);
    const whole = this.data.analysis?.lufs;
    return `Energy ${energy} of 1; loudness ${shortTerm} over 3 s, ${momentary} over 0.4 s; the song ${loudness(whole)}`;
  }

  override describe(): string {
    const { analysis } = this.data;
    if (!analysis) return "";
    const drops = analysis.drops.length > 0 ? ` Drops at ${list(analysis.drops.map((time) => duration(time)))}.` : " No drops.";
    const range = analysis.lra === null ? "" : `, range ${figure(analysis.lra, 1)} LU`;
    return `Energy ${analysis.energy ?? "–"} of 10; ${loudness(analysis.lufs)}${range}.${drops}`;
  }

  #energy(pen: Pen): Strip | null {
    const curve = this.data.curve("energy");
    if (curve) return stripOf(curve, 0, pen.view);
    const { energy_curve: values = [], energy_rate: rate = 10 } = this.data.analysis ?? {};
    if (values.length === 0) return null;
    const mean = new Float32Array(pen.view.width).fill(Number.NaN);
    for (let x = 0; x < mean.length; x += 1) {
      const at = Math.round((pen.view.start + x * pen.view.step) * rate);
      mean[x] = values[at] ?? Number.NaN;
    }
    return { mean, low: mean, high: mean };
  }

  #energyAt(time: number): number | null {
    const curve = this.data.curve("energy");
    if (curve) return curve.at(time);
    const { energy_curve: values = [], energy_rate: rate = 10 } = this.data.analysis ?? {};
    return values[Math.round(time * rate)] ?? null;
  }

  #paintLines(pen: Pen, y: (value: number) => number): void {
    const { context } = pen;
    context.fillStyle = pen.colour("--line");
    for (const level of [-6, -12, -18, -24, -30]) context.fillRect(0, Math.round(y(level)), pen.width, 1);
    const whole = this.data.analysis?.lufs;
    if (whole === null || whole === undefined) return;
    context.strokeStyle = pen.colour("--dim");
    context.lineWidth = 1;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(0, Math.round(y(whole)) + 0.5);
    context.lineTo(pen.width, Math.round(y(whole)) + 0.5);
    context.stroke();
    context.setLineDash([]);
  }

  #paintDrops(pen: Pen): void {
    const { context } = pen;
    context.font = pen.font(10, 600);
    context.textAlign = "left";
    context.textBaseline = "middle";
    const tone = pen.colour("--cue-drop");
    let last = Number.NEGATIVE_INFINITY;
    for (const time of this.data.analysis?.drops ?? []) {
      const x = Math.round(pen.x(time));
      if (x < -40 || x > pen.width) continue;
      context.fillStyle = tone;
      context.fillRect(x, 0, 1.5, this.height);
      context.beginPath();
      context.moveTo(x - 4, 1);
      context.lineTo(x + 5.5, 1);
      context.lineTo(x + 0.75, 9);
      context.fill();
      if (x >= 0 && x - last > 46) {
        context.fillStyle = pen.colour("--text");
        context.fillText("Drop", x + 9, 6);
        last = x;
      }
    }
  }
}
