"""What a page gets when it asks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sfa_kernel import Studio as NotebookStudio
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.panels.jobs import job_handlers
from sfa_kernel.panels.library import library_handlers
from sfa_kernel.panels.live import Live
from sfa_kernel.panels.player import player_handlers
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from sfa_kernel.studio import Studio

TIMEOUT = 120


class Page:
    """Asks as a page does."""

    def __init__(self, studio: Studio) -> None:
        self.opened: list[UUID] = []
        self.handlers = (
            library_handlers(studio, on_open=self.opened.append) | player_handlers(studio) | job_handlers(studio)
        )

    def __call__(self, method: str, *buffers: bytes, **params: Any) -> Any:
        return self.handlers[method](params, [memoryview(b) for b in buffers])


@pytest.fixture
def page(studio: Studio) -> Page:
    return Page(studio)


@pytest.fixture
def track_id(studio: Studio, tmp_path: Path) -> str:
    return str(studio.add(write_song(tmp_path / "Artist - Song.wav"))[0].id)


def test_a_new_track_shows_and_opens(page: Page, track_id: str) -> None:
    found = page("tracks.page", query="song", sort="title", descending=False, offset=0, limit=50)
    assert found["total"] == 1
    (row,) = found["rows"]
    assert (row["id"], row["title"], row["status"], row["stems"]) == (track_id, "Song", "new", [])
    page("track.open", id=track_id)
    assert [str(i) for i in page.opened] == [track_id]


def test_the_player_gets_sound_pictures_and_numbers(page: Page, studio: Studio, track_id: str) -> None:
    bare, nothing = page("player.load", id=track_id)
    assert ([s["role"] for s in bare["sources"]], bare["analysis"], nothing) == (["mix"], None, [])
    studio.run(track_id).wait(TIMEOUT)
    loaded, buffers = page("player.load", id=track_id)
    assert [s["role"] for s in loaded["sources"]] == ["mix", "vocals", "drums", "bass", "other"]
    assert set(loaded["waveforms"]) == {"mix", "vocals", "drums", "bass", "other"}
    level = loaded["waveforms"]["drums"]["levels"][0]
    picture = np.frombuffer(buffers[level["buffer"]], np.int8).reshape(level["bins"], 4, 3)
    assert picture[:, 0, 1].max() > 20
    assert loaded["analysis"]["key"] == "A minor"
    assert loaded["track"]["status"] == "ready"
    reply, (data,) = page("audio.bytes", id=loaded["sources"][1]["id"])
    assert (reply["mime"], data[:4]) == ("audio/flac", b"fLaC")


def test_a_failure_shows_with_its_reason(page: Page, studio: Studio, track_id: str) -> None:
    studio.run(track_id, stages="autocue").wait(TIMEOUT)
    (row,) = page("tracks.page", limit=10)["rows"]
    assert (row["status"], row["stage"]) == ("failed", "autocue")
    assert "Cues need an analysis" in row["error"]
    listed = page("jobs.list", status="failed", limit=10)
    assert (listed["jobs"][0]["title"], listed["counts"]["failed"]) == ("Song", 1)
    (shown,) = page("track.show", id=track_id)["jobs"]
    assert shown["status"] == "failed"


def test_removing_can_be_undone(page: Page, track_id: str) -> None:
    assert page("tracks.remove", ids=[track_id]) == {"removed": 1}
    assert page("tracks.page", limit=10)["total"] == 0
    page("tracks.restore", ids=[track_id])
    assert page("tracks.ids", limit=10)["ids"] == [track_id]


@pytest.mark.parametrize("given", [{}, {"id": "../../etc/passwd"}, {"ids": ["1"]}, {"ids": None}])
def test_an_id_that_is_none_is_refused(page: Page, given: dict[str, Any]) -> None:
    for method in ("track.show", "player.load", "audio.bytes", "art.bytes", "tracks.remove"):
        with pytest.raises(ParameterError):
            page(method, **given)


def test_an_unknown_id_is_not_found(page: Page) -> None:
    for method in ("track.show", "player.load", "audio.bytes", "art.bytes"):
        with pytest.raises(NotFoundError):
            page(method, id="00000000-0000-0000-0000-000000000000")


class Widget:
    """Stands for a widget on a page: keeps what was pushed."""

    def __init__(self, enough: Callable[[list[tuple[str, Any]]], bool]) -> None:
        self.comm: object | None = object()
        self.pushed: list[tuple[str, Any]] = []
        self.done = threading.Event()
        self._enough = enough

    def push(self, event: str, data: Any) -> None:
        self.pushed.append((event, data))
        if self._enough(self.pushed):
            self.done.set()


def test_a_page_follows_what_happens_without_asking(studio: Studio, track_id: str) -> None:
    def ready(pushed: list[tuple[str, Any]]) -> bool:
        return any(event == "player.refresh" for event, _ in pushed)

    widget = Widget(ready)
    live = Live(studio, widget)
    try:
        studio.run(track_id, stages="analyze")
        assert widget.done.wait(TIMEOUT)
    finally:
        live.close()
    rows = [row for event, data in widget.pushed if event == "tracks.rows" for row in data["rows"]]
    assert rows[-1]["status"] == "ready"
    assert rows[-1]["bpm"] == pytest.approx(120, abs=0.1)
    jobs = [data for event, data in widget.pushed if event == "jobs.rows"]
    assert jobs[-1]["jobs"][0]["status"] == "completed"
    assert jobs[-1]["counts"]["completed"] == 1


def test_opening_a_track_loads_the_player_or_says_how_to_get_one(home: Path, tmp_path: Path) -> None:
    with NotebookStudio.open(home) as studio:
        (song,) = studio.add(write_song(tmp_path / "song.wav"))
        player = studio.player()
        ask(studio.library(player=player), "track.open", id=str(song.id))
        assert player.track_id == str(song.id)
        alone = studio.library()
        said: list[str] = []
        alone.push = lambda event, data: said.append(data["text"])
        ask(alone, "track.open", id=str(song.id))
        assert said == [f'To see and hear it, run: studio.player("{str(song.id)[:8]}")']


def ask(widget: Any, method: str, **params: Any) -> Any:
    return widget._ask(method, params)
