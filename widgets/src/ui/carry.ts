/** Tracks that are dragged from one part of a page to another, or from a cell to another. */

const TYPE = "application/x-sfa-tracks";

/** Begins a drag of tracks. */
export function carryTracks({ dataTransfer }: DragEvent, ids: readonly string[]): void {
  if (!dataTransfer) return;
  dataTransfer.setData(TYPE, JSON.stringify(ids));
  dataTransfer.effectAllowed = "copy";
}

/** Takes tracks that are dropped on an element, which has the class `is-drop` while they are over it. */
export function takeTracks(element: HTMLElement, take: (ids: string[]) => void, signal: AbortSignal): void {
  // Each element the pointer crosses enters and leaves: it is over the whole while the count is above none.
  let depth = 0;
  const count = (by: number | null) => {
    depth = by === null ? 0 : Math.max(0, depth + by);
    element.classList.toggle("is-drop", depth > 0);
  };
  const on = (type: "dragenter" | "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void) => {
    element.addEventListener(type, (event) => {
      if (event.dataTransfer?.types.includes(TYPE)) act(event);
    }, { signal });
  };
  on("dragenter", (event) => {
    event.preventDefault();
    count(1);
  });
  on("dragover", (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  on("dragleave", () => count(-1));
  on("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    count(null);
    const ids: unknown = JSON.parse(event.dataTransfer?.getData(TYPE) || "[]");
    if (Array.isArray(ids) && ids.length > 0) take(ids.map(String));
  });
}
