/** The pictures of an analysis as a notebook widget, and for a page that loads them when they are wanted. */

import { followTraits } from "../player/traits";
import { defineWidget } from "../widget";
import { mountAnalysis } from "./view";

export { mountAnalysis } from "./view";

/** Traits: `track_id`, `compare_id`, `selection` and `pictures` go both ways; `position` and `playing` tell the kernel. */
export default defineWidget(({ el, bridge, state, signal }) => {
  const { model } = mountAnalysis(el, bridge, { signal, state });
  followTraits(model, bridge, state);
});
