/** The dialogs come from a bundle of their own: who never separates or exports, never waits for them. */

import { type Bridge } from "../bridge";
import { familyLoader, type Load } from "../dashboard/lazy";
import { Layer } from "../ui/layer";

/** What a dialog needs of the page that opens it. */
export interface DialogHost {
  layer: Layer;
  load: Load;
  signal: AbortSignal;
}

/** A host for a widget whose root is `el`; with a layer of its own, if it has none. */
export function dialogHost(el: HTMLElement, bridge: Bridge, signal: AbortSignal, layer = new Layer(signal)): DialogHost {
  return { layer, load: familyLoader(el, bridge, signal), signal };
}

/** Runs what needs the bundle of the dialogs; says so where it cannot be had. */
export async function withDialogs(host: DialogHost, run: (module: typeof import("./index")) => void): Promise<void> {
  try {
    run(await host.load("dialogs") as typeof import("./index"));
  } catch (error) {
    host.layer.failed(error, () => void withDialogs(host, run));
  }
}
