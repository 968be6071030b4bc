"""What a person relies on when work is queued, goes wrong, is called off and tried again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from sfa_kernel.catalog import breakers
from sfa_kernel.catalog import jobs as table
from sfa_kernel.errors import CatalogBusy, NotFoundError, TransitionError
from sfa_kernel.jobs import JobRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ledger
    from sfa_kernel.studio import Studio

# Holds a library's catalogue until its standard input ends.
HOLD = """
import sys
from pathlib import Path
from sfa_kernel.catalog import Catalog
with Catalog.open(Path(sys.argv[1])).write():
    print("held", flush=True)
    sys.stdin.read()
"""

KINDS = {"work": "processing", "fetch": "downloading"}


@pytest.fixture
def ledger(studio: Studio) -> Ledger:
    studio.ledger.limits = {"download": 3, "analysis": 2, "export": 50}
    return studio.ledger


def request(kind: str = "work", queue: str = "export", **options: Any) -> JobRequest:
    return JobRequest(kind, queue, options.pop("track_id", None), options.pop("arguments", {}), **options)


def enqueue(ledger: Ledger, *requests: JobRequest) -> list[UUID]:
    with ledger.catalog.write() as connection:
        return [job.id for job in ledger.enqueue_all(connection, requests or [request()])]


def claim(ledger: Ledger, *, holder: str = "host:1:1") -> list[JobRow]:
    with ledger.catalog.write() as connection:
        return ledger.claim(connection, KINDS, holder=holder)


def complete(ledger: Ledger, jobs: Sequence[JobRow]) -> list[UUID]:
    with ledger.catalog.write() as connection:
        return [job.id for job in ledger.complete(connection, jobs)]


def fail(ledger: Ledger, job: JobRow, *, service_failed: bool = False) -> list[UUID]:
    with ledger.catalog.write() as connection:
        ended = ledger.end(connection, job, "failed", "It did not work.")
        if service_failed and job.service is not None:
            breakers.failed(connection, job.service)
    return [job.id for job in ended]


def statuses(ledger: Ledger, ids: Sequence[UUID]) -> list[str]:
    return [job.status for job in ledger.jobs(ids)]


def earlier(ledger: Ledger, seconds: float) -> None:
    """Let time pass, for the catalogue."""
    with ledger.catalog.write() as connection:
        moments = ("created_at", "scheduled_at", "heartbeat_at", "ended_at")
        changes = ", ".join(f"{name} = {name} - to_seconds({seconds})" for name in moments)
        connection.execute(f"UPDATE jobs SET {changes}")  # noqa: S608 - our own names
        connection.execute(f"UPDATE breakers SET opened_at = opened_at - to_seconds({seconds})")  # noqa: S608


def told(ledger: Ledger, topic: str) -> list[dict[str, Any]]:
    """What the journal says of topics that begin so."""
    lines = [
        json.loads(line)
        for path in sorted(ledger.bus.journal.folder.iterdir())
        for line in path.read_text("utf-8").splitlines()
        if line
    ]
    return [line["data"] for line in lines if line["topic"].startswith(topic)]


# -- the same work once ------------------------------------------------------------------------------------------


def test_the_same_work_is_queued_once_while_it_is_active_and_300_seconds_after(ledger: Ledger) -> None:
    download = request("fetch", "download", unique_key="fetch:url", unique_for=300.0)
    (first,) = enqueue(ledger, download)
    assert enqueue(ledger, download, download) == [first, first]
    complete(ledger, claim(ledger))
    earlier(ledger, 299)
    assert enqueue(ledger, download) == [first]
    earlier(ledger, 2)
    assert enqueue(ledger, download) != [first]


def test_work_that_failed_may_be_queued_again_at_once(ledger: Ledger) -> None:
    download = request("fetch", "download", unique_key="fetch:url", unique_for=300.0)
    (first,) = enqueue(ledger, download)
    fail(ledger, claim(ledger)[0])
    assert enqueue(ledger, download) != [first]


def test_work_may_be_queued_again_in_the_transaction_that_ends_it(ledger: Ledger) -> None:
    (first,) = enqueue(ledger, request(unique_key="k"))
    (running,) = claim(ledger)
    with ledger.catalog.write() as connection:
        ledger.complete(connection, [running])
        second = ledger.enqueue(connection, request(unique_key="k"))
    assert statuses(ledger, [first, second.id]) == ["completed", "queued"]


# -- steps that need others --------------------------------------------------------------------------------------


def test_a_step_waits_for_all_it_needs_and_a_failure_calls_off_all_that_follows(ledger: Ledger) -> None:
    first, second = enqueue(ledger, request(), request())
    (after,) = enqueue(ledger, request(needs=[first, second]))
    (last,) = enqueue(ledger, request(needs=[after]))
    one, two = claim(ledger)
    assert complete(ledger, [one]) == [first]
    assert claim(ledger) == []
    assert fail(ledger, two) == [second, after, last]
    assert statuses(ledger, [first, second, after, last]) == ["completed", "failed", "cancelled", "cancelled"]
    assert ledger.get(last).error == "A step before it did not finish."


def test_steps_that_are_queued_together_name_each_other_and_many_take_no_more_statements_than_few(
    ledger: Ledger,
) -> None:
    def steps(count: int) -> list[JobRequest]:
        names = [f"{count}-{number}" for number in range(count)]
        return [
            step
            for name in names
            for step in (request(unique_key=name), request(unique_key=f"after {name}", needs=[name]))
        ]

    def statements(count: int) -> int:
        asked: list[str] = []

        class Counting:
            def execute(self, query: str, parameters: Any = None) -> Any:
                asked.append(query)
                return connection.execute(query, parameters)

        with ledger.catalog.write() as connection:
            ledger.enqueue_all(Counting(), steps(count))  # type: ignore[arg-type] # all that it uses
        return len(asked)

    assert statements(2) == statements(40)
    first, after, second, last = enqueue(ledger, *steps(2))  # they wait already
    assert len({first, after, second, last}) == 4
    assert len(ledger.jobs()) == 84
    assert ledger.get(after).needs == [first]
    assert {job.id for job in claim(ledger)} == {job.id for job in ledger.jobs() if not job.needs}
    complete(ledger, [ledger.get(first)])
    assert [job.id for job in claim(ledger)] == [after]


def test_cancelling_a_step_cancels_what_waits_for_it(ledger: Ledger) -> None:
    first, other = enqueue(ledger, request(), request())
    (after,) = enqueue(ledger, request(needs=[first]))
    assert [job.id for job in ledger.cancel([first])] == [first, after]
    assert ledger.cancel([first, after]) == []
    assert statuses(ledger, [other]) == ["queued"]


def test_cancel_all_stops_what_waits_and_runs_in_one_queue_or_in_all(ledger: Ledger) -> None:
    enqueue(ledger, request(queue="download"), request(queue="analysis"))
    claim(ledger)
    enqueue(ledger, request(queue="analysis"))
    assert [job.queue for job in ledger.cancel_all("analysis")] == ["analysis", "analysis"]
    assert [job.queue for job in ledger.cancel_all()] == ["download"]
    assert ledger.jobs(active=True) == []


# -- trying again ------------------------------------------------------------------------------------------------


def test_a_retry_brings_the_steps_along_that_were_called_off_and_those_it_needs(ledger: Ledger) -> None:
    (first,) = enqueue(ledger)
    (after,) = enqueue(ledger, request(needs=[first]))
    fail(ledger, claim(ledger)[0])
    assert {job.id for job in ledger.retry([first])} == {first, after}
    assert [job.id for job in claim(ledger)] == [first]
    ledger.cancel([first])
    assert {job.id for job in ledger.retry([after])} == {first, after}
    complete(ledger, claim(ledger))
    assert [job.id for job in claim(ledger)] == [after]


def test_a_step_that_a_person_cancelled_stays_cancelled_when_the_one_before_it_is_tried_again(ledger: Ledger) -> None:
    (first,) = enqueue(ledger)
    (after,) = enqueue(ledger, request(needs=[first]))
    ledger.cancel([after])
    fail(ledger, claim(ledger)[0])
    assert [job.id for job in ledger.retry([first])] == [first]
    assert statuses(ledger, [after]) == ["cancelled"]


def test_attempts_count_on_after_a_retry_and_three_more_are_granted(ledger: Ledger) -> None:
    (job_id,) = enqueue(ledger)
    fail(ledger, claim(ledger)[0])
    (job,) = ledger.retry([job_id])
    assert (job.status, job.attempt, job.max_attempts, job.error, job.ended_at) == ("queued", 1, 4, None, None)


def test_of_several_failures_of_the_same_work_only_the_newest_is_tried_again(ledger: Ledger) -> None:
    failed = []
    for _ in range(3):
        failed += enqueue(ledger, request(unique_key="k"))
        fail(ledger, claim(ledger)[0])
    assert [job.id for job in ledger.retry(failed)] == [failed[-1]]
    assert statuses(ledger, failed) == ["failed", "failed", "queued"]


def test_what_needs_a_failure_that_somebody_else_repeats_waits_for_that(ledger: Ledger) -> None:
    """Separation failed and called the cues off; then it was asked for anew, and now the cues are tried again."""
    (old,) = enqueue(ledger, request(unique_key="separate"))
    (cues,) = enqueue(ledger, request(needs=[old]))
    fail(ledger, claim(ledger)[0])
    (new,) = enqueue(ledger, request(unique_key="separate"))
    assert [job.id for job in ledger.retry([cues])] == [cues]
    assert ledger.get(cues).needs == [new]
    complete(ledger, claim(ledger))
    assert [job.id for job in claim(ledger)] == [cues]


def test_steps_of_several_failures_of_the_same_work_all_wait_for_the_one_that_is_repeated(ledger: Ledger) -> None:
    steps = []
    for _ in range(2):
        (first,) = enqueue(ledger, request(unique_key="k"))
        steps += [first, *enqueue(ledger, request(needs=[first]))]
        fail(ledger, claim(ledger)[0])
    assert {job.id for job in ledger.retry(steps)} == set(steps[1:])
    complete(ledger, claim(ledger))
    assert {job.id for job in claim(ledger)} == {steps[1], steps[3]}


def test_nothing_to_try_again_is_said(ledger: Ledger) -> None:
    done, waiting = enqueue(ledger, request(priority=0), request(unique_key="k"))
    complete(ledger, claim(ledger)[:1])
    for ids in ([done], [waiting], [uuid4()]):
        with pytest.raises(TransitionError, match="Nothing to try again"):
            ledger.retry(ids)
    assert ledger.retry([]) == []


def test_work_that_is_under_way_is_not_doubled_by_a_retry(ledger: Ledger) -> None:
    (failed,) = enqueue(ledger, request(unique_key="k"))
    fail(ledger, claim(ledger)[0])
    enqueue(ledger, request(unique_key="k"))
    with pytest.raises(TransitionError, match="waiting or running"):
        ledger.retry([failed])


# -- what is told ------------------------------------------------------------------------------------------------


def test_the_end_of_a_pipeline_is_told_once_when_its_last_step_ends(ledger: Ledger) -> None:
    track = uuid4()
    first, second = enqueue(ledger, request("fetch", track_id=track), request("work", track_id=track))
    enqueue(ledger, request("work", track_id=uuid4()))  # another track is another matter
    jobs = {job.id: job for job in claim(ledger)}
    complete(ledger, [jobs[first]])
    assert told(ledger, "pipeline:") == []
    fail(ledger, jobs[second])
    (event,) = told(ledger, "pipeline:")
    assert (event["track_id"], event["status"]) == (str(track), "failed")
    assert event["stages"] == {"fetch": "completed", "work": "failed"}
    assert event["started_at"] < event["ended_at"]
    ledger.retry([second])
    complete(ledger, claim(ledger))
    assert [event["status"] for event in told(ledger, f"pipeline:{track}")] == ["failed", "completed"]


def test_a_pipeline_is_judged_by_its_own_steps_not_by_older_ones(ledger: Ledger) -> None:
    track, batch = uuid4(), uuid4()
    enqueue(ledger, request("fetch", track_id=track))
    fail(ledger, claim(ledger)[0])
    enqueue(ledger, *[request(kind, track_id=track, batch_id=batch) for kind in ("work", "work")])
    complete(ledger, claim(ledger))
    *_, event = told(ledger, f"pipeline:{track}")
    assert (event["status"], event["stages"]) == ("completed", {"work": "completed"})


def test_the_end_of_a_batch_is_told_once_with_what_became_of_its_jobs(ledger: Ledger) -> None:
    batch, tracks = uuid4(), [uuid4(), uuid4()]
    ids = enqueue(ledger, *[request(track_id=track, batch_id=batch) for track in tracks for _ in range(2)])
    (after,) = enqueue(ledger, request(needs=ids[:1], batch_id=batch))
    jobs = claim(ledger)
    complete(ledger, jobs[1:3])
    ledger.cancel([jobs[3].id])
    assert told(ledger, "batch:") == []
    assert fail(ledger, jobs[0]) == [ids[0], after]
    (event,) = told(ledger, "batch:")
    assert event.pop("seconds") >= 0
    assert event == {"id": str(batch), "jobs": 5, "completed": 2, "failed": 1, "cancelled": 2, "tracks": 2}


def test_jobs_that_end_together_end_their_pipeline_once(ledger: Ledger) -> None:
    enqueue(ledger, *[request(track_id=UUID(int=1), batch_id=UUID(int=2)) for _ in range(3)])
    complete(ledger, claim(ledger))
    assert len(told(ledger, "pipeline:")) == len(told(ledger, "batch:")) == 1


def test_what_is_not_committed_is_not_told(ledger: Ledger) -> None:
    with suppress(ZeroDivisionError), ledger.catalog.write() as connection:
        ledger.enqueue(connection, request())
        raise ZeroDivisionError
    assert told(ledger, "jobs:") == []
    assert ledger.jobs() == []


def test_an_observer_writes_in_the_transaction_of_what_it_sees(ledger: Ledger) -> None:
    seen: list[tuple[str, str]] = []
    ledger.observers.append(lambda connection, job: seen.append((job.status, table.get(connection, job.id).status)))
    enqueue(ledger)
    complete(ledger, claim(ledger))
    assert seen == [("processing", "processing"), ("completed", "completed")]


def test_queues_say_what_runs_waits_retries_and_failed(ledger: Ledger) -> None:
    enqueue(ledger, *[request(queue="download") for _ in range(5)])
    one, two, _ = claim(ledger)
    fail(ledger, one)
    with ledger.catalog.write() as connection:
        ledger.requeue(connection, two, "later", delay=60.0)
    assert ledger.queues() == [
        {"queue": "download", "limit": 3, "running": 1, "waiting": 2, "retrying": 1, "failed": 1},
        {"queue": "analysis", "limit": 2, "running": 0, "waiting": 0, "retrying": 0, "failed": 0},
        {"queue": "export", "limit": 50, "running": 0, "waiting": 0, "retrying": 0, "failed": 0},
    ]


def test_a_job_that_is_unknown_is_said_to_be(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError, match="There is no job"):
        ledger.get(uuid4())


# -- services that do not answer ---------------------------------------------------------------------------------


def calls(count: int, **options: Any) -> list[JobRequest]:
    return [request("fetch", service="tube", **options) for _ in range(count)]


def test_a_service_that_failed_five_times_is_left_alone_then_tried_by_one_job(ledger: Ledger) -> None:
    enqueue(ledger, *calls(9))
    jobs = claim(ledger)
    with ledger.catalog.write() as connection:
        for job in jobs[5:]:
            ledger.requeue(connection, job, "later", delay=0.0)
    for job in jobs[:4]:
        fail(ledger, job, service_failed=True)
    assert ledger.services() == []
    fail(ledger, jobs[4], service_failed=True)
    assert [service["service"] for service in ledger.services()] == ["tube"]

    # Jobs of that service wait; whatever else there is goes on.
    (local,) = enqueue(ledger)
    assert [job.id for job in claim(ledger)] == [local]
    earlier(ledger, 29)
    assert claim(ledger) == []

    # After 30 s one is the trial, the others wait for how it ends. It fails: 30 s more.
    earlier(ledger, 2)
    (trial,) = claim(ledger)
    assert claim(ledger) == []
    fail(ledger, trial, service_failed=True)
    assert claim(ledger) == []

    # The next succeeds, and the way is free.
    earlier(ledger, 31)
    (trial,) = claim(ledger)
    complete(ledger, [trial])
    assert ledger.services() == []
    assert len(claim(ledger)) == 2


def test_failures_count_only_in_a_row(ledger: Ledger) -> None:
    enqueue(ledger, *calls(9))
    jobs = claim(ledger)
    for job in jobs[:4]:
        fail(ledger, job, service_failed=True)
    complete(ledger, jobs[4:5])
    for job in jobs[5:]:
        fail(ledger, job, service_failed=True)
    assert ledger.services() == []


def test_one_job_tries_a_service_that_several_queues_call(ledger: Ledger) -> None:
    enqueue(ledger, *calls(2, queue="download"), *calls(2, queue="analysis"))
    with ledger.catalog.write() as connection:
        for _ in range(breakers.FAILURES):
            breakers.failed(connection, "tube")
    earlier(ledger, 31)
    assert len(claim(ledger)) == 1
    assert claim(ledger) == []


def test_a_service_that_one_process_found_failing_is_left_alone_by_all(ledger: Ledger, studio: Studio) -> None:
    enqueue(ledger, *calls(5), *calls(1))
    script = """
