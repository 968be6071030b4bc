"""What a person relies on when work runs in the background."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psutil
import pytest

from sfa_kernel.catalog import jobs as table
from sfa_kernel.errors import FatalJobError, NotFoundError
from sfa_kernel.jobs import Ground, JobRequest, Kind, Plan, Runner
from sfa_kernel.jobs import runner as runner_module
from sfa_kernel.jobs.log import read_log
from sfa_kernel.runs import Run
from sfa_kernel.studio import Studio
from tests.jobs import work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sfa_kernel.events import Event

TIMEOUT = 60


class Bench:
    """A library whose jobs are the pieces of work of these tests."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.results: dict[UUID, Any] = {}
        self.kinds: dict[str, Kind] = {}
        self.runners: list[Runner] = []

    def kind(
        self,
        function: Callable[..., Any],
        *,
        name: str = "",
        keep: bool = False,
        time_limit: float | None = None,
        before: Callable[[], object] = lambda: None,
        instead: Callable[..., Any] | None = None,
    ) -> None:
        """A kind of job: ``before`` is called when it is prepared, ``instead`` of keeping its result."""

        def prepare(connection: Any, job: table.JobRow, ground: Ground) -> Plan:
            before()
            return Plan(dict(job.arguments), time_limit)

        def commit(connection: Any, job: table.JobRow, result: Any, files: Any) -> None:
            self.results[job.id] = files.keep(result, "exports") if keep else result

        name = name or function.__name__
        self.kinds[name] = Kind(name, "analysis", prepare, function, instead or commit)

    def queue(
        self,
        kind: str,
        *,
        needs: Sequence[UUID] = (),
        key: str | None = None,
        track: UUID | None = None,
        service: str | None = None,
        **arguments: Any,
    ) -> UUID:
        ledger = self.studio.ledger
        with self.studio.catalog.write() as connection:
            request = JobRequest(kind, "analysis", track, arguments, unique_key=key, needs=needs, service=service)
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

    def hears(self, job_id: UUID, condition: Callable[[dict[str, Any]], object]) -> None:
        """Wait until an event of the job, or the last one before, says what is hoped for."""
        heard = threading.Event()

        def listen(event: Event | None) -> None:
            if event is not None and condition(event.data):
                heard.set()

        with self.studio.bus.subscribe(f"jobs:{job_id}", listen):
            listen(self.studio.bus.last(f"jobs:{job_id}"))
            assert heard.wait(TIMEOUT)

    def works(self, job_id: UUID) -> None:
        """Wait until the worker process reports progress."""
        self.hears(job_id, lambda data: data["progress"] >= 10)

    def waits(self, job_id: UUID, attempt: int) -> table.JobRow:
        """Wait until an attempt has failed and the job waits for the next."""
        self.hears(job_id, lambda data: (data["status"], data["attempt"]) == ("queued", attempt))
        return self.studio.ledger.get(job_id)

    def soon(self) -> None:
        """Let jobs that wait for their next try be ready now."""
        with self.studio.catalog.write() as connection:
            connection.execute("UPDATE jobs SET scheduled_at = now() WHERE status = 'queued'")
        self.studio.bus.publish("jobs:any", {"id": "any", "status": "queued"})

    def log(self, job_id: UUID) -> list[str]:
        return [record["text"] for record in read_log(self.studio.storage.path("logs"), job_id)[0]]


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


