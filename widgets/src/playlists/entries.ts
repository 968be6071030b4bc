/** The entries of one playlist, fetched in blocks as they come into sight; what a person changes is shown at once. */

import { type Bridge, isAbort } from "../bridge";
import type { PlaylistEntry, PlaylistRow, TrackRow } from "../types";

export const BLOCK = 100;

export interface EntriesEvents {
  /** Entries, their number or the playlist changed. */
  changed(): void;
  failed(error: unknown): void;
}

export class Entries {
  readonly #bridge: Bridge;
  readonly #events: EntriesEvents;
  readonly #pending = new Map<number, AbortController>();
  /** Blocks that are as the kernel last told. */
  readonly #fresh = new Set<number>();
  /** The track of each entry that was heard of; null for a song that is not here. */
  readonly #tracks = new Map<string, string | null>();
  /** By place; holes where nobody has looked yet. */
  #rows: (PlaylistEntry | undefined)[] = [];
  #places: Map<string, number> | null = null;
  #id = "";
  #playlist: PlaylistRow | null = null;
  #total: number | null = null;
  #first = 0;
  #last = -1;
  /** Changes that the kernel has not answered yet: what it tells meanwhile may be how it was before. */
  #held = 0;
  /** Counts the playlists that were opened. */
  #visit = 0;
  #line: Promise<unknown> = Promise.resolve();

