/** Sound as the console keeps it: 16 bit integers, in the page and in Python by the same rule. */

import type { Slice } from "./types";

const MOST = 32767;
const LEAST = -32768;
/** Silence needs no more than this. */
const FINEST = 1 << 23;

/**
 * A slice of floats as integers.
 *
 * A full-scale sample is a power of two, the largest with which nothing clips: sound of 16 bits stays what it is to the
 * bit, quiet passages keep more than 16 bits, and what is beyond full scale (songs as MP3) stays whole.
 */
export function quantise(left: Float32Array, right: Float32Array, from: number, to: number): Slice {
  const scale = scaleOf(left, right, from, to);
  return { left: integers(left, from, to, scale), right: integers(right, from, to, scale), scale };
}

function scaleOf(left: Float32Array, right: Float32Array, from: number, to: number): number {
  let high = 0;
  let low = 0;
  for (const channel of left === right ? [left] : [left, right]) {
    for (let i = from; i < to; i++) {
      const sample = channel[i] as number;
      if (sample > high) high = sample;
      else if (sample < low) low = sample;
    }
  }
  let scale = FINEST;
  while (high * scale > MOST || low * scale < LEAST) scale /= 2;
  return scale;
}

function integers(samples: Float32Array, from: number, to: number, scale: number): Int16Array {
  const made = new Int16Array(to - from);
  for (let i = from; i < to; i++) made[i - from] = Math.round((samples[i] as number) * scale);
  return made;
}
