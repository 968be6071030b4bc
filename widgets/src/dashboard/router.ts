/** Which view is shown. On a page of our own the address says it, so that the back button works. */

export const VIEWS = ["library", "playlists", "studio", "decks", "jobs", "settings"] as const;
export type ViewName = (typeof VIEWS)[number];

function isView(name: string): name is ViewName {
  return (VIEWS as readonly string[]).includes(name);
}

export class Router {
  readonly #inAddress: boolean;
  readonly #changed: (view: ViewName) => void;
  #view: ViewName = "library";

  /** `inAddress`: the page is ours, and its fragment names the view. */
  constructor(inAddress: boolean, changed: (view: ViewName) => void, signal: AbortSignal) {
    this.#inAddress = inAddress;
    this.#changed = changed;
    if (!inAddress) return;
    const read = () => {
      const name = location.hash.slice(1);
      this.#show(isView(name) ? name : "library");
    };
    const named = location.hash.slice(1);
    if (isView(named)) this.#view = named;
    window.addEventListener("popstate", read, { signal });
  }

  get view(): ViewName {
    return this.#view;
  }

  go(view: ViewName): void {
    if (view === this.#view) return;
    if (this.#inAddress) history.pushState(null, "", `#${view}`);
    this.#show(view);
  }

  #show(view: ViewName): void {
    if (view === this.#view) return;
    this.#view = view;
    this.#changed(view);
  }
}
