/** What can be done with tracks: the same list in the table, its menus and the inspector. */

import type { Bridge } from "../bridge";
import type { DialogHost } from "../dialogs/host";
import { openExport } from "../exporting/index";
import { plural } from "../format";
import { openSeparate } from "../separate/index";
import type { Stage } from "../types";
import { deckItems, type LoadsDecks, pageDecks } from "../ui/decks";
import type { MenuItem } from "../ui/layer";

export const ALL_STAGES: Stage[] = ["separate", "analyze", "autocue"];
export const ANALYSIS_STAGES: Stage[] = ["analyze", "autocue"];

export class TrackActions {
  readonly #bridge: Bridge;
  readonly #host: DialogHost;
  /** Puts a track into the player. */
  readonly open: (id: string) => void;
  /** Where songs can be loaded into decks, of the page if not said; null while there are none. */
  readonly decks: () => LoadsDecks | null;

  constructor(bridge: Bridge, host: DialogHost, open: (id: string) => void, decks: () => LoadsDecks | null = pageDecks) {
    this.#bridge = bridge;
    this.#host = host;
    this.open = open;
    this.decks = decks;
  }

  async run(ids: string[], stages: Stage[]): Promise<void> {
    if (ids.length === 0) return;
    try {
      await this.#bridge.request("tracks.run", { ids, stages }, { signal: this.#host.signal });
    } catch (error) {
      this.#host.layer.failed(error, () => void this.run(ids, stages));
    }
  }

  /** Lets a person choose how to separate. */
  separate(ids: string[]): void {
    void openSeparate(this.#bridge, this.#host, { ids });
  }

  export(ids: string[]): void {
    void openExport(this.#bridge, this.#host, { ids });
  }

  async addToPlaylist(ids: string[]): Promise<void> {
    try {
      (await this.#host.load("playlists") as typeof import("../playlists/index")).addToPlaylist(this.#bridge, this.#host, ids);
    } catch (error) {
      this.#host.layer.failed(error, () => void this.addToPlaylist(ids));
    }
  }

  /** Removes at once and offers the way back: no question before, an undo after. */
  async remove(ids: string[]): Promise<boolean> {
    if (ids.length === 0) return false;
    try {
      const { result } = await this.#bridge.request("tracks.remove", { ids }, { signal: this.#host.signal });
      this.#host.layer.toast("info", `Removed ${plural(result.removed, "track")}.`, {
        action: { label: "Undo", run: () => void this.#restore(ids) },
      });
      return true;
    } catch (error) {
      this.#host.layer.failed(error, () => void this.remove(ids));
      return false;
    }
  }

  async #restore(ids: string[]): Promise<void> {
    try {
      await this.#bridge.request("tracks.restore", { ids }, { signal: this.#host.signal });
    } catch (error) {
      this.#host.layer.failed(error, () => void this.#restore(ids));
    }
  }

  menu(ids: string[]): (MenuItem | "-")[] {
    const [first] = ids;
    if (first === undefined) return [];
    const items: (MenuItem | "-")[] = [];
    if (ids.length === 1) {
      items.push({ label: "Open", icon: "open", keys: "↵", run: () => this.open(first) }, ...deckItems(this.decks(), first));
    }
    items.push(
      { label: "Add to playlist…", icon: "playlists", run: () => void this.addToPlaylist(ids) },
      { label: "Separate + analyse", icon: "split", run: () => void this.run(ids, ALL_STAGES) },
      { label: "Separate stems…", icon: "settings", run: () => this.separate(ids) },
      { label: "Analyse only", icon: "analyze", run: () => void this.run(ids, ANALYSIS_STAGES) },
      { label: "Export…", icon: "upload", run: () => this.export(ids) },
      "-",
      {
        label: ids.length === 1 ? "Remove" : `Remove ${plural(ids.length, "track")}`,
        icon: "trash", danger: true, keys: "Del", run: () => void this.remove(ids),
      },
    );
    return items;
  }
}
