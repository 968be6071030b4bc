/** Dialogs of the decks that are opened now and then: they come with the session's panels. */

import { h } from "../dom";
import type { Cue } from "../types";
import type { Desk } from "./desk";
import type { Key, Line } from "./keys";
import { CUE_COLOURS, cueColour, cueLetter } from "./waves/source";

/** What the keys do, and how their lines are read. */
export interface KeyLines {
  sides: readonly Line[];
  hand: readonly Line[];
  mixer: readonly Line[];
  parse(keys: string): Key[];
}

/** Shows what the keys do. */
export async function showKeys({ layer }: Desk, lines: KeyLines): Promise<void> {
  layer.dialog("Keys of the decks", await keyTable(lines)).classList.add("is-wide");
}

/** What is printed on a key of this keyboard, as far as the browser tells. */
async function printed(): Promise<(key: Key) => string> {
  const { keyboard } = navigator as { keyboard?: { getLayoutMap(): Promise<Map<string, string>> } };
  const layout = await keyboard?.getLayoutMap().catch(() => undefined);
  return ({ code, print }) => layout?.get(code)?.toUpperCase() ?? print;
}

/** The table of keys, for a dialog. */
async function keyTable({ sides, hand, mixer, parse }: KeyLines): Promise<HTMLElement> {
  const name = await printed();
  const kbd = (text: string) => h("kbd", {}, text);
  const caps = (key: Key) => [key.shift && kbd("Shift"), key.alt && kbd("Alt"), kbd(name(key))];
  const row = (words: string, ...cells: (Node | false | string)[][]) => h("tr", {}, ...cells.map((cell) => h("td", {}, ...cell)), h("th", { scope: "row" }, words));
  const table = (lines: readonly Line[]) => {
    const rows: { words: string; keys: Key[] }[] = [];
    for (const [words, keys] of lines) {
      if (words === "") rows.at(-1)?.keys.push(...parse(keys));
      else rows.push({ words, keys: parse(keys) });
    }
    return h("table", {}, h("tbody", {}, ...rows.map(({ words, keys: [first, last] }) => row(words, [
      ...(first ? caps(first) : []), last?.print === "8" && " to ", ...(last ? caps(last) : []),
    ]))));
  };
  const section = (title: string, ...content: Node[]) => h("section", {}, h("h3", {}, title), ...content);
  return h(
    "div", { class: "sfa-dk-keys" },
    section("Both hands", h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, "Left deck"), h("th", {}, "Right deck"), h("td"))),
      h("tbody", {}, ...sides.map(([words, keys]) => row(words, ...parse(keys).map(caps)))))),
    h("div", {},
      section("The deck in hand (the one with the bright edge)", table(hand)),
      section("Mixer", table(mixer)),
      section("Knobs and faders", h("p", {}, "Drag or turn the wheel; Shift is fine; double click or Delete puts it back. Arrow keys, Page up and down, Home and End when focused. Tab reaches them all.")),
      section("Library", h("p", {}, "Shift with 1 to 4 loads the song under the cursor into deck A to D; Enter into a free one."))),
  );
}

/** Asks for the label and the colour of a hot cue. */
export function editCue(desk: Desk, deck: number, slot: number, cue: Cue): void {
  const input = h("input", { class: "sfa-dk-field", maxlength: 100, "aria-label": "Label", placeholder: "Label", dir: "auto", autocomplete: "off" });
  input.value = cue.label;
  const now = cueColour(cue) ?? CUE_COLOURS[0];
  const name = `cue-${deck}-${slot}`;
  const colours = [...new Set([now, ...CUE_COLOURS])].map((colour) => {
    const radio = h("input", { type: "radio", name, value: colour, "aria-label": colour, checked: colour === now });
    const label = h("label", {}, radio, h("span"));
    label.style.setProperty("--cue", colour);
    return label;
  });
  const save = h("button", { type: "submit", class: "sfa-button is-primary" }, "Save");
  const form = h("form", { class: "sfa-dk-edit" }, input, h("div", { class: "sfa-dk-colours", role: "radiogroup", "aria-label": "Colour" }, ...colours), h("footer", {}, save));
  const dialog = desk.layer.dialog(`Hot cue ${cueLetter(slot)}`, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const color = form.querySelector<HTMLInputElement>("input[type=radio]:checked")?.value ?? now;
    desk.system.setCue(deck, slot, { label: input.value.trim(), color }).then(
      () => dialog.close(), (error: unknown) => desk.layer.failed(error),
    );
  });
  input.focus();
  input.select();
}
