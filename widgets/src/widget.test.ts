import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "./testing/fake";
import { defineWidget, type View } from "./widget";

describe("a widget", () => {
  afterEach(() => document.body.replaceChildren());

  function render(host?: AbortSignal): { view: View; model: FakeModel; el: HTMLElement; end: () => void } {
    const model = new FakeModel({ query: "night" });
    const el = document.createElement("div");
    document.body.append(el);
    let view: View | undefined;
    const widget = defineWidget((mounted) => {
      view = mounted;
      mounted.el.append(document.createElement("button"));
    });
    const end = widget.render({ model: model as never, el, ...(host && { signal: host }) });
    return { view: view as View, model, el, end };
  }

  it("reads and writes the traits, and hears of changes", () => {
    const { view, model } = render();
    const heard = vi.fn();
    view.state.on("query", heard);
    expect(view.state.get("query")).toBe("night");
    view.state.set("query", "day");
    expect(model.saves).toBe(1);
    expect(heard).toHaveBeenCalledOnce();
  });

  it("keeps JupyterLab's shortcuts from whatever has the focus in it", () => {
    const { el } = render();
    const button = el.querySelector("button") as HTMLButtonElement;
    button.focus();
    expect(button.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  });

  it.each(["the host's signal", "the function it returns"])("ends with %s", (by) => {
    const host = new AbortController();
    const { view, model, el, end } = render(host.signal);
    view.state.on("query", () => undefined);
    if (by === "the host's signal") host.abort();
    else end();
    expect(view.signal.aborted).toBe(true);
    expect(el.childElementCount).toBe(0);
    expect(model.listenerCount("change:query")).toBe(0);
    expect(model.listenerCount("msg:custom")).toBe(0);
  });
});
