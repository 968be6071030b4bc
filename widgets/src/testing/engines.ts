/** Engines for tests. */

import type { EngineInfo, EngineModel } from "../types";

export function engineModel(name: string, changes: Partial<EngineModel> = {}): EngineModel {
  const stems = changes.stems ?? ["drums", "bass", "other", "vocals"];
  return {
    name, label: name, description: `What to expect of ${name}.`, stems, usual: stems, complete: true,
    ready: true, reason: "", fetch_bytes: null, notice: "", ...changes,
  };
}

const NEW = { ready: false, reason: "Its weights are not on this machine.", notice: "Only for scientific purposes." };

/** Built in; one model ready, one to be fetched; a service, with its key or without. */
export function engines({ key = true, weights = true } = {}): EngineInfo[] {
  const base = { description: "", draft: false, where: "here" as const, credential: null, service: null, settings: [] };
  const cloud = key ? {} : { ready: false, reason: "There is no key." };
  return [
    { ...base, name: "draft", label: "Draft (no AI)", draft: true, models: [engineModel("", { label: "" })] },
    {
      ...base, name: "demucs", label: "Demucs",
      models: [
        engineModel("htdemucs", weights ? {} : { ...NEW, fetch_bytes: 84_000_000 }),
        engineModel("htdemucs_ft", { ...NEW, fetch_bytes: 336_000_000 }),
      ],
      settings: [{
        name: "overlap", label: "Overlap", description: "", kind: "number", default: 0.25, choices: [], minimum: 0, maximum: 0.9,
      }],
    },
    {
      ...base, name: "lalal", label: "lalal.ai", where: "cloud", credential: "lalal", service: "lalal",
      models: [engineModel("auto", { stems: ["vocals", "drums", "piano"], usual: ["vocals"], complete: false, ...cloud })],
    },
  ];
}
