/** Brings the sound of a song: fetched, decoded by the browser, and handed over piece by piece. */

import { describeMime, LONGEST_DECODED_SUM, stemsFit } from "../../engine/engine";
import { AudioFailure, type FetchBytes, fetchAudio, type Fetcher } from "../../engine/fetch";
import type { AudioSource } from "../../types";
import type { Samples } from "./sound";
import type { DeckLoading } from "./types";

/** Decoded sound is four times as large as what is kept of it: so many sources are decoded side by side. */
const SIDE_BY_SIDE = 2;

export interface LoadOptions {
  sources: readonly AudioSource[];
  /** Seconds, as the catalogue has it. */
  duration: number;
  /** The context, as soon as there may be one. */
  context: Promise<BaseAudioContext>;
  fetchBytes: FetchBytes;
  fetch: Fetcher;
  signal: AbortSignal;
  progress(loading: DeckLoading): void;
  /** The length of the song is known (frames): from now on its sound comes, for these roles. */
  begin(frames: number, roles: string[]): Promise<void> | void;
  give(role: string, samples: Samples, frames: number): Promise<void>;
  /** The song can be played from its beginning to its end, without its stems. */
  playable(): void;
}

/** The roles that a deck plays of these sources: the stems only where they fit into memory. */
export function rolesOf(sources: readonly AudioSource[], duration: number): string[] {
  const stems = sources.filter(({ role }) => role !== "mix").map(({ role }) => role);
  return ["mix", ...(stemsFit(duration, sources.length) ? stems : [])];
}

/**
 * Loads a song: itself first, then its stems. Where the browser cannot read it (or there is nothing but stems) it is the
 * sum of its stems.
 *
 * Rejects with an `AudioFailure` when there is nothing to play.
 */
export async function loadSong(options: LoadOptions): Promise<void> {
  const { sources, duration, signal, begin, give, playable } = options;
  if (sources.length === 0) throw new AudioFailure("This track has no audio.", "Its file may have been moved; add the song again.");
  if (duration > LONGEST_DECODED_SUM) {
    throw new AudioFailure("This recording is longer than an hour: a deck cannot hold it.", "Play it in the player, or load a part of it.");
  }
  const roles = rolesOf(sources, duration);
  const stems = sources.filter(({ role }) => role !== "mix" && roles.includes(role));
  const mix = sources.find(({ role }) => role === "mix");
  const samples = mix ? await decoded(options, mix, "song").catch((error: unknown) => {
    signal.throwIfAborted();
    if (stems.length === 0 || !(error instanceof AudioFailure)) throw error;
    return null;
  }) : null;
  if (samples) {
    const frames = samples.left.length;
    await begin(frames, roles);
    await give("mix", samples, frames);
    playable();
    await eachOf(stems, SIDE_BY_SIDE, async (stem) => give(stem.role, await decoded(options, stem, "stems"), frames));
    return;
  }
  let sum: Samples | null = null;
  for (const stem of stems) {
    const part = await decoded(options, stem, "song");
    if (!sum) {
      sum = { left: new Float32Array(part.left.length), right: new Float32Array(part.left.length) };
      await begin(sum.left.length, roles);
    }
    add(sum.left, part.left);
    add(sum.right, part.right);
    await give(stem.role, part, sum.left.length);
  }
  if (!sum) throw new AudioFailure("This track has no audio that this browser can read.");
  await give("mix", sum, sum.left.length);
  playable();
}

async function decoded(options: LoadOptions, source: AudioSource, what: DeckLoading["what"]): Promise<Samples> {
  const { context, fetchBytes, fetch, signal, progress } = options;
  progress({ what, phase: "fetch", fraction: null });
  const bytes = await fetchAudio(source, fetchBytes, fetch, signal, (received, total) => {
    progress({ what, phase: "fetch", fraction: total ? received / total : null });
  });
  progress({ what, phase: "decode", fraction: null });
  const made = await context;
  signal.throwIfAborted();
  let buffer: AudioBuffer;
  try {
    buffer = await made.decodeAudioData(bytes);
  } catch {
    signal.throwIfAborted();
    throw new AudioFailure(
      `This browser cannot decode ${describeMime(source.mime)}.`,
      "Separate the song to play it from its stems, or add it as FLAC, WAV, MP3 or Ogg.",
    );
  }
  signal.throwIfAborted();
  const left = buffer.getChannelData(0);
  return { left, right: buffer.numberOfChannels > 1 ? buffer.getChannelData(1) : left };
}

/** Does something with each, `most` at a time; the first failure ends all. */
async function eachOf<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}

function add(sum: Float32Array, part: Float32Array): void {
  const length = Math.min(sum.length, part.length);
  for (let i = 0; i < length; i += 1) sum[i] = (sum[i] as number) + (part[i] as number);
}
