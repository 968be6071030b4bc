import { describe, expect, it, vi } from "vitest";
import { Bench, even } from "../testing/bench";
import { clicks, onsets, RATE } from "../testing/sound";

// A machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const tempo = (bench: Bench, deck: number) => bench.deck(deck).tempo as number;
const phase = (bench: Bench, deck: number) => Math.abs(bench.deck(deck).phase as number);

/** Deck 1 plays at 120 BPM; deck 2 stands, at 127.35. */
const two = (bpm = 127.35) => {
  const bench = new Bench().load(1, { seconds: 90 }).load(2, { seconds: 90, bpm });
  bench.set("deck.1.play").run(1.234);
  return bench;
};

describe("tempo", () => {
  it("is what the pitch fader, a number or three taps make of the song's", () => {
    const bench = new Bench().load(1).set("deck.1.pitch", 5);
    expect(tempo(bench, 1)).toBeCloseTo(126, 6);
    bench.set("deck.1.tempo", 123);
    expect(bench.get("deck.1.pitch")).toBeCloseTo(2.5, 6);
    for (let tap = 0; tap < 4; tap += 1) {
      bench.set("deck.1.tap");
      bench.run(60 / 125);
    }
    expect(tempo(bench, 1)).toBeCloseTo(125, 1);
  });

  it("widens its range when it has to, and a smaller range brings it in", () => {
    const bench = new Bench().load(1).set("deck.1.tempo", 138);
    expect(bench.told("deck.1.pitch_range")).toEqual(["16"]);
    bench.set("deck.1.pitch_range", "6");
    expect(bench.get("deck.1.pitch")).toBe(6);
  });

  it("is bent by at most 4 per cent for as long as the bend is held", () => {
    const bench = new Bench().load(1).set("deck.1.play").set("deck.1.bend", 1);
    bench.run(1);
    expect(bench.deck(1).rate).toBeCloseTo(1.04, 6);
    bench.set("deck.1.bend", 0);
    expect(bench.deck(1).rate).toBe(1);
    expect(bench.get("deck.1.pitch")).toBe(0);
  });
});

