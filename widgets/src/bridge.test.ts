import { afterEach, beforeEach, describe as group, expect, it, vi } from "vitest";
import { BridgeError, isAbort, ModelBridge } from "./bridge";
import { FakeModel } from "./testing/fake";

group("a bridge", () => {
  let model: FakeModel;
  let view: AbortController;
  let bridge: ModelBridge;

  beforeEach(() => {
    vi.useFakeTimers();
    model = new FakeModel();
    view = new AbortController();
    bridge = new ModelBridge(model, view.signal);
  });
  afterEach(() => {
    view.abort();
    vi.useRealTimers();
  });

  const lastId = () => model.sent.at(-1)?.content.id as string;

  it("resolves with the result and the buffers of its own reply", async () => {
    const asked = bridge.request("track.open", { id: "a" });
    expect(model.sent[0]?.content).toMatchObject({ method: "track.open", params: { id: "a" } });
    const bytes = new DataView(new ArrayBuffer(3));
    model.receive({ id: "somebody else's", result: 1 });
    model.receive({ id: lastId(), result: { fine: true } }, [bytes]);
    await expect(asked).resolves.toEqual({ result: { fine: true }, buffers: [bytes] });
  });

  it("carries buffers up", () => {
    const chunk = new ArrayBuffer(4);
    bridge.request("upload.chunk", { upload: "u", offset: 0 }, { buffers: [chunk] }).catch(() => {});
    expect(model.sent[0]?.buffers).toEqual([chunk]);
  });

  it("rejects an error reply with its message and hint", async () => {
    const asked = bridge.request("doctor", {});
    model.receive({ id: lastId(), error: { message: "No such track.", hint: "Refresh." } });
    const error = await asked.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BridgeError);
    expect(error).toMatchObject({ message: "No such track.", hint: "Refresh." });
  });

  it("says so when no answer comes, and drops the work", async () => {
    const asked = bridge.request("doctor", {}, { timeoutMs: 5000 });
    const id = lastId();
    const outcome = expect(asked).rejects.toMatchObject({ message: "The kernel did not answer within 5 s." });
    await vi.advanceTimersByTimeAsync(5000);
    await outcome;
    expect(model.sent.at(-1)?.content).toEqual({ id, cancel: true });
    model.receive({ id, result: "too late" });
  });

  it("cancels in the kernel when the caller aborts", async () => {
    const abort = new AbortController();
    const asked = bridge.request("doctor", {}, { signal: abort.signal });
    const id = lastId();
    abort.abort();
    const error = await asked.catch((reason: unknown) => reason);
    expect(isAbort(error)).toBe(true);
    expect(model.sent.at(-1)?.content).toEqual({ id, cancel: true });
  });

  it("does not ask at all when already aborted", async () => {
    const abort = AbortSignal.abort();
    await expect(bridge.request("doctor", {}, { signal: abort })).rejects.toMatchObject({ name: "AbortError" });
    expect(model.sent).toEqual([]);
  });

  it("reports a model that cannot send", async () => {
    model.send = () => { throw new Error("Comm is closed."); };
    await expect(bridge.request("doctor", {})).rejects.toMatchObject({
      message: "The kernel cannot be reached.",
      hint: "Reload the page.",
    });
  });

  it("delivers events until the listener leaves", () => {
    const heard: string[] = [];
    const stop = bridge.on("notice", ({ text }) => heard.push(text));
    model.receive({ event: "notice", data: { level: "ok", text: "one" } });
    stop();
    model.receive({ event: "notice", data: { level: "ok", text: "two" } });
    expect(heard).toEqual(["one"]);
  });

  it("ends with its view: nothing stays pending, nothing listens", async () => {
    const asked = bridge.request("doctor", {});
    view.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
    expect(model.listenerCount("msg:custom")).toBe(0);
    await expect(bridge.request("doctor", {})).rejects.toMatchObject({ name: "AbortError" });
  });

  it("uses ids that two views of one model cannot share", () => {
    const other = new ModelBridge(model, view.signal);
    bridge.request("doctor", {}).catch(() => {});
    const first = lastId();
    other.request("doctor", {}).catch(() => {});
    expect(lastId()).not.toBe(first);
  });
});
