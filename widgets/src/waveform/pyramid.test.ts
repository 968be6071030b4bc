import { describe, expect, it } from "vitest";
import { chooseLevel, fillColumns, type Level, makeColumns, readPyramid, STRIDE } from "./pyramid";
import { paintBands, paintLevel } from "./raster";

/** A level whose bins have these peaks in the whole band, half of them in the low one. */
function level(peaks: number[], seconds = 1): Level {
  const data = new Int8Array(peaks.length * STRIDE);
  peaks.forEach((peak, bin) => {
    data.set([-peak, peak, peak, -peak / 2, peak / 2, 0, 0, peak / 4, 0, -peak, 0, 0], bin * STRIDE);
  });
  return { seconds, bins: peaks.length, data };
}

function columns(of: Level, start: number, perColumn: number, count: number) {
  const out = makeColumns(count);
  fillColumns(of, start, perColumn, out);
  return out;
}

const scaled = (values: Float32Array) => [...values].map((value) => Math.round(value * 127));

describe("the level for a zoom", () => {
  const levels = [level([0], 0.005), level([0], 0.05), level([0], 0.5)];

  it.each([[2, 2], [0.5, 2], [0.4, 1], [0.05, 1], [0.049, 0], [0.001, 0]])("at %f s a column is number %i", (perColumn, index) => {
    expect(chooseLevel(levels, perColumn)).toBe(levels[index]);
  });

  it("is none for an empty pyramid", () => {
    expect(chooseLevel([], 1)).toBeUndefined();
  });
});

describe("columns", () => {
  it("are the bins themselves at their own width", () => {
    expect(scaled(columns(level([10, 20, 30]), 0, 1, 3).full)).toEqual([10, 20, 30]);
  });

  it("take the largest of the bins they cover, and their mean power", () => {
    const { full, rms, low } = columns(level([10, 40, 20, 0]), 0, 2, 2);
    expect(scaled(full)).toEqual([40, 20]);
    expect(scaled(low)).toEqual([20, 10]);
    expect(rms[0]).toBeCloseTo(Math.sqrt((10 ** 2 + 40 ** 2) / 2) / 127, 6);
  });

  it("count a bin that they only touch: no peak falls between two columns", () => {
    const seen = columns(level([0, 0, 100, 0, 0]), 0, 1.5, 4).full;
    expect(Math.max(...seen)).toBeCloseTo(100 / 127);
  });

  it("run straight between the middles of bins where they are finer", () => {
    const { full } = columns(level([0, 40]), 0.5, 0.25, 4);
    expect(scaled(full)).toEqual([5, 15, 25, 35]);
  });

  it("are silent before and after the song", () => {
    expect(scaled(columns(level([50, 50]), -3, 1, 7).full)).toEqual([0, 0, 0, 50, 50, 0, 0]);
    expect(scaled(columns(level([50, 50]), -1, 0.5, 1).full)).toEqual([0]);
  });

  it("do not depend on where a strip of them begins", () => {
    const of = level(Array.from({ length: 200 }, (_, i) => (i * 37) % 100));
    const whole = scaled(columns(of, 0, 1.7, 100).full);
    expect(scaled(columns(of, 1.7 * 40, 1.7, 60).full)).toEqual(whole.slice(40));
  });

  it("see each band by its larger side", () => {
    const { mid, high } = columns(level([100]), 0, 1, 1);
    expect([mid[0], high[0]].map((value) => Math.round((value as number) * 127))).toEqual([25, 100]);
  });
});

describe("a waveform message", () => {
  const header = {
    sample_rate: 1000, frames: 4000, duration: 4,
    levels: [{ bin_frames: 2000, bins: 2, buffer: 1 }, { bin_frames: 1000, bins: 4, buffer: 0 }],
  };
  const view = (bins: number[]) => new DataView(level(bins).data.buffer as ArrayBuffer);

  it("becomes a pyramid, finest first, with its peak", () => {
    const pyramid = readPyramid(header, [view([1, 2, 3, 64]), view([2, 64])]);
    expect(pyramid.levels.map(({ seconds, bins }) => [seconds, bins])).toEqual([[1, 4], [2, 2]]);
    expect(pyramid.peak).toBeCloseTo(64 / 127);
    expect(pyramid.duration).toBe(4);
  });

  it("is refused when it is cut short", () => {
    expect(() => readPyramid(header, [view([1, 2]), view([2, 64])])).toThrow("The waveform is incomplete.");
    expect(() => readPyramid(header, [])).toThrow(RangeError);
  });
});

describe("painting", () => {
  const image = (height: number) => ({ width: 1, height, data: new Uint8ClampedArray(height * 4) }) as unknown as ImageData;
  const rows = ({ data, height }: ImageData) => Array.from({ length: height }, (_, y) => [...data.slice(y * 4, y * 4 + 4)]);
  const colours = { low: [1, 0, 0], mid: [0, 1, 0], high: [0, 0, 1] } as const;

  it("puts the tallest band at the back, mirrored", () => {
    const out = makeColumns(1);
    out.low[0] = 0.5;
    out.mid[0] = 1 / 0.85;
    out.high[0] = 0;
    const picture = image(8);
    paintBands(picture, out, 1, colours);
    const seen = rows(picture);
    expect(seen).toEqual([...seen].reverse());
    expect(seen.slice(4).map(([red, green]) => (red ? "low" : green ? "mid" : ""))).toEqual(["low", "low", "mid", "mid"]);
  });

  it("keeps a hairline in silence and never leaves the picture", () => {
    const out = makeColumns(1);
    const picture = image(8);
    paintLevel(picture, out, 1, [9, 9, 9]);
    expect(rows(picture).filter(([, , , alpha]) => (alpha as number) > 0)).toHaveLength(2);
    out.full[0] = 1;
    out.rms[0] = 1;
    paintLevel(picture, out, 40, [9, 9, 9]);
    expect(rows(picture).every(([, , , alpha]) => alpha === 255)).toBe(true);
  });
});
