/**
 * Decodes a sound piece by piece.
 *
 * A browser copies what it has decoded on the page's own thread: a whole song at once holds the page up for a tenth of a
 * second. FLAC (what stems are kept as) and WAV can be cut up beforehand, at places that lie on a sample both at their
 * own rate and at the context's, so that the pieces meet to the sample; others are decoded as one.
 */

import { AudioFailure } from "../../engine/fetch";
import type { Samples } from "./sound";

export interface Decoded {
  /** At the context's sample rate. */
  frames: number;
  /** One after the other, without gaps. */
  chunks: AsyncIterable<Samples>;
}

interface Plan {
  /** Hz. */
  rate: number;
  /** Samples of each channel. */
  total: number;
  /** Places at which it can be cut are multiples of so many samples. */
  block: number;
  /** A file of its own of the sound between two such places (`to` may be the end). */
  cut(from: number, to: number): ArrayBuffer;
}

/** Least length of a piece, in s: short enough for a page's frame, long enough to be worth it. */
const LEAST = 8;
/** So many samples of a piece still feel its edge, where the rate is changed: there the piece before it goes on. */
const EDGE = 512;

/** Decodes a whole file or its pieces; rejects with what the browser says when it cannot. */
export async function decodePieces(bytes: ArrayBuffer, context: BaseAudioContext): Promise<Decoded> {
  const plan = flacPlan(bytes) ?? wavPlan(bytes);
  const length = plan ? pieceLength(plan, context.sampleRate) : 0;
  if (!plan || plan.total < 2 * length) return whole(bytes, context);
  const first = await piece(plan, 0, length, context).catch(() => null);
  if (!first) return whole(bytes, context);
  return {
    frames: atRate(plan, plan.total, context.sampleRate),
    chunks: unbroken(bytes, plan, length, first, context),
  };
}

async function whole(bytes: ArrayBuffer, context: BaseAudioContext): Promise<Decoded> {
  const samples = samplesOf(await context.decodeAudioData(bytes));
  return {
    frames: samples.left.length,
    chunks: (async function* () { yield samples; })(),
  };
}

/** Where a piece cannot be decoded alone, the whole goes on from there. */
async function* unbroken(
  bytes: ArrayBuffer, plan: Plan, length: number, first: Samples, context: BaseAudioContext,
): AsyncGenerator<Samples> {
  let frames = 0;
  try {
    for await (const chunk of pieces(plan, length, first, context)) {
      frames += chunk.left.length;
      yield chunk;
    }
  } catch {
    const { left, right } = samplesOf(await context.decodeAudioData(bytes).catch(() => {
      throw new AudioFailure("The sound of this song breaks off: its file is damaged.", "Add the song again.");
    }));
    const rest = left.subarray(frames);
    yield { left: rest, right: right === left ? rest : right.subarray(frames) };
  }
}

async function* pieces(plan: Plan, length: number, first: Samples, context: BaseAudioContext): AsyncGenerator<Samples> {
  const place = (sample: number) => atRate(plan, sample, context.sampleRate);
  let next: Promise<Samples> | null = null;
  let before: Samples | null = null;
  for (let from = 0; from < plan.total; from += length) {
    const samples: Samples = from === 0 ? first : await (next as Promise<Samples>);
    const to = Math.min(plan.total, from + length);
    if (to < plan.total) {
      next = piece(plan, to, Math.min(plan.total, to + length), context);
      next.catch(() => {}); // whoever waits for it is told
    }
    if (before) {
      samples.left.set(before.left);
      if (samples.right !== samples.left) samples.right.set(before.right);
    }
    const frames = place(to) - place(from);
    before = { left: samples.left.slice(frames, frames + EDGE), right: samples.right.slice(frames, frames + EDGE) };
    yield {
      left: samples.left.subarray(0, frames),
      right: samples.right === samples.left ? samples.left.subarray(0, frames) : samples.right.subarray(0, frames),
    };
  }
}

