/** A script as it is edited: rows of texts, and what is wrong with them. */

import { type Control, controlOf, holdsState, isControl } from "../../control/table";
import type { ControlValue, ScriptDocument, ScriptEvent } from "../../types";
import { secondsOf, timeText } from "../parts";

export const COLUMNS = ["time", "deck", "control", "value", "over"] as const;
export type Column = (typeof COLUMNS)[number];
export type Row = Record<Column, string>;

export function rowOf({ time, deck, control, value, over }: ScriptEvent): Row {
  return { time: timeText(time), deck: deck === undefined ? "" : String(deck), control, value: valueText(value), over: over === undefined ? "" : String(over) };
}

function valueText(value: ControlValue): string {
  return typeof value === "number" ? String(Math.round(value * 1e6) / 1e6) : value;
}

/** What is wrong with a cell, in a sentence; null when it is right. */
export function wrong(row: Row, column: Column): string | null {
  const text = row[column].trim();
  switch (column) {
    case "time":
      return secondsOf(text) === null ? "A time is minutes and seconds, such as 1:23.5." : null;
    case "deck":
      return /^[1-4]?$/.test(text) ? null : "A deck is 1 to 4; without one, times count from the beginning.";
    case "control":
      if (!isControl(text)) return text === "" ? "Name a control, such as mixer.crossfader." : `There is no control ${text}.`;
      return controlOf(text).kind === "meter" ? "A meter can only be read." : null;
    case "value":
      return isControl(row.control.trim()) ? wrongValue(controlOf(row.control.trim()), text) : null;
    case "over": {
      if (text === "") return null;
      const seconds = secondsOf(text);
      if (seconds === null) return "So many seconds, such as 2.5.";
      const control = row.control.trim();
      return isControl(control) && controlOf(control).kind !== "absolute" && seconds > 0 ? "This control changes at once." : null;
    }
  }
}

function wrongValue({ kind, values, min, max, unit }: Control, text: string): string | null {
  if (kind === "text") return null;
  if (kind === "enum") return values.includes(text) ? null : `One of ${values.join(", ")}.`;
  const number = numberOf(text);
  if (kind === "toggle" || kind === "momentary") return number === 0 || number === 1 || /^(on|off)$/i.test(text) ? null : "On or off.";
  if (number === null) return "A number.";
  if (number < min || number > max) {
    const range = Number.isFinite(min) && Number.isFinite(max) ? `From ${signed(min)} to ${signed(max)}` : "Another number";
    return `${range}${unit ? ` ${unit}` : ""}.`;
  }
  return null;
}

function signed(value: number): string {
  return String(value).replace("-", "−");
}

function numberOf(text: string): number | null {
  const plain = text.replace("−", "-").replace(",", ".");
  return plain === "" || !Number.isFinite(Number(plain)) ? null : Number(plain);
}

/** The event that a row is; null while something is wrong with it. */
export function eventOf(row: Row): ScriptEvent | null {
  if (COLUMNS.some((column) => wrong(row, column) !== null)) return null;
  const control = controlOf(row.control.trim());
  const text = row.value.trim();
  const switched = control.kind === "toggle" || control.kind === "momentary";
  const value = control.kind === "text" || control.kind === "enum" ? text
    : switched && /^on$/i.test(text) ? 1 : switched && /^off$/i.test(text) ? 0 : numberOf(text) as number;
  const over = row.over.trim() === "" ? null : secondsOf(row.over);
  const deck = row.deck.trim();
  return {
    time: secondsOf(row.time) as number, control: control.id, value,
    ...(over !== null && over > 0 && { over }), ...(deck !== "" && { deck: Number(deck) }),
  };
}

/** What stands for a value that a new row of a control begins with. */
export function usualValue(id: string): string {
  if (!isControl(id)) return "";
  const control = controlOf(id);
  return holdsState(control) ? valueText(control.default) : "1";
}

/** In order of time; an event that waits for a place in a song stays behind the one that it follows. */
export function sorted(events: readonly ScriptEvent[]): ScriptEvent[] {
  const groups: { time: number; events: ScriptEvent[] }[] = [];
  for (const event of events) {
    const last = groups.at(-1);
    if (event.deck === undefined) groups.push({ time: event.time, events: [event] });
    else if (last) last.events.push(event);
    else groups.push({ time: 0, events: [event] });
  }
  return groups.sort((a, b) => a.time - b.time).flatMap((group) => group.events);
}

/** The script with other events; it lasts until all of them have happened. */
export function edited(document: ScriptDocument, events: readonly ScriptEvent[]): ScriptDocument {
  const last = Math.max(0, ...events.filter(({ deck }) => deck === undefined).map(({ time, over = 0 }) => time + over));
  return { ...document, events: sorted(events), duration: Math.max(document.duration, last) };
}
