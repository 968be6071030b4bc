/** Playlists without a kernel, for tests. */

import type { Methods, PlaylistEntry, PlaylistFilter, PlaylistRow, SongRow, TrackRow } from "../types";
import type { FakeHandlers } from "./fake";
import { trackRow } from "./rows";

export function playlistRow(id: string, changes: Partial<PlaylistRow> = {}): PlaylistRow {
  return {
    id, name: `Playlist ${id}`, kind: "own", count: 0, here: 0, duration: 0, service: null, url: null, owner: "", description: "",
    filter: null, sentence: "", changed_at: "2026-01-01T00:00:00Z", ...changes,
  };
}

export function songRow(id: string, changes: Partial<SongRow> = {}): SongRow {
  return {
    id, title: `Song ${id}`, artist: "Somebody else", album: "", duration: 200, url: null, state: "absent", progress: 0, error: null, ...changes,
  };
}

/** Entries that are tracks: their ids are `e` and a number, those of the tracks `t` and the number. */
export function tracksOf(count: number, make: (i: number) => TrackRow = (i) => trackRow(`t${i}`)): PlaylistEntry[] {
  return Array.from({ length: count }, (_, i) => ({ id: `e${i}`, position: i, track: make(i), song: null }));
}

interface Kept {
  row: PlaylistRow;
  entries: PlaylistEntry[];
  removed: boolean;
  /** Entries that were taken out, with their places. */
  out: Map<string, [number, PlaylistEntry]>;
}

/** Answers as the kernel does, as far as the page can tell. */
export class FakePlaylists {
  readonly kept: Kept[] = [];
  #made = 0;

  add(row: PlaylistRow, entries: PlaylistEntry[] = []): this {
    this.kept.push({ row, entries, removed: false, out: new Map() });
    return this;
  }

  ids(id: string): string[] {
    return this.#of(id).entries.map((entry) => entry.id);
  }

  row(id: string): PlaylistRow {
    const { row, entries } = this.#of(id);
    const here = entries.flatMap(({ track }) => track ?? []);
    return { ...row, count: entries.length, here: here.length, duration: here.reduce((sum, track) => sum + (track.duration ?? 0), 0) };
  }

  #of(id: string): Kept {
    const found = this.kept.find(({ row }) => row.id === id);
    if (!found) throw new Error("There is no such playlist.");
    return found;
  }

  #new(name: string, filter: PlaylistFilter | null, tracks: string[]): PlaylistRow {
    const id = `new${(this.#made += 1)}`;
    const entries = tracks.map((track, i) => ({ id: `${id}-${i}`, position: i, track: trackRow(track), song: null }));
    this.add(playlistRow(id, { name, filter, kind: filter ? "smart" : "own" }), entries);
    return this.row(id);
  }

  get handlers(): FakeHandlers {
    return {
      "playlists.list": () => ({ playlists: this.kept.filter(({ removed }) => !removed).map(({ row }) => this.row(row.id)) }),
      "playlists.page": ({ id, offset, limit }) => {
        const { entries } = this.#of(id);
        return { playlist: this.row(id), total: entries.length, entries: entries.slice(offset, offset + limit).map((entry, i) => ({ ...entry, position: offset + i })) };
      },
      "playlists.ids": ({ id, offset, limit }) => {
        const some = this.#of(id).entries.slice(offset, offset + limit);
        return { ids: some.map((entry) => entry.id), tracks: some.map(({ track }) => track?.id ?? null) };
      },
      "playlists.create": ({ name, filter = null, tracks = [] }) => ({ playlist: this.#new(name, filter, tracks) }),
      "playlists.rename": ({ id, name }) => {
        this.#of(id).row.name = name;
        return { playlist: this.row(id) };
      },
      "playlists.filter": ({ id, filter }) => {
        this.#of(id).row.filter = filter;
        return { playlist: this.row(id) };
      },
      "playlists.remove": ({ id }) => {
        this.#of(id).removed = true;
        return {};
      },
      "playlists.restore": ({ id }) => {
        this.#of(id).removed = false;
        return { playlist: this.row(id) };
      },
      "playlists.add": ({ id, tracks, at }) => {
        const { entries } = this.#of(id);
        const fresh = tracks.map((track, i) => ({ id: `${id}+${entries.length + i}`, position: 0, track: trackRow(track), song: null }));
        entries.splice(at ?? entries.length, 0, ...fresh);
        return { entries: fresh.map((entry) => entry.id) };
      },
      "playlists.take_out": ({ id, entries: ids }) => {
        const kept = this.#of(id);
        kept.entries.forEach((entry, place) => { if (ids.includes(entry.id)) kept.out.set(entry.id, [place, entry]); });
        kept.entries = kept.entries.filter((entry) => !ids.includes(entry.id));
        return {};
      },
      "playlists.put_back": ({ id, entries: ids }) => {
        const kept = this.#of(id);
        for (const each of ids) {
          const [place, entry] = kept.out.get(each) as [number, PlaylistEntry];
          kept.entries.splice(place, 0, entry);
        }
        return {};
      },
      "playlists.move": ({ id, entries: ids, to }) => {
        const kept = this.#of(id);
        const before = this.ids(id);
        const moved = kept.entries.filter((entry) => ids.includes(entry.id));
        kept.entries = kept.entries.filter((entry) => !ids.includes(entry.id));
        kept.entries.splice(to, 0, ...moved);
        return { before };
      },
      "playlists.order": ({ id, entries: ids }: Methods["playlists.order"]["params"]) => {
        const kept = this.#of(id);
        const before = this.ids(id);
        kept.entries.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
        return { before };
      },
    };
  }
}
