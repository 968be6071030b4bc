import { describe, expect, it } from "vitest";
import { fakeSong } from "./fake";
import { beatPlace, beatsBetween, nextHotCue } from "./place";

// Beats every half second from 0.5 s on.
const song = fakeSong({ bpm: 120, duration: 20, cues: [{ time: 8.5 }, { time: 4.5 }, { time: 5, slot: null }] });

describe("where a deck stands", () => {
  it("is counted in bars and beats from the first downbeat", () => {
    expect(beatPlace(song.analysis, 0.5)).toMatchObject({ bar: 1, beat: 1, part: 0 });
    expect(beatPlace(song.analysis, 4.25)).toMatchObject({ bar: 2, beat: 4, part: 0.5 });
  });

  it("is nowhere without a grid, or outside it", () => {
    expect(beatPlace(null, 3)).toBeNull();
    expect(beatPlace(song.analysis, 0.2)).toBeNull();
    expect(beatPlace(song.analysis, 100)).toBeNull();
  });

  it("says how far the next hot cue is, whatever order they were set in", () => {
    const next = nextHotCue(song.cues, 2.5);
    expect(next?.time).toBe(4.5);
    expect(beatsBetween(song.analysis!, 2.5, next!.time)).toBe(4);
    expect(nextHotCue(song.cues, 4.5)?.time).toBe(8.5);
    expect(nextHotCue(song.cues, 9)).toBeNull();
  });

  it("counts a lead-in towards the first downbeat", () => {
    const { analysis } = song;
    const late = { ...analysis!, downbeats: analysis!.downbeats.map((time) => time + 1) };
    expect(beatPlace(late, 0.5)).toMatchObject({ bar: 0, beat: 3 });
    expect(beatPlace(late, 1.5)).toMatchObject({ bar: 1, beat: 1 });
  });
});
