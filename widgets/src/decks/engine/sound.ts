/** What makes the sound of the decks: the console in an audio worklet, or less where there can be none. */

import { AudioFailure } from "../../engine/fetch";
import { type FromConsole, PROCESSOR, type ToConsole } from "../../console/messages";
import { quantise } from "../../console/quantise";
import { SLICE, type Slice } from "../../console/types";
import type { Failure } from "./types";

/** Stereo sound at the context's sample rate; mono has the same array twice. */
export interface Samples {
  left: Float32Array;
  right: Float32Array;
}

export interface Sound {
  /** What cannot be done here, and why; null when all can. */
  readonly limits: Failure | null;
  /** The console's second output; null where there is none. */
  readonly node: AudioNode | null;
  post(message: ToConsole): void;
  /** Hands the sound of one role of a song over, in steps that leave the page free; `frames` is the length of the song. */
  give(deck: number, song: string, role: string, samples: Samples, frames: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export type Receive = (message: FromConsole) => void;

/** A page is held up no longer than this at a time, in ms. */
const STEP_MS = 6;
/** A worklet that has not answered by now never will, in ms. */
const READY_MS = 20_000;

/** Lets the page do what else it has to; not slowed down in hidden pages, as timers are. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Slices of a role one after another, silent where its sound is shorter than the song. */
export function* slices({ left, right }: Samples, frames: number): Generator<Slice> {
  for (let from = 0; from < frames; from += SLICE) {
    const to = Math.min(frames, from + SLICE);
    const end = Math.max(from, Math.min(to, left.length));
    const slice = quantise(left, right, from, end);
    yield end === to ? slice : { left: lengthened(slice.left, to - from), right: lengthened(slice.right, to - from), scale: slice.scale };
  }
}

function lengthened(samples: Int16Array, length: number): Int16Array {
  const longer = new Int16Array(length);
  longer.set(samples);
  return longer;
}

/** The console in the page's context. `code` is its script. */
export class WorkletSound implements Sound {
  readonly limits = null;
  readonly node: AudioWorkletNode;

  private constructor(node: AudioWorkletNode) {
    this.node = node;
  }

  /** Rejects with an `AudioFailure` that says why there can be no worklet; `failed` hears of one that breaks later. */
  static async make(
    context: AudioContext, code: BlobPart, receive: Receive, failed: (error: AudioFailure) => void,
  ): Promise<WorkletSound> {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    try {
      await context.audioWorklet.addModule(url);
    } catch (error) {
      throw new AudioFailure("The browser refused the decks' audio worklet.", String(error));
    } finally {
      URL.revokeObjectURL(url);
    }
    const node = new AudioWorkletNode(context, PROCESSOR, {
      numberOfInputs: 0, numberOfOutputs: 2, outputChannelCount: [2, 2],
    });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new AudioFailure("The decks' audio worklet does not answer.")), READY_MS);
      let there = false;
      node.onprocessorerror = () => {
        const error = new AudioFailure("The decks' audio worklet has stopped.", "Reload the page.");
        if (there) failed(error);
        else reject(error);
      };
      node.port.onmessage = ({ data }: MessageEvent<FromConsole>) => {
        clearTimeout(timer);
        there = true;
        resolve();
        receive(data);
      };
      // It answers this as soon as it is there, whether its key lock is ready or not.
      node.port.postMessage({ type: "probe" } satisfies ToConsole);
    });
    return new WorkletSound(node);
  }

  post(message: ToConsole): void {
    this.node.port.postMessage(message);
  }

  async give(
    deck: number, song: string, role: string, samples: Samples, frames: number, signal: AbortSignal,
  ): Promise<void> {
    let index = 0;
    let begun = performance.now();
    for (const slice of slices(samples, frames)) {
      const message: ToConsole = { type: "slice", deck, song, role, index, slice };
      const arrays = new Set([slice.left.buffer, slice.right.buffer]);
      this.node.port.postMessage(message, [...arrays] as Transferable[]);
      index += 1;
      if (performance.now() - begun < STEP_MS) continue;
      await breathe();
      signal.throwIfAborted();
      begun = performance.now();
    }
  }

  close(): void {
    this.node.port.close();
    this.node.disconnect();
  }
}

/** Why there is no audio worklet in this page; null when there is. */
export function workletMissing(context: AudioContext): Failure | null {
  if ((context.audioWorklet as AudioWorklet | undefined) && typeof AudioWorkletNode !== "undefined") return null;
  const here = "Play, cue, seeking, hot cues, tempo, volume and the crossfader work; key lock, stems, EQ, effects, sync, scratching, headphones and recording do not.";
  return isSecureContext
    ? { message: `Plain playback only: this browser has no audio worklets. ${here}`, hint: "Open the page in a current Chrome, Firefox or Safari." }
    : {
      message: `Plain playback only: this page came neither over https nor from this computer, so the browser gives it no audio worklets. ${here}`,
      hint: "Open it over https, or as localhost through a tunnel.",
    };
}
