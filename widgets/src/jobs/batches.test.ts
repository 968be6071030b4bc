import { describe, expect, it } from "vitest";
import { jobRow } from "../testing/rows";
import type { JobRow } from "../types";
import { batchesOf, batchText } from "./batches";

function feed(rows: JobRow[], paused: { batch: string; waiting: number }[] = [], more = false) {
  return { jobs: rows.map((row) => ({ ...row, at: 0 })), paused, hasMore: () => more };
}
const jobs = (batch: string, count: number, running = 0) => Array.from({ length: count }, (_, i) =>
  jobRow(`${batch}${i}`, { batch, track_id: `t${i}`, status: i < running ? "processing" : "queued" }));

describe("what was asked for together", () => {
  it("is a line where several songs are under way", () => {
    const [one, ...others] = batchesOf(feed([...jobs("a", 5, 1), ...jobs("b", 1)]));
    expect(others).toEqual([]);
    expect(one).toMatchObject({ id: "a", songs: 5, running: 1, waiting: 4, paused: false });
    expect(batchText(one as never)).toBe("1 under way, 4 jobs wait");
  });

  it("is none any more when nothing of it waits", () => {
    expect(batchesOf(feed(jobs("a", 2, 2)))).toEqual([]);
  });

  it("tells when it is paused, that work at hand is finished first, also of jobs that are not at hand", () => {
    const [one] = batchesOf(feed(jobs("a", 2, 1), [{ batch: "a", waiting: 900 }], true));
    expect(batchText(one as never)).toBe("Paused: what is under way is finished first, 900 jobs wait");
    const [far] = batchesOf(feed([], [{ batch: "z", waiting: 1 }]));
    expect(batchText(far as never)).toBe("Paused: 1 job waits");
  });

  it("does not count what it has not seen", () => {
    const [one] = batchesOf(feed(jobs("a", 50), [], true));
    expect(batchText(one as never)).toBe("50 jobs or more wait");
  });
});
