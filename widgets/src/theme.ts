/** Dark or light: the person's choice, else Jupyter's theme, else the system's. */

export type Theme = "dark" | "light";
export type ThemeChoice = Theme | "auto";

const KEY = "sfa.theme";
const CHANGED = "sfa-theme-changed";

export function themeChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "dark" || stored === "light" ? stored : "auto";
  } catch {
    return "auto"; // storage is switched off: the choice lasts as long as the page
  }
}

export function chooseTheme(choice: ThemeChoice): void {
  try {
    if (choice === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    return;
  } finally {
    window.dispatchEvent(new Event(CHANGED));
  }
}

function prefersLight(): MediaQueryList | null {
  return typeof matchMedia === "function" ? matchMedia("(prefers-color-scheme: light)") : null;
}

/** The theme of this page now. */
export function currentTheme(): Theme {
  const choice = themeChoice();
  if (choice !== "auto") return choice;
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked === "light" || asked === "dark") return asked;
  // Voila marks every page as light; only JupyterLab's mark is a person's wish.
  const { body } = document;
  if (body.dataset.voila === undefined && body.dataset.jpThemeLight !== undefined) {
    return body.dataset.jpThemeLight === "true" ? "light" : "dark";
  }
  return prefersLight()?.matches ? "light" : "dark";
}

/** Keeps `data-theme` of an element right until `signal` aborts. */
export function followTheme(element: HTMLElement, signal: AbortSignal, changed?: (theme: Theme) => void): void {
  const update = () => {
    const theme = currentTheme();
    if (element.dataset.theme === theme) return;
    element.dataset.theme = theme;
    changed?.(theme);
  };
  update();
  const observer = new MutationObserver(update);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  prefersLight()?.addEventListener("change", update, { signal });
  window.addEventListener(CHANGED, update, { signal });
  window.addEventListener("storage", update, { signal });
}
