/** How good a separation is, in numbers and bars. */

import { h } from "../dom";
import { icon } from "../icons";
import { stemLabel } from "../parts";
import type { QualityReport, StemSet } from "../types";

/** Under this nothing is left of a song, in dB. */
const NOTHING = -120;
/** Leakage louder than this is worth a look, in dB. */
const LEAKY = -12;

/** "−62.0 dB". */
export function level(decibels: number): string {
  return `${decibels < 0 ? "−" : ""}${Math.abs(decibels).toFixed(1)} dB`;
}

/** "sums to the song exactly", "residual −62.0 dB". */
export function residual(report: QualityReport): string {
  return report.residual_db <= NOTHING ? "sums to the song exactly" : `residual ${level(report.residual_db)}`;
}

export function reportView(set: StemSet, report: QualityReport): HTMLElement {
  const names = set.stems.filter((name) => name in report.stems);
  return h(
    "div", { class: "sfa-report" },
    report.residual_db > NOTHING
      ? h("p", {}, `${level(report.residual_db)} `, h("small", {}, "is left of the song when all stems are taken away"))
      : null,
    report.warnings.length > 0
      ? h("ul", {}, ...report.warnings.map((text) => h("li", {}, icon("alert"), text)))
      : null,
    h(
      "table", {},
      h("thead", {}, h("tr", {}, ...["Stem", "Share of the energy", "Level", "Peak", "Leakage, estimated"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...names.map((name) => row(name, report))),
    ),
  );
}

function row(name: string, report: QualityReport): HTMLElement {
  const stem = report.stems[name] as QualityReport["stems"][string];
  const bar = h("span", { class: "sfa-report-share", "aria-hidden": "true" }, h("i"));
  bar.style.setProperty("--value", String(stem.share));
  const leaks = stem.leakage_db === null ? null : `${level(stem.leakage_db)}${stem.leakage_from ? ` from ${stemLabel(stem.leakage_from).toLowerCase()}` : ""}`;
  const element = h(
    "tr", { class: stem.silent ? "is-quiet" : null },
    h("th", { scope: "row" }, h("i", { "aria-hidden": "true" }), stemLabel(name)),
    h("td", {}, bar, `${Math.round(stem.share * 100)} %`),
    h("td", {}, stem.silent ? "silent" : level(stem.level_db)),
    h("td", {}, stem.silent ? "–" : level(stem.peak_db)),
    h("td", { class: stem.leakage_db !== null && stem.leakage_db > LEAKY ? "is-leaky" : null }, leaks ?? "–"),
  );
  element.style.setProperty("--stem", `var(--stem-${name}, var(--dim))`);
  return element;
}
