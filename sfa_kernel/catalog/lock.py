"""The lock that the processes of one library share: many may read, or one may write.

Two lock files make waiting fair: whoever wants the catalogue first takes the *turn*, and only then waits for the
catalogue itself, so a stream of readers cannot keep a writer out. It also shows whoever holds the catalogue that
somebody waits: then the turn is taken.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import portalocker

from sfa_kernel.errors import CatalogBusy, SetupError

if TYPE_CHECKING:
    from io import FileIO

__all__ = ["Hold", "LibraryLock"]

SHARED = portalocker.LockFlags.SHARED
EXCLUSIVE = portalocker.LockFlags.EXCLUSIVE
SHORTEST_PAUSE, LONGEST_PAUSE = 0.0005, 0.002  # between two tries [s]


class Hold:
    """The lock while this process has it."""

    def __init__(self, lock: FileIO, turn: FileIO, *, exclusive: bool) -> None:
        self.exclusive = exclusive
        self._lock = lock
        self._turn = turn

    def wanted(self) -> bool:
        """Whether somebody waits for the lock."""
        if not _try(self._turn, SHARED):
            return True
        portalocker.unlock(self._turn)
        return False

    def release(self) -> None:
        """Give the lock back."""
        # Closing alone would not do: a forked child may share the descriptor.
        portalocker.unlock(self._lock)
        self.forget()

    def forget(self) -> None:
        """In a forked child: the lock stays with the parent."""
        self._lock.close()
        self._turn.close()


class LibraryLock:
    """The lock of the library below ``home``.

    Parameters
    ----------
    home
        The storage root.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._turn_file = home / "library.turn"
        self._lock_file = home / "library.lock"

    def acquire(self, *, exclusive: bool, timeout: float, since: float | None = None) -> Hold:
        """Wait for the lock.

        Parameters
        ----------
        exclusive
            To write; otherwise others may read at the same time.
        timeout
            How long to wait [s].
        since
            When the waiting began, by `time.monotonic`; now, when not given.

        Raises
        ------
        CatalogBusy
            When another process has it for longer; says which.
        SetupError
            When the library's folder cannot be written.
        """
        deadline = (time.monotonic() if since is None else since) + timeout
        lock, turn = self._open(self._lock_file), self._open(self._turn_file)
        try:
            self._wait(turn, EXCLUSIVE, deadline, timeout)
            try:
                self._wait(lock, EXCLUSIVE if exclusive else SHARED, deadline, timeout)
            finally:
                portalocker.unlock(turn)
        except BaseException:
            lock.close()
            turn.close()
            raise
        _sign(lock)
        return Hold(lock, turn, exclusive=exclusive)

    def _open(self, path: Path) -> FileIO:
        try:
            return path.open("ab+", buffering=0)
        except OSError as error:
            raise SetupError(
                f"The library in {self.home} cannot be used: {error.strerror or error}.",
                hint="Make its folder writable, or choose another with --home or SFA_HOME.",
            ) from error

    def _wait(self, file: FileIO, kind: portalocker.LockFlags, deadline: float, timeout: float) -> None:
        pause = SHORTEST_PAUSE
        while not _try(file, kind):
            if time.monotonic() > deadline:
                raise CatalogBusy(
                    f"The catalogue has been held for over {timeout:g} s by {self._holder()}.",
                    hint="Try again in a moment.",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _holder(self) -> str:
        """Who has the lock, or else the turn, in words."""
        signature = ""
        with suppress(OSError):
            signature = self._lock_file.read_text("utf-8", "replace").strip()
        # Of several readers only the last one's signature is left; Linux knows them all.
        pids = _flock_holders(self._lock_file) or _flock_holders(self._turn_file)
        names = [signature if f"process {pid} " in signature else _describe(pid) for pid in pids]
        return " and ".join(names) or signature or "another program"


def _try(file: FileIO, kind: portalocker.LockFlags) -> bool:
    try:
        portalocker.lock(file, kind | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.LockException:
        return False
    return True


def _sign(lock: FileIO) -> None:
    """Leave our name in the lock file, for the message of whoever waits too long."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    with suppress(OSError):  # a full disk: the name is lost, the lock is not
        lock.truncate(0)
        lock.write(f"process {os.getpid()} ({program})\n".encode(errors="replace"))


def _flock_holders(path: Path) -> list[int]:
    """Process ids that hold a lock on a file, where the system tells."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text("ascii").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:  # 1: FLOCK  ADVISORY  WRITE 8004 fe:00:2146715 0 EOF; waiting ones have an arrow
        parts = line.split()
        if len(parts) >= 6 and parts[1] == "FLOCK" and parts[5].rpartition(":")[2] == str(inode) and int(parts[4]) > 0:
            found.append(int(parts[4]))
    return found


def _describe(pid: int) -> str:
    import psutil

    try:
        return f"process {pid} ({psutil.Process(pid).name()})"
    except psutil.Error:
        return f"process {pid}"
