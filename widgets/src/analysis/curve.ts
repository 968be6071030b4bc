/** A series over time as it travels: bytes between two ends, and when each row is. */

import type { CurveHeader } from "../types";

export class Curve {
  readonly rows: number;
  readonly columns: number;
  /** Rows per second; null where they have times of their own. */
  readonly rate: number | null;
  readonly unit: string;
  /** Of the columns. */
  readonly names: readonly string[];
  /** Shape (rows, columns), row after row. */
  readonly bytes: Uint8Array;
  /** Times of the rows, in s; null where they follow from the rate. */
  readonly x: Float32Array | null;
  readonly #start: number;
  readonly #low: Float64Array;
  readonly #step: Float64Array;

  constructor(header: CurveHeader, buffers: readonly DataView[]) {
    const { rows, columns, rate, start, unit, names } = header;
    this.rows = rows;
    this.columns = columns;
    this.rate = rate;
    this.unit = unit;
    this.names = names;
    this.#start = start;
    this.bytes = bytesOf(buffers[header.buffer], rows * columns);
    this.x = header.x_buffer === null ? null : new Float32Array(bytesOf(buffers[header.x_buffer], rows * 4).slice().buffer);
    this.#low = new Float64Array(columns);
    this.#step = new Float64Array(columns);
    for (let column = 0; column < columns; column += 1) {
      const low = ofColumn(header.minimum, column);
      this.#low[column] = low;
      this.#step[column] = (ofColumn(header.maximum, column) - low) / 255;
    }
  }

  /** The value of a row; NaN outside of the curve. */
  value(row: number, column = 0): number {
    const byte = this.bytes[row * this.columns + column];
    if (byte === undefined || row < 0) return Number.NaN;
    return (this.#low[column] as number) + byte * (this.#step[column] as number);
  }

  /** What byte 0 stands for. */
  minimum(column = 0): number {
    return this.#low[column] ?? Number.NaN;
  }

  /** What byte 255 stands for. */
  maximum(column = 0): number {
    return (this.#low[column] ?? Number.NaN) + 255 * (this.#step[column] ?? 0);
  }

  /** The value that a part of all rows (0 to 1) stay below. */
  quantile(part: number, column = 0): number {
    const counts = new Uint32Array(256);
    for (let at = column; at < this.bytes.length; at += this.columns) (counts[this.bytes[at] as number] as number) += 1;
    let left = part * this.rows;
    let byte = 0;
    while (byte < 255 && left > (counts[byte] as number)) {
      left -= counts[byte] as number;
      byte += 1;
    }
    return (this.#low[column] as number) + byte * (this.#step[column] as number);
  }

  /** When a row is, in s. */
  time(row: number): number {
    if (this.x) return this.x[row] ?? Number.NaN;
    return this.#start + row / (this.rate ?? 1);
  }

  /** The row nearest to a time, held inside of the curve; -1 where there is none. */
  row(time: number): number {
    if (this.rows === 0) return -1;
    if (!this.x) return Math.max(0, Math.min(this.rows - 1, Math.round((time - this.#start) * (this.rate ?? 1))));
    const next = this.following(time);
    if (next === 0) return 0;
    if (next === this.rows) return this.rows - 1;
    return time - this.time(next - 1) <= this.time(next) - time ? next - 1 : next;
  }

  /** The first row later than a time; `rows` where there is none. */
  following(time: number): number {
    if (!this.x) return Math.max(0, Math.min(this.rows, Math.floor((time - this.#start) * (this.rate ?? 1)) + 1));
    let low = 0;
    let high = this.rows;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.x[middle] as number) <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The value at a time; NaN where there is none. */
  at(time: number, column = 0): number {
    return this.value(this.row(time), column);
  }
}

function ofColumn(values: number | number[], column: number): number {
  return typeof values === "number" ? values : (values[column] ?? 0);
}

/** A part of a message that is as long as its header says; what is missing reads as zeros. */
function bytesOf(view: DataView | undefined, length: number): Uint8Array {
  if (view && view.byteLength >= length) return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, length);
  return new Uint8Array(length);
}
