/** What each stem of a song is set to, and the gains that follow. */

import type { AudioSource, StemName } from "../types";

export type Role = AudioSource["role"];
/** A stem, whichever of two sets it is from. */
export type Stem = StemName;
/** "a" is the set that is in use, "b" the one that is compared with it. */
export type Side = "a" | "b";

/** The original recording, or the sum of its stems as they are set. */
export type Listen = "song" | "stems";

export interface StemSetting {
  /** Place of the fader, 0 to 1; `UNITY` leaves the level as it is. */
  fader: number;
  muted: boolean;
  solo: boolean;
  /** -1 is left, 1 is right. */
  pan: number;
}

export interface MixerState {
  listen: Listen;
  stems: Partial<Record<Stem, StemSetting>>;
  /** From which of two sets a stem is heard; those that are not named: from "a". */
  sides?: Partial<Record<Stem, Side>>;
  /** Linear gains, at most 1, that make what is compared equally loud. */
  match?: Partial<Record<Role, number>>;
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
  return { fader: UNITY, muted: false, solo: false, pan: 0 };
}

/** "12 % left", "centre". */
export function panText(pan: number): string {
  const size = Math.round(Math.abs(pan) * 100);
  return size === 0 ? "centre" : `${size} % ${pan < 0 ? "left" : "right"}`;
}

export function sideOf(role: Role): Side {
  return role.startsWith("b:") ? "b" : "a";
}

/** The stem behind a role; null for the song itself. */
export function stemOf(role: Role): Stem | null {
  return role === "mix" ? null : (role.replace("b:", "") as Stem);
}

export function roleOf(stem: Stem, side: Side): Role {
  return side === "b" ? `b:${stem}` : stem;
}

/**
 * Gain of every source that is loaded.
 *
 * The song and the sum of its stems are never heard together, nor a stem from two sets. Solo silences the other
 * stems; a muted stem stays silent even when it is soloed.
 */
export function gains(mixer: MixerState, roles: Iterable<Role>): Map<Role, number> {
  const all = [...roles];
  const stems = all.filter((role) => role !== "mix");
  const song = stems.length === 0 || (mixer.listen === "song" && all.includes("mix"));
  const anySolo = stems.some((role) => mixer.stems[stemOf(role) as Stem]?.solo);
  return new Map(all.map((role) => {
    const stem = stemOf(role);
    const match = mixer.match?.[role] ?? 1;
    if (stem === null) return [role, song ? match : 0];
    const { fader, muted, solo } = mixer.stems[stem] ?? neutral();
    const heard = !song && (mixer.sides?.[stem] ?? "a") === sideOf(role) && !muted && (solo || !anySolo);
    return [role, heard ? faderGain(fader) * match : 0];
  }));
}
