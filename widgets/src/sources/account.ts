/** The account at Spotify: the client that a person registers, and who is logged in. */

import { type Bridge, isAbort } from "../bridge";
import { append, h, uniqueId } from "../dom";
import { icon } from "../icons";
import { KeyForm } from "../services/key";
import type { SpotifyState } from "../types";
import { copyButton } from "../ui/copy";
import { askFirst, awaiting, fault, press, why } from "./marks";

const DASHBOARD = "https://developer.spotify.com/dashboard";

export interface AccountOptions {
  signal: AbortSignal;
  /** Whether what is set up is shown in full, or only what is missing. */
  full: boolean;
  /** Another state is known. */
  changed?(state: SpotifyState): void;
}

export class Account {
  readonly element = h("div", { class: "sfa-account" }, awaiting("Looking at the account…"));
  readonly #bridge: Bridge;
  readonly #options: AccountOptions;
  #state: SpotifyState | null = null;
  /** The address that a person was sent to. */
  #url: string | null = null;
  #editing = false;

  constructor(bridge: Bridge, options: AccountOptions) {
    this.#bridge = bridge;
    this.#options = options;
    const stop = bridge.on("sources.changed", ({ what }) => { if (what.includes("spotify")) void this.look(); });
    options.signal.addEventListener("abort", stop, { once: true });
    void this.look();
  }

  get state(): SpotifyState | null {
    return this.#state;
  }

