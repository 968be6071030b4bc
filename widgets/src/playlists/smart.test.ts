import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BridgeError } from "../bridge";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { FakePlaylists, playlistRow } from "../testing/playlists";
import { trackRow } from "../testing/rows";
import type { PlaylistRow } from "../types";
import { Layer } from "../ui/layer";
import { clean, CONDITIONS, phrases, without } from "./filter";
import { smartDialog } from "./smart";

describe("a filter", () => {
  it("reads as a sentence", () => {
    expect(phrases({ tempo: [120, 128], octaves: true, compatible_with: "8A", stems: true })).toEqual(["120–128 BPM, half or double", "mixes with 8A", "has stems"]);
    expect(phrases({ keys: ["8A", "9A"], energy: [7, 7], duration: [120, 480], year: [1990, 1999], stems: false })).toEqual([
      "in 8A or 9A", "energy 7", "2:00–8:00 long", "from 1990–1999", "has no stems",
    ]);
    expect(phrases({ added_days: 1, sort: "bpm", descending: true, limit: 50 })).toEqual(["added in the last day", "by tempo, the fastest first", "the first 50"]);
    expect(phrases({})).toEqual([]);
  });

  it("is sent without what says nothing", () => {
    expect(clean({ text: "  ", genre: " House ", keys: [], tempo: null, octaves: false, stems: false })).toEqual({ genre: "House", stems: false });
  });

  it("loses a condition whole", () => {
    const tempo = CONDITIONS.find(({ name }) => name === "tempo") as (typeof CONDITIONS)[number];
    expect(without({ tempo: [1, 2], octaves: true, stems: true }, tempo)).toEqual({ stems: true });
  });
});

describe("the dialog of a smart playlist", () => {
  let end: AbortController;
  let bridge: FakeBridge;
  let done: PlaylistRow | null;
  beforeEach(() => {
    end = new AbortController();
    done = null;
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  function open(playlist?: PlaylistRow, handlers: FakeHandlers = {}): void {
    const kernel = new FakePlaylists();
    if (playlist) kernel.add(playlist);
    bridge = new FakeBridge({
      ...kernel.handlers,
      "playlists.try": ({ filter }) => ({ count: 1200, sentence: phrases(filter).join(", "), rows: [trackRow("t", { title: "Found" })] }),
      ...handlers,
    });
    const host = { layer: new Layer(end.signal), signal: end.signal, load: () => Promise.reject(new Error()) };
    smartDialog(bridge, host, { ...(playlist && { playlist }), done: (made) => { done = made; } });
  }

  const dialog = () => document.querySelector("dialog") as HTMLDialogElement;
  const chip = (name: string) => dialog().querySelector<HTMLElement>(`[data-condition=${name}]`) as HTMLElement;
  const field = (label: string) => dialog().querySelector<HTMLInputElement>(`[aria-label="${label}"]`) as HTMLInputElement;
  const type = (label: string, value: string) => {
    field(label).value = value;
    field(label).dispatchEvent(new Event("input"));
  };
  const button = (label: string) => [...dialog().querySelectorAll("button")].find((each) => each.textContent === label) as HTMLButtonElement;

  it("counts at once what a change would find, and makes it under what it says", async () => {
    open();
    await vi.waitFor(() => expect(dialog().textContent).toContain("1,200 tracks fit"));
    expect(dialog().textContent).toContain("Found");
    chip("tempo").click();
    type("Tempo to", "130");
    chip("stems").click();
    await vi.waitFor(() => expect(bridge.params("playlists.try").at(-1)?.filter).toEqual({ tempo: [120, 130], stems: true }));
    await vi.waitFor(() => expect(dialog().querySelector<HTMLInputElement>("input")?.placeholder).toBe("120–130 BPM, has stems"));
    button("Create").click();
    await vi.waitFor(() => expect(done?.name).toBe("120–130 BPM, has stems"));
    expect(bridge.params("playlists.create")).toEqual([{ name: "120–130 BPM, has stems", filter: { tempo: [120, 130], stems: true } }]);
  });

  it("takes no number that makes no sense", () => {
    open();
    chip("tempo").click();
    for (const [label, value] of [["Tempo from", "abc"], ["Tempo from", "0"], ["Tempo from", "200"]] as const) {
      type(label, value);
      expect(dialog().querySelector<HTMLElement>("[role=alert]:not([hidden])")?.textContent).not.toBe("");
      expect(button("Create").disabled).toBe(true);
    }
    type("Tempo from", "100,5");
    expect(button("Create").disabled).toBe(false);
    expect(chip("tempo").textContent).toBe("100.5–128 BPM");
  });

  it("changes one that is there: keys by the wheel, its name beside", async () => {
    open(playlistRow("s", { kind: "smart", name: "Peak", filter: { compatible_with: "8A", energy: [7, 10] } }));
    chip("key").click();
    field("Which keys").querySelector<HTMLInputElement>("[value=exact]")?.click();
    [...field("Keys").querySelectorAll("button")].find(({ textContent }) => textContent === "9A")?.click();
    expect(chip("key").textContent).toBe("in 8A or 9A");
    dialog().querySelector<HTMLElement>("[aria-label='Without: Energy']")?.click();
    (dialog().querySelector("input") as HTMLInputElement).value = "Peak time";
    button("Save").click();
    await vi.waitFor(() => expect(done).toMatchObject({ name: "Peak time", filter: { keys: ["8A", "9A"] } }));
    expect(bridge.params("playlists.filter")).toEqual([{ id: "s", filter: { keys: ["8A", "9A"] } }]);
  });

  it("stays open with the reason when it is refused", async () => {
    open(undefined, { "playlists.create": () => { throw new BridgeError("There is one of that name.", "Choose another."); } });
    button("Create").click();
    await vi.waitFor(() => expect(dialog().textContent).toContain("There is one of that name. Choose another."));
    expect(done).toBeNull();
  });
});
