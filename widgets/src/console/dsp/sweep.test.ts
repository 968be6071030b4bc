import { describe, expect, it } from "vitest";
import { differ, odd, response, samples, through, unlike } from "../../testing/channel";
import { above, noise, RATE, tone } from "../../testing/sound";
import { Sweep } from "./sweep";

const at = (position: number) => () => {
  const sweep = new Sweep(RATE);
  sweep.position = position;
  sweep.settle();
  return sweep;
};

describe("the filter knob", () => {
  it.each([0, 0.02, -0.03])("does nothing at all in its middle (%f)", (position) => {
    expect(differ(through(at(position)(), noise(), 2000).left, samples(noise(), 2000))).toBe(-1);
  });

  it("is dark on the left and thin on the right, 24 dB an octave", () => {
    expect(response(at(-1), 640)).toBeLessThan(-65);
    expect(response(at(-1), 50)).toBeGreaterThan(-1);
    expect(response(at(-0.5), 300)).toBeCloseTo(0, 0);
    expect(response(at(-0.5), 5000) - response(at(-0.5), 10_000)).toBeGreaterThan(22);
    expect(response(at(1), 1000)).toBeLessThan(-65);
    expect(response(at(1), 15_000)).toBeGreaterThan(-1);
    expect(response(at(0.5), 6000)).toBeCloseTo(0, 0);
  });

  it("hardly stands out at its edge", () => {
    for (const position of [-0.8, -0.3, 0.3, 0.8]) {
      for (let hertz = 40; hertz < 16_000; hertz *= 1.5) expect(response(at(position), hertz)).toBeLessThan(4);
    }
  });

  it("turns, jumps across and comes back to the sound itself without a click", () => {
    const sweep = new Sweep(RATE);
    const changes = Object.fromEntries([0.2, -0.2, 0.5, -0.01].map((position, i) => [10_000 + 3000 * i, () => { sweep.position = position; }]));
    const { left } = through(sweep, tone(100, 0.9), 30_000, { changes });
    expect(above(left, 4000)).toBeLessThan(-60);
    expect(differ(left.subarray(25_000), samples(tone(100, 0.9), 30_000).subarray(25_000))).toBe(-1);
  });

  it("gives the same samples however blocks are cut", () => {
    const listen = (cut?: (frame: number) => number) => {
      const sweep = new Sweep(RATE);
      const changes = Object.fromEntries([0.4, -0.7, 0, 0.9].map((position, i) => [1001 + 3010 * i, () => { sweep.position = position; }]));
      return through(sweep, [noise(), noise(0.5, 2)], 20_000, { cut, changes });
    };
    expect(unlike(listen(odd()), listen())).toBe(-1);
  });
});
