"""Sets of stems: one for each request, one in use, and none lost by accident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import duckdb
import pytest

from sfa_kernel.catalog import Catalog, stems, tracks
from sfa_kernel.catalog.stems import StemRow
from sfa_kernel.errors import NotFoundError
from sfa_kernel.separation import request
from tests.stems import separation_row

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.studio import Studio

NOW = datetime.now(UTC)


@pytest.fixture
def track_id(studio: Studio, tmp_path: Path) -> UUID:
    from tests.sounds import write_song

    return studio.add(write_song(tmp_path / "song.wav", seconds=1))[0].id


def put(studio: Studio, track_id: UUID, *, age: float = 0, names: tuple[str, ...] = ("vocals",), **asked: Any) -> UUID:
    wanted = request(**asked)
    start, end = wanted.region or (None, None)
    row = separation_row(
        track_id,
        request=wanted.key,
        engine=wanted.engine,
        model=wanted.model,
        settings=wanted.settings,
        start=start,
        end=end,
        created_at=NOW - timedelta(days=age),
    )
    rows = [
        StemRow(uuid4(), row.id, track_id, name, f"stems/{uuid4()}.flac", f"stems/{uuid4()}.npz", "hash", 9)
        for name in names
    ]
    with studio.catalog.write() as connection:
        stems.put(connection, row, rows)
    return row.id


def in_use(studio: Studio, track_id: UUID) -> UUID | None:
    with studio.catalog.read() as connection:
        row = stems.in_use(connection, track_id)
    return row and row.id


def test_the_same_request_twice_is_one_set(studio: Studio, track_id: UUID) -> None:
    put(studio, track_id, stems="vocals", age=1)
    second = put(studio, track_id, stems="vocals")
    third = put(studio, track_id, stems="drums")
    with studio.catalog.read() as connection:
        assert {row.id for row in stems.of_track(connection, track_id)} == {second, third}


def test_the_newest_of_the_whole_song_is_in_use_until_a_person_chooses(studio: Studio, track_id: UUID) -> None:
    assert in_use(studio, track_id) is None
    old = put(studio, track_id, stems="vocals", age=2)
    new = put(studio, track_id, stems="drums", age=1)
    put(studio, track_id, region=(0, 1))
    assert in_use(studio, track_id) == new
    with studio.catalog.write() as connection:
        stems.choose(connection, old)
    assert in_use(studio, track_id) == old
    put(studio, track_id, stems="bass")
    assert in_use(studio, track_id) == old


def test_a_preview_cannot_be_put_to_use(studio: Studio, track_id: UUID) -> None:
    preview = put(studio, track_id, region=(0, 1))
    with studio.catalog.write() as connection, pytest.raises(NotFoundError, match="whole song"):
        stems.choose(connection, preview)


def test_a_removed_set_is_out_of_use_until_it_comes_back(studio: Studio, track_id: UUID) -> None:
    old = put(studio, track_id, stems="vocals", age=1)
    new = put(studio, track_id, stems="drums")
    with studio.catalog.write() as connection:
        stems.remove(connection, new)
        assert stems.find(connection, track_id, request(stems="drums").key) is None
    assert in_use(studio, track_id) == old
    with studio.catalog.write() as connection:
        stems.restore(connection, new)
    assert in_use(studio, track_id) == new


def test_making_a_removed_set_again_replaces_it(studio: Studio, track_id: UUID) -> None:
    first = put(studio, track_id, stems="vocals")
    with studio.catalog.write() as connection:
        stems.remove(connection, first)
    second = put(studio, track_id, stems="vocals")
    assert in_use(studio, track_id) == second
    with studio.catalog.read() as connection, pytest.raises(NotFoundError):
        stems.get(connection, first)


def test_removed_sets_and_old_previews_go_for_good(studio: Studio, track_id: UUID) -> None:
    kept = put(studio, track_id, age=30)
    removed = put(studio, track_id, stems="vocals", age=30)
    put(studio, track_id, region=(0, 1), age=30)
    fresh = put(studio, track_id, region=(2, 3))
    with studio.catalog.write() as connection:
        stems.remove(connection, removed)
        connection.execute("UPDATE separations SET removed_at = ? WHERE id = ?", [NOW - timedelta(days=9), removed])
        assert stems.purge(connection, NOW - timedelta(days=7))[0] == 2
        assert {row.id for row in stems.of_track(connection, track_id)} == {kept, fresh}


def test_the_list_of_tracks_names_the_stems_in_use(studio: Studio, track_id: UUID) -> None:
    put(studio, track_id, names=("rest", "vocals"), stems="vocals", age=1)
    drums = put(studio, track_id, names=("other", "bass", "drums", "vocals"))
    put(studio, track_id, names=("mix", "piano"), region=(0, 1))
    with studio.catalog.read() as connection:
        assert tracks.summaries(connection, [track_id])[0]["stems"] == ["vocals", "drums", "bass", "other"]
    with studio.catalog.write() as connection:
        stems.remove(connection, drums)
        assert tracks.summaries(connection, [track_id])[0]["stems"] == ["vocals", "rest"]


def test_stems_of_an_older_library_are_a_set_of_the_draft(tmp_path: Path) -> None:
    file = tmp_path / "library.duckdb"
    folder = resources.files("sfa_kernel.catalog").joinpath("migrations")
    scripts = sorted(path.name for path in folder.iterdir() if path.name.endswith(".sql"))
    track_id, separation = uuid4(), uuid4()
    with duckdb.connect(file) as library:
        for name in scripts:
            if int(name[:4]) < 7:
                library.execute(folder.joinpath(name).read_text("utf-8"))
                library.execute("INSERT INTO migrations VALUES (?, now())", [int(name[:4])])
        library.execute(
            "INSERT INTO separations VALUES (?, ?, 'draft', '', -92.5, 'stems/levels.npz', now())",
            [separation, track_id],
        )
    with Catalog.open(tmp_path).read() as connection:
        row = stems.find(connection, track_id, request().key)
    assert row is not None
    assert (row.id, row.engine, row.residual_db, row.report, row.preview) == (separation, "draft", -92.5, None, False)
