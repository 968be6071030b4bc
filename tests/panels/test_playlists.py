"""What the page of the playlists gets when it asks, and what it hears of by itself."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel import Studio as NotebookStudio
from sfa_kernel.catalog import playlists, songs
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.jobs import JobRequest
from sfa_kernel.panels.live import Live
from sfa_kernel.panels.playlists import playlist_handlers
from sfa_kernel.pipeline.download import key_of
from sfa_kernel.sources.song import Song
from tests.test_playlists import added

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from sfa_kernel.studio import Studio


class Page:
    """Keeps what is pushed to it."""

    comm = object()

    def __init__(self) -> None:
        self._pushed: queue.Queue[tuple[str, Any]] = queue.Queue()

    def push(self, event: str, data: Any) -> None:
        self._pushed.put((event, data))

    def next(self, wanted: str) -> Any:
        while True:
            event, data = self._pushed.get(timeout=20)
            if event == wanted:
                return data


@pytest.fixture
def ask(studio: Studio) -> Callable[..., Any]:
    handlers = playlist_handlers(studio)
    return lambda method, **params: handlers[f"playlists.{method}"](params, [])


def order_of(ask: Callable[..., Any], playlist: str) -> list[str]:
    entries = ask("page", id=playlist, offset=0, limit=100)["entries"]
    assert [entry["position"] for entry in entries] == list(range(len(entries)))
    return [entry["track"]["title"] for entry in entries]


def theirs(studio: Studio, count: int) -> tuple[str, list[UUID]]:
    with studio.catalog.write() as connection:
        named = [
            Song("spotify", str(n), f"Song {n}", "Band", duration=61.0, url="https://x.test") for n in range(count)
        ]
        ids = songs.put(connection, named)
        row, _ = playlists.imported(connection, service="spotify", key="x", name="Theirs", song_ids=ids)
    return str(row.id), ids


def test_a_page_makes_arranges_and_undoes(studio: Studio, ask: Callable[..., Any]) -> None:
    tracks = [str(track.id) for track in added(studio, *"ABCD")]
    made = ask("create", name="Evening", tracks=tracks[:3])["playlist"]
    assert (made["kind"], made["count"], made["here"], made["duration"]) == ("own", 3, 3, 183.0)
    one = made["id"]
    (last,) = ask("add", id=one, tracks=tracks[3:], at=1)["entries"]
    assert order_of(ask, one) == ["A", "D", "B", "C"]
    before = ask("move", id=one, entries=[last], to=3)["before"]
    assert order_of(ask, one) == ["A", "B", "C", "D"]
    ask("order", id=one, entries=before)
    ids = ask("ids", id=one, offset=1, limit=2)
    assert ids["tracks"] == [tracks[3], tracks[1]]
    ask("take_out", id=one, entries=ids["ids"])
    ask("take_out", id=one, entries=ids["ids"])  # somebody else was quicker
    assert order_of(ask, one) == ["A", "C"]
    ask("put_back", id=one, entries=ids["ids"])
    assert order_of(ask, one) == ["A", "D", "B", "C"]
    assert ask("rename", id=one, name="Night")["playlist"]["name"] == "Night"
    ask("remove", id=one)
    assert ask("list")["playlists"] == []
    with pytest.raises(NotFoundError):
        ask("page", id=one, offset=0, limit=10)
    assert ask("restore", id=one)["playlist"]["count"] == 4


def test_a_smart_playlist_is_tried_before_it_is_made(studio: Studio, ask: Callable[..., Any]) -> None:
    added(studio, "House A", "House B", "Techno")
    asked = {"text": "house", "tempo": None, "sort": "title", "descending": True}
    tried = ask("try", filter=asked)
    assert (tried["count"], [row["title"] for row in tried["rows"]]) == (2, ["House B", "House A"])
    made = ask("create", name="House", filter=asked)["playlist"]
    assert made["filter"] == {"text": "house", "sort": "title", "descending": True}
    assert made["sentence"] == tried["sentence"] == '"house", by title, Z to A'
    assert order_of(ask, made["id"]) == ["House B", "House A"]
    assert ask("filter", id=made["id"], filter={"limit": 1})["playlist"]["count"] == 1
    wrong: list[Any] = [{"tempo": [128]}, {"sql": "1=1"}, [], None, {"energy": [0, 11]}]
    for document in wrong:
        with pytest.raises(ParameterError):
            ask("try", filter=document)


def test_songs_that_are_not_here_say_how_they_get_here(studio: Studio, ask: Callable[..., Any]) -> None:
    studio.close()  # nothing runs
    playlist, ids = theirs(studio, 3)
    with studio.catalog.write() as connection:
        for song in ids[:2]:
            request = JobRequest(
                kind="download", queue="download", track_id=None, arguments={}, unique_key=key_of(song), max_attempts=1
            )
            job = studio.ledger.enqueue(connection, request)
    (track,) = added(studio, "Song 2", artist="Band")
    with studio.catalog.write() as connection:
        songs.recognise(connection, [track.id])
    studio.ledger.cancel([job.id])
    page = ask("page", id=playlist, offset=0, limit=10)
    assert [entry["song"] and entry["song"]["state"] for entry in page["entries"]] == ["queued", "absent", None]
    assert page["entries"][2]["track"]["title"] == "Song 2"
    assert (page["total"], page["playlist"]["here"], page["playlist"]["service"]) == (3, 1, "spotify")


def test_a_page_s_request_that_makes_no_sense_changes_nothing(studio: Studio, ask: Callable[..., Any]) -> None:
    one = ask("create", name="One", tracks=[str(track.id) for track in added(studio, "A", "B")])["playlist"]["id"]
    wrong: dict[str, dict[str, Any]] = {
        "move": {"entries": [], "to": -1},
        "add": {"tracks": ["../x"], "at": None},
        "take_out": {"entries": ["1; DROP TABLE playlists"]},
        "rename": {"name": "\0"},
    }
    for method, params in wrong.items():
        with pytest.raises(ParameterError):
            ask(method, id=one, **params)
    assert order_of(ask, one) == ["A", "B"]


def test_an_export_is_called_so_that_any_system_can_keep_it(studio: Studio, ask: Callable[..., Any]) -> None:
    one = ask("create", name="../CON: a/b?", tracks=[str(track.id) for track in added(studio, "A")])["playlist"]["id"]
    result, (data,) = ask("export", id=one)
    assert result["name"].endswith(".m3u8")
    assert not set(result["name"]) & set('/\\:?"<>|*')
    assert data.decode().startswith("#EXTM3U\n")


def test_a_page_hears_of_playlists_and_of_where_songs_come_from(studio: Studio) -> None:
    widget = Page()
    live = Live(studio, widget, sources=True)
    playlist = studio.playlists.new("One")
    assert widget.next("playlists.changed")["ids"] == [str(playlist.id)]
    studio.bus.publish("sources", {"what": ["folders"]})
    assert widget.next("sources.changed")["what"] == ["folders"]
    studio.bus.publish("library", {"added": []})
    assert widget.next("playlists.changed")["ids"] == []
    live.close()


def test_playlists_in_a_notebook_leave_a_table_in_an_exported_one(home: Path) -> None:
    with NotebookStudio.open(home, run_jobs=False) as studio:
        playlist = studio.playlists.new("<Own>", added(studio, "<A>"))
        theirs(studio, 1)
        view = studio._lists()
        assert "&lt;Own&gt;" in view._picture()
        view.playlist_id = str(playlist.id)
        assert "&lt;A&gt;" in view._picture()
        view.playlist_id = str(studio.playlists["Theirs"].id)
        assert "Song 0" in view._picture()
        view.close()
