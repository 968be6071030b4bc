/** The track player as a notebook widget. */

import { type ExportOptions, openExport } from "../exporting/index";
import { mountSets } from "../mixer/sets";
import { dialogHost, openSeparate } from "../separate/index";
import { defineWidget } from "../widget";
import { modelOf } from "./model";
import { mountPlayer } from "./player";
import type { SeparateRequest } from "./stems";
import { followTraits } from "./traits";

/** Traits: `track_id` and `selection` go both ways; `position` and `playing` tell the kernel. */
export default defineWidget(({ el, bridge, state, signal }) => {
  const host = dialogHost(el, bridge, signal);
  const stems = {
    sets: mountSets,
    layer: host.layer,
    separate: (request: SeparateRequest) => void openSeparate(bridge, host, request),
    take: (options: ExportOptions) => void openExport(bridge, host, options),
  };
  followTraits(modelOf(mountPlayer(el, bridge, { signal, stems })), bridge, state);
});
