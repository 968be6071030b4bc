"""The ledger's rules."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.catalog import jobs as table
from sfa_kernel.errors import TransitionError
from sfa_kernel.jobs import JobRequest

if TYPE_CHECKING:
    from uuid import UUID

    from sfa_kernel.studio import Studio

LIMITS = {"analysis": 2}
PATHS = {
    "queued": [],
    "processing": ["processing"],
    "completed": ["processing", "completed"],
    "failed": ["processing", "failed"],
    "cancelled": ["cancelled"],
}


def queued(
    studio: Studio, *, key: str | None = None, needs: list[UUID] | None = None, priority: int = 5
) -> table.JobRow:
    with studio.catalog.write() as connection:
        request = JobRequest("work", "analysis", None, {}, unique_key=key, needs=needs or [], priority=priority)
        return studio.ledger.enqueue(connection, request)


def moved(studio: Studio, job: table.JobRow, *statuses: str) -> table.JobRow:
    with studio.catalog.write() as connection:
        for status in statuses:
            job = table.transition(connection, job, status)
    return job


@pytest.mark.parametrize(("start", "end"), list(product(PATHS, PATHS)))
def test_a_job_goes_only_where_the_table_allows(studio: Studio, start: str, end: str) -> None:
    job = moved(studio, queued(studio), *PATHS[start])
    if end in table.TRANSITIONS[start]:
        assert moved(studio, job, end).status == end
    else:
        with pytest.raises(TransitionError):
            moved(studio, job, end)


def test_a_late_word_from_an_ended_attempt_changes_nothing(studio: Studio) -> None:
    first = moved(studio, queued(studio), "processing")
    moved(studio, first, "queued", "processing")
    with studio.catalog.write() as connection:
        table.beat(connection, first, 90)
        assert table.get(connection, first.id).progress == 0
        with pytest.raises(TransitionError, match="moved on"):
            table.transition(connection, first, "completed")


def test_progress_never_falls_within_an_attempt(studio: Studio) -> None:
    job = moved(studio, queued(studio), "processing")
    with studio.catalog.write() as connection:
        for percent in (30, 10):
            table.beat(connection, job, percent)
        assert table.get(connection, job.id).progress == 30


def test_claims_respect_limit_priority_age_and_needs(studio: Studio) -> None:
    late = queued(studio)
    queued(studio, needs=[late.id], priority=0)
    urgent = queued(studio, priority=1)
    with studio.catalog.write() as connection:
        claimed = [table.claim(connection, LIMITS, holder="host:1") for _ in range(3)]
    assert [job.id if job else None for job in claimed] == [urgent.id, late.id, None]


def test_a_retry_is_refused_while_the_same_work_is_active(studio: Studio) -> None:
    failed = moved(studio, queued(studio, key="k"), "processing", "failed")
    again = queued(studio, key="k")
    assert again.id != failed.id
    with pytest.raises(TransitionError, match="already waiting or running"):
        studio.ledger.retry([failed.id])


def test_a_retried_job_counts_its_attempts_on(studio: Studio) -> None:
    failed = moved(studio, queued(studio), "processing", "failed")
    (retried,) = studio.ledger.retry([failed.id])
    assert (retried.status, retried.attempt, retried.max_attempts, retried.error) == ("queued", 1, 4, None)
