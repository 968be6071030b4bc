/** What the pictures draw most: boxes and words. */

import type { Surface } from "../../waveform/surface";

/** A custom property of the theme, or a colour. */
export function colourOf(surface: Surface, colour: string): string {
  return colour.startsWith("--") ? surface.colour(colour) : colour;
}

export function box(surface: Surface, colour: string, x: number, y: number, width: number, height: number, alpha = 1): void {
  const { context } = surface;
  if (!context) return;
  context.globalAlpha = alpha;
  context.fillStyle = colourOf(surface, colour);
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
}

/** Words that follow are of this size, in the middle of their line. */
export function lettering(surface: Surface, size: number, weight = 500, align: CanvasTextAlign = "left"): void {
  const { context } = surface;
  if (!context) return;
  context.font = surface.font(size, weight);
  context.textAlign = align;
  context.textBaseline = "middle";
}
