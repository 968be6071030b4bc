/** Line icons on a grid of 16, drawn for this project. */

const PATHS = {
  library: "M2.5 3.5h7M2.5 7.5h7M2.5 11.5h4M12 3v7.2M12 3l2 1.2M12 10.9a1.6 1.6 0 1 1-3.2 0 1.6 1.6 0 0 1 3.2 0",
  studio: "M1.5 8h1.2M4.5 5v6M7 2.5v11M9.5 5.5v5M12 4v8M14.5 7v2",
  playlists: "M2.5 3.5h11M2.5 7.5h6.5M2.5 11.5h4.5M10 7.6v5.8l4.2-2.9z",
  smart: "M7 2.5c.5 3.4 1.6 4.5 5 5-3.4.5-4.5 1.6-5 5-.5-3.4-1.6-4.5-5-5 3.4-.5 4.5-1.6 5-5M12.5 10.5c.2 1.4.6 1.8 2 2-1.4.2-1.8.6-2 2-.2-1.4-.6-1.8-2-2 1.4-.2 1.8-.6 2-2",
  pencil: "M3 13l.6-2.8 7-7a1.4 1.4 0 0 1 2.2 2.2l-7 7zM9.6 4.2l2.2 2.2",
  jobs: "M2.5 4h11M2.5 8h7M2.5 12h4M12 10.5l1.6 1.6L12 13.7",
  settings: "M2 4.5h6M11.5 4.5H14M2 11.5h2.5M8 11.5h6M9.7 4.5m-1.8 0a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 1 0-3.6 0M6.3 11.5m-1.8 0a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 1 0-3.6 0",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4l3.1 3.1",
  plus: "M8 3v10M3 8h10",
  bell: "M4.2 7a3.8 3.8 0 0 1 7.6 0c0 3 1.2 4 1.2 4H3s1.2-1 1.2-4M6.8 13.2a1.3 1.3 0 0 0 2.4 0",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5l3.2 3.2L13 4.8",
  alert: "M8 2.2l6 10.8H2zM8 6.4v3M8 11.3v.2",
  info: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 7.4v3.4M8 5v.2",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.8V8l2.3 1.6",
  link: "M6.5 9.5l3-3M7.5 4.8l1.3-1.3a2.6 2.6 0 0 1 3.7 3.7l-1.3 1.3M8.5 11.2l-1.3 1.3a2.6 2.6 0 0 1-3.7-3.7l1.3-1.3",
  broom: "M9.5 2.5l-2 5M4.5 8.5c1.5-1.5 4-1.5 6 0l1 5h-9zM6 13.5v-2M8.7 13.5v-2",
  retry: "M13 8a5 5 0 1 1-1.6-3.7M13.2 2.2v2.9h-2.9",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.2 4.5l.6 8.5h6.4l.6-8.5",
  cue: "M4 13.8V2.4M4 2.9h8l-2.2 2.9L12 8.7H4",
  open: "M3 3.5h10v9H3zM6.6 5.8v4.4L10 8z",
  split: "M2 8h3.5M5.5 8c2 0 2-4 4-4H14M5.5 8c2 0 2 4 4 4H14M5.5 8H14",
  analyze: "M2 12.5h12M4 12.5V9M7 12.5v-7M10 12.5V8M13 12.5v-9",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  keyboard: "M1.8 4.2h12.4v7.6H1.8zM4.2 6.6h.01M6.7 6.6h.01M9.3 6.6h.01M11.8 6.6h.01M5 9.4h6",
  up: "M4.5 9.5L8 6l3.5 3.5",
  down: "M4.5 6.5L8 10l3.5-3.5",
  download: "M8 3v7.5M5 7.8L8 10.8l3-3M2.8 10.5v2.7h10.4v-2.7",
  upload: "M8 10.5V3M5 5.8L8 3l3 2.8M2.8 10.5v2.7h10.4v-2.7",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1",
  moon: "M13 9.6A5.5 5.5 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6",
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 2v12M8 5l4.6 0M8 8h6M8 11h4.6",
  disc: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 6.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2",
  volume: "M2.5 6.2v3.6h2.4L8 12.5v-9L4.9 6.2zM10.4 6a2.8 2.8 0 0 1 0 4M12 4.2a5.3 5.3 0 0 1 0 7.6",
} as const;

const SOLID = {
  play: "M4.5 2.6v10.8L13.4 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
} as const;

export type IconName = keyof typeof PATHS | keyof typeof SOLID;

const NS = "http://www.w3.org/2000/svg";

/** A decorative icon: the control around it carries the label. */
export function icon(name: IconName): SVGSVGElement {
  return name in SOLID
    ? drawn(SOLID[name as keyof typeof SOLID], "sfa-icon is-solid")
    : drawn(PATHS[name as keyof typeof PATHS]);
}

/** An icon from its path, on a grid of 16. */
export function drawn(d: string, className = "sfa-icon"): SVGSVGElement {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", d);
  svg.appendChild(path);
  return svg;
}
