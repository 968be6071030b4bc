/** Saving an export on the person's own disk: over the server's route, else in a message from the kernel. */

import type { Bridge } from "../bridge";
import { h } from "../dom";
import { mediaUrl } from "../media";
import type { ExportRow } from "../types";

/** A whole file in one message takes its time. */
const PATIENCE_MS = 300_000;

export async function download(bridge: Bridge, row: ExportRow, signal: AbortSignal): Promise<void> {
  const address = mediaUrl(row.url);
  if (await answers(address, signal)) {
    save(address, row.name);
    return;
  }
  const { result, buffers } = await bridge.request("export.bytes", { id: row.id }, { signal, timeoutMs: PATIENCE_MS });
  saveBytes(buffers[0], result.mime, result.name);
}

/** Saves what came in a message. */
export function saveBytes(bytes: DataView | undefined, mime: string, name: string): void {
  if (!bytes) throw new Error("The kernel sent no file.");
  const copy = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
  const blob = URL.createObjectURL(new Blob([copy], { type: mime }));
  save(blob, name);
  // The browser reads it after the click; nobody says when it has.
  setTimeout(() => URL.revokeObjectURL(blob), 60_000);
}

/** Whether the server that served this page has the file: a notebook host may have no such route. */
async function answers(address: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(address, { method: "HEAD", credentials: "same-origin", signal });
    // A page that wants a login arrives as HTML with status 200.
    return response.ok && !response.headers.get("content-type")?.startsWith("text/html");
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

function save(url: string, name: string): void {
  const link = h("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}
