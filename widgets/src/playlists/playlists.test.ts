import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { FakePlaylists, playlistRow, songRow, tracksOf } from "../testing/playlists";
import { trackRow } from "../testing/rows";
import { Layer } from "../ui/layer";
import { addToPlaylist } from "./choose";
import { mountPlaylists } from "./view";

let end: AbortController;
let el: HTMLElement;
let kernel: FakePlaylists;
let bridge: FakeBridge;
const opened: string[] = [];
const selected: string[][] = [];
const load = vi.fn(async (): Promise<unknown> => ({}));

beforeEach(() => {
  end = new AbortController();
  opened.length = selected.length = 0;
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(360);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1000);
  kernel = new FakePlaylists();
});
afterEach(() => {
  end.abort();
  document.body.replaceChildren();
});

async function open(handlers: FakeHandlers = {}, playlist = ""): Promise<void> {
  el = document.createElement("div");
  document.body.append(el);
  bridge = new FakeBridge({ ...kernel.handlers, ...handlers });
  mountPlaylists(el, bridge, {
    signal: end.signal, layer: new Layer(end.signal), load, playlist,
    onOpen: (id) => opened.push(id), onSelect: (tracks) => selected.push(tracks), onLibrary: () => undefined,
  });
  await vi.waitFor(() => expect(el.querySelector(".is-waiting")).toBeNull());
  if (kernel.kept.some(({ entries }) => entries.length > 0)) await vi.waitFor(() => expect(titles().length).toBeGreaterThan(0));
}

const rows = () => [...el.querySelectorAll<HTMLElement>(".sfa-grid-space [role=row]")]
  .filter((row) => !row.hidden).sort((a, b) => Number(a.ariaRowIndex ?? a.getAttribute("aria-rowindex")) - Number(b.getAttribute("aria-rowindex")));
const titles = () => rows().map((row) => row.querySelector(".c-title")?.textContent ?? "").filter(Boolean);
const seen = (wanted: string[]) => vi.waitFor(() => expect(titles()).toEqual(wanted));
const row = (title: string) => rows().find((each) => each.querySelector(".c-title")?.textContent === title) as HTMLElement;
const grid = () => el.querySelector<HTMLElement>("[role=grid]") as HTMLElement;
const button = (label: string, within: ParentNode = document) => [...within.querySelectorAll<HTMLButtonElement>("button")]
  .find((each) => !each.hidden && each.textContent?.trim() === label) as HTMLButtonElement;
const toast = () => document.querySelector(".sfa-toast");
const click = (target: Element, keys: MouseEventInit = {}) => target.dispatchEvent(new MouseEvent("click", { bubbles: true, ...keys }));
const press = (key: string, keys: KeyboardEventInit = {}, target: Element = grid()) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...keys }));
const named = (count: number) => tracksOf(count, (i) => trackRow(`t${i}`, { title: `T${i}` }));

