/** Icons of the transport, on the grid of the shared ones. */

import { drawn } from "../icons";

const PATHS = {
  toStart: "M4 3.5v9M12.5 3.5L6 8l6.5 4.5z",
  loop: "M4.5 5.5h6a2.7 2.7 0 0 1 0 5.4H5.2a2.7 2.7 0 0 1-2.5-1.7M6.8 3.2L4.5 5.5l2.3 2.3",
  zoomIn: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4l3.1 3.1M7 5v4M5 7h4",
  zoomOut: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4l3.1 3.1M5 7h4",
  follow: "M8 2v12M5.2 5L2.4 8l2.8 3M10.8 5l2.8 3-2.8 3",
} as const;

export function glyph(name: keyof typeof PATHS): SVGSVGElement {
  return drawn(PATHS[name]);
}
