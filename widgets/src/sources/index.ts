/** Bringing songs in: the window and the settings that pages load when they are wanted, and the same as a widget. */

import { mountUploads } from "../adding/uploads";
import { h } from "../dom";
import { Layer } from "../ui/layer";
import { tell } from "../ui/notify";
import { defineWidget } from "../widget";
import { ImportPanel } from "./panel";

export { openImport } from "./panel";
export { mountSources } from "./settings";

/** Traits: `link` is a link that is looked at at once. */
export default defineWidget(({ el, bridge, state, signal }) => {
  const layer = new Layer(signal);
  const box = h("section", { class: "sfa-import-box" }, h("header", {}, h("h2", {}, "Add music")));
  const figure = h("div", { class: "is-figure" }, box);
  el.append(figure);
  const uploads = mountUploads(figure, bridge, layer, signal);
  const link = state.get<string>("link");
  const panel = new ImportPanel(bridge, { layer, signal, uploads }, link === "" ? { tab: "files" } : { text: link }, null);
  box.append(panel.element);
  panel.show(undefined, false);
  const stop = bridge.on("notice", (notice) => tell(notice, layer));
  signal.addEventListener("abort", stop, { once: true });
});
