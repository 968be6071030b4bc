"""Finding tracks: search, order, pages, removal."""

from __future__ import annotations

import functools
import operator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from sfa_kernel.catalog import Catalog, analyses, tracks
from sfa_kernel.catalog.analyses import AnalysisRow
from sfa_kernel.catalog.tracks import TrackRow
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int, **changes: Any) -> TrackRow:
    values: dict[str, Any] = {
        "id": uuid4(),
        "content_hash": f"{number:064x}",
        "title": f"Song {number}",
        "artist": "",
        "album": "",
        "genre": "",
        "year": None,
        "source_path": "/music/song",
        "file": "downloads/x.wav",
        "cover": None,
        "format": "WAV",
        "codec": "PCM",
        "sample_rate": 44100,
        "channels": 2,
        "duration": 60.0 + number,
        "bytes": 1,
        "added_at": START + timedelta(seconds=number),
    }
    return TrackRow(**(values | changes))


def analysis(track_id: UUID, *, bpm: float | None, camelot: str | None) -> AnalysisRow:
    return AnalysisRow(
        track_id, 1, bpm, 1.0, "A minor", 1.0, camelot, -9.0, 5.0, -1.0, 7, "analysis/x", "analysis/y", START
    )


@pytest.fixture
def catalog(home: Path) -> Catalog:
    return Catalog.open(Storage(home).home)


def titles(catalog: Catalog, **question: Any) -> list[str]:
    with catalog.read() as connection:
        return [t.title for t in tracks.get_many(connection, tracks.page(connection, **question))]


def test_search_minds_neither_case_nor_accents_and_wants_every_word(catalog: Catalog) -> None:
    with catalog.write() as connection:
        tracks.insert(connection, row(1, title="Déjà Vu", artist="BEYONCÉ"))
        tracks.insert(connection, row(2, title="Straße", album="Nacht"))
        tracks.insert(connection, row(3, title="100 % _Pure_"))
    assert titles(catalog, query="deja beyonce") == ["Déjà Vu"]
    assert titles(catalog, query="STRASSE nacht") == ["Straße"]
    assert titles(catalog, query="deja nacht") == []
    assert titles(catalog, query="% _") == ["100 % _Pure_"]


def test_sorting_by_key_goes_round_the_camelot_wheel_and_unknown_comes_last(catalog: Catalog) -> None:
    with catalog.write() as connection:
        for number, camelot in enumerate(["10A", "2B", None, "2A", "12B"]):
            track = row(number, title=str(camelot))
            tracks.insert(connection, track)
            analyses.put(connection, analysis(track.id, bpm=None, camelot=camelot))
    assert titles(catalog, sort="key") == ["2A", "2B", "10A", "12B", "None"]
    assert titles(catalog, sort="key", descending=True) == ["12B", "10A", "2B", "2A", "None"]


@pytest.mark.parametrize("sort", sorted(tracks.SORTS))
def test_pages_in_any_order_join_to_the_whole(catalog: Catalog, sort: str) -> None:
    with catalog.write() as connection:
        for number in range(7):
            tracks.insert(connection, row(number))
    pages = [titles(catalog, sort=sort, offset=offset, limit=3) for offset in (0, 3, 6)]
    assert functools.reduce(operator.iadd, pages, []) == titles(catalog, sort=sort)
    assert len(titles(catalog, sort=sort)) == 7


def test_an_unknown_order_is_refused(catalog: Catalog) -> None:
    with pytest.raises(ParameterError, match="Choose one of"), catalog.read() as connection:
        tracks.page(connection, sort="title; DROP TABLE tracks")


def test_a_removed_track_is_gone_until_it_is_restored(catalog: Catalog) -> None:
    track = row(1)
    with catalog.write() as connection:
        tracks.insert(connection, track)
        assert tracks.remove(connection, [track.id]) == [track.id]
        assert tracks.remove(connection, [track.id]) == []
    assert titles(catalog) == []
    with pytest.raises(NotFoundError), catalog.read() as connection:
        tracks.get(connection, track.id)
    with catalog.write() as connection:
        assert tracks.restore(connection, [track.id]) == [track.id]
    assert titles(catalog) == ["Song 1"]


def test_a_new_analysis_replaces_the_old_and_names_its_files(catalog: Catalog) -> None:
    track = row(1)
    with catalog.write() as connection:
        tracks.insert(connection, track)
        assert analyses.put(connection, analysis(track.id, bpm=120.0, camelot="8A")) is None
        before = analyses.put(connection, analysis(track.id, bpm=121.0, camelot="8A"))
        assert before is not None
        assert before.bpm == 120.0
        (summary,) = tracks.summaries(connection, [track.id])
    assert summary["bpm"] == 121.0
