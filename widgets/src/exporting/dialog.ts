/** The dialog that writes files to take away: what, in which format, under which name; then where to get them. */

import { type Bridge, describe, isAbort } from "../bridge";
import "../dialogs/dialogs.css";
import type { DialogHost } from "../dialogs/host";
import { h, setAttribute, setText, uniqueId } from "../dom";
import { ago, bytes, plural } from "../format";
import { icon } from "../icons";
import { progressBar, setProgress, stemLabel } from "../parts";
import { separateDialog } from "../separate/dialog";
import { failureOf, followJobs } from "../services/follow";
import type { ExportRequest, ExportRow, ExportWhat, JobRow } from "../types";
import { download } from "./download";
import "./exporting.css";
import type { ExportOptions } from "./index";

/** Typing rests this long before the kernel is asked for the names, in ms. */
const PREVIEW_MS = 200;
/** More names in an archive than these are counted. */
const NAMES = 6;
const KEY = "sfa.export";

/** The last choice, and the last of each kind. */
type Remembered = Partial<Record<ExportWhat, { format?: string; template?: string }>> & { what?: ExportWhat };

interface What {
  what: ExportWhat;
  label: string;
  text: string;
  formats: [string, string][];
  stems: boolean;
}

const SOUND: [string, string][] = [
  ["flac", "FLAC, 24 bit"], ["wav", "WAV, 32 bit float"], ["mp3", "MP3"], ["ogg", "Ogg Vorbis"], ["m4a", "M4A (AAC)"],
];
const WHATS: What[] = [
  { what: "stems", label: "All stems", text: "A .zip of every stem, with a manifest of what made them.", formats: SOUND, stems: true },
  { what: "stem", label: "One stem", text: "A single file, such as the vocals alone.", formats: SOUND, stems: true },
  {
    what: "stem.mp4", label: "Stem file for DJs", text: "One .stem.mp4 for Traktor and Mixxx: the song and four stems.",
    formats: [["aac", "AAC, small"], ["alac", "ALAC, lossless"]], stems: true,
  },
  { what: "analysis", label: "Analysis", text: "Tempo, key, sections, cues and loops as JSON, with your corrections.", formats: [["json", "JSON"]], stems: false },
];
const FIELDS = ["artist", "title", "stem", "album", "year", "genre", "bpm", "key", "camelot", "engine", "model"];
const TEMPLATES: Record<ExportWhat, string> = {
  stems: "{artist} - {title} ({stem})", stem: "{artist} - {title} ({stem})",
  "stem.mp4": "{artist} - {title}", analysis: "{artist} - {title}",
};

export function exportDialog(bridge: Bridge, host: DialogHost, options: ExportOptions): void {
  if (options.ids.length === 0) host.layer.toast("info", "Select the songs to export first.");
  else new ExportDialog(bridge, host, options);
}

class ExportDialog {
  readonly #bridge: Bridge;
  readonly #ids: string[];
  readonly #set: ExportOptions["set"];
  readonly #host: DialogHost;
  readonly #dialog: HTMLDialogElement;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #subject = h("p", { class: "sfa-work-subject", dir: "auto" });
  readonly #format = h("select", { class: "sfa-field", "aria-label": "Format" });
  readonly #stem = h("select", { class: "sfa-field", "aria-label": "Stem" });
  readonly #template = h("input", { class: "sfa-field", autocomplete: "off", spellcheck: "false" });
  readonly #fields = h("div", { class: "sfa-chips sfa-exp-fields", role: "group", "aria-label": "Fields of the name" });
  readonly #names = h("ul", { class: "sfa-exp-names", "aria-label": "Names", "aria-live": "polite" });
  readonly #missing = h("p", { class: "sfa-line is-warn", hidden: true });
  readonly #earlier = h("section", { class: "sfa-exp-earlier", hidden: true });
  readonly #state = h("div", { class: "sfa-exp-state" });
  readonly #start = h("button", { type: "button", class: "sfa-button is-primary", disabled: true }, icon("upload"), "Export");
  readonly #kept: Remembered;
  #what: What;
  /** Null as long as nobody has looked. */
  #stems: string[] | null = null;
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;
  #named = false;