  async look(): Promise<void> {
    try {
      const { result } = await this.#bridge.request("spotify.state", {}, { signal: this.#options.signal });
      const same = JSON.stringify(result) === JSON.stringify(this.#state);
      this.#state = result;
      if (result.login !== "waiting") this.#url = null;
      // What somebody types is not taken away by news that change nothing.
      if (!same || this.element.querySelector("[role=alert], .is-late")) this.#draw();
      this.#options.changed?.(result);
    } catch (error) {
      if (!isAbort(error)) this.element.replaceChildren(fault(why(error), () => void this.look()));
    }
  }

  #draw(): void {
    const state = this.#state as SpotifyState;
    if (!state.client || this.#editing) this.element.replaceChildren(this.#client(state));
    else if (this.#options.full) this.element.replaceChildren(this.#login(state), this.#registered(state));
    else this.element.replaceChildren(this.#login(state));
  }

  // The client

  #client(state: SpotifyState): HTMLElement {
    const { signal } = this.#options;
    const saved = () => {
      this.#state = null;
      void this.look();
    };
    const id = new KeyForm(this.#bridge, { signal, name: "spotify_id", noun: "client id", changed: saved });
    const secret = new KeyForm(this.#bridge, { signal, name: "spotify_secret", noun: "client secret", changed: saved });
    const back = state.client ? press("Done", () => {
      this.#editing = false;
      this.#draw();
    }) : null;
    return h(
      "div", { class: "sfa-steps" },
      h("p", {}, "Spotify answers apps that are registered with it. Registering one of your own is free and takes a minute; its owner needs Premium."),
      h(
        "ol", {},
        h("li", {}, h("p", {}, "Create an app on ", h("a", { href: DASHBOARD, target: "_blank", rel: "noreferrer noopener" }, "Spotify's dashboard"), "; tick “Web API”.")),
        h(
          "li", {}, h("p", {}, "Register this redirect address with it:"),
          h("div", { class: "sfa-line" }, h("code", {}, state.redirect), copyButton("Copy", () => state.redirect)),
        ),
        h("li", {}, h("p", {}, "Paste the app's client id:"), id.element),
        h(
          "li", {},
          h("p", {}, "To look at songs and albums without logging in, paste its client secret too. ", h("span", { class: "is-dim" }, "Logging in needs no secret.")),
          secret.element,
        ),
      ),
      back,
    );
  }

  #registered(state: SpotifyState): HTMLElement {
    const change = press("Change…", () => this.#edit());
    return h(
      "div", { class: "sfa-line sfa-account-client" },
      h("span", { class: "is-dim" }, `Client id set${state.secret ? ", client secret set" : ", no client secret"}. Redirect address: `, h("code", {}, state.redirect)),
      h("span", { class: "sfa-gap" }), change,
    );
  }

  // The login

  #login(state: SpotifyState): HTMLElement {
    if (state.login === "done") return this.#inside(state);
    if (state.login === "working") return h("p", { role: "status" }, "Logging in…");
    if (state.login === "waiting") return this.#waiting();
    const button = press(state.login === "failed" ? "Log in again" : "Log in to Spotify", () => void this.#open(button), { primary: true });
    return h(
      "div", { class: "sfa-login" },
      h("p", {}, "Log in to see your playlists and liked songs. Spotify opens in a tab of its own and asks you; nothing is changed there."),
      state.login === "failed" ? h("p", { class: "is-danger", role: "alert" }, icon("alert"), state.error ?? "The login failed.") : null,
      h("div", { class: "sfa-line" }, button, this.#options.full || state.secret ? null : press("Rather not log in?", () => this.#edit(), { quiet: true })),
    );
  }

  #edit(): void {
    this.#editing = true;
    this.#draw();
  }

  #inside(state: SpotifyState): HTMLElement {
    const out = press("Log out", () => undefined, { quiet: !this.#options.full });
    askFirst(out, "Log out of Spotify?", "Log out", "Stay", () => this.#send("spotify.logout", {}));
    return h(
      "div", { class: "sfa-line" },
      h("span", { class: "is-ok" }, icon("check"), "Logged in"), state.name === null ? null : h("span", { dir: "auto" }, `as ${state.name}`),
      h("span", { class: "sfa-gap" }), this.#options.full ? out : null,
    );
  }

  async #open(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    // Browsers let a page open a tab only while the press is handled: it is opened first and sent there later.
    const tab = window.open("about:blank");
    if (tab) tab.opener = null;
    try {
      const { result } = await this.#bridge.request("spotify.login", {}, { signal: this.#options.signal });
      this.#url = result.url;
      if (tab) tab.location.href = result.url;
      this.#state = null;
      await this.look();
    } catch (error) {
      tab?.close();
      button.disabled = false;
      if (!isAbort(error)) this.element.append(fault(why(error)));
    }
  }

  #waiting(): HTMLElement {
    const id = uniqueId("paste");
    const field = h("input", { id, class: "sfa-field", type: "text", autocomplete: "off", spellcheck: "false", placeholder: "http://127.0.0.1:…/callback?code=…" });
    const send = h("button", { type: "submit", class: "sfa-button", disabled: true }, "Finish");
    field.addEventListener("input", () => { send.disabled = field.value.trim() === ""; });
    const form = h("form", { class: "sfa-line" }, field, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const url = field.value.trim();
      field.value = "";
      send.disabled = true;
      this.#send("spotify.paste", { url });
    });
    const again = press("Start over", () => void this.#open(again));
    return h(
      "div", { class: "sfa-login" },
      h("p", { role: "status" }, icon("clock"), "Waiting for your answer in the other tab."),
      this.#url === null ? null
        : h("p", { class: "is-dim" }, "No tab opened? ", h("a", { href: this.#url, target: "_blank", rel: "noreferrer noopener" }, "Open Spotify"), "."),
      h("label", { for: id }, "Does the tab end on a page that cannot be shown? Then the studio runs on another machine: paste that page's address here."),
      form, h("div", { class: "sfa-line" }, again),
    );
  }

  #send<M extends "spotify.logout" | "spotify.paste">(method: M, params: M extends "spotify.paste" ? { url: string } : Record<string, never>): void {
    this.#bridge.request(method, params as never, { signal: this.#options.signal }).then(
      () => {
        this.#state = null;
        return this.look();
      },
      (error: unknown) => {
        if (isAbort(error)) return;
        this.element.querySelector(".sfa-fault")?.remove();
        append(this.element, fault(why(error)));
      },
    );
  }
}
