"""What smart playlists ask for, and what they find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sfa_kernel.catalog import Catalog, analyses, stems, tracks
from sfa_kernel.catalog.filters import Filter
from sfa_kernel.catalog.stems import SeparationRow
from sfa_kernel.errors import ParameterError
from sfa_kernel.storage import Storage
from tests.catalog.test_tracks import START, analysis, row

if TYPE_CHECKING:
    from uuid import UUID


def separation(track_id: UUID, **changes: Any) -> SeparationRow:
    values: dict[str, Any] = {
        "id": uuid4(),
        "track_id": track_id,
        "request": "{}",
        "engine": "draft",
        "model": "",
        "settings": {},
        "start": None,
        "end": None,
        "device": "",
        "seconds": None,
        "minutes": None,
        "residual_db": -60.0,
        "report": None,
        "levels": "x",
        "chosen": False,
        "created_at": START,
        "removed_at": None,
    }
    return SeparationRow(**(values | changes))


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Six songs: the fourth not analysed, stems of the first, a preview of the second, the last one removed."""
    catalog = Catalog.open(Storage(tmp_path_factory.mktemp("filters") / "library").home)
    keys, tempi = ["8A", "8B", "9A", None, "3A", "7A"], [120.0, 128.004, 64.0, None, 250.0, 100.0]
    with catalog.write() as connection:
        for number in range(6):
            track = row(
                number,
                title=f"Song {number}",
                genre=["Déep House", "House", "Techno", "", "Straßenmusik", "House"][number],
                year=1990 + number if number else None,
                added_at=START if number else datetime.now(UTC) - timedelta(hours=5),
            )
            tracks.insert(connection, track)
            if keys[number]:
                analyses.put(connection, analysis(track.id, bpm=tempi[number], camelot=keys[number]))
            if number == 0:
                stems.put(connection, separation(track.id), [])
            if number == 1:
                stems.put(connection, separation(track.id, start=0.0, end=5.0), [])
                stems.put(connection, separation(track.id, request="r", removed_at=START), [])
            if number == 5:
                tracks.remove(connection, [track.id])
    return catalog


def found(catalog: Catalog, **asked: Any) -> str:
    """The numbers of the songs that a filter finds."""
    question = Filter.from_dict(asked)
    with catalog.read() as connection:
        rows = tracks.get_many(connection, question.page(connection))
        assert question.totals(connection) == (len(rows), sum(track.duration for track in rows))
    return "".join(track.title[-1] for track in rows)


@pytest.mark.parametrize(
    ("asked", "titles", "sentence"),
    [
        ({}, "12340", "all tracks"),
        ({"tempo": [120, 128]}, "10", "120-128 BPM"),
        ({"tempo": (125, 128), "octaves": True}, "124", "125-128 BPM, half or double"),
        ({"tempo": [120, 120.0]}, "0", "120 BPM"),
        ({"compatible_with": "8a"}, "120", "mixes with 8A"),
        ({"keys": ["8A", "3a"]}, "40", "in 8A or 3A"),
        ({"energy": [7, 9]}, "1240", "energy 7-9"),
        ({"duration": [61, 62.5]}, "12", "1:01-1:02 long"),
        ({"genre": "deep"}, "0", "genre deep"),
        ({"genre": "STRASSE"}, "4", "genre STRASSE"),
        ({"year": [1991, 1992]}, "12", "from 1991-1992"),
        ({"stems": True}, "0", "has stems"),
        ({"stems": False, "analyzed": True}, "124", "has no stems, is analysed"),
        ({"analyzed": False}, "3", "is not analysed"),
        ({"added_days": 1}, "0", "added in the last day"),
        ({"text": "hóuse 1"}, "1", '"hóuse 1"'),
        ({"sort": "bpm", "descending": True, "limit": 2}, "41", "the first 2, by tempo, the fastest first"),
        ({"tempo": [120, 128], "compatible_with": "8A", "stems": True}, "0", "120-128 BPM, mixes with 8A, has stems"),
        ({"text": None, "tempo": None, "keys": [], "genre": " \0"}, "12340", "all tracks"),
    ],
)
def test_a_filter_finds_what_it_says(catalog: Catalog, asked: dict[str, Any], titles: str, sentence: str) -> None:
    assert found(catalog, **asked) == titles
    question = Filter.from_dict(asked)
    assert question.sentence == sentence
    assert Filter.from_dict(question.to_dict()) == question


def test_a_page_of_a_filter_never_reaches_past_its_limit(catalog: Catalog) -> None:
    asked = Filter.from_dict({"sort": "title", "limit": 3})
    with catalog.read() as connection:
        whole = asked.page(connection)
        assert asked.page(connection, offset=2, limit=10) == whole[2:]
        assert asked.page(connection, offset=3, limit=10) == asked.page(connection, offset=9) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"colour": "blue"},
        {"tempo": [128, 120]},
        {"tempo": ["a", 1]},
        {"tempo": [float("nan"), 1]},
        {"tempo": [True, 1]},
        {"tempo": 120},
        {"energy": [0, 5]},
        {"compatible_with": "13A"},
        {"keys": ["8C"]},
        {"keys": 8},
        {"stems": "yes"},
        {"text": 5},
        {"sort": "title; DROP TABLE tracks"},
        {"sort": ["title"]},
        {"limit": 0},
        {"added_days": 1e9},
        [],
        None,
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(asked: Any) -> None:
    with pytest.raises(ParameterError):
        Filter.from_dict(asked)


def test_quotes_and_wildcards_are_just_letters(catalog: Catalog) -> None:
    for text in ("' OR 1=1 --", "%", "_", '"'):
        assert found(catalog, text=text) == ""
        assert found(catalog, genre=text) == ""
