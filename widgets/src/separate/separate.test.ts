import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DialogHost } from "../dialogs/host";
import { engines } from "../testing/engines";
import { FakeBridge, type FakeHandlers } from "../testing/fake";
import { jobLists, jobRow, overview, trackRow } from "../testing/rows";
import type { SeparationEstimate } from "../types";
import { Layer } from "../ui/layer";
import { Choice } from "./choice";
import { separateDialog } from "./dialog";
import type { SeparateOptions } from "./index";
import { clock, regionFault, seconds, usualRegion } from "./region";

const ESTIMATE: SeparationEstimate = {
  seconds: 90, minutes: null, minutes_left: null, checked_at: null, known: true, text: "About 90 s for 1 song.",
};

beforeEach(() => localStorage.clear());

describe("a range that is typed", () => {
  it.each([["1:15", 75], ["75", 75], [" 0:45.5 ", 45.5], ["1:02:03", 3723], ["0:07,25", 7.25]])("%s", (text, time) => {
    expect(seconds(text)).toBe(time);
  });

  it.each(["", "abc", "1:75", "-3", "1:2:3:4"])("%j is none", (text) => expect(seconds(text)).toBeNull());

  it("is written as it is read", () => expect([clock(75), clock(75.5)]).toEqual(["1:15", "1:15.5"]));

  it("lies in the song, and is never longer than it", () => {
    expect(usualRegion(180)).toEqual([60, 90]);
    expect(usualRegion(20)).toEqual([0, 20]);
    expect(usualRegion(40)).toEqual([10, 40]);
    expect(usualRegion(null)).toEqual([30, 60]);
  });

  it("is refused in a sentence", () => {
    expect(regionFault(10, 40, 60)).toBeNull();
    expect(regionFault(null, 40, 60)).toContain("1:15");
    expect(regionFault(40, 40, 60)).toContain("after the start");
    expect(regionFault(70, 80, 60)).toContain("1:00 long");
  });
});

describe("a choice", () => {
  it("begins with what is ready here and is no draft", () => {
    expect(new Choice(engines()).engine.name).toBe("demucs");
    expect(new Choice(engines({ weights: false })).engine.name).toBe("draft");
    expect(new Choice(engines(), "lalal").engine.name).toBe("lalal");
  });

  it("is remembered for each engine, and no more than there is", () => {
    const first = new Choice(engines());
    first.chooseModel("htdemucs_ft");
    first.chooseStems(["vocals"]);
    first.set("overlap", 0.1);
    first.chooseEngine("lalal");
    first.chooseStems(["piano", "vocals"]);
    first.remember();

    const again = new Choice(engines());
    expect([again.engine.name, again.stems]).toEqual(["lalal", ["vocals", "piano"]]);
    again.chooseEngine("demucs");
    expect([again.model.name, again.stems, again.settings]).toEqual(["htdemucs_ft", ["vocals"], { overlap: 0.1 }]);
    again.engines = engines().map((engine) => ({ ...engine, models: engine.models.slice(0, 1), settings: [] }));
    expect([again.model.name, again.stems, again.settings]).toEqual(["htdemucs", null, {}]);
  });

  it("asks for no stems by name where all the usual ones are wanted", () => {
    const choice = new Choice(engines());
    choice.chooseStems(["vocals", "drums"]);
    expect([choice.stems, choice.rest]).toEqual([["drums", "vocals"], true]);
    choice.chooseStems(["other", "vocals", "drums", "bass"]);
    expect([choice.stems, choice.rest]).toEqual([null, false]);
    choice.set("overlap", 0.25);
    expect(choice.settings).toEqual({});
  });

  it("lives with a store that somebody else has written to", () => {
    localStorage.setItem("sfa.separate", '{"engine": 3, "stems": {"demucs/htdemucs": "vocals"}}');
    const choice = new Choice(engines());
    expect([choice.engine.name, choice.stems]).toEqual(["demucs", null]);
  });
});

