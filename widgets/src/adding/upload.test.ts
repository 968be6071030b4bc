import { describe, expect, it, vi } from "vitest";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { trackRow } from "../testing/rows";
import { CHUNK, Uploader, type UploadProgress } from "./upload";

function kernel(handlers: FakeHandlers = {}): FakeBridge {
  let uploads = 0;
  return new FakeBridge({
    "upload.begin": () => ({ upload: `u${++uploads}` }),
    "upload.chunk": ({ offset }, { buffers }) => ({ received: offset + (buffers?.[0]?.byteLength ?? 0) }),
    "upload.finish": ({ upload }) => ({ track: trackRow(upload), new: upload !== "u2" }),
    "upload.abort": () => ({}),
    ...handlers,
  });
}

function file(name: string, size: number): File {
  return new File([new Uint8Array(size)], name);
}

function uploader(bridge: FakeBridge) {
  const events = {
    progress: vi.fn<(state: UploadProgress | null) => void>(), added: vi.fn(), failed: vi.fn(), finished: vi.fn(),
  };
  const end = new AbortController();
  return { ...events, end, queue: new Uploader(bridge, ["analyze"], events, end.signal) };
}

describe("an upload", () => {
  it("sends a file in chunks that every connection carries", async () => {
    const bridge = kernel();
    const { queue, progress, finished } = uploader(bridge);
    await queue.add([file("song.wav", 2 * CHUNK + 5)]);
    expect(bridge.params("upload.begin")).toEqual([{ name: "song.wav", size: 2 * CHUNK + 5 }]);
    const sizes = bridge.calls.filter(({ method }) => method === "upload.chunk")
      .map(({ options }) => options.buffers?.[0]?.byteLength);
    expect(sizes).toEqual([CHUNK, CHUNK, 5]);
    expect(bridge.params("upload.chunk").map(({ offset }) => offset)).toEqual([0, CHUNK, 2 * CHUNK]);
    expect(bridge.params("upload.finish")).toEqual([{ upload: "u1", stages: ["analyze"] }]);
    expect(progress.mock.calls.map(([state]) => state?.sent)).toEqual([0, CHUNK, 2 * CHUNK, 2 * CHUNK + 5, undefined]);
    expect(finished).toHaveBeenCalledWith(1, 0);
  });

  it("takes several files one after the other and tells new from known", async () => {
    const bridge = kernel();
    const { queue, progress, added, finished } = uploader(bridge);
    const first = queue.add([file("a", 1), file("b", 1)]);
    void queue.add([file("c", 1)]);
    await first;
    expect(added).toHaveBeenCalledTimes(3);
    expect(finished).toHaveBeenCalledWith(2, 1);
    expect(progress.mock.calls.at(-2)?.[0]).toMatchObject({ name: "c", position: 3, count: 3 });
  });

  it("goes on after a file that is refused, and leaves nothing half-made", async () => {
    let first = true;
    const bridge = kernel({
      "upload.finish": () => {
        if (!first) return { track: trackRow("b"), new: true };
        first = false;
        throw new Error("This is no audio.");
      },
    });
    const { queue, failed, finished } = uploader(bridge);
    await queue.add([file("notes.txt", 1), file("b", 1)]);
    expect(failed).toHaveBeenCalledWith("notes.txt", new Error("This is no audio."), expect.any(Function));
    expect(bridge.params("upload.abort")).toEqual([{ upload: "u1" }]);
    expect(finished).toHaveBeenCalledWith(1, 0);
  });

  it("notices a chunk that got lost", async () => {
    const { queue, failed } = uploader(kernel({ "upload.chunk": () => ({ received: 0 }) }));
    await queue.add([file("a", 10)]);
    expect(failed.mock.calls[0]?.[1]).toMatchObject({ message: "A part of the file got lost on the way." });
  });

  it("refuses an empty file without asking", async () => {
    const bridge = kernel();
    const { queue, failed } = uploader(bridge);
    await queue.add([file("a", 0)]);
    expect(failed.mock.calls[0]?.[1]).toMatchObject({ message: "The file is empty." });
    expect(bridge.calls).toEqual([]);
  });

  it("stops when it is cancelled, in the kernel too", async () => {
    const bridge = kernel();
    const { queue, failed, finished } = uploader(bridge);
    const adding = queue.add([file("a", 1), file("b", 1)]);
    queue.cancel();
    await adding;
    expect(failed).not.toHaveBeenCalled();
    expect(finished).toHaveBeenCalledWith(0, 0);
    expect(bridge.params("upload.finish")).toEqual([]);
  });
});
