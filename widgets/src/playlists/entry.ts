/** One recycled row of a playlist: a track, or a song that is not here. */

import { append, h, setAttribute, setText, uniqueId } from "../dom";
import { duration, tempo } from "../format";
import { icon } from "../icons";
import { STATUS_TEXT } from "../library/row";
import type { CoverArt } from "../media";
import { energyMeter, keyChip, progressBar, setEnergy, setKeyChip, setProgress, stageVerb } from "../parts";
import type { PlaylistEntry, SongRow, TrackRow } from "../types";
import { Cover } from "../ui/cover";
import type { GridRow } from "../ui/grid";
import { glyph } from "./glyphs";

export class EntryView implements GridRow<PlaylistEntry> {
  readonly element: HTMLElement;
  index = -1;
  /** Null before anything was painted. */
  #entry: PlaylistEntry | null | undefined = null;
  readonly #number = h("span", { class: "c-figure" });
  readonly #cover = new Cover();
  readonly #title = h("span", { class: "c-title", role: "gridcell", dir: "auto" });
  readonly #artist = h("span", { class: "c-artist", role: "gridcell", dir: "auto" });
  readonly #tempo = h("span", { class: "c-tempo", role: "gridcell" });
  readonly #chip = keyChip(null, null);
  readonly #meter = energyMeter();
  readonly #energy = h("span", { class: "c-energy-figure" });
  readonly #duration = h("span", { class: "c-duration", role: "gridcell" });
  readonly #status = h("span", { class: "c-status", role: "gridcell" });
  readonly #statusText = h("span", { class: "c-status-text", dir: "auto" });
  readonly #bar = progressBar("Progress");
  readonly #get = h("button", { type: "button", class: "sfa-entry-get", tabindex: -1, "data-act": "get" }, icon("download"), "Get");
  readonly #again = h(
    "button", { type: "button", class: "sfa-row-button", tabindex: -1, title: "Try again", "data-act": "get" },
    icon("retry"), h("span", { class: "sfa-sr" }, "Try again"),
  );

  constructor() {
    append(this.#status, this.#statusText, this.#bar, this.#get, this.#again);
    this.element = h(
      "div", { class: "sfa-grid-row sfa-entry", role: "row", id: uniqueId("entry") },
      h("span", { class: "c-number", role: "gridcell", "data-grip": true }, this.#number, glyph("grip")),
      this.#cover.element, this.#title, this.#artist, this.#tempo,
      h("span", { class: "c-key", role: "gridcell" }, this.#chip),
      h("span", { class: "c-energy", role: "gridcell" }, this.#meter, this.#energy),
      this.#duration, this.#status,
      h("span", { class: "c-more", role: "gridcell" }, h(
        "button", { type: "button", class: "sfa-row-button", tabindex: -1, title: "Actions", "data-act": "menu" },
        icon("more"), h("span", { class: "sfa-sr" }, "Actions"),
      )),
    );
  }

  paint(entry: PlaylistEntry | undefined, place: number): void {
    if (place !== this.index) setText(this.#number, (place + 1).toLocaleString("en-GB"));
    if (entry === this.#entry) return;
    this.#entry = entry;
    const track = entry?.track ?? null;
    const song = entry?.song ?? null;
    this.element.classList.toggle("is-loading", !entry);
    this.element.classList.toggle("is-absent", entry !== undefined && !track);
    this.#cover.show(track?.id ?? null);
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

  loadArt(covers: CoverArt): void {
    this.#cover.load(covers, this.#entry?.track);
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
    else if (state === "failed") this.#paintStatus("failed", "Download failed", null, error);
    else this.#paintStatus("absent", "Not here", null);
    this.#get.hidden = state !== "absent";
    this.#again.hidden = state !== "failed";
  }

  #paintStatus(status: string, text: string, progress: number | null, why: string | null = null): void {
    setAttribute(this.element, "data-status", status || null);
    setText(this.#statusText, text);
    setAttribute(this.#status, "title", why ?? (text || null));
    this.#bar.hidden = progress === null;
    if (progress !== null) setProgress(this.#bar, progress);
    this.#get.hidden = this.#again.hidden = true;
  }
}
