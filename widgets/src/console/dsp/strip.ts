/** The way of a deck's sound through the mixer. */

import { decibelGain, volumeGain } from "./fader";
import { type Clock, EffectUnit } from "./fx/unit";
import { Isolator } from "./isolator";
import { PeakMeter } from "./meter";
import { Smooth } from "./smooth";
import { Sweep } from "./sweep";

/** A stem, before it is summed with the others of its deck. */
export class StemStrip {
  readonly #sweep: Sweep;
  readonly #gain: Smooth;
  #volume = 1;
  #heard = true;

  constructor(sampleRate: number) {
    this.#sweep = new Sweep(sampleRate);
    this.#gain = new Smooth(sampleRate, 1);
  }

  /** Place of its fader, 0 to 1. */
  set volume(volume: number) {
    this.#volume = volume;
    this.#aim();
  }

  /** Whether mute and solo let it be heard. */
  set heard(heard: boolean) {
    this.#heard = heard;
    this.#aim();
  }

  /** -1 to 1, as the filter of a channel. */
  set filter(position: number) {
    this.#sweep.position = position;
  }

  /** Is what it was set to, at once. */
  settle(): void {
    this.#sweep.settle();
    this.#gain.settle();
  }

  /** In place. */
  process(left: Float32Array, right: Float32Array, from: number, to: number): void {
    this.#sweep.process(left, right, from, to);
    this.#gain.apply(left, right, from, to);
  }

  #aim(): void {
    this.#gain.target = this.#heard ? volumeGain(this.#volume) : 0;
  }
}

/**
 * The channel of a deck: gain, isolator, filter, [headphones], fader, [meter], crossfader, two effects.
 *
 * The effects come last, so that echo and reverb ring on when a fader or the crossfader takes the song away.
 */
export class Strip {
  readonly isolator: Isolator;
  readonly sweep: Sweep;
  readonly effects: readonly [EffectUnit, EffectUnit];
  /** After the fader, before the crossfader. */
  readonly meter = new PeakMeter();
  /** What the headphones hear of it, whatever the faders: written by `process` where it worked. */
  readonly preLeft: Float32Array;
  readonly preRight: Float32Array;
  readonly #gain: Smooth;
  readonly #volume: Smooth;
  readonly #side: Smooth;

  /** @param block Frames of the buffers that `process` is given, at most. */
  constructor(sampleRate: number, block = 128) {
    this.isolator = new Isolator(sampleRate);
    this.sweep = new Sweep(sampleRate);
    this.effects = [new EffectUnit(sampleRate), new EffectUnit(sampleRate)];
    this.preLeft = new Float32Array(block);
    this.preRight = new Float32Array(block);
    this.#gain = new Smooth(sampleRate, 1);
    this.#volume = new Smooth(sampleRate, 1);
    this.#side = new Smooth(sampleRate, 1);
  }

  /** dB: what brings the song to the common loudness, and the gain knob. */
  set gain(decibels: number) {
    this.#gain.target = decibelGain(decibels);
  }

  /** Place of the fader, 0 to 1. */
  set volume(volume: number) {
    this.#volume.target = volumeGain(volume);
  }

  /** Linear gain that the crossfader leaves of it. */
  set side(gain: number) {
    this.#side.target = gain;
  }

  /** Is what it was set to, at once: for a song that has just been loaded. */
  settle(): void {
    for (const part of [this.isolator, this.sweep, ...this.effects, this.#gain, this.#volume, this.#side]) part.settle();
  }

  /** In place. Call it for every frame, also while its deck is silent. */
  process(left: Float32Array, right: Float32Array, from: number, to: number, clock: Clock): void {
    this.#gain.apply(left, right, from, to);
    this.isolator.process(left, right, from, to);
    this.sweep.process(left, right, from, to);
    for (let i = from; i < to; i += 1) {
      this.preLeft[i] = left[i] as number;
      this.preRight[i] = right[i] as number;
    }
    this.#volume.apply(left, right, from, to);
    this.meter.process(left, right, from, to);
    this.#side.apply(left, right, from, to);
    this.effects[0].process(left, right, from, to, clock);
    this.effects[1].process(left, right, from, to, clock);
  }
}
