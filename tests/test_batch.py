"""Many songs at once: what is analysed, what is not, and what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sfa_kernel.analysis import ANALYSIS_VERSION
from sfa_kernel.errors import NotFoundError
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio


@pytest.fixture
def songs(studio: Studio, tmp_path: Path) -> list[Track]:
    for seed, name in enumerate(["One", "Two", "Three"]):
        studio.add(write_song(tmp_path / f"{name}.wav", seconds=6, seed=seed))
    return list(studio.tracks)


def kinds(studio: Studio, run: object) -> set[tuple[str, str]]:
    titles = {track.id: track.title for track in studio.tracks}
    return {(titles[job.track_id], job.kind) for job in run.jobs}  # type: ignore[attr-defined] # a Run


def test_one_bad_song_keeps_no_other_from_being_analysed(studio: Studio, songs: list[Track]) -> None:
    songs[1].path.write_bytes(b"no music any more")
    run = studio.analyze().wait(120)
    assert [bool(track.analysis) for track in songs] == [True, False, True]
    (failure,) = run.failures
    assert (failure["track"], failure["title"], failure["stage"]) == (songs[1].id, "Two", "analyze")
    assert failure["error"]
    shown = repr(run)
    assert "1 failed" in shown
    assert "Two, analyze: " in shown
    # The others are not done again.
    assert kinds(studio, studio.analyze().wait(120)) == {("Two", "analyze"), ("Two", "autocue")}


def test_only_what_needs_it_is_analysed(studio: Studio, songs: list[Track]) -> None:
    studio.analyze(songs[:2]).wait(120)
    assert all(track.cues for track in songs[:2])
    with studio.catalog.write() as connection:
        connection.execute("UPDATE analyses SET version = ? WHERE track_id = ?", [ANALYSIS_VERSION - 1, songs[0].id])
    assert studio.stale() == [songs[0]]
    assert kinds(studio, studio.analyze(stale=False).wait(120)) == {("Three", "analyze"), ("Three", "autocue")}
    assert studio.stale() == [songs[0]]
    assert kinds(studio, studio.analyze().wait(120)) == {("One", "analyze"), ("One", "autocue")}
    assert studio.stale() == []
    assert studio.analyze().wait(120).jobs == []
    assert len(studio.analyze(songs[2], force=True).wait(120).jobs) == 2
    with pytest.raises(NotFoundError):
        studio.analyze("no-such-track")


def test_a_song_from_before_the_embeddings_is_stale(studio: Studio, songs: list[Track]) -> None:
    studio.analyze(songs[0]).wait(120)
    with studio.catalog.write() as connection:
        connection.execute("DELETE FROM embeddings")
    assert studio.stale() == [songs[0]]
    studio.analyze(songs[0]).wait(120)
    assert studio.stale() == []
    assert studio.sql("SELECT count(*) AS n FROM embeddings") == [{"n": 1}]


def test_nothing_to_analyse_is_a_run_without_jobs(studio: Studio) -> None:
    run = studio.analyze()
    assert (run.done, run.jobs, run.failures) == (True, [], [])
