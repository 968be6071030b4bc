/** The keys of the decks. They go by their place on the keyboard, so that both hands find them on any layout. */

import { clearCue } from "./deck/cues";
import { openLoad } from "./deck/load";
import { type Desk, SOURCE } from "./desk";
import { cueLetter } from "./waves/source";

/** What a key does; `down` is false when it comes up again. */
interface Act {
  (desk: Desk, deck: number, down: boolean): void;
  /** It is also told when the key comes up. */
  held?: true;
  /** It goes on while the key is down. */
  repeats?: true;
}

/** Words, the keys (see `parse`), what they do. Without words it goes on with the line before. */
export type Line = [words: string, keys: string, act: Act];

/** Seconds of an arrow; per cent of a key for the tempo; parts of the way of one for the crossfader. */
const SEEK = 5;
const PITCH = 0.1;
const CROSS = 0.1;
const FINE = 0.02;
/** As long "g" waits for the letter of a view. */
const GO_MS = 1200;

const on = (control: string): Act => ({ controls }, deck) => controls.toggle(`deck.${deck}.${control}`, SOURCE);
const press = (control: string, value = 1): Act => ({ controls }, deck) => controls.set(`deck.${deck}.${control}`, value, SOURCE);
const repeat = (act: Act): Act => Object.assign(act, { repeats: true as const });
const hold = (control: string, value = 1): Act => Object.assign(
  ({ controls }: Desk, deck: number, down: boolean) => controls.set(`deck.${deck}.${control}`, down ? value : 0, SOURCE), { held: true as const },
);
const cross = (by: number): Act => repeat(({ controls }) => controls.nudge("mixer.crossfader", by, SOURCE));
const pitch = (by: number): Act => repeat(({ controls }, deck) => controls.nudge(`deck.${deck}.pitch`, by, SOURCE));

/** The same under both hands: the left half of the keyboard has the left deck, the right half the right one. */
export const SIDES: Line[] = [
  ["Play or pause", "D L", on("play")],
  ["Cue", "F ;", hold("cue")],
  ["Sync", "R P", on("sync")],
  ["Tap the tempo", "+R +P", press("tap")],
  ["Four beats back", "A J", repeat(press("beatjump", -4))],
  ["Four beats ahead", "S K", repeat(press("beatjump", 4))],
  ["Slower, while held", "+A +J", hold("bend", -1)],
  ["Faster, while held", "+S +K", hold("bend", 1)],
  ["Loop on or off", "Q U", on("loop.active")],
  ["Halve the loop", "W I", press("loop.halve")],
  ["Double the loop", "E O", press("loop.double")],
  ["Slip", "+Q +U", on("slip")],
  ["Key lock", "+W +I", on("keylock")],
  ["Quantise", "+E +O", on("quantize")],
  ["Reverse", "+D +L", on("reverse")],
  ["Roll of half a beat, while held", "+F +;", hold("roll", 0.5)],
  ["Headphones", "T Y", on("headphones")],
  ...["Z N", "X M", "C ,", "V ."].map((keys, i): Line => [`Hot cue ${cueLetter(i + 1)}`, keys, hold(`hotcue.${i + 1}.press`)]),
];

const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8];
export const IN_HAND: Line[] = [
  ["Play or pause", "Space", on("play")],
  ["Back, ahead by 5 s", "←", repeat(press("search", -SEEK))],
  ["", "→", repeat(press("search", SEEK))],
  ["By a beat", "+←", repeat(press("beatjump", -1))],
  ["", "+→", repeat(press("beatjump", 1))],
  ["By four beats", "^←", repeat(press("beatjump", -4))],
  ["", "^→", repeat(press("beatjump", 4))],
  ["Hot cues A to H", "1 8", () => undefined],
  ["Clear a hot cue, with undo", "+1 +8", () => undefined],
  ["Loop in", "[", press("loop.in")],
  ["Loop out", "]", press("loop.out")],
  ["Loop on or off", "\\", on("loop.active")],
  ["Slower, faster by 0.1 %", "-", pitch(-PITCH)],
  ["", "=", pitch(PITCH)],
  ["Find a song for it", "+Enter", (desk, deck) => openLoad(desk, deck)],
];

export const MIXER: Line[] = [
  ["The next deck in hand", "`", (desk) => desk.activate((desk.active % Number(desk.controls.get("mixer.decks"))) + 1)],
  ["Crossfader left, right", "9", cross(-CROSS)],
  ["", "0", cross(CROSS)],
  ["By a little", "+9", cross(-FINE)],
  ["", "+0", cross(FINE)],
  ["Crossfader to the middle", "B", ({ controls }) => controls.reset("mixer.crossfader", SOURCE)],
];

