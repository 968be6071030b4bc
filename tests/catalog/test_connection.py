"""One library, many processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb
import pytest

from sfa_kernel.catalog import Catalog
from sfa_kernel.errors import CatalogBusy, InternalError, SetupError
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
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
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def catalog(home: Path) -> Catalog:
    return Catalog.open(Storage(home).home)


def insert_cue(catalog: Catalog) -> None:
    with catalog.write() as connection:
        connection.execute(
            "INSERT INTO cues VALUES (?, ?, 0, 'drop', 'Drop', '#fff', 1, '', 'auto')", [uuid4(), uuid4()]
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


def test_who_waits_too_long_learns_who_holds_the_catalogue(home: Path) -> None:
    Catalog.open(Storage(home).home)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        waiting = Catalog.open(home)
        waiting.busy_timeout = 0.2
        with pytest.raises(CatalogBusy, match=f"process {holder.pid}"), waiting.read():
            pass
    finally:
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()


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
