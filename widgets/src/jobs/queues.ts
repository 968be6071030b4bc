/** The queues, a cell for each: how full it is, and what waits. A press shows the jobs of that queue alone. */

import { h, setAttribute, setText } from "../dom";
import type { QueueRow } from "../types";
import { queueLabel } from "./words";

/** Up to this limit each place is a mark of its own. */
const MARKS = 8;

export class QueueStrip {
  readonly element = h("div", { class: "sfa-queues", role: "group", "aria-label": "Queues" });
  readonly #cells = new Map<string, Cell>();
  readonly #choose: (queue: string | null) => void;

  constructor(choose: (queue: string | null) => void) {
    this.#choose = choose;
  }

  update(queues: QueueRow[], chosen: string | null): void {
    for (const row of queues) {
      let cell = this.#cells.get(row.queue);
      if (!cell) {
        cell = new Cell();
        cell.element.addEventListener("click", () => {
          this.#choose(cell?.element.getAttribute("aria-pressed") === "true" ? null : row.queue);
        });
        this.#cells.set(row.queue, cell);
        this.element.append(cell.element);
      }
      cell.update(row, row.queue === chosen);
    }
    this.element.hidden = queues.length === 0;
  }
}

class Cell {
  readonly #name = h("span", { class: "sfa-queue-name" });
  readonly #count = h("span", { class: "sfa-queue-count" });
  readonly #meter = h("span", { class: "sfa-queue-meter", "aria-hidden": "true" });
  readonly #note = h("span", { class: "sfa-queue-note" });
  readonly element = h(
    "button", { type: "button", class: "sfa-queue", "aria-pressed": "false" },
    this.#name, this.#count, this.#meter, this.#note,
  );

  update(row: QueueRow, chosen: boolean): void {
    const { queue, limit, running, waiting, retrying, failed } = row;
    setText(this.#name, queueLabel(queue));
    setText(this.#count, `${running}/${limit}`);
    const marks = limit <= MARKS ? limit : 1;
    while (this.#meter.childElementCount > marks) this.#meter.lastElementChild?.remove();
    while (this.#meter.childElementCount < marks) this.#meter.append(h("i"));
    const places = [...this.#meter.children] as HTMLElement[];
    places.forEach((place, i) => {
      place.style.setProperty("--value", String(marks === limit ? Number(i < running) : Math.min(1, running / limit)));
    });
    const parts = [[waiting, "waiting"], [retrying, "retrying"], [failed, "failed"]] as const;
    const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${count.toLocaleString("en-GB")} ${what}`);
    const signature = said.join(", ") || (running > 0 ? "nothing waits" : "idle");
    if (this.#note.dataset.said !== signature) {
      this.#note.dataset.said = signature;
      this.#note.replaceChildren(...(said.length === 0 ? [signature] : parts.flatMap(([count, what]) => (
        count > 0 ? [h("span", { class: `is-${what}` }, `${count.toLocaleString("en-GB")} ${what}`)] : []
      ))));
    }
    this.element.classList.toggle("is-idle", running === 0 && said.length === 0);
    setAttribute(this.element, "aria-pressed", String(chosen));
    setAttribute(this.element, "aria-label", [`${queueLabel(queue)}: ${running} of ${limit} running`, ...said].join(", "));
    setAttribute(this.element, "title", chosen ? "Show the jobs of all queues" : `Show the jobs of ${queue} alone`);
  }
}
