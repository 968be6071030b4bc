/** Opens the dialog that writes stems and analyses as files to take away. */

import type { Bridge } from "../bridge";
import { type DialogHost, withDialogs } from "../dialogs/host";
import type { StemSet } from "../types";

export interface ExportOptions {
  ids: string[];
  /** Not the stems in use but these. */
  set?: Pick<StemSet, "id" | "badge" | "stems">;
}

export function openExport(bridge: Bridge, host: DialogHost, options: ExportOptions): Promise<void> {
  return withDialogs(host, (dialogs) => dialogs.exportDialog(bridge, host, options));
}
