/** Icons of playlists, on the grid of the shared ones. */

import { drawn, icon } from "../icons";
import type { PlaylistRow } from "../types";

const PATHS = {
  spotify: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M4.8 6.4c2.4-.7 4.7-.4 6.5.6M5.2 8.6c2-.5 3.8-.3 5.3.5M5.6 10.6c1.5-.4 2.9-.2 4 .4",
  file: "M4 2.5h5l3 3v8H4zM9 2.5v3h3M6.2 8.5h3.6M6.2 11h3.6",
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
  back: "M9.5 3.5L5 8l4.5 4.5",
} as const;

export function glyph(name: keyof typeof PATHS): SVGSVGElement {
  return drawn(PATHS[name]);
}

export function glyphOf({ kind, service }: Pick<PlaylistRow, "kind" | "service">): SVGSVGElement {
  if (kind === "imported") return glyph(service ?? "file");
  return icon(kind === "smart" ? "smart" : "playlists");
}
