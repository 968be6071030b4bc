/** The folders that songs came from: watched or not, looked through again, forgotten. */

import { type Bridge, isAbort } from "../bridge";
import { append, h } from "../dom";
import { ago, plural } from "../format";
import { icon } from "../icons";
import type { FolderRow } from "../types";
import { askFirst, awaiting, fault, mark, press, redraw, why } from "./marks";

export class FolderSettings {
  readonly element: HTMLElement;
  readonly #bridge: Bridge;
  readonly #signal: AbortSignal;
  readonly #list = h("ul", { class: "sfa-sources-folders", role: "list" });
  readonly #state = h("div", {}, awaiting("Looking…"));

  constructor(bridge: Bridge, signal: AbortSignal, add: () => void) {
    this.#bridge = bridge;
    this.#signal = signal;
    const more = press("Add a folder…", add, { icon: "plus" });
    this.element = h("section", {}, h("header", {}, h("h3", {}, "Folders"), more), this.#state, this.#list);
  }

  async look(): Promise<void> {
    try {
      const { result } = await this.#bridge.request("folders.list", {}, { signal: this.#signal });
      this.#state.replaceChildren();
      // A question that waits for its answer stays.
      if (this.#list.querySelector("[role=group]") === null) redraw(this.#list, result.folders.map((row) => this.#row(row)));
      if (result.folders.length === 0) {
        this.#state.replaceChildren(h("p", {}, "No folder has been added yet. A watched one brings in by itself what is put there."));
      }
    } catch (error) {
      if (!isAbort(error)) this.#state.replaceChildren(fault(why(error), () => void this.look()));
    }
  }

  #row(row: FolderRow): HTMLElement {
    const facts = [
      plural(row.tracks, "track"),
      row.refused > 0 ? `${plural(row.refused, "file")} not usable` : null,
      row.reference ? "left in place" : "copied",
      row.job !== null ? "looking through it now…" : row.scanned_at === null ? "not looked through yet" : `looked through ${ago(row.scanned_at)}`,
    ].filter((fact) => fact !== null).join(" · ");
    const item = h("li");
    const scan = press("Scan now", () => this.#send(item, "folders.scan", { id: row.id }), { icon: "retry", says: `Scan ${row.path} now` });
    scan.disabled = row.job !== null;
    const watch = press(row.watched ? "Stop watching" : "Watch", () => this.#send(item, "folders.watch", { id: row.id, watch: !row.watched }), {
      says: row.watched ? `Stop watching ${row.path}` : `Watch ${row.path}`,
    });
    const forget = press("", () => undefined, { icon: "trash", quiet: true, title: "Forget this folder", says: `Forget ${row.path}` });
    askFirst(forget, "Its songs stay in the library.", "Forget it", "Keep it", () => this.#send(item, "folders.forget", { id: row.id }));
    append(
      item, mark("folder"),
      h(
        "div", {},
        h("strong", { class: "sfa-path", dir: "ltr", title: row.path }, row.path),
        h("span", { class: "is-dim" }, row.watched ? h("span", { class: "is-ok" }, "Watched") : "Not watched", ` · ${facts}`),
        row.problem === null ? null : h("span", { class: "is-warn" }, icon("alert"), row.problem),
      ),
      h("div", { class: "sfa-line" }, scan, watch, forget),
    );
    return item;
  }

  #send<M extends "folders.scan" | "folders.watch" | "folders.forget">(
    item: HTMLElement, method: M, params: { id: string; watch?: boolean },
  ): void {
    if (item.classList.contains("is-busy")) return;
    item.classList.add("is-busy");
    this.#bridge.request(method, params as never, { signal: this.#signal }).then(
      () => this.look(),
      async (error: unknown) => {
        if (isAbort(error)) return;
        await this.look();
        this.#state.replaceChildren(fault(why(error)));
      },
    );
  }
}
