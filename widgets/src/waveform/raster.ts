/** Columns to pixels, mirrored around the middle, with soft edges. */

import type { Columns } from "./pyramid";

/** Red, green, blue; 0 to 255. */
export type Rgb = readonly [number, number, number];

export interface BandColours {
  low: Rgb;
  mid: Rgb;
  high: Rgb;
}

/**
 * Heights of mid and high beside low. Short waves peak high for little loudness: at their full
 * height they would cover the beat.
 */
const MID = 0.85;
const HIGH = 0.6;

/**
 * Paints three bands over each other, in every column the tallest at the back.
 *
 * So a kick shows blue around amber, a voice amber, a cymbal white, whichever is the loudest.
 */
export function paintBands(
  image: ImageData,
  columns: Columns,
  gain: number,
  { low, mid, high }: BandColours,
): void {
  const { width, height } = image;
  const half = height / 2;
  const pixels = image.data;
  pixels.fill(0);
  const tops = [0, 0, 0];
  const colours: Rgb[] = [low, mid, high];
  for (let x = 0; x < width; x += 1) {
    tops[0] = Math.min(half, (columns.low[x] as number) * gain * half);
    tops[1] = Math.min(half, (columns.mid[x] as number) * gain * half * MID);
    tops[2] = Math.min(half, (columns.high[x] as number) * gain * half * HIGH);
    colours[0] = low;
    colours[1] = mid;
    colours[2] = high;
    for (let i = 0; i < 2; i += 1) {
      for (let j = i + 1; j < 3; j += 1) {
        if ((tops[j] as number) <= (tops[i] as number)) continue;
        const top = tops[i] as number;
        const colour = colours[i] as Rgb;
        tops[i] = tops[j] as number;
        colours[i] = colours[j] as Rgb;
        tops[j] = top;
        colours[j] = colour;
      }
    }
    const [outer, middle, inner] = tops as [number, number, number];
    const [back, between, front] = colours as [Rgb, Rgb, Rgb];
    // Silence keeps a hairline, so that a song's end can be told from a gap.
    const reach = Math.max(outer, 0.5);
    for (let row = 0; row < reach; row += 1) {
      const alpha = clip(reach - row);
      const second = clip(middle - row);
      const third = clip(inner - row);
      let red = back[0] + (between[0] - back[0]) * second;
      let green = back[1] + (between[1] - back[1]) * second;
      let blue = back[2] + (between[2] - back[2]) * second;
      red += (front[0] - red) * third;
      green += (front[1] - green) * third;
      blue += (front[2] - blue) * third;
      put(pixels, width, height, half, x, row, red, green, blue, alpha * 255);
    }
  }
}

/** Paints the level in one colour: RMS in full, peaks as a shade around it. */
export function paintLevel(image: ImageData, columns: Columns, gain: number, colour: Rgb): void {
  const { width, height } = image;
  const half = height / 2;
  const pixels = image.data;
  pixels.fill(0);
  for (let x = 0; x < width; x += 1) {
    const peak = Math.max(0.5, Math.min(half, (columns.full[x] as number) * gain * half));
    const body = Math.min(peak, (columns.rms[x] as number) * gain * half * 1.25);
    for (let row = 0; row < peak; row += 1) {
      const alpha = clip(peak - row) * (0.5 + 0.5 * clip(body - row));
      put(pixels, width, height, half, x, row, colour[0], colour[1], colour[2], alpha * 255);
    }
  }
}

function clip(value: number): number {
  return value <= 0 ? 0 : value >= 1 ? 1 : value;
}

function put(
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
  half: number,
  x: number,
  row: number,
  red: number,
  green: number,
  blue: number,
  alpha: number,
): void {
  const above = Math.ceil(half) - 1 - row;
  const below = Math.floor(half) + row;
  if (above >= 0) {
    const at = (above * width + x) * 4;
    pixels[at] = red;
    pixels[at + 1] = green;
    pixels[at + 2] = blue;
    pixels[at + 3] = alpha;
  }
  if (below < height) {
    const at = (below * width + x) * 4;
    pixels[at] = red;
    pixels[at + 1] = green;
    pixels[at + 2] = blue;
    pixels[at + 3] = alpha;
  }
}
