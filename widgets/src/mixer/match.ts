/** What is compared is heard equally loud: the song and its stems, and a stem of one set and of the other. */

import { gains, type MixerState, neutral, type Role, stemOf } from "../engine";
import type { PlayerModel } from "../player/model";
import { type Heard, Loudness } from "./loudness";

/** Song and stems are brought together by at most so much, in dB: one quiet stem must not silence the song. */
const MOST_SONG = 12;
/** A stem of two sets by so much: what differs more is not the same thing twice. */
const MOST_STEM = 6;
/** Smaller steps in level are none, in dB. */
const STEP = 0.05;

type Gains = NonNullable<MixerState["match"]>;

/** The levels of what is in a player's mixer. */
export interface Match {
  /** Whether levels are matched. */
  on: boolean;
  /** By how much the stems, as they are set, are louder than the song, in dB; null before it is known. */
  readonly difference: number | null;
}

/** Measures a player's sounds while nothing else is to be done, and keeps the engine's gains right. */
export function matchLevels(model: PlayerModel, changed: () => void, signal: AbortSignal): Match {
  const { engine } = model;
  let on = true;
  let difference: number | null = null;
  let sounds: AudioBuffer[] = [];
  let roles: Role[] = [];
  let loudness: Loudness | null = null;
  let measured = false;
  let run = 0;

  const measure = (current: number) => {
    if (signal.aborted || current !== run || !loudness) return;
    if (loudness.measure()) {
      idle(() => measure(current));
      return;
    }
    measured = true;
    apply();
  };

  const apply = () => {
    if (!measured || !loudness || !model.here) return;
    const mixer = engine.mixer(model.soundId);
    const found = levels(loudness, roles, mixer);
    difference = found.difference;
    const match = on ? found.match : {};
    if (!alike(match, mixer.match ?? {})) engine.setMatch(model.soundId, match);
    changed();
  };

  const look = () => {
    const now = model.here ? engine.roles : [];
    const buffers = now.map((role) => engine.bufferOf(role)).filter((buffer) => buffer !== null);
    if (buffers.length === sounds.length && buffers.every((buffer, i) => buffer === sounds[i])) {
      apply();
      return;
    }
    [sounds, roles, measured, difference] = [buffers, now, false, null];
    const complete = now.length > 1 && buffers.length === now.length && now.includes("mix");
    loudness = complete ? new Loudness(buffers) : null;
    run += 1;
    measure(run);
    changed();
  };
  model.on("state", look, signal);
  look();
  return {
    get on() {
      return on;
    },
    set on(now) {
      on = now;
      if (!on) engine.setMatch(model.soundId, {});
      apply();
      changed();
    },
    get difference() {
      return difference;
    },
  };
}

/** The gains that match, and what they make up for. */
export function levels(
  loudness: Pick<Loudness, "of">, roles: readonly Role[], mixer: Readonly<MixerState>,
): { match: Gains; difference: number | null } {
  const match: Gains = {};
  const only = (role: Role) => loudness.of(roles.map((each) => ({ gain: each === role ? 1 : 0, pan: 0 })));
  for (const role of roles) {
    const second = `b:${role}` as Role;
    if (!roles.includes(second)) continue;
    const [a, b] = together(only(role), only(second), MOST_STEM);
    if (a < 1) match[role] = a;
    if (b < 1) match[second] = b;
  }
  const asSet = gains({ ...mixer, listen: "stems", match }, roles);
  const stems = loudness.of(roles.map((role): Heard => {
    const stem = stemOf(role);
    return { gain: stem ? (asSet.get(role) ?? 0) : 0, pan: stem ? (mixer.stems[stem] ?? neutral()).pan : 0 };
  }));
  const song = only("mix");
  const [down, all] = together(song, stems, MOST_SONG);
  if (down < 1) match.mix = down;
  if (all < 1) for (const role of roles) if (role !== "mix") match[role] = (match[role] ?? 1) * all;
  return { match, difference: song !== null && stems !== null ? stems - song : null };
}

/** Linear gains that make two levels (in LUFS) equal: the louder one comes down, by `most` dB at most. */
function together(a: number | null, b: number | null, most: number): [number, number] {
  if (a === null || b === null || Math.abs(a - b) < STEP) return [1, 1];
  const by = 10 ** (-Math.min(most, Math.abs(a - b)) / 20);
  return a > b ? [by, 1] : [1, by];
}

function alike(a: Gains, b: Gains): boolean {
  const roles = new Set([...Object.keys(a), ...Object.keys(b)] as Role[]);
  return [...roles].every((role) => Math.abs((a[role] ?? 1) - (b[role] ?? 1)) < 1e-4);
}

function idle(callback: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(callback, { timeout: 200 });
  else setTimeout(callback, 16);
}
