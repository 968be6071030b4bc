/** Sound through the processors of the console, and what tests ask of the samples that come out. */

import { decibels, RATE, rms, type Sound, tone } from "./sound";

/** Works in place on two channels. */
export interface Processor<More extends unknown[] = []> {
  process(left: Float32Array, right: Float32Array, from: number, to: number, ...more: More): void;
}

export interface Stereo {
  left: Float32Array;
  right: Float32Array;
}

export const SILENCE: Sound = () => 0;

export function samples(sound: Sound, frames: number): Float32Array {
  return Float32Array.from({ length: frames }, (_, frame) => sound(frame));
}

/** Sizes of blocks that no grid fits, as events cut them; `cut` is for `through`. */
export function odd(): (frame: number) => number {
  const sizes = [1, 127, 64, 3, 61, 128, 37, 90, 2];
  let next = 0;
  return () => sizes[next++ % sizes.length] as number;
}

/**
 * Two sounds through a processor. Blocks are at most as long as `cut` says; `change` is called at its frames, where
 * blocks end too. A sound for one side alone is heard on both.
 */
export function through<More extends unknown[]>(
  processor: Processor<More>,
  sounds: Sound | readonly [Sound, Sound],
  frames: number,
  { cut = () => 128, changes = {}, more }: {
    cut?: (frame: number) => number;
    changes?: Record<number, () => void>;
    more?: (frame: number) => More;
  } = {},
): Stereo {
  const [left, right] = typeof sounds === "function" ? [sounds, sounds] : sounds;
  const heard = { left: samples(left, frames), right: samples(right, frames) };
  const stops = [...Object.keys(changes).map(Number), frames];
  for (let from = 0; from < frames;) {
    changes[from]?.();
    const next = Math.min(...stops.filter((stop) => stop > from));
    const to = Math.min(next, from + cut(from));
    processor.process(heard.left, heard.right, from, to, ...(more?.(from) ?? ([] as unknown as More)));
    from = to;
  }
  return heard;
}

/** By how many dB a processor changes a tone, once it has settled. */
export function response(make: () => Processor, hertz: number): number {
  const frames = RATE / 2;
  const { left } = through(make(), tone(hertz), frames);
  return decibels(rms(left.subarray(frames / 2)) / rms(samples(tone(hertz), frames).subarray(frames / 2)));
}

/** Highest of a wave between its samples, calculated at sixteen times the rate. */
export function truePeak(wave: Float32Array, from: number, to: number): number {
  const reach = 64;
  let most = 0;
  for (let step = 0; step < 16; step += 1) {
    const kernel = Float64Array.from({ length: 2 * reach }, (_, i) => {
      const time = step / 16 + reach - 1 - i;
      const window = (1 + Math.cos((Math.PI * time) / reach)) / 2;
      return time === 0 ? 1 : (window * Math.sin(Math.PI * time)) / (Math.PI * time);
    });
    for (let frame = Math.max(from, reach); frame < Math.min(to, wave.length - reach); frame += 1) {
      let sum = 0;
      for (let i = 0; i < 2 * reach; i += 1) sum += (kernel[i] as number) * (wave[frame - reach + 1 + i] as number);
      most = Math.max(most, Math.abs(sum));
    }
  }
  return most;
}

/** The first frame at which two waves differ; -1 when they are the same. */
export function differ(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  return a.findIndex((sample, frame) => sample !== b[frame]);
}

/** The first frame at which two stereo waves differ; -1 when they are the same. */
export function unlike(a: Stereo, b: Stereo): number {
  return Math.max(differ(a.left, b.left), differ(a.right, b.right));
}