describe("the dialog that separates", () => {
  let end: AbortController;
  let bridge: FakeBridge;
  let host: DialogHost;

  beforeEach(() => {
    end = new AbortController();
    host = { layer: new Layer(end.signal), load: vi.fn(), signal: end.signal };
  });
  afterEach(() => {
    end.abort();
    document.body.replaceChildren();
  });

  async function open(handlers: FakeHandlers = {}, options: SeparateOptions = { ids: ["a"] }): Promise<void> {
    bridge = new FakeBridge({
      ...jobLists([]),
      "separation.engines": () => ({ engines: engines() }),
      "separation.estimate": () => ESTIMATE,
      "separation.start": ({ ids }) => ({ jobs: ids.map((id) => `job-${id}`), batch: "b" }),
      "track.show": ({ id }) => ({ track: trackRow(id, { title: "Night" }), tags: {}, analysis: null, cues: [], stems: [], jobs: [] }),
      "credentials.list": () => ({
        credentials: [{ name: "lalal", label: "lalal.ai", source: null, changed_at: null }], protection: "Kept encrypted.",
      }),
      "cloud.quota": () => ({ minutes_left: 12, checked_at: new Date().toISOString(), jobs: [] }),
      ...handlers,
    });
    separateDialog(bridge, host, options);
    await vi.waitFor(() => expect(document.querySelector(".sfa-cards input")).not.toBeNull());
  }

  const dialog = () => document.querySelector<HTMLDialogElement>("dialog") as HTMLDialogElement;
  const says = (text: string) => vi.waitFor(() => expect(document.body.textContent).toContain(text));
  const start = () => dialog().querySelector<HTMLButtonElement>("footer .is-primary") as HTMLButtonElement;
  function stem(name: string): void {
    dialog().querySelector<HTMLElement>(`[data-stem="${name}"]`)?.click();
  }
  function type(field: HTMLInputElement, value: string): void {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  it("says what it will take, and starts what was chosen", async () => {
    await open();
    await says("Night");
    await says("About 90 s for 1 song.");
    for (const name of ["drums", "bass", "other"]) stem(name);
    await says("Makes 2 files: Vocals and the rest of the song.");
    const chosen = { ids: ["a"], engine: "demucs", model: "htdemucs", stems: ["vocals"], region: null, settings: {} };
    await vi.waitFor(() => expect(bridge.params("separation.estimate").at(-1)).toEqual(chosen));
    start().click();
    await says("The separation is under way.");
    expect(bridge.params("separation.start")).toEqual([chosen]);
    expect(document.querySelector("dialog")).toBeNull();
    expect(new Choice(engines()).stems).toEqual(["vocals"]);
  });

  it("always makes at least one stem", async () => {
    await open();
    for (const name of ["drums", "bass", "other", "vocals"]) stem(name);
    await says("At least one stem has to be made.");
    expect(dialog().querySelector('[data-stem="vocals"]')?.getAttribute("aria-pressed")).toBe("true");
  });

  it("previews the marked range of several songs, and refuses what is none", async () => {
    await open({}, { ids: ["a", "b"], region: [45, 75] });
    expect(start().textContent).toBe("Make 2 previews");
    const [from, to] = [...dialog().querySelectorAll<HTMLInputElement>(".is-time")] as [HTMLInputElement, HTMLInputElement];
    expect([from.value, to.value]).toEqual(["0:45", "1:15"]);
    type(to, "0:40");
    await says("after the start");
    expect(start().disabled).toBe(true);
    type(to, "1:00.5");
    start().click();
    await says("2 separations under way.");
    expect(bridge.params("separation.start")[0]?.region).toEqual([45, 60.5]);
  });

  it("sends the settings that are not as usual", async () => {
    await open();
    const field = dialog().querySelector<HTMLInputElement>("input[type=number]") as HTMLInputElement;
    type(field, "7");
    expect(field.getAttribute("aria-invalid")).toBe("true");
    type(field, "0.1");
    await says("1 changed");
    start().click();
    await says("under way");
    expect(bridge.params("separation.start")[0]?.settings).toEqual({ overlap: 0.1 });
  });

  it("fetches weights only after a yes, shows how far it is, and goes on by itself", async () => {
    let ready = false;
    const job = (changes = {}) => jobRow("w", { kind: "weights", status: "downloading", progress: 42, eta_s: 60, ...changes });
    await open({
      "separation.engines": () => ({ engines: engines({ weights: ready }) }),
      "weights.fetch": () => ({ jobs: ["w"] }),
      "jobs.show": () => ({ job: job(), arguments: {}, needs: [] }),
    }, { ids: ["a"], engine: "demucs" });
    await says("Its weights are not on this machine.");
    await says("Only for scientific purposes.");
    expect(start().disabled).toBe(true);
    const get = [...dialog().querySelectorAll("button")].find((button) => button.textContent?.includes("84.0 MB")) as HTMLButtonElement;
    expect(get.disabled).toBe(true);
    const agree = dialog().querySelector<HTMLInputElement>(".sfa-weights input") as HTMLInputElement;
    agree.checked = true;
    agree.dispatchEvent(new Event("change"));
    get.click();
    await says("Fetching 42 %, about 60 s left");
    expect(bridge.params("weights.fetch")).toEqual([{ model: "htdemucs", agreed: true }]);
    ready = true;
    bridge.push("jobs.rows", { ...overview([]), jobs: [job({ status: "completed", progress: 100 })] });
    await vi.waitFor(() => expect(start().disabled).toBe(false));
  });

  it("says why a fetch failed, and offers it again", async () => {
    await open({
      "separation.engines": () => ({ engines: engines({ weights: false }) }),
      "weights.fetch": () => ({ jobs: ["w"] }),
      "jobs.show": () => ({
        job: jobRow("w", { kind: "weights", status: "failed", error: "There is no network." }), arguments: {}, needs: [],
      }),
    }, { ids: ["a"], engine: "demucs" });
    const agree = dialog().querySelector<HTMLInputElement>(".sfa-weights input") as HTMLInputElement;
    agree.checked = true;
    agree.dispatchEvent(new Event("change"));
    dialog().querySelector<HTMLButtonElement>(".sfa-weights .is-primary")?.click();
    await says("There is no network.");
    expect(dialog().querySelector(".sfa-weights .is-primary")).not.toBeNull();
  });

  it("takes a key without showing it, and tells whether it is a good one", async () => {
    let key: string | null = null;
    await open({
      "separation.engines": () => ({ engines: engines({ key: key !== null }) }),
      "credentials.put": ({ value }) => { key = value; return {}; },
      "cloud.quota": ({ refresh }) => ({ minutes_left: null, checked_at: null, jobs: refresh ? ["q"] : [] }),
      "jobs.show": () => ({ job: jobRow("q", { kind: "cloud", status: "failed", error: "The key was refused." }), arguments: {}, needs: [] }),
    }, { ids: ["a"], engine: "lalal" });
    await says("There is no key.");
    await vi.waitFor(() => expect(dialog().querySelector("input[type=password]")).not.toBeNull());
    type(dialog().querySelector("input[type=password]") as HTMLInputElement, " secret-4711 ");
    dialog().querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
    await says("The key was refused.");
    expect(key).toBe("secret-4711");
    expect(document.body.innerHTML).not.toContain("secret-4711");
  });

  it("does not start what there are no minutes for", async () => {
    await open(
      { "separation.estimate": () => ({ ...ESTIMATE, minutes: 12, minutes_left: 3.5, text: "lalal.ai bills 12 minutes." }) },
      { ids: ["a"], engine: "lalal" },
    );
    await says("Choose fewer stems or a preview");
    expect(start().disabled).toBe(true);
  });

  it("tells of a service that is left alone", async () => {
    await open({
      "jobs.list": () => ({ ...overview([]), jobs: [], services: [{ service: "lalal", failures: 5, trial_s: 42 }] }),
    }, { ids: ["a"], engine: "lalal" });
    await says("the next try is in 42 s");
  });

  it("makes anew what is there already only when it is asked to", async () => {
    await open({ "separation.start": ({ force }) => ({ jobs: force ? ["j"] : [], batch: null }) });
    start().click();
    await says("These stems are there already.");
    [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Make them anew")?.click();
    await says("The separation is under way.");
    expect(bridge.params("separation.start").map(({ force }) => force)).toEqual([undefined, true]);
  });

  it("stays open with the reason when the start is refused", async () => {
    await open({ "separation.start": () => { throw new Error("The disk is full."); } });
    start().click();
    await says("The disk is full.");
    expect(dialog().open).toBe(true);
    expect(start().disabled).toBe(false);
  });

  it("says why there are no engines, and tries again", async () => {
    let broken = true;
    bridge = new FakeBridge({
      ...jobLists([]), "separation.estimate": () => ESTIMATE,
      "separation.engines": () => { if (broken) throw new Error("The kernel is gone."); return { engines: engines() }; },
    });
    separateDialog(bridge, host, { ids: ["a", "b"] });
    await says("The kernel is gone.");
    broken = false;
    dialog().querySelector<HTMLButtonElement>("[role=alert] button")?.click();
    await says("Demucs");
  });

  it("needs a song", () => {
    separateDialog(new FakeBridge(), host, { ids: [] });
    expect(document.querySelector("dialog")).toBeNull();
    expect(document.body.textContent).toContain("Select the songs to separate first.");
  });
});
