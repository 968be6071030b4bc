/** A canvas that fills its host at the screen's own resolution, with the theme's colours. */

import { h } from "../dom";
import type { Rgb } from "./raster";

export class Surface {
  readonly host: HTMLElement;
  readonly canvas = h("canvas", { class: "sfa-canvas", "aria-hidden": "true" });
  readonly context: CanvasRenderingContext2D | null;
  /** CSS pixels; 0 while the host is hidden. */
  width = 0;
  height = 0;
  /** Device pixels in one CSS pixel. */
  ratio = 1;
  readonly #changed: () => void;
  readonly #themes: MutationObserver;
  #themed: Element | null = null;
  #styles: CSSStyleDeclaration | null = null;
  readonly #colours = new Map<string, string>();

  /** `changed` is called when size, resolution or theme are no longer what was drawn. */
  constructor(host: HTMLElement, changed: () => void, signal: AbortSignal) {
    this.host = host;
    this.#changed = changed;
    // Out of the flow whatever the styles: a canvas that sized its host would grow with it for ever.
    this.canvas.style.position = "absolute";
    host.append(this.canvas);
    this.context = this.canvas.getContext("2d");
    const sizes = new ResizeObserver(() => this.measure());
    sizes.observe(host);
    this.#themes = new MutationObserver(() => {
      this.#styles = null;
      this.#colours.clear();
      changed();
    });
    // A window that moves to another screen changes the ratio, not the size.
    addEventListener("resize", () => this.measure(), { signal });
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      this.#themes.disconnect();
      this.canvas.remove();
    }, { once: true });
    this.measure();
  }

  get visible(): boolean {
    return this.context !== null && this.width > 0 && this.height > 0;
  }

  measure(): void {
    // A host may be made before it comes into the page: it is measured again when it does.
    const root = this.host.closest(".sfa");
    if (root && root !== this.#themed) {
      this.#themes.disconnect();
      this.#themes.observe(root, { attributeFilter: ["data-theme", "class", "style"] });
      this.#themed = root;
    }
    const width = this.host.clientWidth;
    const height = this.host.clientHeight;
    const ratio = Math.min(4, globalThis.devicePixelRatio || 1);
    if (width === this.width && height === this.height && ratio === this.ratio) return;
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.#changed();
  }

  /** A colour of the theme, as a canvas takes it. */
  colour(name: string): string {
    let colour = this.#colours.get(name);
    if (colour === undefined) {
      this.#styles ??= getComputedStyle(this.host);
      colour = this.#styles.getPropertyValue(name).trim() || "#888888";
      this.#colours.set(name, colour);
    }
    return colour;
  }

  rgb(name: string): Rgb {
    return parseHex(this.colour(name));
  }

  /** A font of the page's family at a size of the scale. */
  font(size: number, weight = 500): string {
    return `${weight} ${size}px ${this.colour("--font")}`;
  }
}

/** "#rgb" or "#rrggbb"; what is neither is grey. */
export function parseHex(colour: string): Rgb {
  const match = /^#(?:([0-9a-f]{3})|([0-9a-f]{6}))$/i.exec(colour.trim());
  const digits = match?.[2] ?? [...(match?.[1] ?? "888")].map((digit) => digit + digit).join("");
  const part = (at: number) => Number.parseInt(digits.slice(at, at + 2), 16);
  return [part(0), part(2), part(4)];
}
