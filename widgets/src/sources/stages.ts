/** What is done with songs once they are here; what was chosen last is chosen again. */

import { h } from "../dom";
import { ALL_STAGES } from "../library/actions";
import type { Stage } from "../types";

const KEY = "sfa.import.stages";
const LABELS: Record<Stage, string> = { separate: "Separate stems", analyze: "Analyse", autocue: "Set cues" };

export class StageChoice {
  readonly element = h("fieldset", { class: "sfa-stages" }, h("legend", {}, "Then"));
  readonly #boxes = new Map<Stage, HTMLInputElement>();

  constructor() {
    const kept = rememberedStages();
    for (const stage of ALL_STAGES) {
      const box = h("input", { type: "checkbox" });
      box.checked = kept.includes(stage);
      box.addEventListener("change", () => this.#changed());
      this.#boxes.set(stage, box);
      this.element.append(h("label", { class: "sfa-check" }, box, h("span", {}, LABELS[stage])));
    }
    this.#bind();
  }

  get stages(): Stage[] {
    return ALL_STAGES.filter((stage) => this.#boxes.get(stage)?.checked === true);
  }

  #changed(): void {
    this.#bind();
    try {
      localStorage.setItem(KEY, JSON.stringify(this.stages));
    } catch {
      // storage is switched off: the choice lasts as long as the dialog
    }
  }

  /** Cues are found in an analysis. */
  #bind(): void {
    const [analyze, autocue] = [this.#boxes.get("analyze"), this.#boxes.get("autocue")];
    if (!analyze || !autocue) return;
    autocue.disabled = !analyze.checked;
    if (autocue.disabled) autocue.checked = false;
  }
}

export function rememberedStages(): Stage[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return Array.isArray(kept) ? ALL_STAGES.filter((stage) => kept.includes(stage)) : ALL_STAGES;
  } catch {
    return ALL_STAGES; // storage is switched off, or somebody else wrote there
  }
}
