/** What makes the sound of the decks: the console in an audio worklet, or less where there can be none. */

import { AudioFailure } from "../../engine/fetch";
import { type FromConsole, PROCESSOR, type ToConsole } from "../../console/messages";
import { quantise } from "../../console/quantise";
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
  /** Hands over slice `index` (of SLICE frames, the last one shorter) of one role of a song; the arrays stay the giver's. */
  give(deck: number, song: string, role: string, index: number, samples: Samples): void;
  close(): void;
}

export type Receive = (message: FromConsole) => void;

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
        // It says that it is ready, or that it will have no key lock.
        if (!there && (data.type === "ready" || data.type === "refused")) {
          clearTimeout(timer);
          there = true;
          resolve();
        }
        receive(data);
      };
    });
    return new WorkletSound(node);
  }

  post(message: ToConsole): void {
    this.node.port.postMessage(message);
  }

  give(deck: number, song: string, role: string, index: number, { left, right }: Samples): void {
    const slice = quantise(left, right, 0, left.length);
    const message: ToConsole = { type: "slice", deck, song, role, index, slice };
    this.node.port.postMessage(message, [slice.left.buffer, slice.right.buffer] as Transferable[]);
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
