"""Correcting an analysis by hand in the dashboard, and hearing it: what the loudspeakers get."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from sfa_kernel.studio import Studio
from tests.browser.conftest import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.server.launch import Server

SAMPLE_RATE = 44100
TEMPO = 120.0
QUIETER = 9.0  # dB: the second half of the song
ENGINE = "globalThis[Symbol.for('sfa.audio')]"


def write_song(path: Path, seconds: float) -> Path:
    """A low drum on each beat over a chord in A minor; the second half is the same, only quieter."""
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    chord = sum(np.sin(2 * np.pi * frequency * time_s) for frequency in (110.0, 220.0, 261.63, 329.63))
    beat = time_s % (60 / TEMPO)
    accent = np.where(time_s % (240 / TEMPO) < 60 / TEMPO, 1.0, 0.6)
    drum = accent * np.sin(2 * np.pi * 60 * beat) * np.exp(-beat * 30)
    song = 0.05 * chord + 0.4 * drum
    song[time_s >= seconds / 2] *= 10 ** (-QUIETER / 20)
    soundfile.write(path, np.column_stack([song, song]).astype(np.float32), SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one analysed song of two sections."""
    root = tmp_path_factory.mktemp("hands")
    with Studio.open(root / "library") as studio:
        songs = studio.add(write_song(root / "Somebody - By Hand.wav", 32.0))
        studio.run(list(songs), stages=("analyze",)).wait()
        (track,) = studio.tracks
        halves = [{"start": start, "end": start + 16.0, "label": "chorus"} for start in (0.0, 16.0)]
        track.correct("grid", tempo=TEMPO, first_beat=0.0)
        track.correct("sections", sections=halves)
    return root / "library"


@pytest.fixture(scope="module")
def server(launch: Callable[..., Server], home: Path) -> Server:
    return launch("dashboard", home)


