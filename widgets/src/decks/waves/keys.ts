/** Keys as they sound on a deck, and how two of them go together on the Camelot wheel. */

export interface Key {
  /** Pitch class; C is 0. */
  tonic: number;
  minor: boolean;
}

/** How the second key sounds after, or with, the first. */
export type KeyMatch = "same" | "relative" | "neighbour" | "energy up" | "energy down" | "clash";

const HOURS = 12;
/** Hours of the wheel in one semitone up. */
const SEMITONE = 7;
/** Hour of C major. */
const C_MAJOR = 8;
const NAMES = ["C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

/** Place on the wheel, 1 to 12: a minor key stands with its relative major. */
function hour({ tonic, minor }: Key): number {
  return modulo(C_MAJOR + SEMITONE * (tonic + (minor ? 3 : 0)) - 1, HOURS) + 1;
}

/** "8A" for A minor. */
export function camelotOf(key: Key): string {
  return `${hour(key)}${key.minor ? "A" : "B"}`;
}

/** "A minor". */
export function keyName({ tonic, minor }: Key): string {
  return `${NAMES[modulo(tonic, 12)]} ${minor ? "minor" : "major"}`;
}

/** A key so many semitones higher; parts of a semitone are left to the ear. */
export function shifted({ tonic, minor }: Key, semitones: number): Key {
  return { tonic: modulo(tonic + Math.round(semitones), 12), minor };
}

/** The key that is heard: tempo moves it too unless key lock holds it. */
export function soundingKey(key: Key, shift: number, pitch: number, keylock: boolean): Key {
  return shifted(key, shift + (keylock ? 0 : 12 * Math.log2(1 + pitch / 100)));
}

export function keyMatch(a: Key, b: Key): KeyMatch {
  const hours = modulo(hour(b) - hour(a), HOURS);
  if (a.minor !== b.minor) return hours === 0 ? "relative" : "clash";
  switch (hours) {
    case 0: return "same";
    case 1: case 11: return "neighbour";
    // A whole tone and a semitone: the lift of the last chorus.
    case 2: case 7: return "energy up";
    case 10: case 5: return "energy down";
    default: return "clash";
  }
}
