/** Files from the page to the kernel, in chunks small enough for any message limit. */

import { type Bridge, BridgeError } from "../bridge";
import type { Stage, TrackRow } from "../types";

export const CHUNK = 2 * 1024 * 1024;
/** What a file chooser offers; the kernel decides what it can read. */
export const ACCEPT = "audio/*,.mp3,.flac,.wav,.aiff,.aif,.ogg,.oga,.opus,.m4a,.aac,.mp4";

export interface UploadProgress {
  name: string;
  /** Place in the queue, from 1, and the number of files in it. */
  position: number;
  count: number;
  /** Bytes. */
  sent: number;
  size: number;
}

export interface UploadEvents {
  progress(state: UploadProgress | null): void;
  added(track: TrackRow, fresh: boolean): void;
  failed(name: string, error: unknown, retry: () => void): void;
  /** The queue is empty again. */
  finished(added: number, known: number): void;
}

/** One file after the other: the library shows the first song while the second is on its way. */
export class Uploader {
  readonly #bridge: Bridge;
  readonly #stages: Stage[];
  readonly #events: UploadEvents;
  readonly #signal: AbortSignal;
  #queue: File[] = [];
  #current: AbortController | null = null;
  #running = false;
  #position = 0;
  #count = 0;

  constructor(bridge: Bridge, stages: Stage[], events: UploadEvents, signal: AbortSignal) {
    this.#bridge = bridge;
    this.#stages = stages;
    this.#events = events;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.cancel(), { once: true });
  }

  get busy(): boolean {
    return this.#running;
  }

  add(files: Iterable<File>): Promise<void> {
    const list = [...files];
    this.#queue.push(...list);
    this.#count += list.length;
    return this.#running ? Promise.resolve() : this.#run();
  }

  /** Drops the file under way and those that wait. */
  cancel(): void {
    this.#queue = [];
    this.#current?.abort();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let fresh = 0;
    let known = 0;
    for (let file = this.#queue.shift(); file; file = this.#queue.shift()) {
      this.#position += 1;
      this.#current = new AbortController();
      try {
        const { track, new: isNew } = await this.#send(file, this.#current.signal);
        if (isNew) fresh += 1;
        else known += 1;
        this.#events.added(track, isNew);
      } catch (error) {
        const again = file;
        if (!this.#current.signal.aborted) {
          this.#events.failed(file.name, error, () => void this.add([again]));
        }
      }
    }
    this.#current = null;
    this.#running = false;
    this.#position = 0;
    this.#count = 0;
    if (this.#signal.aborted) return;
    this.#events.progress(null);
    this.#events.finished(fresh, known);
  }

  async #send(file: File, signal: AbortSignal): Promise<{ track: TrackRow; new: boolean }> {
    if (file.size === 0) throw new BridgeError("The file is empty.", "Choose another file.");
    const report = (sent: number) => this.#events.progress({
      name: file.name, position: this.#position, count: this.#count, sent, size: file.size,
    });
    report(0);
    const begun = await this.#bridge.request("upload.begin", { name: file.name, size: file.size }, { signal });
    const { upload } = begun.result;
    try {
      for (let offset = 0; offset < file.size; offset += CHUNK) {
        const chunk = await file.slice(offset, offset + CHUNK).arrayBuffer();
        const reply = await this.#bridge.request(
          "upload.chunk", { upload, offset }, { signal, buffers: [chunk], timeoutMs: 60_000 },
        );
        if (reply.result.received < offset + chunk.byteLength) {
          throw new BridgeError("A part of the file got lost on the way.", "Try again.");
        }
        report(offset + chunk.byteLength);
      }
      // Hashing and probing a long file takes its time.
      const done = await this.#bridge.request(
        "upload.finish", { upload, stages: this.#stages }, { signal, timeoutMs: 120_000 },
      );
      return done.result;
    } catch (error) {
      // The kernel's half-made file must go, whatever happened here.
      this.#bridge.request("upload.abort", { upload }).catch(() => undefined);
      throw error;
    }
  }
}

/** The files of a drop; folders have no content of their own and are left out. */
export function droppedFiles(data: DataTransfer | null): File[] {
  if (!data) return [];
  const items = [...data.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  return [...data.files].filter((_, i) => !entries[i]?.isDirectory);
}
