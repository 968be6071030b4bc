/** A link that is pasted: read at once, then what it leads to, before anything is brought in. */

import { isAbort } from "../bridge";
import { append, h, setText, uniqueId } from "../dom";
import { ago, duration, plural } from "../format";
import { icon } from "../icons";
import { countdown } from "../jobs/words";
import { failureOf, followJobs } from "../services/follow";
import type { JobRow, LinkKind, LinkPreview, SpotifyState } from "../types";
import { DownloadChoice } from "./downloads";
import { awaiting, fault, mark, press, why } from "./marks";
import { type Action, type Context, type Part, started } from "./part";

/** Typing rests this long before the link is read, in ms. */
const READ_MS = 150;
/** What a service told is looked up again after this time, in ms. */
const FRESH_MS = 10 * 60_000;

const KINDS: Record<LinkKind, string> = { track: "Song", album: "Album", playlist: "Playlist", liked: "Liked songs" };

export class LinkPart implements Part {
  readonly element = h("div", { class: "sfa-linked" });
  readonly #context: Context;
  readonly #field: HTMLInputElement;
  readonly #reason = h("p", { class: "sfa-link-reason is-danger", role: "status" });
  readonly #result = h("div", { class: "sfa-link-result" });
  readonly #download: DownloadChoice;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: AbortController | null = null;
  #preview: LinkPreview | null = null;
  /** What was read last. */
  #text = "";

