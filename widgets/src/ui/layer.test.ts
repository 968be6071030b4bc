import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BridgeError } from "../bridge";
import { Layer } from "./layer";

describe("the layer above a view", () => {
  let end: AbortController;
  let layer: Layer;
  const toasts = () => [...document.querySelectorAll(".sfa-toast")];
  const press = (key: string) =>
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

  beforeEach(() => {
    vi.useFakeTimers();
    end = new AbortController();
    layer = new Layer(end.signal);
  });
  afterEach(() => {
    end.abort();
    vi.useRealTimers();
    document.body.replaceChildren();
  });

  it("opens a menu that the arrow keys walk and Escape closes, giving the focus back", () => {
    const before = document.createElement("button");
    document.body.append(before);
    before.focus();
    const run = vi.fn();
    layer.menu(5, 5, "Track", [{ label: "Open", run }, "-", { label: "Remove", run, danger: true }]);
    expect(document.activeElement?.textContent).toBe("Open");
    press("ArrowDown");
    expect(document.activeElement?.textContent).toBe("Remove");
    press("ArrowDown");
    expect(document.activeElement?.textContent).toBe("Open");
    press("Escape");
    expect(document.querySelector("[role=menu]")).toBeNull();
    expect(document.activeElement).toBe(before);
    expect(run).not.toHaveBeenCalled();
  });

  it("closes a menu with a press elsewhere", () => {
    layer.menu(5, 5, "Track", [{ label: "Open", run: vi.fn() }]);
    document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    expect(document.querySelector("[role=menu]")).toBeNull();
  });

  it("keeps a toast that can be undone longer than one that cannot", () => {
    layer.toast("ok", "Saved.");
    const run = vi.fn();
    layer.toast("info", "Removed 1 track.", { action: { label: "Undo", run } });
    vi.advanceTimersByTime(6000);
    expect(toasts().map((toast) => toast.querySelector("div")?.textContent)).toEqual(["Removed 1 track."]);
    toasts()[0]?.querySelector<HTMLElement>(".sfa-button")?.click();
    expect(run).toHaveBeenCalledOnce();
    expect(toasts()).toEqual([]);
  });

  it("shows a failure with its way out, and no cancellation", () => {
    layer.failed(new DOMException("", "AbortError"));
    layer.failed(new BridgeError("The disk is full.", "Free some space."));
    expect(toasts()).toHaveLength(1);
    expect(toasts()[0]?.textContent).toContain("Free some space.");
    expect(toasts()[0]?.getAttribute("role")).toBe("alert");
  });

  it("leaves with its view", () => {
    layer.toast("ok", "Saved.");
    end.abort();
    expect(document.querySelector(".sfa-layer")).toBeNull();
  });
});
