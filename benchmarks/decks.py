"""The decks in a real page: times, memory, frames, and two records that stay together for minutes.

    python benchmarks/decks.py [--minutes 3] [--long 360]

Starts the server, a kernel and Chromium, and plays records made for it. Prints, each with the limit that it is held to:
how far apart the clicks of two synced records are in the master through a change of tempo and a loop; from a click to
the loudspeaker; a long song with four stems from the load to the first sound; the page's memory; what the frames of
four decks cost while Python is idle and while it runs a cell, with the page's long tasks and the sound's gaps; and how
long Python, a key and a pointer take to the other side. Machines that do other work show it here: the load is printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import psutil

from sfa_kernel.studio import Studio
from tests.browser.cells import Cells, cells_of
from tests.browser.conftest import CHROMIUM, Watch
from tests.browser.records import CELL, DECKS, REMEMBER, Desk, add_record, apart, onsets
from tests.server.launch import finish, start, write_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = 9  # each reaction is measured so often; the median counts
BUSY = 4.0  # s of a cell
WATCHING = """
() => {
  globalThis.tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
  globalThis.costs = [];
  const real = globalThis.requestAnimationFrame;
  globalThis.requestAnimationFrame = (call) => real((now) => {
    const began = performance.now();
    call(now);
    costs.push(performance.now() - began);
  });
}
"""
CLICKED = """
() => addEventListener("pointerdown", ({ timeStamp }) => {
  globalThis.clicked = [master.context.currentTime, performance.now() - timeStamp];
}, { capture: true })
"""
TURNED = f"""
() => {{
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  {DECKS}.controls.on("mixer.crossfader", () => {{ globalThis.changed = now(); }}, new AbortController().signal);
  const moved = () => {{ globalThis.moved = now(); }};
  for (const type of ["keydown", "pointermove"]) addEventListener(type, moved, {{ capture: true }});
}}
"""
HEARD = """
import time
heard = []
seen = studio.decks().observe("mixer.crossfader", lambda change: heard.append(time.time()))
1
"""
LOAD = f"""
async ([deck, id]) => {{
  const began = performance.now();
  const decks = {DECKS};
  decks.load(deck, id);
  let playable = null;
  for (;;) {{
    await new Promise((done) => setTimeout(done, 4));
    const song = decks.song(deck);
    if (song?.id !== id) continue;
    if (decks.stand(deck).loaded) playable ??= performance.now() - began;
    if (playable !== null && !decks.loading(deck)) return [playable, performance.now() - began];
  }}
}}
"""


def tell(what: str, found: str, limit: str = "") -> None:
    """One line; the limit is the issue's."""
    print(f"{what:58}{found:>34}   {limit:14} load {os.getloadavg()[0]:.1f}", flush=True)


def make(folder: Path, minutes: float, long: float) -> None:
    """The records: two for syncing, and a long one with stems."""
    with Studio.open(folder / "library") as studio:
        add_record(studio, folder / "One.wav", bpm=120, side=0, seconds=60 * minutes + 20)
        add_record(studio, folder / "Two.wav", bpm=127.35, side=1, seconds=60 * minutes + 40)
        song = add_record(studio, folder / "Long.flac", bpm=124, side=0, seconds=long - 24)
        studio.separate(song).wait(900)


@contextmanager
def opened(folder: Path, chromium: str) -> Iterator[tuple[Desk, Cells]]:
    """A page with the decks, clicked once."""
    from playwright.sync_api import sync_playwright

    notebook = write_notebook(folder / "decks.ipynb", CELL)
    server = start("dashboard", folder / "library", notebook=notebook, log=folder / "log")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            context = browser.new_context(viewport={"width": 1600, "height": 1000}, color_scheme="dark")
            context.add_init_script(REMEMBER)
            watch = Watch(context.new_page())
            watch.page.goto(server.url)
            watch.page.locator(".sfa-dk-deck").first.wait_for()
            watch.page.mouse.click(5, 5)
            watch.page.wait_for_function("() => globalThis.master")
            with cells_of(server, watch.kernel_id()) as cells:
                yield Desk(watch.page), cells
            browser.close()
    finally:
        finish(server)


def together(desk: Desk, ids: dict[str, str], minutes: float) -> None:
    """Two records for so long: a third of it at 120, a third at 126, a third in a loop of one of them and out again."""
    desk.load(1, ids["One"])
    desk.load(2, ids["Two"])
    third = 20 * minutes
    with desk.listen() as sound:
        desk.set(("deck.1.play", 1), ("deck.2.sync", 1), ("deck.2.play", 1))
        desk.wait(third)
        desk.set(("deck.1.tempo", 126))
        desk.wait(third)
        desk.set(("deck.2.loop.set", 4))
        desk.wait(third / 2)
        desk.set(("deck.2.loop.active", 0))
        desk.wait(third / 2)
    one, two = (onsets(side, sound.rate) for side in sound.samples)
    off = 1000 * np.abs(apart(one, two))
    tell(
        f"clicks of 120 and 127.35 BPM, {one.size} and {two.size} of them",
        f"median {np.median(off):.2f}, most {off.max():.2f} ms",
        "< 5 ms",
    )
    desk.reset()


