/** The button that plays and pauses, wherever a player has one. */

import { setAttribute } from "../dom";
import { icon } from "../icons";
import type { PlayerModel } from "./model";

/** Makes the button say what a click does now. */
export function showPlay(button: HTMLButtonElement, model: PlayerModel): void {
  const on = model.playing || model.starting;
  const symbol = on ? "pause" : "play";
  if (button.dataset.icon !== symbol) {
    button.dataset.icon = symbol;
    button.replaceChildren(icon(symbol));
  }
  setAttribute(button, "aria-label", on ? "Pause" : "Play");
  setAttribute(button, "title", on ? "Pause (space)" : "Play (space)");
  button.classList.toggle("is-waiting", model.starting);
}