  constructor(bridge: Bridge, host: DialogHost, { ids, set }: ExportOptions) {
    this.#bridge = bridge;
    this.#ids = ids;
    this.#set = set;
    this.#host = host;
    this.#signal = AbortSignal.any([host.signal, this.#end.signal]);
    this.#kept = recall();
    this.#what = WHATS.find(({ what }) => what === this.#kept.what) ?? (WHATS[0] as What);
    setText(this.#subject, ids.length > 1 ? plural(ids.length, "song") : "");

    const close = h("button", { type: "button", class: "sfa-button" }, "Close");
    const id = uniqueId("template");
    this.#template.id = id;
    const dialog = (this.#dialog = host.layer.dialog(
      "Export", this.#subject,
      h(
        "div", { class: "sfa-work-body" },
        this.#cards(),
        h("div", { class: "sfa-line sfa-exp-choices" }, this.#stem, this.#format), this.#missing,
        h(
          "section", { class: "sfa-exp-name" },
          h("label", { for: id }, "Name"), this.#template, this.#fields, this.#names,
        ),
        this.#earlier,
      ),
      h("footer", {}, this.#state, h("div", { class: "sfa-work-buttons" }, close, this.#start)),
    ));
    dialog.classList.add("sfa-work", "sfa-exp");
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      clearTimeout(this.#timer);
      this.#end.abort();
    });
    host.signal.addEventListener("abort", () => dialog.close(), { once: true, signal: this.#end.signal });
    this.#stem.addEventListener("change", () => this.#changed());
    this.#format.addEventListener("change", () => this.#changed());
    this.#template.addEventListener("input", () => this.#changed());
    this.#start.addEventListener("click", () => void this.#run());
    dialog.querySelector<HTMLElement>("input:checked")?.focus();
    this.#chosen();
    void this.#look();
    void this.#showEarlier();
  }

  // What is chosen

  #cards(): HTMLElement {
    const group = uniqueId("what");
    return h("div", { class: "sfa-cards", role: "radiogroup", "aria-label": "What to export" }, ...WHATS.map((one) => {
      const input = h("input", { type: "radio", name: group, value: one.what });
      input.checked = one === this.#what;
      input.addEventListener("change", () => {
        this.#what = one;
        this.#chosen();
      });
      return h("label", { class: "sfa-card" }, input, h("div", {}, h("strong", {}, one.label), h("p", {}, one.text)));
    }));
  }

  #chosen(): void {
    const { what, formats } = this.#what;
    const kept = this.#kept[what];
    this.#format.replaceChildren(...formats.map(([value, label]) => h("option", { value }, label)));
    this.#format.value = formats.find(([value]) => value === kept?.format)?.[0] ?? (formats[0]?.[0] as string);
    this.#format.hidden = formats.length < 2;
    this.#template.value = kept?.template ?? TEMPLATES[what];
    this.#stem.hidden = what !== "stem";
    const fields = FIELDS.filter((field) => field !== "stem" || what === "stem" || what === "stems");
    this.#fields.replaceChildren(...fields.map((field) => {
      const chip = h("button", { type: "button", class: "sfa-chip", title: `Put the ${field} into the name` }, `{${field}}`);
      chip.addEventListener("click", () => {
        const { selectionStart, selectionEnd, value } = this.#template;
        this.#template.setRangeText(`{${field}}`, selectionStart ?? value.length, selectionEnd ?? value.length, "end");
        this.#template.focus();
        this.#changed();
      });
      return chip;
    }));
    this.#showStems();
    this.#changed();
  }

  /** Which stems there are to choose from: of a few songs looked up, of many as usual. */
  async #look(): Promise<void> {
    try {
      const some = this.#ids.slice(0, 8);
      const replies = await Promise.all(some.map((id) => this.#bridge.request("track.show", { id }, { signal: this.#signal })));
      this.#stems = this.#set?.stems ?? [...new Set(replies.flatMap(({ result }) => result.stems.map(({ name }) => name)))];
      const [first] = replies;
      if (this.#ids.length === 1 && first) {
        const { title, artist } = first.result.track;
        const name = [title, artist, this.#set && `stems by ${this.#set.badge}`].filter(Boolean).join(" · ");
        setText(this.#subject, name);
        setAttribute(this.#subject, "title", name);
      }
    } catch (error) {
      if (isAbort(error)) return;
      this.#stems = null;
    }
    this.#showStems();
    this.#changed();
  }

  #showStems(): void {
    const stems = this.#stems ?? [];
    const before = this.#stem.value;
    this.#stem.replaceChildren(...stems.map((stem) => h("option", { value: stem }, stemLabel(stem))));
    if (stems.includes(before)) this.#stem.value = before;
    this.#missing.hidden = !this.#what.stems || this.#stems === null || stems.length > 0;
    const separate = h("button", { type: "button", class: "sfa-button" }, icon("split"), "Separate…");
    separate.addEventListener("click", () => {
      this.#dialog.close();
      separateDialog(this.#bridge, this.#host, { ids: this.#ids });
    });
    this.#missing.replaceChildren(
      icon("info"), h("span", {}, this.#ids.length > 1 ? "None of these songs has stems yet." : "This song has no stems yet."), separate,
    );
  }

  get #request(): ExportRequest | null {
    const { what, stems } = this.#what;
    if (stems && this.#stems?.length === 0) return null;
    if (what === "stem" && this.#stem.value === "") return null;
    return {
      ids: this.#ids, what, format: this.#format.value, template: this.#template.value,
      ...(what === "stem" && { stem: this.#stem.value }),
      ...(stems && this.#set && { separation: this.#set.id }),
    };
  }

  #changed(): void {
    this.#kept.what = this.#what.what;
    this.#kept[this.#what.what] = { format: this.#format.value, template: this.#template.value };
    this.#named = false;
    this.#showStart();
    this.#asking?.abort();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#preview(), PREVIEW_MS);
  }

  async #preview(): Promise<void> {
    const request = this.#request;
    this.#template.removeAttribute("aria-invalid");
    if (!request) {
      this.#names.replaceChildren();
      return;
    }
    const asking = (this.#asking = new AbortController());
    try {
      const signal = AbortSignal.any([this.#signal, asking.signal]);
      const { result } = await this.#bridge.request("export.preview", request, { signal });
      const [file = "", ...inside] = result.names;
      const more = inside.length - NAMES;
      this.#names.replaceChildren(
        h("li", { dir: "auto", title: file }, h("strong", {}, file)),
        ...inside.slice(0, NAMES).map((name) => h("li", { class: "is-inside", dir: "auto", title: name }, name)),
        ...(more > 0 ? [h("li", { class: "is-inside is-dim" }, `and ${more.toLocaleString("en-GB")} more`)] : []),
      );
      this.#named = true;
      this.#showStart();
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      this.#template.setAttribute("aria-invalid", "true");
      this.#names.replaceChildren(h("li", { class: "is-danger" }, icon("alert"), [message, hint].filter(Boolean).join(" ")));
    }
  }

  #showStart(): void {
    this.#start.disabled = this.#busy || !this.#named || this.#request === null;
  }

  // What is done

  async #run(): Promise<void> {
    const request = this.#request;
    if (!request) return;
    remember(this.#kept);
    this.#busy = true;
    this.#showStart();
    const words = h("span", { role: "status" }, "Starting…");
    const bar = progressBar("Export");
    this.#state.replaceChildren(words, bar);
    const show = (jobs: JobRow[]) => {
      const percent = jobs.reduce((sum, job) => sum + (job.status === "completed" ? 100 : job.progress), 0) / Math.max(1, jobs.length);
      setProgress(bar, percent);
      setText(words, jobs.every(({ status }) => status === "queued") ? "Waiting for its turn…" : `Writing ${Math.round(percent)} %`);
    };
    try {
      const jobs = await followJobs(this.#bridge, this.#signal, async () => {
        const { result } = await this.#bridge.request("export.start", request, { signal: this.#signal });
        return result.jobs;
      }, show);
      const failure = jobs.map(failureOf).find((text) => text !== null);
      if (failure) this.#failed(failure);
      else await this.#finished(jobs.map(({ id }) => id));
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      this.#failed([message, hint].filter(Boolean).join(" "));
    } finally {
      this.#busy = false;
      this.#showStart();
    }
  }

  #failed(text: string): void {
    this.#state.replaceChildren(h("p", { class: "is-danger", role: "alert" }, icon("alert"), text));
  }

  /** The file is ready: it is offered, for a page may not start a download that nobody asked for. */
  async #finished(jobs: string[]): Promise<void> {
    const made = (await this.#showEarlier()).find(({ job }) => jobs.includes(job));
    if (!made) {
      this.#failed("The file was made, but it is not there any more. Export it again.");
      return;
    }
    const button = this.#downloadButton(made, true);
    this.#state.replaceChildren(
      h("p", { class: "is-ok", role: "status" }, icon("check"), h("bdi", { title: made.name }, made.name)), button,
    );
    button.focus();
  }

  async #showEarlier(): Promise<ExportRow[]> {
    const [id] = this.#ids;
    if (id === undefined) return [];
    try {
      const { result } = await this.#bridge.request("export.list", { id }, { signal: this.#signal });
      const { exports: rows } = result;
      this.#earlier.hidden = rows.length === 0;
      this.#earlier.replaceChildren(
        h("h3", {}, this.#ids.length === 1 ? "Exports of this song" : "Exports"),
        h("ul", {}, ...rows.map((row) => h(
          "li", {},
          h("span", { dir: "auto", title: row.name }, row.name),
          h("small", {}, `${bytes(row.bytes)} · ${ago(row.created_at)}`),
          this.#downloadButton(row, false),
        ))),
      );
      return rows;
    } catch (error) {
      if (!isAbort(error)) this.#earlier.hidden = true;
      return [];
    }
  }

  #downloadButton(row: ExportRow, first: boolean): HTMLButtonElement {
    const label = `Download ${row.name}`;
    const button = first
      ? h("button", { type: "button", class: "sfa-button is-primary", "aria-label": label }, icon("download"), `Download (${bytes(row.bytes)})`)
      : h("button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": label, title: "Download" }, icon("download"));
    button.addEventListener("click", () => {
      button.disabled = true;
      download(this.#bridge, row, this.#signal)
        .catch((error: unknown) => this.#host.layer.failed(error))
        .finally(() => { button.disabled = false; });
    });
    return button;
  }
}

function recall(): Remembered {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof kept === "object" && kept !== null ? kept : {};
  } catch {
    return {}; // storage is switched off, or somebody else wrote there
  }
}

function remember(kept: object): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // storage is switched off: the choice lasts as long as the dialog
  }
}
