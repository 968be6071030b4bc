/** The buttons that open auto-mix, scripts and presets: a part of the page that comes when it is wanted. */

import type { Load } from "../dashboard/lazy";
import { h, setAttribute, uniqueId } from "../dom";
import type { SessionHandle, SessionTab } from "../session/index";
import type { Desk } from "./desk";

interface SessionModule {
  mountSession(host: HTMLElement, session: Desk, close: () => void): SessionHandle;
}

const TABS: readonly [tab: SessionTab, name: string][] = [["automix", "Auto-mix"], ["scripts", "Scripts"], ["presets", "Presets"]];

/** `host` is where the panels open. */
export function sessionButtons(desk: Desk, host: HTMLElement, load: Load): HTMLElement {
  const { bridge, controls, layer, signal, system } = desk;
  let shown: SessionTab | null = null;
  let coming: Promise<SessionHandle> | null = null;
  const want = () => {
    coming ??= load("session").then((module) => (module as SessionModule).mountSession(host, desk, () => show(null)));
    coming.catch((error: unknown) => {
      coming = null;
      show(null);
      layer.failed(error, want);
    });
    return coming;
  };
  const buttons = TABS.map(([tab, name]) => {
    const button = h("button", { type: "button", class: "sfa-dk-button is-small", "aria-controls": host.id }, name);
    button.addEventListener("click", () => show(shown === tab ? null : tab));
    return button;
  });
  const show = (tab: SessionTab | null) => {
    shown = tab;
    host.hidden = tab === null;
    buttons.forEach((button, at) => setAttribute(button, "aria-pressed", String(TABS[at]?.[0] === tab)));
    if (tab) void want().then((session) => session.show(tab), () => undefined);
  };
  host.id = uniqueId("session");
  show(null);
  // A mix may be begun from Python, or with the control, before its panel was ever opened.
  controls.on("mixer.automix", (_, on) => { if (on === 1) show("automix"); }, signal);
  const stop = bridge.on("automix.plan", ({ plan, play, page }) => {
    if (!play || page !== system.page) return;
    show("automix");
    void want().then((session) => session.play(plan), () => undefined);
  });
  signal.addEventListener("abort", stop, { once: true });
  return h("div", { class: "sfa-dk-joined", role: "group", "aria-label": "Session" }, ...buttons);
}
