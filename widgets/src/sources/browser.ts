/** The playlists of who is logged in at Spotify: searched, looked into, several brought in at once. */

import { isAbort } from "../bridge";
import { append, h, setText } from "../dom";
import { ago, plural } from "../format";
import { icon } from "../icons";
import { failureOf, followJobs } from "../services/follow";
import type { Methods, SpotifyState } from "../types";
import { Account } from "./account";
import { DownloadChoice } from "./downloads";
import { waitingWords } from "./link";
import { awaiting, fault, mark, press, redraw, why } from "./marks";
import type { Action, Context, Part, Started } from "./part";

type Listed = Methods["spotify.playlists"]["result"];
type Row = Listed["playlists"][number];

export class BrowserPart implements Part {
  readonly element = h("div", { class: "sfa-spotify" });
  readonly #context: Context;
  readonly #account: Account;
  readonly #search = h("input", { type: "search", placeholder: "Search these playlists", "aria-label": "Search these playlists", autocomplete: "off", spellcheck: "false" });
  readonly #age = h("span", { class: "is-dim", role: "status" });
  readonly #again: HTMLButtonElement;
  readonly #list = h("ul", { class: "sfa-mine", role: "list", "aria-label": "Playlists at Spotify" });
  readonly #state = h("div");
  readonly #body = h("div", { class: "sfa-mine-body", hidden: true });
  readonly #download: DownloadChoice;
  readonly #chosen = new Set<string>();
  #rows: Row[] = [];
  #loaded = false;
  #asking = false;

