/** The bar on top: search, add, the ring of jobs, and what happened. */

import { append, h, setAttribute, setText } from "../dom";
import { ago } from "../format";
import { icon, type IconName } from "../icons";
import type { JobsFeed } from "../jobs/feed";
import { summary } from "../jobs/words";
import type { Notice } from "../types";

const SEARCH_DELAY = 120;
const KEEP = 50;
const LEVEL_ICONS: Record<Notice["level"], IconName> = { info: "info", ok: "check", warn: "alert", danger: "alert" };

export interface TopbarOptions {
  signal: AbortSignal;
  feed: JobsFeed;
  query: string;
  onQuery(query: string): void;
  /** The search field is left for the list. */
  onLeaveSearch(): void;
  onAdd(): void;
  onJobs(): void;
  /** Shows the jobs that a notice is about. */
  onShowJobs(group: "failed" | "history"): void;
}

export interface TopbarHandle {
  focusSearch(): void;
  setQuery(query: string): void;
  notice(notice: Notice): void;
}

export function mountTopbar(el: HTMLElement, options: TopbarOptions): TopbarHandle {
  const { signal } = options;
  const input = h("input", {
    type: "search", placeholder: "Search title, artist, album", "aria-label": "Search the library",
    autocomplete: "off", spellcheck: "false",
  });
  input.value = options.query;
  const add = h(
    "button", { type: "button", class: "sfa-button is-primary sfa-add", title: "Add songs" },
    icon("plus"), h("span", {}, "Add"),
  );
  const notices = new Notices(options);
  append(
    el,
    h("label", { class: "sfa-search" }, icon("search"), input, h("kbd", { "aria-hidden": "true" }, "/")),
    add,
    h("span", { class: "sfa-topbar-space" }),
    jobsRing(options),
    notices.element,
  );
  add.addEventListener("click", options.onAdd);

  let timer: ReturnType<typeof setTimeout> | undefined;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => options.onQuery(input.value), SEARCH_DELAY);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      if (input.value === "") {
        options.onLeaveSearch();
        return;
      }
      input.value = "";
      clearTimeout(timer);
      options.onQuery("");
    } else if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      clearTimeout(timer);
      options.onQuery(input.value);
      options.onLeaveSearch();
    }
  });
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  return {
    focusSearch() {
      input.focus();
      input.select();
    },
    setQuery(query) {
      if (input.value !== query) input.value = query;
    },
    notice: (notice) => notices.add(notice),
  };
}

const CIRCUMFERENCE = 2 * Math.PI * 9;

/** A ring that fills as the running jobs advance, with the number of jobs in it. */
function jobsRing({ feed, signal, onJobs }: TopbarOptions): HTMLElement {
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const circles = ["track", "value"].map((part) => {
    const circle = document.createElementNS(NS, "circle");
    for (const [name, value] of [["cx", "12"], ["cy", "12"], ["r", "9"], ["class", part]] as const) {
      circle.setAttribute(name, value);
    }
    svg.append(circle);
    return circle;
  });
  const count = h("span", { class: "sfa-ring-count" });
  const mark = h("span", { class: "sfa-ring-mark", hidden: true });
  const button = h("button", { type: "button", class: "sfa-button is-quiet is-icon sfa-ring" }, svg as unknown as HTMLElement, count, mark);
  button.addEventListener("click", onJobs);
  const draw = () => {
    const { text, fraction } = summary(feed);
    circles[1]?.setAttribute("stroke-dasharray", `${(fraction * CIRCUMFERENCE).toFixed(2)} ${CIRCUMFERENCE.toFixed(2)}`);
    setText(count, feed.active > 0 ? (feed.active > 99 ? "99+" : String(feed.active)) : "");
    button.classList.toggle("is-idle", feed.active === 0);
    mark.hidden = feed.counts.failed === 0;
    const failed = feed.active > 0 && feed.counts.failed > 0 ? `, ${feed.counts.failed} failed` : "";
    setAttribute(button, "title", text + failed);
    setAttribute(button, "aria-label", `Jobs: ${text}${failed}`);
  };
  if (feed.active === 0) append(button, icon("jobs"));
  const stop = feed.onChange(draw);
  signal.addEventListener("abort", stop, { once: true });
  draw();
  return button;
}

/** What the kernel had to say, kept so that a toast that was missed is not lost. */
class Notices {
  readonly element: HTMLElement;
  readonly #list: { notice: Notice; at: string }[] = [];
  readonly #mark = h("span", { class: "sfa-ring-mark", hidden: true });
  readonly #button = h(
    "button",
    { type: "button", class: "sfa-button is-quiet is-icon sfa-bell", "aria-label": "Notifications", "aria-expanded": "false", title: "Notifications" },
    icon("bell"), this.#mark,
  );
  readonly #panel = h("div", { class: "sfa-notices", role: "dialog", "aria-label": "Notifications", hidden: true });

  readonly #showJobs: TopbarOptions["onShowJobs"];

  constructor({ signal, onShowJobs }: TopbarOptions) {
    this.#showJobs = onShowJobs;
    this.element = h("div", { class: "sfa-notices-host" }, this.#button, this.#panel);
    this.#button.addEventListener("click", () => this.#toggle(this.#panel.hidden !== false));
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#panel.hidden) return;
      event.stopPropagation();
      this.#toggle(false);
      this.#button.focus();
    });
    document.addEventListener("pointerdown", (event) => {
      if (event.target instanceof Node && !this.element.contains(event.target)) this.#toggle(false);
    }, { signal });
  }

  add(notice: Notice): void {
    this.#list.unshift({ notice, at: new Date().toISOString() });
    this.#list.length = Math.min(this.#list.length, KEEP);
    if (this.#panel.hidden !== false) this.#mark.hidden = false;
    if (!this.#panel.hidden) this.#draw();
  }

  #toggle(open: boolean): void {
    if (open) {
      this.#draw();
      this.#mark.hidden = true;
    }
    this.#panel.hidden = !open;
    setAttribute(this.#button, "aria-expanded", String(open));
  }

  #draw(): void {
    this.#panel.replaceChildren(
      h("h3", {}, "Notifications"),
      this.#list.length === 0
        ? h("p", {}, "Nothing has happened yet.")
        : h("ul", {}, ...this.#list.map(({ notice, at }) => h(
            "li", { class: `is-${notice.level}` },
            icon(LEVEL_ICONS[notice.level]), h("span", { dir: "auto" }, notice.text, this.#link(notice)), h("time", {}, ago(at)),
          ))),
    );
  }

  #link({ jobs }: Notice): HTMLElement | null {
    if (jobs === undefined) return null;
    const link = h("button", { type: "button", class: "sfa-link" }, "Show them");
    link.addEventListener("click", () => {
      this.#toggle(false);
      this.#showJobs(jobs);
    });
    return link;
  }
}
