"""What a person puts right, and the cues and loops of a track, in the catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import duckdb
import pytest

from sfa_kernel.catalog import Catalog, analyses, corrections, cues, loops
from sfa_kernel.catalog.analyses import AnalysisRow
from sfa_kernel.catalog.cues import CueRow
from sfa_kernel.catalog.loops import LoopRow
from sfa_kernel.errors import NotFoundError
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def catalog(home: Path) -> Catalog:
    return Catalog.open(Storage(home).home)


def cue(track_id: UUID, time: float, kind: str = "drop", **changes: Any) -> CueRow:
    return replace(CueRow(uuid4(), track_id, time, kind, kind, "#fff", 0.5, "", "auto"), **changes)


def shown(catalog: Catalog, track_id: UUID) -> list[tuple[float, str, str]]:
    with catalog.read() as connection:
        return [(c.time, c.type, c.origin) for c in cues.of_track(connection, track_id)]


def test_corrections_stay_in_order_and_the_last_is_undone_first(catalog: Catalog) -> None:
    track, other = uuid4(), uuid4()
    with catalog.write() as connection:
        made = [corrections.insert(connection, track, "grid", {"shift": number / 10}) for number in range(20)]
        corrections.insert(connection, other, "key", {"key": "A minor"})
        rows = corrections.of_track(connection, track)
        assert [row.id for row in rows] == made
        assert [row.value["shift"] for row in rows] == [number / 10 for number in range(20)]
        assert corrections.undo(connection, track) == made[-1]
        assert [row.id for row in corrections.of_track(connection, track)] == made[:-1]
        assert corrections.undo(connection, other) is not None
        assert corrections.undo(connection, other) is None


def test_automatic_cues_are_replaced_and_a_persons_own_stay(catalog: Catalog) -> None:
    track = uuid4()
    with catalog.write() as connection:
        cues.replace_automatic(connection, track, [cue(track, 1.0), cue(track, 2.0)])
        cues.insert(connection, cue(track, 5.0, origin="person"))
    with catalog.write() as connection:
        cues.replace_automatic(connection, track, [cue(track, 3.0), cue(track, 5.04), cue(track, 5.0, "vocal")])
    assert shown(catalog, track) == [(3.0, "drop", "auto"), (5.0, "drop", "person"), (5.0, "vocal", "auto")]


def test_what_a_person_moved_or_took_away_is_not_put_there_again(catalog: Catalog) -> None:
    track = uuid4()
    first, second = cue(track, 1.0), cue(track, 2.0)
    again = [cue(track, 1.0), cue(track, 2.0)]
    with catalog.write() as connection:
        cues.replace_automatic(connection, track, [first, second])
        cues.change(connection, replace(first, time=1.3, origin="person"))
        cues.remove(connection, second.id)
        cues.replace_automatic(connection, track, again)
    assert shown(catalog, track) == [(1.3, "drop", "person")]
    with catalog.write() as connection:
        cues.replace_automatic(connection, track, again, all_again=True)
    assert shown(catalog, track) == [(1.0, "drop", "auto"), (1.3, "drop", "person"), (2.0, "drop", "auto")]


def test_a_cue_that_is_gone_is_not_found(catalog: Catalog) -> None:
    with catalog.write() as connection:
        gone = cue(uuid4(), 1.0)
        for act in (lambda: cues.get(connection, gone.id), lambda: cues.remove(connection, gone.id)):
            with pytest.raises(NotFoundError, match="not there any more"):
                act()
        with pytest.raises(NotFoundError):
            cues.change(connection, gone)


def test_loops_come_the_songs_first_and_the_best_first(catalog: Catalog) -> None:
    track = uuid4()

    def loop(source: str, score: float) -> LoopRow:
        return LoopRow(uuid4(), track, source, 1.0, 9.0, 4, score, "")

    with catalog.write() as connection:
        loops.replace(connection, track, [loop("drums", 0.9), loop("mix", 0.2)])
        loops.replace(connection, track, [loop("drums", 0.9), loop("mix", 0.4), loop("bass", 0.1), loop("mix", 0.8)])
        found = loops.of_track(connection, track)
    assert [(row.source, row.score) for row in found] == [("mix", 0.8), ("mix", 0.4), ("bass", 0.1), ("drums", 0.9)]


def test_analyses_of_an_older_library_are_kept(home: Path) -> None:
    storage = Storage(home)
    track, now = uuid4(), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    old = AnalysisRow(
        track, 1, 127.35, 0.9, "A minor", 0.8, "8A", -9.3, 5.2, -0.3, 7, "analysis/a.json", "analysis/a.npz", now
    )
    with duckdb.connect(str(storage.home / "library.duckdb")) as library:
        library.execute("SET TimeZone = 'UTC'")
        folder = resources.files("sfa_kernel.catalog").joinpath("migrations")
        for number, name in enumerate(("first_light", "jobs_under_fire", "webhooks", "cron"), 1):
            library.execute(folder.joinpath(f"000{number}_{name}.sql").read_text("utf-8"))
            library.execute("INSERT INTO migrations VALUES (?, now())", [number])
        library.execute(
            "INSERT INTO analyses VALUES (?, 1, 127.35, 0.9, 'A minor', 0.8, '8A', -9.3, 5.2, -0.3, 7, "
            "'analysis/a.json', 'analysis/a.npz', ?)",
            [track, now],
        )
    with Catalog(storage.home).read() as connection:
        assert analyses.find(connection, track) == old
    assert old.files == ["analysis/a.json", "analysis/a.npz"]
