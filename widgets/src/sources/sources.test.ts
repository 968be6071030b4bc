import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BridgeError } from "../bridge";
import { FakeBridge, type FakeHandlers, FakeModel } from "../testing/fake";
import { jobLists, jobRow, overview } from "../testing/rows";
import type { BatchState, DownloadsState, FolderRow, LinkPreview, SpotifyState, Stage, ToolRow } from "../types";
import { Layer } from "../ui/layer";
import widget from "./index";
import { type ImportOptions, openImport } from "./panel";
import { mountSources } from "./settings";

const preview = (changes: Partial<LinkPreview> = {}): LinkPreview => ({
  link: "spotify:playlist:p", kind: "playlist", name: "Night Drive", owner: "Ada", url: null, total: 4, skipped: 1, note: null, here: 1,
  songs: [
    { title: "One", artist: "A", album: "", duration: 200, here: true }, { title: "Two", artist: "B", album: "", duration: 201, here: false },
    { title: "Three", artist: "C", album: "", duration: null, here: false },
  ],
  fetched_at: new Date().toISOString(), ...changes,
});
const account = (changes: Partial<SpotifyState> = {}): SpotifyState =>
  ({ client: true, secret: false, login: "done", name: "Ada", error: null, redirect: "http://127.0.0.1/callback", ...changes });
const tool = (changes: Partial<ToolRow> = {}): ToolRow =>
  ({ name: "yt-dlp", label: "yt-dlp", ok: true, detail: "2026.10.21", hint: null, installable: true, job: null, ...changes });
const downloads = (changes: Partial<DownloadsState> = {}): DownloadsState =>
  ({ allowed: true, on: true, notice: "Only what you may.", format: "flac", tools: [tool()], ...changes });
const nothing: BatchState = { kinds: [], running: [], waiting: [], failed: [], paused: false, brought: null };

let end: AbortController;
let bridge: FakeBridge;
const sent: { files: File[]; stages: Stage[] | undefined }[] = [];

beforeEach(() => {
  end = new AbortController();
  localStorage.clear();
  sent.length = 0;
});
afterEach(() => {
  end.abort();
  document.body.replaceChildren();
});

function kernel(handlers: FakeHandlers = {}): FakeBridge {
  return (bridge = new FakeBridge({
    ...jobLists([]),
    "links.parse": ({ text }) => {
      if (!text.includes("spotify")) throw new BridgeError("This is no link of Spotify.", "Copy one there.");
      return { link: "spotify:playlist:p", kind: "playlist" };
    },
    "links.preview": () => ({ preview: preview() }),
    "links.import": () => ({ jobs: ["j"], batch: "b" }),
    "batch.show": () => nothing,
    "spotify.state": () => account(),
    "spotify.playlists": () => ({
      playlists: [
        { link: "spotify:collection", name: "Liked songs", owner: "", total: 9, playlist: null },
        { link: "spotify:playlist:p", name: "Night Drive", owner: "Ada", total: 3, playlist: "here" },
        { link: "spotify:playlist:q", name: "Morning", owner: "Ada", total: 5, playlist: null },
      ],
      fetched_at: new Date().toISOString(), jobs: [],
    }),
    "downloads.state": () => downloads(),
    "folders.list": () => ({ folders: [], roots: ["/home"] }),
    "folders.browse": ({ path }) => (path === null
      ? { path: null, parent: null, folders: [{ name: "home", path: "/home" }], songs: 0 }
      : { path, parent: null, folders: [{ name: "Sets", path: `${path}/Sets` }], songs: 2 }),
    "folders.import": () => ({ jobs: ["j"], batch: "b" }),
    "credentials.list": () => ({ credentials: [], protection: "Kept encrypted." }),
    ...handlers,
  }));
}

