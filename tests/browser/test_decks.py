"""Two decks and a mixer in a real page: what the loudspeakers get, sample by sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect
from scipy.signal import correlate

from sfa_kernel.studio import Studio
from tests.browser.cells import Cells, cells_of
from tests.browser.conftest import Watch
from tests.browser.records import (
    CELL,
    CLICKS,
    DECKS,
    HERTZ,
    NOISE,
    REMEMBER,
    TONE,
    WHITE,
    Desk,
    above,
    add_record,
    apart,
    band,
    cents,
    decibels,
    jump,
    level,
    noise,
    onsets,
    pitch,
)
from tests.server.launch import wait_until, write_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.server.launch import Server


@pytest.fixture(scope="module")
def server(launch: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("decks")
    with Studio.open(folder / "library") as studio:
        add_record(studio, folder / "One.wav", bpm=120, side=0)
        add_record(studio, folder / "Two.wav", bpm=127.35, side=1)
    return launch("dashboard", folder / "library", write_notebook(folder / "decks.ipynb", CELL))


@pytest.fixture(scope="module")
def watch(server: Server, chromium: Browser) -> Iterator[Watch]:
    """The decks in a page of their own, which was clicked once."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1000}, color_scheme="dark")
    context.add_init_script(REMEMBER)
    watch = Watch(context.new_page())
    watch.page.goto(server.url)
    watch.page.locator(".sfa-dk-deck").first.wait_for()
    watch.page.mouse.click(5, 5)
    yield watch
    context.close()


@pytest.fixture(scope="module")
def cells(server: Server, watch: Watch) -> Iterator[Cells]:
    with cells_of(server, watch.kernel_id()) as cells:
        yield cells


@pytest.fixture(scope="module")
def loaded(watch: Watch, cells: Cells) -> Desk:
    desk = Desk(watch.page)
    ids = cells("{track.title: str(track.id) for track in studio.tracks}")
    desk.load(1, ids["One"])
    desk.load(2, ids["Two"])
    return desk


@pytest.fixture
def desk(loaded: Desk) -> Desk:
    """Both records in, as they were when they came; nothing plays."""
    loaded.reset()
    return loaded


def test_synced_records_stay_together(desk: Desk) -> None:
    """120 and 127.35 BPM, each on a side of its own, through a change of tempo and a loop."""
    with desk.listen() as sound:
        desk.set(("deck.1.play", 1), ("deck.2.sync", 1), ("deck.2.play", 1))
        desk.wait(2)
        desk.set(("deck.1.tempo", 126))
        desk.wait(2)
        desk.set(("deck.2.loop.set", 2))
        desk.wait(2)
        desk.set(("deck.2.loop.active", 0))
        desk.wait(1)
    one, two = (onsets(side, sound.rate) for side in sound.samples)
    assert one.size == two.size > 13
    assert np.diff(one)[-4:] == pytest.approx(60 / 126, abs=0.001)
    assert np.abs(apart(one, two)).max() < 0.005


@pytest.mark.parametrize(
    ("changes", "semitones"),
    [
        ({"pitch": 8}, 0),
        ({"key_shift": 3}, 3),
        ({"pitch": -8, "key_shift": -2}, -2),
        ({"pitch": 8, "keylock": 0}, None),
    ],
)
def test_keys_stay_and_are_shifted_exactly(desk: Desk, changes: dict[str, float], semitones: float | None) -> None:
    desk.set(
        *((f"deck.1.{name}", value) for name, value in changes.items()), ("deck.1.seek", TONE + 1), ("deck.1.play", 1)
    )
    desk.wait(0.4)
    with desk.listen() as sound:
        desk.wait(1)
    wanted = HERTZ * (1.08 if semitones is None else 2 ** (semitones / 12))
    assert abs(cents(pitch(sound.samples[0], sound.rate), wanted)) < 5


def test_jumps_go_where_they_should(desk: Desk, cells: Cells) -> None:
    song = noise()

    def jumped(*changes: tuple[str, float]) -> tuple[float, float, float]:
        with desk.listen() as sound:
            desk.wait(0.3)
            desk.set(*changes)
            desk.wait(0.3)
        left, on, between = jump(sound.samples[0], song)
        assert between < 0.005
        return left + NOISE, on + NOISE, on - left

    cells(f"studio.deck(1).set_hotcue(2, {NOISE + 1.123})\n1")
    desk.page.wait_for_function(f"() => {DECKS}.song(1).hotCues[1]")
    desk.set(("deck.1.quantize", 0), ("deck.1.seek", NOISE + 4), ("deck.1.play", 1))
    desk.wait(0.1)
    _, on, _ = jumped(("deck.1.seek", NOISE + 7))
    assert on == pytest.approx(NOISE + 7, abs=0.005)
    _, on, _ = jumped(("deck.1.hotcue.2.press", 1), ("deck.1.hotcue.2.press", 0))
    assert on == pytest.approx(NOISE + 1.123, abs=0.005)
    # On the beat: a jump by beats keeps its place among them.
    desk.set(("deck.1.quantize", 1))
    _, _, by = jumped(("deck.1.beatjump", 8))
    assert by == pytest.approx(4, abs=0.0005)


