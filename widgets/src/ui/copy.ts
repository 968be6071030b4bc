/** Puts text into the clipboard, also where the page is no secure context and has no clipboard of its own. */

import { h } from "../dom";

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const before = document.activeElement;
    const field = h("textarea", { class: "sfa-sr", "aria-hidden": "true", tabindex: -1 });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand?.("copy") ?? false;
    field.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    return done;
  }
}

/** A quiet button that copies what `text` returns, and says so. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const button = h("button", { type: "button", class: "sfa-button is-quiet" }, label);
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", () => {
    void copyText(text()).then((done) => {
      clearTimeout(timer);
      button.textContent = done ? "Copied" : "Could not copy";
      timer = setTimeout(() => { button.textContent = label; }, 1500);
    });
  });
  return button;
}
