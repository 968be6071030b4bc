/** The recording of the master: its samples go to the kernel part by part, and become a song of the library. */

import type { Reply } from "../../bridge";
import { AudioFailure } from "../../engine/fetch";
import type { Methods } from "../../types";

/** So many parts go in a message, when the kernel has to catch up: 1 MB. */
const TOGETHER = 8;
/** A kernel that is busy may be behind by so much, in s: 700 MB at 48 kHz. Nothing is lost until then, nor then. */
const MOST_WAITING = 30 * 60;

export interface RecordingHost {
  /** Asks the kernel whose decks these are, however long it is busy. */
  ask<M extends keyof Methods>(method: M, params: Methods[M]["params"], buffers?: () => ArrayBuffer[]): Promise<Reply<Methods[M]["result"]>>;
  changed(): void;
  /** The recording is to end. */
  stop(why: AudioFailure): void;
  failed(error: unknown): void;
}

interface Part {
  left: Float32Array;
  right: Float32Array;
}

export class Recording {
  format: "wav" | "flac" = "flac";
  readonly #host: RecordingHost;
  #on = false;
  /** What has been made of it, and what the kernel has taken. */
  #frames = 0;
  #sent = 0;
  #sampleRate = 48_000;
  #parts: Part[] = [];
  #ended = false;
  #saving = false;
  #more: (() => void) | null = null;

  constructor(host: RecordingHost) {
    this.#host = host;
  }

  get on(): boolean {
    return this.#on;
  }

  get seconds(): number {
    return this.#frames / this.#sampleRate;
  }

  /** Seconds of it that the kernel has not taken yet. */
  get waiting(): number {
    return (this.#frames - this.#sent) / this.#sampleRate;
  }

  get saving(): boolean {
    return this.#saving && !this.#on;
  }

  /** A recording begins; its parts will come. False while the one before it is still on its way. */
  begin(sampleRate: number): boolean {
    if (this.#saving) return false;
    this.#on = true;
    this.#saving = true;
    this.#frames = 0;
    this.#sent = 0;
    this.#sampleRate = sampleRate;
    this.#parts = [];
    this.#ended = false;
    this.#host.changed();
    void this.#save(new Date());
    return true;
  }

  take(left: Float32Array, right: Float32Array, last: boolean): void {
    if (!this.#saving) return;
    if (left.length > 0) this.#parts.push({ left, right });
    this.#frames += left.length;
    if (last) {
      this.#ended = true;
      this.#on = false;
    }
    this.#more?.();
    this.#more = null;
    this.#host.changed();
    if (this.#on && this.waiting > MOST_WAITING) {
      this.#host.stop(new AudioFailure(
        "The kernel has taken nothing of the recording for half an hour, so it has ended.",
        "It is saved as soon as the kernel answers: interrupt the cell that runs, and leave this page open.",
      ));
    }
  }

  async #save(begun: Date): Promise<void> {
    const { ask, failed, changed } = this.#host;
    // A browser asks whether the page may really be closed before all has arrived.
    const guard = new AbortController();
    addEventListener("beforeunload", (event) => event.preventDefault(), { signal: guard.signal });
    let recording: string | null = null;
    const finish = async (): Promise<void> => {
      if (recording === null) return;
      if (this.#sent === 0) await ask("recordings.discard", { recording });
      else await ask("recordings.finish", { recording, name: nameOf(begun), format: this.format });
    };
    try {
      recording = (await ask("recordings.begin", { sample_rate: this.#sampleRate })).result.recording;
      for (let part = 0; await this.#hasMore(); part += 1) {
        const some = this.#parts.slice(0, TOGETHER);
        await ask("recordings.append", { recording, part }, () => [joined(some, "left"), joined(some, "right")]);
        this.#parts.splice(0, some.length);
        this.#sent += frames(some);
      }
      await finish();
    } catch (error) {
      failed(error);
      // What the kernel has of it is kept.
      await finish().catch(() => {});
    } finally {
      guard.abort();
      this.#saving = false;
      this.#on = false;
      this.#parts = [];
      changed();
    }
  }

  /** Resolves with true when a part has come, with false when none will. */
  async #hasMore(): Promise<boolean> {
    while (this.#parts.length === 0 && !this.#ended) await new Promise<void>((resolve) => { this.#more = resolve; });
    return this.#parts.length > 0;
  }
}

function frames(parts: readonly Part[]): number {
  return parts.reduce((sum, { left }) => sum + left.length, 0);
}

function joined(parts: readonly Part[], side: keyof Part): ArrayBuffer {
  const all = new Float32Array(frames(parts));
  let at = 0;
  for (const { [side]: samples } of parts) {
    all.set(samples, at);
    at += samples.length;
  }
  return all.buffer;
}

/** "Mix of 2026-11-21 21.40". */
function nameOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `Mix of ${day} ${two(date.getHours())}.${two(date.getMinutes())}`;
}