  constructor(bridge: Bridge, events: EntriesEvents, signal: AbortSignal) {
    this.#bridge = bridge;
    this.#events = events;
    signal.addEventListener("abort", () => this.#abortAll(), { once: true });
  }

  get id(): string {
    return this.#id;
  }

  /** As it was told with the last entries; null before the first answer. */
  get playlist(): PlaylistRow | null {
    return this.#playlist;
  }

  /** Null before the first answer. */
  get total(): number | null {
    return this.#total;
  }

  row(index: number): PlaylistEntry | undefined {
    return this.#rows[index];
  }

  indexOf(id: string): number | undefined {
    if (!this.#places) {
      this.#places = new Map();
      for (let place = 0; place < this.#rows.length; place += 1) {
        const entry = this.#rows[place];
        if (entry) this.#places.set(entry.id, place);
      }
    }
    return this.#places.get(id);
  }

  /** The tracks of entries that were fetched or named, without those that are not here. */
  tracksOf(ids: readonly string[]): string[] {
    return ids.flatMap((id) => this.#tracks.get(id) ?? []);
  }

  /** Shows another playlist; an empty id shows none. */
  open(id: string): void {
    this.#abortAll();
    this.#id = id;
    this.#playlist = null;
    this.#total = null;
    this.#rows = [];
    this.#places = null;
    this.#fresh.clear();
    this.#tracks.clear();
    this.#first = 0;
    this.#last = BLOCK - 1;
    this.#held = 0;
    this.#visit += 1;
    if (id !== "") this.#fetch(0);
  }

  /** Says which entries are in sight (inclusive); fetches what is missing, drops requests for the rest. */
  show(first: number, last: number): void {
    this.#first = first;
    this.#last = last;
    if (this.#id === "" || this.#held > 0) return;
    const from = Math.floor(Math.max(0, first) / BLOCK);
    const to = Math.floor(Math.max(0, last) / BLOCK);
    for (const [block, request] of this.#pending) {
      if (block >= from && block <= to) continue;
      request.abort();
      this.#pending.delete(block);
    }
    for (let block = from; block <= to; block += 1) {
      if (this.#total !== null && block > 0 && block * BLOCK >= this.#total) break;
      if (!this.#fresh.has(block) && !this.#pending.has(block)) this.#fetch(block);
    }
  }

  /** Something changed in the kernel: what is in sight is fetched again, quietly. */
  refresh(): void {
    this.#fresh.clear();
    if (this.#held > 0) return; // it is done when the last change is answered
    this.#abortAll();
    this.show(this.#first, Math.max(this.#last, this.#first));
  }

  /** Takes over changed tracks wherever they stand; tells whether any does. */
  update(tracks: TrackRow[]): boolean {
    const changed = new Map(tracks.map((track) => [track.id, track]));
    let any = false;
    this.#rows.forEach((entry, place) => {
      const track = entry?.track && changed.get(entry.track.id);
      if (!entry || !track) return;
      this.#rows[place] = { ...entry, track };
      any = true;
    });
    return any;
  }

  /** The ids of a range (inclusive), from memory where they are known. */
  async ids(first: number, last: number, signal: AbortSignal): Promise<string[]> {
    const known = this.#rows.slice(first, last + 1).flatMap((entry) => entry?.id ?? []);
    if (known.length === last - first + 1) return known;
    const params = { id: this.#id, offset: first, limit: last - first + 1 };
    const { ids, tracks } = (await this.#bridge.request("playlists.ids", params, { signal })).result;
    ids.forEach((id, i) => this.#tracks.set(id, tracks[i] ?? null));
    return ids;
  }

  /** How many of these entries stand before a place; null where that has to be asked for. */
  before(place: number, ids: readonly string[]): number | null {
    const places = ids.map((id) => this.indexOf(id));
    return places.every((at) => at !== undefined) ? places.filter((at) => (at as number) < place).length : null;
  }

  async askBefore(place: number, ids: readonly string[], signal: AbortSignal): Promise<number> {
    const chosen = new Set(ids);
    return place === 0 ? 0 : (await this.ids(0, place - 1, signal)).filter((id) => chosen.has(id)).length;
  }

  /**
   * Changes the playlist: `show` what it will be at once, then ask the kernel for it. One after the other, as they were made;
   * when the last is answered, what is in sight is fetched as it really is.
   */
  change<T>(show: () => void, ask: () => Promise<T>): Promise<T> {
    const visit = this.#visit;
    this.#held += 1;
    this.#abortAll();
    show();
    this.#places = null;
    this.#events.changed();
    const done = this.#line.then(ask);
    this.#line = done.catch(() => undefined).then(() => {
      if (this.#visit !== visit) return;
      this.#held -= 1;
      if (this.#held === 0) this.refresh();
    });
    return done;
  }

  /** Shows entries at another place, together and in their order. */
  showMoved(ids: readonly string[], to: number): void {
    const chosen = new Set(ids);
    const moved: PlaylistEntry[] = [];
    const rest: (PlaylistEntry | undefined)[] = [];
    for (let place = 0; place < (this.#total ?? 0); place += 1) {
      const entry = this.#rows[place];
      if (entry && chosen.has(entry.id)) moved.push(entry);
      else rest.push(entry);
    }
    rest.splice(to, 0, ...moved);
    this.#rows = rest;
  }

  /** Shows the playlist without these entries. */
  showWithout(ids: readonly string[]): void {
    const gone = new Set(ids);
    const rest: (PlaylistEntry | undefined)[] = [];
    for (let place = 0; place < (this.#total ?? 0); place += 1) {
      const entry = this.#rows[place];
      if (!entry || !gone.has(entry.id)) rest.push(entry);
    }
    // Some of them may be among those that nobody has looked at yet.
    rest.length = (this.#total ?? 0) - gone.size;
    this.#rows = rest;
    this.#total = rest.length;
  }

  #abortAll(): void {
    for (const request of this.#pending.values()) request.abort();
    this.#pending.clear();
  }

  #fetch(block: number): void {
    const request = new AbortController();
    this.#pending.set(block, request);
    this.#bridge
      .request("playlists.page", { id: this.#id, offset: block * BLOCK, limit: BLOCK }, { signal: request.signal })
      .then(({ result }) => {
        if (this.#pending.get(block) !== request) return; // overtaken
        this.#pending.delete(block);
        this.#playlist = result.playlist;
        this.#total = result.total;
        this.#rows.length = result.total;
        this.#rows.fill(undefined, block * BLOCK, Math.min(result.total, (block + 1) * BLOCK));
        for (const entry of result.entries) {
          this.#rows[entry.position] = entry;
          this.#tracks.set(entry.id, entry.track?.id ?? null);
        }
        this.#fresh.add(block);
        this.#places = null;
        this.#events.changed();
      })
      .catch((error: unknown) => {
        if (this.#pending.get(block) !== request) return; // nobody waits for it any more
        this.#pending.delete(block);
        if (!isAbort(error)) this.#events.failed(error);
      });
  }
}
