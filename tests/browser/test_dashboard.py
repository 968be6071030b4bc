"""The dashboard as a person uses it, on both servers: see, open, play, mute, add, leave."""

from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from sfa_kernel.resources import folder
from sfa_kernel.studio import Studio
from tests.browser.conftest import Watch
from tests.server.launch import Server, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SAMPLE_RATE = 44100
ENGINE = "globalThis[Symbol.for('sfa.audio')]"


def write_song(path: Path, seconds: float, *, bass: float = 65.4) -> Path:
    """A drum on each beat at 120 a minute, a held bass, and a lead in every other second."""
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    lead = 0.15 * np.sin(2 * np.pi * 523.25 * time_s) * (np.floor(time_s) % 2 == 0)
    noise = np.random.default_rng(0).standard_normal(time_s.size)
    drum = 0.25 * noise * np.exp(-(time_s % 0.5) * 90)
    song = 0.25 * np.sin(2 * np.pi * bass * time_s) + drum + lead
    soundfile.write(path, np.column_stack([song, song]).astype(np.float32), SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one song, ready to play with its stems."""
    root = tmp_path_factory.mktemp("dashboard")
    with Studio.open(root / "library") as studio:
        songs = studio.add(write_song(root / "Somebody - Twelve Seconds.wav", 12.0))
        studio.run(list(songs)).wait()
    return root / "library"


@pytest.fixture(scope="module", params=["voila", "lab"])
def surface(
    request: pytest.FixtureRequest,
    launch: Callable[..., Server],
    home: Path,
    chromium: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Server, Watch]]:
    """The dashboard, open in the page of `sfa app`, and in a cell of `sfa lab`."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, color_scheme="dark")
    watch = Watch(context.new_page())
    notebook = folder("voila_apps") / "dashboard.ipynb"
    if request.param == "voila":
        server = launch("dashboard", home)
        watch.page.goto(server.url)
    else:
        copy = tmp_path_factory.mktemp("notebooks") / notebook.name
        shutil.copy(notebook, copy)
        server = launch("jupyter", home, notebook=copy)
        watch.page.goto(server.url)
        watch.page.locator(".jp-CodeCell .cm-content").click()
        watch.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        watch.page.keyboard.press("Shift+Enter")
    watch.page.locator(".sfa-app").wait_for()
    yield server, watch
    context.close()


@pytest.fixture
def page(surface: tuple[Server, Watch]) -> Page:
    return surface[1].page


def row(page: Page, title: str) -> Any:
    return page.get_by_role("row").filter(has_text=title)


def show(page: Page, view: str) -> None:
    page.get_by_role("navigation", name="Views").get_by_role("button", name=view).click()


def engine(page: Page, expression: str) -> Any:
    return page.evaluate(f"(() => {{ const engine = {ENGINE}; return {expression}; }})()")


def play(page: Page) -> None:
    """Open the song in the studio, and play it from its start."""
    show(page, "Library")
    row(page, "Twelve Seconds").dblclick()
    transport = page.get_by_role("group", name="Transport")
    page.locator(".sfa-pl-overview canvas").wait_for()
    transport.get_by_role("slider", name="Position in the song").click(position={"x": 1, "y": 10})
    transport.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"() => {ENGINE}?.playing && {ENGINE}.roles.length === 5")


def pause(page: Page) -> None:
    page.get_by_role("group", name="Transport").get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_function(f"() => !{ENGINE}.playing")


def quietest(page: Page) -> float:
    """RMS of the quietest moment among what the loudspeakers get in 1.2 s: drum and lead leave gaps, the bass none."""
    return float(
        page.evaluate(
            f"""async () => {{
              const tap = {ENGINE}.tap;
              await new Promise((done) => setTimeout(done, 150)); // gains move without a click, in a few dozen ms
              const samples = new Float32Array(tap.fftSize);
              const until = performance.now() + 1200;
              let least = Infinity;
              while (performance.now() < until) {{
                await new Promise((done) => setTimeout(done, 20));
                tap.getFloatTimeDomainData(samples);
                least = Math.min(least, Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
              }}
              return least;
            }}"""
        )
    )


def test_the_library_shows(page: Page) -> None:
    song = row(page, "Twelve Seconds")
    song.wait_for()
    text = song.inner_text()
    assert "Somebody" in text
    assert re.search(r"\n\d+\.\d\n\d{1,2}[AB]\n", text)  # tempo and key
    assert "0:12" in text
    assert "Ready" in text


