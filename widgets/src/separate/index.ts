/** Opens the dialog that separates songs into stems. */

import type { Bridge } from "../bridge";
import { type DialogHost, withDialogs } from "../dialogs/host";

export { type DialogHost, dialogHost } from "../dialogs/host";

export interface SeparateOptions {
  ids: string[];
  /** The range to preview [s]: the dialog offers it instead of the whole song. */
  region?: [number, number] | null;
  /** The engine that is chosen at first. */
  engine?: string;
}

export function openSeparate(bridge: Bridge, host: DialogHost, options: SeparateOptions): Promise<void> {
  return withDialogs(host, (dialogs) => dialogs.separateDialog(bridge, host, options));
}
