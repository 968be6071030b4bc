/** The bar at the bottom of the dashboard: what plays, where it is, and the one button. */

import type { Bridge } from "../bridge";
import { h, setAttribute, setText } from "../dom";
import { position as clockText } from "../format";
import { icon } from "../icons";
import { CoverArt } from "../media";
import { tileTone } from "../parts";
import type { PlayerHandle } from "../types";
import { Overview } from "../waveform/overview";
import "./player.css";
import { modelOf } from "./model";
import { showPlay } from "./play";
import { volumeFader, volumePlace } from "./volume";

export interface TransportOptions {
  signal: AbortSignal;
  player: PlayerHandle;
}

/** Builds the bar of a mounted player inside `el`; it survives every change of view. */
export function mountTransport(el: HTMLElement, bridge: Bridge, { signal, player }: TransportOptions): void {
  const model = modelOf(player);
  const covers = new CoverArt(bridge, signal);
  const play = h("button", { type: "button", class: "sfa-pl-play" }, icon("play"));
  play.addEventListener("click", () => model.toggle(), { signal });
  const art = h("span", { class: "sfa-pl-art", "aria-hidden": "true" });
  const title = h("strong", { dir: "auto" });
  const artist = h("span", { dir: "auto" });
  const note = h("span", { class: "sfa-pl-note", role: "status" });
  const time = h("strong", { class: "sfa-pl-time" });
  const rest = h("span", { class: "sfa-pl-rest" });
  const host = h("div", {
    class: "sfa-tr-overview", role: "slider", tabindex: 0, "aria-label": "Position in the song", "aria-valuemin": 0,
  });
  const volume = volumeFader(model.engine, signal);
  const bar = h(
    "div", { class: "sfa-tr", role: "group", "aria-label": "Transport" },
    play,
    art,
    h("div", { class: "sfa-tr-names" }, title, artist, note),
    h("span", { class: "sfa-pl-times" }, time, rest),
    host,
    h("span", { class: "sfa-pl-volume" }, icon("volume"), volume.element),
  );
  el.append(h("div", { class: "sfa-player-box" }, bar));
  bar.addEventListener("pointerdown", () => model.preload(), { signal });

  const overview = new Overview(host, {
    clock: model.engine.clock,
    signal,
    seek: (seconds, done) => model.scrub(seconds, done),
  });
  let spoken = -1;
  model.engine.clock.subscribe(() => {
    const place = model.heard;
    overview.draw(place);
    const { duration } = model;
    setText(time, model.track ? clockText(place) : "");
    setText(rest, duration > 0 ? `−${clockText(Math.max(0, duration - place))}` : "");
    if (Math.floor(place) === spoken) return;
    spoken = Math.floor(place);
    setAttribute(host, "aria-valuenow", spoken);
    setAttribute(host, "aria-valuetext", clockText(place));
  }, signal);

  const showState = () => {
    showPlay(play, model);
    volume.value = volumePlace(model.engine.volume);
  };
  const showAudio = () => {
    const loading = model.here ? model.engine.loading : null;
    const text = model.blocked ? "Click to start the sound"
      : model.audioFailure ? model.audioFailure.message
        : loading?.what === "song" ? "Loading the sound…" : "";
    setText(note, text);
    bar.classList.toggle("is-noted", text !== "");
    bar.classList.toggle("is-broken", model.audioFailure !== null);
  };
  let shown: string | null = null;
  const showTrack = () => {
    const { track, status } = model;
    bar.classList.toggle("is-empty", model.trackId === null);
    play.disabled = status !== "ready";
    setText(title, track?.title ?? (status === "loading" ? "Opening…" : status === "failed" ? "This song could not be opened" : "Nothing is open"));
    setAttribute(title, "title", track?.title ?? null);
    setText(artist, track ? (track.artist ?? "Unknown artist") : (model.failure?.message ?? (status === "empty" ? "Open a song from the library" : "")));
    setAttribute(host, "aria-valuemax", Math.floor(model.duration));
    overview.show(model.picture);
    if (track && track.id !== shown) {
      shown = track.id;
      art.style.setProperty("--tile", tileTone(track.id));
      art.replaceChildren(track.title.trim().charAt(0).toUpperCase());
      if (track.art) {
        void covers.url(track.id).then((url) => {
          if (url && shown === track.id) art.replaceChildren(h("img", { src: url, alt: "" }));
        });
      }
    }
    showState();
    showAudio();
  };
  model.on("track", showTrack, signal);
  model.on("state", showState, signal);
  model.on("audio", showAudio, signal);
  showTrack();
}
