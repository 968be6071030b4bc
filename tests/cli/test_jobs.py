"""Jobs on the command line."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from sfa_kernel.catalog import breakers
from sfa_kernel.jobs import JobRequest
from sfa_kernel.jobs.ledger import payload
from sfa_kernel.jobs.log import JobLog
from sfa_kernel.jobs.runner import holder
from sfa_kernel.studio import Studio
from tests.cli.conftest import TIMEOUT
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sfa_kernel.catalog.jobs import JobRow
    from tests.cli.conftest import Cli, Sfa

BUSY = "The service was busy."


class Library:
    """A library in which jobs do what a test says."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def queue(self, kind: str = "work", *, queue: str = "analysis", track_id: UUID | None = None) -> JobRow:
        with self.studio.catalog.write() as connection:
            return self.studio.ledger.enqueue(connection, JobRequest(kind, queue, track_id, {"number": 7}))

    def begin(self, job: JobRow) -> JobRow:
        with self.studio.catalog.write() as connection:
            kinds = {job.kind: "processing"}
            return self.studio.ledger.claim(connection, kinds, holder=holder(), only=[job.id])[0]

    def fail(self, job: JobRow) -> None:
        with self.studio.catalog.write() as connection:
            self.studio.ledger.end(connection, job, "failed", BUSY)

    def try_again(self, job: JobRow, seconds: float) -> None:
        with self.studio.catalog.write() as connection:
            self.studio.ledger.requeue(connection, job, BUSY, delay=seconds)

    def complete(self, job: JobRow) -> None:
        with self.studio.catalog.write() as connection:
            self.studio.ledger.complete(connection, [job])

    def log(self, job: JobRow, text: str) -> None:
        log = JobLog(self.studio.storage.path("logs"), self.studio.bus.journal, job.id)
        log.write("info", text, job.attempt)

    def status(self, job: JobRow) -> str:
        return self.studio.ledger.get(job.id).status


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Studio.open(home, run_jobs=False) as studio:
        yield Library(studio)


def test_the_list_shows_queues_titles_and_when_it_is_tried_again(sfa: Sfa, library: Library, tmp_path: Path) -> None:
    (track,) = library.studio.add(write_song(tmp_path / "Artist - Song.wav"))
    waiting = library.queue(track_id=track.id)
    again = library.begin(library.queue())
    library.try_again(again, 40)
    failed = library.begin(library.queue(queue="export"))
    library.fail(failed)
    said = sfa("jobs")
    lines = {line.split()[0]: line for line in said.out.splitlines() if line}
    assert said.status == 0
    assert "0 of 2 running  1 waiting, 1 retrying" in lines["analysis"]
    assert "1 failed" in lines["export"]
    assert "Artist - Song" in lines[str(waiting.id)[:8]]
    assert re.search(rf"queued +0 % +try 2/3 in (40|3\d) s: {BUSY}", lines[str(again.id)[:8]])
    assert BUSY in lines[str(failed.id)[:8]]

    document = sfa.json("jobs")
    assert [UUID(job["id"]) for job in document["jobs"]] == [failed.id, again.id, waiting.id]
    assert {"queue", "attempt", "max_attempts", "scheduled_at", "error"} <= set(document["jobs"][0])
    queues = {queue.pop("queue"): queue for queue in document["queues"]}
    assert queues["analysis"] == {"limit": 2, "running": 0, "waiting": 1, "retrying": 1, "failed": 0}


def test_the_list_says_which_services_are_left_alone(sfa: Sfa, library: Library) -> None:
    with library.studio.catalog.write() as connection:
        for _ in range(breakers.FAILURES):
            breakers.failed(connection, "songs.example")
    assert "songs.example failed 5 times and is left alone; one job tries it in " in sfa("jobs").out
    (service,) = sfa.json("jobs")["services"]
    assert (service["service"], service["failures"]) == ("songs.example", 5)


