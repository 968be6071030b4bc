/** The jobs board, or the short pipeline list, as a widget in a notebook. */

import { h } from "../dom";
import { Layer } from "../ui/layer";
import { tell } from "../ui/notify";
import { defineWidget } from "../widget";
import { mountJobs } from "./board";
import { JobsFeed } from "./feed";
import { mountProgress } from "./progress";

export { mountJobs };

export default defineWidget(({ el, bridge, state, signal }) => {
  const compact = state.get<boolean>("compact");
  // Which jobs there are to watch is the kernel's choice.
  const feed = new JobsFeed(bridge, signal, { few: compact });
  const figure = h("div", { class: "is-figure" });
  el.append(figure);
  if (compact) {
    mountProgress(figure, { signal, feed });
    return;
  }
  const layer = new Layer(signal);
  const board = mountJobs(figure, bridge, { signal, feed, layer });
  const stop = bridge.on("notice", (notice) => tell(notice, layer, (group) => {
    board.show(group);
    figure.scrollIntoView({ block: "nearest" });
  }));
  signal.addEventListener("abort", stop, { once: true });
});
