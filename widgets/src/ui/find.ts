/** The dialog that finds songs of the library. */

import { type Bridge, describe, isAbort } from "../bridge";
import { h, setText } from "../dom";
import { duration, tempo } from "../format";
import { icon } from "../icons";
import { keyChip } from "../parts";
import type { TrackRow } from "../types";
import type { Layer } from "./layer";

const MOST = 60;
const DELAY_MS = 120;

/** `choose` says whether the dialog stays open for more, by what it then tells. */
export function findSongs(
  { bridge, layer, signal }: { bridge: Bridge; layer: Layer; signal: AbortSignal }, title: string, choose: (track: TrackRow) => string | undefined,
): void {
  const end = new AbortController();
  const input = h("input", {
    type: "search", placeholder: "Search title, artist, album", "aria-label": "Search the library", autocomplete: "off", spellcheck: "false",
  });
  const list = h("div", { class: "sfa-dk-found", role: "group", "aria-label": "Songs" });
  const state = h("p", { class: "sfa-dk-foundstate", role: "status" });
  const dialog = layer.dialog(title, h("label", { class: "sfa-search" }, icon("search"), input), list, state);
  dialog.classList.add("sfa-dk-load");
  dialog.addEventListener("close", () => end.abort());
  signal.addEventListener("abort", () => dialog.close(), { once: true, signal: end.signal });
  const row = (track: TrackRow) => {
    const button = h(
      "button", { type: "button" },
      h("span", { class: "is-name", dir: "auto", title: track.title }, track.title, h("small", { dir: "auto" }, track.artist ?? "")),
      h("span", { class: "is-figure" }, tempo(track.bpm)), keyChip(track.camelot, track.key), h("span", { class: "is-figure" }, duration(track.duration)),
    );
    button.addEventListener("click", () => {
      const told = choose(track);
      if (told === undefined) dialog.close();
      else setText(state, told);
    });
    return button;
  };
  let asked = new AbortController();
  const find = async () => {
    asked.abort();
    asked = new AbortController();
    const query = input.value.trim();
    try {
      const { result } = await bridge.request(
        "tracks.page", { query, sort: query === "" ? "added_at" : "title", descending: query === "", offset: 0, limit: MOST },
        { signal: AbortSignal.any([asked.signal, end.signal]) },
      );
      list.replaceChildren(...result.rows.map(row));
      setText(state, result.total === 0 ? (query === "" ? "The library has no songs yet." : `No song matches “${query}”.`)
        : result.total > MOST ? `The first ${MOST} of ${result.total.toLocaleString("en-GB")}: type more to find the others.` : "");
    } catch (error) {
      if (!isAbort(error)) setText(state, describe(error).message);
    }
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void find(), DELAY_MS);
  });
  dialog.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === "Enter" && event.target === input) {
      event.preventDefault();
      buttons[0]?.click();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const to = at + (event.key === "ArrowDown" ? 1 : -1);
      if (to < 0) input.focus();
      else buttons[to]?.focus();
    }
  });
  input.focus();
  void find();
}