def test_cancel_stops_the_process_and_what_waits_for_it(bench: Bench, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    bench.kind(work.linger)
    bench.kind(work.double)
    bench.start()
    first = bench.queue("linger", marker=str(marker))
    second = bench.queue("double", number=1, needs=[first])
    bench.works(first)
    worker = psutil.Process(int(marker.read_text()))
    bench.studio.ledger.cancel([first])
    assert [job.status for job in bench.ended(first, second)] == ["cancelled", "cancelled"]
    worker.wait(timeout=TIMEOUT)


def test_stopping_a_runner_gives_its_job_back(bench: Bench, tmp_path: Path) -> None:
    bench.kind(work.linger)
    runner = bench.start()
    job_id = bench.queue("linger", marker=str(tmp_path / "pid"))
    bench.works(job_id)
    runner.stop()
    job = bench.studio.ledger.get(job_id)
    assert (job.status, job.holder, job.error) == ("queued", None, "The program that ran it was closed.")
    assert job.max_attempts - job.attempt == 3  # as many as before it began
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_a_needed_job_comes_first_and_its_failure_calls_off_the_rest(bench: Bench) -> None:
    bench.kind(work.refuse)
    bench.kind(work.double)
    bench.start()
    refused = bench.queue("refuse")
    after = bench.queue("double", number=1, needs=[refused])
    assert [job.status for job in bench.ended(refused, after)] == ["failed", "cancelled"]
    retried = bench.studio.ledger.retry([refused])
    assert [job.id for job in retried] == [refused, after]


def test_what_follows_a_job_belongs_to_its_batch_and_to_the_run(bench: Bench) -> None:
    def follow(connection: Any, ledger: Any, job: table.JobRow, result: int) -> None:
        if result < 8:
            for number in (result, result + 1):
                ledger.enqueue(
                    connection,
                    JobRequest("double", "analysis", None, {"number": number}, batch_id=job.batch_id),
                )

    bench.kind(work.double)
    bench.kinds["double"] = replace(bench.kinds["double"], follow=follow)
    batch_id, told = uuid4(), threading.Event()
    ends: list[dict[str, Any]] = []

    def listen(event: Event) -> None:
        ends.append(event.data)
        told.set()

    with bench.studio.bus.subscribe(f"batch:{batch_id}", listen):
        with bench.studio.catalog.write() as connection:
            request = JobRequest("double", "analysis", None, {"number": 2}, batch_id=batch_id)
            first = bench.studio.ledger.enqueue(connection, request)
        run = Run(bench.studio, [first.id], batch_id=batch_id, batches=[batch_id])
        bench.start()
        run.wait(TIMEOUT)
        # 2 makes 4, which asks for 4 and 5: they make 8 and 10, and ask for nothing.
        assert sorted(bench.results.values()) == [4, 8, 10]
        assert run.done
        assert len(run.ids) == len(run.jobs) == 3
        assert told.wait(TIMEOUT)
    assert [end["completed"] for end in ends] == [3]  # and not when the first had ended


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
        table.claim(connection, {"analysis": 1}, {"double": "processing"}, holder=f"{os.uname().nodename}:{gone.pid}:1")
        connection.execute("UPDATE jobs SET heartbeat_at = now() - INTERVAL 6 SECONDS")
    bench.start()
    (done,) = bench.ended(job_id)
    assert (done.status, done.attempt) == ("completed", 2)


# -- one job's trouble is nobody else's ------------------------------------------------------------------------------


def test_a_time_limit_stops_that_job_alone_and_says_so(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "back_off", lambda attempt: 3600.0)
    bench.kind(work.linger, time_limit=1.0)
    bench.kind(work.on_call)
    bench.start()
    neighbour = bench.queue("on_call", marker=str(tmp_path / "done"))
    bench.works(neighbour)
    slow = bench.queue("linger", marker=str(tmp_path / "pid"))
    job = bench.waits(slow, attempt=1)
    assert job.error == "It took longer than 1 s, the time limit for this job, and was stopped."
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    (tmp_path / "done").touch()
    (job,) = bench.ended(neighbour)
    assert (job.status, job.attempt) == ("completed", 1)


def test_after_a_persons_retry_the_pauses_begin_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def pause(attempt: int) -> float:
        tries.append(attempt)
        return 0.0

    monkeypatch.setattr(runner_module, "back_off", pause)
    bench.kind(work.busy)
    bench.start()
    job_id = bench.queue("busy")
    (job,) = bench.ended(job_id)
    assert (job.status, job.attempt, job.error, tries) == ("failed", 3, "The service was busy.", [1, 2])
    bench.studio.ledger.retry([job_id])
    (job,) = bench.ended(job_id)
    assert (job.status, job.attempt, tries) == ("failed", 6, [1, 2, 1, 2])


def test_a_job_that_ignores_everything_is_cancelled_with_all_it_started(bench: Bench, tmp_path: Path) -> None:
    bench.kind(work.cling)
    bench.start()
    job_id = bench.queue("cling", marker=str(tmp_path / "pids"))
    bench.works(job_id)
    processes = [psutil.Process(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    bench.studio.ledger.cancel([job_id])
    for process in processes:
        process.wait(timeout=TIMEOUT)
    (job,) = bench.ended(job_id)
    assert (job.status, job.error) == ("cancelled", "Cancelled on request.")


def failures(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if "failed: " in record.getMessage() and hasattr(record, "job")]


def test_a_result_that_cannot_be_kept_is_reported_once_and_harms_no_other(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse_to_keep(connection: Any, job: table.JobRow, result: Any, files: Any) -> None:
        files.keep(result, "exports")
        raise FatalJobError("There is no place for this.")

    bench.kind(work.on_call, keep=True)
    bench.kind(work.on_call, name="homeless", instead=refuse_to_keep)
    runner = bench.start(limit=3)
    first, second = tmp_path / "first", tmp_path / "second"
    good = [bench.queue("on_call", marker=str(first)), bench.queue("on_call", marker=str(second))]
    bad = bench.queue("homeless", marker=str(second))
    for job_id in (*good, bad):
        bench.works(job_id)
    # While we have the catalogue the runner cannot write: the first waits for it, then the others, as one group.
    executions = {execution.job.id: execution for execution in runner._executions()}
    with bench.studio.catalog.write():
        first.touch()
        assert executions[good[0]].handed_in.wait(TIMEOUT)
        second.touch()
        assert executions[good[1]].handed_in.wait(TIMEOUT)
        assert executions[bad].handed_in.wait(TIMEOUT)
    jobs = bench.ended(*good, bad)
    assert [(job.status, job.attempt) for job in jobs] == [("completed", 1), ("completed", 1), ("failed", 1)]
    assert {bench.studio.storage.path(bench.results[job_id]).read_text() for job_id in good} == {"made"}
    assert [record.reason for record in failures(caplog)] == ["There is no place for this."]  # type: ignore[attr-defined]
    kept = {path.name for path in (bench.studio.home / "exports").iterdir()}
    assert kept == {Path(bench.results[job_id]).name for job_id in good}


def test_a_job_that_cannot_be_prepared_fails_with_its_sentence_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise NotFoundError("The file of this track is gone.")

    bench.kind(work.double, before=missing)
    bench.start()
    (job,) = bench.ended(bench.queue("double", number=1))
    assert (job.status, job.attempt, job.error) == ("failed", 1, "The file of this track is gone.")
    assert len(failures(caplog)) == 1


def test_a_failure_is_logged_with_all_one_needs_to_find_it(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    track = uuid4()
    bench.kind(work.complain)
    bench.start()
    job_id = bench.queue("complain", track=track, marker=str(tmp_path / "said"), error="unexpected", times=9)
    bench.waits(job_id, attempt=1)
    (record,) = failures(caplog)
    assert {name: getattr(record, name) for name in ("job", "kind", "track", "queue", "attempt", "max_attempts")} == {
        "job": str(job_id),
        "kind": "complain",
        "track": str(track),
        "queue": "analysis",
        "attempt": 1,
        "max_attempts": 3,
    }
    assert record.reason == "Unexpected ValueError: what now"  # type: ignore[attr-defined]
    assert f"Job {job_id} (complain, track {track}, queue analysis) attempt 1/3 failed" in record.getMessage()
    said = "\n".join(bench.log(job_id))
    assert "Attempt 1 of 3 failed: Unexpected ValueError: what now" in said
    assert "raise TROUBLE[error]" in said  # the traceback
    assert "Next try in" in said


# -- trying again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "pauses"), [("limited", [60, 120]), ("told", [500, 500])])
def test_a_service_that_asks_for_patience_gets_it(
    bench: Bench, tmp_path: Path, error: str, pauses: list[float]
) -> None:
    bench.kind(work.complain)
    bench.start()
    job_id = bench.queue("complain", marker=str(tmp_path / "said"), error=error, times=2)
    for attempt, pause in enumerate(pauses, start=1):
        job = bench.waits(job_id, attempt)
        assert pause - 5 < (job.scheduled_at - datetime.now(UTC)).total_seconds() <= pause
        bench.soon()
    (job,) = bench.ended(job_id)
    assert (job.status, job.attempt) == ("completed", 3)


def test_the_pause_after_a_failure_grows_with_its_attempts(bench: Bench, tmp_path: Path) -> None:
    bench.kind(work.complain)
    bench.start()
    job_id = bench.queue("complain", marker=str(tmp_path / "said"), error="unexpected", times=9)
    for attempt, least, most in ((1, 7, 22), (2, 22, 52)):
        job = bench.waits(job_id, attempt)
        assert least - 5 < (job.scheduled_at - datetime.now(UTC)).total_seconds() <= most
        bench.soon()
    (job,) = bench.ended(job_id)
    assert (job.status, job.attempt) == ("failed", 3)


def test_waiting_for_room_on_the_disk_uses_up_no_attempts(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "BUSY_SECONDS", 0.0)
    bench.kind(work.complain)
    bench.start()
    (job,) = bench.ended(bench.queue("complain", marker=str(tmp_path / "said"), error="disk", times=5))
    assert (job.status, job.attempt, job.max_attempts) == ("completed", 6, 8)


def test_a_service_that_does_not_answer_is_left_alone_and_local_work_goes_on(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "back_off", lambda attempt: 3600.0)
    bench.kind(work.complain)
    bench.kind(work.double)
    bench.start()
    options: dict[str, Any] = {"service": "tube", "error": "service", "times": 9}
    for job_id in [bench.queue("complain", marker=str(tmp_path / str(n)), **options) for n in range(5)]:
        bench.waits(job_id, attempt=1)
    waiting = bench.queue("complain", marker=str(tmp_path / "waiting"), **options)
    local = bench.queue("double", number=1)
    assert bench.ended(local)[0].status == "completed"
    assert bench.studio.ledger.get(waiting).attempt == 0
    assert [service["service"] for service in bench.studio.ledger.services()] == ["tube"]


# -- cancelling ------------------------------------------------------------------------------------------------------


def test_a_job_may_be_cancelled_while_it_waits(bench: Bench) -> None:
    bench.kind(work.double)
    job_id = bench.queue("double", number=1)
    bench.studio.ledger.cancel([job_id])
    bench.start()
    (job,) = bench.ended(job_id)
    assert (job.status, job.attempt) == ("cancelled", 0)


def test_a_job_may_be_cancelled_while_it_is_prepared(bench: Bench, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(TIMEOUT)

    bench.kind(work.linger, before=wait)
    runner = bench.start()
    job_id = bench.queue("linger", marker=str(tmp_path / "pid"))
    assert begun.wait(TIMEOUT)
    (execution,) = runner._executions()
    canceller = threading.Thread(target=bench.studio.ledger.cancel, args=([job_id],))
    canceller.start()
    go_on.set()
    canceller.join(TIMEOUT)
    (job,) = bench.ended(job_id)
    execution.join(TIMEOUT)
    assert not execution.is_alive()
    assert (job.status, job_id in bench.results) == ("cancelled", False)


def test_a_job_cancelled_and_tried_again_at_once_loses_only_the_attempt_that_was_meant(
    bench: Bench, tmp_path: Path
) -> None:
    prepared = threading.Semaphore(0)

    def hold_up(event: Event) -> None:
        """Nobody hears of the cancellation before the second attempt has begun."""
        if event.data["status"] == "cancelled":
            assert prepared.acquire(timeout=TIMEOUT)

    marker = tmp_path / "marker"
    bench.kind(work.on_call, before=prepared.release)
    with bench.studio.bus.subscribe("jobs:*", hold_up):
        runner = bench.start()
        job_id = bench.queue("on_call", marker=str(marker))
        bench.works(job_id)
        assert prepared.acquire(timeout=TIMEOUT)
        (first,) = runner._executions()
        bench.studio.ledger.cancel([job_id])
        bench.studio.ledger.retry([job_id])
        runner._wake.set()
        first.join(TIMEOUT)
        assert not first.is_alive()
        marker.touch()
        (job,) = bench.ended(job_id)
    assert (job.status, job.attempt) == ("completed", 2)


# -- runners come and go -----------------------------------------------------------------------------------------------


def test_a_kind_this_runner_does_not_know_is_left_to_others(bench: Bench) -> None:
    bench.kind(work.double)
    bench.start()
    foreign = bench.queue("foreign")
    assert bench.ended(bench.queue("double", number=1))[0].status == "completed"
    assert bench.studio.ledger.get(foreign).attempt == 0
    bench.kind(work.double, name="foreign")
    bench.start()
    (job,) = bench.ended(bench.queue("double", number=1))
    assert job.status == "completed"
    bench.studio.ledger.cancel([foreign])


HOLD = """
import sys
from sfa_kernel.studio import Studio

with Studio.open(sys.argv[1], run_jobs=False).catalog.write():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_results_that_come_while_the_catalogue_is_busy_are_kept_until_it_is_free(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_BUSY_TIMEOUT", "0.3")
    waits = threading.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("Jobs have to wait"):
                waits.set()

    listener = Listener()
    with Studio.open(home) as studio:
        bench = Bench(studio)
        bench.kind(work.on_call, keep=True)
        runner = bench.start()
        job_id = bench.queue("on_call", marker=str(tmp_path / "marker"))
        bench.works(job_id)
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        runner_module.logger.addHandler(listener)
        try:
            (tmp_path / "marker").touch()
            assert waits.wait(TIMEOUT)
            holder.stdin.close()
            holder.wait(TIMEOUT)
            (job,) = bench.ended(job_id)
        finally:
            runner_module.logger.removeHandler(listener)
            runner.stop()
        holder.stdout.close()
        assert (job.status, job.attempt) == ("completed", 1)
        assert studio.storage.path(bench.results[job_id]).read_text() == "made"


DIES = """
import os, signal, sys
from sfa_kernel.jobs import Ground, Kind, Plan, Runner
from sfa_kernel.studio import Studio
from tests.jobs import work
from tests.jobs.test_runner import put_analysis

studio = Studio.open(sys.argv[1], run_jobs=False)
studio.ledger.limits = {"analysis": 1}


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def commit(connection, job, result, files):
    put_analysis(connection, job, result, files)
    die() if sys.argv[2] == "before" else studio.catalog.after_commit(die)


kind = Kind("make_file", "analysis", lambda c, job, ground: Plan({}), work.make_file, commit)
runner = Runner(studio.ledger, Ground(studio.storage, studio.settings), {"make_file": kind})
runner.start()
sys.stdin.read()
"""


def put_analysis(connection: Any, job: table.JobRow, result: Any, files: Any) -> None:
    name = files.keep(result, "analysis")
    connection.execute(
        "INSERT OR REPLACE INTO analyses BY NAME SELECT ? AS track_id, 1 AS version, ? AS file, ? AS waveform, "
        "now() AS created_at",
        [job.track_id, name, name],
    )


@pytest.mark.parametrize(("moment", "attempts"), [("before", 2), ("after", 1)])
def test_a_runner_killed_around_its_commit_leaves_no_orphan_and_loses_no_file(
    bench: Bench, moment: str, attempts: int
) -> None:
    job_id = bench.queue("make_file", track=uuid4())
    repository = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", DIES, str(bench.studio.home), moment]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=repository) as killed:
        assert killed.wait(TIMEOUT) == -9
    assert len(list((bench.studio.home / "analysis").iterdir())) == 1
    with bench.studio.catalog.write() as connection:
        connection.execute("UPDATE jobs SET heartbeat_at = now() - INTERVAL 6 SECONDS")
    bench.kind(work.make_file, instead=put_analysis)
    bench.start()
    (job,) = bench.ended(job_id)
    assert (job.status, job.attempt) == ("completed", attempts)
    deadline = time.monotonic() + TIMEOUT
    while any((bench.studio.home / "scratch").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)  # it sweeps now and then
    with bench.studio.catalog.read() as connection:
        names = connection.execute("SELECT file FROM analyses").fetchall()
    assert [(str(path.relative_to(bench.studio.home)),) for path in (bench.studio.home / "analysis").iterdir()] == names


def test_a_runner_that_stops_keeps_the_results_that_are_there(bench: Bench, tmp_path: Path) -> None:
    def refuse_to_keep(connection: Any, job: table.JobRow, result: Any, files: Any) -> None:
        raise ValueError("no")

    bench.kind(work.on_call, keep=True)
    bench.kind(work.on_call, name="homeless", instead=refuse_to_keep)
    runner = bench.start()
    good, bad = (bench.queue(kind, marker=str(tmp_path / "marker")) for kind in ("on_call", "homeless"))
    for job_id in (good, bad):
        bench.works(job_id)
    executions = runner._executions()
    runner._stopping.set()
    with bench.studio.catalog.write():
        (tmp_path / "marker").touch()
        for execution in executions:
            assert execution.handed_in.wait(TIMEOUT)
    runner.stop()
    jobs = bench.studio.ledger.jobs([good, bad])
    assert [(job.status, job.attempt) for job in jobs] == [("completed", 1), ("queued", 1)]
    assert bench.studio.storage.path(bench.results[good]).read_text() == "made"
