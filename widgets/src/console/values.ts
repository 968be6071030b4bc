/** What all controls are set to, and which of them the host has not been told of. */

import { CONTROLS, controlOf, numberOf, valueOf, type Control } from "./table";

export class Values {
  /** An enum's is its place; a text's is always 0. */
  readonly numbers = Float64Array.from(CONTROLS, (control) => (control.kind === "meter" ? 0 : numberOf(control, control.default)));
  readonly #texts = new Map<number, string>();
  readonly #tell: (control: Control, value: number | string) => void;
  /** Controls that move on their own and are told of now and then only. */
  readonly #moving = new Set<number>();

  constructor(tell: (control: Control, value: number | string) => void) {
    this.#tell = tell;
  }

  get(control: Control): number | string {
    if (control.kind === "text") return this.#texts.get(control.index) ?? "";
    return valueOf(control, this.numbers[control.index] as number);
  }

  setText(control: Control, text: string): void {
    this.#texts.set(control.index, text);
  }

  /** The console's own change: the host is told. */
  put(control: Control, number: number): void {
    if (this.numbers[control.index] === number) return;
    this.numbers[control.index] = number;
    this.repeat(control);
  }

  /** The console's own change of something that goes on changing: the host is told with the next `flush`. */
  move(control: Control, number: number): void {
    if (this.numbers[control.index] === number) return;
    this.numbers[control.index] = number;
    this.#moving.add(control.index);
  }

  /** Tells the host what holds, because it thinks otherwise. */
  repeat(control: Control): void {
    this.#moving.delete(control.index);
    this.#tell(control, this.get(control));
  }

  flush(): void {
    if (this.#moving.size === 0) return;
    for (const index of this.#moving) {
      const control = CONTROLS[index] as Control;
      this.#tell(control, this.get(control));
    }
    this.#moving.clear();
  }
}

/** The values of one deck, by what follows "deck.1." in their ids. */
export class DeckValues {
  readonly #all: Values;
  readonly #controls: ReadonlyMap<string, Control>;

  constructor(all: Values, deck: number) {
    this.#all = all;
    const start = `deck.${deck}.`.length;
    this.#controls = new Map(CONTROLS.filter((control) => control.deck === deck).map((control) => [control.id.slice(start), control]));
  }

  get(name: string): number {
    return this.#all.numbers[this.control(name).index] as number;
  }

  isOn(name: string): boolean {
    return this.get(name) === 1;
  }

  put(name: string, number: number): void {
    this.#all.put(this.control(name), number);
  }

  move(name: string, number: number): void {
    this.#all.move(this.control(name), number);
  }

  repeat(name: string): void {
    this.#all.repeat(this.control(name));
  }

  control(name: string): Control {
    return this.#controls.get(name) ?? controlOf(name);
  }
}