/** The sound between two places, and a little more of what follows. */
async function piece(plan: Plan, from: number, to: number, context: BaseAudioContext): Promise<Samples> {
  const more = Math.ceil((2 * EDGE * Math.max(1, plan.rate / context.sampleRate)) / plan.block) * plan.block;
  const samples = samplesOf(await context.decodeAudioData(plan.cut(from, Math.min(plan.total, to + more))));
  const wanted = atRate(plan, to, context.sampleRate) - atRate(plan, from, context.sampleRate);
  if (samples.left.length < wanted - EDGE) throw new RangeError("A piece of the sound is not whole.");
  return samples;
}

function samplesOf(buffer: AudioBuffer): Samples {
  const left = buffer.getChannelData(0);
  return { left, right: buffer.numberOfChannels > 1 ? buffer.getChannelData(1) : left };
}

function atRate({ rate }: Plan, sample: number, sampleRate: number): number {
  return Math.floor((sample * sampleRate) / rate);
}

/** Samples of a piece: a multiple of blocks that is a whole number of samples at the other rate, too. */
function pieceLength({ rate, block }: Plan, sampleRate: number): number {
  const ratio = rate / divisor(rate, sampleRate);
  const unit = block * (ratio / divisor(block, ratio));
  return Math.ceil((LEAST * rate) / unit) * unit;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

// WAV

function wavPlan(bytes: ArrayBuffer): Plan | null {
  const view = new DataView(bytes);
  if (view.byteLength < 44 || text(view, 0) !== "RIFF" || text(view, 8) !== "WAVE") return null;
  let format: Uint8Array | null = null;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at + 4, true);
    if (text(view, at) === "fmt ") format = new Uint8Array(bytes, at, 8 + size);
    if (text(view, at) === "data" && format) {
      const header = new DataView(format.buffer, format.byteOffset);
      const [rate, frame] = [header.getUint32(12, true), header.getUint16(20, true)];
      const start = at + 8;
      const total = Math.floor(Math.min(size, view.byteLength - start) / frame);
      const described = format;
      return { rate, total, block: 1, cut: (from, to) => wavFile(described, new Uint8Array(bytes, start + from * frame, (to - from) * frame)) };
    }
    at += 8 + size + (size % 2);
  }
  return null;
}

function wavFile(format: Uint8Array, data: Uint8Array): ArrayBuffer {
  const head = 12 + format.length + 8;
  const file = new Uint8Array(head + data.length);
  const view = new DataView(file.buffer);
  put(file, 0, "RIFF");
  view.setUint32(4, file.length - 8, true);
  put(file, 8, "WAVE");
  file.set(format, 12);
  put(file, head - 8, "data");
  view.setUint32(head - 4, data.length, true);
  file.set(data, head);
  return file.buffer;
}

