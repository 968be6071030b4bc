/** Rows for tests. */

import { groupOf } from "../jobs/feed";
import { isRunning } from "../parts";
import type { JobCounts, JobRow, JobsOverview, Methods, TrackRow } from "../types";

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
    max_attempts: 3, priority: 5, error: null, service: null, blockers: 0, holder: null, batch: null, paused: false,
    created_at: "2026-01-01T00:00:00Z", scheduled_at: "2026-01-01T00:00:00Z", started_at: null, ended_at: null,
    due_s: null, eta_s: null, ...changes,
  };
}

/** How it stands when these are all jobs there are. */
export function overview(jobs: JobRow[]): JobsOverview {
  const counts: JobCounts = { queued: 0, downloading: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const job of jobs) counts[job.status] += 1;
  const queues = ["download", "separation", "analysis"].map((queue) => {
    const own = jobs.filter((job) => job.queue === queue);
    const queued = own.filter(({ status }) => status === "queued");
    const retrying = queued.filter(({ attempt, due_s: due }) => attempt > 0 && due !== null).length;
    return {
      queue, limit: 2, retrying, waiting: queued.length - retrying,
      running: own.filter(({ status }) => isRunning(status)).length,
      failed: own.filter(({ status }) => status === "failed").length,
    };
  });
  return { counts, queues, services: [], paused: [] };
}

/** A kernel with these jobs, as far as lists go. */
export function jobLists(jobs: JobRow[]) {
  return {
    "jobs.list": ({ status, queue, offset, limit }: Methods["jobs.list"]["params"]) => ({
      ...overview(jobs),
      jobs: jobs
        .filter((job) => (status === "all" || groupOf(job) === status) && (queue === null || job.queue === queue))
        .slice(offset, offset + limit),
    }),
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
