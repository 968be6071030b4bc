/** The compressed bytes of a source: over the server's route, else in a message from the kernel. */

import { describe } from "../bridge";
import { mediaUrl } from "../media";
import type { AudioSource } from "../types";

/** Asks the kernel for the bytes of one source. */
export type FetchBytes = (id: string, signal: AbortSignal) => Promise<ArrayBuffer>;
export type Fetcher = (url: string, init: RequestInit) => Promise<Response>;

/** Bytes so far and, where the server says so, of how many. */
export type ByteProgress = (received: number, total: number | null) => void;

/** A failure of sound with a line for people and the way out. */
export class AudioFailure extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.name = "AudioFailure";
    this.hint = hint;
  }
}

export async function fetchAudio(
  source: AudioSource,
  fetchBytes: FetchBytes,
  fetcher: Fetcher,
  signal: AbortSignal,
  progress: ByteProgress,
): Promise<ArrayBuffer> {
  try {
    return await download(mediaUrl(source.url), fetcher, signal, progress);
  } catch {
    // Any reason will do: no such route in this host, or a connection that broke half-way.
    signal.throwIfAborted();
  }
  progress(0, null);
  try {
    return await fetchBytes(source.id, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new AudioFailure("The audio could not be fetched.", describe(error).message);
  }
}

async function download(
  url: string,
  fetcher: Fetcher,
  signal: AbortSignal,
  progress: ByteProgress,
): Promise<ArrayBuffer> {
  const response = await fetcher(url, { credentials: "same-origin", signal });
  // A page that wants a login arrives as HTML with status 200.
  if (!response.ok || response.headers.get("content-type")?.startsWith("text/html")) {
    throw new AudioFailure(`The server answered ${response.status}.`);
  }
  const length = Number(response.headers.get("content-length"));
  const total = length > 0 ? length : null;
  if (!response.body) return response.arrayBuffer();
  // Filled as it comes: putting a long song together at the end would hold the page up.
  let bytes = new Uint8Array(total ?? 1 << 20);
  let received = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (received + value.byteLength > bytes.length) {
      const longer = new Uint8Array(Math.max(2 * bytes.length, received + value.byteLength));
      longer.set(bytes.subarray(0, received));
      bytes = longer;
    }
    bytes.set(value, received);
    received += value.byteLength;
    progress(received, total);
  }
  return received === bytes.length ? bytes.buffer : bytes.buffer.slice(0, received);
}

/** "audio of type FLAC". */
export function describeMime(mime: string): string {
  return mime ? `audio of type ${mime.replace(/^audio\/(x-)?/, "").toUpperCase()}` : "this audio";
}