def test_a_loop_is_as_long_as_it_says(desk: Desk) -> None:
    desk.set(("deck.1.seek", NOISE + 2), ("deck.1.play", 1))
    desk.wait(0.1)
    desk.set(("deck.1.loop.set", 0.5))
    desk.page.wait_for_function(f"() => {DECKS}.stand(1).loopActive")
    loop = desk.stand(1)["loop"]
    assert loop["end"] - loop["start"] == pytest.approx(0.25, abs=1e-6)
    desk.wait(0.3)
    with desk.listen() as sound:
        desk.wait(0.6)
    samples, period = sound.samples[0], round(0.25 * sound.rate)
    assert decibels(np.std(samples[period:] - samples[:-period]) / np.std(samples)) < -60


@pytest.mark.parametrize("changes", [{}, {"pitch": 8}, {"pitch": 8, "keylock": 0}])
def test_a_loop_of_a_tone_does_not_click(desk: Desk, changes: dict[str, float]) -> None:
    """Its ends meet in the worst of ways: half a wave apart."""
    desk.set(
        *((f"deck.1.{name}", value) for name, value in changes.items()), ("deck.1.seek", TONE + 1), ("deck.1.play", 1)
    )
    desk.set(("deck.1.loop.set", 0.125))
    desk.wait(0.5)
    with desk.listen() as sound:
        desk.wait(0.6)
    assert level(sound.samples[0]) > -20
    assert above(sound.samples[0], sound.rate, 5 * HERTZ) < -60


def test_the_crossfader_follows_its_curves(desk: Desk) -> None:
    desk.set(("deck.1.seek", TONE + 1), ("deck.1.play", 1), ("deck.1.loop.set", 1))
    places = (-1.0, -0.5, 0.0, 0.5, 1.0)

    def gains(curve: str) -> list[float]:
        desk.set(("mixer.crossfader_curve", curve))
        found = []
        for position in places:
            desk.set(("mixer.crossfader", position))
            desk.wait(0.08)
            with desk.listen() as sound:
                desk.wait(0.05)
            found.append(10 ** (level(sound.samples[0]) / 20))
        return [gain / found[0] for gain in found]

    right = (np.array(places) + 1) / 2
    assert gains("power") == pytest.approx(np.cos(right * np.pi / 2), abs=0.01)
    assert gains("linear") == pytest.approx(1 - right, abs=0.01)
    assert gains("cut") == pytest.approx([1, 1, 1, 1, 0], abs=0.01)


def test_kills_take_their_band_away_and_no_other(desk: Desk) -> None:
    bands = {"low": (30, 120), "mid": (500, 1250), "high": (5000, 12000)}
    desk.set(("deck.1.seek", WHITE + 0.5), ("deck.1.play", 1), ("deck.1.loop.set", 1))

    def levels() -> dict[str, float]:
        desk.wait(0.15)
        with desk.listen() as sound:
            desk.wait(0.5)
        once = sound.samples[0][-round(0.5 * sound.rate) :]  # the loop, from wherever to there again
        return {name: band(once, sound.rate, *edges) for name, edges in bands.items()}

    whole = levels()
    for killed in bands:
        desk.set((f"deck.1.kill.{killed}", 1))
        heard = levels()
        desk.set((f"deck.1.kill.{killed}", 0))
        assert heard[killed] - whole[killed] < -40
        assert all(abs(heard[other] - whole[other]) < 1 for other in bands if other != killed)


def test_nothing_leaves_the_mixer_over_full_scale(desk: Desk) -> None:
    loud = [(f"deck.{deck}.gain", 12) for deck in (1, 2)]
    desk.set(
        *loud,
        ("mixer.master", 6),
        ("deck.1.seek", WHITE),
        ("deck.2.seek", CLICKS),
        ("deck.2.play", 1),
        ("deck.1.play", 1),
    )
    with desk.listen() as sound:
        desk.wait(1)
        desk.set(("deck.2.seek", TONE), ("deck.1.seek", TONE))
        desk.wait(0.5)
    assert 0.7 < np.abs(sound.samples).max() < 1


