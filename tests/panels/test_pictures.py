"""The pictures as a person in a notebook gets them, and what other pages hear of a correction."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel import Studio
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.panels.live import Live
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sfa_kernel.library import Track

TIMEOUT = 120


@pytest.fixture
def notebook(home: Path) -> Iterator[Studio]:
    with Studio.open(home) as studio:
        yield studio


@pytest.fixture
def song(notebook: Studio, tmp_path: Path) -> Track:
    song = notebook.add(write_song(tmp_path / "song.wav", seconds=16))[0]
    notebook.run(song, stages="analyze").wait(TIMEOUT)
    return song


def test_the_pictures_of_a_track_are_one_call(notebook: Studio, song: Track) -> None:
    view = notebook.pictures(song, compare=str(song.id)[:8], pictures=["structure", "chroma"])
    assert (view.track_id, view.compare_id) == (str(song.id), str(song.id))
    assert view.pictures == ["structure", "chroma"]
    html = view._repr_mimebundle_()[0]["text/html"]
    assert html.count("<svg") == 4
    assert "data:image/png" in html
    assert notebook.pictures(song, pictures="energy").pictures == ["energy"]


def test_what_there_is_not_is_said(notebook: Studio, song: Track) -> None:
    with pytest.raises(ParameterError, match="no picture 'rainbow'"):
        notebook.pictures(song, pictures="rainbow")
    with pytest.raises(NotFoundError):
        notebook.pictures("ffffffff")
    assert "No track is open" in notebook.pictures()._repr_mimebundle_()[0]["text/html"]


def test_why_a_number_is_what_it_is_shows_itself(song: Track) -> None:
    explanation = song.explain("tempo")
    html = explanation._repr_html_()
    assert explanation.title in html
    assert "<svg" in html


def test_a_page_hears_of_a_correction_from_python(notebook: Studio, song: Track) -> None:
    class Widget:
        comm: object | None = object()

        def __init__(self) -> None:
            self.pushed: list[tuple[str, Any]] = []
            self.done = threading.Event()

        def push(self, event: str, data: Any) -> None:
            self.pushed.append((event, data))
            if event == "analysis.changed":
                self.done.set()

    widget = Widget()
    live = Live(notebook, widget)
    try:
        song.correct("key", key="E minor")
        assert widget.done.wait(TIMEOUT)
    finally:
        live.close()
    (changed,) = [data for event, data in widget.pushed if event == "analysis.changed"]
    assert changed["id"] == str(song.id)
    assert changed["corrections"] == [str(row.id) for row in song.corrections]
    assert [cue["id"] for cue in changed["cues"]] == [str(cue.id) for cue in song.cues]
    (rows,) = [data["rows"] for event, data in widget.pushed if event == "tracks.rows"]
    assert rows[0]["key"] == "E minor"
    assert "tracks.changed" not in [event for event, _ in widget.pushed]
