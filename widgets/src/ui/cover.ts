/** The small cover in a row: a tone of its own until the picture is there. */

import { append, h } from "../dom";
import { icon } from "../icons";
import type { CoverArt } from "../media";
import { tileTone } from "../parts";

export class Cover {
  readonly element = h("span", { class: "sfa-tile c-tile", role: "gridcell" });
  readonly #image = h("img", { alt: "", decoding: "async", hidden: true });
  /** Whose tone it has. */
  #id: string | null = null;
  #artFor = "";

  constructor() {
    append(this.element, icon("disc"), this.#image);
    this.#image.addEventListener("error", () => { this.#image.hidden = true; });
    this.#image.addEventListener("load", () => { this.#image.hidden = false; });
  }

  /** Shows that of a track, or nothing. */
  show(id: string | null): void {
    if (id === this.#id) return;
    this.#id = id;
    this.clear();
    if (id === null) this.element.style.removeProperty("--tile");
    else this.element.style.setProperty("--tile", tileTone(id));
  }

  /** Takes the picture away; the tone stays. */
  clear(): void {
    if (this.#artFor === "") return;
    this.#artFor = "";
    this.#image.hidden = true;
    this.#image.removeAttribute("src");
  }

  load(covers: CoverArt, track: { id: string; art: boolean } | null | undefined): void {
    if (!track?.art || this.#artFor === track.id) return;
    this.#artFor = track.id;
    void covers.url(track.id).then((url) => {
      if (url !== null && this.#artFor === track.id) this.#image.src = url;
    });
  }
}
