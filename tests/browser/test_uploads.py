"""Files that a person gives to the page: large ones whose transfer is cut off, and whole folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from sfa_kernel.studio import Studio
from tests.server.launch import wait_until
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.conftest import Watch
    from tests.server.launch import Server

SAMPLE_RATE = 44100
CHUNK = 2 << 20  # bytes


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads") / "library"


@pytest.fixture(scope="module")
def server(launch: Callable[..., Server], home: Path) -> Server:
    return launch("dashboard", home)


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Songs to add", exact=True).set_input_files(list(files))


def received(home: Path) -> int:
    """How much of the file has arrived [bytes]."""
    return sum(path.stat().st_size for path in (home / "uploads").glob("*/file/*"))


def tracks(home: Path) -> dict[str, Any]:
    with Studio.open(home, run_jobs=False) as studio:
        return {track.title: track for track in studio.tracks}


def test_a_large_file_goes_on_where_it_was_when_the_page_is_reloaded_in_the_middle(
    server: Server, watch: Watch, home: Path, tmp_path: Path
) -> None:
    seconds = 200
    noise = np.random.default_rng(0).integers(-3000, 3000, (seconds * SAMPLE_RATE, 2), dtype=np.int16)
    song = tmp_path / "Somebody - Large.wav"
    soundfile.write(song, noise, SAMPLE_RATE)
    page = watch.page
    page.on("dialog", lambda dialog: dialog.accept())  # the browser asks before it leaves
    page.goto(server.url)
    page.locator(".sfa-app").wait_for()
    # The connection carries five pieces, and then no more.
    page.evaluate(
        """(most) => {
          const read = Blob.prototype.arrayBuffer;
          let pieces = 0;
          Blob.prototype.arrayBuffer = function () {
            return this.size > 1e6 && ++pieces > most ? new Promise(() => undefined) : read.call(this);
          };
        }""",
        5,
    )
    choose(page, song)
    wait_until(lambda: received(home) == 5 * CHUNK, "five pieces are here")
    page.reload()
    page.locator(".sfa-app").wait_for()
    page.evaluate(
        """() => {
          globalThis.sent = 0;
          const read = Blob.prototype.arrayBuffer;
          Blob.prototype.arrayBuffer = function () {
            if (this.size > 200_000) globalThis.sent += this.size;
            return read.call(this);
          };
        }"""
    )
    choose(page, song)
    page.get_by_text("Added 1 track.").wait_for()
    size = song.stat().st_size
    assert page.evaluate("globalThis.sent") == size - 5 * CHUNK
    page.get_by_role("row").filter(has_text="Large").wait_for()
    assert tracks(home)["Large"].path.read_bytes() == song.read_bytes()
    assert list((home / "uploads").iterdir()) == []
    assert watch.complaints == []


def test_a_folder_that_is_dropped_brings_its_songs_and_playlists(
    server: Server, watch: Watch, home: Path, tmp_path: Path
) -> None:
    album = tmp_path / "Album"
    (album / "CD 2").mkdir(parents=True)
    write_song(album / "Ana - Dusk.wav", seconds=4, seed=1)
    write_song(album / "CD 2" / "Bo - Noon.wav", seconds=4, seed=2)
    (album / "notes.txt").write_text("not music")
    (album / "set.m3u8").write_text("#EXTM3U\n#EXTINF:4,Bo - Noon\nCD 2/Bo - Noon.wav\n")
    page = watch.page
    page.goto(server.url)
    page.locator(".sfa-app").wait_for()
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(album)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 500, "y": 300, "data": data})
    page.get_by_text("Added 2 tracks. Added 1 playlist.").wait_for()
    page.get_by_role("row").filter(has_text="Noon").wait_for()
    there = tracks(home)
    assert {"Dusk", "Noon"} <= there.keys()
    with Studio.open(home, run_jobs=False) as studio:
        assert [track.title for track in studio.playlists["set"].tracks] == ["Noon"]
    assert watch.complaints == []
