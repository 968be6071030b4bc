/** How much decoded sound a page can hold. */

/** Longer songs are streamed instead of decoded into memory, in s. */
export const LONGEST_DECODED = 20 * 60;
/** All sources of a song together: an hour of stereo takes 1.4 GB at 48 kHz. */
export const LONGEST_DECODED_SUM = 60 * 60;

/** What all decks of a page hold, as 16 bit integers: 1.7 GB at 48 kHz. */
export const LONGEST_IN_DECKS = 150 * 60;

/** Whether a song and its stems fit into memory; a longer one plays as the original only. */
export function stemsFit(duration: number, sources: number): boolean {
  return duration <= LONGEST_DECODED && duration * sources <= LONGEST_DECODED_SUM;
}
