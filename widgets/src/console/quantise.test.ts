import { describe, expect, it } from "vitest";
import { quantise } from "./quantise";

const back = ({ left, scale }: ReturnType<typeof quantise>) => Array.from(left, (sample) => sample / scale);

function made(samples: number[], from = 0, to = samples.length): ReturnType<typeof quantise> {
  const sound = Float32Array.from(samples);
  return quantise(sound, sound, from, to);
}

describe("a slice of a song", () => {
  it("keeps 16 bit sound to the bit, up to full scale either way", () => {
    const samples = [0, 1, -1, 12345, -12345, 32767, -32768].map((sample) => sample / 32768);
    expect(back(made(samples))).toEqual(samples);
  });

  it("is the same of a file of 16 bits in a browser that takes samples above zero as parts of 32767", () => {
    for (const peak of [3, 130, 700, 32767]) {
      const file = [0, 1, -1, peak, -peak, Math.round(peak / 3)];
      const read = made(file.map((sample) => sample / 32768));
      const decoded = made(file.map((sample) => sample / (sample > 0 ? 32767 : 32768)));
      expect(decoded).toEqual(read);
    }
  });

  it("keeps quiet sound finer than 16 bits, and sound beyond full scale whole", () => {
    const quiet = [0.00001234, -0.0000234, 0.000031];
    back(made(quiet)).forEach((sample, i) => expect(Math.abs(sample - (quiet[i] as number))).toBeLessThan(1e-7));
    back(made([1.7, -2.3, 0.2])).forEach((sample, i) => expect(sample).toBeCloseTo([1.7, -2.3, 0.2][i] as number, 3));
  });

  it("is of that part of the sound alone", () => {
    expect(made([9, 0.5, -0.25, 9], 1, 3)).toMatchObject({ left: Int16Array.of(16384, -8192), scale: 32768 });
  });
});
