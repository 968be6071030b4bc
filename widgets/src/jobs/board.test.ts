import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { jobLists, jobRow, overview } from "../testing/rows";
import type { JobRow, LogLine, Methods } from "../types";
import { Layer } from "../ui/layer";
import { type JobsHandle, mountJobs } from "./board";
import { JobsFeed } from "./feed";
import { LOG_ROWS } from "./log";
import { mountProgress } from "./progress";
import { jobNote, summary } from "./words";

const JOBS = [
  jobRow("done", { status: "completed", progress: 100, started_at: "2026-01-01T00:00:00Z", ended_at: "2026-01-01T00:01:05Z" }),
  jobRow("run", { status: "processing", progress: 42, attempt: 2, started_at: "2026-01-02T00:00:00Z", eta_s: 60 }),
  jobRow("wait", { kind: "analyze", queue: "analysis" }),
  jobRow("bad", { status: "failed", error: "The disk is full.", ended_at: "2026-01-02T00:00:00Z" }),
];
const many = (count: number, changes: Partial<JobRow>) =>
  Array.from({ length: count }, (_, i) => jobRow(`j${i}`, { created_at: new Date(i * 1000).toISOString(), ...changes }));
const line = (text: string, changes: Partial<LogLine> = {}): LogLine =>
  ({ time: 1_750_000_000, attempt: 1, level: "info", text, ...changes });

