"""The doctor: silent on a library that is whole, and clear about one that is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sfa_kernel import Studio
from sfa_kernel.catalog import jobs as table
from sfa_kernel.doctor import examine
from sfa_kernel.jobs import JobRequest
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.library import Track


@pytest.fixture
def track(studio: Studio, tmp_path: Path) -> Track:
    return studio.add(write_song(tmp_path / "A - Song.wav", seconds=4))[0]


def check(studio: Studio, name: str, *, deep: bool = False) -> dict[str, Any]:
    """One of the doctor's checks; a check that fails says what to do."""
    checks: list[dict[str, Any]] = examine(studio.home, deep=deep)["checks"]
    assert all(check["hint"] for check in checks if not check["ok"])
    return next(check for check in checks if check["name"] == name)


def test_a_library_that_is_whole_has_nothing_wrong(studio: Studio, track: Track) -> None:
    studio.run(track, stages="analyze").wait(60)
    report = examine(studio.home, deep=True)
    found = {check["name"]: check for check in report["checks"]}
    for name in ("library", "catalogue", "files", "contents", "orphans", "jobs"):
        assert found[name]["ok"], found[name]
    assert found["files"]["detail"] == "4 files"
    assert found["contents"]["detail"] == "1 as added"
    assert report["ok"]


def test_a_file_that_is_gone_is_named_by_its_song(studio: Studio, track: Track) -> None:
    track.path.unlink()
    found = check(studio, "files")
    assert not found["ok"]
    assert "1 of 1" in found["detail"]
    assert "Song" in found["detail"]
    assert not examine(studio.home)["ok"]


def test_only_a_deep_look_finds_a_file_that_has_changed(studio: Studio, track: Track) -> None:
    data = bytearray(track.path.read_bytes())
    data[-1] ^= 1
    track.path.write_bytes(data)
    assert check(studio, "files")["ok"]
    found = check(studio, "contents", deep=True)
    assert not found["ok"]
    assert "Song" in found["detail"]


def test_a_song_kept_in_another_format_has_not_changed(studio: Studio, tmp_path: Path) -> None:
    studio.add(write_song(tmp_path / "B - Other.aiff", seconds=4))
    assert check(studio, "contents", deep=True)["ok"]


def test_files_that_belong_to_nothing_are_counted_once_they_are_old(
    studio: Studio, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.storage.new("stems", uuid4(), ".wav").write_bytes(bytes(2_000_000))
    assert check(studio, "orphans")["ok"], "it may be about to get its row"
    now = time.time()
    monkeypatch.setattr("sfa_kernel.doctor.time.time", lambda: now + 2 * 86400)
    found = check(studio, "orphans")
    assert not found["ok"]
    assert not found["required"]
    assert found["detail"] == "1 files that belong to nothing, 2.0 MB"


def test_rows_that_belong_to_nothing_are_counted(studio: Studio, track: Track) -> None:
    with studio.catalog.write() as connection:
        connection.execute(
            "INSERT INTO cues VALUES (?, ?, 0, 'drop', '', '', 1, '', 'auto', NULL, NULL)", [uuid4(), uuid4()]
        )
    found = check(studio, "catalogue")
    assert not found["ok"]
    assert "1 of cues without tracks" in found["detail"]


def test_a_bad_block_is_found_wherever_the_catalogue_needs_it(studio: Studio, track: Track) -> None:
    with studio.catalog.write() as connection:
        connection.execute(
            "INSERT INTO cues SELECT uuid(), ?, range, 'drop', uuid()::VARCHAR, '', 1, '', 'auto', NULL, NULL "
            "FROM range(20000)",
            [track.id],
        )
    studio.catalog.give_back()
    sound = studio.catalog.file.read_bytes()
    used = 0
    for start in range(3 * 4096 + 262_144, len(sound), 262_144):  # DuckDB's blocks after the headers and the first
        studio.catalog.file.write_bytes(sound[:start] + b"rot" * 1000 + sound[start + 3000 :])
        found = check(studio, "catalogue")
        studio.catalog.give_back()
        if not found["ok"]:
            assert found["detail"].startswith("damaged: ")
            assert "restore" in found["hint"]
            used += 1
    studio.catalog.file.write_bytes(sound)
    assert check(studio, "catalogue")["ok"]
    assert used >= 4, "the cues alone fill some"


def test_a_job_that_nobody_goes_on_with_is_found(home: Path) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        with studio.catalog.write() as connection:
            first = studio.ledger.enqueue(connection, JobRequest("analyze", "analysis", None, {}))
            studio.ledger.enqueue(connection, JobRequest("autocue", "analysis", None, {}, needs=(first.id,)))
        assert check(studio, "jobs")["ok"], "who waits is not stuck"
        with studio.catalog.write() as connection:
            table.transition(connection, [first], "processing", holder="elsewhere:1:1")
            connection.execute("UPDATE jobs SET heartbeat_at = now() - INTERVAL 1 DAY WHERE id = ?", [first.id])
        assert "1 are running in no program" in check(studio, "jobs")["detail"]
        with studio.catalog.write() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ?", [first.id])
        assert check(studio, "jobs")["detail"] == "1 wait for jobs that have ended"
