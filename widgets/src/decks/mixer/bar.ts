/** The bar on top: what is shown, and what leaves the mixer: master, recording, headphones. */

import { describe } from "../../bridge";
import { h, setAttribute, setText, uniqueId } from "../../dom";
import { duration } from "../../format";
import { icon } from "../../icons";
import type { MenuItem } from "../../ui/layer";
import { type Desk, SOURCE } from "../desk";
import { toggle } from "../parts/button";
import { knob } from "../parts/knob";
import { LevelMeter } from "../waves/index";

export function bar(desk: Desk, showKeys: () => void, session: HTMLElement): HTMLElement {
  const keys = h("button", { type: "button", class: "sfa-button is-quiet is-icon", "aria-label": "Keys", title: "The keys of the decks (?)" }, icon("keyboard"));
  keys.addEventListener("click", showKeys);
  return h(
    "header", { class: "sfa-dk-bar" },
    deckCount(desk),
    h("div", { class: "sfa-dk-joined", role: "group", "aria-label": "What is shown" },
      toggle(desk, "view.mixer", { face: ["Mixer"], className: "is-small" }),
      toggle(desk, "view.effects", { face: ["FX"], label: "Effects shown", className: "is-small" }),
      toggle(desk, "view.stems", { face: ["Stem waves"], className: "is-small", title: "Draws each stem's waveform" })),
    session,
    keys,
    h("span", { class: "sfa-dk-space" }),
    record(desk),
    master(desk),
    headphones(desk),
  );
}

function deckCount({ controls, signal }: Desk): HTMLElement {
  const name = uniqueId("decks");
  const radios = ["2", "4"].map((value) => {
    const radio = h("input", { type: "radio", name, value });
    radio.addEventListener("change", () => controls.set("mixer.decks", value, SOURCE));
    return radio;
  });
  const show = () => { for (const radio of radios) radio.checked = radio.value === controls.get("mixer.decks"); };
  controls.on("mixer.decks", show, signal);
  show();
  return h("div", { class: "sfa-dk-modes", role: "radiogroup", "aria-label": "Decks" },
    ...radios.map((radio) => h("label", { title: `${radio.value} decks` }, radio, h("span", {}, `${radio.value} decks`))));
}

function master(desk: Desk): HTMLElement {
  const { clock, signal, system } = desk;
  const meter = h("div", { class: "sfa-dk-meter" });
  const peak = h("output", { class: "sfa-dk-peak", title: "True peak of what leaves the mixer", "aria-label": "True peak" });
  const limiter = toggle(desk, "mixer.limiter", { face: ["Limit"], title: "Limiter: what leaves the mixer stays under full scale", className: "is-small sfa-dk-limiter" });
  new LevelMeter(meter, { clock, signal, label: "Master level", read: () => system.levels });
  let shownAt = 0;
  let most = 0;
  clock.subscribe((now) => {
    const { peak: level, reduction } = system.levels;
    most = Math.max(most, level);
    // Figures that change with every frame cannot be read.
    if (now - shownAt < 250) return;
    shownAt = now;
    setText(peak, most > 1e-4 ? `${(20 * Math.log10(most)).toFixed(1).replace("-", "−")} dB` : "−∞ dB");
    peak.classList.toggle("is-over", most > 1);
    limiter.classList.toggle("is-working", reduction < 0.99);
    most = 0;
  }, signal);
  return h("div", { class: "sfa-dk-out", role: "group", "aria-label": "Master" }, limiter, meter, peak, knob(desk, "mixer.master", { text: "Master", className: "is-small" }));
}

function record(desk: Desk): HTMLElement {
  const { clock, layer, signal, system } = desk;
  const time = h("span");
  const button = toggle(desk, "mixer.record", { face: [h("i", { "aria-hidden": "true" }), time], label: "Record the master", className: "is-small sfa-dk-record" });
  const formats = h("button", { type: "button", class: "sfa-dk-button is-small is-icon", "aria-label": "Format of the recording", "aria-haspopup": "menu" }, icon("down"));
  formats.addEventListener("click", () => {
    const box = formats.getBoundingClientRect();
    const item = (format: "wav" | "flac", label: string): MenuItem => ({
      label, ...(system.recording.format === format && { icon: "check" as const }), run: () => { system.recording.format = format; },
    });
    layer.menu(box.left, box.bottom + 4, "Format", [item("flac", "FLAC, without loss"), item("wav", "WAV, as it is heard")]);
  });
  let kept = true;
  const show = () => {
    const { on, saving, seconds } = system.recording;
    if (!kept && !on && !saving) layer.toast("info", "The recording is on its way into the library.");
    kept = !on && !saving;
    setText(time, on ? duration(Math.floor(seconds)) : saving ? "Saving…" : "Rec");
    setAttribute(button, "aria-disabled", saving && !on ? "true" : null);
  };
  clock.subscribe(show, signal);
  system.on("recording", () => {
    show();
    clock.wake();
  }, signal);
  return h("div", { class: "sfa-dk-joined", role: "group", "aria-label": "Recording" }, button, formats);
}

function headphones(desk: Desk): HTMLElement {
  const { layer, signal, system } = desk;
  const outputs = h("button", { type: "button", class: "sfa-dk-button is-small is-icon", "aria-haspopup": "menu" }, icon("down"));
  const show = () => {
    const { device } = system.headphones;
    const words = device ? `Headphones on ${device.label}` : "Output for the headphones: none";
    setAttribute(outputs, "aria-label", words);
    setAttribute(outputs, "title", words);
    outputs.classList.toggle("is-lit", device !== null);
  };
  outputs.addEventListener("click", async () => {
    const { headphones: phones } = system;
    if (phones.missing) {
      layer.toast("info", phones.missing.message, { hint: phones.missing.hint });
      return;
    }
    const choose = (device: { id: string; label: string } | null) =>
      void phones.choose(device).catch((error: unknown) => layer.failed(error));
    try {
      const devices = await phones.devices();
      const box = outputs.getBoundingClientRect();
      const checked = (id: string | null) => (phones.device?.id ?? null) === id && { icon: "check" as const };
      layer.menu(box.left, box.bottom + 4, "Output for the headphones", [
        { label: "None", ...checked(null), run: () => choose(null) },
        ...devices.map((device) => ({ label: device.label, ...checked(device.id), run: () => choose(device) })),
      ]);
    } catch (error) {
      layer.toast("warn", describe(error).message);
    }
  });
  system.on("headphones", show, signal);
  show();
  return h(
    "div", { class: "sfa-dk-out", role: "group", "aria-label": "Headphones" },
    knob(desk, "mixer.headphones.mix", { text: "Cue/Mix", className: "is-small" }),
    knob(desk, "mixer.headphones.volume", { text: "Phones", className: "is-small" }),
    h("div", { class: "sfa-dk-joined" },
      toggle(desk, "mixer.headphones.split", { face: ["Split"], title: "Split: cue on the left ear, master on the right", className: "is-small" }), outputs),
  );
}
