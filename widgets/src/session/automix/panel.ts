/** Plans a mix, shows it, and plays it. */

import { describe, isAbort } from "../../bridge";
import { append, h, setAttribute, setText } from "../../dom";
import { duration, plural } from "../../format";
import { icon } from "../../icons";
import type { AutoMixPlan, Methods, PlaylistRow } from "../../types";
import { takeTracks } from "../../ui/carry";
import { findSongs } from "../../ui/find";
import type { Session } from "../index";
import { jobProgress, PATIENT } from "../parts";
import { askName } from "../name";
import { type Change, MixList } from "./list";
import type { AutoMixPlayer } from "./player";
import { MixStrip } from "./strip";

type Planning = "automix.plan" | "automix.change" | "automix.songs" | "automix.get";

export function autoMixPanel(host: HTMLElement, session: Session, player: AutoMixPlayer): { play(plan: string): void } {
  const { bridge, layer, signal, system } = session;

  // What is asked of the kernel: one after the other, each of the plan as it is then.

  let asking: Promise<void> = Promise.resolve();
  let waiting = 0;
  const ask = <M extends Planning>(method: M, params: () => Methods[M]["params"] | null, then?: (plan: AutoMixPlan) => void): Promise<void> => {
    waiting += 1;
    show();
    asking = asking.then(async () => {
      const asked = params();
      if (asked === null) return;
      const { result } = await bridge.request(method, asked, { ...PATIENT, signal });
      player.take((result as { plan: AutoMixPlan }).plan, bridge);
      then?.((result as { plan: AutoMixPlan }).plan);
    }).catch((error: unknown) => {
      if (isAbort(error)) return;
      layer.failed(error);
      list.show(player.plan); // fields go back to what is planned
    }).finally(() => {
      waiting -= 1;
      show();
    });
    return asking;
  };
  const add = (ids: string[]) => {
    if (ids.length === 0) return;
    const made = player.plan !== null;
    void ask(made ? "automix.songs" : "automix.plan", () => {
      const { plan } = player;
      return plan ? { plan: plan.id, ids: [...plan.tracks.map(({ id }) => id), ...ids] } : { ids } as never;
    });
  };
  const reorder = (places: number[], said: string) => {
    const before = player.plan;
    if (!before) return;
    if (places.length === 0) {
      player.clear();
      return;
    }
    const ids = places.map((place) => before.tracks[place]?.id as string);
    const was = before.tracks.map(({ id }) => id);
    void ask("automix.songs", () => (player.plan?.id === before.id ? { plan: before.id, ids } : null), () => {
      say(said);
      if (ids.length === was.length) return;
      layer.toast("info", said, { action: { label: "Undo", run: () => void ask("automix.songs", () => ({ plan: before.id, ids: was })) } });
    });
  };
  const change = (transition: number, changed: Change) =>
    void ask("automix.change", () => (player.plan ? { plan: player.plan.id, transition, change: changed } : null));
  const start = (song?: number) => {
    system.unlock();
    const begin = () => void player.start(song).catch((error: unknown) => layer.failed(error));
    const playing = [1, 2, 3, 4].filter((deck) => system.stand(deck).playing);
    const joins = song === undefined && playing.length === 1 && player.plan?.tracks.some(({ id }) => id === system.song(playing[0] as number)?.id);
    if (playing.length === 0 || joins) begin();
    else layer.toast("warn", "A deck is playing: the mix begins in its place.", { action: { label: "Begin all the same", run: begin } });
  };

  // What is there

  const button = (label: string, name: Parameters<typeof icon>[0] | null, run: () => void, className = "") => {
    const made = h("button", { type: "button", class: `sfa-button ${className}` }, name && icon(name), h("span", {}, label));
    made.addEventListener("click", run);
    return made;
  };
  const playlists = h("select", { class: "sfa-dk-choice is-wide", "aria-label": "Plan a playlist" });
  const songs = button("Add songs", "plus", () => findSongs(session, "Add songs to the mix", ({ id, title }) => {
    add([id]);
    return `“${title}” is added.`;
  }));
  const play = button("Start", "play", () => (player.state === "off" ? start() : player.stop()), "is-primary");
  const next = button("Mix now", null, () => player.next());
  const render = button("Render", "download", () => {
    const { plan } = player;
    if (!plan) return;
    askName(layer, "Render the mix to a song", `Mix of ${plural(plan.tracks.length, "song")}`, "Render", (name) => {
      bridge.request("automix.render", { plan: plan.id, name }, { ...PATIENT, signal }).then(({ result }) =>
        jobProgress(jobs, session, result.job, name, (done, error) => {
          if (done) layer.toast("ok", `“${name}” is in the library.`);
          else if (error) layer.toast("danger", `“${name}” could not be rendered. ${error}`);
        })).catch((error: unknown) => layer.failed(error));
    });
  });
  const clear = button("Clear", null, () => {
    const { plan } = player;
    player.clear();
    if (plan) layer.toast("info", "The plan is cleared.", { action: { label: "Undo", run: () => player.take(plan, bridge) } });
  }, "is-quiet");
  const state = h("p", { class: "sfa-ss-state", role: "status" });
  const spoken = h("p", { class: "sfa-sr", role: "status" });
  const jobs = h("div", { class: "sfa-ss-jobs" });
  const empty = h("div", { class: "sfa-ss-empty" }, icon("playlists"),
    h("p", {}, "Choose a playlist, or drop songs here: they are mixed in their order, on the beat where they can be."));
  const say = (text: string) => setText(spoken, text);
  const heads = () => {
    const { plan, current } = player;
    if (!plan || current === null) return [];
    return [current, current + 1].flatMap((song) => {
      const lies = plan.songs[song];
      const deck = player.deck(song);
      const moment = system.stand(deck);
      if (!lies || !moment.playing || system.song(deck)?.id !== plan.tracks[song]?.id) return [];
      const share = (moment.position - lies.from) / Math.max(1e-3, lies.to - lies.from);
      return [{ song, deck, time: lies.start + Math.max(0, Math.min(1, share)) * (lies.end - lies.start) }];
    });
  };
  const strip = new MixStrip({ deck: (song) => player.deck(song), heads }, signal);
  const list = new MixList({ order: reorder, change, from: start, say });
  append(host,
    h("div", { class: "sfa-ss-bar" }, playlists, songs, h("span", { class: "sfa-ss-space" }), state, next, play, render, clear),
    jobs, strip.element, list.element, empty, spoken);

  // How it stands

  let drawn: AutoMixPlan | null | undefined;
  const show = () => {
    const { plan } = player;
    const on = player.state !== "off";
    host.classList.toggle("is-empty", !plan);
    empty.hidden = plan !== null;
    for (const element of [render, clear, next, play]) element.hidden = !plan;
    if (plan !== drawn) {
      drawn = plan;
      strip.show(plan);
      list.show(plan);
    } else strip.draw();
    const label = play.querySelector("span") as HTMLElement;
    setText(label, on ? "Stop" : "Start");
    play.replaceChild(icon(on ? "close" : "play"), play.firstElementChild as Element);
    play.classList.toggle("is-primary", !on);
    const last = player.current !== null && plan !== null && player.current >= plan.tracks.length - 1;
    next.disabled = player.state !== "alone" || last;
    setText(next.querySelector("span") as HTMLElement, player.hurried && player.state === "alone" ? "Mix at the next bar" : "Mix now");
    setAttribute(host, "aria-busy", waiting > 0 ? "true" : null);
    list.mark({ settled: player.settled, playing: heads().map(({ song }) => song), deck: (song) => player.deck(song) });
    words();
  };
  const words = () => {
    const { plan, until } = player;
    const said = waiting > 0 ? "Planning…" : player.notice ?? {
      off: plan ? `${plural(plan.tracks.length, "song")}, ${duration(plan.duration)}` : "",
      starting: "Loading the first song…",
      alone: until !== null ? `Mixes in ${duration(Math.ceil(until))}` : standing(),
      mixing: "Mixing",
      hands: "You are mixing: the auto-mix goes on when one song is left.",
    }[player.state];
    setText(state, said);
  };
  const standing = () => {
    const { plan, current } = player;
    if (!plan || current === null) return "";
    if (!system.stand(player.deck(current)).playing) return "Paused: it goes on when the song does.";
    return current >= plan.tracks.length - 1 ? "The last song plays." : "The next song is on its way…";
  };
  let sounding = "";
  system.clock.subscribe(() => {
    if (host.hidden || host.clientHeight === 0) return;
    strip.move();
    words();
    const now = heads().map(({ song }) => song).join();
    if (now === sounding) return;
    sounding = now;
    show();
  }, signal);
  player.on(show, signal);
  system.on("deck", () => show(), signal);
  takeTracks(host, add, signal);

  const listPlaylists = async () => {
    try {
      const { result } = await bridge.request("playlists.list", {}, { signal });
      const option = (playlist: PlaylistRow) => h("option", { value: playlist.id, disabled: playlist.here === 0 }, `${playlist.name} (${playlist.here})`);
      playlists.replaceChildren(h("option", { value: "" }, "Plan a playlist…"), ...result.playlists.map(option));
    } catch (error) {
      if (!isAbort(error)) playlists.replaceChildren(h("option", { value: "" }, describe(error).message));
    }
  };
  playlists.addEventListener("change", () => {
    const playlist = playlists.value;
    playlists.value = "";
    if (playlist === "") return;
    const before = player.state === "off" ? player.plan : null;
    void ask("automix.plan", () => {
      if (player.state !== "off") player.stop();
      return { playlist };
    }, () => {
      if (before) layer.toast("info", "The plan was replaced.", { action: { label: "Undo", run: () => player.take(before, bridge) } });
    });
  });
  const stops = [
    bridge.on("playlists.changed", () => void listPlaylists()),
    bridge.on("automix.plan", ({ plan, play: wanted }) => {
      // Changed from Python; what this page asked for itself it knows.
      if (!wanted && waiting === 0 && player.plan?.id === plan) void ask("automix.get", () => ({ plan }));
    }),
  ];
  signal.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
  playlists.append(h("option", { value: "" }, "Plan a playlist…"));
  void listPlaylists();
  show();

  return {
    play(plan) {
      if (player.state === "starting" && player.plan?.id === plan) return;
      void ask("automix.get", () => ({ plan }), () => void player.start(0).catch((error: unknown) => layer.failed(error)));
    },
  };
}
