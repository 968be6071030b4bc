/** What the ways of bringing songs in have in common. */

import type { Uploads } from "../adding/uploads";
import type { Bridge } from "../bridge";
import type { Stage } from "../types";
import type { Layer } from "../ui/layer";

export type Tab = "files" | "link" | "folder" | "spotify";

/** Work that was begun. */
export interface Started {
  /** What is brought in, as people call it. */
  title: string;
  batches: string[];
  /** Jobs that are in no batch. */
  jobs: string[];
}

/** What a press on the button does now. */
export interface Action {
  label: string;
  /** Whether songs may come that the stages are for. */
  stages: boolean;
  /** Null where there is nothing left to watch here. */
  run(stages: Stage[]): Promise<Started | null>;
}

export interface Context {
  bridge: Bridge;
  signal: AbortSignal;
  layer: Layer;
  uploads: Uploads;
  /** What the button does is another thing now. */
  changed(): void;
  /** Shows another way. */
  go(tab: Tab, text?: string): void;
}

export interface Part {
  readonly element: HTMLElement;
  readonly action: Action | null;
  /** It has come into sight. */
  seen(): void;
  /** Somebody came here to use it. */
  focus(): void;
}

/** Work in one batch, or in none. */
export function started(title: string, { jobs, batch }: { jobs: string[]; batch: string | null }): Started {
  return batch === null ? { title, batches: [], jobs } : { title, batches: [batch], jobs: [] };
}
