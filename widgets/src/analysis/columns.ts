/** Curves to columns of device pixels: what is drawn is what was measured, however far one looks from. */

import type { Curve } from "./curve";

/** What a picture shows: times at its left edge and from one device pixel to the next, in s. */
export interface View {
  start: number;
  step: number;
  width: number;
}

export interface Strip {
  /** Mean, least and greatest of each pixel; NaN where the curve is not. */
  mean: Float32Array;
  low: Float32Array;
  high: Float32Array;
}

/** The rows whose times fall into pixel `column`; at least the nearest one inside of the curve. */
function rowsOf(curve: Curve, view: View, column: number): [number, number] | null {
  const from = view.start + column * view.step;
  const to = from + view.step;
  const half = curve.rate ? 0.5 / curve.rate : 0;
  if (to < curve.time(0) - half || from > curve.time(curve.rows - 1) + half) return null;
  const first = curve.following(from - 1e-9);
  const last = curve.following(to - 1e-9);
  if (last > first) return [first, last];
  const nearest = curve.row(from + view.step / 2);
  return [nearest, nearest + 1];
}

/** One column of a curve as pixels; between rows that are further apart than pixels it runs straight. */
export function stripOf(curve: Curve, column: number, view: View): Strip {
  const mean = new Float32Array(view.width).fill(Number.NaN);
  const low = mean.slice();
  const high = mean.slice();
  const sparse = curve.rate !== null && curve.rate * view.step < 0.5;
  for (let x = 0; x < view.width; x += 1) {
    const rows = rowsOf(curve, view, x);
    if (!rows) continue;
    if (sparse) {
      const place = (view.start + (x + 0.5) * view.step - curve.time(0)) * (curve.rate as number);
      const left = Math.max(0, Math.min(curve.rows - 1, Math.floor(place)));
      const right = Math.min(curve.rows - 1, left + 1);
      const part = Math.max(0, Math.min(1, place - left));
      mean[x] = low[x] = high[x] = curve.value(left, column) * (1 - part) + curve.value(right, column) * part;
      continue;
    }
    let sum = 0;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let row = rows[0]; row < rows[1]; row += 1) {
      const value = curve.value(row, column);
      sum += value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    mean[x] = sum / (rows[1] - rows[0]);
    low[x] = least;
    high[x] = most;
  }
  return { mean, low, high };
}

/**
 * A curve of many columns as a picture of one pixel for each, its last column on top.
 *
 * @param pixels - Words of an ImageData of `view.width` by the curve's columns.
 * @param table - 256 colours.
 */
export function paintHeat(pixels: Uint32Array, curve: Curve, view: View, table: Uint32Array): void {
  const { columns, bytes } = curve;
  const sums = new Float32Array(columns);
  pixels.fill(0);
  for (let x = 0; x < view.width; x += 1) {
    const rows = rowsOf(curve, view, x);
    if (!rows) continue;
    const [first, last] = rows;
    sums.fill(0);
    for (let at = first * columns, row = first; row < last; row += 1) {
      for (let column = 0; column < columns; column += 1, at += 1) (sums[column] as number) += bytes[at] as number;
    }
    for (let column = 0; column < columns; column += 1) {
      const mean = Math.round((sums[column] as number) / (last - first));
      pixels[(columns - 1 - column) * view.width + x] = table[mean] as number;
    }
  }
}
