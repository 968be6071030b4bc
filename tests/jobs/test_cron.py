"""What runs by itself: once, on time, over all programs of one library."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sfa_kernel.catalog import cron as table
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.jobs import Kind, Plan, cron
from sfa_kernel.studio import Studio
from tests.jobs import work

NIGHT = datetime(2026, 3, 28, 22, 15, tzinfo=UTC)
KINDS = {
    "work": Kind("work", "maintenance", lambda *_: Plan(None), work.double, lambda *_: None),
}
ROOT = Path(__file__).parents[2]
TIMEOUT = 60


def entry(studio: Studio, **changes: Any) -> table.CronRow:
    """An entry that is due at three each night."""
    made = replace(
        table.CronRow("nightly", "0 3 * * *", "work", {"number": 1}, True, next_at=NIGHT.replace(hour=3)), **changes
    )
    with studio.catalog.write() as connection:
        table.put(connection, made)
    return made


def found(studio: Studio, name: str = "nightly") -> table.CronRow:
    with studio.catalog.read() as connection:
        row = table.find(connection, name)
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 3 * * *", "2026-03-29 03:00"),
        ("*/30 * * * *", "2026-03-28 22:30"),
        ("15 22 * * *", "2026-03-29 22:15"),  # not the very moment that is asked from
        ("30 2 * * SUN", "2026-03-29 02:30"),  # the night in which Europe's clocks leave out 02:30
        ("0 0 1 1 *", "2027-01-01 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
    ],
)
def test_a_schedule_is_read_in_utc(schedule: str, expected: str) -> None:
    assert cron.following(schedule, NIGHT).strftime("%Y-%m-%d %H:%M") == expected


@pytest.mark.parametrize(
    "schedule", ["", "daily", "61 * * * *", "0 3 * *", "0 0 3 * * *", "0 0 30 2 *", "0 3 * * XYZ", "0 3 * * *\0"]
)
def test_what_is_no_schedule_is_refused_in_one_sentence_with_an_example(studio: Studio, schedule: str) -> None:
    with pytest.raises(ParameterError, match=r"is not a schedule.*'0 3 \* \* \*' for 03:00 every day") as caught:
        studio.schedule.add("mine", schedule, "cleanup")
    assert "\n" not in str(caught.value)


def test_each_night_the_job_is_queued_once(studio: Studio) -> None:
    entry(studio)
    due = NIGHT.replace(hour=3, second=1)
    assert cron.run_due(studio.ledger, KINDS, due - timedelta(minutes=1)) == []
    (job,) = cron.run_due(studio.ledger, KINDS, due)
    assert (job.kind, job.queue, job.arguments, job.status) == ("work", "maintenance", {"number": 1}, "queued")
    assert cron.run_due(studio.ledger, KINDS, due) == []
    after = found(studio)
    assert (after.last_at, after.last_job) == (due, job.id)
    assert after.next_at == NIGHT.replace(day=29, hour=3, minute=0)


def test_a_machine_that_slept_through_three_nights_runs_it_once(studio: Studio) -> None:
    entry(studio)
    later = NIGHT + timedelta(days=3)
    assert len(cron.run_due(studio.ledger, KINDS, later)) == 1
    assert cron.run_due(studio.ledger, KINDS, later) == []
    assert found(studio).next_at > later


def test_while_its_job_has_not_ended_there_is_no_second_one(studio: Studio) -> None:
    entry(studio)
    first = cron.run_due(studio.ledger, KINDS, NIGHT)
    second = cron.run_due(studio.ledger, KINDS, NIGHT + timedelta(days=1))
    assert [job.id for job in first] == [job.id for job in second]
    assert len(studio.ledger.jobs()) == 1


def test_nothing_is_written_while_nothing_is_due(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    entry(studio, enabled=False)
    entry(studio, name="unknown", kind="a kind of a newer version")

    def refuse(*_: object) -> None:
        raise AssertionError("the catalogue was written")

    monkeypatch.setattr(type(studio.catalog), "write", refuse)
    assert cron.run_due(studio.ledger, KINDS, NIGHT) == []


PROGRAM = """
import sys
from datetime import datetime
from sfa_kernel.jobs import cron
from sfa_kernel.studio import Studio
from tests.jobs.test_cron import KINDS

