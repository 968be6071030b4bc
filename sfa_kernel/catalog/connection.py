"""Transactions on one DuckDB file from many processes.

DuckDB lets one process write at a time, and opening a database costs tens of milliseconds. So a process
keeps one in-memory instance; for each transaction it takes a file lock, attaches the library file, works,
detaches and gives the lock back. Nobody sees DuckDB's own lock error.

Two lock files make waiting fair: whoever wants the catalogue first takes the *turn*, and only then waits
for the catalogue itself, so a stream of readers cannot keep a writer out.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING

import duckdb
import portalocker

from sfa_kernel.errors import CatalogBusy, InternalError, SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Catalog", "Connection"]

Connection = duckdb.DuckDBPyConnection

_open_catalogs: dict[Path, Catalog] = {}
_open_lock = threading.Lock()


class Catalog:
    """The catalogue of one library; use `Catalog.open`.

    Parameters
    ----------
    home
        The storage root; the database is ``home/library.duckdb``.
    busy_timeout
        How long to wait for other processes [s].
    """

    def __init__(self, home: Path, *, busy_timeout: float = 10.0) -> None:
        self.file = home / "library.duckdb"
        self.busy_timeout = busy_timeout
        self._thread_lock = threading.Lock()
        self._holding = threading.local()
        self._turn_file = home / "library.turn"
        self._lock_file = home / "library.lock"
        self._instance = duckdb.connect(":memory:", config={"threads": 2, "allow_community_extensions": False})
        self._instance.execute("SET TimeZone = 'UTC'")
        self._migrate()

    @classmethod
    def open(cls, home: Path, *, busy_timeout: float = 10.0) -> Catalog:
        """The catalogue below ``home``, made when missing; one instance for each home and process.

        Raises
        ------
        SetupError
            When the file is no catalogue of ours, is damaged, or comes from a newer version.
        CatalogBusy
            When another process holds it for longer than ``busy_timeout``.
        """
        with _open_lock:
            home = home.resolve()
            catalog = _open_catalogs.get(home)
            if catalog is None or not catalog.file.exists():
                catalog = _open_catalogs[home] = cls(home, busy_timeout=busy_timeout)
            return catalog

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction; several processes may read at once."""
        with self._locked(exclusive=False):
            yield from self._attached("(READ_ONLY)")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, and rolled back when it raises."""
        with self._locked(exclusive=True):
            yield from self._attached("")

    def _attached(self, options: str) -> Iterator[Connection]:
        connection = self._instance
        try:
            path = str(self.file).replace("'", "''")
            connection.execute(f"ATTACH '{path}' AS library {options}")
        except duckdb.Error as error:
            raise SetupError(
                f"The catalogue {self.file} cannot be opened: {_first_line(error)}.",
                hint="Restore a backup, or move the file away to begin a new library.",
            ) from error
        try:
            connection.execute("USE library")
            connection.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                with suppress(duckdb.Error):
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            connection.execute("USE memory")
            connection.execute("DETACH library")

    @contextmanager
    def _locked(self, *, exclusive: bool) -> Iterator[None]:
        if getattr(self._holding, "active", False):
            raise InternalError("A catalogue transaction was begun inside another one.")
        deadline = time.monotonic() + self.busy_timeout
        if not self._thread_lock.acquire(timeout=self.busy_timeout):
            raise CatalogBusy("Another thread of this program holds the catalogue.", hint="Try again in a moment.")
        self._holding.active = True
        try:
            kind = portalocker.LockFlags.EXCLUSIVE if exclusive else portalocker.LockFlags.SHARED
            with self._turn_file.open("a") as turn, self._lock_file.open("a+") as lock:
                self._acquire(turn, portalocker.LockFlags.EXCLUSIVE, deadline)
                self._acquire(lock, kind, deadline)
                portalocker.unlock(turn)
                if exclusive:
                    _sign(lock)
                yield
        finally:
            self._holding.active = False
            self._thread_lock.release()

    def _acquire(self, file: IO[str], kind: portalocker.LockFlags, deadline: float) -> None:
        pause = 0.0005
        while True:
            try:
                portalocker.lock(file, kind | portalocker.LockFlags.NON_BLOCKING)
            except (portalocker.AlreadyLocked, portalocker.LockException):
                if time.monotonic() > deadline:
                    raise CatalogBusy(
                        f"The catalogue has been held for over {self.busy_timeout:g} s by {self._holder()}.",
                        hint="Try again in a moment.",
                    ) from None
                time.sleep(pause)
                pause = min(pause * 1.5, 0.01)
            else:
                return

    def _holder(self) -> str:
        try:
            return self._lock_file.read_text("utf-8").strip() or "another program"
        except OSError:
            return "another program"

    def _migrate(self) -> None:
        """Apply the numbered migrations that this catalogue has not had yet, in order."""
        folder = resources.files("sfa_kernel.catalog").joinpath("migrations")
        scripts = {int(entry.name.split("_")[0]): entry for entry in folder.iterdir() if entry.name.endswith(".sql")}
        newest = max(scripts)
        if self.file.exists():
            with self.read() as connection:
                if _version(connection) == newest:
                    return
        with self.write() as connection:
            version = _version(connection)
            if version > newest:
                raise SetupError(
                    f"The library at {self.file.parent} was made by a newer version of Sound Forge Alchemy.",
                    hint="Update this program, or choose another library.",
                )
            for number in sorted(n for n in scripts if n > version):
                connection.execute(scripts[number].read_text("utf-8"))
                connection.execute("INSERT INTO migrations VALUES (?, now())", [number])


def _version(connection: Connection) -> int:
    tables = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'library'"
    ).fetchall()
    if not tables:
        return 0
    if ("migrations",) not in tables:
        raise SetupError(
            "The catalogue file is a database, but not one of ours.", hint="Choose another library folder."
        )
    row = connection.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchone()
    return int(row[0]) if row else 0


def _sign(lock: IO[str]) -> None:
    """Leave our name in the lock file, for the message of whoever waits too long."""
    lock.truncate(0)
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    lock.write(f"process {os.getpid()} ({program})\n")
    lock.flush()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
