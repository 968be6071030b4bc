/** Brings the sound of a song: fetched, decoded by the browser, and handed over piece by piece. */

import { SLICE } from "../../console/types";
import { AudioFailure, describeMime, type FetchBytes, fetchAudio, type Fetcher } from "../../engine/fetch";
import { LONGEST_DECODED_SUM } from "../../engine/memory";
import type { AudioSource } from "../../types";
import { type Decoded, decodePieces } from "./pieces";
import { breathe, type Samples } from "./sound";
import type { DeckLoading } from "./types";

/** Decoded sound is four times as large as what is kept of it: so many sources are decoded side by side. */
const SIDE_BY_SIDE = 2;
/** The page is held up no longer than this at a time, in ms. */
const STEP_MS = 6;

export interface LoadOptions {
  /** The context, as soon as there may be one. */
  context: Promise<BaseAudioContext>;
  fetchBytes: FetchBytes;
  fetch: Fetcher;
  signal: AbortSignal;
  progress(loading: DeckLoading): void;
  /** Slice `index` of a role; its arrays are used again. */
  give(role: string, index: number, samples: Samples): void;
}

export interface SongOptions extends LoadOptions {
  sources: readonly AudioSource[];
  /** Those of them that are to be played as its stems. */
  stems: readonly AudioSource[];
  /** Seconds, as the catalogue has it. */
  duration: number;
  /** The length of the song is known (frames): from now on its sound comes. */
  begin(frames: number): Promise<void> | void;
}

/**
 * Loads a song. Where the browser cannot read it (or there is nothing but stems) it is the sum of its stems. Resolves with
 * the stems that have come with it.
 *
 * Rejects with an `AudioFailure` when there is nothing to play.
 */
export async function loadSong(options: SongOptions): Promise<readonly AudioSource[]> {
  const { sources, stems, duration, signal, begin } = options;
  if (sources.length === 0) throw new AudioFailure("This track has no audio.", "Its file may have been moved; add the song again.");
  if (duration > LONGEST_DECODED_SUM) {
    throw new AudioFailure("This recording is longer than an hour: a deck cannot hold it.", "Play it in the player, or load a part of it.");
  }
  const mix = sources.find(({ role }) => role === "mix");
  const song = mix ? await decoded(options, mix, "song").catch((error: unknown) => {
    signal.throwIfAborted();
    if (stems.length === 0 || !(error instanceof AudioFailure)) throw error;
    return null;
  }) : null;
  if (song) {
    await begin(song.frames);
    await pour(song, slicer(options, "mix", song.frames), signal);
    return [];
  }
  let sum: Samples | null = null;
  for (const stem of stems) {
    const part = await decoded(options, stem, "song");
    if (!sum) {
      sum = { left: new Float32Array(part.frames), right: new Float32Array(part.frames) };
      await begin(part.frames);
    }
    await pour(part, slicer(options, stem.role, sum.left.length), signal, sum);
  }
  if (!sum) throw new AudioFailure("This track has no audio that this browser can read.");
  const { left, right } = sum;
  const chunks = (async function* () { yield { left, right }; })();
  await pour({ frames: left.length, chunks }, slicer(options, "mix", left.length), signal);
  return stems;
}

/** Loads the stems of a song of so many frames. */
export async function loadStems(options: LoadOptions, stems: readonly AudioSource[], frames: number): Promise<void> {
  await eachOf(stems, SIDE_BY_SIDE, async (stem) => {
    await pour(await decoded(options, stem, "stems"), slicer(options, stem.role, frames), options.signal);
  });
}

function slicer({ give }: LoadOptions, role: string, frames: number): Slicer {
  return new Slicer(frames, (index, samples) => give(role, index, samples));
}

/** Cuts what comes into slices of a song of so many frames: longer sound is cut off, shorter sound ends in silence. */
class Slicer {
  readonly #frames: number;
  readonly #give: (index: number, samples: Samples) => void;
  readonly #left: Float32Array;
  readonly #right: Float32Array;
  #at = 0;

  constructor(frames: number, give: (index: number, samples: Samples) => void) {
    this.#frames = frames;
    this.#give = give;
    this.#left = new Float32Array(Math.min(SLICE, frames));
    this.#right = new Float32Array(Math.min(SLICE, frames));
  }

  /** Takes sound from its frame `from` on, up to the end of a slice; the number of frames it took. */
  take({ left, right }: Samples, from: number): number {
    const place = this.#at % SLICE;
    const count = Math.min(left.length - from, SLICE - place, this.#frames - this.#at);
    this.#left.set(left.subarray(from, from + count), place);
    this.#right.set(right.subarray(from, from + count), place);
    this.#forward(count);
    return count;
  }

  get full(): boolean {
    return this.#at >= this.#frames;
  }

  /** One slice of silence, or the rest of one. */
  silence(): void {
    const place = this.#at % SLICE;
    const count = Math.min(SLICE - place, this.#frames - this.#at);
    this.#left.fill(0, place, place + count);
    this.#right.fill(0, place, place + count);
    this.#forward(count);
  }

  #forward(count: number): void {
    if (count === 0) return;
    this.#at += count;
    if (this.#at % SLICE > 0 && !this.full) return;
    const index = Math.ceil(this.#at / SLICE) - 1;
    const length = this.#at - index * SLICE;
    this.#give(index, { left: this.#left.subarray(0, length), right: this.#right.subarray(0, length) });
  }
}

/** Passes decoded sound on in steps that leave the page free, and adds it to a sum. */
async function pour({ chunks }: Decoded, slicer: Slicer, signal: AbortSignal, sum: Samples | null = null): Promise<void> {
  let begun = performance.now();
  let place = 0;
  const rest = async () => {
    if (performance.now() - begun < STEP_MS) return;
    await breathe();
    signal.throwIfAborted();
    begun = performance.now();
  };
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    begun = performance.now();
    for (let from = 0; from < chunk.left.length && !slicer.full;) {
      const count = slicer.take(chunk, from);
      if (sum) add(sum, place, chunk, from, count);
      from += count;
      place += count;
      await rest();
    }
  }
  while (!slicer.full) {
    slicer.silence();
    await rest();
  }
}

async function decoded(options: LoadOptions, source: AudioSource, what: DeckLoading["what"]): Promise<Decoded> {
  const { context, fetchBytes, fetch, signal, progress } = options;
  progress({ what, phase: "fetch", fraction: null });
  const bytes = await fetchAudio(source, fetchBytes, fetch, signal, (received, total) => {
    progress({ what, phase: "fetch", fraction: total ? received / total : null });
  });
  progress({ what, phase: "decode", fraction: null });
  const made = await context;
  signal.throwIfAborted();
  try {
    return await decodePieces(bytes, made);
  } catch {
    signal.throwIfAborted();
    throw new AudioFailure(
      `This browser cannot decode ${describeMime(source.mime)}.`,
      "Separate the song to play it from its stems, or add it as FLAC, WAV, MP3 or Ogg.",
    );
  }
}

/** Does something with each, `most` at a time; the first failure ends all. */
async function eachOf<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}

function add(sum: Samples, place: number, part: Samples, from: number, count: number): void {
  for (let i = 0; i < count; i += 1) {
    sum.left[place + i] = (sum.left[place + i] as number) + (part.left[from + i] as number);
    sum.right[place + i] = (sum.right[place + i] as number) + (part.right[from + i] as number);
  }
}
