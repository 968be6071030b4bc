/** Elements without markup: text from a catalogue never passes through an HTML parser. */

type Attribute = string | number | boolean | null | undefined;
export type Child = Node | string | null | undefined | false;

/** An element with attributes (`class`, `aria-*`, `data-*`, ...; null and false leave one out) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  append(element, ...children);
  return element;
}

export function append(parent: Node, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  }
}

export function setAttribute(element: Element, name: string, value: Attribute): void {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Sets text only where it differs: a recycled row touches the page as little as it can. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

let counter = 0;

/** An id that is unique in this page, for `aria-labelledby` and the like. */
export function uniqueId(prefix: string): string {
  counter += 1;
  return `sfa-${prefix}-${counter}-${Math.random().toString(36).slice(2, 8)}`;
}