def test_a_recording_is_what_was_heard_and_its_script_renders_the_same(
    desk: Desk, cells: Cells, tmp_path: Path
) -> None:
    page = desk.page
    page.evaluate(f"() => {{ {DECKS}.recording.format = 'wav'; }}")
    cells("before = len(studio.scripts)\nstudio.decks().record_script()\n1")
    page.wait_for_function(f"() => {DECKS}.script.recording")
    with desk.listen() as sound:
        page.get_by_role("button", name="Record the master").click()
        desk.wait(0.2)
        desk.set(("deck.1.play", 1), ("deck.2.sync", 1), ("deck.2.play", 1))
        desk.wait(1.2)
        desk.set(("deck.1.tempo", 126), ("deck.1.eq.low", -12))
        desk.wait(0.5)
        desk.set(("deck.2.loop.set", 1))
        cells("studio.decks().mixer.crossfade(0.5)\n1")
        desk.wait(0.8)
        desk.set(("deck.1.play", 0), ("deck.2.play", 0))
        desk.wait(0.2)
        page.get_by_role("button", name="Record the master").click()
        page.wait_for_function(f"() => !{DECKS}.recording.on")
    cells("studio.decks().record_script(False)\n1")
    path = wait_until(
        lambda: cells("next((str(track.path) for track in studio.tracks if track.title.startswith('Mix of')), None)"),
        "the recording is a song of the library",
    )
    recorded = soundfile.read(path, always_2d=True)[0].T
    assert recorded.shape[1] > 2 * sound.rate
    at = int(np.argmax(correlate(sound.samples[0], recorded[0], mode="valid")))
    assert np.array_equal(sound.samples[:, at : at + recorded.shape[1]], recorded)

    wait_until(lambda: cells("len(studio.scripts) > before"), "the script is kept")
    file = tmp_path / "render.wav"
    cells(f"studio.render(list(studio.scripts)[-1], file={str(file)!r}).wait(60)\n1")
    rendered = soundfile.read(file, always_2d=True)[0].T
    offset = int(np.argmax(correlate(rendered[0], recorded[0], mode="full"))) - (recorded.shape[1] - 1)
    first, last = max(0, offset), min(rendered.shape[1], offset + recorded.shape[1])
    assert last - first > 2 * sound.rate
    render, played = rendered[:, first:last], recorded[:, first - offset : last - offset]
    # The same samples on a fresh page; later the stretcher's random phases have gone on. Times are the same always.
    for side in (0, 1):
        assert np.abs(apart(onsets(render[side], sound.rate), onsets(played[side], sound.rate))).max() < 0.001


def test_sound_goes_on_while_python_and_the_page_are_busy(desk: Desk, cells: Cells) -> None:
    desk.set(("deck.1.seek", TONE + 1), ("deck.1.play", 1), ("deck.1.loop.set", 1))
    desk.wait(0.2)
    with desk.listen() as sound:
        cells.start("import time\nend = time.time() + 1.5\nwhile time.time() < end: pass")
        desk.page.evaluate("() => { const end = performance.now() + 300; while (performance.now() < end); }")
        desk.wait(1)
        assert cells("studio.deck(1).playing") is True
    assert above(sound.samples[0], sound.rate, 5 * HERTZ) < -60


def test_hand_keys_and_python_turn_the_same_crossfader(desk: Desk, cells: Cells) -> None:
    page = desk.page
    fader = page.get_by_role("slider", name="Crossfader", exact=True)
    told = "studio.decks().mixer.crossfader"
    cells("studio.decks().mixer.crossfader = -0.5\n1")
    page.wait_for_function(f"() => {DECKS}.controls.get('mixer.crossfader') === -0.5")
    expect(fader).to_have_attribute("aria-valuenow", "25")
    page.mouse.move(5, 5)
    page.locator(".sfa-decks").focus()
    page.keyboard.press("0")
    wait_until(lambda: cells(told) == pytest.approx(desk.get("mixer.crossfader")) != -0.5, "Python knows of the key")
    before = desk.get("mixer.crossfader")
    box = fader.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert desk.get("mixer.crossfader") != before
    wait_until(lambda: cells(told) == pytest.approx(desk.get("mixer.crossfader")), "Python knows of the hand")


def test_nothing_complained(watch: Watch) -> None:
    assert watch.refused == []
    assert watch.complaints == []
