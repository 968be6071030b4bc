/** Adding files: the queue, the card that shows how far it is, and what it says at the end. */

import type { Bridge } from "../bridge";
import { describe, isAbort } from "../bridge";
import { append, h, setText } from "../dom";
import { bytes, plural } from "../format";
import { icon } from "../icons";
import { ALL_STAGES } from "../library/actions";
import { progressBar, setProgress } from "../parts";
import type { Layer } from "../ui/layer";
import "./adding.css";
import { ACCEPT, Uploader } from "./upload";

export interface Uploads {
  add(files: Iterable<File>): Promise<void>;
  /** Opens the browser's file chooser. */
  choose(): void;
}

export function mountUploads(host: HTMLElement, bridge: Bridge, layer: Layer, signal: AbortSignal): Uploads {
  const title = h("span", { class: "sfa-upload-title" });
  const name = h("span", { class: "sfa-upload-name", dir: "auto" });
  const figure = h("span", { class: "sfa-upload-figure" });
  const bar = progressBar("Upload");
  const cancel = h(
    "button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": "Cancel the upload" }, icon("close"),
  );
  const card = h(
    "div", { class: "sfa-upload", role: "status", hidden: true },
    icon("upload"), h("div", {}, h("p", {}, title, figure), name, bar), cancel,
  );
  const picker = h("input", {
    type: "file", multiple: true, accept: ACCEPT, hidden: true, "aria-label": "Songs to add", tabindex: -1,
  });
  append(host, card, picker);

  const uploader = new Uploader(bridge, ALL_STAGES, {
    progress(state) {
      card.hidden = state === null;
      if (!state) return;
      setText(title, state.count > 1 ? `Adding ${state.position} of ${state.count}` : "Adding");
      setText(name, state.name);
      const percent = (state.sent / Math.max(1, state.size)) * 100;
      const sent = `${Math.round(percent)} % of ${bytes(state.size)}`;
      setText(figure, state.sent >= state.size ? "Reading…" : sent);
      setProgress(bar, percent);
    },
    added() {
      // the row appears in the library by itself
    },
    failed(file, error, retry) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      layer.toast("danger", `${file}: ${message}`, { hint, action: { label: "Try again", run: retry } });
    },
    finished(added, known) {
      const parts = [
        added > 0 && `Added ${plural(added, "track")}.`,
        known > 0 && (known === 1 ? "1 was in the library already." : `${known} were in the library already.`),
      ].filter((part) => part !== false);
      if (parts.length > 0) layer.toast(added > 0 ? "ok" : "info", parts.join(" "));
    },
  }, signal);

  cancel.addEventListener("click", () => uploader.cancel());
  picker.addEventListener("change", () => {
    const files = [...(picker.files ?? [])];
    picker.value = ""; // the same file may be chosen again
    if (files.length > 0) void uploader.add(files);
  });
  // Leaving in the middle loses the file under way: the browser asks.
  window.addEventListener("beforeunload", (event) => {
    if (uploader.busy) event.preventDefault();
  }, { signal });
  return {
    add: (files) => uploader.add(files),
    choose: () => picker.click(),
  };
}
