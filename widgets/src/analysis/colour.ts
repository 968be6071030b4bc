/** Perceptual colour maps: equal steps of a value look equally far apart, also in grey and to the colour-blind. */

import type { Rgb } from "../waveform/raster";
import { parseHex } from "../waveform/surface";

export type MapName = "magma" | "viridis";

const STOPS: Record<MapName, string[]> = {
  magma: ["#000004", "#1d1147", "#51127c", "#822681", "#b63679", "#e65164", "#fb8861", "#fec287", "#fcfdbf"],
  viridis: ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21908c", "#27ad81", "#5dc863", "#aadc32", "#fde725"],
};

const tables = new Map<MapName, Uint32Array>();

/** 256 colours as words of ImageData. */
export function colourTable(name: MapName): Uint32Array {
  let table = tables.get(name);
  if (!table) {
    table = new Uint32Array(256);
    const bytes = new Uint8ClampedArray(table.buffer);
    for (let i = 0; i < 256; i += 1) {
      bytes.set(mapColour(name, i / 255), i * 4);
      bytes[i * 4 + 3] = 255;
    }
    tables.set(name, table);
  }
  return table;
}

/** The colour of a value of 0 to 1. */
export function mapColour(name: MapName, value: number): Rgb {
  const stops = STOPS[name];
  const place = Math.max(0, Math.min(1, value)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(place));
  const low = parseHex(stops[index] as string);
  const high = parseHex(stops[index + 1] as string);
  const part = place - index;
  return [0, 1, 2].map((i) => Math.round((low[i] as number) + ((high[i] as number) - (low[i] as number)) * part)) as unknown as Rgb;
}

/** A stylesheet gradient of a map, for its legend. */
export function mapGradient(name: MapName): string {
  return `linear-gradient(to right, ${STOPS[name].join(", ")})`;
}

/** The hue of a key's or chord's place on the Camelot wheel, in degrees; null for none. */
export function camelotHue(camelot: string | null): number | null {
  const match = /^(1[0-2]|[1-9])[AB]$/.exec(camelot ?? "");
  return match ? 30 * (Number(match[1]) - 1) : null;
}
