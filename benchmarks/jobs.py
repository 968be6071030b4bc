"""What a job costs beside its work, and how soon things happen.

    python benchmarks/jobs.py [overhead|scale|delays ...] [--jobs 1000] [--workers 2 8]

``overhead``: jobs that do nothing, here and in huey's SQLite queue, both with process workers that are warm. Durability
is equal: SQLite in WAL mode with ``synchronous=FULL`` (``fsync=True``) and DuckDB both sync their log to the disk at
each commit. (huey forgets a job when it begins; here a job whose program dies is tried again.) Both run one after the
other in the same session, so read their figures as a ratio.

``scale``: the questions and steps of the ledger with 10,000 jobs waiting and 100,000 ended.

``delays``: how soon a job goes on whose program was killed, and how soon a cancelled one is gone.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from huey import SqliteHuey

from sfa_kernel.catalog import Catalog
from sfa_kernel.catalog import jobs as table
from sfa_kernel.events import EventBus
from sfa_kernel.jobs import Ground, JobRequest, Kind, Ledger, Plan, Runner
from sfa_kernel.jobs.slot import LocalSlot
from sfa_kernel.settings import load_settings
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

QUEUED, ENDED = 10_000, 100_000


# -- the library ------------------------------------------------------------------------------------------------


def nothing(*, scratch: Path, progress: Any) -> int:
    return 1


def linger(*, marker: str, scratch: Path, progress: Any) -> None:
    Path(marker).write_text(str(os.getpid()))
    while True:
        time.sleep(0.02)


def prepare(connection: Any, job: table.JobRow, ground: Ground) -> Plan:
    return Plan(dict(job.arguments))


def commit(connection: Any, job: table.JobRow, result: Any, files: Any) -> None:
    pass


KINDS = {work.__name__: Kind(work.__name__, "analysis", prepare, work, commit) for work in (nothing, linger)}


@dataclass
class Bench:
    """A library and a runner of its own."""

    ledger: Ledger
    runner: Runner

    def queue(self, count: int, *, together: bool) -> list[UUID]:
        requests = [JobRequest("nothing", "analysis", None, {}) for _ in range(count)]
        parts = [requests] if together else [[request] for request in requests]
        ids = []
        for part in parts:
            with self.ledger.catalog.write() as connection:
                ids += [job.id for job in self.ledger.enqueue_all(connection, part)]
        return ids


@contextmanager
def library(folder: Path, *, workers: int = 2) -> Iterator[Bench]:
    storage = Storage(folder)
    catalog = Catalog.open(storage.home)
    bus = EventBus(storage.path("events"))
    ledger = Ledger(catalog, bus, limits={"analysis": workers})
    runner = Runner(ledger, Ground(storage, load_settings(home=folder)), KINDS)
    try:
        yield Bench(ledger, runner)
    finally:
        runner.stop()
        bus.close()
        catalog.give_back()


# -- overhead ----------------------------------------------------------------------------------------------------


def ours(jobs: int, workers: int, *, together: bool) -> tuple[float, dict[str, float]]:
    """Seconds a job, and where they went."""
    with tempfile.TemporaryDirectory() as folder, library(Path(folder), workers=workers) as bench:
        bench.runner.start()
        bench.ledger.wait(bench.queue(4 * workers, together=True), timeout=60)
        with measured() as spent:
            began = time.perf_counter()
            jobs_done = bench.ledger.wait(bench.queue(jobs, together=together), timeout=600)
            took = time.perf_counter() - began
        if any(job.status != "completed" for job in jobs_done):
            raise RuntimeError("Not all jobs were completed.")
    return took / jobs, {name: seconds / jobs for name, seconds in spent.items()}


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Seconds spent in the steps of a job, by name; steps of several threads may go on at the same time."""
    spent: dict[str, float] = defaultdict(float)
    steps = [
        (Ledger, "enqueue_all", "enqueue: rows"),
        (Ledger, "claim", "claim: question and rows"),
        (Ledger, "complete", "complete: rows"),
        (EventBus, "publish", "publish: events of all steps"),
        (LocalSlot, "run", "work: to the process and back"),
    ]
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in steps]
    lock = threading.Lock()

    def timed(function: Callable[..., Any], label: str) -> Callable[..., Any]:
        @wraps(function)
        def run(*arguments: Any, **keywords: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **keywords)
            finally:
                with lock:
                    spent[label] += time.perf_counter() - began

        return run

    def timed_transaction(function: Callable[..., Any]) -> Callable[..., Any]:
        def transaction(self: Catalog, *arguments: Any, exclusive: bool, **keywords: Any) -> Any:
            return entered(function(self, *arguments, exclusive=exclusive, **keywords), exclusive)

        return transaction

    @contextmanager
    def entered(inner: Any, exclusive: bool) -> Iterator[Any]:
        name = "write" if exclusive else "read"
        began = time.perf_counter()
        with inner as connection:
            entry = time.perf_counter()
            yield connection
            left = time.perf_counter()
        with lock:
            spent[f"{name} transactions: to begin"] += entry - began
            spent[f"{name} transactions: to commit"] += time.perf_counter() - left

    for owner, name, label in steps:
        setattr(owner, name, timed(getattr(owner, name), label))
    transaction = Catalog._transaction
    Catalog._transaction = timed_transaction(transaction)  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        Catalog._transaction = transaction  # type: ignore[method-assign]
        for owner, name, function in originals:
            setattr(owner, name, function)


