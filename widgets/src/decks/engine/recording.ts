/** The recording of the master: its samples go to the kernel part by part, and become a song of the library. */

import { type Bridge, isAbort } from "../../bridge";

/** A kernel may be busy for so long, in ms: nothing is lost meanwhile. */
const PATIENCE_MS = 600_000;

export interface RecordingHost {
  /** The kernel whose decks these are. */
  bridge(): Promise<Bridge>;
  changed(): void;
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
  #frames = 0;
  #sampleRate = 48_000;
  #parts: Part[] = [];
  #ended = false;
  #saving = false;

  constructor(host: RecordingHost) {
    this.#host = host;
  }

  get on(): boolean {
    return this.#on;
  }

  get seconds(): number {
    return this.#frames / this.#sampleRate;
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
  }

  #more: (() => void) | null = null;

  async #save(begun: Date): Promise<void> {
    try {
      const bridge = await this.#host.bridge();
      const { recording } = (await bridge.request("recordings.begin", { sample_rate: this.#sampleRate })).result;
      for (let part = 0; !this.#ended || this.#parts.length > 0;) {
        const next = this.#parts[0];
        if (next) {
          await this.#append(recording, part, next);
          this.#parts.shift();
          part += 1;
        } else await new Promise<void>((resolve) => { this.#more = resolve; });
      }
      if (this.#frames === 0) await (await this.#host.bridge()).request("recordings.discard", { recording });
      else {
        const { format } = this;
        await (await this.#host.bridge()).request("recordings.finish", { recording, name: nameOf(begun), format });
      }
    } catch (error) {
      this.#host.failed(error);
    } finally {
      this.#saving = false;
      this.#on = false;
      this.#parts = [];
      this.#host.changed();
    }
  }

  /** Sends a part, however long the kernel is busy; through another view when the one that it went through has gone. */
  async #append(recording: string, part: number, { left, right }: Part): Promise<void> {
    for (;;) {
      const bridge = await this.#host.bridge();
      try {
        const buffers = [copied(left), copied(right)];
        await bridge.request("recordings.append", { recording, part }, { buffers, timeoutMs: PATIENCE_MS });
        return;
      } catch (error) {
        if (!isAbort(error)) throw error;
      }
    }
  }
}

/** What is sent may be taken away from this page. */
function copied(samples: Float32Array): ArrayBuffer {
  return samples.slice().buffer as ArrayBuffer;
}

/** "Mix of 2026-11-21 21.40". */
function nameOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `Mix of ${day} ${two(date.getHours())}.${two(date.getMinutes())}`;
}
