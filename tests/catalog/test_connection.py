"""One library, many processes."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb
import pytest

from sfa_kernel.catalog import Catalog
from sfa_kernel.catalog.connection import is_question
from sfa_kernel.errors import CatalogBusy, InternalError, SetupError
from sfa_kernel.storage import Storage
from tests.disks import run_on_small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = """
import sys
from pathlib import Path
from sfa_kernel.catalog import Catalog
catalog = Catalog.open(Path(sys.argv[1]), busy_timeout=60)
for _ in range(25):
    with catalog.read() as connection:
        connection.execute("SELECT count(*) FROM cues").fetchone()
    with catalog.write() as connection:
        value, = connection.execute("SELECT time FROM cues").fetchone()
        connection.execute("UPDATE cues SET time = ?", [value + 1])
"""

HOLD = """
import sys
from pathlib import Path
from sfa_kernel.catalog import Catalog
with Catalog.open(Path(sys.argv[1])).write():
    print("ready", flush=True)
    sys.stdin.read()
"""

# Works, and then keeps what it has until it is told otherwise: only who asks for it can get it.
LEASE = """
import sys
from pathlib import Path
from sfa_kernel.catalog import Catalog, connection
connection.IDLE = float("inf")
catalog = Catalog.open(Path(sys.argv[1]))
with catalog.write() as c:
    c.execute("UPDATE cues SET time = time + 1")
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def running(script: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that has said that it is ready; it ends when its standard input does."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=30)


@pytest.fixture
def catalog(home: Path) -> Catalog:
    return Catalog.open(Storage(home).home)


def insert_cue(catalog: Catalog) -> None:
    with catalog.write() as connection:
        connection.execute(
            "INSERT INTO cues VALUES (?, ?, 0, 'drop', 'Drop', '#fff', 1, '', 'auto', NULL, NULL)", [uuid4(), uuid4()]
        )


def cue_time(catalog: Catalog) -> float:
    with catalog.read() as connection:
        row = connection.execute("SELECT time FROM cues").fetchone()
    assert row is not None
    return float(row[0])


def test_processes_that_read_and_write_at_once_lose_nothing(catalog: Catalog, home: Path) -> None:
    insert_cue(catalog)
    workers = [subprocess.Popen([sys.executable, "-c", COUNT, str(home)]) for _ in range(3)]
    assert [worker.wait(120) for worker in workers] == [0, 0, 0]
    assert cue_time(catalog) == 75


def test_threads_of_one_process_lose_nothing(catalog: Catalog) -> None:
    insert_cue(catalog)

    def add() -> None:
        for _ in range(20):
            with catalog.write() as connection:
                connection.execute("UPDATE cues SET time = time + 1")

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cue_time(catalog) == 60


def test_a_transaction_that_raises_leaves_no_trace(catalog: Catalog) -> None:
    insert_cue(catalog)

    def fail_halfway() -> None:
        with catalog.write() as connection:
            connection.execute("UPDATE cues SET time = 5")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail_halfway()
    assert cue_time(catalog) == 0


def test_a_reader_cannot_write(catalog: Catalog) -> None:
    with pytest.raises(duckdb.Error), catalog.read() as connection:
        connection.execute("DELETE FROM cues")


def test_a_reader_cannot_write_while_the_program_could(catalog: Catalog) -> None:
    insert_cue(catalog)  # and so the program has the right to write, and keeps it for a moment
    with pytest.raises(duckdb.Error), catalog.read() as connection:
        connection.execute("DELETE FROM cues")
    assert cue_time(catalog) == 0


@pytest.mark.parametrize(
    ("query", "only_asks"),
    [
        ("SELECT * FROM tracks", True),
        ("WITH t AS (FROM tracks) SELECT count(*) FROM t;", True),
        ("PIVOT cues ON type USING count(*)", True),
        ("SHOW TABLES", True),
        ("EXPLAIN SELECT 1", True),
        ("COMMIT", False),
        ("SELECT 1; COMMIT; DELETE FROM tracks", False),
        ("DETACH library", False),
        ("USE memory", False),
        ("DELETE FROM tracks", False),
        ("", False),
    ],
)
def test_a_question_is_one_statement_that_only_reads(catalog: Catalog, query: str, only_asks: bool) -> None:
    with catalog.read() as connection:
        assert is_question(connection, query) is only_asks


def test_who_waits_too_long_learns_who_holds_the_catalogue(catalog: Catalog, home: Path) -> None:
    catalog.busy_timeout = 0.2
    with (
        running(HOLD, home) as holder,
        pytest.raises(CatalogBusy, match=rf"process {holder.pid} "),
        catalog.read(),
    ):
        pass


def test_who_works_no_more_makes_room_for_who_waits(catalog: Catalog, home: Path) -> None:
    insert_cue(catalog)
    with running(LEASE, home):
        assert cue_time(catalog) == 1
        insert_cue(catalog)


def test_when_nobody_works_the_file_is_complete(catalog: Catalog) -> None:
    insert_cue(catalog)
    log = catalog.file.with_name("library.duckdb.wal")
    end = time.monotonic() + 10
    while log.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert not log.exists()


def test_a_killed_program_lets_go_of_the_catalogue_and_its_work_is_there(catalog: Catalog, home: Path) -> None:
    insert_cue(catalog)
    with running(LEASE, home) as holder:
        holder.kill()
        holder.wait(30)
        assert cue_time(catalog) == 1


def test_a_stopped_program_is_named_and_goes_on(catalog: Catalog, home: Path) -> None:
    insert_cue(catalog)
    with running(LEASE, home) as holder:
        holder.send_signal(signal.SIGSTOP)
        catalog.busy_timeout = 0.2
        with pytest.raises(CatalogBusy, match=rf"process {holder.pid} "):
            cue_time(catalog)
        holder.send_signal(signal.SIGCONT)
        catalog.busy_timeout = 30
        assert cue_time(catalog) == 1


def test_a_breakpoint_does_not_stop_the_thread_that_gives_the_catalogue_back(catalog: Catalog) -> None:
    insert_cue(catalog)
    watchers = [thread for thread in threading.enumerate() if thread.name == "sfa-catalog"]
    assert len(watchers) == 1
    # The two marks by which pydevd, the debugger of JupyterLab, VS Code and PyCharm, tells threads to leave alone.
    assert watchers[0].pydev_do_not_trace  # type: ignore[attr-defined]
    assert watchers[0].is_pydev_daemon_thread  # type: ignore[attr-defined]


FORK = """
import os, sys, time
from pathlib import Path
from sfa_kernel.catalog import Catalog
from sfa_kernel.errors import InternalError

def add(catalog):
    with catalog.write() as connection:
        connection.execute("UPDATE cues SET time = time + 1")

catalog = Catalog.open(Path(sys.argv[1]), busy_timeout=30)
add(catalog)                                  # the lease is ours
children = []
for _ in range(3):
    pid = os.fork()
    if not pid:
        add(catalog)
        add(Catalog.open(Path(sys.argv[1])))
        sys.exit(0)                           # an end in order, with all that runs then
    children.append(pid)
    add(catalog)

with catalog.write() as connection:           # a fork in the middle of a transaction
    connection.execute("UPDATE cues SET time = time + 1")
    pid = os.fork()
    if pid:
        children.append(pid)
if not pid:
    os._exit(9)                               # not reached: it is the parent's transaction
for pid in children[:3]:
    assert os.waitpid(pid, 0)[1] == 0
assert os.waitstatus_to_exitcode(os.waitpid(children[3], 0)[1]) == 1
add(catalog)
"""


def test_a_fork_and_its_parent_both_go_on(catalog: Catalog, home: Path) -> None:
    insert_cue(catalog)
    done = subprocess.run([sys.executable, "-c", FORK, str(home)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "InternalError: The program forked inside a catalogue transaction" in done.stderr
    assert cue_time(catalog) == 1 + 3 * 3 + 1 + 1


def test_what_follows_a_commit_comes_in_order_and_only_then(catalog: Catalog, home: Path) -> None:
    seen: list[object] = []
    other = Catalog(home)
    other.busy_timeout = 0.0

    def ask_from_elsewhere() -> None:
        try:
            seen.append(cue_time(other))
        except CatalogBusy:
            seen.append("busy")

    with catalog.write() as connection:
        connection.execute(
            "INSERT INTO cues VALUES (?, ?, 0, 'drop', 'Drop', '#fff', 1, '', 'auto', NULL, NULL)", [uuid4(), uuid4()]
        )
        catalog.after_commit(lambda: seen.append("first"))
        catalog.after_commit(ask_from_elsewhere)
        seen.append("inside")
    assert seen == ["inside", "first", "busy"], "nobody may come between a commit and what follows it"

    def fail() -> None:
        with catalog.write():
            catalog.after_commit(lambda: seen.append("never"))
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()
    with catalog.write():
        pass
    assert "never" not in seen


def test_a_failure_after_a_commit_is_logged_and_stops_nothing(
    catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    seen = []
    with caplog.at_level(logging.ERROR), catalog.write():
        catalog.after_commit(lambda: 1 / 0)
        catalog.after_commit(lambda: seen.append("next"))
    assert seen == ["next"]
    assert "ZeroDivisionError" in caplog.text


def test_only_a_transaction_that_writes_has_a_commit_to_wait_for(catalog: Catalog) -> None:
    with pytest.raises(InternalError):
        catalog.after_commit(print)
    with pytest.raises(InternalError), catalog.read():
        catalog.after_commit(print)


def test_another_file_in_its_place_is_seen_at_once(catalog: Catalog, tmp_path: Path) -> None:
    insert_cue(catalog)
    elsewhere = Catalog(Storage(tmp_path / "elsewhere").home)
    insert_cue(elsewhere)
    with elsewhere.write() as connection:
        connection.execute("UPDATE cues SET time = 7")
    elsewhere.give_back()
    assert cue_time(catalog) == 0
    elsewhere.file.replace(catalog.file)
    assert cue_time(catalog) == 7


def test_a_catalogue_that_vanished_is_missed_and_not_made_anew(catalog: Catalog) -> None:
    insert_cue(catalog)
    catalog.give_back()
    away = catalog.file.rename(catalog.file.with_suffix(".away"))
    with pytest.raises(SetupError, match="is gone"):
        insert_cue(catalog)
    assert not catalog.file.exists()
    away.rename(catalog.file)
    assert cue_time(catalog) == 0


def test_a_block_that_ends_its_transaction_itself_harms_nobody(catalog: Catalog) -> None:
    insert_cue(catalog)
    with pytest.raises(duckdb.Error), catalog.write() as connection:
        connection.execute("UPDATE cues SET time = 3; COMMIT")
    assert cue_time(catalog) == 3
    with pytest.raises(duckdb.Error), catalog.write() as connection:
        connection.execute("SELECT nonsense")
    insert_cue(catalog)


DISK_FULL = """
from sfa_kernel.catalog import Catalog
from sfa_kernel.errors import DiskFullError

def put(first, last):
    with catalog.write() as connection:
        connection.execute("INSERT INTO kept SELECT range, repeat('x', 1000) FROM range(?, ?)", [first, last])
        catalog.after_commit(lambda: said.append((first, last)))

def kept():
    with catalog.read() as connection:
        return [row[0] for row in connection.execute("SELECT id FROM kept ORDER BY id").fetchall()]

def refused(first, last):
    try:
        put(first, last)
    except DiskFullError as error:
        assert str(error).startswith("The disk is full, so nothing was changed."), error
    else:
        raise AssertionError("there was room")

said = []
catalog = Catalog.open(home)
with catalog.write() as connection:
    connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, text VARCHAR)")
put(0, 100)                     # in the log, not yet in the file
fill()
refused(100, 300)
assert kept() == list(range(100))
catalog.give_back()             # which cannot be completed now
assert kept() == list(range(100))
refused(100, 300)
other = Catalog(home)           # a program that starts on the full disk
other.give_back()
make_room()
put(100, 300)
put(300, 400)
assert kept() == list(range(400))
catalog.give_back()
assert not catalog.file.with_name("library.duckdb.wal").exists()
assert len(kept()) == 400
assert said == [(0, 100), (100, 300), (300, 400)]

import shutil                   # and a library that is to begin on a full disk
(home / "new").mkdir()
for name in ("library.lock", "library.turn"):
    (home / "new" / name).touch()
fill()
try:
    Catalog(home / "new")
except DiskFullError:
    pass
else:
    raise AssertionError("there was room")
make_room()
Catalog(home / "new").give_back()
"""


def test_a_full_disk_is_said_so_and_harms_nothing(home: Path) -> None:
    home.mkdir()
    done = run_on_small_disk(DISK_FULL, home, megabytes=4)
    assert done.returncode == 0, done.stderr


def test_a_transaction_inside_another_is_our_mistake(catalog: Catalog) -> None:
    with pytest.raises(InternalError), catalog.read(), catalog.write():
        pass
    insert_cue(catalog)  # and the catalogue works on


def test_what_a_killed_writer_had_committed_is_there(catalog: Catalog, home: Path) -> None:
    insert_cue(catalog)
    killed = COUNT.replace("range(25)", "range(5)") + "\nimport os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", killed, str(home)], check=False).returncode == -9
    assert cue_time(catalog) == 5


def test_a_file_that_is_no_catalogue_is_refused_in_one_sentence(tmp_path: Path) -> None:
    damaged = Storage(tmp_path / "damaged").home
    (damaged / "library.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(SetupError, match="cannot be opened"):
        Catalog.open(damaged)
    foreign = Storage(tmp_path / "foreign").home
    with duckdb.connect(str(foreign / "library.duckdb")) as other:
        other.execute("CREATE TABLE mine (x INTEGER)")
    with pytest.raises(SetupError, match="not one of ours"):
        Catalog.open(foreign)


def test_a_library_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    home = Storage(tmp_path / "newer").home
    catalog = Catalog(home)
    with catalog.write() as connection:
        connection.execute("INSERT INTO migrations VALUES (9999, now())")
    with pytest.raises(SetupError, match="newer version"):
        Catalog(home)
