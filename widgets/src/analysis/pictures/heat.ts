/** Heat maps: a value for each row at each moment, told by a perceptual colour. */

import { colourTable, type MapName } from "../colour";
import { paintHeat } from "../columns";
import type { Curve } from "../curve";
import { type Pen, Picture } from "../picture";

export abstract class HeatPicture extends Picture {
  abstract readonly map: MapName;
  /** Where the map begins, and how tall each of its rows is, in px. */
  abstract readonly top: number;
  abstract readonly tall: number;
  abstract readonly rows: number;
  #cells: HTMLCanvasElement | null = null;

  abstract get curve(): Curve | null;

  get height(): number {
    return this.top + this.rows * this.tall + 2;
  }

  /** The row at a height of the lane, 0 at the bottom; -1 above the map. */
  rowAt(y: number): number {
    const row = this.rows - 1 - Math.floor((y * this.height - this.top) / this.tall);
    return row < this.rows ? Math.max(0, row) : -1;
  }

  paintMap(pen: Pen): void {
    const { curve } = this;
    if (!curve || pen.view.width < 1) return;
    const cells = (this.#cells ??= document.createElement("canvas"));
    cells.width = pen.view.width;
    cells.height = curve.columns;
    const context = cells.getContext("2d");
    if (!context) return;
    const image = context.createImageData(cells.width, cells.height);
    paintHeat(new Uint32Array(image.data.buffer), curve, pen.view, colourTable(this.map));
    context.putImageData(image, 0, 0);
    pen.context.imageSmoothingEnabled = false;
    pen.context.drawImage(cells, 0, 0, cells.width, cells.height, 0, this.top, pen.width, this.rows * this.tall);
  }
}
