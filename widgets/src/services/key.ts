/** The key of a service: whether there is one and where it comes from; its value is never shown. */

import { type Bridge, describe, isAbort } from "../bridge";
import { append, h, uniqueId } from "../dom";
import { ago } from "../format";
import { icon } from "../icons";
import type { Credential } from "../types";

export interface KeyOptions {
  signal: AbortSignal;
  /** Name of the key. */
  name: string;
  /** What people call it; "key" when not said. */
  noun?: string;
  /** There is another key now, or none. */
  changed(present: boolean): void;
}

export class KeyForm {
  readonly element = h("div", { class: "sfa-keyform" });
  readonly #bridge: Bridge;
  readonly #options: KeyOptions;
  readonly #noun: string;

  constructor(bridge: Bridge, options: KeyOptions) {
    this.#bridge = bridge;
    this.#options = options;
    this.#noun = options.noun ?? "key";
    void this.#show();
  }

  get #set(): HTMLElement {
    return h("span", { class: "is-ok" }, icon("check"), `${this.#noun.charAt(0).toUpperCase()}${this.#noun.slice(1)} set`);
  }

  async #show(): Promise<void> {
    const { name, signal } = this.#options;
    try {
      const { result } = await this.#bridge.request("credentials.list", {}, { signal });
      const known = result.credentials.find((credential) => credential.name === name);
      if (known?.source) this.#present(known, result.protection);
      else this.#ask(result.protection, known?.label ?? name, false);
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      const again = h("button", { type: "button", class: "sfa-button" }, icon("retry"), "Try again");
      again.addEventListener("click", () => void this.#show());
      this.element.replaceChildren(h("p", { class: "is-danger", role: "alert" }, icon("alert"), [message, hint].filter(Boolean).join(" ")), again);
    }
  }

  #present(known: Credential, protection: string): void {
    if (known.source === "environment") {
      this.element.replaceChildren(h(
        "p", {}, this.#set, " by the environment of the program; it is changed there.",
      ));
      return;
    }
    const replace = h("button", { type: "button", class: "sfa-button" }, "Replace…");
    replace.addEventListener("click", () => this.#ask(protection, known.label, true));
    const remove = h("button", { type: "button", class: "sfa-button" }, icon("trash"), "Remove");
    remove.addEventListener("click", () => void this.#send(remove, "credentials.remove", { name: known.name }, false));
    this.element.replaceChildren(
      h(
        "div", { class: "sfa-line" },
        this.#set,
        h("span", { class: "is-dim" }, known.changed_at === null ? "" : `since ${ago(known.changed_at)}`),
        h("span", { class: "sfa-gap" }), replace, remove,
      ),
      h("p", { class: "is-fine" }, protection),
    );
  }

  #ask(protection: string, label: string, back: boolean): void {
    const id = uniqueId("key");
    // A plain field that hides what it holds: browsers would offer to keep a password, and this is none of theirs.
    const field = h("input", {
      id, type: "password", class: "sfa-field", autocomplete: "off", spellcheck: "false", placeholder: `Paste the ${this.#noun}`,
      "data-1p-ignore": true, "data-lpignore": true,
    });
    const save = h("button", { type: "submit", class: "sfa-button is-primary", disabled: true }, `Save the ${this.#noun}`);
    field.addEventListener("input", () => { save.disabled = field.value.trim() === ""; });
    const form = h("form", { class: "sfa-line" }, h("label", { class: "sfa-sr", for: id }, this.#noun === "key" ? `Key of ${label}` : label), field, save);
    if (back) {
      const cancel = h("button", { type: "button", class: "sfa-button is-quiet" }, "Cancel");
      cancel.addEventListener("click", () => void this.#show());
      append(form, cancel);
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const value = field.value.trim();
      field.value = "";
      void this.#send(save, "credentials.put", { name: this.#options.name, value }, true);
    });
    this.element.replaceChildren(form, h("p", { class: "is-fine" }, protection));
    if (back) field.focus();
  }

  async #send<M extends "credentials.put" | "credentials.remove">(
    button: HTMLButtonElement, method: M, params: { name: string; value: string } | { name: string }, present: boolean,
  ): Promise<void> {
    button.disabled = true;
    try {
      await this.#bridge.request(method, params as never, { signal: this.#options.signal });
      await this.#show();
      this.#options.changed(present);
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      this.element.querySelector("[role=alert]")?.remove();
      append(this.element, h("p", { class: "is-danger", role: "alert" }, icon("alert"), [message, hint].filter(Boolean).join(" ")));
    }
  }
}
