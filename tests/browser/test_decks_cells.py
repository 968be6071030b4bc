"""Decks in a real page, turned from cells of a real kernel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client import BlockingKernelClient

from sfa_kernel.studio import Studio
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


class Cells:
    """Runs cells in the kernel of a page, as another tab of the notebook would."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def __call__(self, source: str) -> Any:
        """What the last line of a cell is, as JSON."""
        *lines, last = source.strip().splitlines()
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            assert message["msg_type"] != "error", message["content"]["traceback"]
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                said.append(message["content"]["text"])

        source = "\n".join([*lines, f"import json; print(json.dumps({last}))"])
        self._client.execute_interactive(source, output_hook=hear, timeout=60)
        return json.loads("".join(said))


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
    kernel = watch.kernel_id()
    command = next(words for words in (one.cmdline() for one in server.kernels()) if any(kernel in w for w in words))
    client = BlockingKernelClient(connection_file=next(word for word in command if kernel in word))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        yield Cells(client)
    finally:
        client.stop_channels()


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
