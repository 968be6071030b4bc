"""The board where all processes of a library put up which tasks they wait for, and what they have ordered.

One poller for everybody: whoever holds the lock asks the service for all tasks at once, and puts the answers up for
the others. When it dies the system gives up its lock, and another takes over. The times of the calls are on the
board as well, so that all processes together keep to one pace.

What was ordered is on the board before the order is sent. A process that is killed loses nothing: the next one that
wants the same of the same song finds the task, at work or done, and does not pay twice.

Files appear whole or not at all; one that cannot be read counts as missing. What is old goes.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import portalocker

from sfa_kernel.audio.files import temporary_beside
from sfa_kernel.errors import DiskFullError, RateLimitedError, ServiceError, SetupError
from sfa_kernel.separation.lalal.client import LONGEST_CHECK, Upload
from sfa_kernel.storage import disk_is_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from io import FileIO
    from pathlib import Path

    Answer = dict[str, Any]
    Check = Callable[[Sequence[str]], Mapping[str, Answer]]

__all__ = ["DONE", "Board", "Ordered", "account"]

INTERVAL = 5.0  # between two calls of all processes together [s]
DAY = 86400.0  # as long as the service keeps files and knows tasks [s]
MARGIN = 600.0  # what is about to be forgotten is not counted on [s]
DONE = frozenset({"success", "error", "cancelled", "server_error"})

_GONE = 60.0  # a process that has not looked for so long waits no more [s]
_PATIENCE = 180.0  # how long a service may be in trouble before it is an error [s]
_LOOK = 0.2  # how often to look at the board, and to ask whether to stop [s]


@dataclass(frozen=True)
class Ordered:
    """An order as the board has it.

    Attributes
    ----------
    key
        Its idempotency key.
    at
        When it was put up [s since 1970].
    source
        The file it is for, as the service names it.
    minutes
        What it costs.
    owner
        Who ordered it: a word of the caller's, such as a job's number; may be empty.
    task
        The task's number, once the service told it.
    delivered
        Whether its stems have been made use of: then they are paid for.
    """

    key: str
    at: float
    source: str
    minutes: float
    owner: str = ""
    task: str = ""
    delivered: bool = False


def account(url: str, key: str) -> str:
    """A name for an account: what one has ordered is of no use to another."""
    return hashlib.sha256(f"{url}\0{key}".encode()).hexdigest()[:8]


class Board:
    """The board of an account.

    Parameters
    ----------
    folder
        Shared by all processes of a library; made when missing.
    owner
        Who waits here: a word of the caller's, the same for a process that was killed and the one that takes its
        place. A new one when empty.
    interval
        Between two calls of all processes together [s].

    Raises
    ------
    SetupError
        When the folder cannot be written.
    """

    def __init__(self, folder: Path, *, owner: str = "", interval: float = INTERVAL) -> None:
        self.folder = folder
        self._interval = interval
        self._orders = folder / "orders"
        self._sources = folder / "sources"
        self._waiting = folder / "waiting"
        self._answers = folder / "answers"
        self._locks = folder / "locks"
        self._turn = folder / "turn.json"
        self._owner = hashlib.sha256((owner or uuid4().hex).encode()).hexdigest()[:16]
        self._mark = f"{self._owner}-{uuid4().hex[:8]}"
        try:
            for place in (self._orders, self._sources, self._waiting, self._answers, self._locks):
                place.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)  # for as long as it is up, an answer opens results to whoever reads it
        except OSError as error:
            raise SetupError(
                f"{str(folder)!r} cannot be written: {error.strerror or error}.", hint="Make the folder writable."
            ) from error

    @contextmanager
    def alone(self, content: str, at: Callable[[], None]) -> Iterator[None]:
        """Be the only process that uploads and orders something of this content; others wait.

        Parameters
        ----------
        content
            Hash of the content, in hexadecimal.
        at
            Called while waiting; may raise to stop.
        """
        # Locks are never deleted, which cannot be done safely: so there are few, and several contents share one.
        with (self._locks / f"{content[:2]}.lock").open("ab+", buffering=0) as file:
            while not _locked(file):
                at()
                time.sleep(_LOOK)
            try:
                yield
            finally:
                portalocker.unlock(file)

    def source(self, content: str) -> Upload | None:
        """The file of this content that the service has, if it will have it for a while."""
        found = _read(self._sources / f"{content}.json")
        with suppress(KeyError, TypeError, ValueError):
            upload = Upload(str(UUID(found["id"])), float(found["expires"]))
            if upload.expires - MARGIN > time.time():
                return upload
        return None

    def put_source(self, content: str, upload: Upload) -> None:
        """Remember a file that the service has."""
        _write(self._sources / f"{content}.json", asdict(upload))

    def ordered(self, order: str) -> Ordered | None:
        """What is up for an order, if the service still knows it."""
        found = _read(self._orders / f"{order}.json")
        with suppress(KeyError, TypeError, ValueError):
            ordered = Ordered(**found)
            if ordered.task:
                UUID(ordered.task)
            if ordered.at + DAY - MARGIN > time.time():
                return ordered
        return None

    def put_ordered(self, order: str, ordered: Ordered) -> None:
        """Put up an order, or what has become of it."""
        _write(self._orders / f"{order}.json", asdict(ordered))

    def delivered(self, order: str) -> None:
        """Note that the stems of an order have been made use of."""
        ordered = self.ordered(order)
        if ordered is not None:
            self.put_ordered(order, replace(ordered, delivered=True))

    def forget(self, *, order: str = "", content: str = "") -> None:
        """Take down an order, or a file that the service has no more."""
        if order:
            (self._orders / f"{order}.json").unlink(missing_ok=True)
        if content:
            (self._sources / f"{content}.json").unlink(missing_ok=True)

    def of(self, owner: str) -> dict[str, Ordered]:
        """All orders of an owner that were not delivered."""
        found = {}
        for path in self._orders.glob("*.json"):
            ordered = self.ordered(path.stem)
            if ordered is not None and ordered.owner == owner and not ordered.delivered:
                found[path.stem] = ordered
        return found

    def wanted(self, task: str) -> bool:
        """Whether another than this owner waits for a task."""
        marks = self._waiting.glob(f"{task}.*")
        return any(not mark.suffix.startswith(f".{self._owner}-") and _age(mark) < _GONE for mark in marks)

    def wait(
        self, tasks: Mapping[str, float], check: Check, at: Callable[[Mapping[str, Answer]], None]
    ) -> dict[str, Answer]:
        """Wait until tasks are done.

        Parameters
        ----------
        tasks
            Their numbers, and when they were ordered [s since 1970].
        check
            Asks the service how tasks are, at most 200 at once; called when it is this process's turn to ask for all.
        at
            Told several times a second what is known of these tasks; may raise to stop.

        Returns
        -------
        dict
            For each task the service's answer, whose ``status`` is one of `DONE`.

        Raises
        ------
        ServiceError
            When the service is in trouble for longer, or does not know the tasks any more.
        SfaError
            Whatever else ``check`` raised.
        """
        self._prune()
        for task in tasks:  # what is up from before may be of an address that has expired since
            (self._answers / f"{task}.json").unlink(missing_ok=True)
        marks = {task: self._waiting / f"{task}.{self._mark}" for task in tasks}
        try:
            while True:
                found = {task: answer for task in tasks if (answer := self._answer(task)) is not None}
                at(found)
                left = [task for task in tasks if found.get(task, {}).get("status") not in DONE]
                if not left:
                    return found
                if any(tasks[task] + DAY < time.time() for task in left):
                    raise ServiceError("lalal.ai has had this task for a day and is not done.")
                for task in left:
                    _touch(marks[task], tasks[task])
                self._ask(check)
                time.sleep(min(_LOOK, self._interval))
        finally:
            for task, mark in marks.items():
                mark.unlink(missing_ok=True)
                if not self.wanted(task):  # the addresses in it open the results to anybody
                    (self._answers / f"{task}.json").unlink(missing_ok=True)

    def _answer(self, task: str) -> Answer | None:
        answer = _read(self._answers / f"{task}.json")
        return answer if isinstance(answer, dict) and isinstance(answer.get("status"), str) else None

    def _ask(self, check: Check) -> None:
        """Ask the service for all tasks on the board, if it is time and nobody else does."""
        if not _is_due(_read(self._turn), self._interval):
            return
        with (self.folder / "poll.lock").open("ab+", buffering=0) as file:
            if not _locked(file):
                return
            try:
                # Read again: another process may have asked between our look and our lock.
                turn = _read(self._turn)
                if _is_due(turn, self._interval):
                    self._ask_now(check, turn if isinstance(turn, dict) else {})
            finally:
                portalocker.unlock(file)

    def _ask_now(self, check: Check, turn: Mapping[str, Any]) -> None:
        tasks = self._all_waiting()
        calls = [tasks[first : first + LONGEST_CHECK] for first in range(0, len(tasks), LONGEST_CHECK)]
        # Before the calls: those of a process that is killed meanwhile count, too.
        _write(self._turn, {**turn, "next": time.time() + self._interval * len(calls)})
        try:
            for call in calls:
                for task, answer in check(call).items():
                    if task in call:
                        _write(self._answers / f"{task}.json", answer)
        except (RateLimitedError, ServiceError) as error:
            strikes = int(turn.get("strikes", 0)) + 1
            since = float(turn.get("since", time.time()))
            asked = (isinstance(error, RateLimitedError) and error.retry_after) or 0.0
            pause = max(asked, self._interval * len(calls), min(8, 2**strikes) * self._interval)
            _write(self._turn, {"next": time.time() + pause, "strikes": strikes, "since": since})
            # One who is asked to wait waits. Trouble is borne for a while: the tasks go on without us.
            if isinstance(error, ServiceError) and time.time() - since > _PATIENCE:
                raise
        else:
            _write(self._turn, {"next": time.time() + self._interval * len(calls)})

    def _all_waiting(self) -> list[str]:
        """All tasks that some process waits for."""
        found = set()
        for path in self._waiting.iterdir():
            with suppress(OSError, ValueError):
                # One that the service does not know any more would spoil the call for all others.
                ordered = float(path.read_text("ascii"))
                if _age(path) < max(_GONE, 3 * self._interval) and ordered + DAY - MARGIN / 2 > time.time():
                    found.add(str(UUID(path.name.split(".")[0])))
        # Those that are done are not asked for again while their processes have not yet looked.
        return sorted(task for task in found if (self._answer(task) or {}).get("status") not in DONE)

    def _prune(self) -> None:
        """Take down what is old."""
        for folder in (self._waiting, self._answers, self._sources, self._orders):
            for path in folder.iterdir():
                if _age(path) > (DAY if folder != self._waiting else 10 * _GONE):
                    path.unlink(missing_ok=True)


def _is_due(turn: Any, interval: float) -> bool:
    try:
        ahead = float(turn["next"]) - time.time()
    except (KeyError, TypeError, ValueError):
        return True
    # Nothing is put off for longer than this; so the clock was set back.
    return ahead <= 0 or ahead > 3600 + 100 * interval


def _locked(file: FileIO) -> bool:
    try:
        portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.LockException:
        return False
    return True


def _age(path: Path) -> float:
    """Since it was last written [s]; for ever, when it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")


def _touch(mark: Path, ordered: float) -> None:
    """Show that we wait."""
    try:
        os.utime(mark)
    except OSError:
        _put(mark, repr(ordered))


def _read(path: Path) -> Any:
    """What a file holds; None when it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write(path: Path, value: Any) -> None:
    _put(path, json.dumps(value))


def _put(path: Path, text: str) -> None:
    temporary = temporary_beside(path)
    try:
        temporary.write_text(text, "utf-8")
        os.replace(temporary, path)
    except OSError as error:
        if disk_is_full(error):
            raise DiskFullError("There is no room to note what lalal.ai was asked.", hint="Free some space.") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
