/** The keys of the decks. They go by their place on the keyboard, so that both hands find them on any layout. */

import { h } from "../dom";
import { clearCue } from "./deck/cues";
import { openLoad } from "./deck/load";
import { type Desk, SOURCE } from "./desk";

/** Does what a key asks; `down` is false when it comes up again. */
type Act = (desk: Desk, deck: number, down: boolean) => void;

interface Key {
  /** KeyboardEvent.code. */
  code: string;
  shift?: true;
  alt?: true;
}

interface Line {
  words: string;
  /** Of the left and the right deck; or of the deck in hand, or of the mixer. */
  keys: Key[];
  act: Act;
  /** It also tells when the key comes up. */
  held?: true;
  /** It goes on while the key is down. */
  repeats?: true;
}

/** Seconds of an arrow, and beats of one with shift or alt. */
const SEEK = 5;
const BAR = 4;
/** Per cent of a key for the tempo, and parts of the way of one for the crossfader. */
const PITCH = 0.1;
const CROSS = 0.1;
const FINE = 0.2;
/** As long "g" waits for the letter of a view. */
const GO_MS = 1200;

const on = (control: string): Act => (desk, deck) => desk.controls.toggle(`deck.${deck}.${control}`, SOURCE);
const press = (control: string, value = 1): Act => (desk, deck) => desk.controls.set(`deck.${deck}.${control}`, value, SOURCE);
const hold = (control: string, value = 1): Act => (desk, deck, down) => desk.controls.set(`deck.${deck}.${control}`, down ? value : 0, SOURCE);
const pair = (left: string, right: string, shift?: true): Key[] => [left, right].map((code) => ({ code, ...(shift && { shift }) }));

/** The same under both hands: the left half of the keyboard has the left deck, the right half the right one. */
const SIDES: Line[] = [
  { words: "Play or pause", keys: pair("KeyD", "KeyL"), act: on("play") },
  { words: "Cue", keys: pair("KeyF", "Semicolon"), act: hold("cue"), held: true },
  { words: "Sync", keys: pair("KeyR", "KeyP"), act: on("sync") },
  { words: "Tap the tempo", keys: pair("KeyR", "KeyP", true), act: press("tap") },
  { words: "Four beats back", keys: pair("KeyA", "KeyJ"), act: press("beatjump", -4), repeats: true },
  { words: "Four beats ahead", keys: pair("KeyS", "KeyK"), act: press("beatjump", 4), repeats: true },
  { words: "Slower, while held", keys: pair("KeyA", "KeyJ", true), act: hold("bend", -1), held: true },
  { words: "Faster, while held", keys: pair("KeyS", "KeyK", true), act: hold("bend", 1), held: true },
  { words: "Loop on or off", keys: pair("KeyQ", "KeyU"), act: on("loop.active") },
  { words: "Halve the loop", keys: pair("KeyW", "KeyI"), act: press("loop.halve") },
  { words: "Double the loop", keys: pair("KeyE", "KeyO"), act: press("loop.double") },
  { words: "Slip", keys: pair("KeyQ", "KeyU", true), act: on("slip") },
  { words: "Key lock", keys: pair("KeyW", "KeyI", true), act: on("keylock") },
  { words: "Quantise", keys: pair("KeyE", "KeyO", true), act: on("quantize") },
  { words: "Reverse", keys: pair("KeyD", "KeyL", true), act: on("reverse") },
  { words: "Roll of half a beat, while held", keys: pair("KeyF", "Semicolon", true), act: hold("roll", 0.5), held: true },
  { words: "Headphones", keys: pair("KeyT", "KeyY"), act: on("headphones") },
  { words: "Hot cue A", keys: pair("KeyZ", "KeyN"), act: hold("hotcue.1.press"), held: true },
  { words: "Hot cue B", keys: pair("KeyX", "KeyM"), act: hold("hotcue.2.press"), held: true },
  { words: "Hot cue C", keys: pair("KeyC", "Comma"), act: hold("hotcue.3.press"), held: true },
  { words: "Hot cue D", keys: pair("KeyV", "Period"), act: hold("hotcue.4.press"), held: true },
];

