/** The control table, written out: every control by its id, and the numbers that stand for its values. */

import table from "../../../sfa_kernel/control/controls.json";

export type Kind = "toggle" | "momentary" | "trigger" | "absolute" | "relative" | "enum" | "text" | "meter";
export type Curve = "linear" | "centre" | "octaves" | "decibels";

/** One line of the table; its id may have places in braces. */
interface Line {
  id: string;
  kind: Kind;
  label: string;
  min?: number;
  max?: number;
  default?: number | string;
  /** Where decks differ in it: by the deck's number. */
  defaults?: Record<string, number | string>;
  unit?: string;
  curve?: Curve;
  step?: number;
  values?: string[];
  group?: string;
}

export interface Control {
  /** Its place in `CONTROLS`. */
  readonly index: number;
  readonly id: string;
  /** Its line of the table: "deck.{deck}.play". */
  readonly line: string;
  /** What stands in the braces of its line: { deck: "1" }. */
  readonly keys: Readonly<Record<string, string>>;
  /** 1 to 4; null when it is of no deck. */
  readonly deck: number | null;
  readonly kind: Kind;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  /** A string for an enum or a text. */
  readonly default: number | string;
  readonly unit: string;
  readonly curve: Curve;
  /** Values are multiples of it; 0 for any value. */
  readonly step: number;
  /** Of an enum. */
  readonly values: readonly string[];
  /** "eq", "effects", "layout" or "": what a preset keeps. */
  readonly group: string;
}

/** Of a control that is not in the table, or of a value that it does not take. */
export class ControlError extends Error {
  override readonly name = "ControlError";
}

/** A fader's cubic law (see engine/mixer.ts): dB in ten times its way. */
const DECIBELS = 60;

/** All controls in the order of the table; of those of one line the last braces change fastest. */
export const CONTROLS: readonly Control[] = expand(table.controls as Line[], table.indices);

const BY_ID: ReadonlyMap<string, Control> = new Map(CONTROLS.map((control) => [control.id, control]));

/** The control of this id; a ControlError when there is none. */
export function controlOf(id: string): Control {
  const control = BY_ID.get(id);
  if (control === undefined) throw new ControlError(`There is no control "${id}".`);
  return control;
}

/** Whether there is a control of this id. */
export function isControl(id: string): boolean {
  return BY_ID.has(id);
}

/** Whether a control has a state that can be read back and set again. */
export function holdsState(control: Control): boolean {
  return control.kind !== "trigger" && control.kind !== "relative" && control.kind !== "meter";
}

/**
 * What a control makes of a value: brought into its range, to its steps, to 0 or 1.
 *
 * A ControlError when it is no value of this control at all: another type, no finite number, no member of the enum.
 */
export function clamp(control: Control, value: number | string): number | string {
  const { kind } = control;
  if (kind === "meter") throw new ControlError(`"${control.id}" can only be read.`);
  if (kind === "text") {
    if (typeof value !== "string") throw new ControlError(`"${control.id}" takes a text.`);
    return value;
  }
  if (kind === "enum") {
    if (typeof value === "string" && control.values.includes(value)) return value;
    throw new ControlError(`"${control.id}" is one of ${control.values.join(", ")}.`);
  }
  if (typeof value !== "number" || !Number.isFinite(value)) throw new ControlError(`"${control.id}" takes a number.`);
  if (kind === "toggle" || kind === "momentary") return value >= 0.5 ? 1 : 0;
  const stepped = control.step > 0 ? Math.round(value / control.step) * control.step : value;
  return Math.max(control.min, Math.min(control.max, stepped));
}

/** The number that stands for a value inside the console: of an enum its place, else itself. Clamped. */
export function numberOf(control: Control, value: number | string): number {
  const taken = clamp(control, value);
  if (typeof taken === "number") return taken;
  return control.kind === "enum" ? control.values.indexOf(taken) : 0;
}

/** The value that a number of the console stands for. */
export function valueOf(control: Control, number: number): number | string {
  return control.kind === "enum" ? (control.values[number] as string) : number;
}

/** Where a knob or fader of this control stands, 0 to 1. */
export function knobOf(control: Control, value: number | string): number {
  const number = numberOf(control, value);
  if (control.kind === "enum") return control.values.length > 1 ? number / (control.values.length - 1) : 0;
  const { min, max } = bounds(control);
  if (max <= min) return 0;
  switch (control.curve) {
    case "octaves":
      return Math.log(number / min) / Math.log(max / min);
    case "centre": {
      const middle = control.default as number;
      return number < middle ? (0.5 * (number - min)) / (middle - min) : 0.5 + (0.5 * (number - middle)) / (max - middle);
    }
    case "decibels":
      return number <= min ? 0 : 10 ** ((number - max) / DECIBELS);
    default:
      return (number - min) / (max - min);
  }
}

/** What a knob or fader that stands at 0 to 1 sets the control to. */
export function valueAt(control: Control, knob: number): number | string {
  const at = Math.max(0, Math.min(1, knob));
  if (control.kind === "enum") return control.values[Math.round(at * (control.values.length - 1))] as string;
  const { min, max } = bounds(control);
  return clamp(control, between(control, at, min, max));
}

function between(control: Control, at: number, min: number, max: number): number {
  switch (control.curve) {
    case "octaves":
      return at === 1 ? max : min * (max / min) ** at;
    case "centre": {
      const middle = control.default as number;
      return at < 0.5 ? min + 2 * at * (middle - min) : middle + (2 * at - 1) * (max - middle);
    }
    case "decibels":
      return at === 0 ? min : Math.max(min, max + DECIBELS * Math.log10(at));
    default:
      return min + at * (max - min);
  }
}

function bounds(control: Control): { min: number; max: number } {
  return Number.isFinite(control.min) && Number.isFinite(control.max) ? control : { min: 0, max: 1 };
}

function expand(lines: Line[], indices: Record<string, string[]>): Control[] {
  const controls: Control[] = [];
  for (const line of lines) {
    const places = [...line.id.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
    for (const keys of combinations(places, indices)) {
      controls.push(control(line, keys, controls.length));
    }
  }
  return controls;
}

function combinations(places: string[], indices: Record<string, string[]>): Record<string, string>[] {
  return places.reduce<Record<string, string>[]>(
    (before, place) => before.flatMap((keys) => (indices[place] as string[]).map((key) => ({ ...keys, [place]: key }))),
    [{}],
  );
}

function control(line: Line, keys: Record<string, string>, index: number): Control {
  const fill = (text: string, write: (key: string) => string) =>
    text.replace(/\{(\w+)\}/g, (_, place: string) => write(keys[place] as string));
  const switched = line.kind === "toggle" || line.kind === "momentary";
  return {
    index,
    id: fill(line.id, (key) => key),
    line: line.id,
    keys,
    deck: keys.deck === undefined ? null : Number(keys.deck),
    kind: line.kind,
    label: fill(line.label, (key) => key.replaceAll("_", " ")),
    min: line.min ?? (switched ? 0 : -Infinity),
    max: line.max ?? (switched ? 1 : Infinity),
    default: line.defaults?.[keys.deck ?? ""] ?? line.default ?? (line.kind === "text" ? "" : 0),
    unit: line.unit ?? "",
    curve: line.curve ?? "linear",
    step: line.step ?? 0,
    values: line.values ?? [],
    group: line.group ?? "",
  };
}
