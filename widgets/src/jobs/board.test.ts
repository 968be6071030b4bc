import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { jobRow } from "../testing/rows";
import type { JobCounts, JobRow } from "../types";
import { Layer } from "../ui/layer";
import { mountJobs, summary } from "./board";
import { JobsFeed } from "./feed";
import { mountProgress } from "./progress";

function counts(jobs: JobRow[]): JobCounts {
  const count: JobCounts = { queued: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const job of jobs) count[job.status] += 1;
  return count;
}

const JOBS = [
  jobRow("done", { status: "completed", progress: 100, started_at: "2026-01-01T00:00:00Z", ended_at: "2026-01-01T00:01:05Z" }),
  jobRow("run", { status: "processing", progress: 42, attempt: 2, started_at: "2026-01-02T00:00:00Z", eta_s: 60 }),
  jobRow("wait", { kind: "analyze" }),
  jobRow("bad", { status: "failed", error: "The disk is full.", ended_at: "2026-01-02T00:00:00Z" }),
];

describe("the jobs board", () => {
  let end: AbortController;
  let el: HTMLElement;
  let bridge: FakeBridge;
  let feed: JobsFeed;

  beforeEach(() => {
    end = new AbortController();
    el = document.createElement("div");
    document.body.append(el);
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  async function open(jobs: JobRow[], handlers: FakeHandlers = {}): Promise<void> {
    bridge = new FakeBridge({ "jobs.list": () => ({ jobs, counts: counts(jobs) }), ...handlers });
    feed = new JobsFeed(bridge, end.signal);
    mountJobs(el, bridge, { signal: end.signal, layer: new Layer(end.signal), feed });
    await vi.waitFor(() => expect(feed.loaded).toBe(true));
  }
  const groups = () => [...el.querySelectorAll<HTMLElement>("section[data-group]")]
    .filter((section) => !section.hidden).map((section) => section.dataset.group);
  const row = (status: string) => el.querySelector<HTMLElement>(`.sfa-job[data-status=${status}]`) as HTMLElement;
  const push = (jobs: JobRow[]) => bridge.push("jobs.rows", { jobs, counts: counts(jobs) });

  it("puts failures on top, with the reason and the button that helps", async () => {
    await open(JOBS, { "jobs.retry": () => ({}) });
    expect(groups()).toEqual(["failed", "running", "waiting", "done"]);
    expect(row("failed").textContent).toContain("The disk is full.");
    row("failed").querySelector("button")?.click();
    expect(bridge.params("jobs.retry")).toEqual([{ ids: ["bad"] }]);
  });

  it("tells how far, how long still, and which attempt", async () => {
    await open(JOBS);
    expect(row("processing").textContent).toContain("42 %");
    expect(row("processing").textContent).toContain("about 60 s left");
    expect(row("processing").textContent).toContain("attempt 2 of 3");
    expect(row("completed").textContent).toContain("took 1:05");
  });

  it("moves by itself and keeps its elements", async () => {
    await open([jobRow("run", { status: "processing", progress: 42 })]);
    const before = row("processing");
    push([jobRow("run", { status: "processing", progress: 80 })]);
    expect(row("processing")).toBe(before);
    expect(before.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")).toBe("80");
    push([jobRow("run", { status: "completed", progress: 100 })]);
    expect(groups()).toEqual(["done"]);
  });

  it("cancels one and all", async () => {
    await open([jobRow("a"), jobRow("b")], { "jobs.cancel": () => ({}) });
    row("queued").querySelector("button")?.click();
    el.querySelector<HTMLElement>("[data-group=waiting] > header button")?.click();
    expect(bridge.params("jobs.cancel")).toEqual([{ ids: ["a"] }, { ids: ["a", "b"] }]);
  });

  it("says that nothing has run yet", async () => {
    await open([]);
    expect(el.querySelector(".sfa-state")?.textContent).toContain("Nothing has run yet.");
  });

  it("says why it cannot load", async () => {
    bridge = new FakeBridge();
    feed = new JobsFeed(bridge, end.signal);
    mountJobs(el, bridge, { signal: end.signal, layer: new Layer(end.signal), feed });
    await vi.waitFor(() => expect(el.querySelector(".sfa-state")?.textContent).toContain("does not answer jobs.list"));
  });

  it("sums up what runs", async () => {
    await open(JOBS);
    expect(summary(feed)).toEqual({ text: "2 jobs under way, 42 %", fraction: 0.42 });
  });

  it("shows the pipeline as one line a track, its stages in their order", async () => {
    const stages = [
      jobRow("c", { kind: "autocue" }),
      jobRow("a", { kind: "separate", status: "completed", progress: 100 }),
      jobRow("b", { kind: "analyze", status: "processing", progress: 30, eta_s: 20 }),
    ];
    bridge = new FakeBridge({ "jobs.list": () => ({ jobs: stages, counts: counts(stages) }) });
    feed = new JobsFeed(bridge, end.signal, "active");
    mountProgress(el, { signal: end.signal, feed });
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-pipeline > li")).toHaveLength(1));
    const texts = [...el.querySelectorAll(".sfa-pipeline-stage")].map((stage) => stage.textContent);
    expect(texts).toEqual(["Separate ✓", "Analyse 30 %", "Set cues"]);
    expect(el.textContent).toContain("0 of 1 track ready");
    push(stages.map((job) => ({ ...job, status: "completed" as const, progress: 100 })));
    expect(el.textContent).toContain("1 of 1 track ready");
    expect(bridge.params("jobs.list")).toEqual([{ status: "active", limit: 200 }]);
  });
});
