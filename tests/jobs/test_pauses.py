"""What a person relies on who pauses a batch: nothing of it begins until it is resumed, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from sfa_kernel import pipeline
from sfa_kernel.catalog import Catalog
from sfa_kernel.catalog import jobs as table
from sfa_kernel.errors import TransitionError
from sfa_kernel.jobs import JobRequest, Kind, Ledger, Plan, Runner
from sfa_kernel.jobs.kinds import Ground
from sfa_kernel.runs import Run
from tests.jobs import work
from tests.jobs.test_ledger import claim, complete, earlier, enqueue, fail, request, statuses, told
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.studio import Studio

OTHER_PROCESS = """
import sys
from sfa_kernel.studio import Studio
with Studio.open(sys.argv[1], run_jobs=False) as studio, studio.catalog.write() as connection:
    print(len(studio.ledger.claim(connection, {"work": "processing"}, holder="other:1:1")))
"""


@pytest.fixture
def ledger(studio: Studio) -> Ledger:
    studio.ledger.limits = {"export": 2}
    return studio.ledger


@pytest.fixture
def batch() -> UUID:
    return uuid4()


def claimed(ledger: Ledger) -> list[UUID]:
    return [job.id for job in claim(ledger)]


def claim_one(ledger: Ledger, job_id: UUID) -> JobRow:
    with ledger.catalog.write() as connection:
        (job,) = ledger.claim(connection, {"work": "processing"}, holder="host:1:1", only=[job_id])
    return job


def test_nothing_of_a_paused_batch_begins_and_the_others_go_on(ledger: Ledger, batch: UUID) -> None:
    first, second, third = enqueue(ledger, *(request(batch_id=batch) for _ in range(3)))
    running = claim_one(ledger, first)
    ledger.pause(batch)
    (other,) = enqueue(ledger, request(batch_id=uuid4()))
    (alone,) = enqueue(ledger, request())
    assert claimed(ledger) == [other]
    assert complete(ledger, [running]) == [first]  # what is at hand is finished
    assert claimed(ledger) == [alone]
    complete(ledger, ledger.jobs([other, alone]))
    assert claimed(ledger) == []
    ledger.resume(batch)
    assert claimed(ledger) == [second, third]


def test_another_process_keeps_to_the_pause(ledger: Ledger, batch: UUID, home: Path) -> None:
    enqueue(ledger, request(batch_id=batch))
    ledger.pause(batch)
    assert in_another_process(home) == 0
    ledger.resume(batch)
    assert in_another_process(home) == 1


def in_another_process(home: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, str(home)], check=True, capture_output=True, text=True, timeout=60
    )
    return int(done.stdout)


def test_a_pause_outlives_the_program(ledger: Ledger, batch: UUID, home: Path) -> None:
    enqueue(ledger, request(batch_id=batch))
    ledger.pause(batch)
    other = Catalog(home)
    with other.read() as connection:
        assert table.claimable(connection, ledger.limits, ["work"]) == {}
    other.give_back()


def test_a_batch_may_be_cancelled_while_it_is_paused_and_is_then_no_longer_paused(ledger: Ledger, batch: UUID) -> None:
    jobs = enqueue(ledger, request(batch_id=batch), request(batch_id=batch))
    ledger.pause(batch)
    ledger.cancel(jobs)
    assert statuses(ledger, jobs) == ["cancelled"] * 2
    assert ledger.paused() == []
    ledger.retry(jobs)
    assert claimed(ledger) == jobs


def test_a_batch_whose_last_job_ends_is_no_longer_paused(ledger: Ledger, batch: UUID) -> None:
    enqueue(ledger, request(batch_id=batch))
    running = claim(ledger)
    ledger.pause(batch)
    assert [(row["batch_id"], row["waiting"]) for row in ledger.paused()] == [(batch, 0)]
    complete(ledger, running)
    assert ledger.paused() == []


def test_what_is_tried_again_in_a_paused_batch_waits_with_it(ledger: Ledger, batch: UUID) -> None:
    failed, waiting = enqueue(ledger, request(batch_id=batch, priority=1), request(batch_id=batch))
    running = claim_one(ledger, failed)
    fail(ledger, running)
    ledger.pause(batch)
    ledger.retry([failed])
    assert claimed(ledger) == []
    ledger.resume(batch)
    assert claimed(ledger) == [failed, waiting]


def test_a_failed_attempt_of_a_paused_batch_waits_for_the_resume_and_not_for_its_time_alone(
    ledger: Ledger, batch: UUID
) -> None:
    (job,) = enqueue(ledger, request(batch_id=batch))
    (running,) = claim(ledger)
    ledger.pause(batch)
    with ledger.catalog.write() as connection:
        ledger.requeue(connection, running, "Later.", delay=30.0)
    with ledger.catalog.read() as connection:
        assert table.next_ready(connection) is None
    earlier(ledger, 60)
    assert claimed(ledger) == []
    ledger.resume(batch)
    assert claimed(ledger) == [job]


def test_a_pause_of_nothing_is_told(ledger: Ledger, batch: UUID) -> None:
    with pytest.raises(TransitionError, match="nothing to pause"):
        ledger.pause(batch)
    assert ledger.paused() == []


def test_pausing_and_resuming_twice_is_told_once(ledger: Ledger, batch: UUID) -> None:
    enqueue(ledger, request(batch_id=batch))
    for _ in range(2):
        ledger.pause(batch)
    ledger.resume(batch)
    ledger.resume(batch)
    assert [event["paused"] for event in told(ledger, f"batch:{batch}")] == [True, False]


def test_a_pause_without_jobs_is_forgotten_when_old_jobs_are(ledger: Ledger, batch: UUID) -> None:
    (job,) = enqueue(ledger, request(batch_id=batch))
    ledger.pause(batch)
    with ledger.catalog.write() as connection:
        connection.execute("DELETE FROM jobs WHERE id = ?", [job])
    ledger.prune(7)
    assert ledger.paused() == []


def test_a_run_is_paused_and_resumed_and_says_so(ledger: Ledger, studio: Studio, batch: UUID) -> None:
    run = Run(studio, enqueue(ledger, request(batch_id=batch), request(batch_id=batch)), batch_id=batch)
    run.pause()
    assert run.paused
    assert repr(run) == "<Run: 0 of 2 jobs done, paused>"
    run.resume()
    assert repr(run) == "<Run: 0 of 2 jobs done>"
    assert len(claimed(ledger)) == 2


def test_a_paused_run_may_be_cancelled(ledger: Ledger, studio: Studio, batch: UUID) -> None:
    run = Run(studio, enqueue(ledger, request(batch_id=batch)), batch_id=batch)
    run.pause()
    run.cancel()
    assert run.done
    assert not run.paused


def test_a_run_that_waits_for_work_of_a_paused_one_can_resume_it(ledger: Ledger, studio: Studio, batch: UUID) -> None:
    same = request(batch_id=batch, unique_key="the same work")
    first = Run(studio, enqueue(ledger, same), batch_id=batch)
    first.pause()
    later = uuid4()
    second = Run(studio, enqueue(ledger, request(batch_id=later, unique_key="the same work")), batch_id=later)
    assert second.ids == first.ids
    assert second.paused
    second.resume()
    assert not first.paused


def test_a_single_job_that_is_no_batch_cannot_be_paused(ledger: Ledger, studio: Studio) -> None:
    with pytest.raises(TransitionError, match="not asked for as a batch"):
        Run(studio, enqueue(ledger, request())).pause()


def test_a_runner_that_sleeps_goes_on_when_a_batch_is_resumed(
    ledger: Ledger, studio: Studio, batch: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfa_kernel.jobs.runner.LOOK_SECONDS", 3600.0)  # it hears of it, or sleeps on
    kind = Kind("work", "export", lambda connection, job, ground: Plan({"number": 2}), work.double, lambda *_: None)
    runner = Runner(ledger, Ground(studio.storage, studio.settings), {"work": kind})
    jobs = enqueue(ledger, JobRequest("work", "export", None, {}, batch_id=batch))
    ledger.pause(batch)
    runner.start()
    try:
        (other,) = enqueue(ledger, JobRequest("work", "export", None, {}))
        assert ledger.wait([other], timeout=60)[0].status == "completed"  # so it is awake, and looked
        assert statuses(ledger, jobs) == ["queued"]
        ledger.resume(batch)
        assert ledger.wait(jobs, timeout=60)[0].status == "completed"
    finally:
        runner.stop()


def test_the_journal_says_that_pages_have_to_look_again(ledger: Ledger, batch: UUID) -> None:
    enqueue(ledger, request(batch_id=batch))
    ledger.pause(batch)
    ledger.resume(batch)
    said = [event for event in told(ledger, "jobs") if "status" not in event]
    assert said == [{"paused": str(batch)}, {"resumed": str(batch)}]


def test_a_studio_that_was_opened_anew_works_on_what_it_resumes(studio: Studio, batch: UUID, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=2.0))
    with studio.catalog.write() as connection:  # nobody works yet, as after a restart
        jobs = pipeline.enqueue(connection, studio.ledger, [track.id], stages=["separate"], batch_id=batch)
    studio.jobs.pause(batch)
    studio.jobs.resume(batch)
    assert [job.status for job in studio.ledger.wait([job.id for job in jobs], timeout=60)] == ["completed"]


def test_a_run_of_several_batches_is_paused_and_stopped_as_a_whole(studio: Studio, ledger: Ledger) -> None:
    batches = [uuid4(), uuid4(), uuid4()]
    first, second, third = enqueue(ledger, *(request(batch_id=one) for one in batches))
    ledger.cancel([third])
    run = Run(studio, [first, second, third], batch_id=batches[0], batches=batches)
    run.pause()
    assert (run.paused, claimed(ledger)) == (True, [])
    run.resume()
    assert (run.paused, claimed(ledger)) == (False, [first, second])
    queued: list[UUID] = []

    def follow(connection: Connection, job: JobRow) -> None:  # as a job does that ends just when its run is stopped
        if job.id == first and not queued:
            queued.append(ledger.enqueue(connection, request(batch_id=batches[0])).id)

    ledger.observers.append(follow)
    run.cancel()
    assert statuses(ledger, [first, second, *queued]) == ["cancelled"] * 3
    with pytest.raises(TransitionError):
        run.pause()
