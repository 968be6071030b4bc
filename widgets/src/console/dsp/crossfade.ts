/** What a crossfader leaves of its two sides. */

export type Curve = "power" | "linear" | "cut";

/** So much of the way, at either end, opens the other side of a cut. */
const CUT = 0.05;

/**
 * Linear gain of one side; `toward` is 1 when the crossfader is at this side, -1 when it is at the other.
 *
 * @param curve "power" keeps the power of two unlike songs (-3 dB each in the middle), "linear" the sum of alike ones
 *   (-6 dB each), "cut" opens a side within the first 5 % of the way, as for scratching.
 */
export function side(toward: number, curve: Curve): number {
  const place = Math.max(0, Math.min(1, (1 + toward) / 2));
  if (curve === "power") return place === 0 ? 0 : Math.sin((place * Math.PI) / 2);
  return curve === "linear" ? place : Math.min(1, place / CUT);
}