/** KeyboardEvent.code of what is printed on a common keyboard. */
const CODES: Record<string, string> = {
  ";": "Semicolon", ",": "Comma", ".": "Period", "[": "BracketLeft", "]": "BracketRight", "\\": "Backslash", "-": "Minus", "=": "Equal",
  "`": "Backquote", "←": "ArrowLeft", "→": "ArrowRight", Space: "Space", Enter: "Enter",
};

export interface Key {
  print: string;
  code: string;
  shift: boolean;
  alt: boolean;
}

/** Keys by what is printed on them; after + with shift, after ^ with alt. */
export function parse(keys: string): Key[] {
  return keys.split(" ").map((key) => {
    const print = key.length > 1 ? key.replace(/^[+^]/, "") : key;
    const code = CODES[print] ?? (/\d/.test(print) ? `Digit${print}` : `Key${print}`);
    return { print, code, shift: key.startsWith("+") && key !== "+", alt: key.startsWith("^") };
  });
}

/** Of the left deck, of the right one, of the deck in hand. */
type Whose = "left" | "right" | "hand";
const signature = (code: string, shift: boolean, alt: boolean) => `${alt ? "alt " : ""}${shift ? "shift " : ""}${code}`;

const TABLE = new Map<string, { act: Act; whose: Whose }>();
function enter([, keys, act]: Line, ...whose: Whose[]): void {
  parse(keys).forEach(({ code, shift, alt }, i) => TABLE.set(signature(code, shift, alt), { act, whose: whose[i] ?? "hand" }));
}
for (const line of SIDES) enter(line, "left", "right");
for (const line of [...IN_HAND, ...MIXER]) enter(line);
for (const slot of DIGITS) {
  enter(["", `${slot}`, hold(`hotcue.${slot}.press`)]);
  enter(["", `+${slot}`, (desk, deck) => clearCue(desk, deck, slot)]);
}

/** Which deck is meant: with the lower two decks in hand both hands have those. */
function meant(whose: Whose, active: number): number {
  if (whose === "hand") return active;
  return (active > 2 ? 3 : 1) + (whose === "right" ? 1 : 0);
}

const TYPING = "textarea, select, dialog, [role=menu], [contenteditable]:not([contenteditable=false]), input:not([type=radio], [type=checkbox])";
const WALKING = /^(Arrow|Home|End|Page|Delete|Backspace)/;

/** Whether a key has a meaning of its own where the focus is. */
function belongsElsewhere({ target, key, code, shiftKey }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest(TYPING)) return true;
  const pressing = !shiftKey && (key === " " || key === "Enter");
  if (target.closest("[role=grid]")) return pressing || WALKING.test(key) || (shiftKey && code.startsWith("Digit"));
  if (target.closest("[role=slider], input")) return WALKING.test(key) || (target.closest("input") !== null && pressing);
  return pressing && target.closest("button, a[href], summary") !== null;
}

/**
 * Listens on `root` for as long as the view is shown.
 *
 * It hears keys before the parts inside do and leaves them those that they have a meaning for.
 */
export function listenForKeys(root: Document | HTMLElement, desk: Desk, shown: () => boolean, showKeys: () => void): void {
  const { signal } = desk;
  const held = new Map<string, () => void>();
  let going = Number.NEGATIVE_INFINITY;
  const options = { signal, capture: true };
  root.addEventListener("keydown", ((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.defaultPrevented || !shown() || belongsElsewhere(event)) return;
    const now = performance.now();
    if (now - going < GO_MS) {
      going = Number.NEGATIVE_INFINITY;
      return; // the letter of a view
    }
    if (event.key === "g") {
      going = now;
      return;
    }
    const stop = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (event.key === "?") {
      stop();
      showKeys();
      return;
    }
    const found = TABLE.get(signature(event.code, event.shiftKey, event.altKey));
    if (!found) return;
    stop();
    const { act, whose } = found;
    if (event.repeat && !act.repeats) return;
    const deck = meant(whose, desk.active);
    desk.system.unlock();
    act(desk, deck, true);
    // Which deck is in hand may change before the key comes up.
    if (act.held) held.set(event.code, () => act(desk, deck, false));
  }) as EventListener, options);
  const release = (code: string) => {
    held.get(code)?.();
    held.delete(code);
  };
  // The window hears a key come up wherever the focus has gone meanwhile.
  addEventListener("keyup", (event) => release(event.code), options);
  addEventListener("blur", () => { for (const code of [...held.keys()]) release(code); }, { signal });
}
