"""What a person relies on when work runs in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sfa_kernel.catalog import jobs as table
from sfa_kernel.jobs import Ground, JobRequest, Kind, Plan, Runner
from sfa_kernel.jobs import runner as runner_module
from tests.jobs import work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

    from sfa_kernel.events import Event
    from sfa_kernel.studio import Studio

TIMEOUT = 60


class Bench:
    """A library whose jobs are the pieces of work of these tests."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.results: dict[UUID, Any] = {}
        self.kinds: dict[str, Kind] = {}
        self.runners: list[Runner] = []

    def kind(self, function: Callable[..., Any], *, keep: bool = False) -> None:
        def commit(connection: Any, job: table.JobRow, result: Any, files: Any) -> None:
            self.results[job.id] = files.keep(result, "exports") if keep else result

        self.kinds[function.__name__] = Kind(
            function.__name__, "analysis", lambda c, job, ground: Plan(dict(job.arguments)), function, commit
        )

    def queue(self, kind: str, *, needs: list[UUID] | None = None, key: str | None = None, **arguments: Any) -> UUID:
        ledger = self.studio.ledger
        with self.studio.catalog.write() as connection:
            request = JobRequest(kind, "analysis", None, arguments, unique_key=key, needs=needs or [])
            return ledger.enqueue(connection, request).id

    def start(self, limit: int = 2) -> Runner:
        self.studio.ledger.limits = {"analysis": limit}
        runner = Runner(self.studio.ledger, Ground(self.studio.storage, self.studio.settings), self.kinds)
        self.runners.append(runner)
        runner.start()
        return runner

    def ended(self, *ids: UUID) -> list[table.JobRow]:
        jobs = self.studio.ledger.wait(ids, timeout=TIMEOUT)
        assert all(job.status not in table.ACTIVE for job in jobs), jobs
        return jobs


@pytest.fixture
def bench(studio: Studio) -> Iterator[Bench]:
    bench = Bench(studio)
    yield bench
    for runner in bench.runners:
        runner.stop()
    assert not any((studio.home / "scratch").iterdir()), "an attempt left files behind"


def test_a_job_runs_and_its_result_is_committed(bench: Bench) -> None:
    bench.kind(work.double)
    bench.start()
    job_id = bench.queue("double", number=21)
    (job,) = bench.ended(job_id)
    assert (job.status, job.progress, job.attempt, job.error) == ("completed", 100, 1, None)
    assert bench.results[job_id] == 42


def test_progress_is_published_and_never_falls(bench: Bench) -> None:
    seen: list[int] = []
    finished = threading.Event()

    def on_event(event: Event) -> None:
        seen.append(event.data["progress"])
        if event.data["status"] == "completed":
            finished.set()

    bench.kind(work.double)
    with bench.studio.bus.subscribe("jobs:*", on_event):
        bench.start()
        bench.queue("double", number=1)
        assert finished.wait(TIMEOUT)
    assert seen == sorted(seen)
    assert {25, 50, 75, 100} <= set(seen)


def test_files_of_a_finished_job_are_kept_under_a_name_of_the_library(bench: Bench) -> None:
    bench.kind(work.make_file, keep=True)
    bench.start()
    job_id = bench.queue("make_file")
    bench.ended(job_id)
    assert bench.studio.storage.path(bench.results[job_id]).read_text() == "made"


def test_bad_input_fails_at_once_with_its_sentence(bench: Bench) -> None:
    bench.kind(work.refuse)
    bench.start()
    (job,) = bench.ended(bench.queue("refuse"))
    assert (job.status, job.attempt) == ("failed", 1)
    assert job.error == "This file holds no sound. Add another file."


@pytest.mark.parametrize("trouble", [work.stumble, work.crash])
def test_trouble_that_may_pass_is_tried_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Callable[..., Any]
) -> None:
    monkeypatch.setattr(runner_module, "back_off", lambda attempt: 0.0)
    bench.kind(trouble)
    bench.start()
    job_id = bench.queue(trouble.__name__, marker=str(tmp_path / "marker"))
    (job,) = bench.ended(job_id)
    assert (job.status, job.attempt) == ("completed", 2)
    assert bench.results[job_id] == "second attempt"


def running(bench: Bench, job_id: UUID) -> None:
    """Wait until the worker process reports progress."""
    reported = threading.Event()
    with bench.studio.bus.subscribe(f"jobs:{job_id}", lambda e: e.data["progress"] >= 10 and reported.set()):
        assert reported.wait(TIMEOUT)


def test_cancel_stops_the_process_and_what_waits_for_it(bench: Bench, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    bench.kind(work.linger)
    bench.kind(work.double)
    bench.start()
    first = bench.queue("linger", marker=str(marker))
    second = bench.queue("double", number=1, needs=[first])
    running(bench, first)
    worker = psutil.Process(int(marker.read_text()))
    bench.studio.ledger.cancel([first])
    assert [job.status for job in bench.ended(first, second)] == ["cancelled", "cancelled"]
    worker.wait(timeout=TIMEOUT)


def test_stopping_a_runner_gives_its_job_back(bench: Bench, tmp_path: Path) -> None:
    bench.kind(work.linger)
    runner = bench.start()
    job_id = bench.queue("linger", marker=str(tmp_path / "pid"))
    running(bench, job_id)
    runner.stop()
    (job,) = bench.studio.ledger.jobs([job_id])
    assert (job.status, job.holder) == ("queued", None)


def test_a_needed_job_comes_first_and_its_failure_calls_off_the_rest(bench: Bench) -> None:
    bench.kind(work.refuse)
    bench.kind(work.double)
    bench.start()
    refused = bench.queue("refuse")
    after = bench.queue("double", number=1, needs=[refused])
    assert [job.status for job in bench.ended(refused, after)] == ["failed", "cancelled"]
    retried = bench.studio.ledger.retry([refused])
    assert [job.id for job in retried] == [refused, after]


def test_the_same_work_is_queued_once_while_it_is_active(bench: Bench) -> None:
    bench.kind(work.double)
    assert bench.queue("double", key="k", number=1) == bench.queue("double", key="k", number=1)
    bench.start()
    first = bench.queue("double", key="k", number=1)
    bench.ended(first)
    assert bench.queue("double", key="k", number=1) != first


def test_the_limit_of_a_queue_holds_over_several_runners(bench: Bench) -> None:
    bench.kind(work.double)
    at_once: list[int] = []

    def count(event: Event) -> None:
        with bench.studio.catalog.read() as connection:
            at_once.append(table.counts(connection)["processing"])

    with bench.studio.bus.subscribe("jobs:*", count):
        for _ in range(3):
            bench.start(limit=1)
        bench.ended(*[bench.queue("double", number=n) for n in range(6)])
    assert max(at_once) == 1


def test_a_job_whose_runner_died_is_taken_over(bench: Bench) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    bench.kind(work.double)
    job_id = bench.queue("double", number=3)
    with bench.studio.catalog.write() as connection:
        table.claim(
            connection, {"analysis": 1}, {"double": "processing"}, holder=f"{os.uname().nodename}:{gone.pid}:1"
        )
        connection.execute("UPDATE jobs SET heartbeat_at = now() - INTERVAL 6 SECONDS")
    bench.start()
    (done,) = bench.ended(job_id)
    assert (done.status, done.attempt) == ("completed", 2)