  constructor(context: Context) {
    this.#context = context;
    const id = uniqueId("link");
    this.#field = h("input", {
      id, class: "sfa-field", type: "text", inputmode: "url", autocomplete: "off", spellcheck: "false",
      placeholder: "https://open.spotify.com/playlist/…",
    });
    this.#download = new DownloadChoice(context);
    append(
      this.element,
      h("label", { for: id }, "A link to a song, an album or a playlist on Spotify"), this.#field, this.#reason, this.#result,
    );
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.read(), READ_MS);
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      clearTimeout(this.#timer);
      // What is on show already, or on its way, is not asked for anew.
      if (this.#field.value.trim() !== this.#text) void this.read();
    });
    context.signal.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
    this.#empty();
  }

  get action(): Action | null {
    const preview = this.#preview;
    // Songs that the service keeps to itself cannot come.
    if (preview === null || (preview.songs.length === 0 && preview.note !== null)) return null;
    const download = this.#download.wanted;
    const missing = songsOf(preview) - preview.here;
    const { bridge, signal } = this.#context;
    return {
      label: download && missing > 0 ? `Import and download ${plural(missing, "song")}` : "Import",
      stages: download && missing > 0,
      run: async (stages) => {
        const { result } = await bridge.request("links.import", { link: preview.link, download, stages }, { signal });
        return started(preview.name, result);
      },
    };
  }

  focus(): void {
    this.#field.focus({ preventScroll: true });
  }

  seen(): void {
    // What was missing may be there now.
    if (this.#preview !== null) void this.#glance(this.#preview);
    else if (this.#field.value.trim() !== "") void this.read();
  }

  /** It is looked at once this is in sight. */
  set text(text: string) {
    this.#field.value = text;
    this.#preview = null;
  }

  async read(): Promise<void> {
    this.#reading?.abort();
    const reading = (this.#reading = new AbortController());
    const signal = AbortSignal.any([this.#context.signal, reading.signal]);
    const text = (this.#text = this.#field.value.trim());
    this.#show(null);
    this.#fail("");
    if (text === "") {
      this.#empty();
      return;
    }
    this.#result.replaceChildren();
    const { bridge } = this.#context;
    let link: string;
    let kind: LinkKind;
    try {
      ({ link, kind } = (await bridge.request("links.parse", { text }, { signal })).result);
    } catch (error) {
      if (!isAbort(error)) this.#fail(why(error));
      return;
    }
    try {
      await this.#find(link, kind, signal);
    } catch (error) {
      if (!isAbort(error)) this.#result.replaceChildren(fault(why(error), () => void this.read()));
    }
  }

  /** What the link leads to: as it is known, else as the service tells. */
  async #find(link: string, kind: LinkKind, signal: AbortSignal): Promise<void> {
    const { bridge } = this.#context;
    this.#result.replaceChildren(awaiting(`Looking at the ${KINDS[kind].toLowerCase()}…`));
    const known = await this.#known(link, signal);
    if (known) this.#show(known);
    if (known && Date.now() - Date.parse(known.fetched_at) < FRESH_MS) return;
    const state = (await bridge.request("spotify.state", {}, { signal })).result;
    if (!state.client || (state.login !== "done" && !state.secret)) {
      if (!known) this.#result.replaceChildren(this.#setUp(state.client));
      return;
    }
    await this.#ask(link, kind, state, signal);
  }

  async #known(link: string, signal: AbortSignal): Promise<LinkPreview | null> {
    return (await this.#context.bridge.request("links.preview", { link }, { signal })).result.preview;
  }

  /** Shows a preview as it is known by now, where it has changed. */
  async #glance(shown: LinkPreview): Promise<void> {
    try {
      const known = await this.#known(shown.link, this.#context.signal);
      if (known && this.#preview === shown && JSON.stringify(known) !== JSON.stringify(shown)) this.#show(known);
    } catch {
      // it stays as it was
    }
  }

  async #ask(link: string, kind: LinkKind, state: SpotifyState, signal: AbortSignal): Promise<void> {
    const { bridge } = this.#context;
    const note = h("p", { class: "is-dim", role: "status" }, `Asking Spotify about the ${KINDS[kind].toLowerCase()}…`);
    if (this.#preview === null) this.#result.replaceChildren(note);
    const [job] = await followJobs(
      bridge, signal, async () => (await bridge.request("links.look", { link }, { signal })).result.jobs,
      (rows) => {
        setText(note, waitingWords(rows));
        note.classList.toggle("is-warn", rows.some((job) => failureOf(job) !== null));
        // Under what is known already only trouble is worth a line.
        if (this.#preview !== null && rows.some((job) => failureOf(job) !== null)) this.#result.append(note);
      },
    );
    const failure = job ? failureOf(job) : null;
    if (failure === null) {
      const preview = await this.#known(link, signal);
      if (preview) this.#show(preview);
      else this.#result.replaceChildren(fault("Spotify told nothing about this link.", () => void this.read()));
    } else if (this.#preview !== null) {
      this.#result.prepend(fault(failure, () => void this.read()));
    } else {
      const line = fault(failure, () => void this.read());
      const inside = state.login === "done" ? null : press("Log in to Spotify…", () => this.#context.go("spotify"));
      append(line, inside);
      this.#result.replaceChildren(line);
    }
  }

  /** Nobody is asked who would not answer. */
  #setUp(client: boolean): HTMLElement {
    const text = client ? "Spotify tells what a link leads to once you are logged in."
      : "Spotify tells what a link leads to once it knows you: that takes a minute, once.";
    return h(
      "div", { class: "sfa-note" }, icon("info"), h("p", {}, text),
      press(client ? "Log in to Spotify…" : "Set up Spotify…", () => this.#context.go("spotify")),
    );
  }

  #empty(): void {
    this.#result.replaceChildren(h(
      "div", { class: "sfa-note" }, icon("link"),
      h("p", {}, "Copy it in Spotify by Share, then Copy link. You see what it leads to before anything is brought in."),
      press("Browse my playlists", () => this.#context.go("spotify")),
    ));
  }

  #fail(text: string): void {
    setText(this.#reason, text);
    this.#field.toggleAttribute("aria-invalid", false);
    if (text !== "") {
      this.#field.setAttribute("aria-invalid", "true");
      this.#result.replaceChildren();
    }
  }

  #show(preview: LinkPreview | null): void {
    this.#preview = preview;
    if (preview) {
      const { name, kind, owner, here, note, skipped, songs, fetched_at: at } = preview;
      const total = songsOf(preview);
      const kept = songs.length === 0 && note !== null;
      const again = press("", () => void this.#refresh(), { icon: "retry", quiet: true, title: "Ask Spotify again", says: "Ask Spotify again" });
      const facts = [
        kind === "liked" ? null : KINDS[kind], owner === "" ? null : `by ${owner}`, kind === "track" || kept ? null : plural(total, "song"), inLibrary(total, here),
      ].filter((fact) => fact !== null).join(" · ");
      this.#result.replaceChildren(
        h(
          "header", { class: "sfa-preview-head" },
          h("span", { class: "sfa-preview-tile" }, kind === "liked" ? mark("heart") : kind === "playlist" ? mark("list") : icon("disc")),
          h("div", {}, h("h3", { class: "sfa-cut", dir: "auto", title: name }, name), h("p", { class: "is-dim sfa-cut", title: facts }, facts)),
          h("span", { class: "sfa-preview-age is-dim" }, ago(at)), again,
        ),
        ...(note !== null ? [h("p", { class: "is-warn" }, icon("alert"), note)] : []),
        ...(songs.length > 0 ? [songList(songs, total)] : []),
        ...(kept ? [] : [h("p", { class: "is-fine" }, outcome(preview), skipped > 0 && ` ${plural(skipped, "item is", "items are")} left out: episodes, local files and gaps.`)]),
        ...(total > here && !kept ? [this.#download.element] : []),
      );
    }
    this.#context.changed();
  }

  async #refresh(): Promise<void> {
    const preview = this.#preview;
    if (!preview) return;
    this.#reading?.abort();
    const reading = (this.#reading = new AbortController());
    const signal = AbortSignal.any([this.#context.signal, reading.signal]);
    try {
      const state = (await this.#context.bridge.request("spotify.state", {}, { signal })).result;
      this.#result.querySelector(".sfa-preview-age")?.replaceChildren("asking…");
      await this.#ask(preview.link, preview.kind, state, signal);
    } catch (error) {
      if (!isAbort(error)) this.#result.prepend(fault(why(error)));
    } finally {
      if (this.#preview === preview) this.#result.querySelector(".sfa-preview-age")?.replaceChildren(ago(preview.fetched_at));
    }
  }
}

/** What a look-up waits for. */
export function waitingWords([job]: JobRow[]): string {
  if (!job) return "Asking Spotify…";
  const trouble = failureOf(job);
  if (trouble !== null && job.status === "queued") {
    return `${trouble} ${job.due_s ? `The next try is in ${countdown(job.due_s)}.` : "It is tried again soon."}`;
  }
  return job.status === "queued" ? "Waiting for its turn…" : job.progress > 0 ? `Asking Spotify: ${Math.round(job.progress)} %` : "Asking Spotify…";
}

function inLibrary(total: number, here: number): string | null {
  if (here === 0) return null;
  return here === total ? (total === 1 ? "in the library" : "all in the library") : `${here} in the library`;
}

function songsOf({ total, skipped }: LinkPreview): number {
  return Math.max(0, total - skipped);
}

function outcome(preview: LinkPreview): string {
  const { kind, name, here } = preview;
  const total = songsOf(preview);
  const songs = total - here;
  const what = kind === "track" ? "The song comes into your playlists" : `It comes into your playlists as “${name}”`;
  if (total === 0) return `${what}; no song is in it.`;
  if (songs === 0) return `${what}; ${total === 1 ? "it is" : "all songs are"} here already.`;
  return `${what}. ${kind === "track" ? "It is not here yet" : `${plural(songs, "song is", "songs are")} not here yet`}.`;
}

function songList(songs: LinkPreview["songs"], total: number): HTMLElement {
  const rows = songs.map((song, i) => h(
    "li", { "data-here": song.here ? "yes" : "no" },
    h("span", { class: "is-dim" }, String(i + 1)),
    h("div", {}, h("span", { class: "sfa-cut", dir: "auto", title: song.title }, song.title), h("small", { class: "sfa-cut", dir: "auto", title: song.artist }, song.artist)),
    song.here ? h("span", { class: "is-ok sfa-here" }, icon("check"), "here") : h("span"),
    h("span", { class: "is-dim" }, duration(song.duration)),
  ));
  return h(
    "div", { class: "sfa-songs", tabindex: 0, role: "group", "aria-label": "Songs" },
    h("ul", { role: "list" }, ...rows),
    total > songs.length ? h("p", { class: "is-fine" }, `The first ${songs.length} of ${plural(total, "song")}.`) : null,
  );
}
