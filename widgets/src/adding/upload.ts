/** Files from the page to the kernel, in chunks small enough for any message limit; jobs then bring them in. */

import { type Bridge, BridgeError, isAbort } from "../bridge";
import { failureOf, followJobs } from "../services/follow";
import type { Stage } from "../types";
import { fingerprint } from "./fingerprint";

export const CHUNK = 2 * 1024 * 1024;
/** Uploads that jobs have not brought in yet take room on the disk: of more than these the next one waits. */
const MOST_WAITING = 50;

export interface UploadProgress {
  name: string;
  /** Place in the queue, from 1, and the number of files in it. */
  position: number;
  count: number;
  /** Bytes. */
  sent: number;
  size: number;
  /** How many are here and wait for their jobs. */
  waiting: number;
}

/** What became of the files of a queue. */
export interface UploadCounts {
  added: number;
  /** Were in the library already. */
  known: number;
  playlists: number;
}

export interface UploadEvents {
  progress(state: UploadProgress | null): void;
  failed(name: string, error: unknown, retry: () => void): void;
  /** The queue is empty again, and its jobs have ended. */
  finished(counts: UploadCounts): void;
}

interface Wanted {
  file: File;
  stages: Stage[];
}

/**
 * One file after the other: two at once would share the same connection. While the next one is on its way, jobs look
 * at those that are here.
 */
export class Uploader {
  readonly #bridge: Bridge;
  readonly #events: UploadEvents;
  readonly #signal: AbortSignal;
  #queue: Wanted[] = [];
  #sending: AbortController | null = null;
  #running: Promise<void> | null = null;
  #state: UploadProgress = { name: "", position: 0, count: 0, sent: 0, size: 0, waiting: 0 };
  #counts: UploadCounts = { added: 0, known: 0, playlists: 0 };

  constructor(bridge: Bridge, events: UploadEvents, signal: AbortSignal) {
    this.#bridge = bridge;
    this.#events = events;
    this.#signal = signal;
    // What was sent stays: the same file, added again, goes on from there.
    signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  /** Whether files are on their way: those that are here no longer need the page. */
  get busy(): boolean {
    return this.#sending !== null;
  }

  /** Resolves when all files of the queue have been brought in. */
  add(files: Iterable<File>, stages: Stage[]): Promise<void> {
    const wanted = [...files].map((file) => ({ file, stages }));
    this.#queue.push(...wanted);
    this.#state.count += wanted.length;
    return (this.#running ??= this.#run());
  }

  /** Drops the file under way and those that wait; the jobs of what is here go on. */
  cancel(): void {
    this.#stop();
  }

  #stop(): void {
    this.#queue = [];
    this.#state.count = this.#state.position;
    this.#sending?.abort();
    this.#sending = null;
  }

  async #run(): Promise<void> {
    const followed = new Set<Promise<void>>();
    for (;;) {
      const next = this.#queue.shift();
      if (!next) {
        // Files that come while the last jobs are under way belong to the same queue.
        if (followed.size === 0) break;
        await Promise.race(followed);
        continue;
      }
      const sending = (this.#sending ??= new AbortController());
      this.#report({ name: next.file.name, position: this.#state.position + 1, sent: 0, size: next.file.size });
      await this.#one(next, sending.signal, followed);
      while (followed.size >= MOST_WAITING) await Promise.race(followed);
      if (this.#queue.length === 0) this.#sending = null;
    }
    this.#running = null;
    this.#state = { name: "", position: 0, count: 0, sent: 0, size: 0, waiting: 0 };
    const counts = this.#counts;
    this.#counts = { added: 0, known: 0, playlists: 0 };
    if (this.#signal.aborted) return;
    this.#events.progress(null);
    this.#events.finished(counts);
  }

  /** Sends one file, and lets its jobs be followed. */
  async #one(wanted: Wanted, signal: AbortSignal, followed: Set<Promise<void>>): Promise<void> {
    try {
      const upload = await this.#send(wanted.file, signal);
      const following: Promise<void> = this.#follow(wanted, upload).finally(() => {
        followed.delete(following);
        this.#report({ waiting: followed.size });
      });
      followed.add(following);
      this.#report({ waiting: followed.size });
    } catch (error) {
      this.#failed(wanted, error);
    }
  }

  /** Sends what the kernel has not got. */
  async #send(file: File, signal: AbortSignal): Promise<string> {
    if (file.size === 0) throw new BridgeError("The file is empty.", "Choose another file.");
    const begun = await this.#bridge.request(
      "upload.begin", { name: file.name, size: file.size, fingerprint: await fingerprint(file) }, { signal },
    );
    const { upload } = begun.result;
    let { received } = begun.result;
    this.#report({ sent: received });
    try {
      while (received < file.size) {
        const chunk = await file.slice(received, received + CHUNK).arrayBuffer();
        const reply = await this.#bridge.request(
          "upload.chunk", { upload, offset: received }, { signal, buffers: [chunk], timeoutMs: 60_000 },
        );
        if (reply.result.received < received + chunk.byteLength) {
          throw new BridgeError("A part of the file got lost on the way.", "Try again.");
        }
        received = reply.result.received;
        this.#report({ sent: received });
      }
    } catch (error) {
      // Who gives it up wants nothing of it to stay; what was cut off goes on from here when it is tried again.
      if (signal.aborted && !this.#signal.aborted) {
        this.#bridge.request("upload.abort", { upload }).catch(() => undefined);
      }
      throw error;
    }
    return upload;
  }

  /** Follows the jobs of a file that is here. */
  async #follow(wanted: Wanted, upload: string): Promise<void> {
    try {
      const [job] = await followJobs(this.#bridge, this.#signal, async () => {
        const { result } = await this.#bridge.request(
          "upload.finish", { upload, stages: wanted.stages }, { signal: this.#signal },
        );
        return result.jobs;
      });
      if (!job) return;
      const failure = failureOf(job);
      if (failure !== null) throw new BridgeError(failure);
      const { result } = await this.#bridge.request("jobs.show", { id: job.id }, { signal: this.#signal });
      const { playlists, new: isNew } = result.arguments;
      if (Array.isArray(playlists)) this.#counts.playlists += playlists.length;
      else if (isNew === false) this.#counts.known += 1;
      else this.#counts.added += 1;
    } catch (error) {
      this.#failed(wanted, error);
    }
  }

  #failed({ file, stages }: Wanted, error: unknown): void {
    if (this.#signal.aborted || isAbort(error)) return;
    this.#events.failed(file.name, error, () => void this.add([file], stages));
  }

  #report(changes: Partial<UploadProgress>): void {
    Object.assign(this.#state, changes);
    if (!this.#signal.aborted) this.#events.progress({ ...this.#state });
  }
}