@pytest.fixture(scope="module")
def studio_page(server: Server, chromium: Browser) -> Iterator[Watch]:
    """The song, open in the studio."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1600}, color_scheme="dark")
    watch = Watch(context.new_page())
    watch.page.goto(server.url)
    yield watch
    context.close()


@pytest.fixture
def page(studio_page: Watch) -> Page:
    page = studio_page.page
    if page.locator(".sfa-ed").count() == 0:
        open_song(page)
    return page


def open_song(page: Page) -> None:
    page.get_by_role("row").filter(has_text="By Hand").dblclick()
    page.get_by_role("region", name="Correct by hand").wait_for()


def tools(page: Page, tab: str) -> Locator:
    region = page.get_by_role("region", name="Correct by hand")
    region.get_by_role("tab", name=tab).click()
    return region


def again(page: Page) -> None:
    """Another page, another kernel: only what the library keeps is left."""
    page.reload()
    page.locator(".sfa-app").wait_for()
    page.get_by_role("navigation", name="Views").get_by_role("button", name="Library").click()
    open_song(page)


def listen(page: Page, seconds: float) -> dict[str, Any]:
    """What the loudspeakers get: samples with the place in the song of each stretch of them."""
    heard: dict[str, Any] = page.evaluate(
        f"""async (seconds) => {{
          const engine = {ENGINE};
          const {{ context, tap }} = engine;
          const size = tap.fftSize;
          const samples = new Float32Array(size);
          const chunks = [];
          const until = context.currentTime + seconds;
          while (context.currentTime < until) {{
            await new Promise((done) => setTimeout(done, 20));
            const before = context.currentTime;
            tap.getFloatTimeDomainData(samples);
            if (context.currentTime !== before) continue; // the clock moved on between the two
            const {{ anchor }} = engine.timeline;
            chunks.push({{ end: anchor.position + before - anchor.time, samples: [...samples] }});
          }}
          return {{ rate: context.sampleRate, chunks }};
        }}""",
        seconds,
    )
    return heard


def level(page: Page, seconds: float) -> float:
    """RMS of what the loudspeakers get, in dB."""
    mean = page.evaluate(
        f"""async (seconds) => {{
          const {{ context, tap }} = {ENGINE};
          const samples = new Float32Array(tap.fftSize);
          const until = context.currentTime + seconds;
          let sum = 0, count = 0;
          while (context.currentTime < until) {{
            await new Promise((done) => setTimeout(done, 20));
            tap.getFloatTimeDomainData(samples);
            sum += samples.reduce((power, x) => power + x * x, 0) / samples.length;
            count += 1;
          }}
          return sum / count;
        }}""",
        seconds,
    )
    return float(10 * np.log10(mean))


def test_a_key_put_right_is_marked_kept_and_taken_back(page: Page) -> None:
    region = tools(page, "Key")
    region.get_by_role("radio", name="C# minor, 12A").click()
    region.get_by_text("Corrected by hand", exact=True).wait_for()
    assert "The analysis had found" in region.inner_text()
    page.locator(".sfa-pl-head .sfa-key").get_by_text("12A").wait_for()
    again(page)
    region = tools(page, "Key")
    assert region.get_by_role("radio", name="C# minor, 12A").get_attribute("aria-checked") == "true"
    assert "Corrected by hand" in region.inner_text()
    region.get_by_role("radio", name="C# minor, 12A").press("Control+z")
    region.get_by_text("Taken back").wait_for()
    assert region.get_by_role("radio", name="C# minor, 12A").get_attribute("aria-checked") == "false"
    again(page)
    assert "Corrected by hand" not in tools(page, "Key").inner_text()


def test_a_grid_moves_at_once_and_stays_where_it_was_put(page: Page) -> None:
    region = tools(page, "Grid")
    beats = "document.querySelector('.sfa-ed-note').innerText"
    for _ in range(3):
        region.get_by_role("button", name="All beats 10 ms later").click()
    assert region.locator("output").inner_text() == "+30 ms"
    page.wait_for_function(f"() => {beats} !== ''")
    again(page)
    region = tools(page, "Grid")
    assert "Corrected by hand" in region.inner_text()
    tempo = region.get_by_role("spinbutton", name="Tempo in beats per minute")
    tempo.fill("124.5")
    tempo.press("Enter")
    page.locator(".sfa-pl-head").get_by_text("124.5").wait_for()
    for _ in range(2):
        region.get_by_role("button", name="Undo").click()
        region.get_by_text("Taken back").wait_for()
    page.locator(".sfa-pl-head").get_by_text("120.0").wait_for()


def test_a_cue_of_ones_own_comes_and_goes(page: Page) -> None:
    region = tools(page, "Cues")
    region.get_by_role("textbox", name="Label of the new cue").fill("Hands up")
    region.get_by_role("button", name="Add at the playhead").click()
    page.locator(".sfa-pl-cues").get_by_text("Hands up").wait_for()
    region.get_by_role("button", name="Remove Hands up").click()
    page.locator(".sfa-pl-cues").get_by_text("Hands up").wait_for(state="detached")
    region.get_by_role("button", name="Undo").click()
    page.locator(".sfa-pl-cues").get_by_text("Hands up").wait_for()


def test_clicks_fall_on_the_beats(page: Page) -> None:
    hear = page.get_by_role("region", name="Hear it")
    hear.get_by_role("button", name="Clicks").click()
    page.get_by_role("group", name="Transport").get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"() => {ENGINE}?.playing")
    times = clicks(listen(page, 2.5))
    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("button", name="Library").click()
    page.wait_for_timeout(300)
    elsewhere = clicks(listen(page, 1.2))
    views.get_by_role("button", name="Studio").click()
    hear.get_by_role("button", name="Clicks").click()
    silent = clicks(listen(page, 1.2))
    page.get_by_role("group", name="Transport").get_by_role("button", name="Pause", exact=True).click()
    period = 60 / TEMPO
    assert len(times) >= 3
    np.testing.assert_allclose(times, np.round(np.array(times) / period) * period, atol=0.005)
    assert silent == []
    assert elsewhere == []  # where nobody could switch them off


def clicks(heard: dict[str, Any]) -> list[float]:
    """Places in the song, in s, where a click begins: nothing of the song itself is as high."""
    rate = heard["rate"]
    found: list[float] = []
    for chunk in heard["chunks"]:
        high = np.abs(np.diff(np.asarray(chunk["samples"]), 2))
        (loud,) = np.nonzero(high > 0.004)
        # One that began before the stretch would look late.
        if len(loud) and loud[0] > 0.02 * rate:
            found.append(chunk["end"] - (len(chunk["samples"]) - loud[0]) / rate)
    starts: list[float] = []
    for time in sorted(found):
        if not starts or time - starts[-1] > 0.1:
            starts.append(time)
    return starts


def test_two_sections_are_heard_at_one_level_and_without_a_gap(page: Page) -> None:
    hear = page.get_by_role("region", name="Hear it")
    assert re.search(r"A is (8|9)\.\d dB louder: it plays lower by that", hear.inner_text())
    levels = {}
    for match in (True, False):
        for name in ("A", "B"):
            hear.get_by_role("button", name=name, exact=True).click()
            page.wait_for_function(f"() => {ENGINE}?.playing")
            page.wait_for_timeout(200)  # both sections are heard where they are steady
            levels[match, name] = level(page, 2.0)
        hear.get_by_role("button", name="Match levels").click()
    gap = page.evaluate(
        f"""async () => {{
          const {{ tap }} = {ENGINE};
          const button = [...document.querySelectorAll(".sfa-he-ab")];
          const samples = new Float32Array(tap.fftSize);
          let least = Infinity;
          for (let i = 0; i < 6; i += 1) {{
            button[i % 2].click();
            for (let j = 0; j < 6; j += 1) {{
              await new Promise((done) => setTimeout(done, 12));
              tap.getFloatTimeDomainData(samples);
              least = Math.min(least, Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
            }}
          }}
          return least;
        }}"""
    )
    page.get_by_role("group", name="Transport").get_by_role("button", name="Pause", exact=True).click()
    assert abs(levels[True, "A"] - levels[True, "B"]) < 1.0
    assert levels[False, "A"] - levels[False, "B"] == pytest.approx(QUIETER, abs=1.5)
    assert gap > 0.2 * 10 ** (levels[True, "B"] / 20)


def test_nothing_complained(studio_page: Watch, server: Server) -> None:
    assert studio_page.hosts() == {server.base.removeprefix("http://")}
    assert studio_page.complaints == []
