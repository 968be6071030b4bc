/** Getting the songs of a playlist that are not here: by downloads, where a person has agreed to them. */

import type { Bridge } from "../bridge";
import type { DialogHost } from "../dialogs/host";
import { plural } from "../format";
import { agreement } from "../sources/downloads";
import { rememberedStages } from "../sources/stages";

/** Asks for the songs of these entries, or of all; where downloads are off, asks for that first. */
export async function getSongs(bridge: Bridge, host: DialogHost, id: string, entries: string[] | null): Promise<void> {
  const { layer, signal } = host;
  try {
    const { result: state } = await bridge.request("downloads.state", {}, { signal });
    if (!state.allowed) {
      layer.toast("info", "Downloads are not allowed here.", { hint: "Add the files of these songs, and they are recognised." });
    } else if (!state.on) {
      const dialog = layer.dialog("Switch downloads on?", agreement(bridge, signal, state.notice, () => {
        dialog.close();
        void getSongs(bridge, host, id, entries);
      }));
      dialog.classList.add("sfa-get");
    } else {
      const { result } = await bridge.request("playlists.download", { id, entries, stages: rememberedStages() }, { signal });
      const unready = state.tools.filter(({ ok }) => !ok).map(({ label }) => label).join(", ");
      const hint = unready === "" ? null : `${unready}: not ready. Settings, Downloads says what to do.`;
      if (result.jobs.length > 0) layer.toast(hint ? "warn" : "ok", `Getting ${plural(result.jobs.length, "song")}.`, { hint });
      else layer.toast("info", "These songs are on their way already.");
    }
  } catch (error) {
    layer.failed(error, () => void getSongs(bridge, host, id, entries));
  }
}
