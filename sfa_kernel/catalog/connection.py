"""Transactions on one DuckDB file from many processes.

DuckDB lets one process write at a time, and opening a database costs tens of milliseconds. So a process keeps one
in-memory instance, and *leases* the catalogue: for a transaction it takes the library's lock, attaches the file and
works; then it keeps lock and attachment for as long as nobody else waits. An exclusive lease serves reads and writes,
a shared one reads. Nobody sees DuckDB's own lock error.

A lease is given back

- after a transaction, when somebody waits and the lease's time slice is over,
- by the `watcher`, when somebody waits and no transaction is going on, or when it has not been used for a while,
- before a fork and at the end of the program.
"""

from __future__ import annotations

import atexit
import errno
import logging
import os
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from importlib import resources
from typing import TYPE_CHECKING, Any

import duckdb

from sfa_kernel.catalog import watcher
from sfa_kernel.catalog.lock import Hold, LibraryLock
from sfa_kernel.catalog.undo import Undo
from sfa_kernel.errors import CatalogBusy, DiskFullError, InternalError, SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["Catalog", "Connection", "is_question"]

logger = logging.getLogger(__name__)

Connection = duckdb.DuckDBPyConnection

SLICE = 0.010  # how long transactions may follow one another while others wait [s]
IDLE = 0.25  # how long a lease is kept unused [s]
LONGEST = 5.0  # a busy process detaches this often, which empties the write-ahead log [s]

