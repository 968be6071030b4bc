/** The 24 keys around the Camelot wheel. */

export interface Key {
  name: string;
  camelot: string;
}

const SHARPS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

/** 1A, 1B, 2A, ... 12B: neighbours mix well. */
export const KEYS: readonly Key[] = Array.from({ length: 24 }, (_, i) => {
  const number = (i >> 1) + 1;
  const minor = i % 2 === 0;
  // Each step of the wheel is a fifth; 8A is A minor, 8B is C major.
  const tonic = (((minor ? 9 : 0) + 7 * (number - 8)) % 12 + 12) % 12;
  return { name: `${SHARPS[tonic]} ${minor ? "minor" : "major"}`, camelot: `${number}${minor ? "A" : "B"}` };
});