describe("sync", () => {
  it("takes the leader's tempo, shows it as pitch, and leaves it there", () => {
    const bench = two().set("deck.2.sync");
    bench.run(0.1);
    expect(tempo(bench, 2)).toBeCloseTo(120, 3);
    expect(bench.told("deck.2.pitch").at(-1)).toBeCloseTo((120 / 127.35 - 1) * 100, 6);
    bench.set("deck.1.pitch", 4).run(0.2);
    expect(tempo(bench, 2)).toBeCloseTo(124.8, 3);
    bench.set("deck.2.sync", 0).set("deck.1.pitch", 0).run(0.2);
    expect(tempo(bench, 2)).toBeCloseTo(124.8, 3);
  });

  it("does not let a follower's fader move", () => {
    const bench = two().set("deck.2.sync");
    bench.run(0.1);
    bench.set("deck.2.pitch", 9).run(0.1);
    expect(bench.told("deck.2.pitch").at(-1)).toBeCloseTo((120 / 127.35 - 1) * 100, 6);
    expect(tempo(bench, 2)).toBeCloseTo(120, 3);
  });

  it.each([60, 174, 90])("takes half or twice the tempo where that is nearer: %f BPM", (bpm) => {
    const bench = two(bpm).set("deck.2.sync");
    bench.run(0.1);
    const ratio = tempo(bench, 2) / bpm;
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.4);
    expect(Math.log2(tempo(bench, 2) / 120) % 1).toBeCloseTo(0, 3);
    bench.set("deck.2.play").run(1);
    expect(phase(bench, 2)).toBeLessThan(0.003);
  });

  it("starts on the beat, and keeps the beats together through tempo changes, loops and jumps", () => {
    const period = (60 / 127.35) * RATE;
    const bench = new Bench().load(1, { seconds: 90 }).load(2, { seconds: 90, bpm: 127.35, sound: clicks(period) });
    bench.set("deck.1.assign", "through").set("deck.2.assign", "through").set("deck.1.play").run(1.234);
    bench.set("deck.2.sync").set("deck.2.keylock", 0).set("deck.2.seek", 3.3).set("deck.2.play");
    const together = () => {
      const heard = onsets(bench.run(2.5));
      // Both clicks of a beat are within 5 ms, or they would count as two: onsets are 50 ms apart at least.
      const beat = (60 / tempo(bench, 1)) * RATE;
      heard.slice(1).forEach((onset, index) => expect(Math.abs(onset - (heard[index] as number) - beat)).toBeLessThan(0.005 * RATE));
      expect(phase(bench, 2)).toBeLessThan(0.003);
    };
    together();
    bench.set("deck.1.pitch", 6).run(1);
    together();
    bench.set("deck.2.loop.set", 4).run(1);
    together();
    bench.set("deck.2.loop.active", 0).set("deck.2.beatjump", 16).set("deck.1.loop.set", 2).run(1);
    together();
    bench.set("deck.2.seek", 20.1).run(0.5);
    together();
  });

  it("jumps by less than half a beat when it is switched on while both play", () => {
    const bench = two().set("deck.2.seek", 10.05).set("deck.2.play");
    const before = bench.at(2);
    bench.set("deck.2.sync");
    expect(Math.abs(bench.at(2) - before)).toBeLessThan(0.5 * (60 / 127.35));
    expect(phase(bench, 2)).toBeLessThan(0.0005);
  });

  it("brings back what drifts, by at most 4 per cent; a bend moves what it holds to", () => {
    const bench = two().set("deck.2.sync").set("deck.2.play");
    bench.run(0.5);
    bench.set("deck.1.search", 0.03);
    let most = 0;
    for (let block = 0; block < 40; block += 1) {
      bench.run(0.05);
      most = Math.max(most, Math.abs(bench.deck(2).rate / (120 / 127.35) - 1));
    }
    expect(most).toBeGreaterThan(0.03);
    expect(most).toBeLessThan(0.0401);
    expect(phase(bench, 2)).toBeLessThan(0.003);
    bench.set("deck.2.bend", 1).run(1);
    bench.set("deck.2.bend", 0).run(3);
    expect(bench.deck(2).phase).toBeCloseTo(0.08, 2);
  });

  /** How much deck 2 went otherwise than at its tempo in steps of a hundredth of a second: most of each step, in s. */
  const strays = (bench: Bench, seconds: number) => Array.from({ length: Math.round(seconds * 100) }, () => {
    const before = bench.at(2);
    bench.run(0.01);
    return Math.abs(bench.at(2) - before - (0.01 * 120) / 127.35);
  });

  it.each([
    ["sought", (bench: Bench) => bench.set("deck.1.search", 7.2)],
    ["sent to a hot cue", (bench: Bench) => bench.set("deck.1.quantize", 0).press("deck.1.hotcue.1.press")],
    ["scratched", (bench: Bench) => {
      bench.set("deck.1.jog.touch");
      for (let turn = 0; turn < 50; turn += 1) bench.set("deck.1.jog.turn", turn % 20 < 9 ? 0.02 : -0.017).run(0.02);
      bench.set("deck.1.jog.touch", 0);
    }],
    ["played backwards", (bench: Bench) => {
      bench.set("deck.1.reverse").run(1.1);
      bench.set("deck.1.reverse", 0);
    }],
  ])("joins a leader again that is %s, with one jump", (_, move) => {
    const bench = new Bench().load(1, { seconds: 90, hotCues: [{ time: 21.18, end: null }] }).load(2, { seconds: 90, bpm: 127.35 });
    bench.set("deck.1.seek", 10).set("deck.1.play").set("deck.2.sync").set("deck.2.play").run(1);
    const before = bench.at(2);
    const frame = bench.console.frame;
    move(bench);
    // As long as the leader is in hands it goes on as it did.
    expect(bench.at(2) - before).toBeCloseTo(((bench.console.frame - frame) / RATE) * (120 / 127.35), 3);
    const far = phase(bench, 2);
    const stray = strays(bench, 1);
    expect(stray.filter((way) => way > 0.01)).toHaveLength(far > 0.08 ? 1 : 0);
    expect(Math.max(...stray)).toBeLessThan(0.24);
    expect(phase(bench, 2)).toBeLessThan(0.004);
  });

  it("without quantise comes back by its speed alone", () => {
    const bench = two().set("deck.2.sync").set("deck.2.play").set("deck.2.quantize", 0);
    bench.run(0.5);
    bench.set("deck.1.search", 0.2);
    expect(Math.max(...strays(bench, 2.6))).toBeLessThan(0.0011);
    expect(phase(bench, 2)).toBeLessThan(0.02);
  });

  it("without quantise is left where a hand puts it", () => {
    const bench = two().set("deck.2.sync").set("deck.2.play").set("deck.2.quantize", 0);
    bench.run(0.5);
    bench.set("deck.2.search", 5.1).run(0.1);
    const there = bench.deck(2).phase as number;
    expect(Math.abs(there)).toBeGreaterThan(0.1);
    bench.run(1);
    expect(bench.deck(2).phase).toBeCloseTo(there, 3);
  });

  it("keeps its tempo over a loop of the leader that is no whole number of beats, and is on its beat after it", () => {
    const bench = two().set("deck.2.sync").set("deck.2.play").set("deck.1.quantize", 0).set("deck.1.loop.in");
    bench.run(0.777);
    bench.set("deck.1.loop.out");
    expect(Math.max(...strays(bench, 3))).toBeLessThan(1e-4);
    bench.set("deck.1.loop.active", 0).run(0.6);
    expect(phase(bench, 2)).toBeLessThan(0.003);
  });

  it("follows a grid that is not even", () => {
    const beats: number[] = [];
    for (let beat = 0, time = 0; time < 88; beat += 1) {
      beats.push(time);
      time += 0.5 + 0.02 * Math.sin(beat / 6);
    }
    const bench = new Bench().load(1, { seconds: 90, grid: { beats: Float64Array.from(beats), downbeats: Int32Array.of(0), steady: false } });
    bench.load(2, { seconds: 90, bpm: 127.35 }).set("deck.2.sync").set("deck.1.play");
    bench.run(1);
    bench.set("deck.2.play");
    for (let second = 0; second < 20; second += 1) {
      bench.run(1);
      expect(phase(bench, 2) * 0.5).toBeLessThan(0.015);
    }
  });

  it("needs no grid to play on, and takes a new grid up", () => {
    const bench = two().load(3, { grid: null }).set("deck.3.sync").set("deck.3.play");
    bench.run(0.5);
    expect(bench.deck(3)).toMatchObject({ tempo: null, phase: null, rate: 1 });
    bench.console.update(3, { grid: even(128, 60, 0.1) });
    bench.run(0.1);
    expect(tempo(bench, 3)).toBeCloseTo(120, 3);
    expect(phase(bench, 3)).toBeLessThan(0.001);
  });
});