  constructor(context: Context) {
    this.#context = context;
    this.#account = new Account(context.bridge, { signal: context.signal, full: false, changed: (state) => this.#inside(state) });
    this.#again = press("", () => void this.#refresh(), { icon: "retry", quiet: true, says: "Ask Spotify again", title: "Ask Spotify again" });
    this.#download = new DownloadChoice(context);
    append(
      this.#body,
      h("div", { class: "sfa-line" }, h("label", { class: "sfa-search" }, icon("search"), this.#search), h("span", { class: "sfa-gap" }), this.#age, this.#again),
      this.#state, this.#list, this.#download.element,
    );
    append(this.element, this.#account.element, this.#body);
    this.#search.addEventListener("input", () => this.#draw());
    this.#search.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#search.value === "") return;
      event.preventDefault(); // it empties the field and does not close the window
      this.#search.value = "";
      this.#draw();
    });
    const stop = context.bridge.on("playlists.changed", () => { if (this.#loaded) void this.#look(); });
    context.signal.addEventListener("abort", stop, { once: true });
  }

  get action(): Action | null {
    const rows = this.#rows.filter(({ link }) => this.#chosen.has(link));
    const [first] = rows;
    if (!first) return null;
    const download = this.#download.wanted;
    return {
      label: rows.length === 1 ? (download ? "Import and download" : "Import") : `Import ${plural(rows.length, "playlist")}`,
      stages: download,
      run: async (stages) => {
        const work: Started = { title: rows.length === 1 ? first.name : plural(rows.length, "playlist"), batches: [], jobs: [] };
        const { bridge, signal } = this.#context;
        for (const { link } of rows) {
          try {
            const { result } = await bridge.request("links.import", { link, download, stages }, { signal });
            if (result.batch === null) work.jobs.push(...result.jobs);
            else work.batches.push(result.batch);
            this.#chosen.delete(link);
          } catch (error) {
            // What is on its way is watched all the same; the others stay chosen.
            if (work.batches.length + work.jobs.length === 0) throw error;
            this.#context.layer.failed(error);
            break;
          }
        }
        return work;
      },
    };
  }

  seen(): void {
    // the account tells when there is something to show
  }

  focus(): void {
    if (!this.#body.hidden) this.#search.focus({ preventScroll: true });
  }

  #inside(state: SpotifyState): void {
    const inside = state.client && state.login === "done";
    this.#body.hidden = !inside;
    if (inside && !this.#loaded) {
      this.#loaded = true;
      this.#state.replaceChildren(awaiting("Looking at your playlists…"));
      void this.#look().then((listed) => {
        if (listed?.fetched_at === null) void this.#refresh();
      });
    }
    if (!inside) {
      this.#loaded = false;
      this.#chosen.clear();
      this.#rows = [];
    }
    this.#context.changed();
  }

  async #look(): Promise<Listed | null> {
    const { bridge, signal } = this.#context;
    try {
      const { result } = await bridge.request("spotify.playlists", { refresh: false }, { signal });
      const same = JSON.stringify(result.playlists) === JSON.stringify(this.#rows);
      this.#rows = result.playlists;
      if (!this.#asking) setText(this.#age, result.fetched_at === null ? "" : ago(result.fetched_at));
      this.#state.replaceChildren();
      // Who is at work in the list is not disturbed by news that change nothing.
      if (!same || result.playlists.length === 0) this.#draw(result.fetched_at !== null);
      return result;
    } catch (error) {
      if (!isAbort(error)) this.#state.replaceChildren(fault(why(error), () => void this.#look()));
      return null;
    }
  }

  async #refresh(): Promise<void> {
    const { bridge, signal } = this.#context;
    this.#asking = this.#again.disabled = true;
    setText(this.#age, "Asking Spotify…");
    try {
      const [job] = await followJobs(
        bridge, signal, async () => (await bridge.request("spotify.playlists", { refresh: true }, { signal })).result.jobs,
        (rows) => setText(this.#age, waitingWords(rows)),
      );
      const failure = job ? failureOf(job) : null;
      this.#asking = false;
      await this.#look();
      if (failure !== null) this.#failed(failure);
    } catch (error) {
      if (!isAbort(error)) this.#failed(why(error));
    } finally {
      this.#asking = this.#again.disabled = false;
    }
  }

  #failed(text: string): void {
    if (this.#rows.length === 0) setText(this.#age, "");
    this.#state.replaceChildren(fault(text, () => void this.#refresh()));
  }

  #draw(known = true): void {
    const words = this.#search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.#rows.filter(({ name, owner }) => words.every((word) => `${name} ${owner}`.toLowerCase().includes(word)));
    this.#list.hidden = shown.length === 0;
    redraw(this.#list, shown.map((row) => this.#row(row)));
    if (shown.length === 0 && known && this.#state.childElementCount === 0) {
      this.#state.replaceChildren(h("p", { class: "is-dim" }, words.length > 0 ? "No playlist has these words." : "There are no playlists in this account."));
    } else if (shown.length > 0 && this.#state.querySelector("[role=alert]") === null) {
      this.#state.replaceChildren();
    }
    this.#context.changed();
  }

  #row(row: Row): HTMLElement {
    const { link, name, owner, total, playlist } = row;
    const box = h("input", { type: "checkbox" });
    box.checked = this.#chosen.has(link);
    box.addEventListener("change", () => {
      if (box.checked) this.#chosen.add(link);
      else this.#chosen.delete(link);
      this.#context.changed();
    });
    const look = press("Preview", () => this.#context.go("link", link), { quiet: true, says: `Preview ${name}` });
    return h(
      "li", {},
      h(
        "label", {}, box, isLiked(link) ? mark("heart") : mark("list"),
        h("span", { class: "sfa-mine-name" }, h("span", { class: "sfa-cut", dir: "auto", title: name }, name), h("small", { class: "sfa-cut", dir: "auto" }, isLiked(link) ? "" : owner)),
      ),
      playlist === null ? h("span") : h("span", { class: "is-ok sfa-here" }, icon("check"), "here"),
      h("span", { class: "is-dim sfa-mine-count" }, plural(total, "song")), look,
    );
  }
}

function isLiked(link: string): boolean {
  return link.includes("liked") || link.includes("collection");
}
