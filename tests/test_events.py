from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from watchfiles._rust_notify import WatchfilesRustInternalError

from sfa_kernel.catalog import jobs as table
from sfa_kernel.events import Event, EventBus, Journal
from sfa_kernel.jobs import JobRequest
from tests.disks import run_on_small_disk

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.studio import Studio

TIMEOUT = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "events"
    path.mkdir()
    return path


class Collector:
    """Receives events and tells when there are enough."""

    def __init__(self, enough: int) -> None:
        self.events: list[Event] = []
        self.done = threading.Event()
        self._enough = enough

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if len(self.events) >= self._enough:
            self.done.set()


PUBLISH = """
import sys
from pathlib import Path
from sfa_kernel.events import Journal
journal = Journal(Path(sys.argv[1]))
for n in range(200):
    journal.publish("jobs:" + sys.argv[2], {"n": n, "text": "x" * 300})
"""


def test_events_come_where_the_system_announces_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise WatchfilesRustInternalError("Error creating recommended watcher: Too many open files (os error 24)")

    monkeypatch.setattr("watchfiles.watch", refused)
    monkeypatch.setattr("sfa_kernel.events.LOOK_SECONDS", 0.05)
    collector = Collector(1)
    with EventBus(folder).subscribe("jobs:*", collector):
        Journal(folder).publish("jobs:a", {"n": 1})
        assert collector.done.wait(TIMEOUT)


def test_events_of_several_processes_arrive_whole_and_in_order(folder: Path) -> None:
    collector = Collector(600)
    with EventBus(folder).subscribe("jobs:*", collector):
        writers = [subprocess.Popen([sys.executable, "-c", PUBLISH, str(folder), name]) for name in "abc"]
        assert [writer.wait(TIMEOUT) for writer in writers] == [0, 0, 0]
        assert collector.done.wait(TIMEOUT)
    for name in "abc":
        assert [e.data["n"] for e in collector.events if e.topic == f"jobs:{name}"] == list(range(200))


def test_a_subscriber_gets_only_what_it_asked_for_and_nothing_after_it_closed(folder: Path) -> None:
    bus = EventBus(folder)
    bus.publish("jobs:before", {})
    jobs, everything = Collector(1), Collector(3)
    with bus.subscribe("*", everything):
        with bus.subscribe("jobs:*", jobs):
            bus.publish("library", {})
            bus.publish("jobs:one", {})
            assert jobs.done.wait(TIMEOUT)
        bus.publish("jobs:two", {})
        assert everything.done.wait(TIMEOUT)
    assert [e.topic for e in jobs.events] == ["jobs:one"]
    assert [e.topic for e in everything.events] == ["library", "jobs:one", "jobs:two"]


def test_a_subscriber_that_fails_harms_no_other(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    bus = EventBus(folder)
    collector = Collector(2)

    def broken(event: Event) -> None:
        raise ValueError("mine")

    with bus.subscribe("*", broken), bus.subscribe("*", collector):
        bus.publish("a", {})
        bus.publish("b", {})
        assert collector.done.wait(TIMEOUT)
    assert "An event subscriber failed on a" in caplog.text


def test_a_damaged_line_is_passed_over(folder: Path) -> None:
    bus = EventBus(folder)
    collector = Collector(1)
    with bus.subscribe("*", collector):
        path = folder / f"{int(time.time()) // 3600}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, b'{"topic": "half\n')
        os.close(descriptor)
        bus.publish("whole", {})
        assert collector.done.wait(TIMEOUT)
    assert [e.topic for e in collector.events] == ["whole"]


def test_old_events_are_pruned(folder: Path) -> None:
    old = folder / f"{int(time.time()) // 3600 - 30}.jsonl"
    young = folder / f"{int(time.time()) // 3600 - 2}.jsonl"
    old.write_text("")
    young.write_text("")
    Journal(folder, retention=24).publish("a", {})
    assert not old.exists()
    assert young.exists()


def test_the_thread_ends_with_the_last_subscriber(folder: Path) -> None:
    bus = EventBus(folder)
    bus.subscribe("*", lambda event: None).close()
    for thread in threading.enumerate():
        if thread.name == "sfa-events":
            thread.join(TIMEOUT)
            assert not thread.is_alive()


def test_a_closed_bus_serves_nobody_until_somebody_subscribes_again(folder: Path) -> None:
    bus = EventBus(folder)
    first, second = Collector(1), Collector(1)
    bus.subscribe("*", first)
    bus.close()
    assert not any(thread.name == "sfa-events" for thread in threading.enumerate())
    with bus.subscribe("*", second):
        bus.publish("a", {})
        assert second.done.wait(TIMEOUT)
    assert first.events == []


def hour_file(folder: Path, hours: int = 0) -> Path:
    return folder / f"{int(time.time()) // 3600 + hours}.jsonl"


def test_an_event_after_a_line_that_was_cut_off_is_whole(folder: Path) -> None:
    bus = EventBus(folder)
    collector = Collector(1)
    with bus.subscribe("*", collector):
        hour_file(folder).write_bytes(b'\n{"topic":"jobs:cut","time":1,"da')  # by anybody, the disk was full
        bus.publish("jobs:whole", {})
        assert collector.done.wait(TIMEOUT)
    assert [event.topic for event in collector.events] == ["jobs:whole"]


def test_a_full_disk_loses_events_and_nothing_else(folder: Path) -> None:
    script = """
import logging
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from sfa_kernel.events import EventBus
bus = EventBus(home)
bus.publish("jobs:a", {"n": 0})
fill()
for n in range(1, 30):
    bus.publish("jobs:a", {"n": n, "text": "x" * 900})
make_room()
bus.publish("jobs:b", {"n": 30})
print("last", bus.last("jobs:b").data)
"""
    done = run_on_small_disk(script, folder, megabytes=1)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("Events cannot")] == [
        "Events cannot be published, the work goes on without: No space left on device"
    ]
    assert lines[-1] == "last {'n': 30}"


