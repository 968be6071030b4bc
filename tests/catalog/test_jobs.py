"""The table of jobs: where a job may go, who gets which, and what a late word is worth."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import product
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import duckdb
import pytest

from sfa_kernel.catalog import Catalog
from sfa_kernel.catalog import jobs as table
from sfa_kernel.errors import NotFoundError, TransitionError
from sfa_kernel.jobs import JobRequest
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sfa_kernel.studio import Studio

LIMITS = {"download": 3, "analysis": 2}
KINDS = {"work": "processing", "fetch": "downloading"}
PATHS: dict[str, list[str]] = {  # how a job gets into each status
    "queued": [],
    "downloading": ["downloading"],
    "processing": ["processing"],
    "completed": ["processing", "completed"],
    "failed": ["processing", "failed"],
    "cancelled": ["cancelled"],
}


def queued(studio: Studio, *, kind: str = "work", needs: Sequence[UUID] = (), priority: int = 5) -> table.JobRow:
    with studio.catalog.write() as connection:
        request = JobRequest(kind, "analysis", None, {}, needs=needs, priority=priority)
        return studio.ledger.enqueue(connection, request)


def moved(studio: Studio, job: table.JobRow, *statuses: str) -> table.JobRow:
    with studio.catalog.write() as connection:
        for status in statuses:
            (job,) = table.transition(connection, [job], status)
    return job


def claimed(catalog: Catalog, limits: dict[str, int] = LIMITS, **options: Sequence[UUID]) -> list[UUID]:
    with catalog.write() as connection:
        return [job.id for job in table.claim(connection, limits, KINDS, holder="host:1:1", **options)]


@pytest.mark.parametrize(("start", "end"), list(product(PATHS, PATHS)))
def test_a_job_goes_only_where_the_table_allows(studio: Studio, start: str, end: str) -> None:
    job = moved(studio, queued(studio), *PATHS[start])
    if end in table.TRANSITIONS[start]:
        assert moved(studio, job, end).status == end
    else:
        with pytest.raises(TransitionError, match=f"A job that is {start} cannot become {end}"):
            moved(studio, job, end)
        assert studio.ledger.get(job.id).status == start


def test_the_table_of_transitions_is_the_one_we_promise() -> None:
    assert {start: set(ends) for start, ends in table.TRANSITIONS.items()} == {
        "queued": {"downloading", "processing", "cancelled"},
        "downloading": {"processing", "completed", "failed", "cancelled", "queued"},
        "processing": {"completed", "failed", "cancelled", "queued"},
        "completed": set(),
        "failed": {"queued"},
        "cancelled": {"queued"},
    }


@pytest.mark.parametrize("word", ["completed", "failed", "cancelled", "queued"])
def test_a_late_word_from_an_ended_attempt_changes_nothing(studio: Studio, word: str) -> None:
    first = moved(studio, queued(studio), "processing")
    second = moved(studio, first, "queued", "processing")
    with studio.catalog.write() as connection:
        assert table.beat(connection, [first], [90]) == []
        assert table.transition(connection, [first], word) == []
        job = table.get(connection, first.id)
        assert (job.status, job.attempt, job.progress) == ("processing", 2, 0)
        assert table.beat(connection, [second], [10]) == [(first.id, 2)]


def test_progress_is_a_whole_number_from_0_to_100_and_never_falls_within_an_attempt(studio: Studio) -> None:
    job = moved(studio, queued(studio), "processing")
    seen = []
    with studio.catalog.write() as connection:
        for percent in (-5, 30, 10, 130):
            table.beat(connection, [job], [percent])
            seen.append(table.get(connection, job.id).progress)
    assert seen == [0, 30, 30, 100]


def test_several_jobs_report_at_once_each_its_own(studio: Studio) -> None:
    jobs = [moved(studio, queued(studio), "processing") for _ in range(3)]
    ended = moved(studio, jobs[1], "failed")
    with studio.catalog.write() as connection:
        alive = table.beat(connection, jobs, [10, 20, 30])
        assert sorted(alive) == sorted([(jobs[0].id, 1), (jobs[2].id, 1)])
        assert [job.progress for job in table.get_many(connection, [job.id for job in jobs])] == [10, 0, 30]
    assert ended.progress == 0


def test_the_most_urgent_job_comes_first_then_the_oldest_and_none_before_what_it_needs(studio: Studio) -> None:
    old, young = queued(studio), queued(studio)
    queued(studio, needs=[old.id], priority=0)
    urgent = queued(studio, priority=1)
    assert claimed(studio.catalog, {"analysis": 2}) == [urgent.id, old.id]
    assert claimed(studio.catalog, {"analysis": 2}) == []
    assert claimed(studio.catalog, {"analysis": 3}) == [young.id]


def test_a_kind_the_asker_does_not_know_is_left_to_others_and_takes_no_turn(studio: Studio) -> None:
    foreign, own = queued(studio, kind="foreign", priority=0), queued(studio)
    assert claimed(studio.catalog, {"analysis": 1}) == [own.id]
    with studio.catalog.write() as connection:
        (job,) = table.claim(connection, {"analysis": 2}, {"foreign": "downloading"}, holder="host:2:2")
    assert (job.id, job.status, job.holder) == (foreign.id, "downloading", "host:2:2")


def test_whoever_asks_for_certain_jobs_gets_no_others(studio: Studio) -> None:
    _, wanted = queued(studio, priority=0), queued(studio)
    assert claimed(studio.catalog, only=[wanted.id]) == [wanted.id]
    assert claimed(studio.catalog, only=[]) == []


def test_old_jobs_are_forgotten_but_for_those_that_a_waiting_one_needs(studio: Studio) -> None:
    old, needed, young = (moved(studio, queued(studio), "processing", "completed") for _ in range(3))
    waiting = queued(studio, needs=[needed.id])
    with studio.catalog.write() as connection:
        connection.execute(
            "UPDATE jobs SET ended_at = ended_at - INTERVAL 8 DAYS WHERE id IN (?, ?)", [old.id, needed.id]
        )
        assert table.prune(connection, 7.0) == [old.id]
        assert {job.id for job in table.listing(connection)} == {needed.id, young.id, waiting.id}
        with pytest.raises(NotFoundError):
            table.get(connection, old.id)


def test_the_right_jobs_are_picked_from_among_many(home: Path) -> None:
    """10,000 jobs wait, 100,000 have ended; how long this takes is a matter for the benchmarks."""
    catalog = Catalog(Storage(home).home)
    with catalog.write() as connection:
        connection.execute(
            """
            INSERT INTO jobs BY NAME
            SELECT uuid() AS id, 'work' AS kind, 'analysis' AS queue, '{}' AS arguments,
                   CASE WHEN n >= 100000 THEN 'queued' WHEN n % 3 = 0 THEN 'failed' ELSE 'completed' END AS status,
                   0 AS progress, 0 AS attempt, 3 AS max_attempts, 2 + n % 7 AS priority, [] AS needs, 0 AS blockers,
                   now() - to_seconds(120000 - n) AS created_at,
                   CASE WHEN n % 2 = 0 THEN now() + INTERVAL 1 HOUR ELSE created_at END AS scheduled_at,
                   CASE WHEN n < 100000 THEN now() END AS ended_at
            FROM range(110000) r(n)
            """
        )
        expected = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM jobs WHERE status = 'queued' AND priority = 2 AND scheduled_at < now() "
                "ORDER BY created_at LIMIT 3"
            ).fetchall()
        ]
        blocked = expected.pop(1)
        connection.execute("UPDATE jobs SET blockers = 1 WHERE id = ?", [blocked])
    assert claimed(catalog, {"analysis": 2}) == expected
    assert claimed(catalog, {"analysis": 2}) == []
    catalog.give_back()


def test_a_library_of_the_former_version_is_taken_over_with_all_its_jobs(home: Path) -> None:
    storage = Storage(home)
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    track = uuid4()
    ids = {name: uuid4() for name in ("done", "failed", "cancelled", "running", "next", "free", "alone")}
    statuses = {"done": "completed", "failed": "failed", "cancelled": "cancelled", "running": "processing"}
    needs = {"next": ["done", "running"], "free": ["done"], "cancelled": ["failed"]}
    with duckdb.connect(str(storage.home / "library.duckdb")) as old:
        old.execute("SET TimeZone = 'UTC'")
        script = resources.files("sfa_kernel.catalog").joinpath("migrations/0001_first_light.sql")
        old.execute(script.read_text("utf-8"))
        old.execute("INSERT INTO migrations VALUES (1, now())")
        for number, (name, job_id) in enumerate(ids.items()):
            status = statuses.get(name, "queued")
            ended = now if status in ("completed", "failed", "cancelled") else None
            old.execute(
                f"INSERT INTO jobs VALUES ({', '.join('?' * 20)})",  # noqa: S608 - question marks
                [
                    *(job_id, "work", "analysis", track, json.dumps({"engine": "draft"}), status),
                    *(100 if name == "done" else 40 if name == "running" else 0, number % 3, 3, 5),
                    *(f"work:{name}", f"work:{name}" if ended is None else None),
                    *([ids[need] for need in needs.get(name, [])], now + timedelta(seconds=number), now, now, now),
                    *(ended, "host:1" if name == "running" else None, "no" if name == "failed" else None),
                ],
            )
        before = {row[0]: row[1:] for row in old.execute(OLD_COLUMNS).fetchall()}

    catalog = Catalog(storage.home)
    with catalog.read() as connection:
        assert {row[0]: row[1:] for row in connection.execute(OLD_COLUMNS).fetchall()} == before
        jobs = {name: table.get(connection, job_id) for name, job_id in ids.items()}
    blockers = {"next": 1, "cancelled": 1}
    assert {name: job.blockers for name, job in jobs.items()} == {name: blockers.get(name, 0) for name in ids}
    assert all((job.batch_id, job.service, job.arguments) == (None, None, {"engine": "draft"}) for job in jobs.values())

    # And they go on: what is free may start, what waits starts once the running one is completed.
    assert claimed(catalog, {"analysis": 9}) == [ids["free"], ids["alone"]]
    with catalog.write() as connection:
        table.transition(connection, [jobs["running"]], "completed")
        table.unblock(connection, [ids["running"]])
    assert claimed(catalog, {"analysis": 9}) == [ids["next"]]
    with catalog.write() as connection:
        assert [job.status for job in table.transition(connection, [jobs["failed"]], "queued")] == ["queued"]
    catalog.give_back()


OLD_COLUMNS = """
SELECT id, kind, queue, track_id, arguments, status, progress, attempt, max_attempts, priority, unique_key, active_key,
       needs, created_at, scheduled_at, started_at, heartbeat_at, ended_at, holder, error
FROM jobs
"""
