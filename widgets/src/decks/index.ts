/** The decks as a widget in a notebook, and as the view of the dashboard. */

import type { Bridge } from "../bridge";
import { familyLoader } from "../dashboard/lazy";
import { h } from "../dom";
import { Layer } from "../ui/layer";
import { tell } from "../ui/notify";
import { defineWidget } from "../widget";
import { deckSystem } from "./engine/system";
import { type DecksHandle, type DecksOptions, mountView } from "./view";

/** Builds a view of this page's decks inside `el`; it lives until the signal aborts. */
export function mountDecks(el: HTMLElement, bridge: Bridge, options: DecksOptions): DecksHandle {
  return mountView(el, bridge, deckSystem(), { load: familyLoader(el, bridge, options.signal), ...options });
}

export default defineWidget(({ el, bridge, signal }) => {
  const layer = new Layer(signal);
  const figure = h("div", { class: "is-figure" });
  el.append(figure);
  mountDecks(figure, bridge, { signal, layer, keys: figure });
  const stop = bridge.on("notice", (notice) => tell(notice, layer));
  signal.addEventListener("abort", stop, { once: true });
});
