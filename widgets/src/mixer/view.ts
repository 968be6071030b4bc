/** A mixer in a cell of its own: the song in one line, and its stems. */

import type { Bridge } from "../bridge";
import { h, setAttribute, setText } from "../dom";
import { duration as wholeTime, position as clockText } from "../format";
import { icon } from "../icons";
import { listenForKeys, returnFocus } from "../player/keys";
import { PlayerModel } from "../player/model";
import { showPlay } from "../player/play";
import "../player/player.css";
import { StemStrip, type StripOptions } from "../player/stems";
import { volumeFader, volumePlace } from "../player/volume";
import { Overview } from "../waveform/overview";
import { mountSets } from "./sets";

export interface MixerOptions extends Omit<StripOptions, "sets"> {
  signal: AbortSignal;
}

/** Builds a mixer inside `el`; it lives until `signal` aborts. */
export function mountMixer(el: HTMLElement, bridge: Bridge, { signal, ...options }: MixerOptions): PlayerModel {
  const model = new PlayerModel(bridge, signal);
  const { engine } = model;
  const play = h("button", { type: "button", class: "sfa-pl-play" }, icon("play"));
  play.addEventListener("click", () => model.toggle());
  const title = h("strong", { dir: "auto" });
  const artist = h("span", { dir: "auto" });
  const time = h("strong", { class: "sfa-pl-time" });
  const rest = h("span", { class: "sfa-pl-rest" });
  const note = h("span", { class: "sfa-pl-note", role: "status" });
  const host = h("div", {
    class: "sfa-tr-overview", role: "slider", tabindex: 0, "aria-label": "Position in the song", "aria-valuemin": 0,
  });
  const volume = volumeFader(engine, signal);
  const message = h("div", { class: "sfa-pl-message" });
  const sound = h("div", { class: "sfa-pl-sound", role: "alert", hidden: true });
  const head = h(
    "header", { class: "sfa-mixer-head" },
    play,
    h("div", { class: "sfa-tr-names" }, title, artist),
    h("span", { class: "sfa-pl-times" }, time, rest),
    host, note,
    h("span", { class: "sfa-pl-volume" }, icon("volume"), volume.element),
  );
  const strip = new StemStrip(model, signal, { ...options, sets: mountSets });
  const root = h(
    "div", { class: "sfa-player sfa-mixer", tabindex: -1, role: "region", "aria-label": "Stem mixer" },
    head, message, sound, strip.element,
  );
  el.append(h("div", { class: "sfa-player-box" }, root));
  root.addEventListener("pointerdown", () => model.preload(), { signal });
  returnFocus(root, signal);
  listenForKeys(el, model, signal);

  const overview = new Overview(host, {
    clock: engine.clock,
    signal,
    seek: (seconds, done) => model.scrub(seconds, done),
    range: (range) => model.setRange(range),
  });
  let spoken = -1;
  engine.clock.subscribe((now) => {
    const place = model.heard;
    overview.window = model.region;
    overview.draw(place);
    setText(time, clockText(place));
    setText(rest, model.duration > 0 ? `−${clockText(Math.max(0, model.duration - place))}` : "");
    if (Math.floor(place) !== spoken) {
      spoken = Math.floor(place);
      setAttribute(host, "aria-valuenow", spoken);
      setAttribute(host, "aria-valuetext", `${wholeTime(spoken)} of ${wholeTime(model.duration)}`);
    }
    return strip.draw(place, now);
  }, signal);

  const showState = () => {
    showPlay(play, model);
    overview.range = model.range;
    volume.value = volumePlace(engine.volume);
  };
  const showAudio = () => {
    const loading = model.here ? engine.loading : null;
    setText(note, loading?.what === "song" ? "Loading the sound…" : "");
    sound.hidden = !model.blocked && !model.audioFailure;
    if (sound.hidden) return;
    sound.classList.toggle("is-info", model.blocked);
    const { message: text = "", hint = null } = model.audioFailure ?? {};
    const words = model.blocked
      ? "The browser wants a click before it lets this page make sound: click anywhere."
      : `${text} ${hint ?? ""}`.trim();
    if (sound.textContent !== words) sound.replaceChildren(icon(model.blocked ? "info" : "alert"), h("span", {}, words));
  };
  const showTrack = () => {
    const { track, status } = model;
    head.hidden = status !== "ready";
    message.hidden = status === "ready";
    if (status === "empty") message.replaceChildren(h("p", {}, "No song is open: name one, as in studio.mixer(track)."));
    if (status === "loading") message.replaceChildren(h("p", { class: "sfa-pl-late", role: "status" }, "Opening the song…"));
    if (status === "failed") {
      const again = h("button", { type: "button", class: "sfa-button" }, icon("retry"), "Try again");
      again.addEventListener("click", () => void model.open(model.trackId as string));
      message.replaceChildren(h(
        "div", { role: "alert" },
        h("p", {}, icon("alert"), h("strong", {}, model.failure?.message ?? "The song could not be opened.")),
        model.failure?.hint ? h("p", { class: "sfa-pl-hint" }, model.failure.hint) : null,
        again,
      ));
    }
    for (const name of ["empty", "loading", "ready", "failed"]) root.classList.toggle(`is-${name}`, status === name);
    setText(title, track?.title ?? "");
    setAttribute(title, "title", track?.title ?? null);
    setText(artist, track ? (track.artist ?? "Unknown artist") : "");
    setAttribute(host, "aria-valuemax", Math.floor(model.duration));
    overview.show(model.picture);
    strip.show();
    showState();
    showAudio();
  };
  model.on("track", showTrack, signal);
  model.on("state", showState, signal);
  model.on("audio", showAudio, signal);
  showTrack();
  return model;
}
