/** Files dragged over a page: an overlay that says what will happen, then the files. */

import { append, h } from "../dom";
import { icon } from "../icons";
import "./adding.css";
import { droppedFiles } from "./files";

/** `zone` listens, `host` carries the overlay; a folder without songs adds no files. */
export function acceptFiles(
  zone: Window | HTMLElement, host: HTMLElement, add: (files: File[]) => void, signal: AbortSignal,
): void {
  const overlay = h(
    "div", { class: "sfa-drop", hidden: true },
    h("div", {}, icon("upload"), h("p", {}, "Drop songs, folders or playlists to add them to the library")),
  );
  append(host, overlay);
  // Each element the pointer crosses enters and leaves: the overlay goes when the count is back at none.
  let depth = 0;
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const on = (type: "dragenter" | "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void) => {
    zone.addEventListener(type, ((event: DragEvent) => {
      if (hasFiles(event)) act(event);
    }) as EventListener, { signal });
  };
  on("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    overlay.hidden = false;
  });
  on("dragover", (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  on("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (depth === 0) overlay.hidden = true;
  });
  on("drop", (event) => {
    event.preventDefault();
    depth = 0;
    overlay.hidden = true;
    void droppedFiles(event.dataTransfer).then(add);
  });
  signal.addEventListener("abort", () => overlay.remove(), { once: true });
}
