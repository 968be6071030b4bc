/** What the board says of a job. */

import { ago, duration, plural, timeLeft } from "../format";
import { isRunning, jobLabel } from "../parts";
import type { JobRow } from "../types";
import { dueIn, isRetrying, type Job, type JobsFeed } from "./feed";

/** Whose job it is: the song's title, the service it calls, or nobody's. */
export function jobName(job: JobRow): string {
  if (job.title !== null) return job.title;
  if (job.track_id !== null) return "A removed song";
  return job.service ?? jobLabel(job.kind);
}

/** "Separate Night": a job in full, for those who hear it. */
export function jobTitle(job: JobRow): string {
  const [what, name] = [jobLabel(job.kind), jobName(job)];
  return what === name ? what : `${what} ${name}`;
}

/** "Separate · attempt 2 of 3". */
export function jobWhat(job: JobRow): string {
  const what = jobName(job) === jobLabel(job.kind) ? queueLabel(job.queue) : jobLabel(job.kind);
  if (job.status === "queued" && job.attempt > 0) return `${what} · tried ${job.attempt} of ${job.max_attempts} times`;
  const tried = job.attempt > 1 && job.status !== "completed" && job.status !== "cancelled";
  return tried ? `${what} · attempt ${job.attempt} of ${job.max_attempts}` : what;
}

export function queueLabel(queue: string): string {
  return queue.charAt(0).toUpperCase() + queue.slice(1);
}

/** A countdown: "0:42" would be a place in a song, "42 s" is a time to wait. */
export function countdown(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** What there is to say of a job now, and what is behind it, such as the reason of a failure. */
export function jobNote(job: Job, services: JobsFeed["services"] = [], now = performance.now()): [string, string] {
  if (isRunning(job.status)) {
    const left = job.eta_s === null ? null : Math.max(0, job.eta_s - (now - job.at) / 1000);
    return [timeLeft(left) || (job.status === "downloading" ? "Downloading…" : "Working…"), ""];
  }
  if (job.status === "failed") return [job.error ?? "It stopped without a reason.", ""];
  if (job.status === "cancelled") {
    const asked = job.error === null || job.error.startsWith("Cancelled");
    return [`Cancelled ${ago(job.ended_at)}`, asked ? "" : (job.error ?? "")];
  }
  if (job.status === "completed") {
    const took = job.started_at !== null && job.ended_at !== null
      ? (Date.parse(job.ended_at) - Date.parse(job.started_at)) / 1000 : null;
    return [`${ago(job.ended_at)}${took === null ? "" : `, took ${took < 1 ? "less than 1 s" : duration(took)}`}`, ""];
  }
  return waiting(job, services, now);
}

function waiting(job: Job, services: JobsFeed["services"], now: number): [string, string] {
  const due = dueIn(job, now);
  const reason = job.attempt > 0 ? (job.error ?? "") : "";
  if (job.paused) return ["Paused until its batch is resumed", reason];
  if (isRetrying(job, now)) return [`Next try in ${countdown(due)}`, reason];
  if (due > 0) return [`Starts in ${countdown(due)}`, reason];
  if (job.blockers > 0) return [job.blockers === 1 ? "Waits for another step" : `Waits for ${job.blockers} other steps`, ""];
  const service = services.find(({ service: name }) => name === job.service);
  if (service) {
    const trial = service.trial_s - (now - service.at) / 1000;
    const when = trial > 0 ? `the next try is in ${countdown(trial)}` : "one job is trying it";
    return [`${service.service} does not answer, ${when}`, reason];
  }
  return ["Waits for its turn", reason];
}

/** "host:pid:start" as people say it. */
export function holderName(holder: string): string {
  const [host, pid] = holder.split(":");
  return pid ? `process ${pid} on ${host}` : holder;
}

/** "3 jobs under way, 42 %": what the ring in the top bar says. */
export function summary(feed: JobsFeed): { text: string; fraction: number } {
  const running = feed.jobs.filter((job) => isRunning(job.status));
  const { active, counts } = feed;
  if (active === 0) {
    return { text: counts.failed > 0 ? `${plural(counts.failed, "job")} failed` : "No jobs under way", fraction: 0 };
  }
  const fraction = running.reduce((sum, job) => sum + job.progress / 100, 0) / Math.max(1, running.length);
  return { text: `${plural(active, "job")} under way, ${Math.round(fraction * 100)} %`, fraction };
}