def test_clock_sound_and_playhead_move_together(page: Page) -> None:
    play(page)
    moments = page.evaluate(
        f"""async () => {{
          const engine = {ENGINE};
          const canvas = document.querySelector(".sfa-pl-overview canvas");
          const moments = [];
          for (let i = 0; i < 8; i += 1) {{
            await new Promise((done) => setTimeout(done, 150));
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            const {{ width, height }} = canvas;
            const copy = Object.assign(document.createElement("canvas"), {{ width, height }});
            const drawing = copy.getContext("2d", {{ willReadFrequently: true }});
            drawing.drawImage(canvas, 0, 0);
            const pixels = drawing.getImageData(0, 0, width, height).data;
            // The playhead is the one column that is bright from top to bottom.
            let best = 0, column = -1;
            for (let x = 0; x < width; x += 1) {{
              let bright = 0;
              for (let y = 0; y < height; y += 1) {{
                const at = 4 * (y * width + x);
                bright += Math.min(pixels[at], pixels[at + 1], pixels[at + 2]) > 200 ? 1 : 0;
              }}
              if (bright > best) [best, column] = [bright, x];
            }}
            // The audio thread may move on between two readings: take a pair that belongs together.
            let clock, position;
            do {{
              clock = engine.context.currentTime;
              position = engine.position;
            }} while (clock !== engine.context.currentTime);
            moments.push({{
              clock,
              position,
              heard: engine.heard,
              playhead: (column / width) * engine.duration,
            }});
          }}
          return moments;
        }}"""
    )
    pause(page)
    clock, position, heard, playhead = (
        np.array([moment[name] for moment in moments]) for name in ("clock", "position", "heard", "playhead")
    )
    assert position[-1] - position[0] > 1.0
    np.testing.assert_allclose(np.diff(position), np.diff(clock), atol=0.002)
    np.testing.assert_allclose(playhead, heard, atol=0.1)
    stopped = engine(page, "engine.position")
    page.wait_for_timeout(200)  # nothing shall happen in it
    assert engine(page, "engine.position") == stopped


def test_muting_a_stem_changes_the_sound(page: Page) -> None:
    play(page)
    stems = page.get_by_role("region", name="Stems")
    stems.get_by_role("button", name="Stems", exact=True).click()
    with_bass = quietest(page)
    stems.get_by_role("button", name="Mute Bass").click()
    without_bass = quietest(page)
    stems.get_by_role("button", name="Mute Bass").click()
    again = quietest(page)
    pause(page)
    assert with_bass > 0.1
    assert without_bass < 0.1 * with_bass
    assert again == pytest.approx(with_bass, rel=0.2)


def test_an_added_song_is_worked_on_while_one_watches(page: Page, tmp_path: Path) -> None:
    show(page, "Library")
    song = write_song(tmp_path / f"Nobody - Fresh {time.time_ns()}.wav", 60.0, bass=40 + time.time_ns() % 1000 / 50)
    title = song.stem.removeprefix("Nobody - ")
    page.locator("input[type=file]").set_input_files(song)
    fresh = row(page, title)
    fresh.wait_for()
    seen: list[int] = []

    def finished() -> bool:
        text, progress = fresh.evaluate(
            "(row) => [row.innerText, row.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')]"
        )
        if progress is not None and int(progress) not in seen:
            seen.append(int(progress))
        return "Ready" in text

    wait_until(finished, f"{title} is ready", deadline=90)
    moved = [value for value in seen if 0 < value < 100]
    assert len(moved) >= 3, seen


def test_nothing_left_the_machine_and_nothing_complained(surface: tuple[Server, Watch]) -> None:
    server, watch = surface
    assert watch.hosts() == {server.base.removeprefix("http://")}
    assert any("/sfa/audio/" in url for url in watch.requests)
    assert watch.refused == []
    assert watch.complaints == []


def test_leaving_the_dashboard_ends_its_kernel(surface: tuple[Server, Watch]) -> None:
    server, watch = surface
    kernel = watch.kernel_id() if server.kind == "dashboard" else ""
    (process,) = (p for p in server.kernels() if any(kernel in word for word in p.cmdline()))
    if server.kind == "dashboard":
        watch.page.goto("about:blank")
    else:
        tab = watch.page.locator(".lm-DockPanel-tabBar .lm-mod-current")
        watch.page.locator("[data-jp-item-name=save]").click()
        watch.page.locator(".lm-DockPanel-tabBar .lm-mod-current:not(.jp-mod-dirty)").wait_for()
        tab.locator(".lm-TabBar-tabCloseIcon").click()
    wait_until(lambda: not process.is_running(), "the kernel has ended")
