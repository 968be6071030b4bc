import { describe, expect, it } from "vitest";
import { differ, odd, response, samples, SILENCE, through, unlike } from "../../testing/channel";
import { above, noise, peak, RATE, tone } from "../../testing/sound";
import { type Band, Isolator } from "./isolator";

function isolator(change: (made: Isolator) => void = () => {}): () => Isolator {
  return () => {
    const made = new Isolator(RATE);
    change(made);
    made.settle();
    return made;
  };
}

const only = (band: Band) => isolator((made) => {
  for (const other of ["low", "mid", "high"] as const) made.kill(other, other !== band);
});

/** Its bands are summed, and all but at their own level. */
const flat = isolator((made) => made.set("mid", 1e-6));

describe("the isolator", () => {
  it("lets the sound through, bit by bit, as long as nothing is turned, and again when all is turned back", () => {
    const made = isolator()();
    const changes = { 3000: () => made.kill("low", true), 6000: () => made.kill("low", false) };
    const { left } = through(made, noise(), 15_000, { changes });
    const sound = samples(noise(), 15_000);
    expect(differ(left.subarray(0, 3000), sound.subarray(0, 3000))).toBe(-1);
    expect(differ(left.subarray(3001, 4000), sound.subarray(3001, 4000))).toBe(0);
    expect(differ(left.subarray(9000), sound.subarray(9000))).toBe(-1);
  });

  it.each([28, 60, 124, 252, 500, 792, 1248, 2500, 5000, 12_000, 18_000])("sums its bands to what came in at %i Hz", (hertz) => {
    expect(response(flat, hertz)).toBeCloseTo(0, 2);
  });

  it.each<[Band, number[]]>([
    ["low", [30, 60, 125]],
    ["mid", [500, 790, 1250]],
    ["high", [5000, 8000, 14_000]],
  ])("kills the %s band", (band, hertz) => {
    const killed = isolator((made) => made.kill(band, true));
    for (const one of hertz) expect(response(killed, one)).toBeLessThan(-45);
  });

  it.each<[Band, number, number[]]>([["low", 60, [790, 8000]], ["mid", 790, [60, 8000]], ["high", 8000, [60, 790]]])(
    "turns the %s band and leaves the others", (band, inside, outside) => {
      const turned = isolator((made) => made.set(band, 6));
      expect(response(turned, inside)).toBeCloseTo(6, 1);
      for (const hertz of outside) {
        expect(response(turned, hertz)).toBeCloseTo(0, 1);
        expect(response(only(band), hertz)).toBeLessThan(-40);
      }
    });

  it("gives a band back at the level that it had before it was killed", () => {
    const back = isolator((made) => {
      made.set("low", -9);
      made.kill("low", true);
      made.kill("low", false);
    });
    expect(response(back, 60)).toBeCloseTo(-9, 1);
  });

  it("kills and gives back without a click", () => {
    const made = isolator()();
    const { left } = through(made, tone(80, 0.9), RATE / 2, {
      changes: { 9001: () => made.kill("low", true), 13_003: () => made.kill("low", false) },
    });
    expect(above(left.subarray(6000, 18_000), 3000)).toBeLessThan(-70);
  });

  it("gives the same samples however blocks are cut, and silence for silence", () => {
    const listen = (cut?: (frame: number) => number) => {
      const made = isolator()();
      const burst = (frame: number) => (frame > 700 && frame < 9000 ? noise()(frame) : 0);
      return through(made, [burst, noise(0.5, 2)], 20_000, { cut, changes: { 5003: () => made.kill("mid", true), 12_000: () => made.set("low", 4) } });
    };
    expect(unlike(listen(odd()), listen())).toBe(-1);
    const { left } = through(isolator()(), (frame) => (frame < 100 ? 0.5 : 0), RATE * 2);
    expect(differ(left.subarray(RATE), samples(SILENCE, RATE))).toBe(-1);
    expect(peak(left)).toBeGreaterThan(0.1);
  });
});
