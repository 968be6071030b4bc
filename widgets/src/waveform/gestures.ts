/** Wheel and pointers over a picture. */

const CHAIN_MS = 350;
let lastElsewhere = Number.NEGATIVE_INFINITY;
let watching = false;

/**
 * Turns of the wheel that are meant for `element`.
 *
 * A page that is being scrolled and brings the element under the pointer goes on scrolling:
 * only a turn that begins over the element is its own.
 */
export function ownWheel(
  element: HTMLElement,
  turned: (event: WheelEvent, pixels: { x: number; y: number }) => void,
  signal: AbortSignal,
): void {
  if (!watching) {
    watching = true;
    addEventListener("wheel", (event) => {
      const own = event.target instanceof Element && event.target.closest("[data-sfa-wheel]");
      if (!own || event.timeStamp - lastElsewhere < CHAIN_MS) lastElsewhere = event.timeStamp;
    }, { capture: true, passive: true });
  }
  element.dataset.sfaWheel = "";
  element.addEventListener("wheel", (event) => {
    if (lastElsewhere === event.timeStamp) return;
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
    turned(event, { x: event.deltaX * unit, y: event.deltaY * unit });
  }, { passive: false, signal });
}

export interface DragHandlers {
  /** Returns false to leave the pointer alone. */
  start(x: number, y: number, event: PointerEvent): boolean | void;
  move(x: number, y: number, event: PointerEvent): void;
  /** `moved` is false for a click; `cancelled` when the system took the pointer. */
  end(x: number, y: number, event: PointerEvent, moved: boolean, cancelled: boolean): void;
  /** Two fingers: growth of their distance since the last call, and the middle between them. */
  pinch?(factor: number, x: number): void;
}

const SLOP = 4;

/** Drags with mouse, pen or finger, in px from the element's corner. */
export function draggable(element: HTMLElement, handlers: DragHandlers, signal: AbortSignal): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let active: { id: number; x: number; y: number; moved: boolean } | null = null;
  let distance = 0;

  const place = (event: PointerEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const spread = () => {
    const xs = [...pointers.values()].map(({ x }) => x);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    return { distance: Math.max(16, right - left), middle: (left + right) / 2 };
  };

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const at = place(event);
    pointers.set(event.pointerId, at);
    if (pointers.size === 2 && handlers.pinch) {
      if (active) handlers.end(at.x, at.y, event, active.moved, true);
      active = null;
      distance = spread().distance;
      return;
    }
    if (pointers.size > 1 || handlers.start(at.x, at.y, event) === false) return;
    active = { id: event.pointerId, ...at, moved: false };
    element.setPointerCapture(event.pointerId);
  }, { signal });

  element.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const at = place(event);
    pointers.set(event.pointerId, at);
    if (pointers.size === 2 && handlers.pinch) {
      const now = spread();
      handlers.pinch(now.distance / distance, now.middle);
      distance = now.distance;
      return;
    }
    if (active?.id !== event.pointerId) return;
    if (!active.moved && Math.hypot(at.x - active.x, at.y - active.y) < SLOP) return;
    active.moved = true;
    handlers.move(at.x, at.y, event);
  }, { signal });

  const up = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    if (active?.id !== event.pointerId) return;
    const at = place(event);
    const { moved } = active;
    active = null;
    handlers.end(at.x, at.y, event, moved, event.type === "pointercancel");
  };
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", up, { signal });
}
