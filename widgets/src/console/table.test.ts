import { describe, expect, it } from "vitest";
import { CONTROLS, clamp, controlOf, ControlError, knobOf, numberOf, valueAt, valueOf } from "./table";

describe("the control table", () => {
  it("has every control under an id of its own", () => {
    expect(new Set(CONTROLS.map(({ id }) => id)).size).toBe(CONTROLS.length);
    expect(controlOf("deck.2.stem.lead_vocals.volume")).toMatchObject({ deck: 2, label: "lead vocals", keys: { deck: "2", stem: "lead_vocals" } });
    expect(CONTROLS.every((control, index) => control.index === index && !control.id.includes("{"))).toBe(true);
  });

  it("says which control is unknown and which value is none", () => {
    expect(() => controlOf("deck.9.play")).toThrow(ControlError);
    expect(() => clamp(controlOf("deck.1.play"), "yes")).toThrow(/takes a number/);
    expect(() => clamp(controlOf("deck.1.volume"), NaN)).toThrow(/takes a number/);
    expect(() => clamp(controlOf("deck.1.pitch_range"), "7")).toThrow(/6, 10, 16, 50/);
    expect(() => clamp(controlOf("deck.1.position"), 1)).toThrow(/only be read/);
  });

  it("brings values into their range and to their steps", () => {
    expect(clamp(controlOf("mixer.crossfader"), 3)).toBe(1);
    expect(clamp(controlOf("deck.1.key_shift"), -3.4)).toBe(-3);
    expect(clamp(controlOf("deck.1.play"), 7)).toBe(1);
    expect(valueOf(controlOf("deck.1.assign"), numberOf(controlOf("deck.1.assign"), "right"))).toBe("right");
  });

  it("turns knobs into values and back for every curve", () => {
    for (const control of CONTROLS.filter(({ deck, kind }) => (deck ?? 1) === 1 && (kind === "absolute" || kind === "enum"))) {
      expect(valueAt(control, knobOf(control, control.default)), control.id).toSatisfy(
        (value) => value === control.default || Math.abs((value as number) - (control.default as number)) < 1e-9);
      if (control.kind !== "absolute") continue;
      expect(valueAt(control, 0), control.id).toBe(control.min);
      expect(valueAt(control, 1), control.id).toBe(control.max);
    }
  });

  it("has equalisers flat in the middle, faders that are silent at the bottom and octaves evenly apart", () => {
    expect(valueAt(controlOf("deck.1.eq.low"), 0.5)).toBe(0);
    expect(valueAt(controlOf("deck.1.eq.low"), 0.25)).toBe(-13);
    expect(valueAt(controlOf("mixer.master"), 0)).toBe(-60);
    expect(knobOf(controlOf("mixer.master"), 0)).toBeCloseTo(10 ** (-6 / 60), 12);
    const beats = controlOf("deck.1.loop.beats");
    expect(knobOf(beats, 8) - knobOf(beats, 4)).toBeCloseTo(knobOf(beats, 2) - knobOf(beats, 1), 12);
  });
});
