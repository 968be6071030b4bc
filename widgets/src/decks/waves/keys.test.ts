import { describe, expect, it } from "vitest";
import { camelotOf, keyMatch, shifted, soundingKey } from "./keys";

const A_MINOR = { tonic: 9, minor: true };
const key = (tonic: number, minor = false) => ({ tonic, minor });

describe("keys of decks", () => {
  it("stand where DJs know them on the wheel", () => {
    expect([A_MINOR, key(0), key(4, true), key(11), key(8, true), key(4)].map(camelotOf)).toEqual(
      ["8A", "8B", "9A", "1B", "1A", "12B"]);
  });

  it("go together or do not", () => {
    const after = (semitones: number) => keyMatch(A_MINOR, shifted(A_MINOR, semitones));
    expect([0, 7, 5, 2, 1, 10, 11, 6, 3].map(after)).toEqual(
      ["same", "neighbour", "neighbour", "energy up", "energy up", "energy down", "energy down", "clash", "clash"]);
    expect(keyMatch(A_MINOR, key(0))).toBe("relative");
    expect(keyMatch(A_MINOR, key(9))).toBe("clash");
  });

  it("follow the key shift, and the tempo only without key lock", () => {
    expect(camelotOf(soundingKey(A_MINOR, 3, 8, true))).toBe("5A");
    expect(camelotOf(soundingKey(A_MINOR, 0, 6, false))).toBe("3A");
    expect(soundingKey(A_MINOR, -1, 6, false)).toEqual(A_MINOR);
  });
});
