/** How tall songs are drawn. */

import { type Pyramid, STRIDE } from "../../waveform/pyramid";

/** Part of a song's loud moments that may touch the edges, and how high the others reach. */
const LOUD = 0.9;
const REACH = 0.95;
const MOST = 6;

/**
 * How much taller a song is drawn than it is, 1 at least.
 *
 * Its loud parts fill the picture: a single stroke that is louder than all else would leave a thin line of the rest.
 */
export function boldGain(pyramid: Pyramid | undefined): number {
  const coarse = pyramid?.levels.at(-1);
  if (!coarse) return 1;
  const heights = new Float32Array(coarse.bins);
  for (let bin = 0; bin < coarse.bins; bin += 1) {
    // Of the low and the middle band, each its minimum and maximum: the highs are drawn within them.
    for (const at of [3, 4, 6, 7]) {
      const height = Math.abs(coarse.data[bin * STRIDE + at] ?? 0) / 127;
      if (height > (heights[bin] as number)) heights[bin] = height;
    }
  }
  heights.sort();
  const loud = heights[Math.floor((heights.length - 1) * LOUD)] ?? 0;
  return loud > 0 ? Math.max(1, Math.min(MOST, REACH / loud)) : 1;
}
