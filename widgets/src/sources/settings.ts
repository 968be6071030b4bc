/** Where songs come from, among the settings: the account at Spotify, downloads, folders. */

import type { Bridge } from "../bridge";
import { append, h } from "../dom";
import { Layer } from "../ui/layer";
import { Account } from "./account";
import { DownloadSettings } from "./downloads";
import { FolderSettings } from "./folders";
import { openImport, type ImportHost } from "./panel";

export interface SourcesOptions {
  signal: AbortSignal;
  layer?: Layer;
  uploads?: ImportHost["uploads"];
}

export interface SourcesHandle {
  /** Look again. */
  refresh(): void;
}

export function mountSources(el: HTMLElement, bridge: Bridge, options: SourcesOptions): SourcesHandle {
  const { signal } = options;
  const host = { signal, uploads: options.uploads, layer: options.layer ?? new Layer(signal) };
  const account = new Account(bridge, { signal, full: true });
  const downloads = new DownloadSettings(bridge, signal);
  const folders = new FolderSettings(bridge, signal, () => openImport(bridge, host, { tab: "folder" }));
  append(el, h("section", {}, h("h3", {}, "Spotify"), account.element), downloads.element, folders.element);
  const stop = bridge.on("sources.changed", ({ what }) => {
    if (what.includes("downloads") || what.includes("tools")) void downloads.look();
    if (what.includes("folders")) void folders.look();
  });
  signal.addEventListener("abort", stop, { once: true });
  void downloads.look();
  void folders.look();
  return {
    refresh() {
      void account.look();
      void downloads.look();
      void folders.look();
    },
  };
}
