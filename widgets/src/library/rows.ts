/** The rows of one query, fetched from the kernel in blocks as they come into sight. */

import { type Bridge, isAbort } from "../bridge";
import type { SortColumn, TrackRow } from "../types";

export interface Query {
  query: string;
  sort: SortColumn;
  descending: boolean;
}

export const BLOCK = 100;
/** Blocks kept in memory; 80 are 8,000 rows. */
const KEEP = 80;

interface Block {
  rows: TrackRow[];
  /** Shown, but to be fetched again. */
  stale: boolean;
}

export interface RowsEvents {
  /** Rows or the total changed. */
  changed(): void;
  failed(error: unknown): void;
}

export class Rows {
  readonly #bridge: Bridge;
  readonly #events: RowsEvents;
  readonly #blocks = new Map<number, Block>();
  readonly #pending = new Map<number, AbortController>();
  readonly #indexOf = new Map<string, number>();
  #query: Query;
  #total: number | null = null;
  #first = 0;
  #last = -1;
  /** True until the first answer to a new question. */
  #asking = true;

  constructor(bridge: Bridge, query: Query, events: RowsEvents, signal: AbortSignal) {
    this.#bridge = bridge;
    this.#query = query;
    this.#events = events;
    signal.addEventListener("abort", () => this.#abortAll(), { once: true });
  }

  get query(): Query {
    return this.#query;
  }

  /** The number of rows that match; null before the first answer. */
  get total(): number | null {
    return this.#total;
  }

  row(index: number): TrackRow | undefined {
    return this.#blocks.get(Math.floor(index / BLOCK))?.rows[index % BLOCK];
  }

  /** Where a track is, as far as its block is known. */
  indexOf(id: string): number | undefined {
    return this.#indexOf.get(id);
  }

  /** Asks something else: rows of the old question disappear once the first new ones are there. */
  ask(query: Query): void {
    this.#query = query;
    this.#abortAll();
    for (const block of this.#blocks.values()) block.stale = true;
    this.#first = 0;
    this.#last = BLOCK - 1;
    this.#asking = true;
    this.#fetch(0);
  }

  /** Says which rows are in sight (inclusive); fetches what is missing, drops requests for the rest. */
  show(first: number, last: number): void {
    this.#first = first;
    this.#last = last;
    const from = Math.floor(Math.max(0, first) / BLOCK);
    const to = Math.floor(Math.max(0, last) / BLOCK);
    for (const [block, request] of this.#pending) {
      if (block < from || block > to) {
        request.abort();
        this.#pending.delete(block);
      }
    }
    for (let block = from; block <= to; block += 1) {
      if (this.#total !== null && block * BLOCK >= this.#total) break;
      const known = this.#blocks.get(block);
      if ((!known || known.stale) && !this.#pending.has(block)) this.#fetch(block);
    }
  }

  /** Membership or order changed in the kernel: what is in sight is fetched again, quietly. */
  refresh(): void {
    this.#abortAll();
    for (const block of this.#blocks.values()) block.stale = true;
    if (this.#total === 0) this.#fetch(0); // none was in sight, and one may have come
    else this.show(this.#first, Math.max(this.#last, this.#first));
  }

  /** Takes over changed rows where they stand. Returns the indices that changed. */
  update(rows: TrackRow[]): number[] {
    const changed: number[] = [];
    for (const row of rows) {
      const index = this.#indexOf.get(row.id);
      const block = index === undefined ? undefined : this.#blocks.get(Math.floor(index / BLOCK));
      if (index === undefined || !block) continue;
      block.rows[index % BLOCK] = row;
      changed.push(index);
    }
    return changed;
  }

  /**
   * The ids of a range (inclusive), from memory where they are known. Large ranges come as ids alone.
   */
  async ids(first: number, last: number, signal: AbortSignal): Promise<string[]> {
    const known: string[] = [];
    for (let index = first; index <= last; index += 1) {
      const row = this.row(index);
      if (!row) {
        const params = { ...this.#query, offset: first, limit: last - first + 1 };
        return (await this.#bridge.request("tracks.ids", params, { signal })).result.ids;
      }
      known.push(row.id);
    }
    return known;
  }

  #abortAll(): void {
    for (const request of this.#pending.values()) request.abort();
    this.#pending.clear();
  }

  #fetch(block: number): void {
    const request = new AbortController();
    const query = this.#query;
    this.#pending.set(block, request);
    this.#bridge
      .request("tracks.page", { ...query, offset: block * BLOCK, limit: BLOCK }, { signal: request.signal })
      .then(({ result }) => {
        if (this.#pending.get(block) !== request) return; // overtaken
        this.#pending.delete(block);
        if (this.#asking) {
          this.#asking = false;
          this.#blocks.clear();
          this.#indexOf.clear();
        }
        this.#total = result.total;
        this.#keep(block, result.rows);
        this.#events.changed();
      })
      .catch((error: unknown) => {
        if (this.#pending.get(block) !== request) return; // nobody waits for it any more
        this.#pending.delete(block);
        if (!isAbort(error)) this.#events.failed(error);
      });
  }

  #keep(block: number, rows: TrackRow[]): void {
    this.#drop(block);
    this.#blocks.set(block, { rows, stale: false });
    rows.forEach((row, i) => this.#indexOf.set(row.id, block * BLOCK + i));
    // Rows past the end went away with the last change.
    for (const other of [...this.#blocks.keys()]) {
      if (this.#total !== null && other * BLOCK >= this.#total) this.#drop(other);
    }
    if (this.#blocks.size <= KEEP) return;
    const middle = (this.#first + this.#last) / 2 / BLOCK;
    const farthest = [...this.#blocks.keys()].reduce((a, b) =>
      Math.abs(a - middle) > Math.abs(b - middle) ? a : b);
    this.#drop(farthest);
  }

  #drop(block: number): void {
    this.#blocks.get(block)?.rows.forEach((row, i) => {
      if (this.#indexOf.get(row.id) === block * BLOCK + i) this.#indexOf.delete(row.id);
    });
    this.#blocks.delete(block);
  }
}
