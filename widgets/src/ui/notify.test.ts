import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Notice } from "../types";
import { Layer } from "./layer";
import { notifyButton, tell } from "./notify";

describe("news of the kernel", () => {
  let end: AbortController;
  let layer: Layer;
  let count = 0;
  const news = (changes: Partial<Notice> = {}): Notice =>
    ({ level: "warn", text: "2 of 12 jobs failed.", jobs: "failed", id: `news-${(count += 1)}`, ...changes });
  const toasts = () => [...document.querySelectorAll<HTMLElement>(".sfa-toast")];

  class FakeNotification extends EventTarget {
    static permission: NotificationPermission = "granted";
    static readonly shown: { title: string; options: NotificationOptions | undefined }[] = [];
    static requestPermission = vi.fn(() => {
      FakeNotification.permission = "granted";
      return Promise.resolve(FakeNotification.permission);
    });

    constructor(title: string, options?: NotificationOptions) {
      super();
      FakeNotification.shown.push({ title, options });
    }
  }

  beforeEach(() => {
    end = new AbortController();
    layer = new Layer(end.signal);
    FakeNotification.permission = "granted";
    FakeNotification.shown.length = 0;
    vi.stubGlobal("Notification", FakeNotification);
    vi.stubGlobal("isSecureContext", true);
  });
  afterEach(() => {
    end.abort();
    vi.unstubAllGlobals();
    document.body.replaceChildren();
  });

  it("is told once, however many widgets hear it, with the way to what it is about", () => {
    const show = vi.fn();
    const heard = news();
    tell(heard, layer, show);
    tell(heard, layer, show);
    expect(toasts()).toHaveLength(1);
    expect(FakeNotification.shown).toHaveLength(0);
    toasts()[0]?.querySelector("button")?.click();
    expect(show).toHaveBeenCalledWith("failed");
  });

  it("goes to the system only where the page is out of sight and the person agrees", () => {
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    tell(news(), layer);
    expect(FakeNotification.shown.map(({ options }) => options?.body)).toEqual(["2 of 12 jobs failed."]);
    FakeNotification.permission = "default";
    tell(news(), layer);
    expect(FakeNotification.shown).toHaveLength(1);
    expect(FakeNotification.requestPermission).not.toHaveBeenCalled();
  });

  it("is offered once, where somebody can be asked", async () => {
    expect(notifyButton().hidden).toBe(true);
    FakeNotification.permission = "default";
    const button = notifyButton();
    expect(button.hidden).toBe(false);
    button.click();
    await vi.waitFor(() => expect(button.hidden).toBe(true));
    vi.stubGlobal("isSecureContext", false);
    FakeNotification.permission = "default";
    expect(notifyButton().hidden).toBe(true);
  });
});
