/** What is chosen in the dialog: an engine, its model, stems and settings; the last choice of each is remembered. */

import type { EngineInfo, EngineModel } from "../types";

const KEY = "sfa.separate";

interface Remembered {
  engine: string | null;
  /** By engine. */
  models: Record<string, string>;
  /** By engine and model; null for the usual ones. */
  stems: Record<string, string[] | null>;
  /** By engine: the settings that are not as usual. */
  settings: Record<string, Record<string, unknown>>;
}

export class Choice {
  #engines: EngineInfo[];
  readonly #kept: Remembered;

  constructor(engines: EngineInfo[], engine?: string) {
    this.#engines = engines;
    this.#kept = recall();
    if (engine !== undefined) this.#kept.engine = engine;
  }

  get engines(): EngineInfo[] {
    return this.#engines;
  }

  /** The same choice among engines that may have become ready meanwhile. */
  set engines(engines: EngineInfo[]) {
    this.#engines = engines;
  }

  /** The chosen engine; at first one that can run here and is no draft, if there is one. */
  get engine(): EngineInfo {
    const chosen = this.#engines.find(({ name }) => name === this.#kept.engine);
    const good = this.#engines.find(({ draft, where, models }) => !draft && where === "here" && models.some(({ ready }) => ready));
    const draft = this.#engines.find((info) => info.draft);
    return (chosen ?? good ?? draft ?? this.#engines[0]) as EngineInfo;
  }

  get model(): EngineModel {
    const { name, models } = this.engine;
    const chosen = models.find((model) => model.name === this.#kept.models[name]);
    return (chosen ?? models.find(({ ready }) => ready) ?? models[0]) as EngineModel;
  }

  /** Those to be made; null for the model's usual ones. */
  get stems(): string[] | null {
    const kept = this.#kept.stems[this.#place];
    const known = Array.isArray(kept) ? this.model.stems.filter((stem) => kept.includes(stem)) : [];
    return known.length > 0 ? known : null;
  }

  /** The stems that are ticked. */
  get ticked(): string[] {
    return this.stems ?? this.model.usual;
  }

  /** Whether what the stems leave of the song becomes one more. */
  get rest(): boolean {
    return !this.model.complete || this.ticked.length < this.model.stems.length;
  }

  /** The settings that are not as usual. */
  get settings(): Record<string, unknown> {
    const { name, settings } = this.engine;
    const kept = this.#kept.settings[name] ?? {};
    return Object.fromEntries(settings
      .filter((setting) => setting.name in kept && kept[setting.name] !== setting.default)
      .map((setting) => [setting.name, kept[setting.name]]));
  }

  chooseEngine(name: string): void {
    this.#kept.engine = name;
  }

  chooseModel(name: string): void {
    this.#kept.models[this.engine.name] = name;
  }

  /** All in the model's order, whoever ticked them first; the usual ones are no choice. */
  chooseStems(stems: string[]): void {
    const { stems: all, usual } = this.model;
    const ordered = all.filter((stem) => stems.includes(stem));
    this.#kept.stems[this.#place] = ordered.join() === usual.join() ? null : ordered;
  }

  set(name: string, value: unknown): void {
    (this.#kept.settings[this.engine.name] ??= {})[name] = value;
  }

  resetSettings(): void {
    delete this.#kept.settings[this.engine.name];
  }

  remember(): void {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#kept));
    } catch {
      // storage is switched off: the choice lasts as long as the dialog
    }
  }

  get #place(): string {
    return `${this.engine.name}/${this.model.name}`;
  }
}

function recall(): Remembered {
  const nothing: Remembered = { engine: null, models: {}, stems: {}, settings: {} };
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof kept === "object" && kept !== null ? { ...nothing, ...kept } : nothing;
  } catch {
    return nothing; // storage is switched off, or somebody else wrote there
  }
}
