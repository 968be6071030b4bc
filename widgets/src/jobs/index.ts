/** The jobs board, or the short pipeline list, as a widget in a notebook. */

import { h } from "../dom";
import { Layer } from "../ui/layer";
import { defineWidget } from "../widget";
import { mountJobs } from "./board";
import { JobsFeed } from "./feed";
import { mountProgress } from "./progress";

export default defineWidget(({ el, bridge, state, signal }) => {
  const feed = new JobsFeed(bridge, signal);
  const figure = h("div", { class: "is-figure" });
  el.append(figure);
  if (state.get<boolean>("compact")) {
    const list = mountProgress(figure, { signal, feed, jobIds: () => state.get<string[]>("job_ids") });
    state.on("job_ids", () => list.update());
  } else {
    mountJobs(figure, bridge, { signal, feed, layer: new Layer(signal) });
  }
});
