"""What the tests of slots and of back ends share: folders to report to, and a way to hear of what runs."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psutil

from sfa_kernel.events import EventBus
from sfa_kernel.jobs.log import read_log
from sfa_kernel.jobs.slot import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sfa_kernel.events import Event
    from sfa_kernel.jobs.slot import Slot

TIMEOUT = 60


class Desk:
    """Jobs without a ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("events", "logs", "scratch"):
            (folder / name).mkdir()
        self.bus = EventBus(folder / "events")

    def report(self) -> Report:
        return Report(self.folder / "events", self.folder / "logs", {"id": str(uuid4()), "attempt": 1, "progress": 0})

    def arguments(self, report: Report, **arguments: Any) -> dict[str, Any]:
        scratch = self.folder / "scratch" / report.job["id"]
        scratch.mkdir()
        return {**arguments, "scratch": scratch}

    def run(self, slot: Slot, work: Callable[..., Any], **arguments: Any) -> Any:
        report = self.report()
        return slot.run(work, self.arguments(report, **arguments), report=report)

    def log(self, report: Report) -> list[tuple[str, str]]:
        return [(line["level"], line["text"]) for line in read_log(report.logs, report.job["id"])[0]]

    def begin(self, slot: Slot, work: Callable[..., Any], **arguments: Any) -> Running:
        """Start work that says so by its first progress, and wait until it has."""
        report = self.report()
        running = Running(report, Future(), self.folder / f"{report.job['id']}.pids")
        begun = threading.Event()

        def run() -> None:
            try:
                running.future.set_result(
                    slot.run(work, self.arguments(report, **arguments, marker=str(running.marker)), report=report)
                )
            except BaseException as error:
                running.future.set_exception(error)

        with self.bus.subscribe(f"jobs:{report.job['id']}", lambda event: begun.set()):
            threading.Thread(target=run, daemon=True).start()
            assert begun.wait(TIMEOUT), running.future
        return running

    def progress(self, work: Callable[[Report], Any]) -> list[int]:
        """The progress that subscribers see while something runs."""
        seen: list[int] = []
        last = threading.Event()

        def hear(event: Event) -> None:
            seen.append(event.data["progress"])
            if event.data["progress"] == 100:
                last.set()

        report = self.report()
        with self.bus.subscribe(f"jobs:{report.job['id']}", hear):
            work(report)
            assert last.wait(TIMEOUT)
        return seen


class Running:
    """Work that has begun."""

    def __init__(self, report: Report, future: Future[Any], marker: Path) -> None:
        self.report = report
        self.future = future
        self.marker = marker

    @property
    def pids(self) -> list[int]:
        return [int(pid) for pid in self.marker.read_text().split()]


def gone(pids: list[int], timeout: float = TIMEOUT) -> bool:
    """Wait until processes have ended."""
    processes = []
    for pid in pids:
        try:
            processes.append(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
    alive = psutil.wait_procs(processes, timeout=timeout)[1]
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
