/** The control table for pages: what the console has of it, and values in words. */

import { type Control } from "../console/table";
import type { ControlValue } from "../types";

export {
  clamp, type Control, ControlError, controlOf, CONTROLS, holdsState, isControl, knobOf, valueAt,
} from "../console/table";

/** Digits after the point by unit; others have as many as tell two steps of a knob apart. */
const DIGITS: Readonly<Record<string, number>> = { dB: 1, dBFS: 1, dBTP: 1, "%": 2, BPM: 2, s: 2, semitones: 0, "px/s": 0 };

/** A value as a person reads it, with its unit: "+1.5 dB", "−∞ dB", "1/4 beats", "off". */
export function valueText(control: Control, value: ControlValue): string {
  const { kind, unit, min, curve } = control;
  if (typeof value === "string") return value.replaceAll("_", " ");
  if (kind === "toggle" || kind === "momentary") return value ? "on" : "off";
  if (curve === "decibels" && value <= min) return `−∞ ${unit}`;
  if (unit === "beats") return `${fraction(value)} ${value > 0 && value <= 1 ? "beat" : "beats"}`;
  if (min === 0 && control.max === 1 && unit === "") return `${Math.round(value * 100)} %`;
  const text = Math.abs(value).toFixed(DIGITS[unit] ?? 2);
  const zero = Number(text) === 0;
  // A value that can go both ways shows which way it went.
  const sign = zero || (value > 0 && min >= 0) ? "" : value > 0 ? "+" : "−";
  return unit === "" ? sign + text : `${sign}${text} ${unit}`;
}

/** 0.25 is "1/4"; what is no such part stays a decimal number. */
function fraction(beats: number): string {
  const parts = 1 / beats;
  if (beats > 0 && beats < 1 && Math.abs(parts - Math.round(parts)) < 1e-6) return `1/${Math.round(parts)}`;
  return String(Math.round(beats * 100) / 100).replace("-", "−");
}
