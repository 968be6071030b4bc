/** The library table as a widget in a notebook. */

import { acceptFiles } from "../adding/drop";
import { mountUploads } from "../adding/uploads";
import { h } from "../dom";
import { Layer } from "../ui/layer";
import { defineWidget } from "../widget";
import { mountLibrary } from "./table";

export default defineWidget(({ el, bridge, state, signal }) => {
  const layer = new Layer(signal);
  const figure = h("div", { class: "is-figure" });
  el.append(figure);
  const uploads = mountUploads(figure, bridge, layer, signal);
  acceptFiles(figure, figure, (files) => void uploads.add(files), signal);
  const library = mountLibrary(figure, bridge, {
    signal,
    layer,
    search: true,
    onAdd: () => uploads.choose(),
    query: state.get<string>("query"),
    onOpen(id) {
      bridge.request("track.open", { id }, { signal }).catch((error: unknown) => layer.failed(error));
    },
    onSelect: (ids) => state.set("selection", ids),
    onQuery: (query) => state.set("query", query),
  });
  library.select(state.get<string[]>("selection"));
  state.on("query", () => library.setQuery(state.get<string>("query")));
  state.on("selection", () => library.select(state.get<string[]>("selection")));
  const stop = bridge.on("notice", ({ level, text }) => layer.toast(level, text));
  signal.addEventListener("abort", stop, { once: true });
});
