/** What a host gives, as the console can use it: what is no number gets no further. */

import type { SongUpdate } from "./messages";
import { clamp, ControlError, controlOf } from "./table";
import { DECKS, HOT_CUES, type Grid, type HotCue, type SongInfo, type TimedEvent, type When } from "./types";

/** Frames of the longest song: a day at 96 kHz. */
const LONGEST = 2 ** 33;
/** Seconds between two beats, at least; dB that a song can be raised or lowered by. */
const SHORTEST = 0.03;
const MOST_GAIN = 60;

/** A ControlError for what is no song at all. */
export function givenSong(info: SongInfo, sampleRate: number): SongInfo {
  const { frames, roles } = info;
  if (!Number.isSafeInteger(frames) || frames < 0 || frames > LONGEST) throw new ControlError(`A song cannot have ${frames} frames.`);
  if (roles.length === 0) throw new ControlError("A song has at least a mix.");
  const end = frames / sampleRate;
  return {
    ...info,
    grid: givenGrid(info.grid),
    hotCues: givenCues(info.hotCues),
    cuePoint: Number.isFinite(info.cuePoint) ? Math.max(0, Math.min(end, info.cuePoint)) : 0,
    gain: givenGain(info.gain),
    key: givenKey(info.key),
  };
}

export function givenUpdate({ grid, hotCues, gain, key }: SongUpdate): SongUpdate {
  return {
    ...(grid !== undefined && { grid: givenGrid(grid) }),
    ...(hotCues && { hotCues: givenCues(hotCues) }),
    ...(gain !== undefined && { gain: givenGain(gain) }),
    ...(key !== undefined && { key: givenKey(key) }),
  };
}

/** A ControlError for an event that cannot happen. */
export function givenEvent(event: TimedEvent): TimedEvent {
  const { when, control, value, over } = event;
  if (!canCome(when)) throw new ControlError(`"${control}" is to change at no time that could come.`);
  if (over !== undefined && !(("seconds" in over ? over.seconds : over.beats) < Infinity)) {
    throw new ControlError(`"${control}" cannot take for ever.`);
  }
  return { ...event, value: clamp(controlOf(control), value) };
}

function canCome(when: When): boolean {
  if ("frame" in when) return Number.isFinite(when.frame);
  return when.deck >= 1 && when.deck <= DECKS && Number.isFinite("position" in when ? when.position : when.beat);
}

/** Beats in their order, without those that are none; null when too few are left. */
function givenGrid(grid: Grid | null): Grid | null {
  if (grid === null) return null;
  let last = -Infinity;
  const beats = grid.beats.filter(Number.isFinite).sort().filter((beat) => {
    if (beat < last + SHORTEST) return false;
    last = beat;
    return true;
  });
  return beats.length < 2 ? null : { ...grid, beats };
}

function givenCues(cues: readonly (HotCue | null)[]): (HotCue | null)[] {
  return Array.from({ length: HOT_CUES }, (_, index) => {
    const cue = cues[index];
    if (!cue || !Number.isFinite(cue.time)) return null;
    return { time: Math.max(0, cue.time), end: cue.end !== null && Number.isFinite(cue.end) ? cue.end : null };
  });
}

function givenGain(gain: number): number {
  return Number.isFinite(gain) ? Math.max(-MOST_GAIN, Math.min(MOST_GAIN, gain)) : 0;
}

function givenKey(key: SongInfo["key"]): SongInfo["key"] {
  return key !== null && Number.isInteger(key.tonic) ? key : null;
}
