from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.events import Event, EventBus, Journal

if TYPE_CHECKING:
    from pathlib import Path

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
