/** Tells what a player does. */

import type { PlayerState } from "../types";
import type { PlayerModel } from "./model";

/** States are told this often while playing, in ms. */
const TELL_MS = 500;

/** Calls back on every change, and twice a second while the song plays. */
export function tellState(model: PlayerModel, callback: (state: PlayerState) => void): () => void {
  const end = new AbortController();
  model.signal.addEventListener("abort", () => end.abort(), { once: true, signal: end.signal });
  let last = 0;
  const tell = (now = performance.now()) => {
    last = now;
    callback({
      trackId: model.trackId,
      playing: model.playing,
      position: model.position,
      duration: model.duration,
      selection: model.range ? [model.range.start, model.range.end] : null,
    });
  };
  model.on("state", () => tell(), end.signal);
  model.on("track", () => tell(), end.signal);
  model.engine.clock.subscribe((now) => {
    if (model.playing && now - last >= TELL_MS) tell(now);
  }, end.signal);
  return () => end.abort();
}
