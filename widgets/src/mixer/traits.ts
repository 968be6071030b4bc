/** A mixer's settings and the traits of its widget: what Python reads and sets. */

import { decibels, faderAt, faderGain, type MixerState, neutral, type Stem, stemOf } from "../engine";
import type { PlayerModel } from "../player/model";
import type { State } from "../widget";

/** How Python speaks of a stem: its level in dB, its place from -1 (left) to 1 (right). */
export interface MixedStem {
  fader: number;
  muted: boolean;
  solo: boolean;
  pan: number;
}

export type Mix = Record<string, Partial<MixedStem>>;

/** A fader at its bottom, in dB: JSON has no infinity. */
const SILENT = -90;
/** While a hand is at a fader Python hears of it this often, in ms. */
const TELL_MS = 120;

/** Reads the settings of these stems out of a mixer. */
export function mixOf(mixer: Readonly<MixerState>, stems: readonly Stem[]): Record<string, MixedStem> {
  return Object.fromEntries(stems.map((stem) => {
    const { fader, muted, solo, pan } = mixer.stems[stem] ?? neutral();
    const level = fader > 0 ? Math.max(SILENT, decibels(faderGain(fader))) : SILENT;
    return [stem, { fader: rounded(level, 10), muted, solo, pan: rounded(pan, 100) }];
  }));
}

/** The settings that a mix of Python's asks for; what it leaves out is as it was made. */
export function settingsOf(mix: Mix): MixerState["stems"] {
  return Object.fromEntries(Object.entries(mix).map(([stem, { fader = 0, muted = false, solo = false, pan = 0 }]) => [
    stem, { fader: fader <= SILENT ? 0 : faderAt(fader), muted, solo, pan: Math.max(-1, Math.min(1, pan)) },
  ]));
}

/** `set_id`, `compare_id`, `mix` and `listen` go both ways. */
export function followMix(model: PlayerModel, state: State): void {
  const { engine, signal } = model;
  /** The first stems have come. */
  let begun = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = false;

  const stems = () => [...new Set(model.stems.map(({ role }) => stemOf(role) as Stem))];
  const now = () => engine.mixer(model.soundId);
  const put = (name: string, value: unknown) => {
    if (JSON.stringify(state.get(name)) !== JSON.stringify(value)) state.set(name, value);
  };
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    if (signal.aborted || model.status !== "ready") return;
    put("mix", mixOf(now(), stems()));
    put("listen", now().listen);
  };
  const apply = () => {
    const wanted = state.get<Mix | null>("mix") ?? {};
    const mixer = now();
    if (JSON.stringify(mixOf({ ...mixer, stems: settingsOf(wanted) }, stems())) === JSON.stringify(mixOf(mixer, stems()))) return;
    engine.setStems(model.soundId, settingsOf(wanted));
  };
  const listen = () => {
    const wanted = state.get<"song" | "stems">("listen");
    if (model.status === "ready" && wanted !== now().listen) engine.setListen(model.soundId, wanted);
  };
  /** Sets that Python names; what it names wrongly goes back to what is there. */
  const sets = async () => {
    if (model.status !== "ready") return;
    asked = true;
    try {
      await model.show(state.get<string>("set_id") || null);
      await model.compare(state.get<string>("compare_id") || null);
    } catch (error) {
      model.tellFailure(error);
    } finally {
      asked = false;
    }
    named();
  };
  const named = () => {
    if (asked || model.status !== "ready") return;
    put("set_id", model.shown?.id ?? "");
    put("compare_id", model.other?.id ?? "");
  };

  state.on("mix", () => {
    if (model.status === "ready") apply();
  });
  state.on("listen", listen);
  state.on("set_id", () => void sets());
  state.on("compare_id", () => void sets());
  model.on("track", () => {
    if (model.status !== "ready") return;
    if (stems().length > 0) {
      if (!begun) {
        begun = true;
        // What Python has set before there was a page; touching the stems lets them be heard.
        if (Object.keys(state.get<Mix | null>("mix") ?? {}).length > 0) apply();
        else listen();
        if (state.get("set_id") || state.get("compare_id")) void sets();
      }
      tell();
    }
    named();
  }, signal);
  model.on("state", () => {
    if (model.status === "ready") timer ??= setTimeout(tell, TELL_MS);
  }, signal);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts + 0; // no minus zero
}
