import { describe, expect, it } from "vitest";
import { faderAt, type MixerState, neutral, type Role } from "../engine";
import { Loudness, type Sound } from "./loudness";
import { levels } from "./match";

const RATE = 48_000;

/** A sine in both channels, or a different one in each. */
function sine(frequency: number, amplitude: number, seconds = 4, right = amplitude): Sound {
  const channel = (size: number) =>
    Float32Array.from({ length: seconds * RATE }, (_, i) => size * Math.sin((2 * Math.PI * frequency * i) / RATE));
  const channels = [channel(amplitude), channel(right)];
  return { sampleRate: RATE, length: seconds * RATE, numberOfChannels: 2, getChannelData: (index) => channels[index] as Float32Array };
}

function measured(...sounds: Sound[]): Loudness {
  const loudness = new Loudness(sounds);
  while (loudness.measure());
  return loudness;
}

const at = (gain: number, pan = 0) => ({ gain, pan });

describe("a loudness", () => {
  it("is that of the standard's test tone", () => {
    // 997 Hz in one channel at 0 dBFS is -3.01 LUFS, in both 3 dB more
    expect(measured(sine(997, 1, 4, 0)).of([at(1)])).toBeCloseTo(-3.01, 1);
    expect(measured(sine(997, 0.1)).of([at(1)])).toBeCloseTo(-20, 1);
  });

  it("hears the head's shelf and what the ear does not hear below", () => {
    expect(measured(sine(10_000, 0.1)).of([at(1)])).toBeCloseTo(-20 + 3.3, 0);
    expect(measured(sine(20, 0.1)).of([at(1)]) as number).toBeLessThan(-30);
  });

  it("follows gains without a look at the sound", () => {
    const loudness = measured(sine(997, 0.1), sine(1500, 0.1));
    const one = loudness.of([at(1), at(0)]) as number;
    expect(loudness.of([at(0.5), at(0)])).toBeCloseTo(one - 6.02, 2);
    expect(loudness.of([at(0), at(0)])).toBeNull();
  });

  it("knows that what is the same adds up and what is opposite goes away", () => {
    const loudness = measured(sine(997, 0.1), sine(997, 0.1), sine(997, -0.1));
    const one = loudness.of([at(1), at(0), at(0)]) as number;
    expect(loudness.of([at(1), at(1), at(0)])).toBeCloseTo(one + 6.02, 2);
    expect(loudness.of([at(1), at(0), at(1)])).toBeNull();
  });

  it("pans as the page does", () => {
    const loudness = measured(sine(997, 0.1));
    // all of both channels in one loudspeaker: twice the amplitude there, nothing in the other
    expect((loudness.of([at(1, -1)]) as number) - (loudness.of([at(1)]) as number)).toBeCloseTo(3.01, 2);
  });

  it("leaves the silence of a song out", () => {
    const sound = sine(997, 0.1, 8);
    sound.getChannelData(0).fill(0, 3 * RATE);
    sound.getChannelData(1).fill(0, 3 * RATE);
    expect(measured(sound).of([at(1)])).toBeCloseTo(-20, 0);
  });
});

describe("what is compared", () => {
  const [vocals, bass] = [sine(997, 0.1), sine(300, 0.1)];
  const mix: Sound = {
    ...vocals,
    getChannelData: (index) => vocals.getChannelData(index).map((sample, i) => sample + (bass.getChannelData(index)[i] as number)),
  };
  const roles: Role[] = ["mix", "vocals", "bass"];
  const loudness = measured(mix, vocals, bass);
  const state = (stems: MixerState["stems"]): MixerState => ({ listen: "stems", stems });

  it("needs nothing while the stems are as they were made", () => {
    const { match, difference } = levels(loudness, roles, state({}));
    expect(match).toEqual({});
    expect(difference).toBeCloseTo(0, 3);
  });

  it("brings the song down to the stems that are left", () => {
    const { match, difference } = levels(loudness, roles, state({ vocals: { ...neutral(), muted: true } }));
    expect(difference as number).toBeLessThan(-2.5);
    expect(20 * Math.log10(match.mix as number)).toBeCloseTo(difference as number, 6);
    expect(match.bass).toBeUndefined();
  });

  it("brings louder stems down to the song", () => {
    const loud = { ...neutral(), fader: faderAt(6) };
    const { match, difference } = levels(loudness, roles, state({ vocals: loud, bass: loud }));
    expect(difference).toBeCloseTo(6, 1);
    expect(match.mix).toBeUndefined();
    expect(20 * Math.log10(match.bass as number)).toBeCloseTo(-6, 1);
  });

  it("does not silence the song for one faint stem", () => {
    const quiet = { ...neutral(), fader: faderAt(-40) };
    const { match } = levels(loudness, roles, state({ vocals: quiet, bass: quiet }));
    expect(20 * Math.log10(match.mix as number)).toBeCloseTo(-12, 6);
  });

  it("makes a stem of two sets equally loud", () => {
    const both = measured(mix, vocals, bass, sine(997, 0.12), sine(300, 0.001));
    const all: Role[] = [...roles, "b:vocals", "b:bass"];
    const { match } = levels(both, all, state({}));
    expect(match["b:vocals"]).toBeCloseTo(0.1 / 0.12, 2);
    // nearly nothing of the bass: not the same thing, and not to be followed to silence
    expect(20 * Math.log10(match.bass as number)).toBeGreaterThan(-6.5);
  });
});
