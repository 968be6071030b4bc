/** Adding files: the queue, the card that shows how far it is, and what it says at the end. */

import type { Bridge } from "../bridge";
import { describe } from "../bridge";
import { append, h, setText } from "../dom";
import { bytes, plural } from "../format";
import { icon } from "../icons";
import { ALL_STAGES } from "../library/actions";
import { progressBar, setProgress } from "../parts";
import type { Stage } from "../types";
import type { Layer } from "../ui/layer";
import "./adding.css";
import { ACCEPT } from "./files";
import { Uploader } from "./upload";

export interface Uploads {
  /** Resolves when all have been brought in. */
  add(files: Iterable<File>, stages?: Stage[]): Promise<void>;
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

  let failures: (() => void)[] = [];
  let untell: () => void = () => undefined;

  const uploader = new Uploader(bridge, {
    progress(state) {
      card.hidden = state === null;
      if (!state) return;
      const { count, position, sent, size, waiting } = state;
      const all = position === count && sent >= size;
      const several = all ? `Reading ${plural(waiting, "file")}` : `Adding ${position} of ${count}`;
      setText(title, count > 1 ? several : "Adding");
      setText(name, state.name);
      const percent = (sent / Math.max(1, size)) * 100;
      setText(figure, sent >= size ? "Reading…" : `${Math.round(percent)} % of ${bytes(size)}`);
      setProgress(bar, percent);
      cancel.hidden = all;
    },
    failed(file, error, retry) {
      const { message, hint } = describe(error);
      const named = message.startsWith(file) ? message : `${file}: ${message}`;
      // Of a folder full of them one message is enough.
      const all = failures;
      const several = all.push(retry) > 1;
      untell();
      untell = layer.toast("danger", several ? `${all.length} files could not be added. The last: ${named}` : named, {
        hint,
        action: {
          label: several ? "Try all again" : "Try again",
          run() {
            if (failures === all) failures = [];
            for (const again of all) again();
          },
        },
      });
    },
    finished({ added, known, playlists }) {
      failures = [];
      untell = () => undefined;
      const parts = [
        added > 0 && `Added ${plural(added, "track")}.`,
        playlists > 0 && `Added ${plural(playlists, "playlist")}.`,
        known > 0 && (known === 1 ? "1 was in the library already." : `${known} were in the library already.`),
      ].filter((part) => part !== false);
      if (parts.length > 0) layer.toast(added + playlists > 0 ? "ok" : "info", parts.join(" "));
    },
  }, signal);

  cancel.addEventListener("click", () => uploader.cancel());
  picker.addEventListener("change", () => {
    const files = [...(picker.files ?? [])];
    picker.value = ""; // the same file may be chosen again
    if (files.length > 0) void uploader.add(files, ALL_STAGES);
  });
  // Leaving in the middle stops what is on its way: the browser asks.
  window.addEventListener("beforeunload", (event) => {
    if (uploader.busy) event.preventDefault();
  }, { signal });
  return {
    async add(files, stages = ALL_STAGES) {
      const list = [...files];
      if (list.length > 0) await uploader.add(list, stages);
      else layer.toast("info", "There are no songs in this folder.");
    },
    choose: () => picker.click(),
  };
}
