/** A song in eight numbers, each on a scale of 0 to 1 with the real number beside it. */

import type { Curve } from "./curve";
import type { AnalysisData } from "./data";
import { figure, hertz, known, loudness, percent } from "./words";

export interface Feature {
  name: string;
  label: string;
  /** 0 to 1; null where it was not measured. */
  value: number | null;
  /** The real number with its unit. */
  text: string;
  /** What it says, and which number is the outer end. */
  about: string;
}

/** The rate below which a curve of onsets has lost its peaks, in Hz. */
const SLOWEST_ONSETS = 14;
/** Peaks stand above their neighbours within this time, in s. */
const PEAK_SECONDS = 0.05;

/** Attacks a second: peaks of the onset strength above the song's own mean. Null where there is no such curve. */
export function onsetRate(curve: Curve | null): number | null {
  if (!curve || curve.rate === null || curve.rate < SLOWEST_ONSETS || curve.rows < 2) return null;
  const sums = new Float64Array(curve.rows);
  let mean = 0;
  for (let row = 0; row < curve.rows; row += 1) {
    for (let column = 0; column < curve.columns; column += 1) (sums[row] as number) += curve.value(row, column);
    mean += (sums[row] as number) / curve.rows;
  }
  const reach = Math.max(1, Math.round(PEAK_SECONDS * curve.rate));
  let peaks = 0;
  for (let row = 0; row < curve.rows; row += 1) {
    const here = sums[row] as number;
    if (here <= mean) continue;
    let highest = true;
    for (let other = Math.max(0, row - reach); other <= Math.min(curve.rows - 1, row + reach) && highest; other += 1) {
      const there = sums[other] as number;
      // Of equal neighbours the first is the peak.
      if (there > here || (there === here && other < row)) highest = false;
    }
    if (highest) peaks += 1;
  }
  return (peaks * curve.rate) / curve.rows;
}

export function featuresOf(data: AnalysisData): Feature[] {
  const { analysis } = data;
  if (!analysis) return [];
  const density = onsetRate(data.curve("onsets"));
  const centroid = analysis.timbre.centroid ?? null;
  const energy = analysis.energy;
  const features: Feature[] = [
    {
      name: "energy", label: "Energy", value: energy === null ? null : energy / 10,
      text: energy === null ? "–" : `${energy} of 10`, about: "How full and driving it is, as DJs rate it: 1 is calm, 10 is peak time.",
    },
    {
      name: "danceability", label: "Danceability", value: analysis.danceability, text: figure(analysis.danceability, 2),
      about: "How steady and strong the beat is, from 0 to 1.",
    },
    {
      name: "loudness", label: "Loudness", value: scaled(analysis.lufs, -30, -5), text: loudness(analysis.lufs),
      about: "Integrated loudness, from −30 to −5 LUFS.",
    },
    {
      name: "brightness", label: "Brightness", value: known(centroid) ? scaled(Math.log(Math.max(1, centroid)), Math.log(300), Math.log(6000)) : null,
      text: hertz(centroid), about: "The spectral centroid, from 300 Hz to 6 kHz in octaves.",
    },
    {
      name: "density", label: "Density", value: scaled(density, 0, 10), text: known(density) ? `${density.toFixed(1)} a second` : "–",
      about: "Attacks a second, from 0 to 10.",
    },
    {
      name: "clarity", label: "Tonal clarity", value: analysis.key === null ? 0 : analysis.key_confidence,
      text: percent(analysis.key === null ? 0 : analysis.key_confidence), about: "How clearly one key speaks.",
    },
    {
      name: "pulse", label: "Pulse", value: analysis.bpm === null ? 0 : analysis.bpm_confidence,
      text: percent(analysis.bpm === null ? 0 : analysis.bpm_confidence), about: "How clearly one tempo speaks.",
    },
    {
      name: "dynamics", label: "Dynamics", value: scaled(analysis.lra, 0, 20), text: known(analysis.lra) ? `${figure(analysis.lra, 1)} LU` : "–",
      about: "Loudness range between quiet and loud parts, from 0 to 20 LU.",
    },
  ];
  return features;
}

function scaled(value: number | null, low: number, high: number): number | null {
  return known(value) ? Math.max(0, Math.min(1, (value - low) / (high - low))) : null;
}
