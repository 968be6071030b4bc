import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { library, trackRow } from "../testing/rows";
import { Layer } from "../ui/layer";
import { type LibraryHandle, type LibraryOptions, mountLibrary } from "./table";

const HEIGHT = 140; // few rows: a simulated page is slow

describe("the library table", () => {
  let end: AbortController;
  let el: HTMLElement;
  let bridge: FakeBridge;
  let table: LibraryHandle;
  const onOpen = vi.fn();
  const onSelect = vi.fn();

  beforeEach(() => {
    end = new AbortController();
    onOpen.mockReset();
    onSelect.mockReset();
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(HEIGHT);
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1000);
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  async function open(handlers: FakeHandlers, options: Partial<LibraryOptions> = {}): Promise<void> {
    el = document.createElement("div");
    el.className = "sfa";
    document.body.append(el);
    bridge = new FakeBridge(handlers);
    table = mountLibrary(el, bridge, {
      signal: end.signal, layer: new Layer(end.signal), onOpen, onSelect, search: true, ...options,
    });
    await vi.waitFor(() => expect(el.querySelector(".sfa-library.is-loading")).toBeNull());
    await frame();
  }

  const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
  const grid = () => el.querySelector<HTMLElement>("[role=grid]") as HTMLElement;
  const rows = () => [...el.querySelectorAll<HTMLElement>(".sfa-grid-space [role=row]")]
    .filter((row) => !row.hidden)
    .sort((a, b) => Number(a.ariaRowIndex ?? a.getAttribute("aria-rowindex")) - Number(b.getAttribute("aria-rowindex")));
  const titles = () => rows().map((row) => row.querySelector(".c-title")?.textContent);
  const key = (name: string, more: KeyboardEventInit = {}) =>
    grid().dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));
  const click = (row: number, more: MouseEventInit = {}) =>
    rows()[row]?.querySelector(".c-title")?.dispatchEvent(new MouseEvent("click", { bubbles: true, ...more }));
  const chosen = () => onSelect.mock.lastCall?.[0] as string[];

  it("holds only the rows in sight, however many there are", async () => {
    await open(library(100_000));
    expect(grid().getAttribute("aria-rowcount")).toBe("100001");
    expect(el.querySelector<HTMLElement>(".sfa-grid-space")?.style.height).toBe("2800000px");
    expect(rows().length).toBeLessThan(60);
    expect(bridge.params("tracks.page")).toHaveLength(1);
  });

  it("shows what is there after a jump", async () => {
    await open(library(100_000));
    grid().scrollTop = 28 * 70_000;
    grid().dispatchEvent(new Event("scroll"));
    await vi.waitFor(() => expect(titles()).toContain("Track t70000"));
    expect(bridge.params("tracks.page").slice(1).every(({ offset }) => Math.abs(offset - 70_000) < 200)).toBe(true);
    expect(rows().length).toBeLessThan(60);
  });

  it("puts a hostile title on the page as text", async () => {
    await open(library(1, () => trackRow("x", { title: "<img src=x onerror=alert(1)>" })));
    expect(titles()).toEqual(["<img src=x onerror=alert(1)>"]);
    expect(el.querySelector(".c-title img")).toBeNull();
    expect(rows()[0]?.querySelector(".c-title")?.getAttribute("dir")).toBe("auto");
  });

  it("searches while typing, once the fingers rest", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const opening = open(library(3));
      await vi.advanceTimersByTimeAsync(50);
      await opening;
      const input = el.querySelector("input") as HTMLInputElement;
      for (const text of ["n", "ni", "night"]) {
        input.value = text;
        input.dispatchEvent(new Event("input"));
        await vi.advanceTimersByTimeAsync(60);
      }
      await vi.advanceTimersByTimeAsync(120);
      expect(bridge.params("tracks.page").map(({ query }) => query)).toEqual(["", "night"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("sorts by a column, and the other way at the second click", async () => {
    await open(library(3));
    const header = el.querySelector<HTMLElement>("[data-sort=bpm]") as HTMLElement;
    header.click();
    expect(header.closest("[role=columnheader]")?.getAttribute("aria-sort")).toBe("ascending");
    header.click();
    expect(header.closest("[role=columnheader]")?.getAttribute("aria-sort")).toBe("descending");
    expect(bridge.params("tracks.page").map(({ sort, descending }) => [sort, descending]))
      .toEqual([["added_at", true], ["bpm", false], ["bpm", true]]);
  });

  it("chooses one, some, a range and all", async () => {
    await open(library(5000));
    click(2);
    expect(chosen()).toEqual(["t2"]);
    click(4, { ctrlKey: true });
    expect(chosen()).toEqual(["t2", "t4"]);
    click(6, { shiftKey: true });
    await vi.waitFor(() => expect(chosen()).toEqual(["t4", "t5", "t6"]));
    key("a", { ctrlKey: true });
    await vi.waitFor(() => expect(chosen()).toHaveLength(5000));
    key("Escape");
    expect(chosen()).toEqual([]);
  });

  it("is walked through by keyboard", async () => {
    await open(library(5000));
    key("ArrowDown");
    expect(chosen()).toEqual(["t0"]);
    key("ArrowDown");
    key("ArrowDown", { shiftKey: true });
    await vi.waitFor(() => expect(chosen()).toEqual(["t1", "t2"]));
    key("Enter");
    expect(onOpen).toHaveBeenCalledWith("t2");
    key("End");
    grid().dispatchEvent(new Event("scroll"));
    await vi.waitFor(() => expect(chosen()).toEqual(["t4999"]));
    await frame();
    const cursor = grid().getAttribute("aria-activedescendant") ?? "";
    expect(document.getElementById(cursor)?.textContent).toContain("Track t4999");
    key("Home");
    expect(chosen()).toEqual(["t0"]);
  });

  it("updates a row in place as its job advances", async () => {
    await open(library(3));
    const before = rows()[1];
    bridge.push("tracks.rows", { rows: [trackRow("t1", { status: "working", stage: "separate", progress: 42 })] });
    await frame();
    expect(rows()[1]).toBe(before);
    expect(before?.querySelector(".c-status")?.textContent).toContain("Separating 42 %");
    expect(before?.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")).toBe("42");
  });

  it("says why a track failed and tries again", async () => {
    const failed = trackRow("bad", { status: "failed", error: "The file is cut off." });
    await open({ ...library(1, () => failed), "tracks.run": () => ({ jobs: ["j"] }) });
    expect(rows()[0]?.querySelector(".c-status")?.textContent).toContain("The file is cut off.");
    rows()[0]?.querySelector<HTMLElement>("[data-act=retry]")?.click();
    expect(bridge.params("tracks.run")).toEqual([{ ids: ["bad"], stages: ["separate", "analyze", "autocue"] }]);
  });

  it("removes at once and takes it back", async () => {
    await open({ ...library(3), "tracks.remove": () => ({ removed: 1 }), "tracks.restore": () => ({}) });
    click(1);
    key("Delete");
    const toast = await vi.waitFor(() => {
      const found = document.querySelector(".sfa-toast");
      expect(found?.textContent).toContain("Removed 1 track.");
      return found as HTMLElement;
    });
    toast.querySelector<HTMLElement>(".sfa-button")?.click();
    await vi.waitFor(() => expect(bridge.params("tracks.restore")).toEqual([{ ids: ["t1"] }]));
  });

  it("offers the same actions on the right button", async () => {
    await open({ ...library(3), "tracks.run": () => ({ jobs: [] }) });
    rows()[2]?.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }));
    const items = [...document.querySelectorAll<HTMLElement>("[role=menuitem]")];
    expect(items.map((item) => item.querySelector("span")?.textContent))
      .toEqual(["Open", "Add to playlist…", "Separate + analyse", "Separate stems…", "Analyse only", "Export…", "Remove"]);
    items[4]?.click();
    expect(bridge.params("tracks.run")).toEqual([{ ids: ["t2"], stages: ["analyze", "autocue"] }]);
  });

  it("offers the demo crate when it is empty", async () => {
    await open({ ...library(0), "demo.add": () => ({ tracks: ["a"] }) });
    const state = el.querySelector<HTMLElement>(".sfa-state") as HTMLElement;
    expect(state.textContent).toContain("Drop songs here, or open the demo crate.");
    state.querySelector("button")?.click();
    expect(bridge.params("demo.add")).toHaveLength(1);
  });

  it("says that nothing matches and leads back", async () => {
    await open(library(0), { query: "zzz" });
    const state = el.querySelector<HTMLElement>(".sfa-state") as HTMLElement;
    expect(state.textContent).toContain("No track matches “zzz”.");
    state.querySelector("button")?.click();
    expect(bridge.params("tracks.page").at(-1)?.query).toBe("");
  });

  it("says why it cannot load, and tries again", async () => {
    el = document.createElement("div");
    document.body.append(el);
    bridge = new FakeBridge();
    mountLibrary(el, bridge, { signal: end.signal, layer: new Layer(end.signal), onOpen, search: true });
    const button = await vi.waitFor(() => {
      expect(el.querySelector(".sfa-state")?.textContent).toContain("does not answer tracks.page");
      return el.querySelector<HTMLElement>(".sfa-state button") as HTMLElement;
    });
    button.click();
    expect(bridge.calls).toHaveLength(2);
  });

  it("leaves nothing behind", async () => {
    await open(library(3));
    end.abort();
    expect(document.body.querySelector(".sfa-library, .sfa-layer")).toBeNull();
  });

  it("takes a selection and a query from elsewhere", async () => {
    await open(library(3));
    table.select(["t1"]);
    await frame();
    expect(rows()[1]?.getAttribute("aria-selected")).toBe("true");
    table.setQuery("night");
    expect(bridge.params("tracks.page").at(-1)?.query).toBe("night");
  });
});
