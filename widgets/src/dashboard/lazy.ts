/** Parts of the page that come from the kernel when they are wanted: what nobody opens, nobody waits for. */

import { type Bridge, BridgeError, describe, isAbort } from "../bridge";
import { h } from "../dom";
import { icon } from "../icons";

/** Resolves with the module of a widget family; its styles are in the page by then. */
export type Load = (family: string) => Promise<unknown>;

/** Loads families into a themed root; each is fetched once, and again after a failure. */
export function familyLoader(el: HTMLElement, bridge: Bridge, signal: AbortSignal): Load {
  const loaded = new Map<string, Promise<unknown>>();
  return (family) => {
    let module = loaded.get(family);
    if (!module) {
      loaded.set(family, (module = load(el, bridge, family, signal)));
      module.catch(() => loaded.delete(family));
    }
    return module;
  };
}

async function load(el: HTMLElement, bridge: Bridge, family: string, signal: AbortSignal): Promise<unknown> {
  const { result, buffers } = await bridge.request("widget.bundle", { family }, { signal });
  const [bytes] = buffers;
  if (!bytes) throw new BridgeError("The kernel sent nothing for this part of the page.", "Reload the page.");
  const module = await importCode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice());
  el.prepend(h("style", {}, result.css));
  return module;
}

/** Runs code as a module of this page. */
export async function importCode(code: BlobPart): Promise<unknown> {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return await import(/* @vite-ignore */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Shows that a part is on its way, then what `mount` makes of its module; a failure says why, with a way to try again.
 * Resolves when the part is there, however often it took.
 */
export function mountLater<T>(
  host: HTMLElement, name: string, module: () => Promise<unknown>, mount: (module: unknown) => T,
): Promise<T> {
  return new Promise((resolve) => {
    const attempt = async () => {
      const state = h("div", { class: "sfa-state" }, h("p", { class: "is-dim is-late", role: "status" }, `Loading ${name}…`));
      host.replaceChildren(state);
      try {
        const arrived = await module();
        state.remove();
        resolve(mount(arrived));
      } catch (error) {
        if (isAbort(error)) return;
        const { message, hint } = describe(error);
        const again = h("button", { type: "button", class: "sfa-button" }, icon("retry"), "Try again");
        again.addEventListener("click", () => void attempt());
        host.replaceChildren(h(
          "div", { class: "sfa-state", role: "alert" },
          icon("alert"), h("p", {}, `Could not load ${name}. ${message}`), hint && h("p", { class: "is-dim" }, hint), again,
        ));
      }
    };
    void attempt();
  });
}
