import { describe, expect, it, vi } from "vitest";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { jobRow, overview } from "../testing/rows";
import type { JobRow } from "../types";
import { fingerprint, plain } from "./fingerprint";
import { droppedFiles, isMusic } from "./files";
import { Layer } from "../ui/layer";
import { CHUNK, Uploader, type UploadProgress } from "./upload";
import { mountUploads } from "./uploads";

/** A kernel that keeps what it was sent, and whose jobs are done at once. */
function kernel(handlers: FakeHandlers = {}, job: (upload: string) => Partial<JobRow> = () => ({})): FakeBridge {
  let uploads = 0;
  const rows = (upload: string) => jobRow(upload, { kind: "upload", status: "completed", ...job(upload) });
  return new FakeBridge({
    "upload.begin": () => ({ upload: `u${++uploads}`, received: 0 }),
    "upload.chunk": ({ offset }, { buffers }) => ({ received: offset + (buffers?.[0]?.byteLength ?? 0) }),
    "upload.finish": ({ upload }) => ({ jobs: [upload], batch: "b" }),
    "upload.abort": () => ({}),
    "jobs.show": ({ id }) => ({ job: rows(id), arguments: { new: id !== "u2" }, needs: [] }),
    ...handlers,
  });
}

function file(name: string, size: number, lastModified = 1): File {
  return new File([new Uint8Array(size)], name, { lastModified });
}

function uploader(bridge: FakeBridge) {
  const events = { progress: vi.fn<(state: UploadProgress | null) => void>(), failed: vi.fn(), finished: vi.fn() };
  const end = new AbortController();
  return { ...events, end, queue: new Uploader(bridge, events, end.signal) };
}