def reaction(desk: Desk) -> None:
    """From a click on Play to the loudspeaker, the browser's own output included."""
    page = desk.page
    page.evaluate(CLICKED)
    found = []
    play = page.locator('[data-deck="1"]').get_by_role("button", name="Play", exact=True).first
    for _ in range(TIMES):
        desk.set(("deck.1.seek", page.evaluate(f"() => {DECKS}.song(1).duration") - 10))
        desk.wait(0.3)
        with desk.listen() as sound:
            desk.wait(0.1)
            play.click()
            desk.wait(0.4)
        desk.set(("deck.1.play", 0))
        clock, waited = page.evaluate("() => clicked")
        late = page.evaluate("() => master.context.outputLatency")
        first = int(np.argmax(np.abs(sound.samples[0]) > 1e-3))
        found.append(1000 * ((sound.frame + first) / sound.rate - clock + late) + waited)
    tell("click to loudspeaker", f"median {statistics.median(found):.0f}, most {max(found):.0f} ms", "< 150 ms")


def memory() -> float:
    """Of the page's process, in MB: what is its own."""
    sizes: list[float] = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in " ".join(process.cmdline()):
                sizes.append(process.memory_full_info().uss / 1e6)
        except psutil.Error:
            continue
    return max(sizes)


def loading(desk: Desk, track: str, long: float) -> None:
    """A long song with stems."""
    desk.reset()
    before = memory()
    for deck, words in ((3, "first load"), (4, "the same song in another deck")):
        playable, whole = desk.page.evaluate(LOAD, [deck, track])
        tell(
            f"{long / 60:.0f} minutes with four stems, {words}: playable",
            f"{playable / 1000:.2f} s, all {whole / 1000:.1f} s",
            "< 2 s",
        )
    pcm = 5 * long * 44100 * 4 / 1e6
    tell("memory of the page, before and after", f"{before:.0f}, {memory():.0f} MB", f"PCM {pcm:.0f} MB")


def frames(desk: Desk, cells: Cells, ids: dict[str, str]) -> None:
    """Four decks play; Python has time, then has not."""
    page = desk.page
    desk.set(("mixer.decks", "4"))
    desk.load(1, ids["One"])
    desk.load(2, ids["Two"])
    page.evaluate(WATCHING)
    others = [(f"deck.{deck}.{name}", 1) for deck in (2, 3, 4) for name in ("sync", "play")]
    desk.set(("deck.1.play", 1), *others, ("deck.1.tempo", 124))
    desk.wait(2)
    for words in ("Python idle", "Python busy"):
        page.evaluate("() => { tasks.length = costs.length = 0; }")
        before = page.evaluate("() => master.context.playbackStats?.underrunDuration ?? NaN")
        if words == "Python busy":
            cells.start(f"import time\nend = time.time() + {BUSY}\nwhile time.time() < end: pass")
        desk.wait(BUSY)
        costs, tasks = page.evaluate("() => [[...costs], [...tasks]]")
        gap = page.evaluate("() => master.context.playbackStats?.underrunDuration ?? NaN") - before
        p95 = statistics.quantiles(costs, n=20)[-1]
        tell(f"frames of four decks, {words}", f"p50 {statistics.median(costs):.1f}, p95 {p95:.1f} ms", "< 16.7 ms")
        tell(f"long tasks, {words}", f"{len(tasks)}, longest {max(tasks, default=0):.0f} ms", "< 50 ms")
        tell(f"sound that came too late, {words}", f"{1000 * gap:.0f} of {1000 * BUSY:.0f} ms", "0 ms")
    desk.reset()


def surfaces(desk: Desk, cells: Cells) -> None:
    """Python, keys and pointer turn the crossfader; both clocks are this machine's."""
    page = desk.page
    page.evaluate(TURNED)
    cells(HEARD)
    ways: dict[str, list[float]] = {"Python to the page": [], "key to Python": [], "pointer to Python": []}
    for place in np.linspace(-0.9, -0.1, TIMES):
        page.evaluate("() => { globalThis.changed = 0; }")
        asked = cells(f"asked = time.time(); studio.decks().mixer.crossfader = {place}\nasked")
        page.wait_for_function("() => globalThis.changed > 0")
        ways["Python to the page"].append(page.evaluate("() => changed") - asked)

    def told(act: Any) -> float:
        cells("heard.clear()\n1")
        act()
        while not (times := cells("heard")):
            time.sleep(0.02)
        return float(times[0] - page.evaluate("() => moved"))

    page.locator(".sfa-decks").first.focus()
    for turn in range(TIMES):
        ways["key to Python"].append(told(lambda turn=turn: page.keyboard.press("90"[turn % 2])))
    box: Any = page.get_by_role("slider", name="Crossfader", exact=True).bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for part in np.linspace(0.2, 0.45, TIMES):
        ways["pointer to Python"].append(
            told(lambda part=part: page.mouse.move(box["x"] + part * box["width"], middle))
        )
    page.mouse.up()
    for words, found in ways.items():
        tell(words, f"median {1000 * statistics.median(found):.0f}, most {1000 * max(found):.0f} ms", "< 100 ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="two records play together")
    parser.add_argument("--long", type=float, default=360.0, help="length of the long song, in s")
    options = parser.parse_args()
    chromium = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if chromium is None:
        print(f"Left out: there is no Chromium here ({', '.join(CHROMIUM)}).")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, options.minutes, options.long)
        with opened(folder, chromium) as (desk, cells):
            ids = cells("{track.title: str(track.id) for track in studio.tracks}")
            together(desk, ids, options.minutes)
            reaction(desk)
            surfaces(desk, cells)
            loading(desk, ids["Long"], options.long)
            frames(desk, cells, ids)


if __name__ == "__main__":
    main()
