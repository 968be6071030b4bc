/** Corrections of a song's beat grid from its deck: kept with the song, for everybody who shows it. */

import type { Bridge } from "../../bridge";
import type { Analysis, AnalysisLoad, CorrectionValues } from "../../types";
import { snap } from "../../waveform/grid";

/** Two beats nearer than this are one, in s. */
const SAME = 0.001;

/** What a trigger ("shift", "here", ...) at a place in s means for the grid; null when there is nothing to be done. */
export function correction(
  trigger: string, value: number, place: number, analysis: Analysis | null,
): CorrectionValues["grid"] | null {
  const beats = analysis?.beats ?? [];
  if (beats.length === 0) return null;
  switch (trigger) {
    case "shift":
      return Math.abs(value) < SAME ? null : { shift: value };
    case "here": {
      const shift = place - snap(beats, place);
      return Math.abs(shift) < SAME ? null : { shift };
    }
    case "pin":
      return Math.abs(place - snap(beats, place)) < SAME ? null : { pin: place };
    case "downbeat":
      return { downbeat: snap(beats, place) };
    case "double":
      return { scale: 2 };
    case "halve":
      return { scale: 0.5 };
    default:
      return null;
  }
}

/** Corrects the grid of a track, or takes the last correction back; resolves with its analysis as it is then. */
export async function correctGrid(
  bridge: Bridge, id: string, value: CorrectionValues["grid"] | "undo",
): Promise<AnalysisLoad> {
  const { result } = value === "undo"
    ? await bridge.request("analysis.undo", { id })
    : await bridge.request("analysis.correct", { id, kind: "grid", value });
  return result;
}
