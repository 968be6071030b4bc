/** From a view function to the module that anywidget loads. */

import type { AnyModel } from "@anywidget/types";
import { type Bridge, ModelBridge } from "./bridge";
import "./styles/base.css";
import { followTheme } from "./theme";

/** The synced traits of a widget. */
export interface State {
  get<T>(name: string): T;
  /** Sets a trait and sends it to the kernel. */
  set(name: string, value: unknown): void;
  on(name: string, callback: () => void): () => void;
}

export interface View {
  el: HTMLElement;
  bridge: Bridge;
  state: State;
  signal: AbortSignal;
}

interface RenderProps {
  model: AnyModel;
  el: HTMLElement;
  signal?: AbortSignal;
}

export interface Widget {
  render(props: RenderProps): () => void;
}

/** Wraps `mount` with what every view needs: a themed root, the bridge, and an end. */
export function defineWidget(mount: (view: View) => void): Widget {
  return {
    render({ model, el, signal: hostSignal }) {
      const end = new AbortController();
      hostSignal?.addEventListener("abort", () => end.abort(), { once: true });
      mountRoot(el, end.signal);
      mount({
        el,
        bridge: new ModelBridge(model as never, end.signal),
        state: stateOf(model, end.signal),
        signal: end.signal,
      });
      // Hosts without a signal call this instead.
      return () => end.abort();
    },
  };
}

/** Makes an element a themed root of ours. */
export function mountRoot(el: HTMLElement, signal: AbortSignal): void {
  el.classList.add("sfa");
  // In JupyterLab "d d" deletes the cell: its shortcuts must not run for keys that are meant for us. It looks for
  // this mark on the very element that has the focus.
  el.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLElement) target.dataset.lmSuppressShortcuts = "true";
  }, { signal });
  followTheme(el, signal);
  signal.addEventListener("abort", () => el.replaceChildren(), { once: true });
}

function stateOf(model: AnyModel, signal: AbortSignal): State {
  const state: State = {
    get: (name) => model.get(name),
    set(name, value) {
      model.set(name, value);
      model.save_changes();
    },
    on(name, callback) {
      model.on(`change:${name}`, callback);
      const stop = () => model.off(`change:${name}`, callback);
      signal.addEventListener("abort", stop, { once: true });
      return stop;
    },
  };
  return state;
}
