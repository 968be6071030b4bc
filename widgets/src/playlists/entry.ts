/** One recycled row of a playlist: a track, or a song that is not here. */

import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { duration, tempo } from "../format";
import { icon } from "../icons";
import { STATUS_TEXT } from "../library/row";
import type { CoverArt } from "../media";
import { energyMeter, keyChip, progressBar, setEnergy, setKeyChip, setProgress, stageVerb, tileTone } from "../parts";
import type { PlaylistEntry, SongRow, TrackRow } from "../types";
import { glyph } from "./glyphs";

export class EntryView {
  readonly element: HTMLElement;
  /** The place in the playlist that this element shows now; -1 for none. */
  index = -1;
  /** Null before anything was painted. */
  #entry: PlaylistEntry | null | undefined = null;
  #artFor = "";
  readonly #number = h("span", { class: "e-figure" });
  readonly #tile = h("span", { class: "sfa-tile e-tile", role: "gridcell" });
  readonly #image = h("img", { alt: "", decoding: "async", hidden: true });
  readonly #title = h("span", { class: "e-title", role: "gridcell", dir: "auto" });
  readonly #artist = h("span", { class: "e-artist", role: "gridcell", dir: "auto" });
  readonly #tempo = h("span", { class: "e-tempo", role: "gridcell" });
  readonly #chip = keyChip(null, null);
  readonly #meter = energyMeter();
  readonly #energy = h("span", { class: "e-energy-figure" });
  readonly #duration = h("span", { class: "e-time", role: "gridcell" });
  readonly #status = h("span", { class: "e-status", role: "gridcell" });
  readonly #statusText = h("span", { class: "e-status-text", dir: "auto" });
  readonly #bar = progressBar("Progress");
  readonly #get = h("button", { type: "button", class: "sfa-entry-get", tabindex: -1, "data-act": "get" }, icon("download"), "Get");
  readonly #again = h(
    "button", { type: "button", class: "sfa-entry-button", tabindex: -1, title: "Try again", "data-act": "get" },
    icon("retry"), h("span", { class: "sfa-sr" }, "Try again"),
  );

  constructor() {
    append(this.#tile, icon("disc"), this.#image);
    append(this.#status, this.#statusText, this.#bar, this.#get, this.#again);
    this.#image.addEventListener("error", () => { this.#image.hidden = true; });
    this.#image.addEventListener("load", () => { this.#image.hidden = false; });
    this.element = h(
      "div", { class: "sfa-entry", role: "row", id: uniqueId("entry") },
      h("span", { class: "e-number", role: "gridcell", "data-grip": true }, this.#number, glyph("grip")),
      this.#tile, this.#title, this.#artist, this.#tempo,
      h("span", { class: "e-key", role: "gridcell" }, this.#chip),
      h("span", { class: "e-energy", role: "gridcell" }, this.#meter, this.#energy),
      this.#duration, this.#status,
      h("span", { class: "e-more", role: "gridcell" }, h(
        "button", { type: "button", class: "sfa-entry-button", tabindex: -1, title: "Actions", "data-act": "menu" },
        icon("more"), h("span", { class: "sfa-sr" }, "Actions"),
      )),
    );
  }

  /** Shows an entry (undefined: not here yet) at a place in the list. */
  paint(index: number, top: number, entry: PlaylistEntry | undefined): void {
    if (this.index !== index) {
      this.index = index;
      setAttribute(this.element, "aria-rowindex", index + 2); // the header is row 1
      setText(this.#number, (index + 1).toLocaleString("en-GB"));
      this.element.classList.toggle("is-odd", index % 2 === 1);
    }
    this.element.style.transform = `translateY(${top}px)`;
    if (entry === this.#entry) return;
    const artBefore = this.#entry?.track?.id;
    this.#entry = entry;
    const track = entry?.track ?? null;
    const song = entry?.song ?? null;
    this.element.classList.toggle("is-loading", !entry);
    this.element.classList.toggle("is-absent", entry !== undefined && !track);
    if (track?.id !== artBefore) {
      this.#clearArt();
      this.#tile.style.setProperty("--tile", track ? tileTone(track.id) : "transparent");
    }
    const title = track?.title ?? song?.title ?? "";
    const artist = track?.artist ?? song?.artist ?? "";
    setText(this.#title, title);
    setAttribute(this.#title, "title", title || null);
    setText(this.#artist, artist);
    setAttribute(this.#artist, "title", artist || null);
    setText(this.#tempo, track ? tempo(track.bpm) : "");
    setKeyChip(this.#chip, track?.camelot ?? null, track ? track.key : "");
    setEnergy(this.#meter, track?.energy ?? null);
    setText(this.#energy, track?.energy == null ? "" : String(track.energy));
    setText(this.#duration, entry ? duration(track?.duration ?? song?.duration) : "");
    if (track) this.#paintTrack(track);
    else this.#paintSong(song);
  }

  choose(selected: boolean, cursor: boolean): void {
    setAttribute(this.element, "aria-selected", selected ? "true" : "false");
    this.element.classList.toggle("is-cursor", cursor);
  }

  /** Loads the cover; called once scrolling rests. */
  loadArt(covers: CoverArt): void {
    const track = this.#entry?.track;
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

  #paintTrack({ status, stage, progress, error }: TrackRow): void {
    const text = status === "working" ? `${stageVerb(stage)} ${Math.round(progress)} %`
      : status === "failed" ? (error ?? "Failed") : STATUS_TEXT[status];
    this.#paintStatus(status, text, status === "working" ? progress : null);
  }

  #paintSong(song: SongRow | null): void {
    const { state, progress, error } = song ?? { state: null, progress: 0, error: null };
    if (state === null) this.#paintStatus("", "", null);
    else if (state === "downloading") this.#paintStatus("working", `Downloading ${Math.round(progress)} %`, progress);
    else if (state === "queued") this.#paintStatus("queued", "Waiting", null);
    else if (state === "failed") this.#paintStatus("failed", error ?? "The download failed", null);
    else this.#paintStatus("absent", "Not here", null);
    this.#get.hidden = state !== "absent";
    this.#again.hidden = state !== "failed";
  }

  #paintStatus(status: string, text: string, progress: number | null): void {
    setAttribute(this.element, "data-status", status || null);
    setText(this.#statusText, text);
    setAttribute(this.#status, "title", text || null);
    this.#bar.hidden = progress === null;
    if (progress !== null) setProgress(this.#bar, progress);
    this.#get.hidden = this.#again.hidden = true;
  }
}
