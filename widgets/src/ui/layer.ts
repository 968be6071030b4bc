/** What floats above a view: menus, toasts, dialogs. */

import { append, h, uniqueId } from "../dom";
import { icon, type IconName } from "../icons";
import { followTheme } from "../theme";
import type { Notice } from "../types";
import { describe, isAbort } from "../bridge";

export interface MenuItem {
  label: string;
  icon?: IconName;
  danger?: boolean;
  keys?: string;
  run(): void;
}

export interface ToastOptions {
  hint?: string | null;
  action?: { label: string; run(): void };
}

const ICONS: Record<Notice["level"], IconName> = { info: "info", ok: "check", warn: "alert", danger: "alert" };

/** Lives on the page's body, so that no scroller clips it and no notebook transform moves it. */
export class Layer {
  readonly #root: HTMLElement;
  readonly #toasts: HTMLElement;
  readonly #signal: AbortSignal;
  #closeMenu: (() => void) | null = null;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.#toasts = h("div", { class: "sfa-toasts", role: "status", "aria-live": "polite" });
    this.#root = h("div", { class: "sfa sfa-layer" }, this.#toasts);
    followTheme(this.#root, signal);
    document.body.append(this.#root);
    signal.addEventListener("abort", () => this.#root.remove(), { once: true });
  }

  /** How far toasts keep from the bottom, in px: the height of whatever must not be covered. */
  set lift(px: number) {
    this.#root.style.setProperty("--toast-lift", `${px}px`);
  }

  /** A menu at a point of the window; closes on a choice, Escape, a click elsewhere or scrolling. */
  menu(x: number, y: number, label: string, items: (MenuItem | "-")[]): void {
    this.#closeMenu?.();
    const before = document.activeElement;
    const closing = new AbortController();
    const menu = h("div", { class: "sfa-menu", role: "menu", "aria-label": label });
    const close = () => {
      if (closing.signal.aborted) return;
      closing.abort();
      menu.remove();
      this.#closeMenu = null;
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
    this.#closeMenu = close;
    for (const item of items) {
      if (item === "-") {
        append(menu, h("hr", { role: "separator" }));
        continue;
      }
      const button = h(
        "button",
        { type: "button", role: "menuitem", tabindex: -1, class: item.danger ? "is-danger" : null },
        item.icon && icon(item.icon),
        h("span", {}, item.label),
        item.keys && h("kbd", {}, item.keys),
      );
      button.addEventListener("click", () => {
        close();
        item.run();
      });
      append(menu, button);
    }
    append(this.#root, menu);
    const box = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(x, innerWidth - box.width - 8))}px`;
    menu.style.top = `${Math.max(8, Math.min(y, innerHeight - box.height - 8))}px`;

    const buttons = [...menu.querySelectorAll("button")];
    buttons[0]?.focus({ preventScroll: true });
    menu.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
      const move: Record<string, number> = {
        ArrowDown: (at + 1) % buttons.length,
        ArrowUp: (at - 1 + buttons.length) % buttons.length,
        Home: 0,
        End: buttons.length - 1,
      };
      const target = move[event.key];
      if (target !== undefined) {
        event.preventDefault();
        buttons[target]?.focus();
      } else if (event.key === "Escape" || event.key === "Tab") {
        event.preventDefault();
        close();
      }
    });
    const options = { capture: true, signal: AbortSignal.any([closing.signal, this.#signal]) };
    const elsewhere = (event: Event) => {
      if (!(event.target instanceof Node && menu.contains(event.target))) close();
    };
    addEventListener("pointerdown", elsewhere, options);
    addEventListener("wheel", elsewhere, { ...options, passive: true });
    addEventListener("blur", (event) => { if (event.target === window) close(); }, options);
  }

  /** A short message; one with an action stays longer. Returns the function that takes it away. */
  toast(level: Notice["level"], text: string, options: ToastOptions = {}): () => void {
    const toast = h(
      "div",
      { class: `sfa-toast is-${level}`, role: level === "danger" ? "alert" : null },
      icon(ICONS[level]),
      h("div", { dir: "auto" }, text, options.hint && h("small", {}, options.hint)),
    );
    let timer: ReturnType<typeof setTimeout> | undefined;
    const close = () => {
      clearTimeout(timer);
      toast.remove();
    };
    const { action } = options;
    if (action) {
      const button = h("button", { type: "button", class: "sfa-button" }, action.label);
      button.addEventListener("click", () => {
        close();
        action.run();
      });
      append(toast, button);
    }
    const dismiss = h(
      "button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": "Dismiss" }, icon("close"),
    );
    dismiss.addEventListener("click", close);
    append(toast, dismiss);
    // A toast under the pointer or with the focus is being read: its time starts again afterwards.
    const life = action || level === "danger" ? 10_000 : 5000;
    const start = () => {
      clearTimeout(timer);
      timer = setTimeout(close, life);
    };
    toast.addEventListener("pointerenter", () => clearTimeout(timer));
    toast.addEventListener("pointerleave", start);
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("focusout", start);
    start();
    while (this.#toasts.childElementCount >= 4) this.#toasts.firstElementChild?.remove();
    append(this.#toasts, toast);
    this.#signal.addEventListener("abort", close, { once: true });
    return close;
  }

  /** A failed request as a toast; a cancelled one is not a failure. */
  failed(error: unknown, retry?: () => void): void {
    if (isAbort(error)) return;
    const { message, hint } = describe(error);
    this.toast("danger", message, { hint, ...(retry && { action: { label: "Try again", run: retry } }) });
  }

  /** A modal dialog with a title and a close button. */
  dialog(title: string, ...content: Node[]): HTMLDialogElement {
    const id = uniqueId("dialog");
    const close = h(
      "button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": "Close" }, icon("close"),
    );
    const dialog = h(
      "dialog",
      { class: "sfa-dialog", "aria-labelledby": id },
      h("header", {}, h("h2", { id }, title), close),
      ...content,
    );
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      // the backdrop belongs to the dialog: a click outside its box is a click on it
      const box = dialog.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right
        && event.clientY >= box.top && event.clientY <= box.bottom;
      if (event.target === dialog && !inside) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    dialog.addEventListener("close", () => dialog.remove());
    append(this.#root, dialog);
    dialog.showModal();
    return dialog;
  }
}
