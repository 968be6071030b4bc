/** Rows for tests. */

import type { JobRow, TrackRow } from "../types";

export function trackRow(id: string, changes: Partial<TrackRow> = {}): TrackRow {
  return {
    id, title: `Track ${id}`, artist: "Somebody", album: null, duration: 187, bpm: 128, key: "A minor", camelot: "8A",
    energy: 7, lufs: -9.2, stems: ["vocals", "drums", "bass", "other"], status: "ready", progress: 0, stage: null,
    error: null, art: false, added_at: "2026-01-01T00:00:00Z", ...changes,
  };
}

export function jobRow(id: string, changes: Partial<JobRow> = {}): JobRow {
  return {
    id, kind: "separate", queue: "separation", track_id: "t1", title: "Night", status: "queued", progress: 0, attempt: 1,
    max_attempts: 3, error: null, created_at: "2026-01-01T00:00:00Z", started_at: null, ended_at: null, eta_s: null,
    ...changes,
  };
}

/** A library of `count` tracks that answers pages and ids. */
export function library(count: number, make: (i: number) => TrackRow = (i) => trackRow(`t${i}`)) {
  const range = ({ offset, limit }: { offset: number; limit: number }) =>
    Array.from({ length: Math.max(0, Math.min(limit, count - offset)) }, (_, i) => make(offset + i));
  return {
    "tracks.page": (params: { offset: number; limit: number }) => ({ total: count, rows: range(params) }),
    "tracks.ids": (params: { offset: number; limit: number }) => ({ ids: range(params).map((row) => row.id) }),
  };
}