describe("the list of playlists", () => {
  it("says what there is to do where there is none, and makes one that is named in its place", async () => {
    await open();
    expect(el.querySelector(".sfa-state:not([hidden])")?.textContent).toContain("No playlists yet");
    button("New playlist", el).click();
    const input = await vi.waitFor(() => {
      const found = el.querySelector<HTMLInputElement>(".sfa-lists-naming");
      expect(found).not.toBeNull();
      return found as HTMLInputElement;
    });
    expect(input.value).toBe("New playlist");
    input.value = "ليلة";
    press("Enter", {}, input);
    await vi.waitFor(() => expect(kernel.row("new1").name).toBe("ليلة"));
    await vi.waitFor(() => expect(el.querySelector("[role=option]")?.getAttribute("aria-label")).toBe("ليلة, 0 songs"));
    expect(el.textContent).toContain("Nothing in here yet");
  });

  it("goes through own, smart and imported ones by key, and tells what is not here", async () => {
    const missing = { id: "m", position: 1, track: null, song: songRow("s") };
    kernel.add(playlistRow("i", { kind: "imported", service: "spotify", name: "Drive" }), [...named(1), missing])
      .add(playlistRow("o", { name: "Mine" }), named(3)).add(playlistRow("s", { kind: "smart", name: "Fast", filter: { tempo: [120, 128] } }), named(2));
    await open();
    expect([...el.querySelectorAll("[role=option]")].map((each) => each.getAttribute("aria-label"))).toEqual([
      "Mine, 3 songs", "Fast, 2 songs", "Drive, 1 of 2 songs here",
    ]);
    const first = el.querySelector("[role=option]") as HTMLElement;
    first.focus();
    press("ArrowDown", {}, first);
    await vi.waitFor(() => expect(el.querySelector(".sfa-lists-head")?.textContent).toContain("120–128 BPM"));
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Fast, 2 songs");
    press("End", {}, document.activeElement as Element);
    await vi.waitFor(() => expect(el.querySelector(".sfa-lists-facts")?.textContent).toBe("2 songs · 3:07 · 1 not here"));
  });

  it("removes with a way back", async () => {
    kernel.add(playlistRow("a", { name: "First" }), named(1)).add(playlistRow("b", { name: "Second" }), named(2));
    await open();
    const first = el.querySelector("[role=option]") as HTMLElement;
    first.focus();
    press("Delete", {}, first);
    await vi.waitFor(() => expect(toast()?.textContent).toContain("Removed “First”"));
    await seen(["T0", "T1"]);
    button("Undo").click();
    await vi.waitFor(() => expect(el.querySelectorAll("[role=option]").length).toBe(2));
    expect(el.querySelector("[aria-selected=true][role=option]")?.getAttribute("aria-label")).toBe("First, 1 song");
    press("Delete", {}, el.querySelector("[role=option]") as HTMLElement);
    await vi.waitFor(() => expect(el.querySelectorAll("[role=option]").length).toBe(1));
    await vi.waitFor(() => expect(toast()?.textContent).toContain("Removed “First”"));
    press("z", { ctrlKey: true }, el.querySelector("[role=option]") as HTMLElement);
    await vi.waitFor(() => expect(el.querySelectorAll("[role=option]").length).toBe(2));
  });

  it("says why there are none to see, and tries again", async () => {
    kernel.add(playlistRow("a", { name: "First" }), named(1));
    let busy = true;
    const answer = kernel.handlers["playlists.list"];
    void open({ "playlists.list": (params, options) => {
      if (busy) throw new Error("The library is busy.");
      return (answer as NonNullable<typeof answer>)(params, options);
    } });
    await vi.waitFor(() => expect(el.querySelector(".sfa-state [role=alert]")?.textContent).toBe("The library is busy."));
    busy = false;
    button("Try again", el.querySelector(".sfa-lists > .sfa-state") as Element).click();
    await seen(["T0"]);
    expect(el.querySelector<HTMLElement>(".sfa-lists > .sfa-state")?.hidden).toBe(true);
  });

  it("shows what another process changed", async () => {
    kernel.add(playlistRow("a", { name: "First" }), named(2));
    await open();
    kernel.add(playlistRow("b", { name: "Brought" }));
    kernel.kept[0]?.entries.reverse();
    bridge.push("playlists.changed", { ids: [] });
    await seen(["T1", "T0"]);
    expect(el.textContent).toContain("Brought");
  });
});

