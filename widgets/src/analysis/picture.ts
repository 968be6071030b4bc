/** What every lane is: something drawn over time, with its values in words. */

import type { Rgb } from "../waveform/raster";
import type { Range } from "../waveform/song";
import type { View } from "./columns";
import type { AnalysisData } from "./data";

export const PICTURES = ["features", "structure", "grid", "energy", "chroma", "spectrum", "mfcc"] as const;
export type PictureName = (typeof PICTURES)[number];

export const TITLES: Record<PictureName, string> = {
  features: "Features",
  structure: "Structure",
  grid: "Beat grid",
  energy: "Energy",
  chroma: "Chroma",
  spectrum: "Spectrum",
  mfcc: "MFCC",
};

/** A canvas of known size, and where times are on it. */
export interface Pen {
  context: CanvasRenderingContext2D;
  /** CSS pixels. */
  width: number;
  height: number;
  ratio: number;
  /** Times at the edges, in s. */
  start: number;
  end: number;
  /** The same in device pixels. */
  view: View;
  x(time: number): number;
  colour(name: string): string;
  rgb(name: string): Rgb;
  font(size: number, weight?: number): string;
}

/** A line of a lane's legend with the value at the moment. */
export interface Value {
  label: string;
  text: string;
  /** A custom property of the theme; the line's or area's colour. */
  tone?: string;
  line?: "solid" | "thin" | "area";
}

/** What a click or a double click on a place of a lane means. */
export interface Hit {
  /** Where to go; the place itself without. */
  seek?: number;
  /** What a double click marks. */
  range?: Range;
}

export abstract class Picture {
  abstract readonly name: PictureName;
  /** CSS pixels. */
  abstract readonly height: number;
  readonly data: AnalysisData;

  constructor(data: AnalysisData) {
    this.data = data;
  }

  get title(): string {
    return TITLES[this.name];
  }

  /** Why there is nothing to draw; null where there is. */
  abstract missing(): string | null;
  abstract paint(pen: Pen): void;
  /** The scale left of the plot; `pen.width` is its own. */
  paintScale(_pen: Pen): void {}
  /** The legend with the values at a time. */
  abstract values(time: number): Value[];
  /** Everything at a place of the lane, in words; `y` is 0 at the top and 1 at the bottom. */
  abstract words(time: number, y: number): string;
  /** The whole picture in words, for those who do not see it. */
  abstract describe(): string;
  hit(_time: number, _y: number): Hit | null {
    return null;
  }
}

/** Draws a line through the pixels of a strip, with gaps where it is nothing. */
export function strokeStrip(pen: Pen, values: Float32Array, y: (value: number) => number): void {
  const { context, ratio } = pen;
  context.beginPath();
  let drawing = false;
  for (let x = 0; x < values.length; x += 1) {
    const value = values[x] as number;
    if (Number.isNaN(value)) {
      drawing = false;
    } else if (drawing) {
      context.lineTo((x + 0.5) / ratio, y(value));
    } else {
      context.moveTo((x + 0.5) / ratio, y(value));
      drawing = true;
    }
  }
  context.stroke();
}

/** Fills between two strips, or a strip and a base line. */
export function fillStrip(
  pen: Pen, top: Float32Array, bottom: Float32Array | number, y: (value: number) => number,
): void {
  const { context, ratio } = pen;
  const column = 1 / ratio;
  for (let x = 0; x < top.length; x += 1) {
    const upper = top[x] as number;
    const lower = typeof bottom === "number" ? bottom : (bottom[x] as number);
    if (Number.isNaN(upper) || Number.isNaN(lower)) continue;
    const from = y(upper);
    context.fillRect(x * column, from, column, Math.max(column, y(lower) - from));
  }
}

/** A text that fits, or none. */
export function fit(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (room <= 8) return "";
  if (context.measureText(text).width <= room) return text;
  for (let length = text.length - 1; length > 1; length -= 1) {
    const short = `${text.slice(0, length).trimEnd()}…`;
    if (context.measureText(short).width <= room) return short;
  }
  return "";
}
