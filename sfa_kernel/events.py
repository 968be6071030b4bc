"""Events across the processes of one library.

An append-only journal: one JSON line an event, one file an hour, written with a single ``O_APPEND`` write
so that lines of several processes never mix. Followers are woken by file notification and read on from
where they stopped; the order in the journal is the order everybody sees.

The journal tells what has happened; it is not the truth, which is the catalogue. So an event that cannot be
written, on a full disk for example, is lost, and whoever wanted to publish it goes on.

Topics: ``jobs:<id>``, ``pipeline:<track>``, ``batch:<id>``, ``log:<job id>``, ``library``, ``playlists``,
``sources``.
"""

from __future__ import annotations

import json
import logging
import mmap
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Event", "EventBus", "Journal", "Subscription"]

logger = logging.getLogger(__name__)

HOUR = 3600
LOOK_SECONDS = 0.2  # how long a lost notification could go unseen
REMEMBERED = 10_000  # jobs whose ended attempts a follower knows


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
        How long files are kept [hours]; one at least, so that nobody loses what was said just before the hour.
    """

    def __init__(self, folder: Path, *, retention: float = 24.0) -> None:
        self.folder = folder
        self._retention = max(1.0, retention)
        self._current: Path | None = None
        self._failing = False

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        """Append one event; every subscriber of the library sees it. One that cannot be written is lost."""
        now = time.time()
        path = self.folder / f"{int(now) // HOUR}.jsonl"
        line = json.dumps({"topic": topic, "time": now, "data": data}, separators=(",", ":"), default=str)
        try:
            # The line begins with a newline too: where a full disk has cut off a line of anybody, this one is whole.
            self._append(path, f"\n{line}\n".encode())
            if path != self._current:
                self._current = path
                self._prune(now)
        except OSError as error:
            if not self._failing:
                self._failing = True
                logger.warning("Events cannot be published, the work goes on without: %s", error.strerror or error)
        else:
            self._failing = False

    def _append(self, path: Path, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            self.folder.mkdir(exist_ok=True)  # but not the library's own folder: that is somebody else's to miss
            descriptor = os.open(path, flags, 0o600)
        try:
            rest = line[os.write(descriptor, line) :]
            if rest:  # the disk is full, and this says so
                os.write(descriptor, rest)
        finally:
            os.close(descriptor)

    def _prune(self, now: float) -> None:
        oldest = (now - self._retention * HOUR) // HOUR
        for path in _files(self.folder):
            if int(path.stem) < oldest:
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

    Of a job everybody sees its statuses and attempts in the order in which they came about. A worker reports
    progress without holding the catalogue, so its word may come after its attempt has ended: it is left out.

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

    def last(self, topic: str) -> Event | None:
        """The last event of a topic, for whoever came late; None when the journal has none (any more).

        Subscribe first, then ask: what comes in between is told twice rather than never.
        """
        running: list[Event] = []
        for event in _backwards(self.journal.folder, topic):
            if not _is_running(event):
                late = _attempt(event)
                return next((report for report in running if _attempt(report) > late), event)
            running.append(event)
        return running[0] if running else None

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
        for _ in _wakes(follower.folder, stop):
            for event in follower.read():
                self._dispatch(event, stop)

    def _dispatch(self, event: Event, stop: threading.Event) -> None:
        with self._lock:
            if stop.is_set():  # who subscribed since then is served by another thread
                return
            receivers = [s for s in self._subscriptions if fnmatchcase(event.topic, s.pattern)]
        for subscription in receivers:
            try:
                subscription.callback(event)
            except Exception:
                logger.exception("An event subscriber failed on %s", event.topic)


class _Follower:
    """Reads the events that were added to a journal since the last call.

    The hour before the newest is read on too: a slow writer may still append to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ended: dict[str, int] = {}  # the newest attempt that has ended, for each job
        self._first = 0  # files of hours before this one are done with
        self._offsets = self._sizes()

    def read(self) -> list[Event]:
        events = []
        # What precedes an event of a newer file in time was in its file before that event was written. So: the
        # newest size first, then read from the oldest on, each file as far as it went when it was measured.
        for path, size in reversed(self._sizes().items()):
            events += self._read_on(path, size)
        return [event for event in events if self._is_news(event)]

    def _sizes(self) -> dict[Path, int]:
        sizes = {}
        files = [path for path in _files(self.folder) if int(path.stem) >= self._first]
        for path in reversed(files):
            with suppress(FileNotFoundError):  # it has just been pruned
                sizes[path] = path.stat().st_size
        if files:
            self._first = int(files[-1].stem) - 1
        return sizes

    def _read_on(self, path: Path, size: int) -> list[Event]:
        offset = self._offsets.get(path, 0)
        if offset > size:
            offset = 0  # the folder was removed and made anew
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read(size - offset)
        except FileNotFoundError:
            return []
        complete = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = offset + len(complete)
        return [event for line in complete.splitlines() if line and (event := _parsed(line)) is not None]

    def _is_news(self, event: Event) -> bool:
        attempt = _attempt(event)
        if _is_running(event):
            return attempt > self._ended.get(event.topic, -1)
        if attempt >= 0:
            self._ended.pop(event.topic, None)
            self._ended[event.topic] = attempt
            if len(self._ended) > REMEMBERED:
                del self._ended[next(iter(self._ended))]
        return True


def _wakes(folder: Path, stop: threading.Event) -> Iterator[None]:
    """Yield whenever there may be something to read, until told to stop."""
    from watchfiles import watch

    try:
        changes = watch(
            folder,
            stop_event=stop,
            debounce=20,
            step=10,
            rust_timeout=int(1000 * LOOK_SECONDS),
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
        )
        for _ in changes:
            yield
    except (OSError, RuntimeError) as error:  # the folder is gone, or the system watches as many as it can
        logger.warning("Events are looked for instead of announced: %s", error)
    while not stop.wait(LOOK_SECONDS):
        yield


def _files(folder: Path) -> list[Path]:
    """The journal's files, the oldest first."""
    return sorted((path for path in folder.glob("*.jsonl") if path.stem.isdigit()), key=lambda path: int(path.stem))


def _backwards(folder: Path, topic: str) -> Iterator[Event]:
    """The events of one topic, the newest first."""
    sign = b'{"topic":' + json.dumps(topic).encode() + b","
    for path in reversed(_files(folder)):
        try:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as journal:
                place = journal.rfind(sign)
                while place >= 0:
                    end = journal.find(b"\n", place)
                    event = _parsed(journal[place:end]) if end >= 0 else None
                    if event is not None:
                        yield event
                    place = journal.rfind(sign, 0, place)
        except (FileNotFoundError, ValueError):  # it has just been pruned, or is empty
            continue


def _parsed(line: bytes) -> Event | None:
    try:
        record = json.loads(line)
        return Event(record["topic"], record["time"], record["data"])
    except (ValueError, KeyError, TypeError):
        logger.warning("A line of the event journal is damaged and was passed over")
        return None


def _attempt(event: Event) -> int:
    """Which attempt at a job an event speaks of; -1 where it speaks of none."""
    attempt = event.data.get("attempt") if "status" in event.data else None
    return attempt if isinstance(attempt, int) else -1


def _is_running(event: Event) -> bool:
    return _attempt(event) > 0 and event.data["status"] in ("downloading", "processing")
