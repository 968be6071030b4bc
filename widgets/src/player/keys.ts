/** The keys of a player. */

import type { PlayerModel } from "./model";

/** Does what a key asks of the player; true when the key was one of its own. */
export function playerKey(event: KeyboardEvent, model: PlayerModel): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || model.status !== "ready") return false;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("input, textarea, select, [contenteditable]:not([contenteditable=false])")) return false;
  const { key } = event;
  if (key === " " || key === "Spacebar") {
    // A button under the keyboard's focus is pressed by the space bar.
    if (event.altKey || target?.closest("button, a[href], [role=button], [role=menuitem], [role=option], summary")) return false;
    if (!event.repeat) model.toggle();
  } else if (key === "ArrowLeft" || key === "ArrowRight") {
    model.step(key === "ArrowRight" ? 1 : -1, event.altKey ? "bar" : event.shiftKey ? "beat" : "seconds");
  } else if (event.altKey) {
    return false;
  } else if (key === "Home") {
    model.seek(0);
  } else if (key === "[") {
    model.mark("in");
  } else if (key === "]") {
    model.mark("out");
  } else if (key === "Escape" && model.range && target?.closest(".sfa-player")) {
    model.setRange(null);
  } else if (key.toLowerCase() === "o" && model.stems.length > 0) {
    if (!event.repeat) model.toggleListen();
  } else if (/^[1-8]$/.test(key) && model.picture && Number(key) <= model.picture.cues.length) {
    model.jump(Number(key));
  } else {
    return false;
  }
  event.preventDefault();
  event.stopPropagation();
  return true;
}

/** After the mouse, the keys belong to the player again and not to the button that was clicked. */
export function returnFocus(root: HTMLElement, signal: AbortSignal): void {
  root.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target.closest("button") : null;
    // What opens something of its own has sent the focus there.
    if (!pressed || event.detail === 0 || document.activeElement?.closest(".sfa-layer")) return;
    const row = pressed.closest(".sfa-stem-row");
    const focus = row?.querySelector<HTMLElement>(".sfa-fader") ?? root;
    focus.focus({ preventScroll: true });
  }, { signal });
}

/** Listens on the widget's or the dashboard's root, once for all parts of one player. */
export function listenForKeys(el: HTMLElement, model: PlayerModel, signal: AbortSignal): void {
  const root = el.closest<HTMLElement>(".sfa") ?? el;
  root.addEventListener("keydown", (event) => playerKey(event, model), { signal });
}