function text(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

function put(file: Uint8Array, at: number, word: string): void {
  for (let i = 0; i < word.length; i += 1) file[at + i] = word.charCodeAt(i);
}

// FLAC

/** "fLaC", the head of its first block of metadata, and that block: what is known of the stream. */
const FLAC_HEAD = 42;
/** A frame is looked for one by one in so many bytes. */
const NEAR = 1 << 16;
/** The longest head of a frame, in bytes. */
const FRAME_HEAD = 16;

function flacPlan(bytes: ArrayBuffer): Plan | null {
  const file = new Uint8Array(bytes);
  const view = new DataView(bytes);
  if (file.length < FLAC_HEAD || text(view, 0) !== "fLaC" || (view.getUint8(4) & 0x7f) !== 0) return null;
  const block = view.getUint16(8);
  const rate = view.getUint32(18) >>> 12;
  const total = (view.getUint8(21) & 0x0f) * 2 ** 32 + view.getUint32(22);
  // Blocks of changing lengths are numbered in another way.
  if (block !== view.getUint16(10) || block === 0 || rate === 0 || total === 0) return null;
  const audio = audioStart(view);
  const start = audio === null ? null : headAt(file, audio);
  if (audio === null || start === null || start.number !== 0) return null;
  return {
    rate, total, block,
    cut(from, to) {
      const begin = from === 0 ? audio : offsetOf(file, audio, from / block, total / block);
      const end = to >= total ? file.length : offsetOf(file, audio, to / block, total / block);
      const cut = new Uint8Array(FLAC_HEAD + end - begin);
      cut.set(file.subarray(0, FLAC_HEAD));
      cut[4] = 0x80; // no other block of metadata follows
      const head = new DataView(cut.buffer);
      const samples = Math.min(to, total) - from;
      head.setUint8(21, (head.getUint8(21) & 0xf0) | Math.floor(samples / 2 ** 32));
      head.setUint32(22, samples >>> 0);
      cut.fill(0, 26, FLAC_HEAD); // the checksum of the whole
      cut.set(file.subarray(begin, end), FLAC_HEAD);
      return cut.buffer;
    },
  };
}

/** Where the frames begin. */
function audioStart(view: DataView): number | null {
  for (let at = 4; at + 4 <= view.byteLength;) {
    const head = view.getUint32(at);
    at += 4 + (head & 0xffffff);
    if (head >>> 31) return at;
  }
  return null;
}

/** Where frame `number` begins; a RangeError when it is not found. */
function offsetOf(file: Uint8Array, audio: number, number: number, frames: number): number {
  let low = audio; // no later than it
  let high = file.length; // later than it
  while (high - low > NEAR) {
    const middle = (low + high) >>> 1;
    const found = nextHead(file, middle, high, frames);
    if (found && found.number <= number) low = found.at;
    else high = middle;
  }
  for (let found = nextHead(file, low, file.length, frames); found; found = nextHead(file, found.at + 1, file.length, frames)) {
    if (found.number === number) return found.at;
    if (found.number > number) break;
  }
  throw new RangeError("A frame of the FLAC file is not where it should be.");
}

/** The first frame that begins between two places; of a file of so many. */
function nextHead(file: Uint8Array, from: number, to: number, frames: number): { at: number; number: number } | null {
  for (let at = file.indexOf(0xff, from); at >= 0 && at < to; at = file.indexOf(0xff, at + 1)) {
    if (file[at + 1] !== 0xf8) continue;
    const head = headAt(file, at);
    if (head && head.number < frames) return { at, number: head.number };
  }
  return null;
}

/** The head of a frame at a place: its number, where its checksum is right; null where no frame begins. */
function headAt(file: Uint8Array, at: number): { number: number } | null {
  if (file[at] !== 0xff || file[at + 1] !== 0xf8 || at + FRAME_HEAD > file.length) return null;
  const sizes = file[at + 2] as number;
  const [blockCode, rateCode] = [sizes >> 4, sizes & 15];
  if (blockCode === 0 || rateCode === 15 || ((file[at + 3] as number) & 1) === 1) return null;
  let next = at + 4;
  let number = file[next++] as number;
  if (number >= 0x80) {
    const more = Math.clz32(~(number << 24)) - 1; // bytes that follow, as in UTF-8
    if (more < 1 || more > 5) return null;
    number &= 0x3f >> more;
    for (let i = 0; i < more; i += 1) {
      const byte = file[next++] as number;
      if (byte >> 6 !== 2) return null;
      number = number * 64 + (byte & 0x3f);
    }
  }
  next += (blockCode === 6 ? 1 : blockCode === 7 ? 2 : 0) + (rateCode === 12 ? 1 : rateCode > 12 ? 2 : 0);
  return checksum(file, at, next) === file[next] ? { number } : null;
}

/** CRC-8 with the polynomial of FLAC's heads. */
function checksum(file: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) {
    sum ^= file[at] as number;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x80 ? ((sum << 1) ^ 0x07) & 0xff : (sum << 1) & 0xff;
  }
  return sum;
}
