/** What can be done with a hot cue, and the way back. */

import { position } from "../../format";
import type { Cue } from "../../types";
import type { MenuItem } from "../../ui/layer";
import { type Desk, SOURCE } from "../desk";
import { cueLetter } from "../waves/source";

/** "A, Drop, 1:02.4": a hot cue as a person reads it. */
export function cueWords(cue: Cue | null, slot: number): string {
  if (!cue) return `Hot cue ${cueLetter(slot)}, empty`;
  const place = cue.end === null ? position(cue.time) : `loop, ${position(cue.time)} to ${position(cue.end)}`;
  return [`Hot cue ${cueLetter(slot)}`, cue.label, place].filter(Boolean).join(", ");
}

function hotCue(desk: Desk, deck: number, slot: number): Cue | null {
  return desk.system.song(deck)?.hotCues[slot - 1] ?? null;
}

/** Tells what was done to a cue, with the way back to how it was. */
function offerUndo(desk: Desk, track: string, slot: number, before: Cue, text: string): void {
  const { bridge, layer, signal } = desk;
  const { time, end, label, color } = before;
  // Its song may be out of the deck by then: the cue belongs to the song.
  const undo = () => void bridge.request("decks.cue.set", {
    id: track, slot, time, end, label, ...(color !== null && { color }),
  }, { signal }).catch((error: unknown) => layer.failed(error, undo));
  layer.toast("info", text, { action: { label: "Undo", run: undo } });
}

export function clearCue(desk: Desk, deck: number, slot: number): void {
  const song = desk.system.song(deck);
  const before = hotCue(desk, deck, slot);
  if (!song || !before) return;
  desk.system.clearCue(deck, slot).then(
    () => offerUndo(desk, song.id, slot, before, `Cleared hot cue ${cueLetter(slot)}${before.label ? ` “${before.label}”` : ""}.`),
    (error: unknown) => desk.layer.failed(error, () => clearCue(desk, deck, slot)),
  );
}

export function cueMenu(desk: Desk, deck: number, slot: number): (MenuItem | "-")[] {
  const { system, controls, layer } = desk;
  const song = system.song(deck);
  if (!song) return [];
  const cue = hotCue(desk, deck, slot);
  const { loop } = system.stand(deck);
  const change = (what: Parameters<typeof system.setCue>[2], done: () => void = () => undefined) =>
    system.setCue(deck, slot, what).then(done, (error: unknown) => layer.failed(error));
  const moved = () => { if (cue) offerUndo(desk, song.id, slot, cue, `Moved hot cue ${cueLetter(slot)}.`); };
  const items: (MenuItem | "-")[] = [{
    label: cue ? "Move it here" : "Set it here", icon: "cue",
    run() {
      controls.press(`deck.${deck}.hotcue.${slot}.set`, SOURCE);
      moved();
    },
  }];
  if (loop) {
    items.push({ label: "Keep the loop in it", icon: "retry", run: () => void change({ time: loop.start, end: loop.end }, moved) });
  }
  if (cue) {
    items.push(
      { label: "Label and colour…", icon: "pencil", run: () => void desk.dialogs().then(({ editCue }) => editCue(desk, deck, slot, cue), (error: unknown) => layer.failed(error)) },
      "-",
      { label: "Clear", icon: "trash", danger: true, run: () => clearCue(desk, deck, slot) },
    );
  }
  if (song.hotCues.some((other) => !other)) {
    items.push("-", {
      label: "Fill the free ones from found cues", icon: "smart",
      run: () => void system.fillCues(deck).catch((error: unknown) => layer.failed(error)),
    });
  }
  return items;
}
