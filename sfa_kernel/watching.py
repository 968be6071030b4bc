"""Watches folders: what is put into them is imported by itself."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sfa_kernel.audio.files import AUDIO_SUFFIXES
from sfa_kernel.catalog import folders
from sfa_kernel.errors import SfaError
from sfa_kernel.pipeline.scan import scan_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from sfa_kernel.catalog.folders import FolderRow
    from sfa_kernel.events import Event, Subscription
    from sfa_kernel.jobs import Ledger

__all__ = ["Watcher"]

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # how often to see which folders are there
READ_SECONDS = 30.0  # how often to ask the catalogue for them when no event has said that they have changed
GATHER_MS = 800  # changes that come so soon after each other are one
STEP_MS = 100  # how soon a stop is noticed
# A share, or a system out of watches, tells nothing of changes.
AGAIN = timedelta(minutes=30)

Place = tuple[int, int]  # device and inode: a disk that is plugged in again is another place


class Watcher:
    """Queues a look through a watched folder when something in it changes, when it goes or comes, and at the start.

    It only queues; several processes that watch one library do no harm. What goes away is not removed.

    Parameters
    ----------
    ledger
        Of the library.
    home
        The library's own folder, which is left out.
    """

    def __init__(self, ledger: Ledger, home: Path) -> None:
        self._ledger = ledger
        self._home = str(home) + os.sep
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._subscription: Subscription | None = None
        self._rows: list[FolderRow] = []
        self._read_at = -math.inf  # when they were read
        self._deaf = ""  # why changes are not heard of; empty when they are

    def start(self) -> None:
        """Begin to watch in the background; calling it again changes nothing."""
        with self._lock:
            if self._thread is not None:
                return
            self._stopping.clear()
            self._subscription = self._ledger.bus.subscribe("sources", self._on_news)
            self._thread = threading.Thread(target=self._run, name="sfa-watcher", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop at once."""
        with self._lock:
            thread, self._thread = self._thread, None
            subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
        self._stopping.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        known: dict[UUID, Place | None] = {}
        due: set[UUID] = set()
        while not self._stopping.is_set():
            try:
                rows = self._watched()
                places = {row.id: _place(row.path) for row in rows}
                # Who adds a folder asks for all that is in it: the first look is theirs.
                come = {row.id for row in rows if row.id not in known and row.scanned_at is not None}
                due |= come | {i for i, place in places.items() if i in known and place != known[i]}
                known = places
                self._listen(rows, places, due)
            except SfaError as error:
                logger.warning("Watching folders has to wait: %s", error)
                self._stopping.wait(LOOK_SECONDS)
            except Exception as error:
                # The system's watches are used up, or the disk has gone: looking again and again still works.
                if str(error) != self._deaf:
                    logger.warning("Folders cannot be watched; they are looked through from time to time: %s", error)
                self._deaf = str(error)
                self._stopping.wait(LOOK_SECONDS)

    def _on_news(self, event: Event) -> None:
        if "folders" in event.data.get("what", ()):
            self._read_at = -math.inf

    def _watched(self) -> list[FolderRow]:
        now = time.monotonic()
        if now - self._read_at >= READ_SECONDS:
            self._read_at = now  # before the reading: what changes meanwhile is read again
            try:
                with self._ledger.catalog.read() as connection:
                    self._rows = [row for row in folders.listing(connection) if row.watched]
            except BaseException:
                self._read_at = -math.inf
                raise
        return self._rows

    def _listen(self, rows: list[FolderRow], places: Mapping[UUID, Place | None], due: set[UUID]) -> None:
        """Queue what is due and what changes make due, until other folders are to be watched than these."""
        self._queue(rows, due)
        paths = [row.path for row in rows if places[row.id] is not None]
        if not paths:
            self._stopping.wait(LOOK_SECONDS)
            return
        from watchfiles import watch

        for changes in watch(
            *paths,
            watch_filter=None,
            debounce=GATHER_MS,
            step=STEP_MS,
            stop_event=self._stopping,
            rust_timeout=int(1000 * LOOK_SECONDS),
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            if self._deaf:  # who knows what came meanwhile
                self._deaf = ""
                due |= {row.id for row in rows}
            due |= self._touched(rows, (path for _, path in changes))
            now = self._watched()
            self._queue(now, due)
            if {row.id: _place(row.path) for row in now} != places:
                return

    def _touched(self, rows: list[FolderRow], paths: Iterable[str]) -> set[UUID]:
        """The folders in which there may be something to import."""
        touched: set[UUID] = set()
        for path in paths:
            if path.startswith(self._home):
                continue
            for row in rows:
                rest = path.removeprefix(row.inside)
                hidden = any(part.startswith(".") for part in Path(rest).parts)
                if row.id not in touched and rest != path and not hidden and _promises(path):
                    touched.add(row.id)
        return touched

    def _queue(self, rows: list[FolderRow], due: set[UUID]) -> None:
        """Queue looks through folders; a folder at which somebody is looking just now stays due."""
        before = datetime.now(UTC) - AGAIN
        chosen = [row for row in rows if row.id in due or (row.scanned_at is not None and row.scanned_at < before)]
        if not chosen:
            return
        with self._ledger.catalog.write() as connection:
            jobs = self._ledger.enqueue_all(connection, [scan_request(row, asked=False) for row in chosen])
        due -= {row.id for row, job in zip(chosen, jobs, strict=True) if job.status == "queued"}


def _place(path: str) -> Place | None:
    """Where a folder is; None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if os.path.isdir(path) else None


def _promises(path: str) -> bool:
    """Whether there may be audio at a path: a file of such a name, or a folder that has come."""
    return os.path.splitext(path)[1].lower() in AUDIO_SUFFIXES or os.path.isdir(path)
