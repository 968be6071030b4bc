"""Eight programs on one library; `benchmarks/catalog.py` is the long form, with times."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from sfa_kernel.catalog import Catalog
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES = 8
SECONDS = 2.0

# Adds to one of two counters for a while, checking that what it reads never goes backwards; says how often it added.
ADD = """
import sys, time
from pathlib import Path
from sfa_kernel.catalog import Catalog
home, number, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
catalog = Catalog.open(home, busy_timeout=60)
print("ready", flush=True)
sys.stdin.readline()
added, seen, end = 0, 0, time.monotonic() + seconds
while time.monotonic() < end or not added:
    for _ in range(1 + (number + added) % 3):
        with catalog.read() as connection:
            (value,) = connection.execute("SELECT sum(value) FROM counters").fetchone()
        assert value >= seen, (value, seen)
        seen = value
    with catalog.write() as connection:
        which = (number + added) % 2
        (value,) = connection.execute("SELECT value FROM counters WHERE id = ?", [which]).fetchone()
        connection.execute("UPDATE counters SET value = ? WHERE id = ?", [value + 1, which])
    added += 1
print(added)
"""


def test_eight_programs_read_and_write_without_an_error_or_a_lost_update(home: Path) -> None:
    catalog = Catalog.open(Storage(home).home)
    with catalog.write() as connection:
        connection.execute("CREATE TABLE counters (id INTEGER PRIMARY KEY, value BIGINT)")
        connection.execute("INSERT INTO counters VALUES (0, 0), (1, 0)")
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", ADD, str(home), str(number), str(SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for program in programs:
        assert program.stdout is not None
        program.stdout.readline()
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    ended = [program.communicate(timeout=120) for program in programs]
    assert [(program.returncode, errors) for program, (_, errors) in zip(programs, ended, strict=True)] == [
        (0, "")
    ] * PROCESSES
    with catalog.read() as connection:
        row = connection.execute("SELECT sum(value) FROM counters").fetchone()
    assert row == (sum(int(said) for said, _ in ended),)
