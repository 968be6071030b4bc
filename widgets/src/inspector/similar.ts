/** Tracks that sound like the selected one. */

import type { Bridge } from "../bridge";
import { append, h, setAttribute } from "../dom";
import { tempo } from "../format";
import { keyChip } from "../parts";
import type { Methods, TrackRow } from "../types";

type Found = Methods["analysis.similar"]["result"]["rows"];

const LIMIT = 6;
/** How far a song can be brought to another's tempo without sounding odd. */
const REACH = 0.06;

export class Similar {
  readonly element = h("section", { class: "sfa-similar", "aria-label": "Similar tracks", hidden: true });
  readonly #bridge: Bridge;
  readonly #signal: AbortSignal;
  readonly #onTrack: (id: string) => void;
  readonly #list = h("div", {});
  readonly #tempo: HTMLButtonElement;
  readonly #keys: HTMLButtonElement;
  #request: AbortController | null = null;
  #trackId = "";
  #bpm: number | null = null;

  constructor(bridge: Bridge, signal: AbortSignal, onTrack: (id: string) => void) {
    this.#bridge = bridge;
    this.#signal = signal;
    this.#onTrack = onTrack;
    const chip = (text: string, hint: string) => {
      const button = h("button", { type: "button", class: "sfa-button is-quiet", "aria-pressed": "false", title: hint }, text);
      button.addEventListener("click", () => {
        setAttribute(button, "aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        void this.#fetch();
      });
      return button;
    };
    this.#tempo = chip("Near tempo", "Only tracks within 6 % of this tempo");
    this.#keys = chip("Keys that mix", "Only tracks in a compatible key");
    append(this.element, h("header", {}, h("h3", {}, "Similar"), this.#tempo, this.#keys), this.#list);
    signal.addEventListener("abort", () => this.#request?.abort(), { once: true });
  }

  /** The list for a track; what is known of it stays while it is asked for again. */
  show({ id, bpm }: Pick<TrackRow, "id" | "bpm">): HTMLElement {
    if (id !== this.#trackId) this.element.hidden = true;
    this.#trackId = id;
    this.#bpm = bpm;
    this.#tempo.hidden = bpm === null;
    void this.#fetch();
    return this.element;
  }

  async #fetch(): Promise<void> {
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    const id = this.#trackId;
    const bpm = this.#bpm;
    const near = bpm !== null && this.#tempo.getAttribute("aria-pressed") === "true";
    const mixing = this.#keys.getAttribute("aria-pressed") === "true";
    try {
      const { result } = await this.#bridge.request("analysis.similar", {
        id, limit: LIMIT,
        tempo: near ? [bpm * (1 - REACH), bpm * (1 + REACH)] : null,
        keys: mixing ? "compatible" : "any",
      }, { signal: AbortSignal.any([request.signal, this.#signal]) });
      this.#draw(result.rows, near || mixing);
    } catch {
      // An extra: a kernel that knows no similarity, or an older analysis, is no failure of the inspector.
      if (!request.signal.aborted) this.element.hidden = true;
    }
  }

  #draw(rows: Found, narrowed: boolean): void {
    this.element.hidden = rows.length === 0 && !narrowed;
    if (rows.length === 0) {
      this.#list.replaceChildren(h("p", {}, "Nothing similar within these limits."));
      return;
    }
    this.#list.replaceChildren(h("ul", {}, ...rows.map(({ track, why }) => {
      const button = h(
        "button", { type: "button", title: [track.title, why].filter(Boolean).join(": ") },
        keyChip(track.camelot, track.key),
        h("span", {}, h("span", { dir: "auto" }, track.title), h("small", { dir: "auto" }, track.artist ?? "Unknown artist")),
        h("small", {}, tempo(track.bpm)),
      );
      button.addEventListener("click", () => this.#onTrack(track.id));
      return h("li", {}, button);
    })));
  }
}
