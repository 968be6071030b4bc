"""Events across the processes of one library.

An append-only journal: one JSON line an event, one file an hour, written with a single ``O_APPEND`` write
so that lines of several processes never mix. Followers are woken by file notification and read on from
where they stopped; the order in the journal is the order everybody sees.

Topics: ``jobs:<id>``, ``pipeline:<track>``, ``library``, ``log``.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Event", "EventBus", "Journal", "Subscription"]

logger = logging.getLogger(__name__)

HOUR = 3600


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes
    ----------
    topic
        What it is about, such as ``jobs:<id>``.
    time
        When it was published [s since the epoch].
    data
        JSON-able payload.
    """

    topic: str
    time: float
    data: dict[str, Any]


class Journal:
    """The writing side: enough for a worker process that only reports.

    Parameters
    ----------
    folder
        Where the journal's files are.
    retention
        How long files are kept [hours].
    """

    def __init__(self, folder: Path, *, retention: float = 24.0) -> None:
        self.folder = folder
        self._retention = retention
        self._current: Path | None = None

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        """Append one event; every subscriber of the library sees it."""
        now = time.time()
        path = self.folder / f"{int(now) // HOUR}.jsonl"
        line = json.dumps({"topic": topic, "time": now, "data": data}, separators=(",", ":"), default=str)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode() + b"\n")
        finally:
            os.close(descriptor)
        if path != self._current:
            self._current = path
            self._prune(now)

    def _prune(self, now: float) -> None:
        oldest = (now - self._retention * HOUR) // HOUR
        for path in self.folder.glob("*.jsonl"):
            if path.stem.isdigit() and int(path.stem) < oldest:
                path.unlink(missing_ok=True)


class Subscription:
    """One subscriber; ``close()`` ends it. Usable as a context manager."""

    def __init__(self, bus: EventBus, pattern: str, callback: Callable[[Event], None]) -> None:
        self._bus = bus
        self.pattern = pattern
        self.callback = callback

    def close(self) -> None:
        """Receive nothing more."""
        self._bus._remove(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EventBus:
    """Publish to and follow the journal of one library.

    Callbacks run one after the other on the bus's own thread: they must be quick, and what they raise is
    logged. The thread starts with the first subscription and ends with the last.

    Parameters
    ----------
    folder, retention
        As for `Journal`.
    """

    def __init__(self, folder: Path, *, retention: float = 24.0) -> None:
        self.journal = Journal(folder, retention=retention)
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        """Append one event; subscribers in every process of this library see it."""
        self.journal.publish(topic, data)

    def subscribe(self, pattern: str, callback: Callable[[Event], None]) -> Subscription:
        """Call ``callback(event)`` for each later event whose topic matches ``pattern`` (``jobs:*``)."""
        subscription = Subscription(self, pattern, callback)
        with self._lock:
            self._subscriptions.append(subscription)
            if self._stop is None:
                self._stop = threading.Event()
                follower = _Follower(self.journal.folder)
                self._thread = threading.Thread(
                    target=self._follow, args=(follower, self._stop), name="sfa-events", daemon=True
                )
                self._thread.start()
        return subscription

    def close(self) -> None:
        """End all subscriptions, and the thread that served them."""
        with self._lock:
            self._subscriptions.clear()
            thread = self._end_thread()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
            if not self._subscriptions:
                self._end_thread()

    def _end_thread(self) -> threading.Thread | None:
        if self._stop is not None:
            self._stop.set()
            self._stop = None
        thread, self._thread = self._thread, None
        return thread

    def _follow(self, follower: _Follower, stop: threading.Event) -> None:
        from watchfiles import watch

        # The time-out only bounds how long a lost notification could go unseen.
        changes = watch(
            follower.folder,
            stop_event=stop,
            debounce=20,
            step=10,
            rust_timeout=200,
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
        )
        for _ in changes:
            for event in follower.read():
                self._dispatch(event)

    def _dispatch(self, event: Event) -> None:
        with self._lock:
            receivers = [s for s in self._subscriptions if fnmatchcase(event.topic, s.pattern)]
        for subscription in receivers:
            try:
                subscription.callback(event)
            except Exception:
                logger.exception("An event subscriber failed on %s", event.topic)


class _Follower:
    """Reads the lines that were added to a journal since the last call.

    The hour before the newest is read on too: a slow writer may still append to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._offsets = {path: path.stat().st_size for path in self._files()}

    def _files(self) -> list[Path]:
        files = sorted((p for p in self.folder.glob("*.jsonl") if p.stem.isdigit()), key=lambda path: int(path.stem))
        return files[-2:]

    def read(self) -> list[Event]:
        return [event for path in self._files() for event in self._read_on(path)]

    def _read_on(self, path: Path) -> list[Event]:
        offset = self._offsets.get(path, 0)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return []
        complete = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = offset + len(complete)
        events = []
        for line in complete.splitlines():
            try:
                record = json.loads(line)
                events.append(Event(record["topic"], record["time"], record["data"]))
            except (ValueError, KeyError, TypeError):
                logger.warning("A line of the event journal is damaged and was passed over")
        return events
