/** The parts of a song, as they are set, summed. */

import { StemStrip } from "./dsp/strip";
import { isControl } from "./table";
import type { Role } from "./types";
import type { DeckValues } from "./values";
import type { Voice } from "./voice";

export class Stems {
  readonly #sampleRate: number;
  readonly #values: DeckValues;
  readonly #strips = new Map<Role, StemStrip>();
  /** The roles of the song; null for the mix, which is heard as it is. */
  #roles: { role: Role; strip: StemStrip | null }[] = [];

  constructor(sampleRate: number, values: DeckValues) {
    this.#sampleRate = sampleRate;
    this.#values = values;
  }

  load(roles: readonly Role[]): void {
    this.#roles = roles.map((role) => ({ role, strip: isStem(role) ? this.#strip(role) : null }));
    this.follow();
    for (const { strip } of this.#roles) strip?.settle();
  }

  /** Volumes, mutes, solos or filters were set. */
  follow(): void {
    const value = (role: Role, name: string) => this.#values.get(`stem.${role}.${name}`);
    const alone = this.#roles.some(({ role, strip }) => strip !== null && value(role, "solo") === 1);
    for (const { role, strip } of this.#roles) {
      if (strip === null) continue;
      strip.volume = value(role, "volume");
      strip.heard = value(role, "mute") === 0 && (!alone || value(role, "solo") === 1);
      strip.filter = value(role, "filter");
    }
  }

  /** Adds what a voice plays to two channels. */
  sum(voice: Voice, left: Float32Array, right: Float32Array, from: number, to: number): void {
    // What is beyond the roles of this song is the end of the one before.
    for (let index = 0; 2 * index < voice.outputs.length; index += 1) {
      const a = voice.outputs[2 * index] as Float32Array;
      const b = voice.outputs[2 * index + 1] as Float32Array;
      this.#roles[index]?.strip?.process(a, b, from, to);
      for (let frame = from; frame < to; frame += 1) {
        left[frame] = (left[frame] as number) + (a[frame] as number);
        right[frame] = (right[frame] as number) + (b[frame] as number);
      }
    }
  }

  #strip(role: Role): StemStrip {
    let strip = this.#strips.get(role);
    if (strip === undefined) {
      strip = new StemStrip(this.#sampleRate);
      this.#strips.set(role, strip);
    }
    return strip;
  }
}

function isStem(role: Role): boolean {
  return isControl(`deck.1.stem.${role}.volume`);
}
