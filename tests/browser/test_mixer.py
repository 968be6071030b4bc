"""The stem mixer as a person uses it, on stems of the draft: what is heard, what is drawn, what Python knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect
from scipy.signal import sosfilt

from sfa_kernel.analysis.loudness import k_weighting
from sfa_kernel.studio import Studio
from tests.browser.conftest import Watch
from tests.server.launch import wait_until, write_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Locator, Page

    from tests.server.launch import Server

SAMPLE_RATE = 44100
ENGINE = "globalThis[Symbol.for('sfa.audio')]"

# What the person's Python knows is written beside the library; late in the song it sets a stem.
CELL = """
import json, pathlib
from sfa_kernel import Studio

studio = Studio.open()
(track,) = studio.tracks
mixer = studio.mixer(track)
place = pathlib.Path({told!r})
mixer.observe(lambda change: place.write_text(json.dumps(change["new"])), "mix")
quiet = {{"drums": {{"fader": -12, "pan": 0.5}}}}
mixer.observe(lambda change: change["new"] > 11 and mixer.set_trait("mix", quiet), "position")
mixer
"""


def write_song(path: Path) -> Path:
    """A drum on each beat at 120 a minute over a held bass and chord, and a lead in every other second."""
    time_s = np.arange(12 * SAMPLE_RATE) / SAMPLE_RATE
    chord = 0.05 * sum(np.sin(2 * np.pi * frequency * time_s) for frequency in (220.0, 330.0, 440.0))
    lead = 0.12 * np.sin(2 * np.pi * 880 * time_s + 4 * np.sin(2 * np.pi * 5 * time_s)) * (np.floor(time_s) % 2 == 0)
    drum = 0.25 * np.random.default_rng(0).standard_normal(time_s.size) * np.exp(-(time_s % 0.5) * 60)
    middle = 0.2 * np.sin(2 * np.pi * 65.4 * time_s) + drum + lead
    soundfile.write(path, np.column_stack([middle + chord, middle + 0.6 * chord]).astype(np.float32), SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song with all its stems in use, its vocals from a second separation, and a preview of its middle."""
    root = tmp_path_factory.mktemp("mixer")
    with Studio.open(root / "library") as studio:
        (song,) = studio.add(write_song(root / "Somebody - Twelve Seconds.wav"))
        studio.run(song).wait()
        studio.separate(song, stems=["vocals"]).wait()
        studio.separate(song, region=(4.0, 9.0)).wait()
        song.separations[-1].use()
    return root / "library"


@pytest.fixture(scope="module")
def told(home: Path) -> Path:
    return home.parent / "mix.json"


@pytest.fixture(scope="module")
def watch(launch: Callable[..., Server], home: Path, told: Path, chromium: Browser) -> Iterator[Watch]:
    """The mixer in a page of its own, loaded and at rest."""
    notebook = write_notebook(home.parent / "mixer.ipynb", CELL.format(told=str(told)))
    server = launch("dashboard", home, notebook)
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, color_scheme="dark")
    watch = Watch(context.new_page())
    watch.page.goto(server.url)
    watch.page.locator(".sfa-stem-row canvas").first.wait_for()
    yield watch
    context.close()


@pytest.fixture
def page(watch: Watch) -> Iterator[Page]:
    """As it was made, from the beginning."""
    page = watch.page
    reset = page.get_by_role("button", name="Reset")
    if reset.is_visible():
        reset.click()
    seek(page, 0)
    yield page
    page.evaluate(f"{ENGINE}.pause(), {ENGINE}.setLoop(null)")


def seek(page: Page, seconds: float) -> None:
    page.evaluate(f"{ENGINE}.seek({seconds})")


def play(page: Page, *, sources: int = 5, loop: tuple[float, float] | None = None) -> None:
    """Play, with every stem loaded, levels measured."""
    if not page.evaluate(f"{ENGINE}.playing"):
        page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"() => {ENGINE}?.playing && {ENGINE}.roles.length === {sources}")
    if loop:
        page.evaluate(f"{ENGINE}.setLoop({{start: {loop[0]}, end: {loop[1]}}})")
        page.wait_for_function(f"() => {ENGINE}.position > {loop[0]} + 0.1")


def row(page: Page, stem: str) -> Locator:
    return page.get_by_role("group", name=stem, exact=True)


def fold_sets(page: Page, fold: bool) -> None:
    """Open or close the list of the sets."""
    button = page.locator(".sfa-sets-button")
    if (button.get_attribute("aria-expanded") == "true") == fold:
        button.click()


