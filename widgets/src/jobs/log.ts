/** The log of one job as it grows: follows its end until the person scrolls up. */

import { h, setText } from "../dom";
import { plural } from "../format";
import type { LogLevel, LogLine, LogPart } from "../types";
import { copyButton } from "../ui/copy";

/** Lines in the page; older ones are forgotten. */
export const LOG_ROWS = 500;
/** Within this distance of its end a log counts as being at its end [px]. */
const NEAR = 24;

const LETTERS: Record<LogLevel, string> = { debug: "D", info: "I", warning: "W", error: "E", critical: "C", output: "›" };

export class LogView {
  /** Where in the log to go on [bytes]. */
  next = 0;
  #lines: LogLine[] = [];
  #skipped = 0;
  #attempt = 0;
  #read = false;
  #ended = false;
  #follow = true;
  readonly #count = h("span", { class: "sfa-log-count" });
  readonly #toEnd = h("button", { type: "button", class: "sfa-button sfa-log-end", hidden: true }, "New lines below");
  readonly #list = h("div", {
    class: "sfa-log-lines", role: "log", "aria-live": "off", "aria-label": "Log", tabindex: 0, dir: "ltr",
  });
  readonly #nothing = h("p", { class: "sfa-log-nothing" });
  readonly #copy = copyButton("Copy", () => this.#lines.map(asText).join("\n"));
  readonly element = h(
    "section", { class: "sfa-log", "aria-label": "Log" },
    h("header", {}, h("h4", {}, "Log"), this.#count, this.#copy),
    this.#nothing, this.#list, this.#toEnd,
  );

  constructor() {
    this.#list.addEventListener("scroll", () => {
      this.#follow = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < NEAR;
      if (this.#follow) this.#toEnd.hidden = true;
    }, { passive: true });
    this.#toEnd.addEventListener("click", () => {
      this.#toBottom();
      this.#list.focus({ preventScroll: true });
    });
    setText(this.#nothing, "Reading the log…");
    this.#head();
  }

  /** Takes a piece of the log; false when it does not join what is here. */
  add(part: LogPart): boolean {
    if (part.next <= this.next && this.next > 0) return true; // known already
    if (part.offset !== this.next) return false;
    this.next = part.next;
    this.#read = true;
    const rows: HTMLElement[] = [];
    const fresh = part.lines.slice(-LOG_ROWS);
    this.#skipped += part.skipped + part.lines.length - fresh.length;
    for (const line of fresh) {
      if (line.attempt > this.#attempt) {
        this.#attempt = line.attempt;
        rows.push(h("div", { class: "sfa-log-attempt" }, `Attempt ${line.attempt}`));
      }
      rows.push(row(line));
    }
    this.#lines.push(...fresh);
    this.#skipped += Math.max(0, this.#lines.length - LOG_ROWS);
    this.#lines = this.#lines.slice(-LOG_ROWS);
    this.#list.append(...rows);
    while (this.#list.childElementCount > LOG_ROWS) this.#list.firstElementChild?.remove();
    this.#head();
    if (this.#follow) this.#toBottom();
    else if (fresh.length > 0) this.#toEnd.hidden = false;
    return true;
  }

  /** Whether more may come. */
  set ended(ended: boolean) {
    this.#ended = ended;
    this.element.classList.toggle("is-live", !ended);
    this.#head();
  }

  #head(): void {
    const none = this.#lines.length === 0;
    this.#list.hidden = this.#copy.hidden = none;
    this.#nothing.hidden = !none;
    if (this.#read) setText(this.#nothing, this.#ended ? "It logged nothing." : "Nothing logged yet.");
    const all = this.#lines.length + this.#skipped;
    setText(this.#count, none ? "" : this.#skipped > 0
      ? `the last ${this.#lines.length} of ${plural(all, "line")}` : plural(all, "line"));
  }

  #toBottom(): void {
    this.#follow = true;
    this.#toEnd.hidden = true;
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

function row(line: LogLine): HTMLElement {
  return h(
    "div", { class: "sfa-log-line", "data-level": line.level },
    h("time", {}, clock(line.time)),
    h("b", { title: line.level }, LETTERS[line.level] ?? "·"),
    h("span", {}, line.text),
  );
}

function asText(line: LogLine): string {
  return `${new Date(line.time * 1000).toISOString()} ${line.level} ${line.text}`;
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}
