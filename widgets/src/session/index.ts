/** What plans, records and keeps what is done at the decks: auto-mix, scripts, presets. It comes when it is wanted. */

import type { Bridge } from "../bridge";
import type { DeckSystem } from "../decks/engine/system";
import { append, h, setAttribute } from "../dom";
import { icon } from "../icons";
import type { Layer } from "../ui/layer";
import { autoMixPanel } from "./automix/panel";
import { pagePlayer } from "./automix/page";
import { presetsPanel } from "./presets/panel";
import { scriptsPanel } from "./scripts/panel";
import "./session.css";

export { editCue, showKeys } from "../decks/dialogs";
export { PlainSound } from "../decks/engine/plain";

export type SessionTab = "automix" | "scripts" | "presets";
export const TABS: readonly SessionTab[] = ["automix", "scripts", "presets"];
const NAMES: Record<SessionTab, string> = { automix: "Auto-mix", scripts: "Scripts", presets: "Presets" };

/** What each panel is built with. */
export interface Session {
  bridge: Bridge;
  system: DeckSystem;
  layer: Layer;
  signal: AbortSignal;
}

export interface SessionHandle {
  show(tab: SessionTab): void;
  /** Plays a plan of the kernel's. */
  play(plan: string): void;
}

/** Builds the panels inside `host`; `close` is called by their own button. */
export function mountSession(host: HTMLElement, session: Session, close: () => void): SessionHandle {
  const { signal } = session;
  const player = pagePlayer(session.system);
  const panels = { automix: h("div"), scripts: h("div"), presets: h("div") };
  const tabs = TABS.map((name) => {
    const tab = h("button", { type: "button", role: "tab", class: "sfa-ss-tab", id: `${host.id}-${name}` }, NAMES[name]);
    tab.addEventListener("click", () => show(name));
    return tab;
  });
  const list = h("div", { class: "sfa-ss-tabs", role: "tablist", "aria-label": "What plans, records and keeps" }, ...tabs);
  list.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const at = TABS.indexOf(shown);
    show(TABS[(at + move + TABS.length) % TABS.length] as SessionTab);
    tabs[TABS.indexOf(shown)]?.focus();
  });
  const closing = h("button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": "Close" }, icon("close"));
  closing.addEventListener("click", close);
  let shown: SessionTab = "automix";
  const show = (tab: SessionTab) => {
    shown = tab;
    TABS.forEach((name, at) => {
      const on = name === tab;
      setAttribute(tabs[at] as HTMLElement, "aria-selected", String(on));
      setAttribute(tabs[at] as HTMLElement, "tabindex", on ? 0 : -1);
      panels[name].hidden = !on;
    });
  };
  for (const name of TABS) {
    panels[name].className = "sfa-ss-panel";
    setAttribute(panels[name], "role", "tabpanel");
    setAttribute(panels[name], "aria-labelledby", `${host.id}-${name}`);
  }
  const root = h("section", { class: "sfa-ss", "aria-label": "Session" }, h("header", { class: "sfa-ss-head" }, list, closing));
  append(root, ...TABS.map((name) => panels[name]));
  // Keys that are meant for a field here are none of the decks', nor does a press here give the decks the focus.
  for (const type of ["keydown", "mousedown", "change"]) root.addEventListener(type, (event) => event.stopPropagation());
  host.append(root);
  const mix = autoMixPanel(panels.automix, session, player);
  scriptsPanel(panels.scripts, session);
  presetsPanel(panels.presets, session);
  show(shown);
  signal.addEventListener("abort", () => root.remove(), { once: true });
  return {
    show(tab) {
      show(tab);
      root.scrollIntoView({ block: "nearest" });
    },
    play: (plan) => mix.play(plan),
  };
}