def test_a_library_that_is_gone_breaks_no_publisher(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = folder / "library"
    journal = Journal(home / "events")
    for _ in range(2):
        journal.publish("a", {})
    assert caplog.messages == ["Events cannot be published, the work goes on without: No such file or directory"]
    assert not home.exists()


def test_a_journal_that_was_removed_begins_anew_and_its_followers_go_on(folder: Path) -> None:
    bus = EventBus(folder)
    bus.publish("before", {"text": "x" * 100})
    collector = Collector(1)
    with bus.subscribe("*", collector):
        shutil.rmtree(folder)
        bus.publish("after", {})
        assert collector.done.wait(TIMEOUT)
    assert [event.topic for event in collector.events] == ["after"]


def test_a_late_subscriber_asks_for_the_last_event_of_a_topic(folder: Path) -> None:
    bus = EventBus(folder)
    assert bus.last("pipeline:a") is None

    def last(topic: str) -> object:
        event = bus.last(topic)
        return event and event.data["n"]

    bus.publish("pipeline:a", {"n": 1, "text": '{"topic":"pipeline:b",'})
    hour_file(folder).rename(hour_file(folder, -2))
    hour_file(folder, -1).touch()
    bus.publish("pipeline:ab", {"n": 2})
    assert (last("pipeline:a"), last("pipeline:b"), last("pipeline:ab")) == (1, None, 2)
    bus.publish("pipeline:a", {"n": 3})
    with hour_file(folder).open("ab") as journal:
        journal.write(b'\n{"topic":"pipeline:a","ti')  # cut off
    assert last("pipeline:a") == 3


def test_events_before_and_after_the_hour_come_in_order_however_slow_the_subscriber(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time()
    monkeypatch.setattr("sfa_kernel.events.time.time", lambda: clock)
    bus = EventBus(folder)
    collector = Collector(6)
    held = threading.Event()
    busy = threading.Event()

    def slow(event: Event) -> None:
        busy.set()
        assert held.wait(TIMEOUT)
        collector(event)

    with bus.subscribe("*", slow):
        bus.publish("n", {"n": 0})
        assert busy.wait(TIMEOUT)
        for n in range(1, 6):
            bus.publish("n", {"n": n})
            clock += 3600
        held.set()
        assert collector.done.wait(TIMEOUT)
    assert [event.data["n"] for event in collector.events] == list(range(6))


def word(status: str, attempt: int, progress: int = 0) -> dict[str, object]:
    return {"status": status, "attempt": attempt, "progress": progress}


def test_late_words_of_an_ended_attempt_are_left_out(folder: Path) -> None:
    bus = EventBus(folder)
    collector = Collector(7)
    told = [
        word("queued", 0),
        word("processing", 1, 0),
        word("processing", 1, 40),
        word("queued", 1),
        word("processing", 1, 50),  # late
        word("processing", 2, 10),
        word("processing", 1, 60),  # later still
        word("cancelled", 2),
        word("processing", 2, 20),  # late
        word("queued", 2),
    ]
    lasts = []
    with bus.subscribe("jobs:*", collector):
        for data in told:
            bus.publish("jobs:a", data)
            last = bus.last("jobs:a")
            assert last is not None
            lasts.append((last.data["status"], last.data["attempt"], last.data["progress"]))
        assert collector.done.wait(TIMEOUT)
    heard = [event.data for event in collector.events]
    assert heard == [data for n, data in enumerate(told) if n not in (4, 6, 8)]
    assert lasts[4] == ("queued", 1, 0)
    assert lasts[6] == ("processing", 2, 10)
    assert lasts[8] == ("cancelled", 2, 0)


def test_a_thread_that_is_to_end_serves_nobody_who_came_later(folder: Path) -> None:
    bus = EventBus(folder)
    first, second = Collector(1), Collector(2)
    leave = threading.Event()

    def leaves(event: Event) -> None:
        first(event)
        assert leave.wait(TIMEOUT)

    subscription = bus.subscribe("*", leaves)
    for n in range(3):
        bus.publish("before", {"n": n})
    assert first.done.wait(TIMEOUT)  # the old thread has read all three
    subscription.close()
    with bus.subscribe("*", second):
        leave.set()
        bus.publish("after", {"n": 1})
        bus.publish("after", {"n": 2})
        assert second.done.wait(TIMEOUT)
    assert [event.topic for event in second.events] == ["after", "after"]


TRANSITIONS_OF_ONE_PROCESS = """
import random, sys
from uuid import UUID
from sfa_kernel.catalog import jobs as table
from sfa_kernel.errors import TransitionError
from sfa_kernel.jobs import JobRequest
from sfa_kernel.jobs.ledger import payload
from sfa_kernel.studio import Studio

chance = random.Random(int(sys.argv[2]))
studio = Studio.open(sys.argv[1], run_jobs=False)
ledger, ids = studio.ledger, [UUID(text) for text in sys.argv[3:]]
ledger.limits = {"q": 2}
for _ in range(12):
    with studio.catalog.write() as connection:
        claimed = ledger.claim(connection, {"k": "processing"}, holder="somebody")
    for job in claimed:
        studio.bus.publish(f"jobs:{job.id}", {**payload(job), "progress": 30})
        with studio.catalog.write() as connection:
            if chance.random() < 0.5:
                ledger.requeue(connection, job, "again", delay=0.0, more_attempts=1)
            else:
                ledger.end(connection, job, "failed", "no")
        studio.bus.publish(f"jobs:{job.id}", {**payload(job), "progress": 60})  # late
    ledger.cancel([chance.choice(ids)])
    try:
        ledger.retry(ids)
    except TransitionError:
        pass
studio.bus.publish("done", {})
"""


def test_each_job_is_seen_to_go_its_way_step_by_step_whoever_moves_it(studio: Studio) -> None:
    seen: list[Event] = []
    ends = Collector(3)
    with studio.bus.subscribe("jobs:*", seen.append), studio.bus.subscribe("done", ends):
        with studio.catalog.write() as connection:
            requests = [JobRequest("k", "q", None, {}) for _ in range(4)]
            ids = [str(job.id) for job in studio.ledger.enqueue_all(connection, requests)]
        command = [sys.executable, "-c", TRANSITIONS_OF_ONE_PROCESS, str(studio.home)]
        writers = [subprocess.Popen([*command, str(number), *ids]) for number in range(3)]
        assert [writer.wait(TIMEOUT) for writer in writers] == [0, 0, 0]
        assert ends.done.wait(TIMEOUT)
    running: set[str] = set()
    for event in seen:
        (running.add if event.data["status"] == "processing" else running.discard)(event.topic)
        assert len(running) <= 2  # the limit of the queue, over all processes
    attempts = 0
    for job_id in ids:
        status, attempt = "", 0
        for data in [event.data for event in seen if event.topic == f"jobs:{job_id}"]:
            if status and (data["status"], data["attempt"]) != (status, attempt):  # else it is progress
                assert data["status"] in table.TRANSITIONS[status]
                assert data["attempt"] == attempt + (data["status"] == "processing")
            status, attempt = data["status"], data["attempt"]
        (job,) = studio.ledger.jobs([UUID(job_id)])
        assert (job.status, job.attempt) == (status, attempt)
        attempts += attempt
    assert attempts > len(ids)