const digits = (shift?: true): Key[] => [1, 2, 3, 4, 5, 6, 7, 8].map((digit) => ({ code: `Digit${digit}`, ...(shift && { shift }) }));

const IN_HAND: Line[] = [
  { words: "Play or pause", keys: [{ code: "Space" }], act: on("play") },
  { words: "Back, ahead by 5 s", keys: [{ code: "ArrowLeft" }], act: press("search", -SEEK), repeats: true },
  { words: "", keys: [{ code: "ArrowRight" }], act: press("search", SEEK), repeats: true },
  { words: "By a beat", keys: [{ code: "ArrowLeft", shift: true }], act: press("beatjump", -1), repeats: true },
  { words: "", keys: [{ code: "ArrowRight", shift: true }], act: press("beatjump", 1), repeats: true },
  { words: "By a bar", keys: [{ code: "ArrowLeft", alt: true }], act: press("beatjump", -BAR), repeats: true },
  { words: "", keys: [{ code: "ArrowRight", alt: true }], act: press("beatjump", BAR), repeats: true },
  { words: "Loop in", keys: [{ code: "BracketLeft" }], act: press("loop.in") },
  { words: "Loop out", keys: [{ code: "BracketRight" }], act: press("loop.out") },
  { words: "Loop on or off", keys: [{ code: "Backslash" }], act: on("loop.active") },
  { words: "Slower, faster by 0.1 %", keys: [{ code: "Minus" }], act: (desk, deck) => desk.controls.nudge(`deck.${deck}.pitch`, -PITCH, SOURCE), repeats: true },
  { words: "", keys: [{ code: "Equal" }], act: (desk, deck) => desk.controls.nudge(`deck.${deck}.pitch`, PITCH, SOURCE), repeats: true },
  { words: "Find a song for it", keys: [{ code: "Enter", shift: true }], act: (desk, deck) => openLoad(desk, deck) },
  ...digits().map(({ code }, i): Line => ({ words: i === 0 ? "Hot cues A to H" : "", keys: [{ code }], act: hold(`hotcue.${i + 1}.press`), held: true })),
  ...digits(true).map((key, i): Line => ({ words: i === 0 ? "Clear a hot cue, with undo" : "", keys: [key], act: (desk, deck) => clearCue(desk, deck, i + 1) })),
];

const cross = (by: number): Act => (desk) => desk.controls.nudge("mixer.crossfader", by, SOURCE);
const MIXER: Line[] = [
  { words: "The next deck in hand", keys: [{ code: "Backquote" }], act: (desk) => desk.activate((desk.active % Number(desk.controls.get("mixer.decks"))) + 1) },
  { words: "Crossfader left, right", keys: [{ code: "Digit9" }], act: cross(-CROSS), repeats: true },
  { words: "", keys: [{ code: "Digit0" }], act: cross(CROSS), repeats: true },
  { words: "By a little", keys: [{ code: "Digit9", shift: true }], act: cross(-CROSS * FINE), repeats: true },
  { words: "", keys: [{ code: "Digit0", shift: true }], act: cross(CROSS * FINE), repeats: true },
  { words: "Crossfader to the middle", keys: [{ code: "KeyB" }], act: (desk) => desk.controls.reset("mixer.crossfader", SOURCE) },
];

/** Of the left deck, of the right one, of the deck in hand. */
type Whose = "left" | "right" | "hand";
const signature = (code: string, shift: boolean, alt: boolean) => `${alt ? "alt " : ""}${shift ? "shift " : ""}${code}`;

const TABLE = new Map<string, { line: Line; whose: Whose }>();
for (const line of SIDES) line.keys.forEach((key, i) => enter(key, line, i === 0 ? "left" : "right"));
for (const line of [...IN_HAND, ...MIXER]) for (const key of line.keys) enter(key, line, "hand");

