/** A click on every beat of the song that plays, higher on downbeats. */

import { after } from "../waveform/grid";
import type { AudioEngine } from "./engine";
import { Scheduler } from "./schedule";

/** Hz. */
const BEAT = 1000;
const DOWNBEAT = 1600;
/** Seconds. */
const LENGTH = 0.045;
const DECAY = 0.009;
const PEAK = 0.85;
/** Seconds within which a beat is a downbeat. */
const SAME = 0.005;

export class Clicks {
  readonly #engine: AudioEngine;
  readonly #scheduler: Scheduler;
  #downbeat: boolean[] = [];
  #level: number;
  #output: GainNode | null = null;
  #sounds: { beat: AudioBuffer; downbeat: AudioBuffer } | null = null;

  /** `level` is a linear gain. */
  constructor(engine: AudioEngine, level: number, signal: AbortSignal) {
    this.#engine = engine;
    this.#level = level;
    this.#scheduler = new Scheduler(engine, (index, time) => this.#click(index, time), signal);
    signal.addEventListener("abort", () => this.#output?.disconnect(), { once: true });
  }

  get on(): boolean {
    return this.#scheduler.on;
  }

  set on(on: boolean) {
    this.#scheduler.on = on;
  }

  set level(level: number) {
    this.#level = level;
    const { context } = this.#engine;
    if (context) this.#output?.gain.setTargetAtTime(level, context.currentTime, 0.008);
  }

  /** The grid of the song, in s; beats that were moved are heard where they are now. */
  setGrid(beats: readonly number[], downbeats: readonly number[]): void {
    this.#downbeat = beats.map((beat) => {
      const next = after(downbeats, beat - SAME);
      return next < downbeats.length && (downbeats[next] as number) <= beat + SAME;
    });
    this.#scheduler.marks = beats;
  }

  #click(index: number, time: number): () => void {
    const context = this.#engine.context as AudioContext;
    this.#output ??= this.#connect(context);
    this.#sounds ??= { beat: render(context, BEAT), downbeat: render(context, DOWNBEAT) };
    const source = context.createBufferSource();
    source.buffer = this.#downbeat[index] ? this.#sounds.downbeat : this.#sounds.beat;
    source.connect(this.#output);
    source.onended = () => source.disconnect();
    source.start(time);
    return () => source.stop();
  }

  #connect(context: AudioContext): GainNode {
    const output = context.createGain();
    output.gain.value = this.#level;
    output.connect(this.#engine.input ?? context.destination);
    return output;
  }
}

/** A dry tick: at its loudest within a millisecond, so that the ear puts it where the beat is. */
function render(context: AudioContext, frequency: number): AudioBuffer {
  const rate = context.sampleRate;
  const buffer = context.createBuffer(1, Math.round(LENGTH * rate), rate);
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < samples.length; i += 1) {
    const t = i / rate;
    const fade = Math.min(1, (LENGTH - t) / 0.005);
    samples[i] = PEAK * fade * Math.exp(-t / DECAY) * Math.sin(2 * Math.PI * frequency * t);
  }
  return buffer;
}
