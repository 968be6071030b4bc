/** The colour of the sound in twenty numbers: equal columns sound alike. */

import type { Curve } from "../curve";
import type { Pen, Value } from "../picture";
import { figure } from "../words";
import { HeatPicture } from "./heat";

export class MfccPicture extends HeatPicture {
  readonly name = "mfcc";
  readonly map = "viridis";
  readonly top = 2;
  readonly tall = 6;

  override get rows(): number {
    return this.curve?.columns ?? 20;
  }

  get curve(): Curve | null {
    return this.data.curve("mfcc");
  }

  missing(): string | null {
    return this.curve ? null : "No MFCC are stored.";
  }

  paint(pen: Pen): void {
    this.paintMap(pen);
  }

  override paintScale(pen: Pen): void {
    const { context, width } = pen;
    context.font = pen.font(9);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillStyle = pen.colour("--dim");
    for (const number of [1, 5, 10, 15, 20]) {
      if (number > this.rows) continue;
      const y = this.top + (this.rows - number + 0.5) * this.tall;
      context.fillText(String(number), width - 7, y);
      context.fillRect(width - 4, Math.round(y - 0.5), 3, 1);
    }
  }

  override values(time: number): Value[] {
    const { curve } = this;
    return [1, 2].map((number) => ({
      label: `No. ${number}`, text: curve ? figure(curve.at(time, number - 1), 1) : "–",
    }));
  }

  override words(time: number, y: number): string {
    const { curve } = this;
    const row = this.rowAt(y);
    if (!curve || row < 0) return "";
    const about = row === 0 ? ": the level" : row === 1 ? ": dark (high) or bright (low)" : row < 5 ? ": the broad shape of the spectrum" : ": finer shape";
    return `MFCC ${row + 1} of ${this.rows}: ${figure(curve.at(time, row), 1)}${about}`;
  }

  override describe(): string {
    return `${this.rows} coefficients of the spectrum's shape over time, each from its least value (dark) to its greatest (bright).`;
  }
}
