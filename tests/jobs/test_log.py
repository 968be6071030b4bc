"""A job's log is read while it is written, by several, and survives what a disk may do to it."""

from __future__ import annotations

import resource
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from sfa_kernel.events import EventBus
from sfa_kernel.jobs.log import JobLog, log_path, read_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.events import Event


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[EventBus]:
    (tmp_path / "events").mkdir()
    bus = EventBus(tmp_path / "events")
    yield bus
    bus.close()


@pytest.fixture
def job() -> UUID:
    return uuid4()


def texts(records: list[dict[str, Any]]) -> list[str]:
    return [record["text"] for record in records]


def test_what_was_written_is_read_and_read_on(tmp_path: Path, bus: EventBus, job: UUID) -> None:
    assert read_log(tmp_path, job) == ([], 0)
    log = JobLog(tmp_path, bus.journal, job)
    log.write("info", "first", 1)
    (first,), offset = read_log(tmp_path, job)
    assert (first["level"], first["text"], first["attempt"]) == ("info", "first", 1)
    assert read_log(tmp_path, job, offset) == ([], offset)
    log.write("error", "Traceback:\n  of two lines, with ünusual signs", 2)
    records, _ = read_log(tmp_path, str(job), offset)
    assert texts(records) == ["Traceback:\n  of two lines, with ünusual signs"]


def test_each_line_is_an_event(tmp_path: Path, bus: EventBus, job: UUID) -> None:
    heard: list[Event] = []
    arrived = threading.Event()

    def hear(event: Event) -> None:
        heard.append(event)
        arrived.set()

    with bus.subscribe(f"log:{job}", hear):
        JobLog(tmp_path, bus.journal, job).write("warning", "Mind the gap.", 3)
        assert arrived.wait(30)
    assert heard[0].data == read_log(tmp_path, job)[0][0]


def test_damaged_and_half_lines_are_passed_over(tmp_path: Path, bus: EventBus, job: UUID) -> None:
    log = JobLog(tmp_path, bus.journal, job)
    log.write("info", "before", 1)
    with log_path(tmp_path, job).open("ab") as file:
        file.write(b'{"time": 1, "text": "no level"}\n\xff\xfe\x00\n[1, 2]\n17\n\n{"time": "never", "attempt": 1}\n')
    log.write("info", "after", 1)
    records, offset = read_log(tmp_path, job)
    assert texts(records) == ["before", "after"]
    with log_path(tmp_path, job).open("ab") as file:
        file.write(b'{"time": 1, "attempt": 1, "level": "info", "te')
        file.flush()
        assert read_log(tmp_path, job, offset) == ([], offset)
        file.write(b'xt": "complete"}\n')
    assert texts(read_log(tmp_path, job, offset)[0]) == ["complete"]


def test_a_log_that_was_removed_and_begun_anew_is_read_from_its_start(tmp_path: Path, bus: EventBus, job: UUID) -> None:
    JobLog(tmp_path, bus.journal, job).write("info", "a long first line", 1)
    _, offset = read_log(tmp_path, job)
    log_path(tmp_path, job).unlink()
    JobLog(tmp_path, bus.journal, job).write("info", "new", 1)
    assert texts(read_log(tmp_path, job, offset)[0]) == ["new"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has this device")
def test_a_full_disk_loses_the_line_not_the_job(tmp_path: Path, bus: EventBus, job: UUID) -> None:
    log_path(tmp_path, job).symlink_to("/dev/full")
    JobLog(tmp_path, bus.journal, job).write("info", "lost", 1)


def test_a_line_torn_by_a_full_disk_does_not_take_the_next_with_it(tmp_path: Path, bus: EventBus, job: UUID) -> None:
    log = JobLog(tmp_path, bus.journal, job)
    log.write("info", "before", 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log_path(tmp_path, job).stat().st_size + 10, limits[1]))
    try:
        log.write("info", "torn", 1)
        log.write("info", "lost", 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log.write("info", "after", 1)
    assert texts(read_log(tmp_path, job)[0]) == ["before", "after"]


def test_what_work_says_is_limited_over_all_attempts_and_what_the_runner_says_is_not(
    tmp_path: Path, bus: EventBus, job: UUID
) -> None:
    for attempt in (1, 2):
        work = JobLog(tmp_path, bus.journal, job, limit=3)
        for number in range(2):
            work.write("output", f"{attempt}.{number}", attempt)
    work.write("output", "too much", 2)
    JobLog(tmp_path, bus.journal, job).write("error", "It failed.", 2)
    assert texts(read_log(tmp_path, job)[0]) == [
        "1.0",
        "1.1",
        "2.0",
        "The log is full after 3 lines; the rest is not kept.",
        "It failed.",
    ]


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="UUID"):
        read_log(tmp_path, "../../etc/passwd")
