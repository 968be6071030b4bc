/** Opens the window that brings songs in, from a bundle that comes when it is wanted. */

import type { Bridge } from "../bridge";
import type { DialogHost } from "../dialogs/host";
import type { ImportHost, ImportOptions } from "./panel";

export type { ImportOptions } from "./panel";

/** What the bundle exports for pages. */
interface SourcesModule {
  openImport(bridge: Bridge, host: ImportHost, options?: ImportOptions): void;
}

export async function openImport(bridge: Bridge, host: DialogHost & ImportHost, options?: ImportOptions): Promise<void> {
  try {
    (await host.load("sources") as SourcesModule).openImport(bridge, host, options);
  } catch (error) {
    host.layer.failed(error, () => void openImport(bridge, host, options));
  }
}

/** A link that was pasted where nothing takes text, for `zone` to bring in. */
export function acceptLinks(zone: Document | HTMLElement, add: (text: string) => void, signal: AbortSignal): void {
  zone.addEventListener("paste", ((event: ClipboardEvent) => {
    const { target } = event;
    if (event.defaultPrevented || (target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog"))) return;
    const text = event.clipboardData?.getData("text/plain").trim() ?? "";
    if (!isLink(text)) return;
    event.preventDefault();
    add(text);
  }) as EventListener, { signal });
}

export function isLink(text: string): boolean {
  return /^(https?:\/\/|spotify:)\S+$/i.test(text);
}
