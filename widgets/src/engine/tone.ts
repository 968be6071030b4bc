/** A soft chord beside the song: does this key fit what is heard? */

import type { AudioEngine } from "./engine";

/** Time constants of fades, in s. */
const RISE = 0.06;
const FALL = 0.05;
/** A voice has fallen silent after this many of its time constants. */
const SILENT = 7;
/** Above this nothing sings along, in Hz. */
const BRIGHTNESS = 900;
/** Linear gains of root and the voices above it. */
const VOICES = [0.5, 0.32, 0.26, 0.2];

interface Chord {
  output: GainNode;
  voices: OscillatorNode[];
}

export class Tone {
  readonly #engine: AudioEngine;
  #level: number;
  #output: GainNode | null = null;
  #chord: Chord | null = null;
  #notes = "";

  /** `level` is a linear gain. */
  constructor(engine: AudioEngine, level: number, signal: AbortSignal) {
    this.#engine = engine;
    this.#level = level;
    signal.addEventListener("abort", () => this.play([]), { once: true });
  }

  set level(level: number) {
    this.#level = level;
    const { context } = this.#engine;
    if (context) this.#output?.gain.setTargetAtTime(level, context.currentTime, 0.008);
  }

  /** Sounds these frequencies (Hz) from now on, and lets the ones before fade; none is silence. */
  play(frequencies: readonly number[]): void {
    const notes = frequencies.map((frequency) => frequency.toFixed(3)).join(" ");
    if (notes === this.#notes) return;
    if (frequencies.length > 0) this.#engine.unlock();
    const { context } = this.#engine;
    // Without a click of the page there is no sound yet: the next call may find it.
    if (!context) return;
    this.#notes = notes;
    this.#release(context);
    if (frequencies.length === 0) return;
    this.#output ??= this.#connect(context);
    const now = context.currentTime;
    const output = context.createGain();
    output.gain.value = 0;
    output.gain.setValueAtTime(0, now);
    output.gain.setTargetAtTime(1, now, RISE);
    output.connect(this.#output);
    const voices = frequencies.map((frequency, index) => {
      const voice = context.createOscillator();
      voice.type = "triangle";
      voice.frequency.value = frequency;
      const gain = context.createGain();
      gain.gain.value = VOICES[Math.min(index, VOICES.length - 1)] as number;
      voice.connect(gain);
      gain.connect(output);
      voice.start(now);
      return voice;
    });
    this.#chord = { output, voices };
  }

  #release(context: AudioContext): void {
    const chord = this.#chord;
    this.#chord = null;
    if (!chord) return;
    const now = context.currentTime;
    chord.output.gain.cancelScheduledValues(now);
    chord.output.gain.setTargetAtTime(0, now, FALL);
    for (const voice of chord.voices) voice.stop(now + SILENT * FALL);
    const last = chord.voices[0];
    if (last) last.onended = () => chord.output.disconnect();
  }

  #connect(context: AudioContext): GainNode {
    const output = context.createGain();
    output.gain.value = this.#level;
    const soft = context.createBiquadFilter();
    soft.type = "lowpass";
    soft.frequency.value = BRIGHTNESS;
    soft.Q.value = 0.5;
    output.connect(soft);
    soft.connect(this.#engine.input ?? context.destination);
    return output;
  }
}

const NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
/** MIDI numbers from C3 to B3 for the roots: low enough to be a ground, high enough for small loudspeakers. */
const LOWEST = 48;

/** Frequencies of the triad of a key ("A minor") or a chord ("A#m"), in Hz, tuned as the song; empty for none. */
export function triad(name: string, tuningCents: number): number[] {
  const match = /^([A-G]#?)(m| minor| major)?$/.exec(name);
  const root = NAMES.indexOf(match?.[1] ?? "");
  if (!match || root < 0) return [];
  const minor = match[2] === "m" || match[2] === " minor";
  return [0, 7, minor ? 15 : 16, 12].map((step) =>
    440 * 2 ** ((LOWEST + root + step - 69) / 12 + tuningCents / 1200));
}
