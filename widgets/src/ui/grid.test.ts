import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CoverArt } from "../media";
import { type GridOptions, type GridRow, VirtualGrid } from "./grid";
import { Layer } from "./layer";

interface Song { id: string }

class Row implements GridRow<Song> {
  readonly element = document.createElement("div");
  index = -1;
  constructor(readonly art: (id: string) => void) {
    this.element.className = "sfa-grid-row";
    this.element.id = `row-${Math.random()}`;
  }
  paint(song: Song | undefined): void {
    this.element.textContent = song?.id ?? "";
  }
  loadArt(): void {
    if (this.element.textContent) this.art(this.element.textContent);
  }
}

/** Songs of which only those are here that were in sight. */
class Songs {
  total: number | null = null;
  readonly here = new Set<number>();
  readonly shown: [number, number][] = [];
  row(index: number): Song | undefined {
    return this.here.has(index) ? { id: `s${index}` } : undefined;
  }
  indexOf(id: string): number | undefined {
    const index = Number(id.slice(1));
    return this.here.has(index) ? index : undefined;
  }
  show(first: number, last: number): void {
    this.shown.push([first, last]);
  }
  ids(first: number, last: number): Promise<string[]> {
    return Promise.resolve(Array.from({ length: last - first + 1 }, (_, i) => `s${first + i}`));
  }
  arrive(first: number, last: number): void {
    for (let index = first; index <= last; index += 1) this.here.add(index);
  }
}

describe("a grid of any number of rows", () => {
  let end: AbortController;
  let songs: Songs;
  let grid: VirtualGrid<Song>;
  const art = vi.fn();
  const onOpen = vi.fn();
  const onAct = vi.fn();
  const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
  const rows = () => ([...grid.space.children] as HTMLElement[]).filter((row) => !row.hidden);
  const row = (id: string) => rows().find((each) => each.textContent === id) as HTMLElement;
  const key = (name: string, more: KeyboardEventInit = {}) =>
    grid.element.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));

  beforeEach(() => {
    for (const spy of [art, onOpen, onAct]) spy.mockReset();
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(100);
    end = new AbortController();
    songs = new Songs();
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  function open(options: Partial<GridOptions<Song>> = {}): void {
    grid = new VirtualGrid(songs, {
      signal: end.signal, layer: new Layer(end.signal), covers: {} as CoverArt, label: "Songs", head: document.createElement("div"),
      newRow: () => new Row(art), rowHeight: () => 20, onSelect: () => undefined, onOpen, onAct, onKey: () => false,
      noun: "Song", menu: (ids) => [{ label: `Remove ${ids.length}`, run: () => undefined }], ...options,
    });
    document.body.append(grid.element);
    grid.measure();
  }

  async function fill(total: number): Promise<void> {
    songs.total = total;
    songs.arrive(0, 40);
    grid.changed();
    await frame();
  }

  it("shows rows to come before the first answer, unless there are none to expect", async () => {
    open();
    expect(rows()).toHaveLength(5);
    end.abort();
    end = new AbortController();
    open({ expects: () => false });
    expect(rows()).toHaveLength(0);
  });

  it("asks along the way when it is scrolled, after a jump only where that comes to rest, and there fetches covers", async () => {
    open();
    await fill(100_000);
    await vi.waitFor(() => expect(art).toHaveBeenCalledWith("s0"));
    songs.shown.length = 0;
    for (const place of [20_000, 50_000, 70_000]) {
      grid.element.scrollTop = place * 20;
      grid.element.dispatchEvent(new Event("scroll"));
      await frame();
    }
    expect(songs.shown).toEqual([]);
    await vi.waitFor(() => expect(songs.shown).toEqual([[69_992, 70_013]]));
    expect(rows().length).toBeLessThan(30);
  });

  it("chooses what the cursor stands on as soon as it comes", async () => {
    open();
    await fill(5000);
    key("End");
    expect(grid.selection.ids).toEqual([]);
    songs.arrive(4990, 4999);
    grid.changed();
    expect(grid.selection.ids).toEqual(["s4999"]);
    await frame();
    expect(document.getElementById(grid.element.getAttribute("aria-activedescendant") ?? "")?.textContent).toBe("s4999");
  });

  it("keeps the row at its top in sight when rows become higher", async () => {
    let height = 20;
    open({ rowHeight: () => height });
    await fill(1000);
    grid.element.scrollTop = 600;
    height = 56;
    grid.measure();
    expect(grid.element.scrollTop).toBe(30 * 56);
    expect(grid.space.style.height).toBe("56000px");
  });

  it("leaves alone the keys that the table has for itself", async () => {
    open({ onKey: (event) => event.key === "Enter" });
    await fill(10);
    key("ArrowDown");
    key("Enter");
    expect(grid.selection.ids).toEqual(["s0"]);
    expect(onOpen).not.toHaveBeenCalled();
    expect(key("x")).toBe(true); // not ours: whoever is outside may have it
  });

  it("opens one menu for all that is chosen, at a long press of a finger too, but not at the handle of a row", async () => {
    open();
    await fill(10);
    vi.useFakeTimers();
    try {
      const press = (target: Element) => {
        target.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, pointerType: "touch" }));
        vi.advanceTimersByTime(600);
        return document.querySelector("[role=menuitem]")?.textContent;
      };
      grid.choose(["s1", "s2"]);
      const handle = document.createElement("i");
      handle.dataset.grip = "";
      row("s1").append(handle);
      expect(press(handle)).toBeUndefined();
      expect(press(row("s2"))).toBe("Remove 2");
    } finally {
      vi.useRealTimers();
    }
  });
});
