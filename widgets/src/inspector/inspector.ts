/** Everything about the track that is selected, and what can be done with it. */

import { type Bridge, describe, isAbort } from "../bridge";
import { append, h } from "../dom";
import { ago, bytes, duration, measure, plural, position, tempo } from "../format";
import { icon } from "../icons";
import { ALL_STAGES, ANALYSIS_STAGES, type TrackActions } from "../library/actions";
import { CoverArt } from "../media";
import {
  energyMeter, isActive, jobLabel, keyChip, progressBar, setEnergy, setProgress, stageVerb, stemDot, stemLabel,
  tileTone,
} from "../parts";
import type { Analysis, CorrectionKind, Cue, FullAnalysis, JobRow, TrackDetail, TrackRow } from "../types";
import type { Layer } from "../ui/layer";
import "./inspector.css";
import { Similar } from "./similar";

export interface InspectorOptions {
  signal: AbortSignal;
  layer: Layer;
  actions: TrackActions;
  /** Moves the playhead of a track, opening it in the player first if it must. */
  onSeek(id: string, seconds: number): void;
  onPlay(id: string): void;
  /** Selects another track. */
  onTrack(id: string): void;
}

/** What the catalogue keeps of an analysis: one of an earlier version says less. */
type Known = Analysis & Partial<FullAnalysis>;

export interface InspectorHandle {
  /** Shows what is selected; `row` spares the wait for what the list knows already. */
  show(ids: string[], row: TrackRow | null): void;
}

export function mountInspector(el: HTMLElement, bridge: Bridge, options: InspectorOptions): InspectorHandle {
  return new Inspector(el, bridge, options);
}

/** About what the strip of sections has, in px: a name that does not fit becomes its letter. */
const SHAPE_WIDTH = 270;

const STATUS: Record<JobRow["status"], string> = {
  queued: "waiting", downloading: "running", processing: "running",
  completed: "done", failed: "failed", cancelled: "cancelled",
};

class Inspector implements InspectorHandle {
  readonly #bridge: Bridge;
  readonly #options: InspectorOptions;
  readonly #covers: CoverArt;
  readonly #root = h("div", { class: "sfa-inspector" });
  #ids: string[] = [];
  #detail: TrackDetail | null = null;
  #row: TrackRow | null = null;
  #request: AbortController | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  readonly #similar: Similar;
  /** Replaced while a track is worked on, without building the rest anew. */
  #status: HTMLElement | null = null;

