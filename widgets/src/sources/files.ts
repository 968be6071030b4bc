/** Files of the computer that the page is shown on: dropped or chosen, looked at, then sent. */

import { ACCEPT, droppedFiles, isMusic } from "../adding/files";
import { append, h, setText } from "../dom";
import { bytes, plural } from "../format";
import { icon } from "../icons";
import { mark, press } from "./marks";
import type { Action, Context, Part } from "./part";

/** Of more files than these, the first are shown. */
const SHOWN = 200;

export class FilesPart implements Part {
  readonly element = h("div", { class: "sfa-files" });
  readonly #context: Context;
  readonly #list = h("ul", { class: "sfa-chosen", role: "list", "aria-label": "Chosen files" });
  readonly #count = h("span", { role: "status" });
  readonly #chosen = h("div", { hidden: true });
  readonly #zone: HTMLElement;
  #files: File[] = [];

  constructor(context: Context) {
    this.#context = context;
    const files = picker({ multiple: true, accept: ACCEPT, "aria-label": "Songs and playlist files" });
    const folder = picker({ webkitdirectory: true, "aria-label": "A folder of songs" });
    files.addEventListener("change", () => this.#taken(files));
    folder.addEventListener("change", () => this.#taken(folder));
    const clear = press("Clear", () => this.#set([]), { quiet: true });
    this.#zone = h(
      "div", { class: "sfa-dropzone" },
      icon("upload"),
      h("p", {}, h("strong", {}, "Drop songs, folders or playlist files here")),
      h("p", { class: "is-fine" }, "Or anywhere on the page, at any time."),
      h(
        "div", { class: "sfa-line" },
        press("Choose files…", () => files.click(), { mark: "file" }),
        "webkitdirectory" in folder ? press("Choose a folder…", () => folder.click(), { mark: "folder" }) : null,
      ),
      files, folder,
    );
    append(this.#chosen, h("div", { class: "sfa-line" }, this.#count, h("span", { class: "sfa-gap" }), clear), this.#list);
    append(this.element, this.#zone, this.#chosen);
  }

  get action(): Action | null {
    const files = this.#files;
    if (files.length === 0) return null;
    return {
      label: `Add ${plural(files.length, "file")}`,
      stages: true,
      run: (stages) => {
        void this.#context.uploads.add(files, stages);
        this.#set([]);
        return Promise.resolve(null);
      },
    };
  }

  seen(): void {
    // it shows what it has
  }

  focus(): void {
    this.#zone.querySelector("button")?.focus({ preventScroll: true });
  }

  /** Takes what was dropped on the window that this is in. */
  async drop(data: DataTransfer | null): Promise<void> {
    this.add(await droppedFiles(data));
  }

  add(files: File[]): void {
    const known = new Set(this.#files.map(identity));
    this.#set([...this.#files, ...files.filter((file) => !known.has(identity(file)))]);
  }

  set dropping(over: boolean) {
    this.#zone.classList.toggle("is-over", over);
  }

  #taken(input: HTMLInputElement): void {
    const files = [...(input.files ?? [])].filter((file) => input.multiple || isMusic(file));
    const none = files.length === 0 && (input.files?.length ?? 0) > 0;
    input.value = ""; // the same file may be chosen again
    this.add(files);
    if (none) this.#context.layer.toast("info", "There are no songs in this folder.");
  }

  #set(files: File[]): void {
    this.#files = files;
    const size = files.reduce((sum, file) => sum + file.size, 0);
    this.#chosen.hidden = files.length === 0;
    this.element.classList.toggle("has-files", files.length > 0);
    setText(this.#count, files.length === 0 ? "" : `${plural(files.length, "file")}, ${bytes(size)}`);
    const more = files.length - SHOWN;
    this.#list.replaceChildren(
      ...files.slice(0, SHOWN).map((file) => this.#row(file)),
      ...(more > 0 ? [h("li", { class: "is-dim" }, `and ${plural(more, "more", "more")}`)] : []),
    );
    this.#context.changed();
  }

  #row(file: File): HTMLElement {
    const out = h("button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": `Leave out ${file.name}` }, icon("close"));
    out.addEventListener("click", () => this.#set(this.#files.filter((one) => one !== file)));
    return h(
      "li", {}, mark("file"), h("span", { class: "sfa-cut", dir: "auto", title: file.webkitRelativePath || file.name }, file.name),
      h("span", { class: "is-dim" }, bytes(file.size)), out,
    );
  }
}

function picker(attributes: Record<string, string | boolean>): HTMLInputElement {
  return h("input", { type: "file", hidden: true, tabindex: -1, ...attributes });
}

/** Chosen again, a file is another object. */
function identity(file: File): string {
  return [file.webkitRelativePath, file.name, file.size, file.lastModified].join("\n");
}
