/** What the headphones play: the decks that are listened to, the master, or both. */

import { levelGain } from "./fader";
import { CHUNK, Smooth } from "./smooth";

export class Phones {
  readonly #cue: Smooth;
  readonly #master: Smooth;
  readonly #volume: Smooth;
  readonly #split: Smooth;
  readonly #cues = new Float64Array(CHUNK);
  readonly #masters = new Float64Array(CHUNK);
  readonly #volumes = new Float64Array(CHUNK);
  readonly #splits = new Float64Array(CHUNK);

  constructor(sampleRate: number) {
    this.#cue = new Smooth(sampleRate, 1);
    this.#master = new Smooth(sampleRate, 0);
    this.#volume = new Smooth(sampleRate, levelGain(-6));
    this.#split = new Smooth(sampleRate, 0);
  }

  /** -1 is the cued decks alone, 1 the master alone. */
  set mix(mix: number) {
    const angle = ((1 + Math.max(-1, Math.min(1, mix))) * Math.PI) / 4;
    this.#cue.target = mix >= 1 ? 0 : Math.cos(angle);
    this.#master.target = mix <= -1 ? 0 : Math.sin(angle);
  }

  /** dB; -60 is silence. */
  set volume(decibels: number) {
    this.#volume.target = levelGain(decibels);
  }

  /** The cued decks in the left ear and the master in the right one, whatever the mix. */
  set split(split: boolean) {
    this.#split.target = split ? 1 : 0;
  }

  settle(): void {
    for (const smooth of [this.#cue, this.#master, this.#volume, this.#split]) smooth.settle();
  }

  /** Turns the sum of the cued decks, in place, into what the headphones play. */
  process(
    left: Float32Array, right: Float32Array, masterLeft: Float32Array, masterRight: Float32Array, from: number, to: number,
  ): void {
    for (let start = from; start < to; start += CHUNK) {
      const frames = Math.min(CHUNK, to - start);
      this.#cue.fill(this.#cues, frames);
      this.#master.fill(this.#masters, frames);
      this.#volume.fill(this.#volumes, frames);
      this.#split.fill(this.#splits, frames);
      for (let k = 0; k < frames; k += 1) {
        const i = start + k;
        const cue = this.#cues[k] as number;
        const master = this.#masters[k] as number;
        const volume = this.#volumes[k] as number;
        const split = this.#splits[k] as number;
        const a = left[i] as number;
        const b = right[i] as number;
        const c = masterLeft[i] as number;
        const d = masterRight[i] as number;
        left[i] = volume * ((1 - split) * (cue * a + master * c) + (split * (a + b)) / 2);
        right[i] = volume * ((1 - split) * (cue * b + master * d) + (split * (c + d)) / 2);
      }
    }
  }
}