_FULL = [os.strerror(number) for number in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))]


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
        self._lock = LibraryLock(home)
        self._begin_anew()
        _catalogs.add(self)
        self._migrate()

    def _begin_anew(self) -> None:
        """Nothing is open, leased or going on."""
        self._threads = threading.Lock()  # held during a transaction, and while the lease changes
        self._mine = threading.local()
        self._instance: Connection | None = None
        self._lease: _Lease | None = None

    @classmethod
    def open(cls, home: Path, *, busy_timeout: float = 10.0) -> Catalog:
        """The catalogue below ``home``, made when missing; one instance for each home and process.

        Raises
        ------
        SetupError
            When the file is no catalogue of ours, is damaged, or comes from a newer version.
        CatalogBusy
            When another process holds it for longer than ``busy_timeout``.
        DiskFullError
            When there is no room to make it.
        """
        with _open_lock:
            home = home.resolve()
            catalog = _open_catalogs.get(home)
            if catalog is None or not catalog.file.exists():
                catalog = _open_catalogs[home] = cls(home, busy_timeout=busy_timeout)
            return catalog

    def read(self) -> AbstractContextManager[Connection]:
        """A read-only transaction; several processes may read at once.

        Raises
        ------
        CatalogBusy
            When another process holds the catalogue for longer than ``busy_timeout``.
        SetupError
            When the file is gone or damaged.
        """
        return self._transaction(exclusive=False)

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that is committed at the end of the block, and rolled back when it raises.

        Raises
        ------
        CatalogBusy
            When another process holds the catalogue for longer than ``busy_timeout``.
        DiskFullError
            When the disk is full; nothing was changed.
        SetupError
            When the file is gone or damaged.
        """
        return self._transaction(exclusive=True)

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Inside a `write` block: call this once the block is committed, and never if it is not.

        The callbacks run in order while the catalogue is still ours, so what they publish comes in the order of
        the commits of all processes. What they raise is logged.
        """
        callbacks = getattr(self._mine, "callbacks", None)
        if callbacks is None:
            raise InternalError("Only a transaction that writes has something to do after its commit.")
        callbacks.append(callback)

    def give_back(self) -> None:
        """Let other processes have the catalogue at once; the next transaction takes it again."""
        with self._entered(exclusive=False):
            self._end_lease()

    @contextmanager
    def _entered(self, *, exclusive: bool) -> Iterator[float]:
        """The turn of one thread of this process; yields when the waiting began, by `time.monotonic`."""
        if getattr(self._mine, "busy", False):
            raise InternalError("A catalogue transaction was begun inside another one.")
        began = time.monotonic()
        threads = self._threads
        if not threads.acquire(timeout=self.busy_timeout):
            raise CatalogBusy("Another thread of this program holds the catalogue.", hint="Try again in a moment.")
        self._mine.busy = True
        self._mine.callbacks = [] if exclusive else None
        try:
            yield began
        finally:
            self._mine.busy = False
            self._mine.callbacks = None
            threads.release()

    @contextmanager
    def _transaction(self, *, exclusive: bool, make: bool = False) -> Iterator[Connection]:
        with self._entered(exclusive=exclusive) as began:
            try:
                connection = self._obtain(exclusive=exclusive, since=began, make=make)
                yield from self._committed(connection, exclusive=exclusive)
                for callback in self._mine.callbacks or ():
                    try:
                        callback()
                    except Exception:
                        logger.exception("What should follow a commit failed")
            except (duckdb.Error, OSError) as error:
                if _disk_is_full(error):
                    raise _disk_full() from error
                raise
            finally:
                self._consider_others()

    def _committed(self, connection: Connection, *, exclusive: bool) -> Iterator[Connection]:
        """Begin, yield, commit; whatever goes wrong, no transaction is left open."""
        sound = False
        try:
            # A reader cannot write, even where the lease could.
            connection.execute("BEGIN" if exclusive else "BEGIN READ ONLY")
            try:
                yield connection
            except BaseException:
                with suppress(duckdb.Error):
                    connection.execute("ROLLBACK")
                    sound = True
                raise
            if connection is not self._instance:
                raise InternalError("The program forked inside a catalogue transaction, which the parent goes on with.")
            connection.execute("COMMIT")
            sound = True
        finally:
            if not sound and connection is self._instance:
                self._end_lease()

    # -- the lease; all of this under `self._threads` ---------------------------------------------------------

    def _obtain(self, *, exclusive: bool, since: float, make: bool) -> Connection:
        lease = self._lease
        if lease is not None and self._instance is not None:
            # Whoever puts another file in its place (a restored backup) ends our lease.
            if (lease.hold.exclusive or not exclusive) and lease.identity == _identity(self.file):
                return self._instance
            self._end_lease()
        hold = self._lock.acquire(exclusive=exclusive, timeout=self.busy_timeout, since=since)
        undo = None
        try:
            if not self.file.exists():
                self._begin_file(make=make)
            Undo.restore(self.file)
            undo = Undo(self.file) if exclusive else None
            connection = self._attached(exclusive=exclusive)
            self._lease = _Lease(hold, undo, _identity(self.file))
        except BaseException as error:
            self._drop_instance()
            if undo is not None:
                undo.close()
            hold.release()
            if not isinstance(error, duckdb.Error | OSError) or _disk_is_full(error):
                raise
            raise SetupError(
                f"The catalogue {self.file} cannot be opened: {_first_line(error)}.",
                hint="Restore a backup, or move the file away to begin a new library.",
            ) from error
        watcher.watch(self)
        return connection

    def _begin_file(self, *, make: bool) -> None:
        """An empty database, complete or not there at all."""
        if not make:
            raise SetupError(
                f"The catalogue {self.file} is gone.",
                hint="Put it back or restore a backup; to begin a new library, start again.",
            )
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        try:
            duckdb.connect(str(unfinished)).close()
            unfinished.rename(self.file)
        finally:
            unfinished.unlink(missing_ok=True)

    def _attached(self, *, exclusive: bool) -> Connection:
        if self._instance is None:
            # One thread: our questions are small, and the other cores have audio to work on.
            config: dict[str, Any] = {"threads": 1, "allow_community_extensions": False}
            # The log is written back when the lease ends, and never else. Were that part of a commit, a full disk
            # could make a commit fail that is durable.
            config["checkpoint_threshold"] = "1TB"
            self._instance = duckdb.connect(":memory:", config=config)
            self._instance.execute("PRAGMA disable_checkpoint_on_shutdown")
            self._instance.execute("SET TimeZone = 'UTC'")
        path = str(self.file).replace("'", "''")
        self._instance.execute(f"ATTACH '{path}' AS library {'' if exclusive else '(READ_ONLY)'}")
        self._instance.execute("USE library")
        return self._instance

    def _consider_others(self) -> None:
        """After a transaction: keep the lease, or give it back."""
        if self._lease is not None:
            now = self._lease.used = time.monotonic()
            lasted = now - self._lease.began
            if lasted > LONGEST or (lasted > SLICE and self._lease.hold.wanted()):
                self._end_lease()

    def look_after(self) -> None:
        """Called by the watcher every few milliseconds of a lease: between transactions, keep it or give it back."""
        if not self._threads.acquire(blocking=False):
            return
        try:
            lease = self._lease
            if lease is not None and (time.monotonic() - lease.used > IDLE or lease.hold.wanted()):
                self._end_lease()
        finally:
            self._threads.release()

    def _end_lease(self) -> None:
        lease, self._lease = self._lease, None
        if lease is None:
            return
        try:
            if self._instance is not None:
                if lease.undo is not None and self.file.with_name(f"{self.file.name}.wal").exists():
                    lease.undo.save(self._instance)
                    self._instance.execute("CHECKPOINT library")
                    lease.undo.forget()
                self._instance.execute("USE memory")
                self._instance.execute("DETACH library")
        except BaseException as error:
            self._drop_instance()
            if not isinstance(error, duckdb.Error | OSError):
                raise
            # Typically the disk is full: what was committed stays in the write-ahead log, which is read with the file.
            logger.warning("The catalogue could not be tidied up: %s", _first_line(error))
        finally:
            watcher.unwatch(self)
            if lease.undo is not None:
                lease.undo.close()
            lease.hold.release()

    def _drop_instance(self) -> None:
        instance, self._instance = self._instance, None
        if instance is not None:
            with suppress(duckdb.Error):
                instance.close()

    # -- the file's contents ----------------------------------------------------------------------------------

    def _migrate(self) -> None:
        """Apply the numbered migrations that this catalogue has not had yet, in order."""
        folder = resources.files("sfa_kernel.catalog").joinpath("migrations")
        scripts = {int(entry.name.split("_")[0]): entry for entry in folder.iterdir() if entry.name.endswith(".sql")}
        newest = max(scripts)
        if self.file.exists():
            with self.read() as connection:
                if _version(connection) == newest:
                    return
        with self._transaction(exclusive=True, make=True) as connection:
            version = _version(connection)
            if version > newest:
                raise SetupError(
                    f"The library at {self.file.parent} was made by a newer version of Sound Forge Alchemy.",
                    hint="Update this program, or choose another library.",
                )
            for number in sorted(n for n in scripts if n > version):
                connection.execute(scripts[number].read_text("utf-8"))
                connection.execute("INSERT INTO migrations VALUES (?, now())", [number])


