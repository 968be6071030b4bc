/** What the panels share: times as people write them, and the progress of a job. */

import { h, setText } from "../dom";
import { isActive, progressBar, setProgress } from "../parts";
import type { JobRow } from "../types";
import type { Session } from "./index";

/** Seconds of "1:02:03.4", "2:03.4" or "123.4"; null for what is no time. */
export function secondsOf(text: string): number | null {
  const match = /^\s*(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d*)?)\s*$/.exec(text);
  if (!match) return null;
  const [, hours = "0", minutes, seconds = "0"] = match;
  const rest = Number(seconds.replace(",", "."));
  if ((minutes !== undefined && rest >= 60) || (match[1] !== undefined && Number(minutes) >= 60)) return null;
  return Number(hours) * 3600 + Number(minutes ?? 0) * 60 + rest;
}

/** "2:03.45": with as many digits as say it to the millisecond. */
export function timeText(seconds: number): string {
  const thousandths = Math.round(Math.max(0, seconds) * 1000);
  const minutes = Math.floor(thousandths / 60_000);
  const rest = ((thousandths % 60_000) / 1000).toFixed(3).padStart(6, "0").replace(/0{1,2}$/, "");
  return `${minutes}:${rest}`;
}

/** A request that waits for a kernel with a long cell to run. */
export const PATIENT = { timeoutMs: 300_000 };

/**
 * Shows how a job of a render comes on, from what the kernel tells of its jobs, until it has ended; then `ended` is told
 * whether there is a song.
 */
export function jobProgress(host: HTMLElement, { bridge, signal }: Session, job: string, name: string, ended: (done: boolean, error: string | null) => void): void {
  const end = new AbortController();
  const bar = progressBar(`Rendering “${name}”`);
  const words = h("span", { class: "sfa-ss-jobwords" }, "Waits");
  const cancel = h("button", { type: "button", class: "sfa-button is-quiet" }, "Cancel");
  const line = h("div", { class: "sfa-ss-job", role: "status" }, h("span", { dir: "auto" }, `“${name}”`), bar, words, cancel);
  host.append(line);
  cancel.addEventListener("click", () => {
    bridge.request("jobs.cancel", { ids: [job] }).catch(() => undefined);
  });
  const take = (row: JobRow) => {
    if (end.signal.aborted) return;
    setProgress(bar, row.progress);
    setText(words, row.status === "queued" ? "Waits" : `${Math.round(row.progress)} %`);
    if (isActive(row.status)) return;
    end.abort();
    line.remove();
    if (!signal.aborted) ended(row.status === "completed", row.status === "cancelled" ? null : row.error);
  };
  const look = () => void bridge.request("jobs.show", { id: job }).then(({ result }) => take(result.job)).catch(() => undefined);
  const stops = [
    bridge.on("jobs.rows", ({ jobs }) => {
      const row = jobs.find(({ id }) => id === job);
      if (row) take(row);
    }),
    bridge.on("jobs.changed", look),
  ];
  AbortSignal.any([signal, end.signal]).addEventListener("abort", () => {
    end.abort();
    line.remove();
    for (const stop of stops) stop();
  }, { once: true });
  look();
}
