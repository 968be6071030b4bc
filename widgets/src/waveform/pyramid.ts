/** The picture of a sound at several resolutions, and the columns of pixels made from it. */

import type { WaveformHeader } from "../types";

/** Bands of each bin: the whole, below 200 Hz, 200 to 2000 Hz, above. */
const BANDS = 4;
/** Statistics of each band: minimum, maximum, RMS. */
const STATISTICS = 3;
export const STRIDE = BANDS * STATISTICS;

export interface Level {
  /** Seconds of sound in one bin. */
  seconds: number;
  bins: number;
  /** Full scale is 127; shape (bins, bands, statistics). */
  data: Int8Array;
}

export interface Pyramid {
  /** Seconds. */
  duration: number;
  /** Finest first. */
  levels: Level[];
  /** Largest level of the whole band, 0 to 1. */
  peak: number;
}

/** Puts header and buffers of a `player.load` reply together; throws when they do not fit. */
export function readPyramid(header: WaveformHeader, buffers: DataView[]): Pyramid {
  const levels = header.levels.map(({ bin_frames, bins, buffer }) => {
    const view = buffers[buffer];
    if (!view || view.byteLength < bins * STRIDE) throw new RangeError("The waveform is incomplete.");
    return {
      seconds: bin_frames / header.sample_rate,
      bins,
      data: new Int8Array(view.buffer, view.byteOffset, bins * STRIDE),
    };
  });
  levels.sort((a, b) => a.seconds - b.seconds);
  return { duration: header.duration, levels, peak: peakOf(levels.at(-1)) };
}

function peakOf(level: Level | undefined): number {
  let peak = 0;
  if (level) {
    for (let at = 0; at < level.data.length; at += STRIDE) {
      peak = Math.max(peak, -(level.data[at] ?? 0), level.data[at + 1] ?? 0);
    }
  }
  return peak / 127;
}

/** The coarsest level that still has a bin for every column; the finest when none has. */
export function chooseLevel(levels: readonly Level[], secondsPerColumn: number): Level | undefined {
  let chosen = levels[0];
  for (const level of levels) {
    if (level.seconds <= secondsPerColumn * (1 + 1e-9)) chosen = level;
  }
  return chosen;
}

/** Heights of each column, 0 to 1 of full scale. */
export interface Columns {
  full: Float32Array;
  rms: Float32Array;
  low: Float32Array;
  mid: Float32Array;
  high: Float32Array;
}

export function makeColumns(count: number): Columns {
  return {
    full: new Float32Array(count),
    rms: new Float32Array(count),
    low: new Float32Array(count),
    mid: new Float32Array(count),
    high: new Float32Array(count),
  };
}

/**
 * Fills `out` with the columns from `start` (s) on, each `secondsPerColumn` wide.
 *
 * A column over several bins takes their largest value (RMS: their mean power); columns finer
 * than the bins run straight from the middle of one to the middle of the next. Outside the song
 * it is silent.
 */
export function fillColumns(level: Level, start: number, secondsPerColumn: number, out: Columns): void {
  const count = out.full.length;
  const { data, bins, seconds } = level;
  const fine = secondsPerColumn < seconds;
  for (let i = 0; i < count; i += 1) {
    const from = (start + i * secondsPerColumn) / seconds;
    const to = (start + (i + 1) * secondsPerColumn) / seconds;
    let full = 0, low = 0, mid = 0, high = 0, power = 0;
    if (fine) {
      const centre = (from + to) / 2 - 0.5;
      const left = Math.floor(centre);
      const part = centre - left;
      for (let bin = left; bin <= left + 1; bin += 1) {
        if (bin < 0 || bin >= bins) continue;
        const weight = bin === left ? 1 - part : part;
        const at = bin * STRIDE;
        full += weight * height(data, at);
        low += weight * height(data, at + 3);
        mid += weight * height(data, at + 6);
        high += weight * height(data, at + 9);
        power += weight * (data[at + 2] as number) ** 2;
      }
    } else {
      const first = Math.max(0, Math.floor(from + 1e-6));
      const end = Math.min(bins, Math.max(Math.floor(from + 1e-6) + 1, Math.ceil(to - 1e-6)));
      for (let bin = first; bin < end; bin += 1) {
        const at = bin * STRIDE;
        full = Math.max(full, height(data, at));
        low = Math.max(low, height(data, at + 3));
        mid = Math.max(mid, height(data, at + 6));
        high = Math.max(high, height(data, at + 9));
        power += (data[at + 2] as number) ** 2;
      }
      if (end > first) power /= end - first;
    }
    out.full[i] = full / 127;
    out.low[i] = low / 127;
    out.mid[i] = mid / 127;
    out.high[i] = high / 127;
    out.rms[i] = Math.sqrt(power) / 127;
  }
}

function height(data: Int8Array, at: number): number {
  const below = -(data[at] as number);
  const above = data[at + 1] as number;
  return below > above ? below : above;
}