  constructor(el: HTMLElement, bridge: Bridge, options: InspectorOptions) {
    const { signal } = options;
    this.#bridge = bridge;
    this.#options = options;
    this.#covers = new CoverArt(bridge, signal);
    this.#similar = new Similar(bridge, options.signal, options.onTrack);
    append(el, this.#root);
    const stops = [
      bridge.on("tracks.rows", ({ rows }) => {
        const row = rows.find((candidate) => candidate.id === this.#current);
        if (row) this.#rowChanged(row);
      }),
      ...(["player.refresh", "analysis.changed"] as const).map((event) => bridge.on(event, ({ id }) => {
        if (id === this.#current) this.#fetchSoon();
      })),
      bridge.on("jobs.rows", ({ jobs }) => {
        if (jobs.some((job) => job.track_id === this.#current && !isActive(job.status))) this.#fetchSoon();
      }),
    ];
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      clearTimeout(this.#again);
      this.#request?.abort();
      this.#root.remove();
    }, { once: true });
    this.#draw();
  }

  get #current(): string | null {
    return this.#ids.length === 1 ? (this.#ids[0] as string) : null;
  }

  show(ids: string[], row: TrackRow | null): void {
    const before = this.#current;
    this.#ids = ids;
    const id = this.#current;
    if (id !== null && id === before) return;
    this.#request?.abort();
    clearTimeout(this.#again);
    this.#detail = null;
    this.#row = row !== null && row.id === id ? row : null;
    this.#draw();
    // Arrow keys run through the list: only where they rest is worth a request.
    if (id !== null) this.#again = setTimeout(() => void this.#fetch(id), 80);
  }

  #rowChanged(row: TrackRow): void {
    const before = this.#row;
    this.#row = row;
    if (this.#detail) this.#detail.track = row;
    if (before?.status === row.status && this.#status) this.#drawStatus(row);
    else this.#fetchSoon();
  }

  #fetchSoon(): void {
    clearTimeout(this.#again);
    const id = this.#current;
    if (id !== null) this.#again = setTimeout(() => void this.#fetch(id), 150);
  }

  async #fetch(id: string): Promise<void> {
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    try {
      const { result } = await this.#bridge.request("track.show", { id }, { signal: request.signal });
      if (this.#current !== id) return;
      this.#detail = result;
      this.#row = result.track;
      this.#draw();
    } catch (error) {
      if (isAbort(error) || this.#current !== id) return;
      const { message, hint } = describe(error);
      const again = h("button", { type: "button", class: "sfa-button" }, "Try again");
      again.addEventListener("click", () => void this.#fetch(id));
      this.#root.replaceChildren(h(
        "div", { class: "sfa-state" }, icon("alert"), h("p", {}, message), hint && h("p", { class: "is-dim" }, hint), again,
      ));
    }
  }

  #draw(): void {
    const scroll = this.#root.scrollTop;
    this.#status = null;
    if (this.#ids.length === 0) {
      this.#root.replaceChildren(h(
        "div", { class: "sfa-state" }, icon("info"), h("p", { class: "is-dim" }, "Select a track to see its key, cues and stems."),
      ));
      return;
    }
    if (this.#ids.length > 1) {
      this.#root.replaceChildren(...this.#many());
      return;
    }
    const row = this.#detail?.track ?? this.#row;
    if (!row) {
      this.#root.replaceChildren(h("div", { class: "sfa-state" }, h("p", { class: "is-dim is-late" }, "Loading the track…")));
      return;
    }
    this.#root.replaceChildren(...this.#one(row, this.#detail));
    this.#root.scrollTop = scroll;
  }

  #many(): Node[] {
    const { actions } = this.#options;
    const ids = this.#ids;
    const button = (label: string, name: Parameters<typeof icon>[0], run: () => void) => {
      const element = h("button", { type: "button", class: "sfa-button" }, icon(name), label);
      element.addEventListener("click", run);
      return element;
    };
    return [
      h("h2", {}, plural(ids.length, "track")),
      h(
        "div", { class: "sfa-inspector-stack" },
        button("Separate + analyse", "split", () => void actions.run(ids, ALL_STAGES)),
        button("Separate stems…", "settings", () => actions.separate(ids)),
        button("Analyse only", "analyze", () => void actions.run(ids, ANALYSIS_STAGES)),
        button("Export…", "upload", () => actions.export(ids)),
        button("Remove", "trash", () => void actions.remove(ids)),
      ),
    ];
  }

  #one(row: TrackRow, detail: TrackDetail | null): Node[] {
    const nodes: Node[] = [this.#head(row), this.#buttons(row)];
    this.#status = h("div", { class: "sfa-inspector-status", role: "status" });
    this.#drawStatus(row);
    const known: Known | null = detail?.analysis ?? null;
    nodes.push(this.#status, this.#facts(row, known));
    if (!detail) return nodes;
    if (known) nodes.push(more(known));
    const { analysis, cues, stems, jobs, tags } = detail;
    if (analysis && analysis.duration_s > 0) {
      const corrected = known?.corrected?.includes("sections") ? "sections by hand" : null;
      nodes.push(...section("Shape", this.#shape(row.id, analysis), corrected));
    }
    if (cues.length > 0) nodes.push(...section("Cues", this.#cues(row.id, cues)));
    const [first] = stems;
    nodes.push(...section("Stems", h(
      "ul", { class: "sfa-inspector-stems" },
      ...stems.map((stem) => h("li", {}, stemDot(stem.name), h("span", {}, stemLabel(stem.name)))),
    ), first?.badge), this.#choices(row));
    if (analysis) nodes.push(this.#similar.show(row));
    const list = tagList(tags, row);
    if (list.childElementCount > 0) nodes.push(...section("Tags", list));
    if (jobs.length > 0) nodes.push(...section("History", jobList(jobs)));
    return nodes;
  }

  #head(row: TrackRow): HTMLElement {
    const tile = h("span", { class: "sfa-tile" }, icon("disc"));
    tile.style.setProperty("--tile", tileTone(row.id));
    if (row.art) {
      void this.#covers.url(row.id).then((url) => {
        if (url === null) return;
        const image = h("img", { src: url, alt: "Cover" });
        image.addEventListener("error", () => image.remove());
        append(tile, image);
      });
    }
    return h(
      "header", { class: "sfa-inspector-head" },
      tile,
      h(
        "div", {},
        h("h2", { dir: "auto", title: row.title }, row.title),
        row.artist && h("p", { dir: "auto" }, row.artist),
        row.album && h("p", { dir: "auto", class: "is-dim" }, row.album),
      ),
    );
  }

  #buttons(row: TrackRow): HTMLElement {
    const { actions, layer, onPlay } = this.#options;
    const open = h("button", { type: "button", class: "sfa-button is-primary" }, icon("studio"), "Open in Studio");
    open.addEventListener("click", () => actions.open(row.id));
    const play = h("button", { type: "button", class: "sfa-button is-icon", "aria-label": "Play", title: "Play" }, icon("play"));
    play.addEventListener("click", () => onPlay(row.id));
    const more = h(
      "button",
      { type: "button", class: "sfa-button is-icon", "aria-label": "More actions", title: "More actions", "aria-haspopup": "menu" },
      icon("more"),
    );
    more.addEventListener("click", () => {
      const box = more.getBoundingClientRect();
      layer.menu(box.right - 208, box.bottom + 4, "Track", actions.menu([row.id]));
    });
    return h("div", { class: "sfa-inspector-actions" }, open, play, more);
  }

  /** What can be made of a song, with choices. */
  #choices(row: TrackRow): HTMLElement {
    const { actions } = this.#options;
    const separate = h("button", { type: "button", class: "sfa-button" }, icon("split"), "Separate…");
    separate.addEventListener("click", () => actions.separate([row.id]));
    const take = h("button", { type: "button", class: "sfa-button" }, icon("upload"), "Export…");
    take.addEventListener("click", () => actions.export([row.id]));
    return h("div", { class: "sfa-inspector-choices" }, separate, take);
  }

  #drawStatus(row: TrackRow): void {
    const host = this.#status;
    if (!host) return;
    host.dataset.status = row.status;
    host.hidden = row.status === "ready";
    const { actions } = this.#options;
    const run = (label: string) => {
      const button = h("button", { type: "button", class: "sfa-button" }, label);
      button.addEventListener("click", () => void actions.run([row.id], ALL_STAGES));
      return button;
    };
    if (row.status === "working") {
      const known = host.querySelector<HTMLElement>(".sfa-bar");
      const bar = known ?? progressBar("Progress");
      setProgress(bar, row.progress);
      const text = h("span", {}, `${stageVerb(row.stage)} ${Math.round(row.progress)} %`);
      if (known) known.previousElementSibling?.replaceWith(text);
      else host.replaceChildren(text, bar);
    } else if (row.status === "failed") {
      host.replaceChildren(h("span", { dir: "auto" }, row.error ?? "The last attempt failed."), run("Try again"));
    } else if (row.status === "new") {
      host.replaceChildren(h("span", {}, "Not separated or analysed yet."), run("Separate + analyse"));
    } else {
      host.replaceChildren(h("span", {}, row.status === "queued" ? "Waiting for its turn." : ""));
    }
  }

  #facts(row: TrackRow, analysis: Known | null): HTMLElement {
    const energy = h("span", { class: "sfa-inspector-energy" });
    if (row.energy === null) append(energy, "–");
    else {
      const meter = energyMeter();
      setEnergy(meter, row.energy);
      append(energy, meter, String(row.energy));
    }
    const hand = (kind: CorrectionKind) => (analysis?.corrected?.includes(kind)
      ? h("small", { class: "is-hand", title: "Corrected by hand" }, "by hand")
      : null);
    const fact = (name: string, mark: Node | null, ...value: (Node | string | null)[]) =>
      h("div", {}, h("dt", {}, name, mark), h("dd", {}, ...value));
    return h(
      "dl", { class: "sfa-inspector-facts" },
      fact("Tempo", hand("grid"), tempo(row.bpm), row.bpm !== null ? h("small", {}, "BPM") : null),
      fact("Key", hand("key"), row.camelot !== null ? keyChip(row.camelot, row.key) : "–", row.key !== null ? h("small", {}, row.key) : null),
      fact("Energy", null, energy),
      fact("Time", null, duration(row.duration)),
      fact("Loudness", null, measure(row.lufs, "LUFS")),
      ...(analysis ? [fact("True peak", null, measure(analysis.true_peak, "dBTP"))] : []),
    );
  }

  #shape(id: string, analysis: Analysis): HTMLElement {
    const shape = h("div", { class: "sfa-inspector-shape" });
    if (analysis.energy_curve.length > 1) append(shape, energyDrawing(analysis.energy_curve));
    const strip = h("div", { class: "sfa-inspector-sections" });
    for (const part of analysis.sections) {
      const name = capital(part.label);
      const room = ((part.end - part.start) / analysis.duration_s) * SHAPE_WIDTH;
      const where = `${name}, ${duration(part.start)} to ${duration(part.end)}`;
      const button = h(
        "button",
        { type: "button", title: where, "aria-label": where },
        h("span", {}, room > name.length * 6.5 + 8 ? name : name.charAt(0)),
      );
      button.style.setProperty("--tone", cueTone(part.label));
      button.style.flexGrow = String(Math.max(0.001, part.end - part.start));
      button.addEventListener("click", () => this.#options.onSeek(id, part.start));
      append(strip, button);
    }
    if (analysis.sections.length > 0) append(shape, strip);
    return shape;
  }

  #cues(id: string, cues: Cue[]): HTMLElement {
    return h("ul", { class: "sfa-inspector-cues" }, ...cues.map((cue) => {
      const mark = h("span", { class: "sfa-cue-mark", "aria-hidden": "true" }, capital(cue.type).charAt(0));
      mark.style.setProperty("--tone", safeColor(cue.color) ?? cueTone(cue.type));
      const button = h(
        "button", { type: "button", title: cue.reason },
        mark,
        h("span", { dir: "auto" }, cue.label || capital(cue.type)),
        h("span", { class: "is-time" }, position(cue.time)),
      );
      button.addEventListener("click", () => this.#options.onSeek(id, cue.time));
      return h("li", {}, button);
    }));
  }
}

const GRIDS: Record<FullAnalysis["grid_kind"], string> = {
  constant: "one tempo", piecewise: "several tempi", free: "breathes", none: "no beat",
};

/** The numbers that one looks for now and then. */
function more(analysis: Known): HTMLElement {
  const { open_key, beats_per_bar, grid_kind, swing, danceability, short_term_max, lra, bpm_alternative, beats } = analysis;
  const facts: [string, string | null, string][] = [
    ["Open Key", open_key ?? null, "The key as Traktor writes it"],
    ["Other tempo", bpm_alternative == null ? null : `${tempo(bpm_alternative)} BPM`, "Half or double, as one may feel it"],
    ["Metre", beats.length > 0 ? `${beats_per_bar}/4` : null, "Beats in a bar"],
    ["Grid", grid_kind === undefined ? null : GRIDS[grid_kind], "Whether the beats keep one tempo"],
    ["Swing", swing == null ? null : `${Math.round(swing * 100)} %`, "Where the off-beats fall: 50 % is straight, 67 % are triplets"],
    ["Danceability", danceability == null ? null : `${Math.round(danceability * 100)} %`, "How steady and strong the beat is"],
    ["Loudest 3 s", short_term_max == null ? null : measure(short_term_max, "LUFS"), "The highest short-term loudness"],
    ["Range", lra === null ? null : measure(lra, "LU"), "Loudness range"],
  ];
  return h("dl", { class: "sfa-inspector-more" }, ...facts
    .filter(([, value]) => value !== null)
    .map(([name, value, hint]) => h("div", { title: hint }, h("dt", {}, name), h("dd", {}, value))));
}

function section(title: string, content: HTMLElement, note?: string | null): Node[] {
  return [h("h3", {}, title, note ? h("small", {}, note) : null), content];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const TONES = ["intro", "verse", "vocal", "build", "drop", "chorus", "break", "bridge", "outro"];

/** The colour of a kind of section or cue. */
function cueTone(type: string): string {
  const known = TONES.find((tone) => type.toLowerCase().startsWith(tone));
  return known ? `var(--cue-${known})` : "var(--dim)";
}

/** A colour from the catalogue goes into a style only if it is nothing but a colour. */
function safeColor(color: string | null): string | null {
  return color !== null && /^#[0-9a-f]{6}$/i.test(color) ? color : null;
}

function energyDrawing(curve: number[]): SVGSVGElement {
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 200 40");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Energy over time");
  const points: string[] = [];
  for (let x = 0; x <= 200; x += 1) {
    const from = Math.floor((x / 201) * curve.length);
    const to = Math.max(from + 1, Math.floor(((x + 1) / 201) * curve.length));
    const slice = curve.slice(from, to);
    const mean = slice.reduce((sum, value) => sum + value, 0) / Math.max(1, slice.length);
    points.push(`L${x} ${(40 - Math.max(0, Math.min(1, mean)) * 38).toFixed(1)}`);
  }
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", `M0 40${points.join("")}L200 40Z`);
  svg.append(path);
  return svg;
}

function tagList(tags: TrackDetail["tags"], row: TrackRow): HTMLElement {
  const shown = new Set(["title", "artist", "album"]);
  const list = h("dl", { class: "sfa-inspector-tags" });
  for (const [name, value] of Object.entries(tags)) {
    if (value === null || value === "" || shown.has(name)) continue;
    const [label, text] = tagText(name, value);
    append(list, h("dt", {}, label), h("dd", { dir: "auto", title: text }, text));
  }
  append(list, h("dt", {}, "Added"), h("dd", {}, ago(row.added_at)));
  return list;
}

function tagText(name: string, value: string | number): [string, string] {
  if (name === "bytes" && typeof value === "number") return ["Size", bytes(value)];
  if (name === "sample_rate" && typeof value === "number") return ["Sample rate", `${(value / 1000).toFixed(1)} kHz`];
  return [capital(name.replaceAll("_", " ")), String(value)];
}

function jobList(jobs: JobRow[]): HTMLElement {
  return h("ul", { class: "sfa-inspector-jobs" }, ...jobs.slice(0, 8).map((job) => h(
    "li", { "data-status": job.status, title: job.error },
    h("span", {}, jobLabel(job.kind)),
    h("span", {}, STATUS[job.status]),
    h("span", { class: "is-time" }, ago(job.ended_at ?? job.started_at ?? job.created_at)),
  )));
}
