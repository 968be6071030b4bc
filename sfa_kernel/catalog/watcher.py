"""One thread of this process that looks after its leases while there are any.

Nothing here may refer to DuckDB: the thread lives to the end of the program, and what it refers to is never freed.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

__all__ = ["after_fork", "unwatch", "watch"]

logger = logging.getLogger(__name__)

LOOK = 0.002  # how often it looks [s]


class Lessee(Protocol):
    """Who has a lease."""

    def look_after(self) -> None:
        """Keep the lease, or give it back and `unwatch`."""


_lock = threading.Lock()
_began = threading.Event()
_thread: threading.Thread | None = None
_lessees: set[Lessee] = set()


def watch(lessee: Lessee) -> None:
    """Call ``lessee.look_after()`` every few milliseconds from now on."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_keep_watch, name="sfa-catalog", daemon=True)
            # A debugger that stops at a breakpoint stops all threads but those it believes its own. This one must go
            # on: it gives the catalogue back, which every other process would wait for otherwise.
            _thread.pydev_do_not_trace = True  # type: ignore[attr-defined] # read by pydevd
            _thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]
            _thread.start()
    _lessees.add(lessee)
    _began.set()


def unwatch(lessee: Lessee) -> None:
    """Its lease has ended."""
    _lessees.discard(lessee)


def after_fork() -> None:
    """In a forked child: there is no thread and no lease."""
    global _lock, _began, _thread, _lessees
    _lock, _began, _thread, _lessees = threading.Lock(), threading.Event(), None, set()


def _keep_watch() -> None:
    while True:
        _began.wait()
        _began.clear()
        while _lessees:
            time.sleep(LOOK)
            _look()


def _look() -> None:
    for lessee in list(_lessees):
        try:
            lessee.look_after()
        except Exception:
            logger.exception("Giving the catalogue back failed")
