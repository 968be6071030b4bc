/** The songs of a plan in order, with the transition between each two. */

import { h, setAttribute, setText } from "../../dom";
import { duration, tempo } from "../../format";
import { icon } from "../../icons";
import { keyChip } from "../../parts";
import type { AutoMixPlan, TransitionKind, TransitionRow } from "../../types";
import { secondsOf, timeText } from "../parts";

const KINDS: readonly TransitionKind[] = ["blend", "bass swap", "stem swap", "echo out", "cut"];
const BARS = [1, 2, 4, 8, 16, 32];

export type Change = Partial<Omit<TransitionRow, "reason">>;

export interface ListOptions {
  /** Another order, or fewer songs: places of the songs that are to be there. */
  order(places: number[], said: string): void;
  change(transition: number, change: Change): void;
  /** Plays from a song. */
  from(song: number): void;
  /** Tells a screen reader. */
  say(text: string): void;
}

export interface ListState {
  /** The last song whose place is settled; -1 while nothing plays. */
  settled: number;
  /** Songs that sound. */
  playing: readonly number[];
  deck(song: number): number;
}

export class MixList {
  readonly element = h("ol", { class: "sfa-ss-songs", "aria-label": "Songs of the mix" });
  readonly #options: ListOptions;
  #plan: AutoMixPlan | null = null;
  #state: ListState = { settled: -1, playing: [], deck: (song) => (song % 2) + 1 };
  #rows: HTMLElement[] = [];

  constructor(options: ListOptions) {
    this.#options = options;
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("pointerdown", (event) => {
      const row = event.target instanceof Element && event.target.closest("[data-grip]") ? event.target.closest<HTMLElement>("[data-song]") : null;
      if (row && event.button === 0) this.#drag(event, Number(row.dataset.song));
    });
  }

  show(plan: AutoMixPlan | null): void {
    const focus = document.activeElement instanceof HTMLElement && this.element.contains(document.activeElement)
      ? document.activeElement.closest<HTMLElement>("[data-key]")?.dataset.key : undefined;
    this.#plan = plan;
    this.#rows = [];
    const items: HTMLElement[] = [];
    plan?.tracks.forEach((_, song) => {
      if (song > 0) items.push(this.#transition(plan, song - 1));
      const row = this.#song(plan, song);
      this.#rows.push(row);
      items.push(row);
    });
    this.element.replaceChildren(...items);
    this.mark(this.#state);
    if (focus !== undefined) this.element.querySelector<HTMLElement>(`[data-key="${focus}"]`)?.focus({ preventScroll: true });
  }

  /** What plays now, and what can no longer be moved. */
  mark(state: ListState): void {
    this.#state = state;
    this.#rows.forEach((row, song) => {
      const playing = state.playing.includes(song);
      row.classList.toggle("is-playing", playing);
      row.classList.toggle("is-over", song <= state.settled && !playing);
      setAttribute(row, "aria-current", playing ? "true" : null);
      row.style.setProperty("--deck", `var(--deck-${state.deck(song) === 1 ? "a" : "b"})`);
      setText(row.querySelector(".sfa-ss-deck") as HTMLElement, state.deck(song) === 1 ? "A" : "B");
      for (const button of row.querySelectorAll<HTMLButtonElement>("[data-edit]")) button.disabled = song <= state.settled;
    });
    for (const line of this.element.querySelectorAll<HTMLElement>("[data-transition]")) {
      const begun = Number(line.dataset.transition) < state.settled;
      for (const field of line.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) field.disabled = begun;
    }
  }

  #song(plan: AutoMixPlan, song: number): HTMLElement {
    const track = plan.tracks[song] as AutoMixPlan["tracks"][number];
    const button = (name: Parameters<typeof icon>[0], label: string, run: () => void, edits = true) => {
      const made = h("button", {
        type: "button", class: "sfa-button is-quiet is-icon", "aria-label": `${label}: ${track.title}`, title: label, "data-edit": edits, tabindex: -1,
      }, icon(name));
      made.addEventListener("click", run);
      return made;
    };
    return h(
      "li", {
        class: "sfa-ss-song", tabindex: 0, "data-song": song, "data-key": `s${song}`,
        "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown Delete Enter",
        "aria-label": `${song + 1}: ${track.title}${track.artist ? `, ${track.artist}` : ""}, begins at ${duration(plan.starts[song])}`,
      },
      h("span", { class: "sfa-ss-grip", "data-grip": true, "aria-hidden": "true", title: "Drag to move" }),
      h("span", { class: "sfa-ss-start" }, duration(plan.starts[song])),
      h("span", { class: "sfa-ss-deck", title: "Deck" }),
      h("span", { class: "sfa-ss-title", dir: "auto", title: track.title }, track.title, h("small", { dir: "auto" }, track.artist ?? "")),
      h("span", { class: "sfa-ss-figure" }, tempo(track.bpm)),
      keyChip(track.camelot, track.key),
      h("span", { class: "sfa-ss-figure" }, duration(track.duration)),
      h("span", { class: "sfa-ss-tools" },
        button("play", "Play from here", () => this.#options.from(song), false),
        button("up", "Move up", () => this.move(song, song - 1)),
        button("down", "Move down", () => this.move(song, song + 1)),
        button("close", "Take out", () => this.remove(song))),
    );
  }

