/** The playlists as a widget in a notebook, and as the view of the dashboard. */

import { dialogHost } from "../dialogs/host";
import { h } from "../dom";
import { tell } from "../ui/notify";
import { defineWidget } from "../widget";
import { mountPlaylists } from "./view";

export { addToPlaylist } from "./choose";
export { mountPlaylists };

export default defineWidget(({ el, bridge, state, signal }) => {
  const host = dialogHost(el, bridge, signal);
  const { layer } = host;
  const figure = h("div", { class: "is-figure" });
  el.append(figure);
  const playlists = mountPlaylists(figure, bridge, {
    ...host,
    playlist: state.get<string>("playlist_id"),
    onOpen(id) {
      bridge.request("track.open", { id }, { signal }).catch((error: unknown) => layer.failed(error));
    },
    onShow(id) {
      if (state.get("playlist_id") !== id) state.set("playlist_id", id);
    },
    onSelect: (tracks) => state.set("selection", tracks),
  });
  state.on("playlist_id", () => playlists.show(state.get<string>("playlist_id")));
  const stop = bridge.on("notice", (notice) => tell(notice, layer));
  signal.addEventListener("abort", stop, { once: true });
});
