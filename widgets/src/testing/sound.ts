/** Sound to play and to measure: songs made of functions, and what tests ask of the samples that come out. */

import stretchModule, { type StretchModule } from "signalsmith-stretch";
import { quantise } from "../console/quantise";
import { Song } from "../console/song";
import { SLICE, type Slice, type SongInfo } from "../console/types";
import { BLOCK, Voice } from "../console/voice";

export const RATE = 44100;

export type Sound = (frame: number) => number;

export const tone = (hertz: number, level = 0.5): Sound => (frame) => level * Math.sin((2 * Math.PI * hertz * frame) / RATE);

/** A click of 4 ms, 1 kHz, on every `period` frames, from the first on. */
export const clicks = (period: number, level = 0.8): Sound => (frame) => {
  const since = frame - Math.floor(frame / period) * period;
  return since < 0.004 * RATE && frame >= 0 ? level * Math.cos((2 * Math.PI * 1000 * since) / RATE) * (1 - since / (0.004 * RATE)) : 0;
};

/** Seeded noise. */
export function noise(level = 0.5, seed = 1): Sound {
  return (frame) => {
    let x = Math.imul(frame + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
    return level * (((x ^ (x >>> 15)) >>> 0) / 2 ** 31 - 1);
  };
}

export function info(frames: number, roles: string[] = ["mix"], more: Partial<SongInfo> = {}): SongInfo {
  return { id: "song", frames, roles, grid: null, hotCues: [], cuePoint: 0, gain: 0, key: null, ...more };
}

/** A slice of a song for `Song.add`; both sides are the same unless the right one is told. */
export function slice(left: Sound, index: number, frames: number, right = left): Slice {
  const length = Math.min(SLICE, frames - index * SLICE);
  const samples = (sound: Sound): Float32Array => Float32Array.from({ length }, (_, i) => sound(index * SLICE + i));
  const made = samples(left);
  return quantise(made, right === left ? made : samples(right), 0, length);
}

/** A song that is all here; each role has a sound of its own, the same on both sides. */
export function song(frames: number, sounds: Record<string, Sound>): Song {
  const made = new Song(info(frames, Object.keys(sounds)));
  for (const [role, sound] of Object.entries(sounds)) {
    for (let index = 0; index * SLICE < frames; index++) made.add(role, index, slice(sound, index, frames));
  }
  return made;
}

/** Modules for voices, fresh from the factory. */
export async function stretches(count: number): Promise<() => StretchModule | null> {
  const made: StretchModule[] = [];
  for (let i = 0; i < count; i++) made.push(await stretchModule());
  return () => made.pop() ?? null;
}

/** A voice with a song in it. */
export async function voiceOf(made: Song): Promise<Voice> {
  const voice = new Voice(RATE, await stretches(2));
  voice.load(made);
  return voice;
}

/** What a voice gives in so many frames on the left of all its roles together; `each` is called before every block. */
export function listen(voice: Voice, frames: number, block = BLOCK, each?: (done: number) => void): Float32Array {
  const heard = new Float32Array(frames);
  for (let done = 0; done < frames; ) {
    each?.(done);
    const count = Math.min(block, frames - done);
    voice.render(0, count);
    for (let channel = 0; channel < voice.outputs.length; channel += 2) {
      const output = voice.outputs[channel]!;
      for (let i = 0; i < count; i++) heard[done + i]! += output[i]!;
    }
    done += count;
  }
  return heard;
}

export const decibels = (value: number): number => 20 * Math.log10(Math.max(value, 1e-12));

export function peak(samples: Float32Array): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
}

