/** The second output: what is listened to before the room hears it, on a device of its own where the browser can. */

import { AudioFailure } from "../../engine/fetch";
import type { Failure } from "./types";

export interface Output {
  id: string;
  label: string;
}

/** Whoever chose a device wants it the next time, too. */
const KEY = "sfa.headphones";
const DENIED = new AudioFailure(
  "The browser does not show this page its sound devices.",
  "Allow it to use the microphone once: that is what browsers ask for before they name any device. Nothing is recorded.",
);

export class Headphones {
  readonly #changed: () => void;
  #device: Output | null = null;
  #context: AudioContext | null = null;
  #node: AudioNode | null = null;
  #master: AudioNode | null = null;
  #phones: AudioNode | null = null;
  #stream: MediaStreamAudioDestinationNode | null = null;
  #element: HTMLAudioElement | null = null;
  #split = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Why there can be no second output here; null when there can. */
  get missing(): Failure | null {
    if (typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype && this.#media) return null;
    return {
      message: "This browser plays all sound on one device.",
      hint: "Turn on Split to hear the cue on the left and the master on the right of one device, or use Chrome, Edge or Firefox.",
    };
  }

  get device(): Output | null {
    return this.#device;
  }

  get #media(): MediaDevices | null {
    return (navigator.mediaDevices as MediaDevices | undefined) ?? null;
  }

  /** Asks the browser, which may ask the person: call it from a gesture. */
  async devices(): Promise<Output[]> {
    const media = this.#media;
    if (!media || this.missing) throw new AudioFailure(this.missing?.message ?? "", this.missing?.hint);
    let outputs = await listed(media);
    if (outputs.length === 0) {
      const stream = await media.getUserMedia({ audio: true }).catch(() => {
        throw DENIED;
      });
      for (const track of stream.getTracks()) track.stop();
      outputs = await listed(media);
    }
    return outputs;
  }

  async choose(device: Output | null): Promise<void> {
    if (device) {
      const element = this.#element ?? new Audio();
      try {
        await element.setSinkId(device.id);
      } catch {
        throw new AudioFailure(`The sound device "${device.label}" cannot be used.`, "Connect it, or choose another one.");
      }
      this.#element = element;
    }
    this.#device = device;
    keep(device);
    this.#connect();
    this.#changed();
  }

  /** Connects a console's two outputs. */
  connect(context: AudioContext, node: AudioNode): void {
    this.#context = context;
    this.#node = node;
    this.#connect();
    const last = kept();
    // A device that is not there today is no reason to be asked.
    if (last && !this.missing) void this.choose(last).catch(() => {});
  }

  /** On one device: the cue on the left, the master on the right. */
  set split(on: boolean) {
    this.#split = on;
    this.#connect();
  }

  #connect(): void {
    const [context, node] = [this.#context, this.#node];
    if (!context || !node) return;
    this.#master?.disconnect();
    this.#phones?.disconnect();
    node.disconnect();
    // Without a device of their own the headphones are the page's device, if it is split.
    const master = context.createGain();
    node.connect(master, this.#split && !this.#device ? 1 : 0);
    master.connect(context.destination);
    this.#master = master;
    if (!this.#device) {
      this.#element?.pause();
      // What is connected nowhere is not asked for its sound by some browsers: the second output stays silent.
      const silent = context.createGain();
      silent.gain.value = 0;
      node.connect(silent, 1);
      silent.connect(context.destination);
      this.#phones = silent;
      return;
    }
    this.#stream ??= context.createMediaStreamDestination();
    const phones = context.createGain();
    node.connect(phones, 1);
    phones.connect(this.#stream);
    this.#phones = phones;
    const element = this.#element as HTMLAudioElement;
    element.srcObject = this.#stream.stream;
    // It is refused before the page's first click: the first play tries again.
    element.play().catch(() => {});
  }

  /** From a gesture. */
  wake(): void {
    if (this.#device && this.#element?.paused) this.#element.play().catch(() => {});
  }
}

async function listed(media: MediaDevices): Promise<Output[]> {
  const all = await media.enumerateDevices();
  return all
    .filter(({ kind, deviceId, label }) => kind === "audiooutput" && deviceId !== "" && label !== "")
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

function kept(): Output | null {
  try {
    const text = localStorage.getItem(KEY);
    const value = text ? (JSON.parse(text) as Partial<Output>) : null;
    return value && typeof value.id === "string" && typeof value.label === "string" ? { id: value.id, label: value.label } : null;
  } catch {
    return null; // the page may keep nothing
  }
}

function keep(device: Output | null): void {
  try {
    if (device) localStorage.setItem(KEY, JSON.stringify(device));
    else localStorage.removeItem(KEY);
  } catch {
    // the page may keep nothing
  }
}