def heard(page: Page, meanwhile: str = "", seconds: float = 0.6) -> NDArray[np.float64]:
    """What the loudspeakers got just now, all of it [shape=(channels, n)]; something may happen in its middle."""
    samples = page.evaluate(
        f"""async () => {{
          const engine = {ENGINE};
          const {{ context, tap }} = engine;
          const split = context.createChannelSplitter(2);
          tap.connect(split);
          const ears = [0, 1].map((channel) => {{
            const ear = Object.assign(context.createAnalyser(), {{ fftSize: 32768 }});
            split.connect(ear, channel);
            return ear;
          }});
          const pass = async (seconds) => {{
            const until = context.currentTime + seconds;
            while (context.currentTime < until) await new Promise((done) => setTimeout(done, 5));
          }};
          await pass({seconds / 2 + 0.2});
          (() => {{ {meanwhile} }})();
          await pass({seconds / 2});
          const heard = ears.map((ear) => {{
            const samples = new Float32Array(ear.fftSize);
            ear.getFloatTimeDomainData(samples);
            return Array.from(samples.slice(-Math.round({seconds} * context.sampleRate)));
          }});
          tap.disconnect(split);
          return heard;
        }}"""
    )
    return np.array(samples)


def rate(page: Page) -> int:
    return int(page.evaluate(f"{ENGINE}.context.sampleRate"))


def press(label: str) -> str:
    """JavaScript that presses a button."""
    return f"document.querySelector('[aria-label=\"{label}\"]').click()"


def listen(which: str) -> str:
    buttons = "[...document.querySelectorAll('.sfa-switch button')]"
    return f"{buttons}.find((each) => each.textContent === '{which}').click()"


def residual_db(samples: NDArray[np.float64], period: int) -> float:
    """How far a sound that repeats is from its own repetition, in dB."""
    difference = samples[:, period:] - samples[:, :-period]
    return float(10 * np.log10(np.mean(difference**2) / np.mean(samples**2) + 1e-20))


def test_song_and_stems_change_without_a_gap(page: Page) -> None:
    period = 0.25
    play(page, loop=(2.0, 2.0 + period))
    for which in ("Stems", "Song"):
        samples = heard(page, listen(which))
        # The stems sum to the song, so the sound goes on as if nothing had happened.
        assert residual_db(samples, round(period * rate(page))) < -50


def test_what_is_compared_is_equally_loud(page: Page) -> None:
    play(page, loop=(2.75, 3.25))  # with the lead and without it, as the whole song
    row(page, "Bass").get_by_role("button", name="Mute Bass").click()
    match = page.locator(".sfa-match")
    expect(match).to_contain_text("song −")

    def loudness(which: str) -> float:
        page.evaluate(listen(which))
        heard(page)  # the gains have settled
        weighted = sosfilt(k_weighting(rate(page)), heard(page))
        once = weighted[:, -round(0.5 * rate(page)) :]  # the loop, from wherever to there again
        return float(10 * np.log10(np.sum(np.mean(once**2, axis=1))))

    with_match = loudness("Song") - loudness("Stems")
    match.click()
    without = loudness("Song") - loudness("Stems")
    match.click()
    print(f"song louder than stems by {without:.2f} dB, matched {with_match:.2f} dB; {match.inner_text()}")
    assert without > 2
    assert abs(with_match) < 1


def test_a_stem_of_another_set_is_in_step_to_the_sample(page: Page) -> None:
    fold_sets(page, False)
    page.get_by_role("button", name="Compare with").click()
    fold_sets(page, True)
    period = 0.25
    play(page, sources=7, loop=(2.0, 2.0 + period))
    row(page, "Vocals").get_by_role("button", name="Solo Vocals").click()
    heard(page)
    # Both separations found the same vocals: one sample beside each other they would differ by -18 dB.
    samples = heard(page, press("Vocals from set B"))
    assert np.sqrt(np.mean(samples**2)) > 0.01
    assert residual_db(samples, round(period * rate(page))) < -50
    second = row(page, "Vocals").get_by_role("button", name="Vocals from set B")
    expect(second).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="All B").click()
    expect(row(page, "Rest").get_by_text("Not in this set")).to_be_hidden()
    expect(row(page, "Bass").get_by_text("Not in this set")).to_be_visible()
    page.get_by_role("button", name="End the comparison").click()
    expect(page.locator(".sfa-stem-row")).to_have_count(4)


def test_a_stem_goes_to_its_side(page: Page) -> None:
    play(page, loop=(2.0, 2.5))
    row(page, "Bass").get_by_role("button", name="Solo Bass").click()
    level = page.get_by_role("slider", name="Level of Bass")
    for _ in range(10):
        level.press("Shift+ArrowRight")
    expect(page.get_by_role("slider", name="Pan of Bass")).to_have_attribute("aria-valuetext", "100 % right")
    heard(page)
    left, right = np.sqrt(np.mean(heard(page) ** 2, axis=1))
    assert right > 0.05
    assert left < 0.01 * right


