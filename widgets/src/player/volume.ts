/** The level of the whole page. */

import { type AudioEngine, levelText } from "../engine";
import { Fader } from "./fader";

const KEY = "sfa.volume";
/** A fader's place to a linear gain, and back: the top is 0 dB. */
const TAPER = 3;

export function volumePlace(gain: number): number {
  return gain ** (1 / TAPER);
}

/** A fader for the page's level; it is kept for the next visit. */
export function volumeFader(engine: AudioEngine, signal: AbortSignal): Fader {
  const kept = stored();
  // only the first fader of a page: later ones find a level that was set by hand
  if (engine.volume === 1 && kept !== null) engine.volume = kept ** TAPER;
  return new Fader({
    label: "Volume",
    value: volumePlace(engine.volume),
    reset: 1,
    text: (value) => levelText(value ** TAPER),
    changed(value) {
      engine.volume = value ** TAPER;
      try {
        localStorage.setItem(KEY, value.toFixed(3));
      } catch {
        // storage is switched off: the level lasts as long as the page
      }
    },
    signal,
  });
}

function stored(): number | null {
  try {
    const value = Number.parseFloat(localStorage.getItem(KEY) ?? "");
    return value > 0 && value < 1 ? value : null;
  } catch {
    return null;
  }
}
