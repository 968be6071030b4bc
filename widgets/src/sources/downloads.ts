/** Downloads: whether they are wanted with an import, the switch with what it means, and the programs that make them. */

import { type Bridge, isAbort } from "../bridge";
import { append, h, setText } from "../dom";
import { icon } from "../icons";
import { failureOf, followJobs } from "../services/follow";
import type { DownloadsState, JobRow, ToolRow } from "../types";
import { awaiting, fault, press, why } from "./marks";
import type { Context } from "./part";

const KEY = "sfa.import.download";

/** The box "download too", or the way to have one. */
export class DownloadChoice {
  readonly element = h("div", { class: "sfa-download-choice" }, awaiting("Looking at downloads…"));
  readonly #context: Context;
  #state: DownloadsState | null = null;
  #ticked = remembered();
  #open = false;

  constructor(context: Context) {
    this.#context = context;
    const { bridge, signal } = context;
    const stop = bridge.on("sources.changed", ({ what }) => {
      if (what.includes("downloads") || what.includes("tools")) void this.#look();
    });
    signal.addEventListener("abort", stop, { once: true });
    void this.#look();
  }

  get wanted(): boolean {
    return this.#ticked && this.#state?.on === true;
  }

  async #look(): Promise<void> {
    const { bridge, signal, changed } = this.#context;
    try {
      this.#state = (await bridge.request("downloads.state", {}, { signal })).result;
      this.#draw(this.#state);
      changed();
    } catch (error) {
      if (!isAbort(error)) this.element.replaceChildren(fault(why(error), () => void this.#look()));
    }
  }

  #draw(state: DownloadsState): void {
    if (state.on) {
      this.#open = false;
      this.element.replaceChildren(this.#box(), ...unready(state.tools));
    } else if (!state.allowed) {
      this.element.replaceChildren(h("p", { class: "is-fine" }, "Downloads are not allowed here; add the files of these songs, and they are recognised."));
    } else if (!this.#open) {
      const how = press("Switch on…", () => {
        this.#open = true;
        this.#draw(state);
        this.element.querySelector("input")?.focus({ preventScroll: true });
        this.element.scrollIntoView({ block: "end" });
      });
      this.element.replaceChildren(h("div", { class: "sfa-note" }, icon("download"), h("p", {}, "Downloads are switched off. Add the files of these songs, and they are recognised."), how));
    } else if (this.element.querySelector(".sfa-agree") === null) {
      this.element.replaceChildren(agreement(this.#context.bridge, this.#context.signal, state.notice, () => {
        this.#ticked = true;
        void this.#look();
      }));
    }
  }

  #box(): HTMLElement {
    const box = h("input", { type: "checkbox" });
    box.checked = this.#ticked;
    box.addEventListener("change", () => {
      this.#ticked = box.checked;
      try {
        localStorage.setItem(KEY, String(box.checked));
      } catch {
        // storage is switched off: the choice lasts as long as the dialog
      }
      this.#context.changed();
    });
    return h("label", { class: "sfa-check" }, box, h("span", {}, "Download the songs that are not here"));
  }
}

function remembered(): boolean {
  try {
    return localStorage.getItem(KEY) === "true";
  } catch {
    return false; // storage is switched off
  }
}

/** Said where a download would fail at once. */
function unready(tools: ToolRow[]): HTMLElement[] {
  const broken = tools.filter(({ ok }) => !ok);
  if (broken.length === 0) return [];
  const names = broken.map(({ label }) => label).join(", ");
  return [h("p", { class: "is-warn" }, icon("alert"), `${names}: not ready. Settings, Downloads says what to do.`)];
}

/** What downloads mean, and the explicit yes. */
export function agreement(bridge: Bridge, signal: AbortSignal, notice: string, done: () => void): HTMLElement {
  const box = h("input", { type: "checkbox" });
  const words = h("div");
  const on = press("Switch downloads on", () => {
    on.disabled = true;
    bridge.request("downloads.switch", { on: true, agreed: true }, { signal }).then(done, (error: unknown) => {
      on.disabled = false;
      if (!isAbort(error)) words.replaceChildren(fault(why(error)));
    });
  }, { primary: true });
  on.disabled = true;
  box.addEventListener("change", () => { on.disabled = !box.checked; });
  return h(
    "div", { class: "sfa-agree" },
    h("p", {}, notice), h("label", { class: "sfa-check" }, box, h("span", {}, "I have read this and agree.")), on, words,
  );
}

/** The part of the settings: the switch, and the health of each program. */
export class DownloadSettings {
  readonly element = h("section", {}, h("h3", {}, "Downloads"));
  readonly #bridge: Bridge;
  readonly #signal: AbortSignal;
  readonly #switch = h("div", {}, awaiting("Looking…"));
  readonly #tools = h("ul", { class: "sfa-tools", role: "list" });
  readonly #rows = new Map<string, ToolLine>();

