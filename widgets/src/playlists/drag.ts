/** Rows that are dragged: to another place of their list, or onto something beside it. */

import { h } from "../dom";

/** A pointer that moves less than this is a click, in px. */
const SLACK = 6;
/** So near to the edge the list scrolls, in px. */
const EDGE = 36;

export interface DragOptions {
  signal: AbortSignal;
  /** What scrolls. */
  scroller: HTMLElement;
  /** Where the rows lie. */
  space: HTMLElement;
  /** Holds the label beside the pointer. */
  stage: HTMLElement;
  rowHeight(): number;
  total(): number;
  /** What is taken along when a drag begins here, in words; null for nothing. */
  begin(event: PointerEvent): string | null;
  /** Whether the rows may change their places. */
  movable(): boolean;
  /** What of the page beside the list would take them. */
  target(x: number, y: number): HTMLElement | null;
  /** Dropped before a place of the list. */
  drop(place: number): void;
  /** Dropped onto something beside it. */
  dropOn(target: HTMLElement): void;
}

export function dragRows(options: DragOptions): void {
  const { signal, scroller } = options;
  scroller.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !(event.target instanceof Element) || event.target.closest("button")) return;
    // A finger scrolls the list, but by its handle a row can be dragged.
    if (event.pointerType !== "mouse" && !event.target.closest("[data-grip]")) return;
    if (event.target.closest("[role=row]")) new Drag(event, options);
  }, { signal });
  // Text of the page that is selected would be dragged in place of the rows.
  scroller.addEventListener("dragstart", (event) => event.preventDefault(), { signal });
}

class Drag {
  readonly #options: DragOptions;
  readonly #end = new AbortController();
  readonly #start: PointerEvent;
  readonly #line = h("div", { class: "sfa-entry-line", hidden: true });
  readonly #label = h("div", { class: "sfa-entry-drag" });
  #started = false;
  #x = 0;
  #y = 0;
  #place: number | null = null;
  #target: HTMLElement | null = null;
  #frame = 0;

  constructor(start: PointerEvent, options: DragOptions) {
    this.#options = options;
    this.#start = start;
    const signal = AbortSignal.any([options.signal, this.#end.signal]);
    addEventListener("pointermove", (event) => this.#move(event), { signal });
    addEventListener("pointerup", () => this.#drop(), { signal });
    addEventListener("pointercancel", () => this.#finish(), { signal });
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#started) return;
      event.preventDefault();
      event.stopPropagation();
      this.#finish();
    }, { signal, capture: true });
    options.signal.addEventListener("abort", () => this.#finish(), { once: true, signal: this.#end.signal });
  }

  #move(event: PointerEvent): void {
    if (event.pointerId !== this.#start.pointerId) return;
    this.#x = event.clientX;
    this.#y = event.clientY;
    if (!this.#started) {
      if (Math.hypot(this.#x - this.#start.clientX, this.#y - this.#start.clientY) < SLACK) return;
      const words = this.#options.begin(this.#start);
      if (words === null) {
        this.#finish();
        return;
      }
      this.#started = true;
      const { stage, space, scroller } = this.#options;
      this.#label.textContent = words;
      stage.append(this.#label);
      space.append(this.#line);
      stage.classList.add("is-dragging");
      scroller.setPointerCapture(this.#start.pointerId);
      this.#scroll();
    }
    this.#track();
  }

  #track(): void {
    const { scroller, space, stage, rowHeight, total, movable, target } = this.#options;
    const host = stage.getBoundingClientRect();
    this.#label.style.transform = `translate(${this.#x - host.left + 14}px, ${this.#y - host.top + 10}px)`;
    const box = scroller.getBoundingClientRect();
    const inside = this.#x >= box.left && this.#x <= box.right && this.#y >= box.top - EDGE && this.#y <= box.bottom + EDGE;
    this.#place = null;
    if (inside && movable()) {
      const height = rowHeight();
      this.#place = Math.max(0, Math.min(total(), Math.round((this.#y - space.getBoundingClientRect().top) / height)));
      this.#line.style.transform = `translateY(${this.#place * height - 1}px)`;
    }
    this.#line.hidden = this.#place === null;
    const over = inside ? null : target(this.#x, this.#y);
    if (over !== this.#target) {
      this.#target?.classList.remove("is-drop");
      over?.classList.add("is-drop");
      this.#target = over;
    }
    this.#label.classList.toggle("is-nowhere", this.#place === null && !over);
  }

  /** Scrolls while the pointer rests near an edge, the faster the nearer. */
  #scroll(): void {
    this.#frame = requestAnimationFrame(() => {
      const { scroller, movable } = this.#options;
      const box = scroller.getBoundingClientRect();
      const above = box.top + EDGE - this.#y;
      const below = this.#y - (box.bottom - EDGE);
      const step = above > 0 ? -above : below > 0 ? below : 0;
      if (step !== 0 && movable() && this.#x >= box.left && this.#x <= box.right) {
        scroller.scrollTop += Math.max(-24, Math.min(24, step / 2));
        this.#track();
      }
      this.#scroll();
    });
  }

  #drop(): void {
    const place = this.#place;
    const target = this.#target;
    const started = this.#started;
    this.#finish();
    if (!started) return;
    if (place !== null) this.#options.drop(place);
    else if (target) this.#options.dropOn(target);
  }

  #finish(): void {
    this.#end.abort();
    cancelAnimationFrame(this.#frame);
    this.#target?.classList.remove("is-drop");
    this.#line.remove();
    this.#label.remove();
    this.#options.stage.classList.remove("is-dragging");
  }
}