def test_the_list_can_be_narrowed(sfa: Sfa, library: Library, tmp_path: Path) -> None:
    (track,) = library.studio.add(write_song(tmp_path / "song.wav"))
    of_track = library.queue(track_id=track.id)
    other = library.queue("other", queue="export")
    failed = library.begin(library.queue())
    library.fail(failed)

    def listed(*options: str) -> list[UUID]:
        return [UUID(job["id"]) for job in sfa.json("jobs", *options)["jobs"]]

    assert listed("list", "--active") == listed("--active", "list") == [other.id, of_track.id]
    assert listed("--failed") == listed("list", "--status", "failed") == [failed.id]
    assert listed("list", "--queue", "export") == listed("--kind", "other") == [other.id]
    assert listed("list", "--track", str(track.id)[:8]) == [of_track.id]
    assert listed("--limit", "1") == [failed.id]
    refused = sfa.refuses("jobs", "--queue", "nothing")
    assert "There is no queue 'nothing'. Choose from import, lookup, download," in refused
    assert "There is no status 'lost'. Choose from queued," in sfa.refuses("jobs", "list", "--status", "lost")
    assert "one document" in sfa.refuses("jobs", "--watch", "--json")


def test_what_is_urgent_says_so(sfa: Sfa, library: Library, tmp_path: Path) -> None:
    library.studio.add(write_song(tmp_path / "song.wav"))
    sfa("run", "--stages", "analyze", "--priority", "0")
    assert [job["priority"] for job in sfa.json("jobs")["jobs"]] == [0]
    assert "Choose 0 (first) to 9 (last)" in sfa.refuses("run", "--priority", "10")


def test_everything_about_one_job(sfa: Sfa, library: Library) -> None:
    job = library.begin(library.queue())
    library.log(job, "half way")
    library.fail(job)
    said = sfa("jobs", "show", str(job.id)[:6])
    assert said.status == 0
    for text in (str(job.id), "failed, 0 %", "attempt   1 of 3", "number=7", BUSY, "try 1  info    half way"):
        assert text in said.out
    document = sfa.json("jobs", "show", job.id)
    assert (document["status"], document["arguments"]) == ("failed", {"number": 7})
    assert [(line["attempt"], line["level"], line["text"]) for line in document["log"]] == [(1, "info", "half way")]
    for wrong in ("zzz", ""):
        assert f"an id that begins with '{wrong}'" in sfa.refuses("jobs", "show", wrong)


def test_jobs_are_tried_again_by_id_or_all_that_failed(sfa: Sfa, library: Library) -> None:
    failed = [library.begin(library.queue()) for _ in range(2)]
    for job in failed:
        library.fail(job)
    stopped, waiting = library.queue(), library.queue()
    library.studio.ledger.cancel([stopped.id])
    assert [job["status"] for job in sfa.json("jobs", "retry", str(stopped.id)[:8])["jobs"]] == ["queued"]
    assert {UUID(job["id"]) for job in sfa.json("jobs", "retry", "--failed")["jobs"]} == {job.id for job in failed}
    assert sfa.json("jobs", "retry", "--failed") == {"jobs": []}
    assert "Say which" in sfa.refuses("jobs", "retry")
    assert "Say which" in sfa.refuses("jobs", "retry", "--failed", str(waiting.id))
    assert "waiting or running" in sfa.refuses("jobs", "retry", str(waiting.id))


def test_one_of_several_that_cannot_be_tried_again_is_named(sfa: Sfa, library: Library) -> None:
    failed, waiting = library.begin(library.queue()), library.queue()
    library.fail(failed)
    said = sfa("jobs", "retry", failed.id, waiting.id)
    assert (said.status, library.status(failed)) == (1, "queued")
    assert f"Job {str(waiting.id)[:8]} stays as it is" in said.err


def test_jobs_are_cancelled_by_id_by_queue_or_all(sfa: Sfa, library: Library) -> None:
    one, exported, other = library.queue(), library.queue(queue="export"), library.queue()
    running = library.begin(library.queue())
    assert [UUID(job["id"]) for job in sfa.json("jobs", "cancel", one.id)["jobs"]] == [one.id]
    assert [UUID(job["id"]) for job in sfa.json("jobs", "cancel", "--queue", "export")["jobs"]] == [exported.id]
    assert sfa("jobs", "cancel", "--all").status == 0
    assert {library.status(job) for job in (one, exported, other, running)} == {"cancelled"}
    assert sfa("jobs", "cancel", "--all").out == "no jobs\n"
    assert "stays as it is" in sfa.refuses("jobs", "cancel", one.id)
    assert "Say which" in sfa.refuses("jobs", "cancel")
    assert "no queue 'x'" in sfa.refuses("jobs", "cancel", "--queue", "x")


