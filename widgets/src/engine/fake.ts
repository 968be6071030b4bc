/** An audio context whose clock a test turns by hand, and an engine on it. */

import { Clock, type FrameSource } from "../clock/clock";
import { AudioEngine, type EngineHost } from "./engine";
import { PageSound } from "./page";

class FakeParam {
  value = 0;
  readonly calls: [string, ...number[]][] = [];

  /** Where the last scheduled change leads. */
  get target(): number {
    const last = this.calls.filter(([name]) => name !== "cancel").at(-1);
    return last?.[1] ?? this.value;
  }

  setValueAtTime(value: number, time: number): void { this.calls.push(["set", value, time]); }
  linearRampToValueAtTime(value: number, time: number): void { this.calls.push(["ramp", value, time]); }
  setTargetAtTime(value: number, time: number, constant: number): void { this.calls.push(["target", value, time, constant]); }
  cancelScheduledValues(time: number): void { this.calls.push(["cancel", time]); }
}

class FakeNode extends EventTarget {
  readonly outputs: FakeNode[] = [];

  connect(node: FakeNode): void { this.outputs.push(node); }
  disconnect(): void { this.outputs.length = 0; }
}

class FakeBuffer {
  readonly samples: Float32Array;

  constructor(readonly length: number, readonly sampleRate: number, readonly name = "made") {
    this.samples = new Float32Array(length);
  }

  get duration(): number { return this.length / this.sampleRate; }

  getChannelData(): Float32Array { return this.samples; }
}

export class FakeOscillator extends FakeNode {
  readonly frequency = new FakeParam();
  type = "sine";
  onended: (() => void) | null = null;
  started: number | null = null;
  stopped: number | null = null;

  start(time: number): void { this.started = time; }
  stop(time: number): void { this.stopped = time; }
}

export class FakeGain extends FakeNode {
  readonly gain = new FakeParam();
}

export class FakeSource extends FakeNode {
  buffer: { duration: number; name: string } | null = null;
  loop = false;
  loopStart = 0;
  loopEnd = 0;
  onended: (() => void) | null = null;
  /** [context time, offset in the buffer] */
  started: [number, number] | null = null;
  stopped: number | null = null;

  start(time: number, offset = 0): void { this.started = [time, offset]; }
  stop(time = 0): void { this.stopped = time; }
}

export class FakeContext extends EventTarget {
  currentTime = 0;
  state: AudioContextState = "suspended";
  readonly sampleRate = 48_000;
  readonly outputLatency = 0.02;
  readonly destination = new FakeNode();
  readonly sources: FakeSource[] = [];
  readonly gains: FakeGain[] = [];
  readonly panners: { pan: FakeParam }[] = [];
  readonly oscillators: FakeOscillator[] = [];
  /** Whether the clock starts when it is asked to. */
  device = true;
  /** Seconds of every decoded buffer; bytes that read "bad" are refused. */
  duration = 60;

  createGain(): FakeGain {
    const gain = new FakeGain();
    this.gains.push(gain);
    return gain;
  }

  createBuffer(_channels: number, length: number, rate: number): FakeBuffer {
    return new FakeBuffer(length, rate);
  }

  createOscillator(): FakeOscillator {
    const oscillator = new FakeOscillator();
    this.oscillators.push(oscillator);
    return oscillator;
  }

  createBiquadFilter(): FakeNode & { frequency: FakeParam; Q: FakeParam; type: string } {
    return Object.assign(new FakeNode(), { frequency: new FakeParam(), Q: new FakeParam(), type: "lowpass" });
  }

  createStereoPanner(): FakeNode & { pan: FakeParam } {
    const panner = Object.assign(new FakeNode(), { pan: new FakeParam() });
    this.panners.push(panner);
    return panner;
  }

  createAnalyser(): FakeNode & { fftSize: number } {
    return Object.assign(new FakeNode(), { fftSize: 0, getFloatTimeDomainData: () => {} });
  }

  createBufferSource(): FakeSource {
    const source = new FakeSource();
    this.sources.push(source);
    return source;
  }

  async decodeAudioData(bytes: ArrayBuffer): Promise<{ duration: number; name: string }> {
    const name = new TextDecoder().decode(bytes);
    if (name.startsWith("bad")) throw new DOMException("No.", "EncodingError");
    return { duration: this.duration, name };
  }

  async resume(): Promise<void> {
    if (!this.device) return;
    this.state = "running";
    this.currentTime += 0.01;
  }

  async close(): Promise<void> {}

  /** Sources that sound now, by the name of their bytes. */
  playing(): Record<string, [number, number]> {
    return Object.fromEntries(
      this.sources
        .filter((source) => source.started && source.stopped === null)
        .map((source) => [source.buffer?.name ?? "", source.started as [number, number]]),
    );
  }
}

/** Frames that come when a test says so. */
export class FakeFrames implements FrameSource {
  #next = 0;
  readonly #waiting = new Map<number, (now: number) => void>();

  get due(): number {
    return this.#waiting.size;
  }

  request(callback: (now: number) => void): number {
    this.#waiting.set(++this.#next, callback);
    return this.#next;
  }

  cancel(handle: number): void {
    this.#waiting.delete(handle);
  }

  run(now: number): void {
    const callbacks = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const callback of callbacks) callback(now);
  }
}

export interface FakeAudio {
  engine: AudioEngine;
  page: PageSound;
  context: FakeContext;
  frames: FakeFrames;
  /** Addresses that were fetched. */
  fetched: string[];
  host: { allowed: boolean; routes: boolean; response: (url: string) => Promise<Response> };
}

/** An engine whose server answers every address with the last part of its path. */
export function fakeAudio(): FakeAudio {
  const context = new FakeContext();
  const frames = new FakeFrames();
  const fetched: string[] = [];
  const host: FakeAudio["host"] = {
    allowed: true,
    routes: true,
    response: async (url) => new Response(url.split("/").at(-1)),
  };
  const outside: EngineHost = {
    createContext: () => context as unknown as AudioContext,
    createElement: () => document.createElement("audio"),
    async fetch(url, { signal }) {
      fetched.push(url);
      signal?.throwIfAborted();
      if (!host.routes) return new Response("", { status: 404 });
      return Promise.race([
        host.response(url),
        new Promise<never>((_, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
      ]);
    },
    now: () => context.currentTime,
    allowed: () => host.allowed,
    wait: () => Promise.resolve(),
  };
  const page = new PageSound(outside, new Clock(frames));
  return { engine: new AudioEngine(outside, page), page, context, frames, fetched, host };
}