describe("the entries of a playlist", () => {
  it("are fetched as they come into sight, however many", async () => {
    kernel.add(playlistRow("a"), named(10_000));
    await open();
    expect(bridge.params("playlists.page").map(({ offset }) => offset)).toEqual([0]);
    expect(grid().getAttribute("aria-rowcount")).toBe("10001");
    expect(rows().length).toBeLessThan(60);
    grid().scrollTop = 5000 * 36;
    grid().dispatchEvent(new Event("scroll"));
    await vi.waitFor(() => expect(titles()).toContain("T5003"));
    expect(bridge.params("playlists.page").length).toBeLessThan(4);
  });

  it("open, are chosen in ranges that were never fetched, and told", async () => {
    kernel.add(playlistRow("a"), named(1000));
    await open();
    click(row("T1"));
    press("Enter");
    expect(opened).toEqual(["t1"]);
    press("End", { shiftKey: true });
    await vi.waitFor(() => expect(selected.at(-1)?.length).toBe(999));
    expect(el.querySelector(".is-bulk")?.textContent).toContain("999 selected");
  });

  it("move by key at once, and back", async () => {
    kernel.add(playlistRow("a"), named(5));
    await open();
    click(row("T3"));
    press("ArrowUp", { altKey: true });
    press("ArrowUp", { altKey: true });
    await seen(["T0", "T3", "T1", "T2", "T4"]);
    await vi.waitFor(() => expect(kernel.ids("a")).toEqual(["e0", "e3", "e1", "e2", "e4"]));
    press("End", { altKey: true });
    await vi.waitFor(() => expect(kernel.ids("a").at(-1)).toBe("e3"));
    for (let times = 0; times < 3; times += 1) press("z", { ctrlKey: true });
    await seen(["T0", "T1", "T2", "T3", "T4"]);
  });

  it("are dragged between others, together and in their order", async () => {
    kernel.add(playlistRow("a"), named(6));
    await open();
    click(row("T1"));
    click(row("T4"), { ctrlKey: true });
    const drag = (type: string, target: EventTarget, y: number) => target.dispatchEvent(Object.assign(
      new MouseEvent(type, { bubbles: true, button: 0, clientX: 10, clientY: y }), { pointerId: 1, pointerType: "mouse" },
    ));
    vi.spyOn(grid(), "getBoundingClientRect").mockReturnValue({ left: 0, right: 900, top: 0, bottom: 400 } as DOMRect);
    grid().setPointerCapture = () => undefined;
    drag("pointerdown", row("T4").querySelector(".c-title") as Element, 150);
    drag("pointermove", window, 100);
    drag("pointermove", window, 216);
    expect(el.querySelector(".sfa-entry-drag")?.textContent).toBe("2 songs");
    drag("pointerup", window, 216);
    await seen(["T0", "T2", "T3", "T5", "T1", "T4"]);
    await vi.waitFor(() => expect(kernel.ids("a")).toEqual(["e0", "e2", "e3", "e5", "e1", "e4"]));
    await vi.waitFor(() => expect(toast()?.textContent).toContain("Moved 2 songs."));
    button("Undo").click();
    await seen(["T0", "T1", "T2", "T3", "T4", "T5"]);
  });

  it("come out with a way back, at their places", async () => {
    kernel.add(playlistRow("a"), named(4));
    await open();
    click(row("T1"));
    click(row("T2"), { shiftKey: true });
    await vi.waitFor(() => expect(el.querySelector(".is-bulk")?.textContent).toContain("2 selected"));
    press("Delete");
    await seen(["T0", "T3"]);
    await vi.waitFor(() => expect(kernel.ids("a")).toEqual(["e0", "e3"]));
    await vi.waitFor(() => expect(toast()).not.toBeNull());
    button("Undo").click();
    await seen(["T0", "T1", "T2", "T3"]);
  });

  it("are as before when a change is refused", async () => {
    kernel.add(playlistRow("a"), named(3));
    let refuse: () => void = () => undefined;
    await open({ "playlists.move": () => new Promise((_, reject) => { refuse = () => reject(new Error("The library is busy.")); }) });
    click(row("T2"));
    press("Home", { altKey: true });
    await seen(["T2", "T0", "T1"]);
    refuse();
    await seen(["T0", "T1", "T2"]);
    expect(toast()?.textContent).toContain("The library is busy.");
  });

  it("of a smart playlist stay where the filter puts them", async () => {
    kernel.add(playlistRow("s", { kind: "smart", filter: { stems: true } }), named(3));
    await open();
    click(row("T1"));
    press("ArrowUp", { altKey: true });
    press("Delete");
    expect(toast()?.textContent).toContain("its filter decides");
    expect(bridge.calls.map(({ method }) => method)).not.toContain("playlists.move");
    await seen(["T0", "T1", "T2"]);
  });
});

