/** The map of keys. */

import { h } from "../dom";

const GROUPS: { title: string; keys: [string[], string][] }[] = [
  {
    title: "Everywhere",
    keys: [
      [["/"], "Search"], [["?"], "This map"], [["Space"], "Play or pause"], [["I"], "Details of the selected track"],
      [["G", "L"], "Library"], [["G", "P"], "Playlists"], [["G", "S"], "Studio"], [["G", "D"], "Decks"], [["G", "J"], "Jobs"], [["G", ","], "Settings"],
    ],
  },
  {
    title: "Library",
    keys: [
      [["↑", "↓"], "Move"], [["Shift", "↑↓"], "Choose a range"], [["Ctrl", "click"], "Add to the choice"],
      [["Ctrl", "A"], "Choose all"], [["Enter"], "Open in Studio"], [["Delete"], "Remove, with undo"],
      [["Shift", "F10"], "Actions"], [["Esc"], "Choose none"], [["Shift", "1 to 4"], "Load to deck A to D"],
    ],
  },
  {
    title: "Playlists",
    keys: [
      [["Alt", "↑↓"], "Move songs"], [["Alt", "Home"], "To the top"], [["Delete"], "Take out, with undo"], [["F2"], "Rename"],
      [["Ctrl", "Z"], "Take a change back"],
    ],
  },
  {
    title: "Jobs",
    keys: [
      [["↑", "↓"], "Move"], [["Enter"], "Details and log"], [["Delete"], "Cancel"], [["R"], "Try again"],
      [["Esc"], "Close the details"],
    ],
  },
  {
    title: "Studio",
    keys: [
      [["←", "→"], "Seek"], [["Shift", "←→"], "By beat"], [["Alt", "←→"], "By bar"], [["1 to 8"], "Hot cues"],
      [["[", "]"], "Loop in, loop out"],
    ],
  },
  {
    title: "Stems, in the Studio",
    keys: [
      [["O"], "The song, or its stems"], [["M", "S"], "Mute, solo"], [["↑", "↓"], "Level"], [["Shift", "←→"], "Pan"],
      [["Delete"], "As it was made"], [["X"], "From the other of two sets"],
    ],
  },
  {
    title: "Analysis, in the Studio",
    keys: [
      [["C"], "Clicks on the beats"], [["T"], "Tone of the key"], [["A", "B"], "Hear one section, or the other"],
      [["Ctrl", "Z"], "Take a correction back"], [["Alt", "click"], "A boundary beside the bars"],
    ],
  },
];

export function keyMap(): HTMLElement {
  return h("div", { class: "sfa-keys" }, ...GROUPS.map(({ title, keys }) => h(
    "section", {}, h("h3", {}, title),
    h("dl", {}, ...keys.flatMap(([names, meaning]) => [
      h("dt", {}, ...names.map((name) => h("kbd", {}, name))), h("dd", {}, meaning),
    ])),
  )));
}
