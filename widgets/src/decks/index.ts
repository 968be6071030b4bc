/** The decks as a widget in a notebook, and as the view of the dashboard. */

import { h } from "../dom";
import { Layer } from "../ui/layer";
import { tell } from "../ui/notify";
import { defineWidget } from "../widget";
import { mountDecks } from "./view";

export { mountDecks };

export default defineWidget(({ el, bridge, signal }) => {
  const layer = new Layer(signal);
  const figure = h("div", { class: "is-figure" });
  el.append(figure);
  mountDecks(figure, bridge, { signal, layer, keys: figure });
  const stop = bridge.on("notice", (notice) => tell(notice, layer));
  signal.addEventListener("abort", stop, { once: true });
});
