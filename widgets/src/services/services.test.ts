import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { engines } from "../testing/engines";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { jobLists, jobRow, overview } from "../testing/rows";
import type { JobRow, WeightsRow } from "../types";
import { failureOf, followJobs } from "./follow";
import { mountServices } from "./services";

const model = (name: string, state: WeightsRow["state"]): WeightsRow =>
  ({ model: name, label: name, description: `About ${name}.`, state, bytes: 84_000_000, reason: state === "damaged" ? "It is torn." : "" });
const status = (...models: WeightsRow[]) => ({ folder: "/weights", notice: "For science.", models });

describe("the settings of engines and services", () => {
  let end: AbortController;
  let el: HTMLElement;
  let bridge: FakeBridge;

  beforeEach(() => {
    end = new AbortController();
    el = document.createElement("div");
    document.body.append(el);
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  function open(handlers: FakeHandlers = {}): void {
    bridge = new FakeBridge({
      ...jobLists([]),
      "separation.engines": () => ({ engines: engines() }),
      "weights.status": () => status(model("htdemucs", "ready"), model("htdemucs_ft", "missing")),
      "credentials.list": () => ({
        credentials: [{ name: "lalal", label: "lalal.ai", source: "store", changed_at: "2026-01-01T00:00:00Z" }],
        protection: "Kept encrypted.",
      }),
      "cloud.quota": () => ({ minutes_left: 12.5, checked_at: new Date().toISOString(), jobs: [] }),
      ...handlers,
    });
    mountServices(el, bridge, { signal: end.signal });
  }
  const says = (text: string) => vi.waitFor(() => expect(el.textContent).toContain(text));
  const button = (name: string) => [...el.querySelectorAll("button")]
    .find((one) => one.getAttribute("aria-label") === name || one.textContent === name) as HTMLButtonElement;

  it("show which models are here, and what a missing one would take", async () => {
    open();
    await says("Ready");
    await says("Not here");
    button("Get htdemucs_ft").click();
    await says("For science.");
    await says("Get htdemucs_ft (84.0 MB)");
  });

  it("verify every byte when asked", async () => {
    open({ "weights.verify": () => status(model("htdemucs", "damaged")) });
    await says("Ready");
    button("Verify").click();
    await says("It is torn.");
    await says("Get again…");
    await says("Verified");
  });

  it("go on showing a fetch that was begun elsewhere", async () => {
    const job = jobRow("w", { kind: "weights", status: "downloading", progress: 30 });
    open({ ...jobLists([job]), "jobs.show": () => ({ job, arguments: { model: "htdemucs_ft" }, needs: [] }) });
    await says("Not here");
    button("Get htdemucs_ft").click();
    await says("Fetching 30 %");
  });

  it("say that there is a key, how it is kept, and how many minutes are left", async () => {
    open();
    await says("Key set");
    await says("Kept encrypted.");
    await says("12.5 minutes left");
  });

  it("leave a key of the environment to the environment", async () => {
    open({
      "credentials.list": () => ({
        credentials: [{ name: "lalal", label: "lalal.ai", source: "environment", changed_at: null }], protection: "",
      }),
    });
    await says("by the environment of the program");
    expect(button("Remove")).toBeUndefined();
  });

  it("remove a key, and say why where that fails", async () => {
    const removed = vi.fn(() => { throw new Error("The store is damaged."); });
    open({ "credentials.remove": removed });
    await says("Key set");
    button("Remove").click();
    await says("The store is damaged.");
  });
});

describe("following jobs", () => {
  it("hears of a job that ends before the answer to its request", async () => {
    const bridge = new FakeBridge();
    const seen: string[] = [];
    const rows = await followJobs(bridge, new AbortController().signal, async () => {
      bridge.push("jobs.rows", { ...overview([]), jobs: [jobRow("j", { status: "completed" })] });
      return ["j"];
    }, ([job]) => { if (job) seen.push(job.status); });
    expect(rows.map(({ id }) => id)).toEqual(["j"]);
    expect(seen).toContain("completed");
  });

  it("asks again where more has changed than is told", async () => {
    let now: JobRow = jobRow("j", { status: "processing" });
    const bridge = new FakeBridge({ "jobs.show": () => ({ job: now, arguments: {}, needs: [] }) });
    const done = followJobs(bridge, new AbortController().signal, async () => ["j"]);
    await vi.waitFor(() => expect(bridge.calls).toHaveLength(1));
    now = jobRow("j", { status: "completed" });
    bridge.push("jobs.changed", overview([]));
    expect((await done)[0]?.status).toBe("completed");
  });

  it("ends with the page", async () => {
    const end = new AbortController();
    const bridge = new FakeBridge({ "jobs.show": () => ({ job: jobRow("j"), arguments: {}, needs: [] }) });
    const done = followJobs(bridge, end.signal, async () => ["j"]);
    await vi.waitFor(() => expect(bridge.calls).toHaveLength(1));
    end.abort();
    await expect(done).rejects.toThrow();
  });

  it("knows what went wrong", () => {
    expect(failureOf(jobRow("j", { status: "queued", attempt: 0 }))).toBeNull();
    expect(failureOf(jobRow("j", { status: "queued", attempt: 1, error: "Busy." }))).toBe("Busy.");
    expect(failureOf(jobRow("j", { status: "cancelled" }))).toContain("cancelled");
  });
});
