import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBridge } from "../testing/fake";
import { library, trackRow } from "../testing/rows";
import { Rows } from "./rows";

const ALL = { query: "", sort: "title" as const, descending: false };

describe("the rows of a query", () => {
  let end: AbortController;
  const changed = vi.fn();
  const failed = vi.fn();
  const make = (bridge: FakeBridge) => new Rows(bridge, ALL, { changed, failed }, end.signal);
  const settled = (times: number) => vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(times));

  beforeEach(() => {
    end = new AbortController();
    changed.mockReset();
    failed.mockReset();
  });
  afterEach(() => end.abort());

  it("asks for one block and learns the total", async () => {
    const bridge = new FakeBridge(library(100_000));
    const rows = make(bridge);
    expect(rows.total).toBeNull();
    rows.ask(ALL);
    await settled(1);
    expect(bridge.params("tracks.page")).toEqual([{ ...ALL, offset: 0, limit: 100 }]);
    expect(rows.total).toBe(100_000);
    expect(rows.row(99)?.id).toBe("t99");
    expect(rows.row(100)).toBeUndefined();
  });

  it("fetches what comes into sight, once", async () => {
    const bridge = new FakeBridge(library(100_000));
    const rows = make(bridge);
    rows.ask(ALL);
    await settled(1);
    rows.show(50_090, 50_130);
    rows.show(50_091, 50_131);
    await settled(3);
    rows.show(50_090, 50_130);
    expect(bridge.params("tracks.page").map(({ offset }) => offset)).toEqual([0, 50_000, 50_100]);
    expect(rows.row(50_100)?.id).toBe("t50100");
  });

  it("drops requests for rows that have left the sight", async () => {
    const bridge = new FakeBridge(library(100_000));
    const rows = make(bridge);
    rows.ask(ALL);
    await settled(1);
    rows.show(3000, 3030);
    rows.show(90_000, 90_030);
    await settled(2);
    expect(bridge.calls[1]?.options.signal?.aborted).toBe(true);
    expect(rows.row(3000)).toBeUndefined();
    expect(failed).not.toHaveBeenCalled();
  });

  it("asks nothing past the end", async () => {
    const bridge = new FakeBridge(library(30));
    const rows = make(bridge);
    rows.ask(ALL);
    await settled(1);
    rows.show(0, 500);
    expect(bridge.calls).toHaveLength(1);
  });

  it("lets the answer to an older question go unheard", async () => {
    let answerOld = (): void => undefined;
    const bridge = new FakeBridge({
      "tracks.page": ({ query }) => query === "old"
        ? new Promise((resolve) => { answerOld = () => resolve({ total: 1, rows: [trackRow("old")] }); })
        : { total: 1, rows: [trackRow("new")] },
    });
    const rows = make(bridge);
    rows.ask({ ...ALL, query: "old" });
    rows.ask({ ...ALL, query: "new" });
    await settled(1);
    answerOld();
    await Promise.resolve();
    expect(rows.row(0)?.id).toBe("new");
    expect(changed).toHaveBeenCalledTimes(1);
  });

  it("keeps showing what it has while it refreshes", async () => {
    let round = 0;
    const bridge = new FakeBridge({
      "tracks.page": () => ({ total: 1, rows: [trackRow("t", { title: `Round ${round}` })] }),
    });
    const rows = make(bridge);
    rows.ask(ALL);
    await settled(1);
    round = 1;
    rows.refresh();
    expect(rows.row(0)?.title).toBe("Round 0");
    await settled(2);
    expect(rows.row(0)?.title).toBe("Round 1");
  });

  it("sees the first track of a library that was empty", async () => {
    let total = 0;
    const rows = make(new FakeBridge({
      "tracks.page": () => ({ total, rows: Array.from({ length: total }, () => trackRow("t")) }),
    }));
    rows.ask(ALL);
    await settled(1);
    total = 1;
    rows.refresh();
    await settled(2);
    expect([rows.total, rows.row(0)?.id]).toEqual([1, "t"]);
  });

  it("takes changed rows over where they stand and ignores strangers", async () => {
    const rows = make(new FakeBridge(library(200)));
    rows.ask(ALL);
    await settled(1);
    const changes = [trackRow("t7", { status: "working", progress: 40 }), trackRow("stranger")];
    expect(rows.update(changes)).toEqual([7]);
    expect(rows.row(7)?.progress).toBe(40);
    expect(rows.indexOf("t7")).toBe(7);
  });

  it("knows the ids of a range it has, and asks for those of a range it has not", async () => {
    const bridge = new FakeBridge(library(1000));
    const rows = make(bridge);
    rows.ask(ALL);
    await settled(1);
    expect(await rows.ids(2, 4, end.signal)).toEqual(["t2", "t3", "t4"]);
    expect(bridge.params("tracks.ids")).toEqual([]);
    expect(await rows.ids(0, 999, end.signal)).toHaveLength(1000);
    expect(bridge.params("tracks.ids")).toEqual([{ ...ALL, offset: 0, limit: 1000 }]);
  });

  it("reports a failure and no cancellation", async () => {
    const rows = make(new FakeBridge());
    rows.ask(ALL);
    rows.ask({ ...ALL, query: "again" });
    await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(1));
    expect(changed).not.toHaveBeenCalled();
  });
});
