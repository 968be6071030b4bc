"""What a transaction costs, alone and while eight processes want the catalogue at once.

    python benchmarks/catalog.py [--seconds 30] [--processes 8]

Each process mixes three reads with one write on a library of 2,000 tracks. A write adds one to a counter, and in the
end the counters must add up: when an update was lost, the exit status is 1. "connect" is what one does without a
lease: open the DuckDB file for each transaction, try again while another process has it open, and close it. Both run
in the same session, so read their figures as a ratio.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfa_kernel.catalog import Catalog, Connection
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from multiprocessing.queues import Queue

    Transaction = Callable[[bool], AbstractContextManager[Connection]]

TRACKS = 2000
COUNTERS = 16


@dataclass(frozen=True)
class Tally:
    """What one process did."""

    reads: int
    writes: int
    longest: float  # s, from asking for a transaction to its end
    error: str = ""


def library(folder: Path) -> Path:
    home = Storage(folder).home
    catalog = Catalog(home)
    with catalog.write() as connection:
        connection.execute(
            "INSERT INTO tracks SELECT uuid(), 'hash' || range, 'Title ' || range, 'Artist', '', '', NULL, 'title', "
            "'/from', 'downloads/' || range, NULL, 'wav', 'pcm', 44100, 2, 180, 1000000, now(), NULL, NULL, NULL "
            "FROM range(?)",
            [TRACKS],
        )
        connection.execute("CREATE TABLE counters (id INTEGER PRIMARY KEY, value BIGINT)")
        connection.execute("INSERT INTO counters SELECT range, 0 FROM range(?)", [COUNTERS])
    catalog.give_back()
    return home


def leasing(home: Path) -> Transaction:
    catalog = Catalog.open(home, busy_timeout=30)
    return lambda write: catalog.write() if write else catalog.read()


def connecting(home: Path) -> Transaction:
    @contextmanager
    def transaction(write: bool) -> Iterator[Connection]:
        deadline = time.monotonic() + 30
        while True:
            try:
                connection = duckdb.connect(str(home / "library.duckdb"), read_only=not write)
                break
            except duckdb.IOException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
        with connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    return transaction


def read(transaction: Transaction, turn: int) -> None:
    with transaction(False) as connection:
        connection.execute("SELECT title FROM tracks WHERE content_hash = ?", [f"hash{turn % TRACKS}"]).fetchone()


def write(transaction: Transaction, turn: int) -> None:
    with transaction(True) as connection:
        connection.execute("UPDATE counters SET value = value + 1 WHERE id = ?", [turn % COUNTERS])


def milliseconds(work: Callable[[Transaction, int], None], transaction: Transaction, times: int) -> float:
    """The median of one transaction after the other, with nobody else there."""
    taken = []
    for turn in range(times):
        began = time.perf_counter()
        work(transaction, turn)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def worker(make: Callable[[Path], Transaction], home: Path, number: int, seconds: float, tallies: Queue[Tally]) -> None:
    reads = writes = 0
    longest = 0.0
    error = ""
    try:
        transaction = make(home)
        end = time.monotonic() + seconds
        turn = number
        while (began := time.monotonic()) < end:
            if turn % 4 == 3:
                write(transaction, turn)
                writes += 1
            else:
                read(transaction, turn)
                reads += 1
            turn += 1
            longest = max(longest, time.monotonic() - began)
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
    tallies.put(Tally(reads, writes, longest, error))


def together(make: Callable[[Path], Transaction], home: Path, processes: int, seconds: float) -> list[Tally]:
    context = multiprocessing.get_context("spawn")
    tallies: Queue[Tally] = context.Queue()
    workers = [
        context.Process(target=worker, args=(make, home, number, seconds, tallies)) for number in range(processes)
    ]
    for process in workers:
        process.start()
    results = [tallies.get() for _ in workers]
    for process in workers:
        process.join()
    return results


def lost_updates(home: Path, tallies: list[Tally]) -> int:
    with Catalog.open(home).read() as connection:
        row = connection.execute("SELECT sum(value) FROM counters").fetchone()
    return sum(tally.writes for tally in tallies) - int(row[0] if row else 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--processes", type=int, default=8)
    options = parser.parse_args()
    makes = {"lease": leasing, "connect": connecting}

    print("Alone, median of one transaction")
    for name, make in makes.items():
        with tempfile.TemporaryDirectory() as folder:
            home = library(Path(folder))
            transaction = make(home)
            times = 300 if make is leasing else 30
            reading, writing = milliseconds(read, transaction, times), milliseconds(write, transaction, times)
            print(f"  {name:8} read {reading:6.2f} ms   write {writing:6.2f} ms")
            Catalog.open(home).give_back()

    print(f"{options.processes} processes, three reads to a write, {options.seconds:g} s")
    rates = {}
    failed = False
    for name, make in makes.items():
        with tempfile.TemporaryDirectory() as folder:
            home = library(Path(folder))
            tallies = together(make, home, options.processes, options.seconds)
            lost = lost_updates(home, tallies)
            Catalog.open(home).give_back()
        errors = [tally.error for tally in tallies if tally.error]
        writes = sum(tally.writes for tally in tallies)
        rates[name] = (sum(tally.reads for tally in tallies) + writes) / options.seconds
        print(
            f"  {name:8} {rates[name]:6.0f} transactions/s ({writes / options.seconds:.0f} of them writes), "
            f"longest wait {max(tally.longest for tally in tallies):.2f} s, {lost} updates lost, {len(errors)} errors"
        )
        for error in errors:
            print(f"           {error}")
        failed |= make is leasing and bool(lost or errors)
    print(f"  lease / connect: {rates['lease'] / rates['connect']:.1f}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
