/** The track player as a notebook widget. */

import { defineWidget } from "../widget";
import { modelOf } from "./model";
import { mountPlayer } from "./player";
import { followTraits } from "./traits";

/** Traits: `track_id` and `selection` go both ways; `position` and `playing` tell the kernel. */
export default defineWidget(({ el, bridge, state, signal }) => {
  followTraits(modelOf(mountPlayer(el, bridge, { signal })), bridge, state);
});