class _Lease:
    """Lock and attachment, kept over several transactions."""

    def __init__(self, hold: Hold, undo: Undo | None, identity: object) -> None:
        self.hold = hold
        self.undo = undo
        self.identity = identity
        self.began = self.used = time.monotonic()


_open_catalogs: dict[Path, Catalog] = {}
_open_lock = threading.Lock()
_catalogs: weakref.WeakSet[Catalog] = weakref.WeakSet()


# -- the end of the program, and forks --------------------------------------------------------------------------


def _give_all_back(timeout: float = 1.0) -> None:
    """Give every lease back and close the instances; those of threads that do not come to an end are left."""
    for catalog in list(_catalogs):
        if not getattr(catalog._mine, "busy", False) and catalog._threads.acquire(timeout=timeout):
            try:
                catalog._end_lease()
                catalog._drop_instance()
            finally:
                catalog._threads.release()


def _after_fork_in_child() -> None:
    """Lock, file and instance stay with the parent; the child opens its own when it needs them."""
    global _open_lock
    _open_lock = threading.Lock()
    watcher.after_fork()
    for catalog in list(_catalogs):
        if catalog._instance is not None:  # the parent was inside a transaction
            # Never to be closed: it would write to the parent's file, and wait for threads that do not exist here.
            import ctypes

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(catalog._instance))
        if catalog._lease is not None:
            catalog._lease.hold.forget()
        catalog._begin_anew()


atexit.register(_give_all_back)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_give_all_back, after_in_child=_after_fork_in_child)


# -- small things ---------------------------------------------------------------------------------------------


def is_question(connection: Connection, query: str) -> bool:
    """Whether SQL of a person is one statement that only reads, and so cannot end the transaction it runs in."""
    kind = duckdb.StatementType
    found = [statement.type for statement in connection.extract_statements(query)]
    return len(found) == 1 and found[0] in (kind.SELECT, kind.EXPLAIN, kind.MULTI)  # the last is a PIVOT


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


def _identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from another one of its name."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _disk_is_full(error: Exception) -> bool:
    text = str(error)
    return any(reason in text for reason in _FULL)


def _disk_full() -> DiskFullError:
    return DiskFullError(
        "The disk is full, so nothing was changed.", hint="Make room for the library; it then goes on by itself."
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
