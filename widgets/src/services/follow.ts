/** Follows a few jobs from the moment they are asked for to their end. */

import { type Bridge, isAbort } from "../bridge";
import { isActive } from "../parts";
import type { JobRow } from "../types";

/**
 * Asks for jobs, tells of each whenever it changes, and resolves with their last rows.
 *
 * It listens before it asks: a short job may end before the answer to its request arrives.
 */
export async function followJobs(
  bridge: Bridge, signal: AbortSignal, ask: () => Promise<string[]>, changed: (jobs: JobRow[]) => void = () => undefined,
): Promise<JobRow[]> {
  signal.throwIfAborted();
  const heard = new Map<string, JobRow>();
  const end = new AbortController();
  let wanted: string[] | null = null;
  let done: (rows: JobRow[]) => void;
  const ended = new Promise<JobRow[]>((resolve, reject) => {
    done = resolve;
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: end.signal });
  });
  ended.catch(() => undefined); // whoever called may have given up before the jobs were named
  const look = () => {
    const rows = wanted?.flatMap((id) => heard.get(id) ?? []);
    if (!rows || end.signal.aborted) return;
    changed(rows);
    if (rows.length === wanted?.length && rows.every(({ status }) => !isActive(status))) done(rows);
  };
  const show = (ids: string[]) => Promise.all(ids.map(async (id) => {
    const { result } = await bridge.request("jobs.show", { id }, { signal });
    heard.set(id, result.job);
  })).then(look);
  const stops = [
    bridge.on("jobs.rows", ({ jobs }) => {
      for (const job of jobs) heard.set(job.id, job);
      look();
    }),
    bridge.on("jobs.changed", () => {
      if (wanted) show(wanted).catch(() => undefined); // the next change tells as well
    }),
  ];
  try {
    wanted = await ask();
    await show(wanted.filter((id) => !heard.has(id)));
    look();
    return await ended;
  } finally {
    end.abort();
    for (const stop of stops) stop();
  }
}

/** Why a job that ended, or waits for another try, did not do its work; null when it did, or may still. */
export function failureOf(job: JobRow): string | null {
  if (job.status === "cancelled") return "It was cancelled.";
  if (job.status === "failed" || (job.status === "queued" && job.attempt > 0)) return job.error ?? "It stopped without a reason.";
  return null;
}

/** The jobs of a kind that are under way, with their arguments. */
export async function underWay(bridge: Bridge, signal: AbortSignal, kind: string): Promise<{ id: string; arguments: Record<string, unknown> }[]> {
  try {
    const lists = await Promise.all((["running", "waiting"] as const).map((status) =>
      bridge.request("jobs.list", { status, queue: null, offset: 0, limit: 200 }, { signal })));
    const jobs = lists.flatMap(({ result }) => result.jobs).filter((job) => job.kind === kind);
    const details = await Promise.all(jobs.map(({ id }) => bridge.request("jobs.show", { id }, { signal })));
    return details.map(({ result }) => ({ id: result.job.id, arguments: result.arguments }));
  } catch (error) {
    if (isAbort(error)) throw error;
    return []; // an offer too many is better than none
  }
}