def in_huey(file: str) -> tuple[SqliteHuey, Any]:
    huey = SqliteHuey(filename=file, fsync=True)
    return huey, huey.task(name="nothing")(lambda: 1)


def consume(file: str, workers: int) -> None:
    """The other process of huey: what ``huey_consumer.py -k process -w N`` does, but that it hardly ever waits."""
    huey, _ = in_huey(file)
    huey.create_consumer(workers=workers, worker_type="process", initial_delay=0.002, max_delay=0.005).run()


def theirs(jobs: int, workers: int) -> float:
    """Seconds a job in huey, which queues one by one."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/huey.db"
        huey, task = in_huey(file)
        consumer = subprocess.Popen([sys.executable, __file__, "consume", file, str(workers)])

        def wait(count: int) -> None:
            while huey.storage.result_store_size() < count:
                time.sleep(0.01)

        try:
            for _ in range(4 * workers):
                task()
            wait(4 * workers)
            began = time.perf_counter()
            for _ in range(jobs):
                task()
            wait(4 * workers + jobs)
            return (time.perf_counter() - began) / jobs
        finally:
            consumer.send_signal(signal.SIGINT)
            consumer.wait(timeout=30)


def overhead(jobs: int, workers: list[int]) -> None:
    for count in workers:
        print(f"{jobs} jobs that do nothing, {count} worker processes")
        huey = theirs(jobs, count)
        print(f"  huey, queued one by one        {1000 * huey:6.2f} ms a job")
        for together in (False, True):
            here, spent = ours(jobs, count, together=together)
            how = "queued together" if together else "queued one by one"
            print(f"  here, {how:24} {1000 * here:6.2f} ms a job, {here / huey:.1f} times huey's; of this")
            for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
                print(f"      {name:31} {1000 * seconds:6.2f} ms")


# -- scale -------------------------------------------------------------------------------------------------------


def fill(bench: Bench) -> None:
    bench.queue(QUEUED, together=True)
    with bench.ledger.catalog.write() as connection:
        columns = [row[0] for row in connection.execute("DESCRIBE jobs").fetchall()]
        others = {"id": "uuid()", "status": "'completed'", "progress": "100", "attempt": "1"}
        moments = dict.fromkeys(("created_at", "started_at", "ended_at"), "now() - to_seconds(range)")
        values = ", ".join({**others, **moments}.get(name, name) for name in columns)
        connection.execute(
            f"INSERT INTO jobs ({', '.join(columns)}) SELECT {values} "  # noqa: S608 - our own names
            f"FROM (FROM jobs LIMIT 1), range({ENDED})"
        )


def scale() -> None:
    print(f"{QUEUED:,} jobs waiting, {ENDED:,} ended: median and longest of 200, in ms")
    with tempfile.TemporaryDirectory() as folder, library(Path(folder)) as bench:
        ledger = bench.ledger
        fill(bench)
        begins = {name: kind.begins for name, kind in KINDS.items()}
        times: dict[str, list[float]] = defaultdict(list)

        @contextmanager
        def clock(name: str) -> Iterator[None]:
            began = time.perf_counter()
            yield
            times[name].append(1000 * (time.perf_counter() - began))

        for _ in range(200):
            with clock("look for jobs"), ledger.catalog.read() as connection:
                table.claimable(connection, ledger.limits, begins)
            with clock("claim 2"), ledger.catalog.write() as connection:
                claimed = ledger.claim(connection, begins, holder="me")
            with clock("complete 2 and claim 2"), ledger.catalog.write() as connection:
                ledger.complete(connection, claimed)
                claimed = ledger.claim(connection, begins, holder="me")
            with ledger.catalog.write() as connection:
                ledger.complete(connection, claimed)
            with clock("queue 1"):
                ids = bench.queue(1, together=True)
            with clock("cancel 1"):
                ledger.cancel(ids)
            with clock("the newest 100"):
                ledger.jobs(limit=100)
            with clock("the queues"):
                ledger.queues()
        for name, taken in times.items():
            print(f"  {name:24} {statistics.median(taken):7.2f} {max(taken):7.2f}")


# -- delays ------------------------------------------------------------------------------------------------------


def hold(home: str) -> None:
    """Another program that runs jobs until it is killed."""
    with library(Path(home)) as bench:
        bench.runner.start()
        signal.pause()


def delays(times: int = 5) -> None:
    rescued, cancelled = [], []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder, library(Path(folder)) as bench:
            marker = Path(folder, "pid")
            with bench.ledger.catalog.write() as connection:
                request = JobRequest("linger", "analysis", None, {"marker": str(marker)})
                job = bench.ledger.enqueue(connection, request)
            other = subprocess.Popen([sys.executable, __file__, "hold", folder])
            wait_for(lambda marker=marker: marker.exists() and marker.read_text())
            bench.runner.start()
            time.sleep(1.0)  # it has looked round, and found that all is well
            marker.unlink()
            began = time.perf_counter()
            other.kill()
            other.wait()
            wait_for(lambda marker=marker: marker.exists() and marker.read_text())
            rescued.append(time.perf_counter() - began)
            worker = psutil.Process(int(marker.read_text()))
            began = time.perf_counter()
            bench.ledger.cancel([job.id])
            worker.wait(timeout=30)
            cancelled.append(time.perf_counter() - began)
    print(f"Median and longest of {times}")
    print(f"  work goes on after its program was killed  {statistics.median(rescued):6.2f} {max(rescued):6.2f} s")
    print(f"  a cancelled job's process is gone          {statistics.median(cancelled):6.2f} {max(cancelled):6.2f} s")


def wait_for(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.005)


def main() -> None:
    if sys.argv[1:2] == ["consume"]:
        return consume(sys.argv[2], int(sys.argv[3]))
    if sys.argv[1:2] == ["hold"]:
        return hold(sys.argv[2])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", choices=["overhead", "scale", "delays", []])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 8])
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # of a killed program's jobs
    parts = options.parts or ["overhead", "scale", "delays"]
    if "overhead" in parts:
        overhead(options.jobs, options.workers)
    if "scale" in parts:
        scale()
    if "delays" in parts:
        delays()
    return None


if __name__ == "__main__":
    main()
