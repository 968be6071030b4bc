/** The small marks that rows, the inspector and the player share: key chips, stems, energy, progress. */

import { h, setAttribute, setText } from "./dom";
import type { JobStatus } from "./types";

/** Puts a Camelot code into a chip: the hue is the place on the wheel, minor keys are darker. */
export function setKeyChip(chip: HTMLElement, camelot: string | null, key: string | null): void {
  const match = /^(1[0-2]|[1-9])([AB])$/.exec(camelot ?? "");
  chip.classList.toggle("is-unknown", !match);
  setText(chip, match ? (camelot as string) : (key ?? "–"));
  if (match) {
    chip.style.setProperty("--key-hue", String(30 * (Number(match[1]) - 1)));
    chip.style.setProperty("--key-tone", `var(--key-${match[2] === "A" ? "minor" : "major"})`);
  }
  setAttribute(chip, "title", key);
}

export function keyChip(camelot: string | null, key: string | null): HTMLElement {
  const chip = h("span", { class: "sfa-key" });
  setKeyChip(chip, camelot, key);
  return chip;
}

const STEMS: Record<string, string> = {
  vocals: "Vocals", drums: "Drums", bass: "Bass", other: "Other", guitar: "Guitar", piano: "Piano",
  electric_guitar: "Electric guitar", acoustic_guitar: "Acoustic guitar", synthesizer: "Synthesizer", strings: "Strings",
  wind: "Wind", voice: "Voice", music: "Music", lead_vocals: "Lead vocals", back_vocals: "Backing vocals", rest: "Rest",
};

export function stemLabel(name: string): string {
  return STEMS[name] ?? name;
}

/** Stems as a mixer has them, whatever order a model knows them in. */
export function inMixerOrder(names: readonly string[]): string[] {
  const order = Object.keys(STEMS);
  const place = (name: string) => (name in STEMS ? order.indexOf(name) : order.length);
  return [...names].sort((a, b) => place(a) - place(b));
}

export function stemDot(name: string): HTMLElement {
  const dot = h("span", { class: "sfa-stem", title: stemLabel(name), "aria-hidden": "true" }, stemLabel(name).charAt(0));
  if (name in STEMS) dot.style.setProperty("--stem", `var(--stem-${name})`);
  return dot;
}

/** Puts one lettered dot for each stem; rebuilt only when the set changes. */
export function setStems(element: HTMLElement, names: string[]): void {
  const signature = names.join(",");
  if (element.dataset.stems === signature) return;
  element.dataset.stems = signature;
  element.replaceChildren(...names.map(stemDot));
  setAttribute(element, "aria-label", names.length > 0 ? names.map(stemLabel).join(", ") : null);
  setAttribute(element, "role", names.length > 0 ? "img" : null);
}

/** Ten bars of growing height with the figure beside them. */
export function energyMeter(): HTMLElement {
  const bars = h("span", { class: "sfa-energy", "aria-hidden": "true" });
  for (let level = 1; level <= 10; level += 1) {
    const bar = h("i");
    bar.style.height = `${3 + level}px`;
    bars.append(bar);
  }
  return bars;
}

export function setEnergy(meter: HTMLElement, energy: number | null): void {
  const level = energy === null ? 0 : Math.max(0, Math.min(10, Math.round(energy)));
  if (meter.dataset.level === String(level)) return;
  meter.dataset.level = String(level);
  meter.style.setProperty("--energy-tone", `color-mix(in oklch increasing hue, var(--stem-bass), var(--deck-a) ${(level - 1) * 11}%)`);
  for (let i = 0; i < meter.children.length; i += 1) meter.children[i]?.classList.toggle("is-on", i < level);
}

/** A bar for 0 to 100 per cent; the caller shows the figure. */
export function progressBar(label: string): HTMLElement {
  return h("span", {
    class: "sfa-bar", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100,
  }, h("i"));
}

export function setProgress(bar: HTMLElement, percent: number): void {
  const value = Math.max(0, Math.min(100, percent));
  bar.style.setProperty("--value", String(value / 100));
  setAttribute(bar, "aria-valuenow", Math.round(value));
}

const STAGES: Record<string, string> = {
  separate: "Separating",
  analyze: "Analysing",
  autocue: "Setting cues",
};

/** "Separating" for "separate": what a stage is doing. */
export function stageVerb(stage: string | null): string {
  if (stage === null) return "Working";
  return STAGES[stage] ?? stage.charAt(0).toUpperCase() + stage.slice(1);
}

const KINDS: Record<string, string> = {
  separate: "Separate",
  analyze: "Analyse",
  autocue: "Set cues",
  download: "Download",
  export: "Export",
  cleanup: "Clean up",
  cloud: "Ask the service",
  weights: "Get weights",
  webhook: "Call webhook",
  import: "Add files",
  upload: "Add a file",
  scan: "Look through a folder",
  playlist_file: "Read a playlist",
  lookup: "Ask Spotify",
  tools: "Set up a program",
};

export function jobLabel(kind: string): string {
  return KINDS[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1);
}

export function isRunning(status: JobStatus): boolean {
  return status === "processing" || status === "downloading";
}

export function isActive(status: JobStatus): boolean {
  return status === "queued" || isRunning(status);
}

/** A calm tile for a track without a cover; the tone follows from its id, so it stays the same. */
export function tileTone(id: string): string {
  let hash = 2166136261;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619);
  return `oklch(0.5 0.07 ${(hash >>> 0) % 360})`;
}
