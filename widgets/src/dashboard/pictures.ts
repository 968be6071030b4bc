/** The linked pictures under the player: a part that folds, and that comes when it is first looked at. */

import type { Bridge } from "../bridge";
import { append, h, setAttribute, uniqueId } from "../dom";
import { icon } from "../icons";
import { modelOf } from "../player/model";
import type { PlayerHandle } from "../types";
import { type Load, mountLater } from "./lazy";

/** What the bundle of the pictures exports. */
interface AnalysisModule {
  mountAnalysis(el: HTMLElement, bridge: Bridge, options: { signal: AbortSignal; model: ReturnType<typeof modelOf> }): unknown;
}

export interface PicturesOptions {
  signal: AbortSignal;
  player: PlayerHandle;
  load: Load;
}

export interface PicturesHandle {
  /** The view is seen: what is open may come. */
  seen(): void;
}

const KEY = "sfa.pictures";

export function mountPictures(el: HTMLElement, bridge: Bridge, { signal, player, load }: PicturesOptions): PicturesHandle {
  const id = uniqueId("pictures");
  const button = h("button", { type: "button", "aria-controls": id }, icon("down"), h("span", {}, "Analysis"),
    h("small", {}, "pictures, corrections by hand, and what can be heard of it"));
  const body = h("div", { class: "sfa-pictures-body", id });
  append(el, h("section", { class: "sfa-pictures", "aria-label": "Analysis" }, h("h2", {}, button), body));

  let open = stored();
  let wanted = false;
  let asked = false;
  let track = false;
  const draw = () => {
    setAttribute(button, "aria-expanded", String(open));
    body.hidden = !open;
    if (!open || !wanted || asked || !track) return;
    asked = true;
    void mountLater(body, "the pictures", () => load("analysis"), (module) =>
      (module as AnalysisModule).mountAnalysis(body, bridge, { signal, model: modelOf(player) }));
  };
  button.addEventListener("click", () => {
    open = !open;
    store(open);
    draw();
  });
  const stop = player.onState(({ trackId }) => {
    if (track || trackId === null) return;
    track = true;
    draw();
  });
  signal.addEventListener("abort", stop, { once: true });
  draw();
  return {
    seen() {
      wanted = true;
      draw();
    },
  };
}

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== "closed";
  } catch {
    return true; // storage is switched off: the choice lasts as long as the page
  }
}

function store(open: boolean): void {
  try {
    localStorage.setItem(KEY, open ? "open" : "closed");
  } catch {
    // as above
  }
}