describe("the leader", () => {
  const leaders = (bench: Bench) => bench.console.state().decks.flatMap(({ leader }, index) => (leader ? [index + 1] : []));

  it("is the deck that played first without sync, and stays so until it stops", () => {
    const bench = two();
    expect(leaders(bench)).toEqual([1]);
    bench.set("deck.2.play").run(0.5);
    expect(leaders(bench)).toEqual([1]);
    bench.set("deck.1.play", 0);
    expect(leaders(bench)).toEqual([2]);
  });

  it("is handed over among those that are synced without a change of what they play", () => {
    const bench = two().set("deck.1.sync").set("deck.2.sync").set("deck.2.play");
    bench.run(1);
    const rate = bench.deck(2).rate;
    bench.set("deck.1.play", 0).run(1);
    expect(leaders(bench)).toEqual([2]);
    expect(bench.deck(2).rate).toBeCloseTo(rate, 9);
    bench.set("deck.1.play").run(1);
    expect(leaders(bench)).toEqual([2]);
    expect(phase(bench, 1)).toBeLessThan(0.003);
  });

  it("is the one that was appointed; one that stops is none any more when another plays", () => {
    const bench = two().set("deck.1.sync").set("deck.2.play").set("deck.2.leader");
    bench.run(0.5);
    expect(leaders(bench)).toEqual([2]);
    expect(tempo(bench, 1)).toBeCloseTo(127.35, 2);
    bench.set("deck.1.leader").run(0.1);
    expect(bench.get("deck.2.leader")).toBe(0);
    bench.set("deck.1.play", 0);
    expect(leaders(bench)).toEqual([2]);
    expect(bench.get("deck.1.leader")).toBe(0);
  });

  it("that is told to follow makes room for another", () => {
    const bench = two().set("deck.2.play").set("deck.1.sync");
    bench.run(0.2);
    expect(leaders(bench)).toEqual([2]);
    expect(tempo(bench, 1)).toBeCloseTo(127.35, 2);
  });
});

describe("key sync", () => {
  it.each([
    [{ tonic: 9, minor: true }, { tonic: 11, minor: true }, 2], // A minor into B minor
    [{ tonic: 9, minor: true }, { tonic: 0, minor: false }, 0], // C major is its relative
    [{ tonic: 0, minor: false }, { tonic: 11, minor: true }, 2], // B minor's relative is D major
    [{ tonic: 1, minor: false }, { tonic: 11, minor: false }, -2],
  ])("shifts by as little as it can: %o into %o", (key, lead, shift) => {
    const bench = new Bench().load(1, { key: lead }).load(2, { key }).set("deck.1.play").set("deck.2.key_sync");
    expect(bench.get("deck.2.key_shift")).toBe(shift);
  });
});
