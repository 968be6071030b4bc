/** Icons of the tools, on the grid of the shared ones. */

import { drawn } from "../../icons";

const PATHS = {
  undo: "M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M5.8 3.5L2.8 6.5l3 3",
  hand: "M3 13l.6-2.6L10.8 3.2l2 2L5.6 12.4zM9.4 4.6l2 2",
  split: "M8 2v12M5.5 5L2.5 8l3 3M10.5 5l3 3-3 3",
  merge: "M8 2v2.5M8 11.5V14M2 8h4M4 5.8L6.2 8 4 10.2M14 8h-4M12 5.8L9.8 8l2.2 2.2",
  move: "M11 2v12M2 8h6M5.8 5.5L8.3 8l-2.5 2.5",
  metronome: "M5.8 2.5h4.4l2 11H3.8zM8 10l4.5-5.5M4.5 10h7",
  tone: "M8.5 12V2.8c.5 2 3.5 2 3.5 4.7M8.5 12a2.2 1.8 0 1 1-4.4 0 2.2 1.8 0 0 1 4.4 0",
  switch: "M3 5.5h9.5M10 3l2.5 2.5L10 8M13 10.5H3.5M6 8l-2.5 2.5L6 13",
} as const;

export function glyph(name: keyof typeof PATHS): SVGSVGElement {
  return drawn(PATHS[name]);
}
