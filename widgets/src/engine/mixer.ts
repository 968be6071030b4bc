/** What each stem of a song is set to, and the gains that follow. */

import type { AudioSource } from "../types";

export type Role = AudioSource["role"];

/** The original recording, or the sum of its stems as they are set. */
export type Listen = "song" | "stems";

export interface StemSetting {
  /** Place of the fader, 0 to 1; `UNITY` leaves the level as it is. */
  fader: number;
  muted: boolean;
  solo: boolean;
}

export interface MixerState {
  listen: Listen;
  stems: Partial<Record<Role, StemSetting>>;
}

/** Fader place of 0 dB; the top is +6 dB. */
export const UNITY = 10 ** (-6 / 60);
const TAPER = 3;

/** Linear gain of a fader: a cubic law, fine around 0 dB and silent at the bottom. */
export function faderGain(fader: number): number {
  return (Math.max(0, Math.min(1, fader)) / UNITY) ** TAPER;
}

/** Fader place of a level in dB. */
export function faderAt(decibels: number): number {
  return Math.max(0, Math.min(1, UNITY * 10 ** (decibels / (20 * TAPER))));
}

export function decibels(gain: number): number {
  return 20 * Math.log10(gain);
}

/** "+1.5 dB", "−12.0 dB", "−∞ dB". */
export function levelText(gain: number): string {
  const level = decibels(gain);
  if (level < -80) return "−∞ dB";
  const text = Math.abs(level).toFixed(1);
  if (text === "0.0") return "0.0 dB";
  return `${level > 0 ? "+" : "−"}${text} dB`;
}

export function neutral(): StemSetting {
  return { fader: UNITY, muted: false, solo: false };
}

/**
 * Gain of every source that is loaded.
 *
 * The song and the sum of its stems are never heard together. Solo silences the other stems;
 * a muted stem stays silent even when it is soloed.
 */
export function gains(mixer: MixerState, roles: Iterable<Role>): Map<Role, number> {
  const all = [...roles];
  const stems = all.filter((role) => role !== "mix");
  const song = stems.length === 0 || (mixer.listen === "song" && all.includes("mix"));
  const anySolo = stems.some((role) => mixer.stems[role]?.solo);
  return new Map(all.map((role) => {
    if (role === "mix") return [role, song ? 1 : 0];
    const { fader, muted, solo } = mixer.stems[role] ?? neutral();
    const heard = !song && !muted && (solo || !anySolo);
    return [role, heard ? faderGain(fader) : 0];
  }));
}
