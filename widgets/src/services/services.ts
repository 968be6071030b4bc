/** Settings of what separates songs: the learned models on this machine, and the cloud services with their keys. */

import { type Bridge, describe, isAbort } from "../bridge";
import { append, h } from "../dom";
import { bytes } from "../format";
import { icon } from "../icons";
import type { EngineInfo, WeightsRow, WeightsStatus } from "../types";
import { KeyForm } from "./key";
import { Quota } from "./quota";
import "../dialogs/dialogs.css";
import "./services.css";
import { FetchWeights } from "./weights";

export interface ServicesHandle {
  /** Look again. */
  refresh(): void;
}

export function mountServices(el: HTMLElement, bridge: Bridge, { signal }: { signal: AbortSignal }): ServicesHandle {
  const models = h("div", { class: "sfa-models" }, h("p", { class: "is-dim is-late" }, "Looking at the models…"));
  const clouds = h("div", { class: "sfa-clouds" });
  const verify = h("button", { type: "button", class: "sfa-button", title: "Read every byte again" }, icon("check"), "Verify");
  append(
    el,
    h("section", {}, h("header", {}, h("h3", {}, "Models on this machine"), verify), models),
    clouds,
  );

  const show = (status: WeightsStatus) => {
    models.replaceChildren(
      h("ul", {}, ...status.models.map((row) => modelRow(bridge, signal, row, status.notice, () => void look("weights.status")))),
      h("p", { class: "is-fine" }, "They are kept in ", h("code", {}, status.folder), ". Without a network, bring them there by ", h("code", {}, "sfa weights import FOLDER"), "."),
    );
    verify.hidden = status.models.every(({ state }) => state === "missing");
  };
  const look = async (method: "weights.status" | "weights.verify") => {
    verify.disabled = true;
    verify.lastChild?.replaceWith(method === "weights.verify" ? "Verifying…" : "Verify");
    try {
      const { result } = await bridge.request(method, {}, { signal, timeoutMs: 300_000 });
      show(result);
      if (method === "weights.verify") verify.lastChild?.replaceWith("Verified");
    } catch (error) {
      if (isAbort(error)) return;
      const { message, hint } = describe(error);
      models.replaceChildren(h("p", { class: "is-danger", role: "alert" }, icon("alert"), [message, hint].filter(Boolean).join(" ")));
      verify.lastChild?.replaceWith("Verify");
    } finally {
      verify.disabled = false;
    }
  };
  verify.addEventListener("click", () => void look("weights.verify"));

  const lookAtClouds = async () => {
    try {
      const { result } = await bridge.request("separation.engines", {}, { signal });
      clouds.replaceChildren(...result.engines.filter(({ credential }) => credential !== null).map((engine) => cloud(bridge, signal, engine)));
    } catch (error) {
      if (!isAbort(error)) clouds.replaceChildren();
    }
  };
  void lookAtClouds();
  void look("weights.status");
  return {
    refresh() {
      // What a person is at work on stays as it is.
      if (models.querySelector(".sfa-weights") === null) void look("weights.status");
    },
  };
}

const STATES: Record<WeightsRow["state"], { said: string; mark: "check" | "alert" | "download" }> = {
  ready: { said: "Ready", mark: "check" },
  missing: { said: "Not here", mark: "download" },
  damaged: { said: "Damaged", mark: "alert" },
};

function modelRow(bridge: Bridge, signal: AbortSignal, row: WeightsRow, notice: string, done: () => void): HTMLElement {
  const { said, mark } = STATES[row.state];
  const get = h(
    "button", { type: "button", class: "sfa-button", "aria-expanded": "false", "aria-label": `Get ${row.label}` },
    icon("download"), row.state === "damaged" ? "Get again…" : "Get…",
  );
  const item = h(
    "li", { "data-state": row.state },
    h(
      "div", { class: "sfa-model-line" },
      h("strong", {}, row.label, h("small", {}, row.model)),
      h("span", { class: "sfa-model-state" }, icon(mark), said),
      h("span", { class: "is-dim" }, bytes(row.bytes)),
      row.state === "ready" ? null : get,
    ),
    h("p", { class: "is-fine" }, row.reason || row.description),
  );
  get.addEventListener("click", () => {
    get.hidden = true;
    const fetching = new FetchWeights(bridge, { signal, model: row.model, label: row.label, bytes: row.bytes, notice, done });
    append(item, fetching.element);
    fetching.element.querySelector("input")?.focus();
  });
  return item;
}

function cloud(bridge: Bridge, signal: AbortSignal, engine: EngineInfo): HTMLElement {
  const quota = new Quota(bridge, { signal });
  quota.element.hidden = !engine.models.some(({ ready }) => ready);
  const key = new KeyForm(bridge, {
    signal,
    name: engine.credential as string,
    changed(present) {
      quota.element.hidden = !present;
      if (present) void quota.refresh(); // tells at once whether the key is a good one
    },
  });
  return h("section", {}, h("h3", {}, engine.label), h("p", {}, engine.description), key.element, quota.element);
}
