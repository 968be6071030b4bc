"""Folders are looked through, and what is in them is imported by jobs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.catalog import folders, songs, trash
from sfa_kernel.errors import InputError
from sfa_kernel.jobs import Ground
from sfa_kernel.pipeline.intake import AT_ONCE, IMPORT, import_requests
from sfa_kernel.pipeline.scan import scan_request
from sfa_kernel.sources.song import Song
from sfa_kernel.storage import FileChanges
from sfa_kernel.studio import Studio
from tests.folders import put_song, titles

if TYPE_CHECKING:
    from sfa_kernel.catalog.jobs import JobRow

ROOT = Path(__file__).parents[2]
TIMEOUT = 120


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    for number in range(3):
        put_song(folder / f"album {number}" / f"song {number}.wav", number)
    return folder


def kinds(jobs: list[JobRow]) -> dict[str, int]:
    return {kind: sum(job.kind == kind for job in jobs) for kind in {job.kind for job in jobs}}


def test_a_folder_comes_in_by_jobs_and_a_second_look_brings_only_what_is_new(studio: Studio, music: Path) -> None:
    (music / "broken.mp3").write_text("no music")
    os.utime(music / "broken.mp3", (1, 1))
    run = studio.import_folder(music, stages="analyze").wait(TIMEOUT)
    assert (run.failures, kinds(run.jobs)) == ([], {"scan": 1, "import": 1, "analyze": 3})
    assert titles(studio) == ["song 0", "song 1", "song 2"]
    (folder,) = studio.folders
    assert (folder.tracks, folder.refused, folder.watched, folder.problem) == (3, 1, False, None)
    (refused,) = studio.folders.refused(folder)
    assert (refused["file"], "text, not audio" in refused["reason"]) == (str(music / "broken.mp3"), True)
    put_song(music / "song 3.wav", 3)
    again = studio.folders.scan().wait(TIMEOUT)
    assert (again.failures, kinds(again.jobs)) == ([], {"scan": 1, "import": 1, "analyze": 1})
    assert kinds(studio.folders.scan(music).wait(TIMEOUT).jobs) == {"scan": 1}
    studio.folders.forget(music)
    assert (len(studio.folders), len(studio.tracks)) == (0, 4)


def test_songs_of_a_folder_may_stay_where_they_are(studio: Studio, music: Path) -> None:
    studio.import_folder(music, reference=True).wait(TIMEOUT)
    assert {track.path for track in studio.tracks} == set(music.rglob("*.wav"))
    assert list((studio.home / "downloads").iterdir()) == []


def test_what_a_person_has_removed_stays_out_until_they_ask_for_all_of_it(studio: Studio, music: Path) -> None:
    studio.import_folder(music).wait(TIMEOUT)
    first, second, _ = studio.tracks
    studio.remove(first, second)
    with studio.catalog.write() as connection:  # one of them for good
        connection.execute("UPDATE tracks SET removed_at = '2000-01-01' WHERE id = ?", [first.id])
        trash.purge(connection, first.row.added_at)
    Path(second.row.source_path).rename(music / "elsewhere.wav")
    studio.folders.scan().wait(TIMEOUT)
    assert titles(studio) == ["song 2"]
    studio.import_folder(music).wait(TIMEOUT)
    assert titles(studio) == ["song 0", "song 1", "song 2"]


def test_a_folder_that_is_gone_costs_nothing(studio: Studio, music: Path) -> None:
    studio.import_folder(music).wait(TIMEOUT)
    music.rename(music.with_name("unplugged"))
    run = studio.folders.scan().wait(TIMEOUT)
    assert (run.failures, len(studio.tracks)) == ([], 3)
    assert "cannot be read" in str(studio.folders[0].problem)
    music.with_name("unplugged").rename(music)
    studio.folders.scan().wait(TIMEOUT)
    assert studio.folders[0].problem is None


def test_what_cannot_be_a_folder_of_songs_is_refused(studio: Studio, tmp_path: Path) -> None:
    for wrong in (tmp_path / "nothing", put_song(tmp_path / "a.wav", 1), studio.home / "downloads", "a\0b"):
        with pytest.raises(InputError):
            studio.import_folder(wrong)
    assert len(studio.folders) == 0


def test_hundreds_of_files_are_some_dozens_to_a_job(studio: Studio) -> None:
    files = [f"/music/{number}.wav" for number in range(2 * AT_ONCE + 1)]
    requests = import_requests(files, stages=["analyze"])
    assert [len(request.arguments["files"]) for request in requests] == [AT_ONCE, AT_ONCE, 1]
    assert requests[0].arguments["title"] == f"0.wav and {AT_ONCE - 1} more"


class ByHand:
    """Does a job's steps one by one."""

    def __init__(self, studio: Studio, files: list[Path], **how: Any) -> None:
        self.studio = studio
        (request,) = import_requests(files, **how)
        with studio.catalog.write() as connection:
            self.job = studio.ledger.enqueue(connection, replace(request, queue="by hand"))

    def work(self, *, attempt: int = 1) -> Any:
        self.job = replace(self.job, attempt=attempt)
        with self.studio.catalog.read() as connection:
            plan = IMPORT.prepare(connection, self.job, Ground(self.studio.storage, self.studio.settings))
        assert plan.arguments is not None
        self.scratch = self.studio.storage.scratch(self.job.id, attempt)
        return IMPORT.work(**plan.arguments, scratch=self.scratch, progress=lambda _: None)

    def settle(self, result: Any) -> list[JobRow]:
        """What follows."""
        assert IMPORT.follow is not None
        with self.studio.catalog.write() as connection:
            IMPORT.commit(connection, self.job, result, FileChanges(self.studio.storage, self.scratch))
            IMPORT.follow(connection, self.studio.ledger, self.job, result)
        return [job for job in self.studio.ledger.jobs(kind="import") if job.id != self.job.id]


