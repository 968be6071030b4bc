import { describe, expect, it } from "vitest";
import { faderAt, faderGain, gains, levelText, type MixerState, neutral, type Role, UNITY } from "./mixer";

const ROLES: Role[] = ["mix", "vocals", "drums", "bass", "other"];

function heard(mixer: MixerState, roles = ROLES): string[] {
  return [...gains(mixer, roles)].filter(([, gain]) => gain > 0).map(([role]) => role);
}

const set = (change: object) => ({ ...neutral(), ...change });

describe("what is heard", () => {
  it("is the song alone until the stems are asked for", () => {
    expect(heard({ listen: "song", stems: {} })).toEqual(["mix"]);
    expect(heard({ listen: "stems", stems: {} })).toEqual(["vocals", "drums", "bass", "other"]);
  });

  it("is the song where there are no stems, the stems where there is no song", () => {
    expect(heard({ listen: "stems", stems: {} }, ["mix"])).toEqual(["mix"]);
    expect(heard({ listen: "song", stems: {} }, ["vocals", "drums"])).toEqual(["vocals", "drums"]);
  });

  it.each([
    [{ vocals: set({ muted: true }) }, ["drums", "bass", "other"]],
    [{ vocals: set({ solo: true }) }, ["vocals"]],
    [{ vocals: set({ solo: true }), bass: set({ solo: true }) }, ["vocals", "bass"]],
    [{ vocals: set({ solo: true, muted: true }) }, []],
    [{ vocals: set({ solo: true }), bass: set({ muted: true }) }, ["vocals"]],
    [{ drums: set({ fader: 0 }) }, ["vocals", "bass", "other"]],
  ])("follows mute and solo: %j", (stems, expected) => {
    expect(heard({ listen: "stems", stems })).toEqual(expected);
  });

  it("keeps the settings while the song is compared", () => {
    expect(heard({ listen: "song", stems: { vocals: set({ solo: true }) } })).toEqual(["mix"]);
  });

  it("takes each stem from one of two sets", () => {
    const roles: Role[] = [...ROLES, "b:vocals", "b:rest"];
    expect(heard({ listen: "stems", stems: {} }, roles)).toEqual(["vocals", "drums", "bass", "other"]);
    expect(heard({ listen: "stems", stems: {}, sides: { vocals: "b", other: "b", rest: "b" } }, roles))
      .toEqual(["drums", "bass", "b:vocals", "b:rest"]);
    expect(heard({ listen: "stems", stems: { vocals: set({ solo: true }) }, sides: { vocals: "b" } }, roles)).toEqual(["b:vocals"]);
  });

  it("brings the louder one down, under its fader", () => {
    const match = { mix: 0.5, "b:vocals": 0.25 };
    expect(gains({ listen: "song", stems: {}, match }, ROLES).get("mix")).toBe(0.5);
    const all = gains({ listen: "stems", stems: { vocals: set({ fader: 1 }) }, sides: { vocals: "b" }, match }, [...ROLES, "b:vocals"]);
    expect(all.get("b:vocals")).toBeCloseTo(0.25 * faderGain(1), 12);
    expect(all.get("drums")).toBeCloseTo(1, 12);
  });

  it("sums untouched stems at their own level", () => {
    const all = gains({ listen: "stems", stems: {} }, ROLES);
    for (const role of ROLES.slice(1)) expect(all.get(role)).toBeCloseTo(1, 12);
  });
});

describe("a fader", () => {
  it("is silent at the bottom, 0 dB at its mark, +6 dB at the top", () => {
    expect(faderGain(0)).toBe(0);
    expect(faderGain(UNITY)).toBeCloseTo(1, 12);
    expect(levelText(faderGain(1))).toBe("+6.0 dB");
  });

  it("finds the place of a level", () => {
    for (const level of [-30, -6, 0, 3]) expect(20 * Math.log10(faderGain(faderAt(level)))).toBeCloseTo(level, 9);
  });

  it("writes levels as people read them", () => {
    expect([levelText(0), levelText(1), levelText(10 ** (-12 / 20)), levelText(0.9999)])
      .toEqual(["−∞ dB", "0.0 dB", "−12.0 dB", "0.0 dB"]);
  });
});