  #transition(plan: AutoMixPlan, number: number): HTMLElement {
    const transition = plan.transitions[number] as TransitionRow;
    const between = `between ${plan.tracks[number]?.title} and ${plan.tracks[number + 1]?.title}`;
    const kind = h("select", { class: "sfa-dk-choice", "aria-label": `Transition ${between}`, "data-key": `k${number}` },
      ...KINDS.map((value) => h("option", { value }, value[0]?.toUpperCase() + value.slice(1))));
    kind.value = transition.kind;
    kind.addEventListener("change", () => this.#options.change(number, { kind: kind.value as TransitionKind }));
    const lengths = BARS.includes(transition.bars) ? BARS : [...BARS, transition.bars].sort((a, b) => a - b);
    const bars = h("select", { class: "sfa-dk-choice", "aria-label": `Length of the transition ${between}`, "data-key": `b${number}` },
      ...lengths.map((value) => h("option", { value }, `${value} ${value === 1 ? "bar" : "bars"}`)));
    bars.value = String(transition.bars);
    bars.addEventListener("change", () => this.#options.change(number, { bars: Number(bars.value) }));
    const place = (name: "out_at" | "in_at", label: string) => {
      const field = h("input", {
        class: "sfa-ss-field is-time", value: timeText(transition[name]), "aria-label": `${label} ${between}`, title: `${label}, as m:ss`,
        inputmode: "decimal", autocomplete: "off", spellcheck: "false", "data-key": `${name}${number}`,
      });
      field.addEventListener("change", () => {
        const seconds = secondsOf(field.value);
        setAttribute(field, "aria-invalid", seconds === null ? "true" : null);
        if (seconds === null) this.#options.say("A place in a song is written as minutes and seconds: 3:07.5.");
        else this.#options.change(number, { [name]: seconds });
      });
      field.addEventListener("keydown", (event) => {
        if (event.key === "Escape") field.value = timeText(transition[name]);
      });
      return h("label", {}, h("span", {}, name === "out_at" ? "out" : "in"), field);
    };
    return h("li", { class: "sfa-ss-transition", "data-transition": number },
      kind, bars, place("out_at", "Place in the song that goes"), place("in_at", "Place in the song that comes"),
      h("span", { class: "sfa-ss-reason", title: transition.reason }, transition.reason));
  }

  /** Moves a song to another place. */
  move(from: number, to: number): void {
    const count = this.#plan?.tracks.length ?? 0;
    if (from <= this.#state.settled || to <= this.#state.settled || to < 0 || to >= count || from === to) return;
    const places = Array.from({ length: count }, (_, place) => place);
    places.splice(to, 0, ...places.splice(from, 1));
    this.#rows[to]?.focus({ preventScroll: true });
    this.#options.order(places, `${this.#plan?.tracks[from]?.title} is number ${to + 1} now.`);
  }

  remove(song: number): void {
    const count = this.#plan?.tracks.length ?? 0;
    if (song <= this.#state.settled) return;
    (this.#rows[song + 1] ?? this.#rows[song - 1])?.focus({ preventScroll: true });
    this.#options.order(Array.from({ length: count }, (_, place) => place).filter((place) => place !== song), `${this.#plan?.tracks[song]?.title} was taken out.`);
  }

  #key(event: KeyboardEvent): void {
    const row = event.target instanceof HTMLElement && event.target.matches("[data-song]") ? event.target : null;
    if (!row) return;
    const song = Number(row.dataset.song);
    const { key, altKey } = event;
    if (key === "ArrowUp" || key === "ArrowDown") {
      const to = song + (key === "ArrowUp" ? -1 : 1);
      if (altKey) this.move(song, to);
      else this.#rows[to]?.focus();
    } else if (key === "Home") this.#rows[0]?.focus();
    else if (key === "End") this.#rows.at(-1)?.focus();
    else if (key === "Delete" || key === "Backspace") this.remove(song);
    else if (key === "Enter") this.#options.from(song);
    else return;
    event.preventDefault();
  }

  #drag(start: PointerEvent, song: number): void {
    if (song <= this.#state.settled) return;
    start.preventDefault();
    const end = new AbortController();
    const line = h("li", { class: "sfa-ss-line", "aria-hidden": "true", hidden: true });
    this.element.append(line);
    this.#rows[song]?.classList.add("is-carried");
    let place: number | null = null;
    const finish = () => {
      end.abort();
      line.remove();
      this.#rows[song]?.classList.remove("is-carried");
    };
    addEventListener("pointermove", ({ clientY, pointerId }) => {
      if (pointerId !== start.pointerId) return;
      const boxes = this.#rows.map((row) => row.getBoundingClientRect());
      const over = boxes.findIndex(({ top, height }) => clientY < top + height / 2);
      place = Math.max(this.#state.settled + 1, over < 0 ? boxes.length : over);
      const edge = place < boxes.length ? (boxes[place] as DOMRect).top : (boxes.at(-1) as DOMRect).bottom;
      const space = this.element.getBoundingClientRect();
      line.hidden = false;
      line.style.top = `${edge - space.top + this.element.scrollTop}px`;
      if (clientY > space.bottom - 24) this.element.scrollTop += 12;
      if (clientY < space.top + 24) this.element.scrollTop -= 12;
    }, { signal: end.signal });
    addEventListener("pointerup", ({ pointerId }) => {
      if (pointerId !== start.pointerId) return;
      finish();
      if (place !== null) this.move(song, place > song ? place - 1 : place);
    }, { signal: end.signal });
    addEventListener("pointercancel", finish, { signal: end.signal });
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      finish();
    }, { signal: end.signal, capture: true });
  }
}
