/** The jobs board, or the short pipeline list, as a widget in a notebook. */

import { h } from "../dom";
import { Layer } from "../ui/layer";
import { defineWidget } from "../widget";
import { mountJobs } from "./board";
import { JobsFeed } from "./feed";
import { mountProgress } from "./progress";

export default defineWidget(({ el, bridge, state, signal }) => {
  const compact = state.get<boolean>("compact");
  // Which jobs there are to watch is the kernel's choice; the short list leaves out the history.
  const feed = new JobsFeed(bridge, signal, compact ? "active" : "all");
  const figure = h("div", { class: "is-figure" });
  el.append(figure);
  if (compact) {
    mountProgress(figure, { signal, feed });
  } else {
    mountJobs(figure, bridge, { signal, feed, layer: new Layer(signal) });
  }
});