def test_a_waveform_is_as_tall_as_its_stem_is_loud(page: Page) -> None:
    def height() -> float:
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return float(
            page.evaluate(
                """() => {
                  const canvas = document.querySelector("[aria-label=Drums] canvas");
                  const { width, height } = canvas;
                  const wide = Math.floor(width / 2); // the half without the playhead
                  const copy = Object.assign(document.createElement("canvas"), { width, height });
                  const drawing = copy.getContext("2d", { willReadFrequently: true });
                  drawing.drawImage(canvas, 0, 0);
                  const { data } = drawing.getImageData(wide, 0, wide, height);
                  const rows = Array.from({ length: height }, (_, y) =>
                    data.subarray(4 * y * wide, 4 * (y + 1) * wide).some((value, i) => i % 4 === 3 && value > 60));
                  return rows.filter(Boolean).length / height;
                }"""
            )
        )

    full = height()
    level = page.get_by_role("slider", name="Level of Drums")
    while "−1" not in (level.get_attribute("aria-valuetext") or ""):  # by a fader's step to −10 dB and something
        level.press("ArrowDown")
    text = (level.get_attribute("aria-valuetext") or "").removesuffix(" dB").replace("−", "-")
    assert height() == pytest.approx(full * 10 ** (float(text) / 20), abs=0.06)
    level.press("Delete")
    assert height() == pytest.approx(full, abs=0.02)


def test_the_frames_of_four_stems_cost_little(page: Page) -> None:
    page.get_by_role("button", name="Stems", exact=True).click()
    play(page)
    frame_ms = page.evaluate(
        """async () => {
          // the time that the clock's callback takes, while a fader moves
          const real = window.requestAnimationFrame;
          const costs = [];
          const engine = globalThis[Symbol.for("sfa.audio")];
          window.requestAnimationFrame = (callback) => real((now) => {
            engine.setStem(engine.trackId, "drums", { fader: 0.6 + 0.2 * Math.sin(now / 200) });
            const start = performance.now();
            callback(now);
            costs.push(performance.now() - start);
          });
          await new Promise((done) => setTimeout(done, 1500));
          window.requestAnimationFrame = real;
          return costs.sort((a, b) => a - b)[Math.floor(costs.length / 2)];
        }"""
    )
    print(f"median frame: {frame_ms:.2f} ms")
    assert frame_ms < 4  # of the 16 that there are


def test_python_knows_the_mix_and_sets_it(page: Page, told: Path) -> None:
    def mix() -> Any:
        return json.loads(told.read_text() or "{}") if told.exists() else {}

    row(page, "Vocals").get_by_role("button", name="Mute Vocals").click()
    wait_until(lambda: mix().get("vocals", {}).get("muted"), "Python knows that the vocals are muted")
    assert set(mix()) == {"vocals", "drums", "bass", "other"}
    page.get_by_role("slider", name="Position in the song").click(position={"x": 740, "y": 10})
    expect(page.get_by_role("slider", name="Level of Drums")).to_have_attribute("aria-valuetext", "−12.0 dB")
    expect(page.get_by_role("slider", name="Pan of Drums")).to_have_attribute("aria-valuetext", "50 % right")
    expect(row(page, "Vocals").get_by_role("button", name="Mute Vocals")).to_have_attribute("aria-pressed", "false")


def test_a_preview_plays_its_part_and_leads_back(page: Page) -> None:
    fold_sets(page, False)
    page.get_by_role("button", name="Open the preview").click()
    fold_sets(page, True)
    bar = page.locator(".sfa-sets-bar[role=status]")
    expect(bar).to_contain_text("Preview 0:04–0:09")
    play(page)
    assert 4 <= page.evaluate(f"{ENGINE}.position") < 9
    seek(page, 8.7)
    page.wait_for_function(f"() => !{ENGINE}.playing")  # its end
    assert page.evaluate(f"{ENGINE}.position") == pytest.approx(9, abs=0.05)
    page.get_by_role("button", name="Back to the song").click()
    expect(bar).to_be_hidden()
    play(page)
    assert page.evaluate(f"{ENGINE}.duration") == pytest.approx(12, abs=0.1)


def test_a_set_is_judged_removed_and_brought_back(page: Page) -> None:
    fold_sets(page, False)
    sets = page.get_by_role("region", name="Sets of stems").locator("li:has(.sfa-set)")
    expect(sets).to_have_count(3)
    sets.first.get_by_role("button", name="Quality").click()
    expect(sets.first.locator("table")).to_contain_text("Share of the energy")
    sets.first.get_by_role("button", name="Remove").click()
    expect(sets).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(sets).to_have_count(3)
    fold_sets(page, True)


@pytest.mark.parametrize("width", [480, 1400])
def test_it_fits(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    fold_sets(page, False)
    wide = page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll(".sfa-player, .sfa-player *")]
          .filter((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX !== "visible"
            && getComputedStyle(part).textOverflow !== "ellipsis")
          .map((part) => part.className)"""
    )
    assert wide == []
    fold_sets(page, True)
    page.set_viewport_size({"width": 1400, "height": 900})


def test_nothing_complained(watch: Watch) -> None:
    assert watch.refused == []
    assert watch.complaints == []
