/** One recycled row of the table. */

import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { ago, duration, tempo } from "../format";
import { icon } from "../icons";
import type { CoverArt } from "../media";
import {
  energyMeter, keyChip, progressBar, setEnergy, setKeyChip, setProgress, setStems, stageVerb, tileTone,
} from "../parts";
import type { TrackRow } from "../types";

export const STATUS_TEXT: Record<TrackRow["status"], string> = {
  new: "Not analysed", queued: "Waiting", working: "Working", ready: "Ready", failed: "Failed",
};

export class RowView {
  readonly element: HTMLElement;
  /** The place in the list that this element shows now; -1 for none. */
  index = -1;
  #track: TrackRow | undefined;
  #artFor = "";
  readonly #tile = h("span", { class: "sfa-tile", role: "gridcell" });
  readonly #image = h("img", { alt: "", decoding: "async", hidden: true });
  readonly #title = h("span", { class: "c-title", role: "gridcell", dir: "auto" });
  readonly #artist = h("span", { class: "c-artist", role: "gridcell", dir: "auto" });
  readonly #tempo = h("span", { class: "c-tempo", role: "gridcell" });
  readonly #chip = keyChip(null, null);
  readonly #meter = energyMeter();
  readonly #energy = h("span", { class: "c-energy-figure" });
  readonly #duration = h("span", { class: "c-duration", role: "gridcell" });
  readonly #stems = h("span", { class: "sfa-stems" });
  readonly #added = h("span", { class: "c-added", role: "gridcell" });
  readonly #status = h("span", { class: "c-status", role: "gridcell" });
  readonly #statusText = h("span", { class: "c-status-text", dir: "auto" });
  readonly #bar = progressBar("Progress");
  readonly #retry = h(
    "button", { type: "button", class: "sfa-row-button", tabindex: -1, title: "Try again", "data-act": "retry" },
    icon("retry"), h("span", { class: "sfa-sr" }, "Try again"),
  );

  constructor() {
    append(this.#tile, icon("disc"), this.#image);
    append(this.#status, this.#statusText, this.#bar, this.#retry);
    this.#image.addEventListener("error", () => { this.#image.hidden = true; });
    this.#image.addEventListener("load", () => { this.#image.hidden = false; });
    this.element = h(
      "div",
      { class: "sfa-row", role: "row", id: uniqueId("row") },
      this.#tile,
      this.#title,
      this.#artist,
      this.#tempo,
      h("span", { class: "c-key", role: "gridcell" }, this.#chip),
      h("span", { class: "c-energy", role: "gridcell" }, this.#meter, this.#energy),
      this.#duration,
      h("span", { class: "c-stems", role: "gridcell" }, this.#stems),
      this.#added,
      this.#status,
      h("span", { class: "c-more", role: "gridcell" }, h(
        "button", { type: "button", class: "sfa-row-button", tabindex: -1, title: "Actions", "data-act": "menu" },
        icon("more"), h("span", { class: "sfa-sr" }, "Actions"),
      )),
    );
  }

  /** Shows a track (undefined: not here yet) at a place in the list. */
  paint(index: number, top: number, track: TrackRow | undefined): void {
    if (this.index !== index) {
      this.index = index;
      setAttribute(this.element, "aria-rowindex", index + 2); // the header is row 1
      this.element.classList.toggle("is-odd", index % 2 === 1);
    }
    this.element.style.transform = `translateY(${top}px)`;
    if (track === this.#track) return;
    const same = track?.id === this.#track?.id;
    this.#track = track;
    this.element.classList.toggle("is-loading", !track);
    if (!track) {
      this.#clearArt();
      for (const cell of [this.#title, this.#artist, this.#tempo, this.#energy, this.#duration, this.#added]) {
        setText(cell, "");
      }
      setKeyChip(this.#chip, null, "");
      setEnergy(this.#meter, null);
      setStems(this.#stems, []);
      this.#paintStatus(null);
      return;
    }
    if (!same) {
      this.#clearArt();
      this.#tile.style.setProperty("--tile", tileTone(track.id));
    }
    const artist = track.artist ?? "";
    setText(this.#title, track.title);
    setAttribute(this.#title, "title", track.title);
    setText(this.#artist, artist);
    setAttribute(this.#artist, "title", artist || null);
    setText(this.#tempo, tempo(track.bpm));
    this.#tempo.classList.toggle("is-none", track.bpm === null);
    setKeyChip(this.#chip, track.camelot, track.key);
    setEnergy(this.#meter, track.energy);
    setText(this.#energy, track.energy === null ? "" : String(track.energy));
    setText(this.#duration, duration(track.duration));
    setStems(this.#stems, track.stems);
    setText(this.#added, ago(track.added_at));
    this.#paintStatus(track);
  }

  choose(selected: boolean, cursor: boolean): void {
    setAttribute(this.element, "aria-selected", selected ? "true" : "false");
    this.element.classList.toggle("is-cursor", cursor);
  }

  /** Loads the cover; called once scrolling rests. */
  loadArt(covers: CoverArt): void {
    const track = this.#track;
    if (!track?.art || this.#artFor === track.id) return;
    this.#artFor = track.id;
    void covers.url(track.id).then((url) => {
      if (url !== null && this.#artFor === track.id) this.#image.src = url;
    });
  }

  #clearArt(): void {
    if (this.#artFor === "") return;
    this.#artFor = "";
    this.#image.hidden = true;
    this.#image.removeAttribute("src");
  }

  #paintStatus(track: TrackRow | null): void {
    const status = track?.status ?? "";
    setAttribute(this.element, "data-status", status || null);
    const working = status === "working";
    const failed = status === "failed";
    this.#bar.hidden = !working;
    this.#retry.hidden = !failed;
    if (!track) {
      setText(this.#statusText, "");
    } else if (working) {
      setText(this.#statusText, `${stageVerb(track.stage)} ${Math.round(track.progress)} %`);
      setProgress(this.#bar, track.progress);
    } else if (failed) {
      setText(this.#statusText, track.error ?? "Failed");
    } else {
      setText(this.#statusText, STATUS_TEXT[track.status]);
    }
    setAttribute(this.#status, "title", failed ? (track?.error ?? null) : null);
  }
}
