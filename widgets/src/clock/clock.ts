/** One animation loop for the page: every moving picture is drawn from it, and it rests when nothing moves. */

/** Draws one frame; returns true while it has more to animate of its own. */
export type Frame = (now: number) => boolean | void;

export interface FrameSource {
  request(callback: (now: number) => void): number;
  cancel(handle: number): void;
}

const browserFrames: FrameSource = {
  request: (callback) => requestAnimationFrame(callback),
  cancel: (handle) => cancelAnimationFrame(handle),
};

export class Clock {
  readonly #frames: FrameSource;
  readonly #subscribers = new Set<Frame>();
  #handle: number | null = null;
  #running = false;

  constructor(frames: FrameSource = browserFrames) {
    this.#frames = frames;
  }

  /** True while a frame is due. */
  get active(): boolean {
    return this.#handle !== null;
  }

  /** While running, frames follow each other; else only `wake` brings one. */
  set running(on: boolean) {
    this.#running = on;
    if (on) this.wake();
  }

  /** Calls `frame` on every beat of the loop until `signal` aborts. */
  subscribe(frame: Frame, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#subscribers.add(frame);
    signal.addEventListener("abort", () => {
      this.#subscribers.delete(frame);
      if (this.#subscribers.size === 0) this.#rest();
    }, { once: true });
    this.wake();
  }

  /** Asks for one frame. */
  wake(): void {
    if (this.#handle !== null || this.#subscribers.size === 0) return;
    this.#handle = this.#frames.request(this.#tick);
  }

  readonly #tick = (now: number): void => {
    this.#handle = null;
    let more = this.#running;
    for (const frame of [...this.#subscribers]) {
      try {
        if (frame(now) === true) more = true;
      } catch (error) {
        // One broken picture must not stop the others, nor break again sixty times a second.
        this.#subscribers.delete(frame);
        console.error(error);
      }
    }
    if (more) this.wake();
  };

  #rest(): void {
    if (this.#handle !== null) this.#frames.cancel(this.#handle);
    this.#handle = null;
  }
}

/** The audio clock's error against the page's clock beyond which it is followed at once, in seconds. */
const JUMP = 0.05;
const FOLLOW = 0.08;

/**
 * An audio clock without its steps.
 *
 * `AudioContext.currentTime` advances by whole hardware buffers, so a playhead that is drawn
 * straight from it stutters. This runs on the page's clock and follows the audio clock's drift.
 */
export class SmoothTime {
  #offset: number | null = null;
  #last = Number.NEGATIVE_INFINITY;

  /** The audio time in seconds at page time `now` (s), given what the context says at that moment. */
  read(contextTime: number, now: number): number {
    const offset = contextTime - now;
    if (this.#offset === null || Math.abs(offset - this.#offset) > JUMP) {
      this.#offset = offset;
      this.#last = Number.NEGATIVE_INFINITY;
    } else {
      this.#offset += (offset - this.#offset) * FOLLOW;
    }
    this.#last = Math.max(this.#last, now + this.#offset);
    return this.#last;
  }

  reset(): void {
    this.#offset = null;
  }
}
