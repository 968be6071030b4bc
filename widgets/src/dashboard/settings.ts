/** Settings: the look, where the library lives, and whether all is well. */

import { type Bridge, describe, isAbort } from "../bridge";
import { append, h, uniqueId } from "../dom";
import { icon, type IconName } from "../icons";
import { chooseTheme, themeChoice, type ThemeChoice } from "../theme";
import type { Uploads } from "../adding/uploads";
import type { DoctorCheck } from "../types";
import type { Layer } from "../ui/layer";
import { notifyButton, notifyState } from "../ui/notify";
import { type Load, mountLater } from "./lazy";

type Mount = (el: HTMLElement, bridge: Bridge, options: SettingsOptions) => { refresh(): void };

/** The parts of this view that come in bundles of their own. */
const PARTS = [
  { family: "sources", name: "where songs come from", mount: "mountSources" },
  { family: "dialogs", name: "engines and services", mount: "mountServices" },
];

export interface SettingsHandle {
  /** The view was opened: look again. */
  refresh(): void;
}

export interface SettingsOptions {
  signal: AbortSignal;
  load: Load;
  layer: Layer;
  uploads: Uploads;
  showKeys(): void;
}

export function mountSettings(el: HTMLElement, bridge: Bridge, options: SettingsOptions): SettingsHandle {
  const { signal, load } = options;
  const health = h("div", { class: "sfa-settings-health", "aria-live": "polite" });
  const about = h("dl", { class: "sfa-settings-about" });
  const again = h("button", { type: "button", class: "sfa-button" }, icon("retry"), "Check again");
  const parts = PARTS.map(() => h("div", { class: "sfa-services" }));
  const keys = h("button", { type: "button", class: "sfa-button" }, icon("keyboard"), "Show the keys");
  append(el, h(
    "div", { class: "sfa-settings" },
    h("header", { class: "sfa-view-head" }, h("h2", {}, "Settings")),
    h(
      "div", { class: "sfa-settings-body" },
      h("section", {}, h("h3", {}, "Look"), themeControl()),
      h("section", {}, h("h3", {}, "Keyboard"), h("p", {}, "Everything works without a mouse."), keys),
      notifications(),
      ...parts,
      h("section", {}, h("h3", {}, "Library"), about),
      h("section", {}, h("header", {}, h("h3", {}, "Health"), again), health),
    ),
  ));
  keys.addEventListener("click", options.showKeys);

  let mounted: Promise<{ refresh(): void }>[] | null = null;
  const refreshParts = () => {
    if (mounted) for (const part of mounted) void part.then((handle) => handle.refresh());
    else mounted = PARTS.map(({ family, name, mount }, i) => {
      const host = parts[i] as HTMLElement;
      return mountLater(host, name, () => load(family), (module) => (module as Record<string, Mount>)[mount]?.(host, bridge, options) ?? { refresh() {} });
    });
  };

  let request: AbortController | null = null;
  const refresh = async () => {
    request?.abort();
    request = new AbortController();
    if (health.childElementCount === 0) health.replaceChildren(h("p", { class: "is-dim" }, "Checking…"));
    again.disabled = true;
    try {
      const { result } = await bridge.request("doctor", {}, { signal: request.signal });
      about.replaceChildren(
        h("dt", {}, "Folder"), h("dd", { title: result.home }, result.home),
        h("dt", {}, "Version"), h("dd", {}, result.version),
      );
      const rank = (check: DoctorCheck) => ["no", "optional", "yes"].indexOf(standing(check));
      const checks = [...result.checks].sort((one, other) => rank(one) - rank(other));
      health.replaceChildren(h("ul", {}, ...checks.map(checkRow)));
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      health.replaceChildren(h("p", { class: "is-danger" }, [message, hint].filter(Boolean).join(" ")));
    } finally {
      again.disabled = false;
    }
  };
  again.addEventListener("click", () => void refresh());
  signal.addEventListener("abort", () => request?.abort(), { once: true });
  return {
    refresh() {
      void refresh();
      refreshParts();
    },
  };
}

const NOTIFY: Record<NotificationPermission, string> = {
  default: "Your system can tell you when long work ends while this page is out of sight.",
  granted: "Your system tells you when long work ends while this page is out of sight.",
  denied: "Your browser does not let this page notify you; its site settings can change that.",
};

function notifications(): HTMLElement | null {
  const text = h("p", {});
  const draw = () => { text.textContent = NOTIFY[notifyState() ?? "denied"]; };
  draw();
  return notifyState() && h("section", {}, h("h3", {}, "Notifications"), text, notifyButton(draw));
}

/** What is missing needs attention only where the studio cannot do without it. */
const STANDINGS = {
  yes: { icon: "check", said: ": fine" },
  no: { icon: "alert", said: ": needs attention" },
  optional: { icon: "info", said: ": optional, not installed" },
} as const;

function standing(check: DoctorCheck): keyof typeof STANDINGS {
  return check.ok ? "yes" : check.required ? "no" : "optional";
}

function checkRow(check: DoctorCheck): HTMLElement {
  const state = standing(check);
  return h(
    "li", { "data-ok": state },
    icon(STANDINGS[state].icon),
    h(
      "div", {},
      h("strong", {}, check.name, h("span", { class: "sfa-sr" }, STANDINGS[state].said)),
      h("span", {}, check.detail),
      !check.ok && check.hint ? h("span", { class: "is-hint" }, check.hint) : null,
    ),
  );
}

const THEMES: { value: ThemeChoice; label: string; icon: IconName }[] = [
  { value: "auto", label: "Automatic", icon: "auto" },
  { value: "dark", label: "Dark", icon: "moon" },
  { value: "light", label: "Light", icon: "sun" },
];

function themeControl(): HTMLElement {
  const name = uniqueId("theme");
  const group = h("div", { class: "sfa-segments", role: "radiogroup", "aria-label": "Theme" });
  for (const theme of THEMES) {
    const input = h("input", { type: "radio", name, value: theme.value });
    input.checked = themeChoice() === theme.value;
    input.addEventListener("change", () => chooseTheme(theme.value));
    append(group, h("label", {}, input, h("span", {}, icon(theme.icon), theme.label)));
  }
  return group;
}
