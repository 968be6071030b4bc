/** Plans of mixes as the kernel writes them, and decks with songs that click on their beats. */

import { FakeSound, SongKernel, type FakeDecks, fakeDecks } from "../decks/engine/fake";
import type { AutoMixPlan, DeckLoad, ScriptEvent } from "../types";
import { trackRow } from "./rows";
import { fullAnalysis, playerLoad } from "./song";

/** Seconds, of every song here. */
export const SONG = 40;
/** Seconds of a bar of the songs at 120 BPM. */
export const BAR = 2;

export interface Meeting {
  out_at: number;
  in_at: number;
  bars: number;
}

/** A mix of songs of 40 s, with the transitions that are given. */
export function planOf(ids: string[], meetings: Meeting[] = ids.slice(1).map(() => ({ out_at: 24, in_at: 0, bars: 4 })), id = "plan"): AutoMixPlan {
  const events: ScriptEvent[] = [{ time: 0, control: "deck.1.play", value: 1 }];
  if (ids[1]) events.push({ time: 0, control: "deck.2.track", value: ids[1] });
  const parts = [0];
  const songs = [{ start: 0, end: SONG, from: 0, to: SONG, energy: [0.2, 0.8, 0.4] }];
  meetings.forEach(({ out_at: at, in_at: from, bars }, number) => {
    parts.push(events.length);
    const [deck, other] = number % 2 === 0 ? [1, 2] : [2, 1];
    const side = deck === 1 ? -1 : 1;
    const seconds = bars * BAR;
    const on = (time: number, control: string, value: number | string, over?: number) =>
      events.push({ time, control, value, deck, ...(over !== undefined && { over }) });
    on(at - BAR / 2, `deck.${other}.volume`, 1);
    on(at - BAR / 2, `deck.${other}.seek`, from);
    on(at - BAR / 2, `deck.${other}.sync`, 1);
    on(at - BAR / 2, "mixer.crossfader", side);
    on(at, `deck.${other}.kill.low`, 1);
    on(at, `deck.${other}.play`, 1);
    on(at, "mixer.crossfader", -side, seconds);
    on(at + seconds / 2, `deck.${other}.kill.low`, 0);
    on(at + seconds, "mixer.crossfader", -side);
    on(at + seconds, `deck.${other}.sync`, 0);
    on(at + seconds, `deck.${deck}.play`, 0);
    events.push({ time: from + seconds + BAR, control: `deck.${deck}.volume`, value: 1, deck: other });
    events.push({ time: from + seconds + BAR, control: `deck.${deck}.kill.low`, value: 0, deck: other });
    if (ids[number + 2]) events.push({ time: from + seconds + BAR, control: `deck.${deck}.track`, value: ids[number + 2] as string, deck: other });
    const before = songs[number] as AutoMixPlan["songs"][number];
    const start = before.start + at - before.from;
    before.end = start + seconds;
    before.to = at + seconds;
    songs.push({ start, end: start + SONG - from, from, to: SONG, energy: [0.2, 0.8, 0.4] });
  });
  return {
    id, tracks: ids.map((track) => trackRow(track, { title: track, duration: SONG })),
    transitions: meetings.map((meeting) => ({ kind: "blend", ...meeting, reason: "8A and 8A fit" })),
    songs, starts: songs.map(({ start }) => start), duration: songs.at(-1)?.end ?? 0, parts,
    script: {
      version: 1, sample_rate: 48_000, duration: songs.at(-1)?.end ?? 0, positions: { 1: 0 }, events,
      controls: { "deck.1.track": ids[0] as string, "deck.1.assign": "left", "deck.2.assign": "right", "mixer.crossfader": -1 },
    },
  };
}

/** Hz: low, so that minutes of a mix are soon made. */
const RATE = 12_000;

/** BPM of a song by its name: "fast" runs at 126. */
function tempoOf(id: string): number {
  return id.startsWith("fast") ? 126 : 120;
}

class ClickKernel extends SongKernel {
  override answer(method: string, params: never): unknown {
    if (method !== "decks.load") return super.answer(method, params);
    const { id } = params as { id: string };
    this.calls.push([method, params]);
    if (id === "gone") throw new Error("There is no such track.");
    const beat = 60 / tempoOf(id);
    const beats = Array.from({ length: Math.floor(SONG / beat) }, (_, at) => at * beat);
    const analysis = fullAnalysis({ duration_s: SONG, bpm: tempoOf(id), beats, downbeats: beats.filter((_, at) => at % 4 === 0), sections: [] });
    return { ...playerLoad(id), analysis, gain: 0, key: null } satisfies DeckLoad;
  }
}

/** Decks whose songs are tones that click on each beat: those named "fast..." at 3 kHz, others at 500 Hz. */
export function clickDecks(): FakeDecks & { heard: Float32Array[] } {
  const made = fakeDecks(new ClickKernel());
  const { context } = made;
  Object.assign(context, { sampleRate: RATE });
  context.decodeAudioData = async (bytes: ArrayBuffer) => {
    const name = new TextDecoder().decode(bytes);
    const rate = context.sampleRate;
    const samples = new Float32Array(SONG * rate);
    const beat = (60 / tempoOf(name)) * rate;
    for (let start = 0; start < samples.length; start += beat) {
      for (let at = Math.round(start), frame = 0; frame < 0.02 * rate && at + frame < samples.length; frame += 1) {
        samples[at + frame] = 0.6 * Math.sin((2 * Math.PI * (name.startsWith("fast") ? 3000 : 500) * frame) / rate) * Math.exp(-frame / (0.005 * rate));
      }
    }
    return { duration: SONG, name, length: samples.length, numberOfChannels: 1, getChannelData: () => samples };
  };
  return Object.assign(made, { heard: [] as Float32Array[] });
}

/** Keeps the left of all that the console makes from now on. */
export function keep(sound: FakeSound, heard: Float32Array[]): void {
  const { console: desk } = sound;
  const process = desk.process.bind(desk);
  desk.process = (left, right, phonesLeft, phonesRight, frames) => {
    process(left, right, phonesLeft, phonesRight, frames);
    heard.push(left.slice(0, frames));
  };
}
