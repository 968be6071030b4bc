/** A long waveform in cached strips, painted once for a scale and stretched while the scale still moves. */

/** Width of a strip in device pixels. */
export const TILE = 256;
/** A scale that has not moved for so long is painted anew, in ms. */
const SETTLED = 120;
/** Strips stretched by less than this look as they should. */
const ALIKE = 0.004;
/** A strip stretched further than this is worth no waiting. */
const FAR = 2.5;
const SPARE = 24;

/** What a frame may still spend on painting strips, in ms of `performance.now()`. */
export interface Budget {
  until: number;
}

/** The window on the song, in device pixels. */
export interface TileWindow {
  /** Seconds at the left edge; seconds in one device pixel. */
  start: number;
  perDevice: number;
  /** Device pixels. */
  width: number;
  tall: number;
  duration: number;
}

interface Sheet {
  perDevice: number;
  tiles: Map<number, HTMLCanvasElement>;
}

export type PaintTile = (pen: CanvasRenderingContext2D, start: number, perDevice: number) => void;

export class Tiles {
  readonly #paint: PaintTile;
  readonly #spare: HTMLCanvasElement[] = [];
  #sheet: Sheet = { perDevice: 0, tiles: new Map() };
  #next: Sheet | null = null;
  /** Strips of the sheet that no longer look as they should. */
  readonly #stale = new Set<number>();
  #tall = 0;
  #wanted = 0;
  #since = 0;

  constructor(paint: PaintTile) {
    this.#paint = paint;
  }

  /** What was painted no longer holds. */
  forget(): void {
    this.#drop(this.#sheet);
    if (this.#next) this.#drop(this.#next);
    this.#next = null;
    this.#sheet.perDevice = 0;
  }

  /** What was painted is shown until it is painted again. */
  renew(): void {
    for (const index of this.#sheet.tiles.keys()) this.#stale.add(index);
    if (this.#next) this.#drop(this.#next);
  }

  /**
   * Calls `put` for each strip in the window with where it goes, in device pixels from the left edge.
   *
   * True while there is more to paint.
   */
  draw(window: TileWindow, budget: Budget, now: number, put: (tile: HTMLCanvasElement, x: number, width: number) => void): boolean {
    const { perDevice, tall } = window;
    if (tall !== this.#tall) {
      this.forget();
      this.#spare.length = 0;
      this.#tall = tall;
    }
    if (perDevice !== this.#wanted) {
      this.#wanted = perDevice;
      this.#since = now;
    }
    let more = false;
    const stretch = this.#sheet.perDevice / perDevice;
    if (this.#sheet.perDevice === 0 || stretch > FAR || stretch < 1 / FAR) {
      this.forget();
      this.#sheet.perDevice = perDevice;
    } else if (Math.abs(stretch - 1) > ALIKE) {
      more = true;
      if (now - this.#since >= SETTLED) this.#renew(window, budget);
    }
    return this.#put(window, budget, put) || more;
  }

  /** Paints the window at its own scale beside what is shown, and shows it when it is complete. */
  #renew(window: TileWindow, budget: Budget): void {
    if (this.#next && this.#next.perDevice !== window.perDevice) this.#drop(this.#next);
    if (this.#next?.perDevice !== window.perDevice) this.#next = { perDevice: window.perDevice, tiles: new Map() };
    const [first, last] = reach(this.#next, window);
    for (let index = first; index <= last; index += 1) {
      if (this.#tile(this.#next, index, budget) === null) return;
    }
    this.#drop(this.#sheet);
    this.#sheet = this.#next;
    this.#next = null;
  }

  #put(window: TileWindow, budget: Budget, put: (tile: HTMLCanvasElement, x: number, width: number) => void): boolean {
    const sheet = this.#sheet;
    const [first, last] = reach(sheet, window);
    const stretch = sheet.perDevice / window.perDevice;
    const origin = Math.round(window.start / window.perDevice);
    const middle = (first + last) / 2;
    let missing = false;
    // From the playhead outwards: what is heard now is painted first.
    for (let step = 0; step <= last - first; step += 1) {
      const index = Math.floor(middle) + (step % 2 === 0 ? -step / 2 : (step + 1) / 2);
      if (index < first || index > last) continue;
      const tile = this.#tile(sheet, index, budget);
      if (tile === null) {
        missing = true;
        continue;
      }
      // Whole device pixels: strips meet without a seam, and columns stay sharp while they move.
      const x = Math.round(index * TILE * stretch) - origin;
      put(tile, x, Math.round((index + 1) * TILE * stretch) - origin - x);
      if (this.#stale.has(index)) missing = true;
    }
    // The next strip is made ahead, in a frame that has time left for it.
    if (!missing && (last + 1) * TILE * sheet.perDevice < window.duration) this.#tile(sheet, last + 1, budget);
    for (const [index, tile] of sheet.tiles) {
      if (index >= first - 2 && index <= last + 2) continue;
      sheet.tiles.delete(index);
      this.#stale.delete(index);
      if (this.#spare.length < SPARE) this.#spare.push(tile);
    }
    return missing;
  }

  /** The strip of an index, painted when there is time for it. */
  #tile(sheet: Sheet, index: number, budget: Budget): HTMLCanvasElement | null {
    const made = sheet.tiles.get(index);
    const stale = sheet === this.#sheet && this.#stale.has(index);
    if (made && !stale) return made;
    if (performance.now() > budget.until) return made ?? null;
    const tile = made ?? this.#spare.pop() ?? document.createElement("canvas");
    if (tile.width !== TILE || tile.height !== this.#tall) {
      tile.width = TILE;
      tile.height = this.#tall;
    }
    const pen = tile.getContext("2d");
    if (!pen) return null;
    this.#paint(pen, index * TILE * sheet.perDevice, sheet.perDevice);
    sheet.tiles.set(index, tile);
    if (stale) this.#stale.delete(index);
    return tile;
  }

  #drop(sheet: Sheet): void {
    if (sheet === this.#sheet) this.#stale.clear();
    for (const tile of sheet.tiles.values()) {
      if (this.#spare.length < SPARE) this.#spare.push(tile);
    }
    sheet.tiles.clear();
  }
}

/** First and last strip of a sheet that the window shows of the song. */
function reach({ perDevice }: Sheet, { start, perDevice: wanted, width, duration }: TileWindow): [number, number] {
  const strip = TILE * perDevice;
  const first = Math.max(0, Math.floor(start / strip));
  const last = Math.min(Math.ceil(duration / strip) - 1, Math.floor((start + width * wanted) / strip));
  return [first, last];
}