  constructor(bridge: Bridge, signal: AbortSignal) {
    this.#bridge = bridge;
    this.#signal = signal;
    append(this.element, this.#switch, this.#tools);
  }

  async look(): Promise<void> {
    try {
      const { result } = await this.#bridge.request("downloads.state", {}, { signal: this.#signal, timeoutMs: 60_000 });
      this.#draw(result);
    } catch (error) {
      if (!isAbort(error)) this.#switch.replaceChildren(fault(why(error), () => void this.look()));
    }
  }

  #draw(state: DownloadsState): void {
    const look = () => void this.look();
    // A tick that is being set stays, whatever else changes.
    const asked = !state.on && state.allowed;
    if (!asked || this.#switch.querySelector(".sfa-agree") === null) {
      this.#switch.replaceChildren(
        !state.allowed ? h("p", {}, "This installation does not let people download. Songs come from files and folders.")
          : state.on ? this.#on(state, look)
          : agreement(this.#bridge, this.#signal, state.notice, look),
      );
    }
    this.#tools.hidden = !state.allowed;
    const names = state.tools.map(({ name }) => name);
    for (const [name, line] of this.#rows) {
      if (names.includes(name)) continue;
      line.element.remove();
      this.#rows.delete(name);
    }
    for (const tool of state.tools) {
      let line = this.#rows.get(tool.name);
      if (!line) {
        line = new ToolLine(this.#bridge, this.#signal, look);
        this.#rows.set(tool.name, line);
      }
      this.#tools.append(line.element);
      line.update(tool);
    }
  }

  #on(state: DownloadsState, look: () => void): HTMLElement {
    const off = press("Switch off", () => {
      off.disabled = true;
      this.#bridge.request("downloads.switch", { on: false, agreed: false }, { signal: this.#signal })
        .catch((error: unknown) => { if (!isAbort(error)) this.#switch.append(fault(why(error))); })
        .finally(look);
    });
    return h(
      "div", {},
      h("div", { class: "sfa-line" }, h("span", { class: "is-ok" }, icon("check"), "Downloads are on"), h("span", { class: "is-dim" }, `as ${state.format.toUpperCase()}`), h("span", { class: "sfa-gap" }), off),
      h("p", { class: "is-fine" }, state.notice),
    );
  }
}

/** One program: how it is, and what can be done about it. */
class ToolLine {
  readonly element = h("li");
  readonly #bridge: Bridge;
  readonly #signal: AbortSignal;
  readonly #changed: () => void;
  readonly #words = h("span", { class: "is-dim", role: "status" });
  #following: string | null = null;
  #failure = "";
  #tool!: ToolRow;

  constructor(bridge: Bridge, signal: AbortSignal, changed: () => void) {
    this.#bridge = bridge;
    this.#signal = signal;
    this.#changed = changed;
  }

  update(tool: ToolRow): void {
    this.#tool = tool;
    if (tool.job !== null && this.#following === null) void this.#follow(() => Promise.resolve([tool.job as string]));
    this.#draw();
  }

  #draw(): void {
    const { label, ok, detail, hint, installable } = this.#tool;
    const verb = ok ? "Update" : "Set up";
    const set = press(verb, () => void this.#follow(async () => {
      const { result } = await this.#bridge.request("tools.install", { tool: this.#tool.name }, { signal: this.#signal });
      return result.jobs;
    }), { icon: ok ? "retry" : "download", says: `${verb} ${label}` });
    this.element.dataset.ok = ok ? "yes" : "no";
    const focused = this.element.contains(document.activeElement);
    this.element.replaceChildren(
      icon(ok ? "check" : "alert"),
      h(
        "div", {},
        h("strong", {}, label, h("span", { class: "sfa-sr" }, ok ? ": ready" : ": not ready")),
        h("span", { class: "is-dim" }, detail),
        hint !== null && this.#following === null ? h("span", {}, hint) : null,
        this.#failure === "" ? null : h("span", { class: "is-danger", role: "alert" }, this.#failure),
      ),
      this.#following !== null ? this.#words : installable ? set : h("span"),
    );
    if (focused) set.focus({ preventScroll: true });
  }

  async #follow(ask: () => Promise<string[]>): Promise<void> {
    this.#following = "asked";
    this.#failure = "";
    setText(this.#words, "Starting…");
    this.#draw();
    try {
      const [job] = await followJobs(this.#bridge, this.#signal, ask, ([row]: JobRow[]) => {
        if (row) setText(this.#words, row.status === "queued" ? "Waiting…" : `Setting up ${Math.round(row.progress)} %`);
      });
      this.#failure = (job && failureOf(job)) ?? "";
    } catch (error) {
      if (isAbort(error)) return;
      this.#failure = why(error);
    }
    this.#following = null;
    this.#draw();
    this.#changed();
  }
}