describe("songs that are not here", () => {
  const absent = { id: "m", position: 1, track: null, song: songRow("s", { title: "Gone" }) };
  const state = (on: boolean, allowed = true) => ({ allowed, on, notice: "Only what you may copy.", format: "m4a", tools: [] });

  it("can be got, one or all; downloads are agreed to first", async () => {
    kernel.add(playlistRow("a"), [...named(1), absent]);
    let on = false;
    await open({
      "downloads.state": () => state(on),
      "downloads.switch": () => { on = true; return {}; },
      "playlists.download": () => ({ jobs: ["j"], batch: "b" }),
    });
    expect(row("Gone").classList).toContain("is-absent");
    click(row("Gone").querySelector("[data-act=get]") as Element);
    const agree = await vi.waitFor(() => {
      const found = document.querySelector<HTMLInputElement>("dialog input[type=checkbox]");
      expect(found).not.toBeNull();
      return found as HTMLInputElement;
    });
    expect(document.querySelector("dialog")?.textContent).toContain("Only what you may copy.");
    expect(bridge.params("playlists.download")).toEqual([]);
    agree.click();
    button("Switch downloads on").click();
    await vi.waitFor(() => expect(bridge.params("playlists.download")[0]).toMatchObject({ id: "a", entries: ["m"] }));
    button("Get it", el).click();
    await vi.waitFor(() => expect(bridge.params("playlists.download")[1]).toMatchObject({ id: "a", entries: null }));
    expect(bridge.params("downloads.switch")).toEqual([{ on: true, agreed: true }]);
  });

  it("lead to pages where they come from, and to nothing else", async () => {
    const elsewhere = (id: string, url: string) => ({ id, position: 0, track: null, song: songRow(id, { title: id, url }) });
    kernel.add(playlistRow("a", { kind: "imported", url: "javascript:alert(1)" }), [elsewhere("Good", "https://example.org/song"), elsewhere("Bad", "javascript:alert(1)")]);
    await open();
    expect(el.querySelector("a")).toBeNull();
    const offered = (title: string) => {
      click(row(title).querySelector("[data-act=menu]") as Element);
      const labels = [...document.querySelectorAll("[role=menuitem]")].map(({ textContent }) => textContent);
      press("Escape", {}, document.querySelector("[role=menu]") as Element);
      return labels.includes("Show where it is from");
    };
    expect([offered("Good"), offered("Bad")]).toEqual([true, false]);
  });

  it("say so where nobody may download", async () => {
    kernel.add(playlistRow("a"), [absent]);
    await open({ "downloads.state": () => state(false, false) });
    button("Get it", el).click();
    await vi.waitFor(() => expect(toast()?.textContent).toContain("Downloads are not allowed here."));
  });

  it("show how far they are while they come", async () => {
    const coming = { ...absent, song: songRow("s", { title: "Gone", state: "queued" }) };
    kernel.add(playlistRow("a"), [coming]);
    await open();
    expect(row("Gone").textContent).toContain("Waiting");
    (kernel.kept[0] as { entries: unknown[] }).entries = [{ ...coming, song: songRow("s", { title: "Gone", state: "downloading", progress: 40 }) }];
    bridge.push("playlists.changed", { ids: ["a"] });
    await vi.waitFor(() => expect(row("Gone").textContent).toContain("Downloading 40 %"));
  });
});

describe("adding tracks to a playlist", () => {
  it("finds one by its name, or makes it; with a way back", async () => {
    kernel.add(playlistRow("a", { name: "Friday" })).add(playlistRow("b", { name: "Saturday" })).add(playlistRow("s", { kind: "smart", name: "Fast" }));
    await open();
    const host = { layer: new Layer(end.signal), signal: end.signal, load };
    const ask = async (typed: string) => {
      addToPlaylist(bridge, host, ["t1", "t2"]);
      const input = document.querySelector<HTMLInputElement>("dialog input") as HTMLInputElement;
      await vi.waitFor(() => expect(document.querySelectorAll(".sfa-choose-list button").length).toBe(3));
      input.value = typed;
      input.dispatchEvent(new Event("input"));
      press("Enter", {}, input);
      await vi.waitFor(() => expect(document.querySelector("dialog")).toBeNull());
    };
    await ask("satur");
    expect(kernel.row("b").count).toBe(2);
    button("Undo").click();
    await vi.waitFor(() => expect(kernel.row("b").count).toBe(0));
    await ask("Sunday");
    expect(kernel.row("new1")).toMatchObject({ name: "Sunday", count: 2 });
  });
});