with Studio.open(sys.argv[1], run_jobs=False) as studio:
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(cron.run_due(studio.ledger, KINDS, datetime.fromisoformat(sys.argv[2]))))
"""


def test_two_programs_at_the_same_moment_queue_one_job(studio: Studio, home: Path) -> None:
    entry(studio)
    command = [sys.executable, "-c", PROGRAM, str(home), NIGHT.isoformat()]
    programs = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    said = [program.communicate(timeout=TIMEOUT)[0].strip() for program in programs]
    assert sorted(said) == ["0", "1"]
    assert len(studio.ledger.jobs()) == 1


def test_whoever_runs_jobs_queues_what_is_due(studio: Studio) -> None:
    overdue = replace(found(studio, "storage cleanup"), next_at=datetime.now(UTC) - timedelta(days=1))
    with studio.catalog.write() as connection:
        table.put(connection, overdue)
    queued = threading.Event()
    with studio.bus.subscribe("jobs:*", lambda _: queued.set()):
        studio.work()
        assert queued.wait(TIMEOUT)
    job_id = found(studio, "storage cleanup").last_job
    assert job_id is not None
    (job,) = studio.ledger.wait([job_id], timeout=TIMEOUT)
    assert (job.kind, job.status) == ("cleanup", "completed")


def test_what_a_person_changes_is_so_in_every_program_and_stays_so(studio: Studio, home: Path) -> None:
    (builtin,) = studio.schedule
    assert (builtin.name, builtin.schedule, builtin.kind, builtin.enabled) == (
        "storage cleanup",
        "0 3 * * *",
        "cleanup",
        True,
    )
    assert datetime.now(UTC) < builtin.next_at <= datetime.now(UTC) + timedelta(days=1)
    assert (builtin.next_at.hour, builtin.next_at.minute) == (3, 0)
    studio.schedule.add("storage cleanup", "30  5 * * MON", "cleanup")
    studio.schedule.disable("storage cleanup")
    with Studio.open(home) as other:
        (changed,) = other.schedule
        assert (changed.schedule, changed.enabled) == ("30 5 * * MON", False)
        enabled = other.schedule.enable("storage cleanup")
        assert (enabled.enabled, enabled.next_at.weekday(), enabled.next_at.hour) == (True, 0, 5)
        other.schedule.remove("storage cleanup")
    assert len(studio.schedule) == 0


def test_an_entry_that_rested_does_not_catch_up(studio: Studio) -> None:
    entry(studio, enabled=False)
    assert studio.schedule.enable("nightly").next_at > datetime.now(UTC)


def test_run_now_leaves_the_next_time_alone(home: Path) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        before = found(studio, "storage cleanup")
        job = studio.schedule.run_now("storage cleanup")
        after = found(studio, "storage cleanup")
    assert (job.kind, job.status) == ("cleanup", "queued")
    assert (after.next_at, after.last_job) == (before.next_at, job.id)


def test_what_cannot_be_scheduled_is_refused(studio: Studio) -> None:
    with pytest.raises(ParameterError, match=r"'analyze' cannot be scheduled\. Choose from cleanup"):
        studio.schedule.add("mine", "0 3 * * *", "analyze")
    for name in ("", "  ", "a\nb", "x" * 81):
        with pytest.raises(ParameterError, match="no name"):
            studio.schedule.add(name, "0 3 * * *", "cleanup")
    with pytest.raises(NotFoundError, match="It has 'storage cleanup'"):
        studio.schedule.disable("mine")
    assert len(studio.schedule) == 1


def test_a_name_is_text_in_a_table(studio: Studio) -> None:
    studio.schedule.add("<b>bold</b>", "0 4 * * *", "cleanup")
    assert "&lt;b&gt;bold" in studio.schedule._repr_html_()
    assert "storage cleanup: 0 3 * * *, next " in repr(studio.schedule)