describe("the jobs board", () => {
  let end: AbortController;
  let el: HTMLElement;
  let bridge: FakeBridge;
  let feed: JobsFeed;
  let board: JobsHandle;

  beforeEach(() => {
    end = new AbortController();
    el = document.createElement("div");
    document.body.append(el);
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  });
  afterEach(() => {
    end.abort();
    vi.useRealTimers();
    document.body.replaceChildren();
  });

  async function open(jobs: JobRow[], handlers: FakeHandlers = {}): Promise<void> {
    bridge = new FakeBridge({
      ...jobLists(jobs),
      "jobs.cancel": ({ ids }) => ({ cancelled: ids }),
      "jobs.retry": ({ ids }) => ({ queued: ids }),
      "jobs.show": ({ id }) => ({
        job: jobs.find((job) => job.id === id) as JobRow,
        arguments: { engine: "draft" }, needs: [{ id: "n", kind: "separate", status: "processing" }],
      }),
      "jobs.log": () => ({ lines: [], offset: 0, next: 0, skipped: 0 }),
      "jobs.watch": () => ({}),
      ...handlers,
    });
    feed = new JobsFeed(bridge, end.signal);
    board = mountJobs(el, bridge, { signal: end.signal, layer: new Layer(end.signal), feed });
    await vi.waitFor(() => expect(feed.loaded).toBe(true));
  }
  const groups = () => [...el.querySelectorAll<HTMLElement>("section[data-group]")]
    .filter((section) => !section.hidden).map((section) => section.dataset.group);
  const rows = () => [...el.querySelectorAll<HTMLElement>(".sfa-job")];
  const row = (status: string) => el.querySelector<HTMLElement>(`.sfa-job[data-status=${status}]`) as HTMLElement;
  const opener = (of: HTMLElement) => of.querySelector<HTMLElement>(".sfa-job-name") as HTMLElement;
  const action = (of: HTMLElement) => of.querySelector<HTMLElement>(".sfa-job-line > .sfa-button") as HTMLElement;
  const push = (jobs: JobRow[], all = jobs) => bridge.push("jobs.rows", { jobs, ...overview(all) });
  const toast = () => document.querySelector<HTMLElement>(".sfa-toast");
  const press = (key: string) => document.activeElement?.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
  );
  const choose = (filter: string) => el.querySelector<HTMLElement>(`[data-filter=${filter}]`)?.click();

  it("puts failures on top, with the reason and the button that helps", async () => {
    await open(JOBS);
    expect(groups()).toEqual(["failed", "running", "waiting", "history"]);
    expect(row("failed").textContent).toContain("The disk is full.");
    action(row("failed")).click();
    expect(bridge.params("jobs.retry")).toEqual([{ ids: ["bad"] }]);
  });

  it("tells how far, how long still, and which attempt", async () => {
    await open(JOBS);
    expect(row("running").textContent).toContain("42 %");
    expect(row("running").textContent).toContain("about 60 s left");
    expect(row("running").textContent).toContain("attempt 2 of 3");
    expect(row("completed").textContent).toContain("took 1:05");
    vi.advanceTimersByTime(31_000);
    expect(row("running").textContent).toContain("about 30 s left");
  });

  it("counts down to the next try, with the reason, and puts that on top of what waits", async () => {
    const retry = jobRow("again", { attempt: 1, due_s: 12, error: "The service was busy.", created_at: "2027-01-01T00:00:00Z" });
    await open([jobRow("first"), retry]);
    expect(rows()[0]).toBe(row("retrying"));
    expect(row("retrying").textContent).toContain("Next try in 12 s");
    expect(row("retrying").textContent).toContain("The service was busy.");
    expect(row("retrying").textContent).toContain("tried 1 of 3 times");
    vi.advanceTimersByTime(2000);
    expect(row("retrying").textContent).toMatch(/Next try in 1[01] s/);
    vi.advanceTimersByTime(11_000);
    expect(row("retrying")).toBeNull();
    expect(el.textContent).toContain("Waits for its turn");
  });

  it("says why a job waits", () => {
    const note = (changes: Partial<JobRow>, services: JobsFeed["services"] = []) =>
      jobNote({ ...jobRow("w", { attempt: 0, ...changes }), at: 0 }, services, 0)[0];
    expect(note({})).toBe("Waits for its turn");
    expect(note({ blockers: 1 })).toBe("Waits for another step");
    expect(note({ blockers: 2 })).toBe("Waits for 2 other steps");
    expect(note({ due_s: 90 })).toBe("Starts in 1 min 30 s");
    expect(note({ attempt: 2, due_s: 4000 })).toBe("Next try in 1 h 06 min");
    const services = [{ service: "hooks.example.com", failures: 5, trial_s: 20, at: 0 }];
    expect(note({ service: "hooks.example.com" }, services))
      .toBe("hooks.example.com does not answer, the next try is in 20 s");
  });

  it("shows how full each queue is, and its jobs alone when asked", async () => {
    await open(JOBS);
    const queue = (name: string) => [...el.querySelectorAll<HTMLElement>(".sfa-queue")]
      .find((cell) => cell.textContent?.startsWith(name)) as HTMLElement;
    expect(queue("Separation").getAttribute("aria-label")).toBe("Separation: 1 of 2 running, 1 failed");
    expect(queue("Download").textContent).toContain("idle");
    queue("Analysis").click();
    await vi.waitFor(() => expect(groups()).toEqual(["waiting"]));
    expect(bridge.params("jobs.list").slice(-4).map(({ status, queue: of }) => [status, of])).toEqual(
      [["failed", "analysis"], ["running", null], ["waiting", "analysis"], ["history", "analysis"]],
    );
    queue("Analysis").click();
    await vi.waitFor(() => expect(groups()).toHaveLength(4));
  });

  it("filters by what is active, failed and done", async () => {
    await open(JOBS);
    choose("active");
    expect(groups()).toEqual(["running", "waiting"]);
    choose("failed");
    expect(groups()).toEqual(["failed"]);
    choose("history");
    expect(groups()).toEqual(["history"]);
    board.show("failed");
    expect(groups()).toEqual(["failed"]);
  });

  it("moves by itself and keeps its elements, focus and details", async () => {
    await open([jobRow("run", { status: "processing", progress: 42, attempt: 1 }), jobRow("next")]);
    const before = row("running");
    opener(before).focus();
    opener(before).click();
    push([jobRow("run", { status: "processing", progress: 80, attempt: 1 })], [jobRow("run"), jobRow("next")]);
    expect(row("running")).toBe(before);
    expect(before.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")).toBe("80");
    push([jobRow("run", { status: "completed", progress: 100, attempt: 1 })], [jobRow("run"), jobRow("next")]);
    expect(groups()).toEqual(["waiting", "history"]);
    expect(row("completed")).toBe(before);
    expect(document.activeElement).toBe(opener(before));
    expect(before.querySelector(".sfa-job-detail")).not.toBeNull();
  });

  it("does not believe news that is older than what it knows", async () => {
    await open([jobRow("run", { status: "processing", progress: 60, attempt: 2 })]);
    push([jobRow("run", { status: "processing", progress: 90, attempt: 1 })]);
    expect(row("running").textContent).toContain("60 %");
    push([jobRow("run", { status: "failed", attempt: 2, error: "No." })]);
    push([jobRow("run", { status: "processing", progress: 95, attempt: 2 })]);
    expect(row("failed").textContent).toContain("No.");
  });

  it("cancels one, and all with a way back", async () => {
    await open([jobRow("a"), jobRow("b")], { "jobs.cancel_all": () => ({ cancelled: ["a", "b"] }) });
    action(row("queued")).click();
    expect(bridge.params("jobs.cancel")).toEqual([{ ids: ["a"] }]);
    [...el.querySelectorAll("button")].find((button) => button.textContent === "Cancel all")?.click();
    await vi.waitFor(() => expect(toast()?.textContent).toContain("Cancelled 2 jobs."));
    expect(bridge.params("jobs.cancel_all")).toEqual([{ queue: null }]);
    toast()?.querySelector("button")?.click();
    expect(bridge.params("jobs.retry")).toEqual([{ ids: ["a", "b"] }]);
  });

  it("tries all that failed again, also those that are not shown", async () => {
    await open(many(120, { status: "failed", error: "No." }), { "jobs.retry_failed": () => ({ queued: [] }) });
    expect(rows()).toHaveLength(50);
    el.querySelector<HTMLElement>("[data-group=failed] > header button")?.click();
    expect(bridge.params("jobs.retry_failed")).toEqual([{ queue: null }]);
  });

  it("clears the history once the person has said so", async () => {
    await open(JOBS, { "jobs.prune": () => ({ removed: 2 }) });
    el.querySelector<HTMLElement>("[data-group=history] > header button")?.click();
    const dialog = document.querySelector("dialog") as HTMLDialogElement;
    expect(dialog.textContent).toContain("The records of 2 jobs that ended go for good, among them 1 that failed.");
    expect(bridge.params("jobs.prune")).toHaveLength(0);
    [...dialog.querySelectorAll("button")].find((button) => button.textContent === "Clear")?.click();
    await vi.waitFor(() => expect(toast()?.textContent).toContain("Cleared 2 jobs."));
  });

  it("shows more of a long list when asked, and holds no more than that", async () => {
    const waiting = many(10_000, {});
    await open(waiting);
    expect(rows()).toHaveLength(50);
    const section = el.querySelector<HTMLElement>("[data-group=waiting]") as HTMLElement;
    expect(section.querySelector(".sfa-jobs-count")?.textContent).toBe("10,000");
    section.querySelector<HTMLElement>(".sfa-jobs-more")?.click();
    await vi.waitFor(() => expect(rows()).toHaveLength(100));
    expect(bridge.params("jobs.list").at(-1)).toEqual({ status: "waiting", queue: null, offset: 50, limit: 50 });
    push(waiting.slice(0, 200), waiting);
    expect(rows()).toHaveLength(100);
    expect(feed.jobs).toHaveLength(100);
  });

  it("fetches the next jobs when those it shows are used up", async () => {
    const waiting = many(60, {});
    await open(waiting);
    const done = waiting.slice(0, 40).map((job) => ({ ...job, status: "completed" as const, attempt: 1 }));
    Object.assign(bridge.handlers, jobLists([...done, ...waiting.slice(40)]));
    push(done, [...done, ...waiting.slice(40)]);
    expect(el.querySelectorAll("[data-group=waiting] .sfa-job")).toHaveLength(10);
    await vi.waitFor(() => expect(el.querySelectorAll("[data-group=waiting] .sfa-job")).toHaveLength(20), 3000);
  });

  it("asks again when more has changed than is told", async () => {
    await open([]);
    const jobs = many(300, {});
    Object.assign(bridge.handlers, jobLists(jobs));
    bridge.push("jobs.changed", overview(jobs));
    expect(el.querySelector(".sfa-count")?.textContent).toBe("300 waiting");
    await vi.waitFor(() => expect(rows()).toHaveLength(50), 3000);
  });

  it("opens to everything about a job, one at a time", async () => {
    await open(JOBS);
    opener(row("failed")).click();
    expect(opener(row("failed")).getAttribute("aria-expanded")).toBe("true");
    const detail = row("failed").querySelector(".sfa-job-detail") as HTMLElement;
    await vi.waitFor(() => expect(detail.textContent).toContain('engine = "draft"'));
    expect(detail.textContent).toContain("Separate (running)");
    expect(detail.querySelector(".sfa-job-reason")?.textContent).toBe("The disk is full.");
    opener(row("running")).click();
    expect(el.querySelectorAll(".sfa-job-detail")).toHaveLength(1);
    opener(row("running")).click();
    expect(el.querySelectorAll(".sfa-job-detail")).toHaveLength(0);
    const watched = bridge.params("jobs.watch");
    expect(watched.map(({ id }) => id)).toEqual(["bad", null, "run", null]);
    expect(new Set(watched.map(({ view }) => view)).size).toBe(1);
  });

  it("streams the log of the open job, each line once", async () => {
    await open(JOBS, { "jobs.log": () => ({ lines: [line("begun")], offset: 0, next: 50, skipped: 0 }) });
    opener(row("running")).click();
    const texts = () => [...el.querySelectorAll(".sfa-log-line > span")].map((each) => each.textContent);
    await vi.waitFor(() => expect(texts()).toEqual(["begun"]));
    bridge.push("jobs.log", { id: "other", lines: [line("elsewhere")], offset: 50, next: 90, skipped: 0 });
    bridge.push("jobs.log", { id: "run", lines: [line("more", { attempt: 2, level: "error" })], offset: 50, next: 90, skipped: 0 });
    bridge.push("jobs.log", { id: "run", lines: [line("more")], offset: 50, next: 90, skipped: 0 });
    expect(texts()).toEqual(["begun", "more"]);
    expect(el.querySelector(".sfa-log-line[data-level=error] > b")?.textContent).toBe("E");
    expect([...el.querySelectorAll(".sfa-log-attempt")].map((each) => each.textContent)).toEqual(["Attempt 1", "Attempt 2"]);
  });

  it("reads on where a piece of the log is missing", async () => {
    await open(JOBS, {
      "jobs.log": ({ offset }) => (offset === 0
        ? { lines: [line("one")], offset: 0, next: 10, skipped: 0 }
        : { lines: [line("two"), line("three")], offset: 10, next: 30, skipped: 0 }),
    });
    opener(row("running")).click();
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-log-line")).toHaveLength(1));
    bridge.push("jobs.log", { id: "run", lines: [line("three")], offset: 20, next: 30, skipped: 0 });
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-log-line")).toHaveLength(3));
    expect(bridge.params("jobs.log").map(({ offset }) => offset)).toEqual([0, 10]);
  });

  it("loses nothing of the log that is said while it reads", async () => {
    let answer = (_: Methods["jobs.log"]["result"]) => {};
    const asked = new Promise<Methods["jobs.log"]["result"]>((resolve) => { answer = resolve; });
    await open(JOBS, {
      "jobs.log": ({ offset }) => (offset === 0 ? asked : { lines: [line("two")], offset: 10, next: 20, skipped: 0 }),
    });
    opener(row("running")).click();
    bridge.push("jobs.log", { id: "run", lines: [line("two")], offset: 10, next: 20, skipped: 0 });
    answer({ lines: [line("one")], offset: 0, next: 10, skipped: 0 });
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-log-line")).toHaveLength(2));
  });

  it("keeps a long log short, and stays where the person reads", async () => {
    await open(JOBS);
    opener(row("running")).click();
    await vi.waitFor(() => expect(el.querySelector(".sfa-log-nothing")?.textContent).toBe("Nothing logged yet."));
    const list = el.querySelector<HTMLElement>(".sfa-log-lines") as HTMLElement;
    Object.defineProperties(list, {
      scrollHeight: { configurable: true, value: 1000 }, clientHeight: { configurable: true, value: 200 },
    });
    const lines = Array.from({ length: 700 }, (_, i) => line(`line ${i}`));
    bridge.push("jobs.log", { id: "run", lines, offset: 0, next: 100, skipped: 0 });
    expect(list.childElementCount).toBe(LOG_ROWS);
    expect(el.querySelector(".sfa-log-count")?.textContent).toBe("the last 500 of 700 lines");
    expect(list.scrollTop).toBe(1000);
    list.scrollTop = 300;
    list.dispatchEvent(new Event("scroll"));
    bridge.push("jobs.log", { id: "run", lines: [line("new")], offset: 100, next: 110, skipped: 0 });
    expect(list.scrollTop).toBe(300);
    const down = el.querySelector<HTMLElement>(".sfa-log-end") as HTMLElement;
    expect(down.hidden).toBe(false);
    down.click();
    expect(list.scrollTop).toBe(1000);
    expect(down.hidden).toBe(true);
  });

  it("is worked by keys, with one stop for Tab", async () => {
    await open(JOBS);
    board.focus();
    expect(document.activeElement).toBe(opener(row("failed")));
    press("ArrowDown");
    expect(document.activeElement).toBe(opener(row("running")));
    expect(rows().filter((each) => opener(each).tabIndex === 0)).toEqual([row("running")]);
    press("Delete");
    expect(bridge.params("jobs.cancel")).toEqual([{ ids: ["run"] }]);
    expect(document.activeElement).toBe(opener(row("queued")));
    press("Home");
    press("r");
    expect(bridge.params("jobs.retry")).toEqual([{ ids: ["bad"] }]);
    press("End");
    press("Delete");
    press("r");
    expect(bridge.params("jobs.cancel")).toHaveLength(1);
    expect(bridge.params("jobs.retry")).toHaveLength(1);
    opener(row("completed")).click();
    press("Escape");
    expect(el.querySelector(".sfa-job-detail")).toBeNull();
  });

  it("tells a screen reader what failed", async () => {
    await open([jobRow("run", { status: "processing", attempt: 1 })]);
    push([jobRow("run", { status: "failed", attempt: 1, error: "The disk is full." })]);
    expect(el.querySelector("[aria-live=polite]")?.textContent).toBe("Separate Night failed: The disk is full.");
  });

  it("pauses what was asked for together, and lets it go on", async () => {
    const batch = ["a", "b"].map((id) => jobRow(id, { batch: "x", track_id: id }));
    await open(batch, { "batch.pause": () => ({}), "batch.resume": () => ({}) });
    const strip = () => el.querySelector<HTMLElement>(".sfa-batches") as HTMLElement;
    expect(strip().textContent).toContain("2 songs");
    strip().querySelector("button")?.click();
    expect(bridge.params("batch.pause")).toEqual([{ batch: "x" }]);
    const held = batch.map((job) => ({ ...job, paused: true }));
    bridge.push("jobs.rows", { ...overview(held), jobs: held, paused: [{ batch: "x", waiting: 2 }] });
    expect(strip().textContent).toContain("Paused: 2 jobs wait");
    expect(el.textContent).toContain("Paused until its batch is resumed");
    await vi.waitFor(() => expect(strip().querySelector("button")?.disabled).toBe(false));
    strip().querySelector("button")?.click();
    expect(bridge.params("batch.resume")).toEqual([{ batch: "x" }]);
  });

  it("says that nothing has run yet", async () => {
    await open([]);
    expect(el.querySelector(".sfa-state")?.textContent).toContain("Nothing has run yet.");
    choose("failed");
    expect(el.querySelector(".sfa-state")?.textContent).toContain("Nothing has failed.");
  });

  it("says why it cannot load, and tries again", async () => {
    await open(JOBS);
    end.abort();
    end = new AbortController();
    bridge = new FakeBridge();
    feed = new JobsFeed(bridge, end.signal);
    mountJobs(el, bridge, { signal: end.signal, layer: new Layer(end.signal), feed });
    await vi.waitFor(() => expect(el.querySelector(".sfa-state")?.textContent).toContain("does not answer jobs.list"));
    Object.assign(bridge.handlers, jobLists(JOBS));
    el.querySelector<HTMLElement>(".sfa-state button")?.click();
    await vi.waitFor(() => expect(rows()).toHaveLength(4));
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
    bridge = new FakeBridge(jobLists(stages));
    feed = new JobsFeed(bridge, end.signal, { few: true });
    mountProgress(el, { signal: end.signal, feed });
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-pipeline > li")).toHaveLength(1));
    const texts = [...el.querySelectorAll(".sfa-pipeline-stage")].map((stage) => stage.textContent);
    expect(texts).toEqual(["Separate ✓", "Analyse 30 %", "Set cues"]);
    expect(el.textContent).toContain("0 of 1 done");
    push([jobRow("b", { kind: "analyze", attempt: 1, due_s: 9, error: "Busy." })], stages);
    expect(el.textContent).toContain("Next try in 9 s");
    push(stages.map((job) => ({ ...job, attempt: 2, status: "completed" as const, progress: 100 })));
    expect(el.textContent).toContain("1 of 1 done");
    expect(bridge.params("jobs.list")).toEqual([{ status: "all", queue: null, offset: 0, limit: 500 }]);
  });

  it("makes room for what is under way when there are hundreds of songs", async () => {
    const jobs = Array.from({ length: 500 }, (_, i) => jobRow(`d${i}`, {
      kind: "download", track_id: null, title: `Song ${i}`,
      ...(i < 400 ? { status: "completed", progress: 100 } : i === 450 ? { status: "failed", error: "Gone." } : {}),
      ...(i === 470 ? { status: "downloading", progress: 50 } : {}),
    }));
    bridge = new FakeBridge(jobLists(jobs));
    feed = new JobsFeed(bridge, end.signal, { few: true });
    mountProgress(el, { signal: end.signal, feed });
    await vi.waitFor(() => expect(el.querySelectorAll(".sfa-pipeline > li")).toHaveLength(30));
    const names = [...el.querySelectorAll(".sfa-pipeline .sfa-job-name")].map((name) => name.textContent);
    expect(names.slice(0, 3)).toEqual(["Song 450", "Song 470", "Song 400"]);
    expect(el.textContent).toContain("400 of 500 done, 1 failed");
    expect(el.textContent).toContain("70 more wait, 400 are done");
    expect(el.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")).toBe("80");
  });
});