function open(options: ImportOptions, handlers: FakeHandlers = {}, onPlaylist?: (id: string) => void): HTMLDialogElement {
  const uploads = {
    add: (files: Iterable<File>, stages?: Stage[]) => {
      sent.push({ files: [...files], stages });
      return Promise.resolve();
    },
    choose: () => undefined,
  };
  openImport(kernel(handlers), { layer: new Layer(end.signal), signal: end.signal, uploads, ...(onPlaylist && { onPlaylist }) }, options);
  return document.querySelector("dialog") as HTMLDialogElement;
}

const page = () => document.body;
const says = (text: string) => vi.waitFor(() => expect(page().textContent).toContain(text));
const button = (name: string) => {
  const found = [...document.querySelectorAll("button")].find((one) => (one.getAttribute("aria-label") ?? one.textContent) === name);
  if (!found) throw new Error(`There is no button ${name}.`);
  return found;
};
const ready = (name: string) => vi.waitFor(() => {
  const found = button(name);
  expect(found.disabled).toBe(false);
  return found;
});
const tick = (label: string) => {
  const box = [...document.querySelectorAll("label")].find(({ textContent }) => textContent === label)?.querySelector("input");
  if (!box) throw new Error(`There is no box ${label}.`);
  box.click();
};
const type = (field: Element | null, text: string) => {
  if (!(field instanceof HTMLInputElement)) throw new Error("There is no such field.");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

describe("a link that is pasted", () => {
  it("is read at once, and what is none is refused without asking the service", async () => {
    const dialog = open({ tab: "link" });
    type(dialog.querySelector("input[type=text]"), "https://example.org/x");
    await says("This is no link of Spotify. Copy one there.");
    expect(bridge.params("links.look")).toEqual([]);
    expect(button("Add").disabled).toBe(true);
  });

  it("shows what it leads to and what is here of it, and asks nobody again so soon", async () => {
    open({ text: "https://open.spotify.com/playlist/p" });
    await says("Playlist · by Ada · 3 songs · 1 in the library");
    await says("2 songs are not here yet");
    await says("1 item is left out");
    expect(bridge.params("links.look")).toEqual([]);
  });

  it("asks the service about what nobody has looked at yet", async () => {
    let known: LinkPreview | null = null;
    open({ text: "spotify:playlist:p" }, {
      "links.preview": () => ({ preview: known }),
      "links.look": () => {
        known = preview();
        return { jobs: ["l"] };
      },
      "jobs.show": ({ id }) => ({ job: jobRow(id, { kind: "lookup", status: "completed" }), arguments: {}, needs: [] }),
    });
    await says("Night Drive");
    expect(bridge.params("links.look")).toEqual([{ link: "spotify:playlist:p" }]);
  });

  it("says why the service told nothing, and offers a login where nobody is logged in", async () => {
    open({ text: "spotify:playlist:p" }, {
      "links.preview": () => ({ preview: null }),
      "links.look": () => ({ jobs: ["l"] }),
      "spotify.state": () => account({ login: "none", secret: true }),
      "jobs.show": ({ id }) => ({ job: jobRow(id, { status: "failed", error: "It is kept to its owner." }), arguments: {}, needs: [] }),
    });
    await says("It is kept to its owner.");
    button("Log in to Spotify…").click();
    await says("Log in to see your playlists");
  });

  it("brings nothing in where the service keeps the songs to itself", async () => {
    open({ text: "spotify:playlist:p" }, {
      "links.preview": () => ({ preview: preview({ note: "Its songs are shown to its owner only.", songs: [], here: 0 }) }),
    });
    await says("Its songs are shown to its owner only.");
    expect(button("Add").disabled).toBe(true);
    expect(page().textContent).not.toContain("can be downloaded");
  });

  it("asks for a login first where nobody would be answered", async () => {
    open({ text: "spotify:playlist:p" }, { "links.preview": () => ({ preview: null }), "spotify.state": () => account({ login: "none" }) });
    await says("once you are logged in");
    expect(bridge.params("links.look")).toEqual([]);
  });

  it("leads to the way to set Spotify up where nobody has", async () => {
    open({ text: "spotify:playlist:p" }, {
      "links.preview": () => ({ preview: null }), "spotify.state": () => account({ client: false, login: "none" }),
    });
    await says("once it knows you");
    expect(bridge.params("links.look")).toEqual([]);
    button("Set up Spotify…").click();
    await says("http://127.0.0.1/callback");
  });

  it("comes in with the stages that were chosen, and they are remembered", async () => {
    open({ text: "spotify:playlist:p" });
    await says("Download the songs that are not here");
    tick("Download the songs that are not here");
    tick("Separate stems");
    (await ready("Import and download 2 songs")).click();
    await vi.waitFor(() => expect(bridge.params("links.import")).toEqual([
      { link: "spotify:playlist:p", download: true, stages: ["analyze", "autocue"] },
    ]));
    document.querySelector("dialog")?.close();
    open({ tab: "files" });
    const boxes = [...document.querySelectorAll<HTMLInputElement>(".sfa-stages input")];
    expect(boxes.map(({ checked }) => checked)).toEqual([false, true, true]);
  });

  it("is not downloaded where downloads are off, until a person has agreed", async () => {
    let on = false;
    open({ text: "spotify:playlist:p" }, {
      "downloads.state": () => downloads({ on }),
      "downloads.switch": (params) => {
        on = params.on && params.agreed;
        return {};
      },
    });
    (await ready("Switch on…")).click();
    await says("Only what you may.");
    expect(button("Switch downloads on").disabled).toBe(true);
    tick("I have read this and agree.");
    button("Switch downloads on").click();
    await ready("Import and download 2 songs");
    expect(bridge.params("downloads.switch")).toEqual([{ on: true, agreed: true }]);
  });

  it("says so when there is nothing new in it", async () => {
    open({ text: "spotify:playlist:p" }, { "links.import": () => ({ jobs: [], batch: null }) });
    (await ready("Import")).click();
    await says("There is nothing new");
  });
});

describe("stages", () => {
  it("know that cues are found in an analysis", () => {
    open({ tab: "files" });
    tick("Analyse");
    const boxes = [...document.querySelectorAll<HTMLInputElement>(".sfa-stages input")];
    expect(boxes.map(({ checked, disabled }) => [checked, disabled])).toEqual([[true, false], [false, false], [false, true]]);
  });
});

describe("files", () => {
  it("are shown before they are sent, each once, and one can be left out", async () => {
    const dialog = open({ tab: "files" });
    const drop = (...names: string[]) => {
      const event = new Event("drop", { bubbles: true, cancelable: true });
      const files = names.map((name) => new File(["x"], name, { lastModified: 1 }));
      const items = files.map((file) => ({ kind: "file", getAsFile: () => file, webkitGetAsEntry: () => null }));
      Object.assign(event, { dataTransfer: { types: ["Files"], files, items } });
      dialog.querySelector(".sfa-import")?.dispatchEvent(event);
    };
    drop("a.mp3", "b.mp3");
    await ready("Add 2 files");
    drop("b.mp3", "c.m3u8");
    await ready("Add 3 files");
    button("Leave out a.mp3").click();
    button("Add 2 files").click();
    await vi.waitFor(() => expect(sent.map(({ files, stages }) => [files.map(({ name }) => name), stages])).toEqual([
      [["b.mp3", "c.m3u8"], ["separate", "analyze", "autocue"]],
    ]));
    expect(document.querySelector("dialog")).toBeNull();
  });
});

describe("a folder of the kernel's computer", () => {
  it("is looked into, and comes in as it was chosen", async () => {
    open({ tab: "folder" });
    await says("/home");
    (document.querySelector(".sfa-folder") as HTMLElement).click();
    await says("2 songs in it directly");
    (document.querySelector("input[value=leave]") as HTMLElement).click();
    tick("Watch it: songs that are put there later come by themselves");
    (await ready("Add and watch the folder")).click();
    await vi.waitFor(() => expect(bridge.params("folders.import")).toEqual([
      { path: "/home", reference: true, watch: true, stages: ["separate", "analyze", "autocue"] },
    ]));
  });

  it("that is not there is said, and the place stays", async () => {
    open({ tab: "folder" }, {
      "folders.browse": ({ path }) => {
        if (path === "/nowhere") throw new BridgeError("There is no folder /nowhere.");
        return { path: path ?? "/home", parent: null, folders: [], songs: 0 };
      },
    });
    await says("There are no folders in it.");
    const field = document.querySelector<HTMLInputElement>(".sfa-place input[type=text]");
    type(field, "/nowhere");
    field?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    await says("There is no folder /nowhere.");
    expect(button("Add the folder").disabled).toBe(false);
  });

  it("cannot be one where no page may look", async () => {
    open({ tab: "folder" }, { "folders.browse": () => ({ path: null, parent: null, folders: [], songs: 0 }) });
    await says("may look into no folder");
  });
});

describe("the playlists of an account", () => {
  it("are searched, and several come in at once", async () => {
    open({ tab: "spotify" });
    await says("Liked songs");
    type(document.querySelector("input[type=search]"), "ada");
    const boxes = () => [...document.querySelectorAll<HTMLInputElement>(".sfa-mine input")];
    await vi.waitFor(() => expect(boxes()).toHaveLength(2));
    boxes()[0]?.click();
    boxes()[1]?.click();
    (await ready("Import 2 playlists")).click();
    await vi.waitFor(() => expect(bridge.params("links.import").map(({ link }) => link)).toEqual(["spotify:playlist:p", "spotify:playlist:q"]));
    await says("2 playlists");
  });

  it("that were begun are watched, also when a later one fails", async () => {
    open({ tab: "spotify" }, {
      "links.import": ({ link }) => {
        if (link.endsWith(":q")) throw new BridgeError("The disk is full.");
        return { jobs: ["j"], batch: "b" };
      },
    });
    await says("Morning");
    for (const box of document.querySelectorAll<HTMLInputElement>(".sfa-mine input")) box.click();
    (await ready("Import 3 playlists")).click();
    await says("The disk is full.");
    await vi.waitFor(() => expect(bridge.params("batch.show")).not.toEqual([]));
  });

  it("are looked into before they come in", async () => {
    open({ tab: "spotify" });
    await says("Morning");
    button("Preview Morning").click();
    await vi.waitFor(() => expect(bridge.params("links.parse")).toEqual([{ text: "spotify:playlist:q" }]));
    await says("by Ada");
  });

  it("are asked for anew when nobody has asked yet; a failure is said", async () => {
    open({ tab: "spotify" }, {
      "spotify.playlists": ({ refresh }) => ({ playlists: [], fetched_at: null, jobs: refresh ? ["l"] : [] }),
      "jobs.show": ({ id }) => ({ job: jobRow(id, { status: "failed", error: "Spotify cannot be reached." }), arguments: {}, needs: [] }),
    });
    await says("Spotify cannot be reached.");
    expect(button("Try again")).toBeTruthy();
  });

  it("come after a login, which opens in a tab of its own or is pasted", async () => {
    let state = account({ login: "none" });
    const tab = { opener: {}, location: { href: "" }, close: vi.fn() };
    const opened = vi.spyOn(window, "open").mockReturnValue(tab as unknown as Window);
    open({ tab: "spotify" }, {
      "spotify.state": () => state,
      "spotify.login": () => {
        state = account({ login: "waiting" });
        return { url: "https://accounts.example/authorize" };
      },
      "spotify.paste": () => {
        state = account();
        return {};
      },
    });
    (await ready("Log in to Spotify")).click();
    await says("Waiting for your answer");
    expect([tab.location.href, tab.opener]).toEqual(["https://accounts.example/authorize", null]);
    type(document.querySelector(".sfa-login input"), "http://127.0.0.1:1/callback?code=c&state=s");
    button("Finish").click();
    await says("Logged in");
    await says("Liked songs");
    expect(bridge.params("spotify.paste")).toEqual([{ url: "http://127.0.0.1:1/callback?code=c&state=s" }]);
    opened.mockRestore();
  });

  it("keep what is typed while news come in", async () => {
    open({ tab: "spotify" }, { "spotify.state": () => account({ login: "waiting" }) });
    await says("Waiting for your answer");
    type(document.querySelector(".sfa-login input"), "http://127.0");
    bridge.push("sources.changed", { what: ["spotify"] });
    await vi.waitFor(() => expect(bridge.params("spotify.state").length).toBeGreaterThan(1));
    expect(document.querySelector<HTMLInputElement>(".sfa-login input")?.value).toBe("http://127.0");
  });
});

describe("what was begun", () => {
  const failed = jobRow("f", { kind: "download", status: "failed", title: "Insomnia", error: "Nothing was this song." });
  const state = (changes: Partial<BatchState> = {}): BatchState => ({
    kinds: [
      { kind: "lookup", status: "completed", jobs: 1 }, { kind: "download", status: "completed", jobs: 6 },
      { kind: "download", status: "failed", jobs: 1 }, { kind: "download", status: "queued", jobs: 3 },
    ],
    running: [], waiting: [], failed: [failed], paused: false, brought: null, ...changes,
  });

  async function begin(handlers: FakeHandlers, onPlaylist?: (id: string) => void): Promise<void> {
    open({ text: "spotify:playlist:p" }, handlers, onPlaylist);
    (await ready("Import")).click();
    await vi.waitFor(() => expect(bridge.params("batch.show")).not.toEqual([]));
  }

  it("is shown as a whole, with what failed and a way to try it again", async () => {
    await begin({ "batch.show": () => state(), "jobs.retry": () => ({ queued: ["f"] }) });
    await says("7 of 10");
    await says("Nothing was this song.");
    expect(document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")).toBe("73");
    button("Try again").click();
    await vi.waitFor(() => expect(bridge.params("jobs.retry")).toEqual([{ ids: ["f"] }]));
  });

  it("says why something waits for another try", async () => {
    const put = jobRow("w", { kind: "download", title: "Strobe", attempt: 1, error: "Spotify asks to wait.", due_s: 1200 });
    await begin({ "batch.show": () => state({ waiting: [put, jobRow("n", { title: "Opus", attempt: 0 })] }) });
    await says("Next try in 20 min 00 s");
    await says("Spotify asks to wait.");
    expect(document.querySelector(".sfa-bringing-now")?.textContent).not.toContain("Opus");
  });

  it("can be paused, and stopped as a whole", async () => {
    let paused = false;
    await begin({
      "batch.show": () => state({ paused }),
      "batch.pause": () => {
        paused = true;
        return {};
      },
      "batch.cancel": () => ({ cancelled: ["a"] }),
    });
    (await ready("Pause")).click();
    await ready("Resume");
    button("Stop").click();
    await vi.waitFor(() => expect(bridge.params("batch.cancel")).toEqual([{ batch: "b" }]));
  });

  it("says that it was stopped, not that it is done", async () => {
    const kinds: BatchState["kinds"] = [
      { kind: "download", status: "completed", jobs: 2 }, { kind: "download", status: "cancelled", jobs: 8 },
    ];
    await begin({ "batch.show": () => state({ kinds, failed: [] }) });
    await says("Stopped: 8 jobs were called off");
    await says("2 of 10");
  });

  it("is followed by the jobs of its batch, and ends", async () => {
    let over = false;
    await begin({ "batch.show": () => (over ? state({ kinds: [{ kind: "download", status: "completed", jobs: 10 }], failed: [] }) : state()) });
    await says("7 of 10");
    over = true;
    bridge.push("jobs.rows", { ...overview([]), jobs: [jobRow("x", { batch: "b" })] });
    await says("Done.");
    button("Done").click();
    expect(document.querySelector("dialog")).toBeNull();
  });

  it("says what came of it, and leads to the playlist", async () => {
    const led: string[] = [];
    const brought: BatchState["brought"] = {
      new: 2, known: 1, refused: [["torn.mp3", "It is torn."]], playlists: [{ id: "here", name: "Night Drive" }],
    };
    await begin(
      { "batch.show": () => state({ kinds: [{ kind: "download", status: "completed", jobs: 3 }], failed: [], brought }) },
      (id) => led.push(id),
    );
    await says("Done. 2 songs are new, 1 was here already. “Night Drive” is among your playlists.");
    await says("1 file cannot be usedtorn.mp3It is torn.");
    button("Show the playlist").click();
    expect(led).toEqual(["here"]);
    expect(document.querySelector("dialog")).toBeNull();
  });
});

describe("the settings of sources", () => {
  const folder = (changes: Partial<FolderRow> = {}): FolderRow => ({
    id: "f", path: "/home/ada/Music", watched: true, reference: true, stages: [], scanned_at: null, problem: null, tracks: 12, refused: 1,
    job: null, ...changes,
  });
  const mount = (handlers: FakeHandlers = {}) => {
    const el = document.createElement("div");
    document.body.append(el);
    mountSources(el, kernel(handlers), { signal: end.signal });
  };

  it("show what is set up, and switch downloads off at once", async () => {
    let on = true;
    mount({
      "downloads.state": () => downloads({ on }),
      "downloads.switch": (params) => {
        on = params.on;
        return {};
      },
    });
    await says("Downloads are on");
    button("Switch off").click();
    await says("I have read this and agree.");
  });

  it("set a program up, and say why that failed", async () => {
    mount({
      "downloads.state": () => downloads({ tools: [tool({ name: "spotdl", label: "spotDL", ok: false, detail: "not found", hint: "Press Set up." })] }),
      "tools.install": () => ({ jobs: ["t"] }),
      "jobs.show": ({ id }) => ({ job: jobRow(id, { kind: "tools", status: "failed", error: "There is no network." }), arguments: {}, needs: [] }),
    });
    await says("Press Set up.");
    button("Set up spotDL").click();
    await says("There is no network.");
    expect(bridge.params("tools.install")).toEqual([{ tool: "spotdl" }]);
  });

  it("forget a folder only when asked twice", async () => {
    let folders = [folder()];
    mount({
      "folders.list": () => ({ folders, roots: [] }),
      "folders.forget": () => {
        folders = [];
        return {};
      },
    });
    await says("Watched · 12 tracks · 1 file not usable · left in place");
    button("Forget /home/ada/Music").click();
    expect(bridge.params("folders.forget")).toEqual([]);
    button("Forget it").click();
    await says("No folder has been added yet.");
  });

  it("stop watching, and say why that failed", async () => {
    mount({
      "folders.list": () => ({ folders: [folder()], roots: [] }),
      "folders.watch": () => { throw new BridgeError("The library is read-only."); },
    });
    await says("Watched");
    button("Stop watching /home/ada/Music").click();
    await says("The library is read-only.");
    expect(bridge.params("folders.watch")).toEqual([{ id: "f", watch: false }]);
  });
});

describe("the same in a notebook", () => {
  it("takes no focus, and looks at its link", async () => {
    const model = new FakeModel({ link: "spotify:playlist:p" });
    const field = document.createElement("input");
    const el = document.createElement("div");
    document.body.append(field, el);
    field.focus();
    const stop = widget.render({ model: model as never, el });
    await vi.waitFor(() => expect(model.sent.map(({ content }) => content)).toContainEqual(
      expect.objectContaining({ method: "links.parse", params: { text: "spotify:playlist:p" } }),
    ));
    expect(document.activeElement).toBe(field);
    expect(el.querySelector("footer")?.textContent).not.toContain("Cancel");
    stop();
    expect(el.childElementCount).toBe(0);
  });
});
