/** Marks and lines that the parts of this family share. */

import { describe } from "../bridge";
import { h } from "../dom";
import { drawn, icon, type IconName } from "../icons";

const PATHS = {
  folder: "M2 4.2h4.2l1.4 1.6H14v7H2zM2 5.8h5.6",
  file: "M4 2h5.2L12 4.8V14H4zM9 2v3h3M8 7.2v3.6a1.1 1.1 0 1 1-1-1.1M8 7.2l1.6.7",
  heart: "M8 13.2L2.9 8.3a3.1 3.1 0 0 1 4.4-4.4l.7.7.7-.7a3.1 3.1 0 0 1 4.4 4.4z",
  list: "M2.5 4.5h11M2.5 8h11M2.5 11.5h7",
  person: "M8 2.6a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2M3 13.6c.4-2.6 2.3-4 5-4s4.6 1.4 5 4",
} as const;

export type MarkName = keyof typeof PATHS;

export function mark(name: MarkName): SVGSVGElement {
  return drawn(PATHS[name]);
}

/** What went wrong and what to do, in one line. */
export function why(error: unknown): string {
  const { message, hint } = describe(error);
  return [message, hint].filter(Boolean).join(" ");
}

/** A line that says what went wrong, with a way to try again where there is one. */
export function fault(text: string, retry?: () => void): HTMLElement {
  const line = h("div", { class: "sfa-line sfa-fault", role: "alert" }, h("p", { class: "is-danger" }, icon("alert"), text));
  if (retry) line.append(press("Try again", retry, { icon: "retry" }));
  return line;
}

/** Says what is awaited; not seen where the answer comes at once. */
export function awaiting(text: string): HTMLElement {
  return h("p", { class: "is-dim is-late", role: "status" }, text);
}

/** A button; without a label it is its mark alone, and `says` is what it is called. */
export function press(
  label: string, run: () => void,
  options: { icon?: IconName; mark?: MarkName; primary?: boolean; quiet?: boolean; title?: string; says?: string } = {},
): HTMLButtonElement {
  const kind = `${options.primary ? " is-primary" : options.quiet ? " is-quiet" : ""}${label === "" ? " is-icon" : ""}`;
  const button = h(
    "button", { type: "button", class: `sfa-button${kind}`, title: options.title, "aria-label": options.says },
    options.icon && icon(options.icon), options.mark && mark(options.mark), label !== "" && h("span", {}, label),
  );
  button.addEventListener("click", run);
  return button;
}

/** A question that shows in place of the button that raised it; nothing happens without a second press. */
export function askFirst(button: HTMLButtonElement, question: string, yes: string, no: string, run: () => void): void {
  button.addEventListener("click", () => {
    const stay = press(no, () => {
      line.replaceWith(button);
      button.focus();
    });
    const line = h("span", { class: "sfa-line", role: "group", "aria-label": question }, h("span", {}, question), press(yes, () => {
      line.replaceWith(button);
      run();
    }), stay);
    button.replaceWith(line);
    stay.focus();
  });
}

/** Draws the rows of a list anew; whoever is on a button of one stays there. */
export function redraw(list: HTMLElement, rows: HTMLElement[]): void {
  const places = () => [...list.children].map((row) => [...row.querySelectorAll<HTMLElement>("button, input")]);
  const before = places();
  const row = before.findIndex((controls) => controls.includes(document.activeElement as HTMLElement));
  const place = before[row]?.indexOf(document.activeElement as HTMLElement) ?? -1;
  list.replaceChildren(...rows);
  if (row !== -1) places()[row]?.[place]?.focus({ preventScroll: true });
}