def test_jobs_that_ended_are_forgotten(sfa: Sfa, library: Library) -> None:
    for _ in range(2):
        library.complete(library.begin(library.queue()))
    waiting = library.queue()
    assert sfa.json("jobs", "prune") == {"pruned": 0, "older_than_days": 7.0}
    assert sfa.json("jobs", "prune", "--older-than", "0") == {"pruned": 2, "older_than_days": 0.0}
    assert [job.id for job in library.studio.ledger.jobs()] == [waiting.id]


def test_a_log_can_be_followed_to_its_end(cli: Cli, library: Library) -> None:
    job = library.begin(library.queue())
    library.log(job, "first")
    following = cli.start("jobs", "show", job.id, "--follow")
    assert following.stdout is not None
    for line in following.stdout:
        if "first" in line:
            break
    library.log(job, "second")
    assert "second" in following.stdout.readline()
    library.fail(job)
    out, err = following.communicate(timeout=TIMEOUT)
    assert (following.returncode, out) == (1, "")
    assert err == f"sfa: The job failed: {BUSY}\n"


def test_following_a_job_in_json_waits_and_prints_one_document(cli: Cli, library: Library) -> None:
    job = library.begin(library.queue())
    following = cli.start("jobs", "show", job.id, "--follow", "--json")
    library.log(job, "only")
    library.complete(job)
    out, _ = following.communicate(timeout=TIMEOUT)
    document = json.loads(out)
    assert (following.returncode, document["status"]) == (0, "completed")
    assert [line["text"] for line in document["log"]] == ["only"]


def test_the_list_can_be_watched_until_ctrl_c(cli: Cli, library: Library) -> None:
    job = library.queue()
    watching = cli.start("jobs", "--watch")
    assert watching.stdout is not None

    def until(text: str) -> None:
        assert any(text in line for line in iter(watching.stdout.readline, ""))  # type: ignore[union-attr]

    until(f"{str(job.id)[:8]}  work      queued")
    running = library.begin(job)
    until(f"{str(job.id)[:8]}  work      processing    0 %")
    library.studio.bus.publish(f"jobs:{job.id}", {**payload(running), "progress": 42})  # as a worker process does
    until("42 %")
    library.fail(running)
    until(BUSY)
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=TIMEOUT)
    assert (watching.returncode, err) == (0, "")


# -- pausing ---------------------------------------------------------------------------------------------------


def test_a_batch_is_paused_and_resumed_by_its_id_or_one_of_its_jobs(library: Library, sfa: Sfa) -> None:
    batch = uuid4()
    with library.studio.catalog.write() as connection:
        request = JobRequest("work", "analysis", None, {}, batch_id=batch)
        job, _ = library.studio.ledger.enqueue_all(connection, [request, request])
    assert f"batch {str(batch)[:8]} is paused; jobs that wait: 2" in sfa("jobs", "pause", str(batch)[:13]).out
    listed = sfa("jobs").out
    assert f"batch {str(batch)[:8]} is paused, 2 jobs wait" in listed
    assert len(re.findall(r"queued .* paused$", listed, re.MULTILINE)) == 2
    (paused,) = sfa.json("jobs", "list")["paused"]
    assert (paused["batch_id"], paused["waiting"]) == (str(batch), 2)
    assert sfa.json("jobs", "resume", str(job.id)) == {"batch": str(batch), "paused": False, "waiting": None}
    assert sfa.json("jobs", "list")["paused"] == []


def test_a_batch_that_has_ended_cannot_be_paused(library: Library, sfa: Sfa) -> None:
    batch = uuid4()
    with library.studio.catalog.write() as connection:
        job = library.studio.ledger.enqueue(connection, JobRequest("work", "analysis", None, {}, batch_id=batch))
    library.studio.ledger.cancel([job.id])
    assert "nothing to pause" in sfa.refuses("jobs", "pause", batch)
    assert "No batch has an id" in sfa.refuses("jobs", "pause", "zz")
