/** An effect slot of a channel. */

export const KINDS = ["echo", "reverb", "flanger", "crush", "gate", "roll"] as const;
export type Kind = (typeof KINDS)[number];

/** Where the beat is: at the first frame of a call, and by how much it moves a frame (0 while the deck stands). */
export interface Clock {
  beat: number;
  beatsPerFrame: number;
}

export class EffectUnit {
  kind: Kind = "echo";
  on = false;
  /** 0 is the sound as it came. */
  mix = 0.5;
  /** What it does differs with the kind: see the effects. */
  amount = 0.5;
  /** Its time in beats. */
  beats = 0.5;

  constructor(_sampleRate: number) {}
  settle(): void {}
  /** In place; call it for every frame, so that tails ring out. Numbers may be in any order: nothing clicks. */
  process(_left: Float32Array, _right: Float32Array, _from: number, _to: number, _clock: Clock): void {}
}
