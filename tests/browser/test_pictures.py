"""The pictures of an analysis as a person uses them: look, point, click, mark, zoom, play, correct from Python."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from sfa_kernel.resources import demo_songs
from sfa_kernel.studio import Studio
from tests.browser.conftest import Watch
from tests.server.launch import wait_until, write_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.server.launch import Server

ENGINE = "globalThis[Symbol.for('sfa.audio')]"
PICTURES = ("structure", "grid", "energy", "chroma", "spectrum", "mfcc")

# What the person's Python knows is written beside the library, where the test can read it.
CELL = """
import json, pathlib
from sfa_kernel import Studio

studio = Studio.open()
track = next(t for t in studio.tracks if t.title == {title!r})
view = studio.pictures(track)
place = pathlib.Path({told!r})
view.observe(lambda change: place.write_text(json.dumps(change["new"])), "selection")
view.observe(lambda change: change["new"] > 150 and track.correct("key", key="B minor"), "position")
view
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo songs, one of them analysed."""
    root = tmp_path_factory.mktemp("pictures")
    with Studio.open(root / "library") as studio:
        songs = studio.add(*demo_songs())
        studio.run(next(song for song in songs if song.title == "First Light"), stages=("analyze", "autocue")).wait()
    return root / "library"


@pytest.fixture(scope="module")
def told(home: Path) -> Path:
    return home.parent / "selection.json"


@pytest.fixture(scope="module")
def watch(launch: Callable[..., Server], home: Path, told: Path, chromium: Browser) -> Iterator[Watch]:
    """The view in a page of its own, on the analysed song."""
    notebook = write_notebook(home.parent / "pictures.ipynb", CELL.format(title="First Light", told=str(told)))
    server = launch("dashboard", home, notebook)
    context = chromium.new_context(viewport={"width": 1280, "height": 1500}, color_scheme="dark")
    watch = Watch(context.new_page())
    watch.page.goto(server.url)
    watch.page.locator(".sfa-analysis.is-ready").wait_for()
    watch.page.locator("[data-picture=mfcc] canvas").first.wait_for()
    yield watch
    context.close()


@pytest.fixture
def page(watch: Watch) -> Page:
    return watch.page


def plot(page: Page, name: str) -> Any:
    return page.locator(f"[data-picture={name}] .sfa-an-plot")


def at(page: Page, name: str, across: float, down: float = 0.5) -> tuple[float, float]:
    """A place of a plot on the page."""
    box = plot(page, name).bounding_box()
    assert box is not None
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def readout(page: Page) -> str:
    return page.locator(".sfa-an-readout").inner_text()


def head(page: Page) -> float:
    """Where the playhead stands, in px from the left of the plots."""
    return float(
        page.evaluate(
            "new DOMMatrix(getComputedStyle(document.querySelector('.sfa-an-over .sfa-an-head')).transform).e"
        )
    )


def test_every_picture_is_drawn(page: Page) -> None:
    colours = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".sfa-an-plot > canvas")].map((canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const words = new Uint32Array(data.buffer);
          return [canvas.closest("[data-picture]").dataset.picture, new Set(words).size];
        }))"""
    )
    assert set(colours) == set(PICTURES)
    assert all(count > 20 for count in colours.values()), colours
    radar = page.locator(".sfa-an-radar")
    assert "127.35 BPM" in page.locator(".sfa-an-song").first.inner_text()
    assert "LUFS" in radar.inner_text()


def test_each_picture_is_told_in_words(page: Page) -> None:
    for name in PICTURES:
        described = plot(page, name).get_attribute("aria-describedby")
        text = page.locator(f"#{described}").text_content()
        assert text is not None
        assert len(text) > 20, name


def test_pointing_says_what_is_there(page: Page) -> None:
    said = {}
    for name, word in (
        ("structure", "sure"),
        ("grid", "Bar "),
        ("energy", "LUFS"),
        ("chroma", "of 1"),
        ("spectrum", "Centroid"),
        ("mfcc", "MFCC"),
    ):
        page.mouse.move(*at(page, name, 0.4))
        page.wait_for_function(f"() => document.querySelector('.sfa-an-readout').textContent.includes({word!r})")
        said[name] = readout(page)
    assert len({text.split(" · ")[0] for text in said.values()}) == 1  # one time for all
    page.mouse.move(*at(page, "mfcc", 0.6))
    page.wait_for_function(f"() => document.querySelector('.sfa-an-readout').textContent !== {said['mfcc']!r}")


def test_a_click_moves_the_playhead(page: Page) -> None:
    page.mouse.click(*at(page, "energy", 0.25))
    page.wait_for_function(f"() => {ENGINE} && document.querySelector('.sfa-an-ruler').ariaValueNow > 50")
    box = plot(page, "energy").bounding_box()
    assert box is not None
    assert head(page) == pytest.approx(0.25 * box["width"], abs=3)


