/** Linear gains of faders and knobs. */

/** Lowest mark of a level knob, in dB: there it is silent. */
const SILENT = -60;

/** Linear gain of a level in dB. */
export function decibelGain(decibels: number): number {
  return 10 ** (decibels / 20);
}

/** Linear gain of a level knob whose lowest mark, -60 dB, is silence. */
export function levelGain(decibels: number): number {
  return decibels <= SILENT ? 0 : decibelGain(decibels);
}

/** Linear gain of a channel's or stem's fader, 0 to 1: 0 dB at the top, -12 dB half way, silent at the bottom. */
export function volumeGain(volume: number): number {
  const place = Math.max(0, Math.min(1, volume));
  return place * place;
}
