/** News of the kernel: a toast, and where the page is out of sight and the person has allowed it, the system's own. */

import { h } from "../dom";
import { icon } from "../icons";
import type { Notice } from "../types";
import type { Layer } from "./layer";

const TOLD = Symbol.for("sfa.told");

/** Several widgets of one page may hear of the same thing; the first one tells it. */
function isNews(id: string): boolean {
  const page = globalThis as { [TOLD]?: Set<string> };
  const told = (page[TOLD] ??= new Set());
  if (told.has(id)) return false;
  told.add(id);
  return true;
}

export function tell(notice: Notice, layer: Layer, showJobs?: (group: "failed" | "history") => void): void {
  const { id, jobs } = notice;
  if (id !== undefined && !isNews(id)) return;
  const action = jobs && showJobs && { label: "Show them", run: () => showJobs(jobs) };
  layer.toast(notice.level, notice.text, action ? { action } : {});
  if (id === undefined || !document.hidden || notifyState() !== "granted") return;
  const shown = new Notification("Sound Forge Alchemy", { body: notice.text, tag: id });
  shown.addEventListener("click", () => {
    window.focus();
    shown.close();
    if (jobs) showJobs?.(jobs);
  });
}

/** What the system's notifications are set to; null where there are none. */
export function notifyState(): NotificationPermission | null {
  return globalThis.isSecureContext && "Notification" in globalThis ? Notification.permission : null;
}

/** The offer to tell by the system's notifications; hidden where nobody can be asked, or has been. */
export function notifyButton(changed: () => void = () => undefined): HTMLButtonElement {
  const button = h(
    "button", {
      type: "button", class: "sfa-button is-quiet sfa-notify",
      title: "A notification of your system when long work ends while this page is out of sight",
    },
    icon("bell"), h("span", {}, "Notify me"),
  );
  const draw = () => { button.hidden = notifyState() !== "default"; };
  button.addEventListener("click", () => {
    void Notification.requestPermission().then(() => {
      draw();
      changed();
    });
  });
  draw();
  return button;
}
