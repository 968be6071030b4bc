import { describe, expect, it } from "vitest";
import { deckSong, hotCue } from "../../testing/decks";
import { beatPlace, beatsBetween, nextHotCue } from "./place";

// Beats every half second, bars every two.
const song = deckSong("a", { cues: [hotCue(1, 8), hotCue(2, 4), { ...hotCue(3, 4.5), slot: null }] });
const analysis = song.analysis!;

describe("where a deck stands", () => {
  it("is counted in bars and beats from the first downbeat", () => {
    expect(beatPlace(analysis, 0)).toMatchObject({ bar: 1, beat: 1, part: 0 });
    expect(beatPlace(analysis, 3.75)).toMatchObject({ bar: 2, beat: 4, part: 0.5 });
  });

  it("is nowhere without a grid, or outside it", () => {
    expect(beatPlace(null, 3)).toBeNull();
    expect(beatPlace(analysis, -1)).toBeNull();
    expect(beatPlace(analysis, 1000)).toBeNull();
  });

  it("says how far the next hot cue is, whatever order they were set in", () => {
    expect(nextHotCue(song.cues, 2)?.time).toBe(4);
    expect(beatsBetween(analysis, 2, 4)).toBe(4);
    expect(nextHotCue(song.cues, 4)?.time).toBe(8);
    expect(nextHotCue(song.cues, 9)).toBeNull();
  });

  it("counts a lead-in towards the first downbeat", () => {
    const late = { ...analysis, downbeats: analysis.downbeats.map((time) => time + 1) };
    expect(beatPlace(late, 0)).toMatchObject({ bar: 0, beat: 3 });
    expect(beatPlace(late, 1)).toMatchObject({ bar: 1, beat: 1 });
  });
});
