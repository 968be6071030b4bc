/** Sound as the console keeps it: 16 bit integers, in the page and in Python by the same rule. */

import type { Slice } from "./types";

const MOST = 32767;
const LEAST = -32768;
/** Silence needs no more than this. */
const FINEST = 1 << 23;

/** Full scale of 16 bits. */
const FULL = 32768;
/** By how much a 16 bit sample in single precision may miss a whole number, when it was a part of 32767. */
const NEARLY = 0.004;
/** Samples that show what a slice is. */
const ENOUGH = 4096;

/**
 * A slice of floats as integers.
 *
 * A full-scale sample is a power of two, the largest with which nothing clips: sound of 16 bits stays what it is to the
 * bit, quiet passages keep more than 16 bits, and what is beyond full scale (songs as MP3) stays whole.
 */
export function quantise(left: Float32Array, right: Float32Array, from: number, to: number): Slice {
  const sides = left === right ? [left] : [left, right];
  const above = aboveZero(sides, from, to);
  const scale = scaleOf(sides, from, to, above);
  return { left: integers(left, from, to, scale, above), right: integers(right, from, to, scale, above), scale };
}

/**
 * What samples above zero are to be multiplied by.
 *
 * Chromium takes 16 bit samples above zero as parts of 32767 and those below as parts of 32768. Where a slice is such, it
 * is put right: then it is what the file holds, and what a render reads from it.
 */
function aboveZero(sides: Float32Array[], from: number, to: number): number {
  let exact = true;
  let stretched = true;
  let seen = 0;
  for (const side of sides) {
    for (let i = from; i < to; i++) {
      const sample = side[i] as number;
      if (sample === 0) continue;
      const whole = Number.isInteger(sample * FULL);
      exact &&= whole;
      stretched &&= sample > 0 ? Math.abs(sample * MOST - Math.round(sample * MOST)) < NEARLY : whole;
      if (!exact && !stretched) return 1;
      if (++seen === ENOUGH) return exact ? 1 : MOST / FULL;
    }
  }
  return exact ? 1 : MOST / FULL;
}

function scaleOf(sides: Float32Array[], from: number, to: number, above: number): number {
  let high = 0;
  let low = 0;
  for (const side of sides) {
    for (let i = from; i < to; i++) {
      const sample = side[i] as number;
      if (sample > high) high = sample;
      else if (sample < low) low = sample;
    }
  }
  let scale = FINEST;
  while (Math.floor(high * above * scale + 0.5) > MOST || Math.floor(low * scale + 0.5) < LEAST) scale /= 2;
  return scale;
}

function integers(samples: Float32Array, from: number, to: number, scale: number, above: number): Int16Array {
  const made = new Int16Array(to - from);
  for (let i = from; i < to; i++) {
    const sample = samples[i] as number;
    made[i - from] = Math.floor((sample > 0 ? sample * above : sample) * scale + 0.5);
  }
  return made;
}