describe("an upload", () => {
  it("sends a file in chunks that every connection carries, and waits for its job", async () => {
    const bridge = kernel();
    const { queue, progress, finished } = uploader(bridge);
    await queue.add([file("song.wav", 2 * CHUNK + 5)], ["analyze"]);
    expect(bridge.params("upload.begin")).toEqual([
      { name: "song.wav", size: 2 * CHUNK + 5, fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    const sizes = bridge.calls.filter(({ method }) => method === "upload.chunk")
      .map(({ options }) => options.buffers?.[0]?.byteLength);
    expect(sizes).toEqual([CHUNK, CHUNK, 5]);
    expect(bridge.params("upload.chunk").map(({ offset }) => offset)).toEqual([0, CHUNK, 2 * CHUNK]);
    expect(bridge.params("upload.finish")).toEqual([{ upload: "u1", stages: ["analyze"] }]);
    const sent = progress.mock.calls.map(([state]) => state?.sent);
    expect([...new Set(sent)]).toEqual([0, CHUNK, 2 * CHUNK, 2 * CHUNK + 5, undefined]);
    expect(finished).toHaveBeenCalledWith({ added: 1, known: 0, playlists: 0 });
  });

  it("goes on where the kernel has it", async () => {
    const bridge = kernel({ "upload.begin": () => ({ upload: "u1", received: CHUNK + 3 }) });
    const { queue, finished } = uploader(bridge);
    await queue.add([file("song.wav", CHUNK + 5)], []);
    expect(bridge.params("upload.chunk")).toEqual([{ upload: "u1", offset: CHUNK + 3 }]);
    expect(finished).toHaveBeenCalledWith({ added: 1, known: 0, playlists: 0 });
  });

  it("takes several files one after the other and tells new from known, and songs from playlists", async () => {
    const bridge = kernel({
      "jobs.show": ({ id }) => ({
        job: jobRow(id, { status: "completed" }), needs: [],
        arguments: id === "u3" ? { playlists: ["p", "q"] } : { new: id !== "u2" },
      }),
    });
    const { queue, progress, finished } = uploader(bridge);
    const first = queue.add([file("a", 1), file("b", 1)], []);
    void queue.add([file("c.m3u8", 1)], []);
    await first;
    expect(finished).toHaveBeenCalledWith({ added: 1, known: 1, playlists: 2 });
    expect(progress.mock.calls.some(([state]) => state?.name === "c.m3u8" && state.position === 3 && state.count === 3)).toBe(true);
    expect(progress).toHaveBeenLastCalledWith(null);
  });

  it("sends the next file while a job is under way", async () => {
    const bridge = kernel({}, () => ({ status: "processing" }));
    const { queue, finished } = uploader(bridge);
    const adding = queue.add([file("a", 1), file("b", 1)], []);
    await vi.waitFor(() => expect(bridge.params("upload.finish").length).toBe(2));
    expect(queue.busy).toBe(false);
    expect(finished).not.toHaveBeenCalled();
    const jobs = ["u1", "u2"].map((id) => jobRow(id, { status: "completed" }));
    await vi.waitFor(() => expect(bridge.params("jobs.show").length).toBe(2));
    bridge.push("jobs.rows", { jobs, ...overview(jobs) });
    await adding;
    expect(finished).toHaveBeenCalledWith({ added: 1, known: 1, playlists: 0 });
  });

  it("says why a job could not use a file, and can try again", async () => {
    const bridge = kernel({}, (id) => (id === "u1" ? { status: "failed", error: "This is no audio." } : {}));
    const { queue, failed, finished } = uploader(bridge);
    await queue.add([file("notes.txt", 1)], ["analyze"]);
    expect(failed.mock.calls[0]).toMatchObject(["notes.txt", { message: "This is no audio." }, expect.any(Function)]);
    expect(finished).toHaveBeenLastCalledWith({ added: 0, known: 0, playlists: 0 });
    failed.mock.calls[0]?.[2]();
    await vi.waitFor(() => expect(finished).toHaveBeenCalledTimes(2));
    expect(bridge.params("upload.finish").at(-1)).toEqual({ upload: "u2", stages: ["analyze"] });
  });

  it("goes on after a file that got lost on the way, which stays in the kernel to be tried again", async () => {
    let lost = true;
    const bridge = kernel({
      "upload.chunk": ({ offset }, { buffers }) => {
        const received = lost ? 0 : offset + (buffers?.[0]?.byteLength ?? 0);
        lost = false;
        return { received };
      },
    });
    const { queue, failed, finished } = uploader(bridge);
    await queue.add([file("a", 10), file("b", 10)], []);
    expect(failed.mock.calls[0]?.[1]).toMatchObject({ message: "A part of the file got lost on the way." });
    expect(bridge.params("upload.abort")).toEqual([]);
    expect(finished).toHaveBeenCalledWith({ added: 0, known: 1, playlists: 0 });
  });

  it("refuses an empty file without asking", async () => {
    const bridge = kernel();
    const { queue, failed } = uploader(bridge);
    await queue.add([file("a", 0)], []);
    expect(failed.mock.calls[0]?.[1]).toMatchObject({ message: "The file is empty." });
    expect(bridge.calls).toEqual([]);
  });

  it("stops when it is cancelled, in the kernel too, and can be used again", async () => {
    const bridge = kernel();
    const { queue, failed, finished } = uploader(bridge);
    bridge.handlers["upload.chunk"] = () => {
      queue.cancel();
      return { received: 1 };
    };
    await queue.add([file("a", 1), file("b", 1)], []);
    expect(failed).not.toHaveBeenCalled();
    expect(finished).toHaveBeenCalledWith({ added: 0, known: 0, playlists: 0 });
    expect(bridge.params("upload.finish")).toEqual([]);
    expect(bridge.params("upload.abort")).toEqual([{ upload: "u1" }]);
    bridge.handlers["upload.chunk"] = () => ({ received: 1 });
    await queue.add([file("c", 1)], []);
    expect(bridge.params("upload.finish").length).toBe(1);
  });

  it("leaves what was sent where it is when the page goes", async () => {
    const bridge = kernel();
    const { queue, end, finished } = uploader(bridge);
    bridge.handlers["upload.chunk"] = () => {
      end.abort();
      return { received: 1 };
    };
    await queue.add([file("a", 1)], []);
    expect(bridge.params("upload.abort")).toEqual([]);
    expect(finished).not.toHaveBeenCalled();
  });
});

describe("files that cannot be used", () => {
  it("are told in one message, which tries all of them again", async () => {
    const end = new AbortController();
    const bridge = kernel({}, (id) => (["u1", "u2"].includes(id) ? { status: "failed", error: "This is no audio." } : {}));
    const uploads = mountUploads(document.body, bridge, new Layer(end.signal), end.signal);
    await uploads.add([file("a.mp3", 1), file("b.mp3", 1)], []);
    const toasts = [...document.querySelectorAll(".sfa-toast.is-danger")];
    expect(toasts.map((toast) => toast.textContent)).toEqual([expect.stringContaining("2 files could not be added. The last: b.mp3: This is no audio.")]);
    [...(toasts[0]?.querySelectorAll("button") ?? [])].find(({ textContent }) => textContent === "Try all again")?.click();
    await vi.waitFor(() => expect(bridge.params("upload.finish").map(({ upload }) => upload)).toEqual(["u1", "u2", "u3", "u4"]));
    end.abort();
  });
});

describe("a fingerprint", () => {
  it("tells files apart by name, time, size and both ends", async () => {
    const data = new Uint8Array(300_000);
    const other = data.slice();
    other[299_999] = 1;
    const make = (bytes: Uint8Array, name = "a", lastModified = 1) => fingerprint(new File([bytes as BlobPart], name, { lastModified }));
    const prints = await Promise.all([make(data), make(other), make(data, "b"), make(data, "a", 2), make(data.slice(1))]);
    expect(new Set(prints).size).toBe(5);
    expect(await make(data)).toBe(prints[0]);
  });

  it("works without a secure context", async () => {
    vi.stubGlobal("crypto", {});
    const [one, other] = await Promise.all([fingerprint(file("a", 5)), fingerprint(file("b", 5))]);
    vi.unstubAllGlobals();
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(one).not.toBe(other);
    const inputs = Array.from({ length: 2000 }, (_, i) => plain(new TextEncoder().encode(`song ${i}`)).join());
    expect(new Set(inputs).size).toBe(2000);
  });
});

describe("a drop", () => {
  function entry(name: string, inside?: FileSystemEntry[]): FileSystemEntry {
    let told = false;
    return {
      name, isDirectory: inside !== undefined, isFile: inside === undefined,
      file: (resolve: (one: File) => void) => resolve(file(name, 1)),
      createReader: () => ({
        readEntries: (resolve: (some: FileSystemEntry[]) => void) => {
          resolve(told ? [] : (inside ?? []));
          told = true;
        },
      }),
    } as unknown as FileSystemEntry;
  }

  it("gives the files, and the songs and playlists of folders in their order", async () => {
    const entries = [
      entry("readme.txt"),
      entry("Album", [
        entry("10.mp3"), entry("2.mp3"), entry("cover.jpg"), entry(".2.mp3"), entry("settings.xml"),
        entry("CD 2", [entry("1.FLAC"), entry("list.m3u8")]), entry(".hidden", [entry("x.mp3")]),
      ]),
    ];
    const data = {
      items: entries.map((one) => ({ kind: "file", webkitGetAsEntry: () => one })),
      files: entries.map(({ name }) => file(name, 1)),
    } as unknown as DataTransfer;
    const names = (await droppedFiles(data)).map(({ name }) => name);
    expect(names).toEqual(["readme.txt", "2.mp3", "10.mp3", "1.FLAC", "list.m3u8"]);
    expect(isMusic(file("set.M3U", 1))).toBe(true);
  });
});
