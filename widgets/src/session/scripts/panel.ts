/** Scripts: recorded from what is done at the decks, kept, edited, played and rendered. */

import { isAbort } from "../../bridge";
import { append, h, setAttribute, setText } from "../../dom";
import { ago, duration, plural } from "../../format";
import { icon } from "../../icons";
import type { ScriptDocument, ScriptRow } from "../../types";
import type { Session } from "../index";
import { askName } from "../name";
import { jobProgress, PATIENT } from "../parts";
import { EventTable } from "./table";

/** Tag of the script that is played from here. */
const TAG = "script";

export function scriptsPanel(host: HTMLElement, session: Session): void {
  const { bridge, layer, signal, system } = session;
  let scripts: ScriptRow[] | null = null;
  let playing: string | null = null;
  let open: ScriptRow | null = null;

  const button = (label: string, name: Parameters<typeof icon>[0] | null, run: () => void, className = "is-quiet") => {
    const made = h("button", { type: "button", class: `sfa-button ${className}` }, name && icon(name), h("span", {}, label));
    made.addEventListener("click", run);
    return made;
  };
  const request = <T>(asked: Promise<T>, then: (answer: T) => void = () => undefined) =>
    void asked.then(then).catch((error: unknown) => layer.failed(error));

  // Recording

  const record = button("Record", null, () => (system.script.recording ? finish() : system.script.record()), "sfa-ss-record");
  record.prepend(h("i", { "aria-hidden": "true" }));
  const counted = h("p", { class: "sfa-ss-state", role: "status" });
  const finish = () => {
    const document = system.script.finish();
    if (!document) return;
    keep(document, `Played on ${new Date().toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}`);
  };
  /** What was played is lost with the page only: a kernel that does not answer can be asked again. */
  const keep = (document: ScriptDocument, name: string) => {
    bridge.request("scripts.save", { id: null, name, document }, { ...PATIENT, signal }).then(({ result }) => {
      layer.toast("ok", `Recorded ${plural(document.events.length, "change")}.`, { action: { label: "Name it", run: () => rename(result.script) } });
    }).catch((error: unknown) => layer.failed(error, () => keep(document, name)));
  };
  const showRecording = () => {
    const { recording, count } = system.script;
    record.classList.toggle("is-on", recording);
    setAttribute(record, "aria-pressed", String(recording));
    setText(record.querySelector("span") as HTMLElement, recording ? "Stop recording" : "Record");
    setText(counted, recording ? plural(count, "change") : "");
  };

  // What can be done with one

  const play = async (row: ScriptRow, document?: ScriptDocument) => {
    system.unlock();
    try {
      const script = document ?? (await bridge.request("scripts.get", { id: row.id }, { ...PATIENT, signal })).result.document;
      playing = row.id;
      await system.script.play(TAG, script);
      show();
    } catch (error) {
      playing = null;
      layer.failed(error);
    }
  };
  const rename = (row: ScriptRow) => askName(layer, "Rename the script", row.name, "Rename", (name) => {
    request(bridge.request("scripts.get", { id: row.id }, { ...PATIENT, signal }).then(({ result }) =>
      bridge.request("scripts.save", { id: row.id, name, document: result.document }, { ...PATIENT, signal })));
  });
  const render = (row: ScriptRow) => request(bridge.request("scripts.render", { id: row.id }, { ...PATIENT, signal }), ({ result }) =>
    jobProgress(jobs, session, result.job, row.name, (done, error) => {
      if (done) layer.toast("ok", `“${row.name}” is in the library.`);
      else if (error) layer.toast("danger", `“${row.name}” could not be rendered. ${error}`);
    }));
  const remove = (row: ScriptRow) => request(bridge.request("scripts.remove", { id: row.id }, { ...PATIENT, signal }), () => {
    layer.toast("info", `“${row.name}” is deleted.`, {
      action: { label: "Undo", run: () => request(bridge.request("scripts.restore", { id: row.id }, { ...PATIENT, signal })) },
    });
  });
  const edit = (row: ScriptRow) => request(bridge.request("scripts.get", { id: row.id }, { ...PATIENT, signal }), ({ result }) => {
    open = result.script;
    table.load(result.document);
    show();
  });

  // What is there

  const jobs = h("div", { class: "sfa-ss-jobs" });
  const list = h("ul", { class: "sfa-ss-rows", "aria-label": "Scripts" });
  const empty = h("div", { class: "sfa-ss-empty" }, h("p", {}, "Record what you do at the decks: it can be played again to the sample, edited, and rendered to a song."));
  const name = h("h3", { dir: "auto" });
  const save = button("Save", "check", () => {
    const document = table.take();
    if (!document || !open) return;
    request(bridge.request("scripts.save", { id: open.id, name: open.name, document }, { ...PATIENT, signal }), ({ result }) => {
      open = result.script;
      table.load(document);
      show();
      layer.toast("ok", `“${result.script.name}” is saved.`);
    });
  }, "is-primary");
  const tryIt = button("Play", "play", () => {
    if (!open) return;
    if (isPlaying(open)) system.script.stop(TAG);
    else {
      const document = table.take();
      if (document) void play(open, document);
    }
  }, "");
  const back = button("Back", null, () => {
    if (table.dirty && open) {
      const left = open;
      const document = table.take();
      layer.toast("warn", "What was edited is not saved.", document ? {
        action: { label: "Save it", run: () => request(bridge.request("scripts.save", { id: left.id, name: left.name, document }, { ...PATIENT, signal })) },
      } : {});
      if (!document) return; // the cell that is wrong has the focus
    }
    open = null;
    show();
  });
  const table = new EventTable(layer, () => show());
  const editor = h("div", { class: "sfa-ss-editor", hidden: true }, h("div", { class: "sfa-ss-bar" }, back, name, h("span", { class: "sfa-ss-space" }), tryIt, save), table.element);
  const overview = h("div", { class: "sfa-ss-overview" }, h("div", { class: "sfa-ss-bar" }, record, counted, h("span", { class: "sfa-ss-space" })), jobs, list, empty);
  append(host, overview, editor);

  const isPlaying = (row: ScriptRow) => playing === row.id && system.script.playing.includes(TAG);
  const row = (script: ScriptRow) => {
    const on = isPlaying(script);
    return h("li", { class: on ? "is-playing" : null, "data-script": script.id },
      h("span", { class: "sfa-ss-title", dir: "auto", title: script.name }, script.name,
        h("small", {}, `${plural(script.events, "change")}, changed ${ago(script.changed_at)}`)),
      h("span", { class: "sfa-ss-figure" }, duration(script.duration)),
      h("span", { class: "sfa-ss-tools" },
        button(on ? "Stop" : "Play", on ? "close" : "play", () => (isPlaying(script) ? system.script.stop(TAG) : void play(script))),
        button("Edit", "pencil", () => edit(script)), button("Rename", null, () => rename(script)),
        button("Render", "download", () => render(script)), button("Delete", "trash", () => remove(script))));
  };
  const show = () => {
    overview.hidden = open !== null;
    editor.hidden = open === null;
    if (open) {
      setText(name, `${open.name}${table.dirty ? " (edited)" : ""}`);
      save.disabled = !table.dirty;
      setText(tryIt.querySelector("span") as HTMLElement, isPlaying(open) ? "Stop" : "Play");
      return;
    }
    empty.hidden = scripts === null || scripts.length > 0;
    const at = list.contains(document.activeElement) ? document.activeElement?.closest<HTMLElement>("[data-script]")?.dataset.script : undefined;
    const which = at === undefined ? -1 : [...(document.activeElement?.parentElement?.children ?? [])].indexOf(document.activeElement as Element);
    list.replaceChildren(...(scripts ?? []).map(row));
    if (at !== undefined) list.querySelectorAll<HTMLElement>(`[data-script="${CSS.escape(at)}"] button`)[which]?.focus();
  };
  const load = async () => {
    try {
      scripts = (await bridge.request("scripts.list", {}, { signal })).result.scripts;
      show();
    } catch (error) {
      if (!isAbort(error)) layer.failed(error, () => void load());
    }
  };
  const stop = bridge.on("scripts.changed", () => void load());
  signal.addEventListener("abort", stop, { once: true });
  system.on("script", () => {
    showRecording();
    show();
  }, signal);
  system.on("happened", (event) => { if (event.type === "applied" && system.script.recording) showRecording(); }, signal);
  showRecording();
  show();
  void load();
}
