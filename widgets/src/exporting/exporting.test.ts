import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DialogHost } from "../dialogs/host";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { jobRow, overview, trackRow } from "../testing/rows";
import type { ExportRow } from "../types";
import { Layer } from "../ui/layer";
import { exportDialog } from "./dialog";
import type { ExportOptions } from "./index";

const ROW: ExportRow = {
  id: "e", name: "Somebody - Night.zip", kind: "stems", bytes: 91_000_000, url: "sfa/exports/e", created_at: "2026-01-01T00:00:00Z", job: "j",
};

describe("the dialog that exports", () => {
  let end: AbortController;
  let bridge: FakeBridge;
  let host: DialogHost;
  let rows: ExportRow[];

  beforeEach(() => {
    localStorage.clear();
    rows = [];
    end = new AbortController();
    host = { layer: new Layer(end.signal), load: vi.fn(), signal: end.signal };
  });
  afterEach(() => {
    end.abort();
    vi.unstubAllGlobals();
    document.body.replaceChildren();
  });

  function open(handlers: FakeHandlers = {}, options: Partial<ExportOptions> = {}): void {
    bridge = new FakeBridge({
      "track.show": ({ id }) => ({
        track: trackRow(id, { title: "Night" }), tags: {}, analysis: null, cues: [], jobs: [],
        stems: ["vocals", "rest"].map((name) => ({ id: name, name, badge: "Draft (no AI)" })),
      }),
      "export.preview": ({ what, template, stem = "" }) => ({
        names: what === "stems" ? ["All.zip", "vocals.flac", "rest.flac"] : [template.replace("{stem}", stem)],
      }),
      "export.list": () => ({ exports: rows }),
      "export.start": () => { rows = [ROW]; return { jobs: ["j"] }; },
      "jobs.show": () => ({ job: jobRow("j", { kind: "export", status: "processing", progress: 40 }), arguments: {}, needs: [] }),
      ...handlers,
    });
    exportDialog(bridge, host, { ids: ["a"], ...options });
  }

  const dialog = () => document.querySelector<HTMLDialogElement>("dialog") as HTMLDialogElement;
  const says = (text: string) => vi.waitFor(() => expect(document.body.textContent).toContain(text));
  const start = () => dialog().querySelector<HTMLButtonElement>(".sfa-work-buttons .is-primary") as HTMLButtonElement;
  const button = (name: string) => dialog().querySelector<HTMLButtonElement>(`[aria-label="${name}"]`);
  function pick(value: string): void {
    const input = dialog().querySelector<HTMLInputElement>(`input[value="${value}"]`) as HTMLInputElement;
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  it("names what will be in it, writes it, and offers the file", async () => {
    open();
    await says("All.zip");
    await says("rest.flac");
    start().click();
    await says("Writing 40 %");
    expect(bridge.params("export.start")).toEqual([
      { ids: ["a"], what: "stems", format: "flac", template: "{artist} - {title} ({stem})" },
    ]);
    bridge.push("jobs.rows", { ...overview([]), jobs: [jobRow("j", { status: "completed", progress: 100 })] });
    await says("Download (91.0 MB)");
  });

  it("exports one of the stems that there are", async () => {
    open();
    await says("Night");
    pick("stem");
    const stem = dialog().querySelector<HTMLSelectElement>("select[aria-label=Stem]") as HTMLSelectElement;
    expect([...stem.options].map(({ value }) => value)).toEqual(["vocals", "rest"]);
    stem.value = "rest";
    stem.dispatchEvent(new Event("change"));
    await says("(rest)");
    start().click();
    await vi.waitFor(() => expect(bridge.params("export.start")[0]).toMatchObject({ what: "stem", stem: "rest" }));
  });

  it("exports the stems of another set where they are the ones that are asked for", async () => {
    open({}, { set: { id: "s", badge: "Demucs", stems: ["guitar", "piano"] } });
    await says("stems by Demucs");
    pick("stem");
    await says("(guitar)");
    start().click();
    await vi.waitFor(() => expect(bridge.params("export.start")[0]).toMatchObject({ stem: "guitar", separation: "s" }));
  });

  it("says what is wrong with a template before anything is written", async () => {
    open({ "export.preview": () => { throw new Error("A template has no field 'foo'."); } });
    await says("A template has no field 'foo'.");
    expect(start().disabled).toBe(true);
  });

  it("leads to the separation where there are no stems", async () => {
    open({
      "track.show": ({ id }) => ({ track: trackRow(id), tags: {}, analysis: null, cues: [], jobs: [], stems: [] }),
      "separation.engines": () => new Promise(() => undefined),
      "jobs.list": () => ({ ...overview([]), jobs: [] }),
    });
    await says("This song has no stems yet.");
    expect(start().disabled).toBe(true);
    [...dialog().querySelectorAll("button")].find(({ textContent }) => textContent === "Separate…")?.click();
    await says("Separate stems");
    expect(document.querySelectorAll("dialog")).toHaveLength(1);
  });

  it("says why an export failed", async () => {
    open({ "jobs.show": () => ({ job: jobRow("j", { status: "failed", error: "There is no room." }), arguments: {}, needs: [] }) });
    await says("All.zip");
    start().click();
    await says("There is no room.");
    await vi.waitFor(() => expect(start().disabled).toBe(false));
  });

  it("gets a file from the server, and from the kernel where there is none", async () => {
    rows = [ROW];
    const clicked: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function click(this: HTMLAnchorElement) {
      clicked.push(`${this.href} as ${this.download}`);
    });
    const head = vi.fn(async () => new Response(null, { headers: { "content-type": "application/zip" } }));
    vi.stubGlobal("fetch", head);
    open({
      "export.bytes": () => ({ result: { mime: "application/zip", name: ROW.name }, buffers: [new DataView(new ArrayBuffer(4))] }),
    });
    await vi.waitFor(() => expect(button(`Download ${ROW.name}`)).not.toBeNull());
    button(`Download ${ROW.name}`)?.click();
    await vi.waitFor(() => expect(clicked).toHaveLength(1));
    expect(clicked[0]).toMatch(/\/sfa\/exports\/e as Somebody - Night.zip$/);
    expect(bridge.params("export.bytes")).toEqual([]);
    head.mockImplementation(async () => new Response("<login>", { headers: { "content-type": "text/html" } }));
    await vi.waitFor(() => expect(button(`Download ${ROW.name}`)?.disabled).toBe(false));
    button(`Download ${ROW.name}`)?.click();
    await vi.waitFor(() => expect(clicked).toHaveLength(2));
    expect(clicked[1]).toMatch(/^blob:.* as Somebody - Night.zip$/);
  });
});