export function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** The frequency of a tone in Hz, by how its phase goes on; it has to be within a few per cent of `near`. */
export function pitch(samples: Float32Array, near: number): number {
  const half = samples.length >> 1;
  const phase = (start: number): number => {
    let re = 0;
    let im = 0;
    for (let i = 0; i < half; i++) {
      const window = 1 - Math.cos((2 * Math.PI * (i + 0.5)) / half);
      const angle = (2 * Math.PI * near * (start + i)) / RATE;
      re += samples[start + i]! * window * Math.cos(angle);
      im -= samples[start + i]! * window * Math.sin(angle);
    }
    return Math.atan2(im, re);
  };
  const step = half >> 5;
  let turned = 0;
  let last = phase(0);
  for (let k = 1; k <= 32; k++) {
    const next = phase(k * step);
    const rest = next - last;
    turned += rest - 2 * Math.PI * Math.round(rest / (2 * Math.PI));
    last = next;
  }
  return near + (turned * RATE) / (2 * Math.PI * 32 * step);
}

export const cents = (a: number, b: number): number => 1200 * Math.log2(a / b);

/** Where clicks begin, in frames: where the level over 1 ms first passes a quarter of the loudest, 50 ms apart at least. */
export function onsets(samples: Float32Array): number[] {
  const length = Math.round(0.001 * RATE);
  const level = new Float64Array(samples.length);
  let sum = 0;
  let most = 0;
  for (let i = 0; i < samples.length; i++) {
    sum += samples[i]! ** 2 - (i >= length ? samples[i - length]! ** 2 : 0);
    level[i] = Math.sqrt(Math.max(0, sum) / length);
    most = Math.max(most, level[i]!);
  }
  const found: number[] = [];
  let last = -Infinity;
  for (let i = 0; i < samples.length; i++) {
    if (level[i]! < most / 4) continue;
    if (i - last > 0.05 * RATE) found.push(i);
    last = i;
  }
  return found;
}

/** The loudest, in dBFS, that is not the tone of a frequency: what a notch leaves over, after it has settled. */
export function besides(samples: Float32Array, hertz: number): number {
  // Taken out by least squares over stretches of 20 ms, which a click does not move.
  const length = Math.round(0.02 * RATE);
  let most = 0;
  for (let start = 0; start + length <= samples.length; start += length >> 1) {
    let cc = 0, ss = 0, cs = 0, xc = 0, xs = 0;
    for (let i = 0; i < length; i++) {
      const angle = (2 * Math.PI * hertz * i) / RATE;
      const c = Math.cos(angle), s = Math.sin(angle), x = samples[start + i]!;
      cc += c * c; ss += s * s; cs += c * s; xc += x * c; xs += x * s;
    }
    const det = cc * ss - cs * cs;
    const a = (xc * ss - xs * cs) / det;
    const b = (xs * cc - xc * cs) / det;
    for (let i = 0; i < length; i++) {
      const angle = (2 * Math.PI * hertz * i) / RATE;
      most = Math.max(most, Math.abs(samples[start + i]! - a * Math.cos(angle) - b * Math.sin(angle)));
    }
  }
  return decibels(most);
}

/** The loudest above a frequency, in dBFS: what clicks leave behind a steep high-pass. */
export function above(samples: Float32Array, hertz: number): number {
  const reach = 512;
  const kernel = new Float64Array(2 * reach + 1);
  const cutoff = (2 * hertz) / RATE;
  for (let i = -reach; i <= reach; i++) {
    const window = 0.35875 + 0.48829 * Math.cos((Math.PI * i) / reach) + 0.14128 * Math.cos((2 * Math.PI * i) / reach) +
      0.01168 * Math.cos((3 * Math.PI * i) / reach);
    const sinc = i === 0 ? cutoff : Math.sin(Math.PI * cutoff * i) / (Math.PI * i);
    kernel[i + reach] = (i === 0 ? 1 : 0) - sinc * window;
  }
  let most = 0;
  for (let i = reach; i < samples.length - reach; i++) {
    let sum = 0;
    for (let k = -reach; k <= reach; k++) sum += kernel[k + reach]! * samples[i + k]!;
    most = Math.max(most, Math.abs(sum));
  }
  return decibels(most);
}
