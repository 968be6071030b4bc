"""Decks in a real page, turned from cells of a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.studio import Studio
from tests.browser.cells import Cells, cells_of
from tests.server.launch import Server, wait_until, write_notebook
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.conftest import Watch

CELL = """
from pathlib import Path
from sfa_kernel import Studio
studio = Studio.open()
track = studio.tracks[0]
studio.decks()
"""


@pytest.fixture(scope="module")
def server(launch: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("decks")
    with Studio.open(folder / "library") as studio:
        (song,) = studio.add(write_song(folder / "Artist - Song.wav", seconds=30))
        studio.run(song, stages="analyze").wait(120)
    return launch("dashboard", folder / "library", write_notebook(folder / "decks.ipynb", CELL))


@pytest.fixture
def cells(server: Server, watch: Watch) -> Iterator[Cells]:
    """The page is open, and clicked once."""
    watch.page.goto(server.url)
    watch.page.get_by_role("button", name="Play", exact=False).first.wait_for()
    with cells_of(server, watch.kernel_id()) as cells:
        yield cells


def stand(watch: Watch, deck: int = 1) -> dict[str, Any]:
    told: dict[str, Any] = watch.page.evaluate(
        f"(() => {{ const {{ playing, position, tempo, loaded }} = globalThis[Symbol.for('sfa.decks')].stand({deck});"
        " return { playing, position, tempo, loaded }; })()"
    )
    return told


def test_what_a_cell_asks_for_is_heard_and_told_back(watch: Watch, cells: Cells) -> None:
    watch.page.mouse.click(5, 5)
    cells("deck = studio.deck(1); deck.load(track); deck.seek(10); deck.play(); deck.tempo = 126; deck.hotcue(1)\n1")
    wait_until(lambda: stand(watch)["position"] > 11, "the deck plays")
    assert stand(watch)["tempo"] == pytest.approx(126, abs=0.05)
    playing, ready, position = cells("[deck.playing, deck.ready, deck.position]")
    assert (playing, ready) == (True, True)
    assert abs(position - stand(watch)["position"]) < 0.5
    wait_until(lambda: cells("sorted(track.hot_cues)") == [1], "the hot cue is kept")
    cells("deck.pause(); studio.decks().mixer.crossfade(0.2, to='right')\n1")
    wait_until(lambda: not stand(watch)["playing"], "the deck stands")
    wait_until(lambda: cells("studio.decks().mixer.crossfader") == 1, "the crossfader is across")


def test_a_position_is_known_after_a_cell_was_busy(watch: Watch, cells: Cells) -> None:
    watch.page.mouse.click(5, 5)
    cells("deck = studio.deck(1); deck.load(track); deck.play()\n1")
    wait_until(lambda: stand(watch)["playing"] and stand(watch)["position"] > 0.5, "the deck plays")
    inside = cells("import time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass\ndeck.position")
    assert 0 <= stand(watch)["position"] - inside < 1
