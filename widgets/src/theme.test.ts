import { afterEach, describe, expect, it, vi } from "vitest";
import { chooseTheme, currentTheme, followTheme } from "./theme";

describe("the theme", () => {
  afterEach(() => {
    chooseTheme("auto");
    for (const name of ["voila", "jpThemeLight"]) delete document.body.dataset[name];
  });

  it("follows JupyterLab, as it changes", async () => {
    document.body.dataset.jpThemeLight = "true";
    const el = document.createElement("div");
    const end = new AbortController();
    followTheme(el, end.signal);
    expect(el.dataset.theme).toBe("light");
    document.body.dataset.jpThemeLight = "false";
    await vi.waitFor(() => expect(el.dataset.theme).toBe("dark"));
    end.abort();
  });

  it("does not take the mark that Voila puts on every page for a wish", () => {
    vi.spyOn(window, "matchMedia").mockReturnValue({ matches: true } as MediaQueryList);
    document.body.dataset.voila = "voila";
    document.body.dataset.jpThemeLight = "false";
    expect(currentTheme()).toBe("light");
  });

  it("is what the person chose, whatever the page says", () => {
    document.body.dataset.jpThemeLight = "true";
    chooseTheme("dark");
    expect(currentTheme()).toBe("dark");
  });
});