def test_a_file_that_is_being_written_is_looked_at_later(home: Path, tmp_path: Path) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        complete, growing = put_song(tmp_path / "a.wav", 1), put_song(tmp_path / "b.wav", 2)
        os.utime(growing)
        by_hand = ByHand(studio, [complete, growing])
        (later,) = by_hand.settle(by_hand.work())
        assert (titles(studio), later.arguments["files"]) == (["a"], [str(growing)])
        assert later.scheduled_at > later.created_at


def test_after_a_bad_end_each_file_gets_a_job_of_its_own(home: Path, tmp_path: Path) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        files = [put_song(tmp_path / f"{number}.wav", number) for number in range(3)]
        by_hand = ByHand(studio, files)
        alone = by_hand.settle(by_hand.work(attempt=2))
        assert sorted(job.arguments["files"] for job in alone) == [[str(file)] for file in files]


def test_a_file_that_ends_its_job_each_time_is_not_tried_for_ever(studio: Studio, music: Path) -> None:
    file = next(music.rglob("*.wav"))
    by_hand = ByHand(studio, [file])
    assert IMPORT.failed is not None
    with studio.catalog.write() as connection:
        folders.put(connection, str(music), watched=False, reference=False, stages=[])
        IMPORT.failed(connection, by_hand.job, "It came to a bad end.", True)
    studio.ledger.cancel([by_hand.job.id])
    assert studio.folders.refused(music)[0]["reason"] == "It came to a bad end."
    studio.folders.scan().wait(TIMEOUT)
    assert len(studio.tracks) == 2
    studio.import_folder(music).wait(TIMEOUT)  # a person asks for all of it
    assert (len(studio.tracks), studio.folders.refused(music)) == (3, [])


def test_one_file_that_is_no_song_fails_its_job(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp3"
    path.write_text("no music")
    os.utime(path, (1, 1))
    run = studio._start(import_requests([path]), grows=True).wait(TIMEOUT)
    assert "text, not audio" in run.failures[0]["error"]


def test_a_song_that_a_playlist_names_by_its_file_is_here_when_the_file_is(studio: Studio, music: Path) -> None:
    file = next(music.rglob("*.wav"))
    with studio.catalog.write() as connection:
        (song_id,) = songs.put(connection, [Song("file", str(file), "As the list calls it")])
    studio.import_folder(music).wait(TIMEOUT)
    with studio.catalog.read() as connection:
        track_id = songs.get(connection, song_id).track_id
    assert track_id is not None
    assert studio.track(track_id).row.source_path == str(file)


WORKER = """
import sys
from sfa_kernel.studio import Studio
if __name__ == "__main__":
    with Studio.open(sys.argv[1]) as studio:
        studio.work()
        sys.stdin.read()
"""


def test_a_kill_in_the_middle_brings_each_song_in_once(home: Path, tmp_path: Path) -> None:
    music, count = tmp_path / "music", 3 * AT_ONCE
    for number in range(count):
        put_song(music / f"song {number:03}.wav", number)
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    with Studio.open(home, run_jobs=False) as studio:
        come = threading.Event()
        subscription = studio.bus.subscribe("library", lambda _: come.set())
        run = studio.import_folder(music)
        worker = subprocess.Popen([sys.executable, str(script), str(home)], cwd=ROOT, stdin=subprocess.PIPE)
        try:
            assert come.wait(TIMEOUT)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
        subscription.close()
        studio.work()
        run.wait(TIMEOUT)
        assert (run.failures, len(studio.tracks)) == ([], count)
        assert len(list((studio.home / "downloads").iterdir())) == count
        assert kinds(studio.folders.scan().wait(TIMEOUT).jobs) == {"scan": 1}


def test_two_looks_at_a_folder_queue_its_files_once(home: Path, music: Path) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        asked = studio.import_folder(music)
        with studio.catalog.write() as connection:
            row = studio.folders._row(connection, music)
            changed = studio.ledger.enqueue(connection, scan_request(row, asked=False))
            twice = studio.ledger.enqueue(connection, scan_request(row, asked=False))
        assert (twice.id, changed.id not in asked.ids) == (changed.id, True)
        studio.work()
        studio.ledger.wait([*asked.ids, changed.id], timeout=TIMEOUT)
        deadline = time.monotonic() + TIMEOUT
        while studio.ledger.jobs(active=True) and time.monotonic() < deadline:
            studio.ledger.wait([job.id for job in studio.ledger.jobs(active=True)], timeout=TIMEOUT)
        assert (kinds(studio.ledger.jobs()), len(studio.tracks)) == ({"scan": 2, "import": 1}, 3)
