/** Where the server's own routes are, and cover art by either road. */

import type { Bridge } from "./bridge";

/** The address of a route such as `sfa/art/<id>` on the server that served this page. */
export function mediaUrl(path: string): string {
  return new URL(path, new URL(serverBase(), location.href)).href;
}

function serverBase(): string {
  // JupyterLab and Voila both leave their base URL in this element.
  const config = document.getElementById("jupyter-config-data")?.textContent;
  if (config) {
    try {
      const { baseUrl } = JSON.parse(config) as { baseUrl?: unknown };
      if (typeof baseUrl === "string") return baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`;
    } catch {
      // not ours to report: the page works from the root then
    }
  }
  return "/";
}

const KEEP = 400;

/**
 * Cover art for `<img>`: the route first, the message when there is no route (VS Code, Colab).
 * Pictures are kept, the least recently used go first.
 */
export class CoverArt {
  readonly #bridge: Bridge;
  readonly #signal: AbortSignal;
  readonly #urls = new Map<string, Promise<string | null>>();
  #routeWorks: Promise<boolean> | null = null;

  constructor(bridge: Bridge, signal: AbortSignal) {
    this.#bridge = bridge;
    this.#signal = signal;
    signal.addEventListener("abort", () => {
      for (const url of this.#urls.values()) void url.then(revoke);
      this.#urls.clear();
    }, { once: true });
  }

  /** Resolves with an address for the cover of a track, or null when there is none to be had. */
  url(trackId: string): Promise<string | null> {
    const known = this.#urls.get(trackId);
    if (known) {
      this.#urls.delete(trackId);
      this.#urls.set(trackId, known);
      return known;
    }
    const url = this.#find(trackId).catch(() => null);
    this.#urls.set(trackId, url);
    if (this.#urls.size > KEEP) {
      const [oldest, gone] = this.#urls.entries().next().value as [string, Promise<string | null>];
      this.#urls.delete(oldest);
      void gone.then(revoke);
    }
    return url;
  }

  async #find(trackId: string): Promise<string | null> {
    const address = mediaUrl(`sfa/art/${encodeURIComponent(trackId)}`);
    this.#routeWorks ??= fetch(mediaUrl("sfa/health"), { signal: this.#signal }).then(
      (response) => response.ok,
      () => false,
    );
    if (await this.#routeWorks) return address;
    const { result, buffers } = await this.#bridge.request(
      "art.bytes", { id: trackId }, { signal: this.#signal },
    );
    const bytes = buffers[0];
    if (!bytes) return null;
    const copy = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
    return URL.createObjectURL(new Blob([copy], { type: result.mime }));
  }
}

function revoke(url: string | null): void {
  if (url?.startsWith("blob:")) URL.revokeObjectURL(url);
}