function enter({ code, shift = false, alt = false }: { code: string; shift?: boolean; alt?: boolean }, line: Line, whose: Whose): void {
  TABLE.set(signature(code, shift, alt), { line, whose });
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
  const pressing = key === " " || key === "Enter";
  if (target.closest("[role=grid]")) return key === "Enter" || WALKING.test(key) || (shiftKey && code.startsWith("Digit"));
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
    const { line, whose } = found;
    if (event.repeat && !line.repeats) return;
    const deck = meant(whose, desk.active);
    desk.system.unlock();
    line.act(desk, deck, true);
    // Which deck is in hand may change before the key comes up.
    if (line.held) held.set(event.code, () => line.act(desk, deck, false));
  }) as EventListener, options);
  const release = (code: string) => {
    held.get(code)?.();
    held.delete(code);
  };
  // The window hears a key come up wherever the focus has gone meanwhile.
  addEventListener("keyup", (event) => release(event.code), options);
  addEventListener("blur", () => { for (const code of [...held.keys()]) release(code); }, { signal });
}

const NAMES: Record<string, string> = {
  Semicolon: ";", Comma: ",", Period: ".", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Minus: "−", Equal: "=", Backquote: "`",
  ArrowLeft: "←", ArrowRight: "→",
};

/** What is printed on a key of this keyboard, as far as the browser tells. */
async function printed(): Promise<(code: string) => string> {
  const { keyboard } = navigator as { keyboard?: { getLayoutMap(): Promise<Map<string, string>> } };
  const layout = await keyboard?.getLayoutMap().catch(() => undefined);
  return (code) => (layout?.get(code) ?? NAMES[code] ?? code.replace(/^(Key|Digit)/, "")).toUpperCase().replace("SPACE", "Space").replace("ENTER", "Enter");
}

/** The table of keys, for a dialog. */
export async function keyTable(): Promise<HTMLElement> {
  const name = await printed();
  const keys = ({ code, shift, alt }: Key) => [...(shift ? ["Shift"] : []), ...(alt ? ["Alt"] : []), name(code)].map((text) => h("kbd", {}, text));
  const sides = h(
    "table", {},
    h("thead", {}, h("tr", {}, h("th", {}, "Left deck"), h("th", {}, "Right deck"), h("td"))),
    h("tbody", {}, ...SIDES.map((line) => h("tr", {}, ...line.keys.map((key) => h("td", {}, ...keys(key))), h("th", { scope: "row" }, line.words)))),
  );
  const rows = (lines: Line[]) => {
    const shown: { words: string; keys: Node[] }[] = [];
    for (const line of lines) {
      const mine = line.keys.flatMap(keys);
      // Digits are many: the first and the last say it.
      if (line.words !== "") shown.push({ words: line.words, keys: mine });
      else shown.at(-1)?.keys.push(...mine);
    }
    return shown.map(({ words, keys: all }) => h("tr", {}, h("td", {}, ...(all.length > 6 ? [...all.slice(0, all.length / 8), "to", ...all.slice(-1)] : all)), h("th", { scope: "row" }, words)));
  };
  const single = (title: string, lines: Line[]) => h("section", {}, h("h3", {}, title), h("table", {}, h("tbody", {}, ...rows(lines))));
  return h(
    "div", { class: "sfa-dk-keys" },
    h("section", {}, h("h3", {}, "Both hands"), sides),
    h("div", {},
      single("The deck in hand (the one with the bright edge)", IN_HAND),
      single("Mixer", MIXER),
      h("section", {}, h("h3", {}, "Knobs and faders"), h("p", {}, "Drag or turn the wheel; Shift is fine; double click or Delete puts it back. Arrow keys, Page up and down, Home and End when focused. Tab reaches them all."))),
  );
}
