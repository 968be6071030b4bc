/** Tools that fold behind their heading: open where there is room for them, until the user says otherwise. */

import { append, h, setAttribute } from "../dom";
import { icon } from "../icons";

/** Narrower than this, tools push the pictures out of sight, in px. */
const ROOM = 600;

/** Makes `heading` the switch of `section`, whose class `is-folded` hides the rest of it. */
export function foldable(
  section: HTMLElement, heading: HTMLElement, name: string, room: HTMLElement, signal: AbortSignal,
): void {
  const key = `sfa.fold.${name}`;
  const button = h("button", { type: "button", class: "sfa-an-fold" }, icon("down"), heading.textContent ?? "");
  heading.replaceChildren();
  append(heading, button);
  let chosen = stored(key);
  const draw = () => {
    const open = chosen === null ? room.clientWidth === 0 || room.clientWidth >= ROOM : chosen === "open";
    section.classList.toggle("is-folded", !open);
    setAttribute(button, "aria-expanded", String(open));
  };
  button.addEventListener("click", () => {
    chosen = section.classList.contains("is-folded") ? "open" : "closed";
    store(key, chosen);
    draw();
  });
  const resize = new ResizeObserver(draw);
  resize.observe(room);
  signal.addEventListener("abort", () => resize.disconnect(), { once: true });
  draw();
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is switched off: the choice lasts as long as the page
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}
