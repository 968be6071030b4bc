/** A folder of the computer that the kernel runs on: looked into, then copied or left in place, and watched. */

import { isAbort } from "../bridge";
import { append, h, setText, uniqueId } from "../dom";
import { plural } from "../format";
import { icon } from "../icons";
import type { Methods } from "../types";
import { awaiting, fault, mark, why } from "./marks";
import { type Action, type Context, type Part, started } from "./part";

type Place = Methods["folders.browse"]["result"];

export class PlacePart implements Part {
  readonly element = h("div", { class: "sfa-place" });
  readonly #context: Context;
  readonly #field: HTMLInputElement;
  readonly #up = h("button", { type: "button", class: "sfa-button is-icon", "aria-label": "The folder above", title: "The folder above" }, icon("up"));
  readonly #list = h("div", { class: "sfa-folders", role: "group", "aria-label": "Folders" });
  readonly #words = h("p", { class: "is-dim", role: "status" });
  readonly #how = h("div", { class: "sfa-place-how", hidden: true });
  readonly #watch = h("input", { type: "checkbox" });
  #place: Place | null = null;
  #reference = false;
  #looking: AbortController | null = null;

  constructor(context: Context) {
    this.#context = context;
    const id = uniqueId("place");
    this.#field = h("input", { id, class: "sfa-field", type: "text", autocomplete: "off", spellcheck: "false", dir: "ltr" });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      void this.#look(this.#field.value.trim() || null);
    });
    this.#up.addEventListener("click", () => void this.#look(this.#place?.parent ?? null));
    this.#watch.addEventListener("change", () => this.#context.changed());
    this.#drawHow();
    append(
      this.element,
      h("label", { for: id }, "A folder of the computer that the studio runs on"),
      h("div", { class: "sfa-line sfa-place-line" }, this.#up, this.#field), this.#list, this.#words, this.#how,
    );
  }

  get action(): Action | null {
    const place = this.#place;
    if (place === null || place.path === null) return null;
    // What is typed counts, entered or not: the kernel says when it is no folder, and takes a file as well.
    const path = this.#field.value.trim() || place.path;
    const [reference, watch] = [this.#reference, this.#watch.checked];
    const { bridge, signal } = this.#context;
    return {
      label: watch ? "Add and watch the folder" : "Add the folder",
      stages: true,
      run: async (stages) => {
        const { result } = await bridge.request("folders.import", { path, reference, watch, stages }, { signal });
        return started(leaf(path), result);
      },
    };
  }

  seen(): void {
    if (this.#place === null) void this.#look(null);
  }

  focus(): void {
    this.#field.focus({ preventScroll: true });
  }

  async #look(path: string | null): Promise<void> {
    this.#looking?.abort();
    const looking = (this.#looking = new AbortController());
    const { bridge, signal, changed } = this.#context;
    if (this.#place === null) this.#list.replaceChildren(awaiting("Looking…"));
    try {
      const { result } = await bridge.request("folders.browse", { path }, { signal: AbortSignal.any([signal, looking.signal]) });
      this.#place = result;
      this.#draw(result);
    } catch (error) {
      if (isAbort(error)) return;
      // Where somebody was stays on show; a path that was mistyped can be put right.
      if (this.#place === null) this.#list.replaceChildren(fault(why(error), () => void this.#look(path)));
      else this.#words.replaceChildren(h("span", { class: "is-danger" }, icon("alert"), why(error)));
    }
    changed();
  }

  #draw({ path, folders, songs }: Place): void {
    const inside = this.#list.contains(document.activeElement);
    this.#field.value = path ?? "";
    this.#field.placeholder = path === null ? "Choose a folder below, or name one" : "";
    this.#up.disabled = path === null;
    this.#how.hidden = path === null;
    this.#list.replaceChildren(...folders.map(({ name, path: there }) => {
      const row = h("button", { type: "button", class: "sfa-folder", title: there }, mark("folder"), h("span", { class: "sfa-cut", dir: "auto" }, path === null ? there : name));
      row.addEventListener("click", () => void this.#look(there));
      return row;
    }));
    if (folders.length === 0) {
      this.#list.replaceChildren(h("p", { class: "is-dim" }, path === null
        ? "The pages of this studio may look into no folder. Python and the command line may: sfa add FOLDER."
        : "There are no folders in it."));
    }
    setText(this.#words, path === null ? ""
      : songs === 0 ? "No songs lie in it directly; those of the folders in it come too."
      : `${plural(songs, "song")} in it directly; those of the folders in it come too.`);
    if (inside) (this.#list.querySelector<HTMLElement>("button") ?? this.#up).focus();
  }

  #drawHow(): void {
    const name = uniqueId("keep");
    const choices = ([
      [false, "Copy into the library", "The originals are not needed afterwards."],
      [true, "Leave in place", "Takes no room; the files have to stay where they are."],
    ] as const).map(([reference, label, text]) => {
      const input = h("input", { type: "radio", name, value: reference ? "leave" : "copy" });
      input.checked = reference === this.#reference;
      input.addEventListener("change", () => { this.#reference = reference; });
      return h("label", { class: "sfa-card" }, input, h("div", {}, h("strong", {}, label), h("p", {}, text)));
    });
    append(
      this.#how,
      h("div", { class: "sfa-cards", role: "radiogroup", "aria-label": "What happens with the files" }, ...choices),
      h("label", { class: "sfa-check" }, this.#watch, h("span", {}, "Watch it: songs that are put there later come by themselves")),
    );
  }
}

/** The name of a folder or file, with either kind of slash. */
export function leaf(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).pop() ?? path;
}
