/** A player's model and the traits of its widget. */

import type { Bridge } from "../bridge";
import type { State } from "../widget";
import type { PlayerModel } from "./model";
import { tellState } from "./tell";

/** `track_id` and `selection` go both ways; `position` and `playing` tell the kernel. */
export function followTraits(model: PlayerModel, bridge: Bridge, state: State): void {
  const open = (trackId: string, options?: { play?: boolean; position?: number }) => {
    void model.open(trackId, options);
    if (state.get("track_id") !== trackId) state.set("track_id", trackId);
  };
  state.on("track_id", () => {
    const trackId = state.get<string | null>("track_id");
    if (trackId && trackId !== model.trackId) void model.open(trackId);
  });
  const applySelection = () => {
    const [start, end] = state.get<number[] | null>("selection") ?? [];
    model.setRange(start !== undefined && end !== undefined && end > start ? { start, end } : null);
  };
  state.on("selection", applySelection);

  bridge.on("player.open", ({ id }) => open(id));
  bridge.on("player.play", () => model.play());
  bridge.on("player.pause", () => model.pause());
  bridge.on("player.seek", ({ time }) => model.seek(time));

  const trackId = state.get<string | null>("track_id");
  if (trackId) open(trackId, { play: false, position: state.get<number>("position") || 0 });
  applySelection();
  tellState(model, (now) => {
    if (now.trackId === null || model.status !== "ready") return;
    if (state.get("playing") !== now.playing) state.set("playing", now.playing);
    const place = Math.round(now.position * 1000) / 1000;
    if (state.get("position") !== place) state.set("position", place);
    const range = now.selection ?? [];
    const there = state.get<number[] | null>("selection") ?? [];
    if (range[0] !== there[0] || range[1] !== there[1]) state.set("selection", range);
  });
}
