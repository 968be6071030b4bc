/** The stem mixer as a notebook widget, and the part for its sets, for a page that loads it when it is wanted. */

import { openExport } from "../exporting/index";
import { followTraits } from "../player/traits";
import { dialogHost, openSeparate } from "../separate/index";
import { defineWidget } from "../widget";
import { followMix } from "./traits";
import { mountMixer } from "./view";

export { mountSets } from "./sets";

/**
 * Traits: `track_id`, `set_id`, `compare_id`, `mix`, `listen` and `selection` go both ways; `position` and `playing`
 * tell the kernel.
 */
export default defineWidget(({ el, bridge, state, signal }) => {
  const host = dialogHost(el, bridge, signal);
  const model = mountMixer(el, bridge, {
    signal,
    layer: host.layer,
    separate: (request) => void openSeparate(bridge, host, request),
    take: (options) => void openExport(bridge, host, options),
  });
  followMix(model, state);
  followTraits(model, bridge, state);
});