import sys
from sfa_kernel.catalog import breakers
from sfa_kernel.studio import Studio

studio = Studio.open(sys.argv[1], run_jobs=False)
studio.ledger.limits = {"export": 5}
with studio.catalog.write() as connection:
    for job in studio.ledger.claim(connection, {"fetch": "downloading"}, holder="other"):
        studio.ledger.end(connection, job, "failed", "The service does not answer.")
        breakers.failed(connection, "tube")
"""
    subprocess.run([sys.executable, "-c", script, str(studio.home)], check=True)
    assert [service["failures"] for service in ledger.services()] == [5]
    assert claim(ledger) == []


def test_whoever_waits_for_a_job_outlasts_somebody_who_writes_much(ledger: Ledger) -> None:
    ids = enqueue(ledger)
    ledger.catalog.busy_timeout = 0.05
    asked = threading.Event()
    ends: list[list[str]] = []

    def wait() -> None:
        asked.set()
        ends.append([job.status for job in ledger.wait(ids, timeout=60)])

    waiting = threading.Thread(target=wait)
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(ledger.catalog.file.parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert held.stdout is not None
        assert held.stdout.readline() == b"held\n"
        with pytest.raises(CatalogBusy):
            ledger.jobs(ids)
        waiting.start()
        assert asked.wait(60)
        with pytest.raises(CatalogBusy):  # long enough for the one that waits to have met it as well
            ledger.jobs(ids)
        assert ends == []
    finally:
        held.communicate()
    ledger.catalog.busy_timeout = 30
    ledger.cancel(ids)
    waiting.join(60)
    assert ends == [["cancelled"]]
