/** A song in eight numbers, each on a scale of 0 to 1 with the real number beside it. */

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

export function featuresOf(data: AnalysisData): Feature[] {
  const { analysis, density } = data;
  if (!analysis) return [];
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
