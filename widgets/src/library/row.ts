/** One recycled row of the table. */

import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { ago, duration, tempo } from "../format";
import { icon } from "../icons";
import type { CoverArt } from "../media";
import { energyMeter, keyChip, progressBar, setEnergy, setKeyChip, setProgress, setStems, stageVerb } from "../parts";
import type { TrackRow } from "../types";
import { Cover } from "../ui/cover";
import type { GridRow } from "../ui/grid";

export const STATUS_TEXT: Record<TrackRow["status"], string> = {
  new: "Not analysed", queued: "Waiting", working: "Working", ready: "Ready", failed: "Failed",
};

export class RowView implements GridRow<TrackRow> {
  readonly element: HTMLElement;
  index = -1;
  #track: TrackRow | undefined;
  readonly #cover = new Cover();
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
    append(this.#status, this.#statusText, this.#bar, this.#retry);
    this.element = h(
      "div",
      { class: "sfa-grid-row sfa-row", role: "row", id: uniqueId("row"), draggable: "true" },
      this.#cover.element,
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

  paint(track: TrackRow | undefined): void {
    if (track === this.#track) return;
    this.#track = track;
    this.element.classList.toggle("is-loading", !track);
    if (!track) {
      this.#cover.clear();
      for (const cell of [this.#title, this.#artist, this.#tempo, this.#energy, this.#duration, this.#added]) {
        setText(cell, "");
      }
      setKeyChip(this.#chip, null, "");
      setEnergy(this.#meter, null);
      setStems(this.#stems, []);
      this.#paintStatus(null);
      return;
    }
    this.#cover.show(track.id);
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

  loadArt(covers: CoverArt): void {
    this.#cover.load(covers, this.#track);
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
