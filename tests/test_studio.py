"""The studio as a person holds it in a notebook."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from sfa_kernel import Studio
from sfa_kernel.errors import InputError, ParameterError
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def studio(home: Path) -> Iterator[Studio]:
    with Studio.open(home) as studio:
        yield studio


@pytest.fixture
def songs(studio: Studio, tmp_path: Path) -> Studio:
    for seed, name in enumerate(["Abel - One", "Bea - Two", "Cy - Three"]):
        studio.add(write_song(tmp_path / f"{name}.wav", seconds=4, seed=seed))
    return studio


def test_tracks_are_counted_indexed_sliced_searched_and_sorted(songs: Studio) -> None:
    assert len(songs.tracks) == 3
    assert (songs.tracks[0].title, songs.tracks[-1].title) == ("One", "Three")
    assert [t.title for t in songs.tracks[1:]] == ["Two", "Three"]
    assert [t.artist for t in songs.tracks.search("bea")] == ["Bea"]
    assert [t.title for t in songs.tracks.sorted("title", descending=True)] == ["Two", "Three", "One"]
    with pytest.raises(IndexError):
        songs.tracks[3]


def test_sql_answers_in_rows_and_changes_nothing(songs: Studio) -> None:
    assert songs.sql("SELECT title FROM tracks WHERE artist = ?", ["Cy"]) == [{"title": "Three"}]
    for query in ("DELETE FROM tracks", "COMMIT; BEGIN; DELETE FROM tracks; COMMIT", "SELECT 1; DELETE FROM tracks"):
        with pytest.raises(ParameterError):
            songs.sql(query)
    with pytest.raises(ParameterError):
        songs.sql("SELECT nonsense")
    assert len(songs.tracks) == 3


def test_an_empty_name_adds_nothing(studio: Studio) -> None:
    with pytest.raises(ParameterError, match="An empty name"):
        studio.add("")
    assert len(studio.tracks) == 0


def test_a_hostile_title_is_text_in_a_table(studio: Studio) -> None:
    html = studio.sql("SELECT ? AS title", [HOSTILE])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_run_can_be_awaited_beside_other_work(songs: Studio) -> None:
    async def main() -> list[str]:
        run = songs.run(songs.tracks[0], stages="analyze")
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while not run.done:
                ticks += 1
                await asyncio.sleep(0.01)

        await asyncio.gather(tick(), run)
        assert ticks > 1, "awaiting held up the event loop"
        return [job.status for job in run.jobs]

    assert asyncio.run(main()) == ["completed"]


def test_a_run_can_be_cancelled(songs: Studio) -> None:
    run = songs.run(stages="separate")
    run.cancel()
    assert {job.status for job in run.wait(60).jobs} <= {"cancelled", "completed"}
    assert run.done


def test_a_library_comes_back_from_its_backup_while_it_is_open(studio: Studio, tmp_path: Path) -> None:
    song = studio.add(write_song(tmp_path / "song.wav", seconds=4))[0]
    made = studio.backup(tmp_path / "library.zip")
    assert (made.tracks, made.missing) == (1, [])
    studio.remove(song)
    studio.add(write_song(tmp_path / "other.wav", seconds=5))
    with pytest.raises(InputError):
        studio.restore_backup(made.file)
    told = threading.Event()
    with studio.bus.subscribe("library", lambda event: "restored" in event.data and told.set()):
        assert studio.restore_backup(made.file, replace=True).tracks == 1
        assert told.wait(30)
    assert [track.id for track in studio.tracks] == [song.id]
    assert studio.track(song.id).path.is_file()


def test_all_work_is_stopped_in_one_line_and_each_job_keeps_its_log(songs: Studio) -> None:
    run = songs.run(stages="analyze")
    run.wait(timeout=60)
    tidy = songs.cleanup().wait(timeout=60)
    assert [line["text"] for line in songs.jobs.log(tidy.ids[0])] == ["There was nothing to remove."]
    songs.run(stages="analyze", force=True)
    songs.jobs.cancel_all()
    assert not songs.ledger.jobs(active=True)