def test_what_is_marked_reaches_python(page: Page, told: Path) -> None:
    page.mouse.move(*at(page, "grid", 0.5))
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(*at(page, "grid", 0.6), steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    duration = float(page.locator(".sfa-an-ruler").get_attribute("aria-valuemax") or 0)

    def marked() -> Any:  # Python hears of each step of the hand
        known = told.exists() and json.loads(told.read_text() or "null")
        return known and known[1] > 0.59 * duration and known

    start, end = wait_until(marked, "Python knows the range")
    assert (start, end) == pytest.approx((0.5 * duration, 0.6 * duration), abs=1.0)  # on the nearest beats
    page.locator(".sfa-an-over .sfa-an-range").wait_for()
    plot(page, "grid").focus()
    page.keyboard.press("Escape")
    wait_until(lambda: json.loads(told.read_text() or "null") == [], "Python knows that nothing is marked")


def test_a_ruler_marks_without_shift(page: Page, told: Path) -> None:
    box = page.locator(".sfa-an-ruler").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 10, steps=4)
    page.mouse.up()
    wait_until(lambda: json.loads(told.read_text() or "[]") != [], "Python knows the range")
    page.keyboard.press("Escape")
    plot(page, "grid").focus()
    page.keyboard.press("Escape")


def test_zooming_keeps_the_place_under_the_pointer(page: Page) -> None:
    page.mouse.move(*at(page, "energy", 0.5))
    before = readout(page).split(",")[0].split(" ")[0]
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    whole = page.get_by_role("button", name="Whole song")
    page.wait_for_function("() => ![...document.querySelectorAll('.sfa-an-glass button')][0].disabled")
    assert readout(page).split(",")[0].split(" ")[0] == before
    whole.click()
    expect(whole).to_be_disabled()


def test_pictures_can_be_put_away(page: Page) -> None:
    chip = page.get_by_role("group", name="Pictures").get_by_role("button", name="MFCC")
    chip.click()
    assert plot(page, "mfcc").count() == 0
    chip.click()
    plot(page, "mfcc").wait_for()


def test_the_playhead_moves_with_the_sound_and_costs_little(page: Page) -> None:
    page.mouse.click(*at(page, "energy", 0.1))
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"() => {ENGINE}?.playing")
    moments = page.evaluate(
        f"""async () => {{
          const engine = {ENGINE};
          const head = document.querySelector(".sfa-an-over .sfa-an-head");
          const moments = [];
          for (let i = 0; i < 6; i += 1) {{
            await new Promise((done) => setTimeout(done, 150));
            await new Promise((done) => requestAnimationFrame(done));
            moments.push([engine.position, new DOMMatrix(head.style.transform).e]);
          }}
          return moments;
        }}"""
    )
    frame_ms = page.evaluate(
        """async () => {
          // the time that the clock's callback takes, of sixty frames
          const real = window.requestAnimationFrame;
          const costs = [];
          window.requestAnimationFrame = (callback) => real((now) => {
            const start = performance.now();
            callback(now);
            costs.push(performance.now() - start);
          });
          await new Promise((done) => setTimeout(done, 1200));
          window.requestAnimationFrame = real;
          return costs.sort((a, b) => a - b)[Math.floor(costs.length / 2)];
        }"""
    )
    page.get_by_role("button", name="Pause", exact=True).click()
    places, heads = zip(*moments, strict=True)
    assert all(later >= sooner for sooner, later in pairwise(heads))  # by whole pixels
    assert heads[-1] > heads[0]
    box = plot(page, "energy").bounding_box()
    assert box is not None
    duration = float(page.locator(".sfa-an-ruler").get_attribute("aria-valuemax") or 0)
    for place, x in zip(places, heads, strict=True):
        assert x / box["width"] * duration == pytest.approx(place, abs=0.4)
    assert frame_ms < 4  # 2 ms asked, on a machine that does nothing else


def test_a_correction_from_python_is_shown(page: Page) -> None:
    assert "corrected by hand" not in page.locator(".sfa-an-song").first.inner_text()
    page.mouse.click(*at(page, "energy", 0.8))
    page.locator(".sfa-an-corrected").wait_for()
    assert "B minor" in page.locator(".sfa-an-song").first.inner_text()


def test_nothing_complains_and_nothing_leaves_the_machine(watch: Watch) -> None:
    assert watch.complaints == []
    assert watch.refused == []
    assert len(watch.hosts()) == 1


def test_a_song_that_was_not_analysed_offers_to_be(
    launch: Callable[..., Server], home: Path, chromium: Browser
) -> None:
    title = "Let's Go Fishin'"
    show = f"studio.pictures(next(track for track in studio.tracks if track.title == {title!r}))"
    cell = f"from sfa_kernel import Studio\nstudio = Studio.open()\n{show}"
    server = launch("dashboard", home, write_notebook(home.parent / "new.ipynb", cell))
    context = chromium.new_context(viewport={"width": 480, "height": 900}, color_scheme="light")
    watch = Watch(context.new_page())
    page = watch.page
    page.goto(server.url)
    page.get_by_text("Not analysed yet").wait_for()
    page.get_by_role("button", name="Analyse").click()
    page.locator("[data-picture=chroma] canvas").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 480
    # Without room the tools are folded, until somebody wants them.
    fold = page.get_by_role("button", name="Correct by hand")
    expect(page.get_by_role("tab", name="Key")).to_be_hidden()
    fold.click()
    expect(page.get_by_role("tab", name="Key")).to_be_visible()
    expect(fold).to_have_attribute("aria-expanded", "true")
    page.reload()
    expect(page.get_by_role("tab", name="Key")).to_be_visible()
    expect(page.get_by_role("button", name="Clicks")).to_be_hidden()
    assert watch.complaints == []
    context.close()
