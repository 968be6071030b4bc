"""Where work runs: a slot does one piece of work at a time, in a process that may crash, hang or be killed.

The slot of this machine is a loky pool of a single process, kept warm between jobs. What kills the process
harms no neighbour, because no other job shares the pool. `backend` chooses what makes the slots.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
import warnings
import weakref
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Protocol

import psutil

from sfa_kernel.errors import InternalError, RetryableJobError, SetupError, SfaError
from sfa_kernel.events import Journal
from sfa_kernel.jobs import worker
from sfa_kernel.jobs.log import LINES, JobLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from sfa_kernel.jobs.kinds import Work
    from sfa_kernel.settings import Settings

__all__ = [
    "Backend",
    "LocalBackend",
    "LocalSlot",
    "Report",
    "Slot",
    "backend",
    "before_exit",
    "end_slots",
]

logger = logging.getLogger(__name__)

IDLE_SECONDS = 60  # a process nobody needs goes after this long
LOOK_SECONDS = 0.5  # how often to see whether the process lives when nothing is heard of it
STOPPED = "The work was stopped."
LONGEST = 1 << 16  # bytes of a line before it counts as one
CRASHES = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT")


@dataclass(frozen=True)
class Report:
    """Where a worker process reports to.

    Attributes
    ----------
    events
        Folder of the event journal.
    logs
        Folder of the job logs.
    job
        What a progress event says of the job besides the progress; ``id`` and ``attempt`` at least.
    """

    events: Path
    logs: Path
    job: dict[str, Any]


class Slot(Protocol):
    """A place for one piece of work at a time."""

    def run(self, work: Work, arguments: dict[str, Any], *, report: Report) -> Any:
        """Do a piece of work in a process of its own and return its result.

        Parameters
        ----------
        work, arguments
            A module-level function and its keyword arguments: paths, numbers, text.
        report
            Where progress and log lines go.

        Raises
        ------
        RetryableJobError
            When the process died or was killed; and when the work raised what it should not, whose traceback
            is in the job's log.
        DiskFullError
            When there was no room on the disk.
        SfaError
            Whatever else the work raised.
        """

    def kill(self, report: Report | None = None) -> None:
        """End the process within a second, whatever it does; the next `run` gets a new one.

        Parameters
        ----------
        report
            End that report's work only: nothing if it has ended, and if it has not begun, it never will.
        """


class Backend(Protocol):
    """What makes slots."""

    def slot(self) -> Slot:
        """Make a new slot."""

    def close(self) -> None:
        """Give back what the slots shared; call it after they were killed."""


def backend(settings: Settings, *, places: int) -> Backend:
    """What the settings say jobs run on.

    Parameters
    ----------
    places
        How many jobs run at once, at most: what all queues allow together.

    Raises
    ------
    SetupError
        When there is no such back end, or what it needs is not installed.
    """
    if settings.backend == "loky":
        return LocalBackend()
    if settings.backend == "dask":
        from sfa_kernel.jobs.dask import DaskBackend

        return DaskBackend(settings.dask_address, places=places)
    raise SetupError(f"There is no back end {settings.backend!r}.", hint='Set backend to "loky" or "dask".')


class LocalBackend:
    """Slots on this machine."""

    def slot(self) -> LocalSlot:
        """Make a new slot; its process starts with the first work."""
        return LocalSlot()

    def close(self) -> None:
        """Nothing is shared."""


class LocalSlot:
    """A worker process on this machine; see `Slot`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._running: Report | None = None
        self._unwanted: Report | None = None
        _slots.add(self)

    def run(self, work: Work, arguments: dict[str, Any], *, report: Report) -> Any:  # noqa: D102 - see Slot
        with self._lock:
            if report is self._unwanted:
                raise RetryableJobError(STOPPED)
            if self._process is not None and self._process.is_dead():
                self._process.end()
                self._process = None
            process = self._process = self._process or _Process()
            future = process.submit(work, arguments, report)
            self._running = report
        log = JobLog(report.logs, Journal(report.events), report.job["id"], limit=LINES)
        attempt = report.job["attempt"]
        try:
            return process.result(future, lambda level, text: log.write(level, text, attempt))
        finally:
            with self._lock:
                self._running = None

    def kill(self, report: Report | None = None) -> None:  # noqa: D102 - see Slot
        with self._lock:
            if report is not None and report is not self._running:
                self._unwanted = report
                return
            process, self._process = self._process, None
        if process is not None:
            process.end()


class _Process:
    """A loky pool of one process, and the pipes to it."""

    def __init__(self) -> None:
        loky = _loky()
        # The pipes close when the last reference to them goes, never while somebody still reads them.
        self._output, output = Pipe(duplex=False)
        life, self._life = Pipe(duplex=False)
        self._context = _context()
        self._stopped = False
        self._ended = False
        self._exit_known = False
        self._pool = loky.ProcessPoolExecutor(
            max_workers=1,
            timeout=IDLE_SECONDS,
            context=self._context,
            env={"OMP_NUM_THREADS": "1"},
            initializer=worker.settle,
            initargs=(output, life),
        )

    def is_dead(self) -> bool:
        """Whether the process died; one that left because nobody needed it did not, and comes back."""
        latest = self._context.latest
        if self._ended or latest is None:
            return self._ended
        # between the pool's thread that asks the system for the exit code and its note of it there is none to see
        return latest.exitcode not in (None, 0) or (latest.exitcode is None and not psutil.pid_exists(latest.pid))

    def submit(self, work: Work, arguments: dict[str, Any], report: Report) -> Future[Any]:
        self._read()  # what was said after the last work had ended belongs to nobody
        future: Future[Any] = self._pool.submit(worker.perform, work, arguments, os.getpid(), report)
        if not self._exit_known:
            # loky has just asked the interpreter to wait for this pool at its end. Who asks last is called first.
            threading._register_atexit(end_slots)  # type: ignore[attr-defined]
            self._exit_known = True
        return future

    def result(self, future: Future[Any], hear: Callable[[str, str], None]) -> Any:
        """Wait for the result, and pass on what the process says meanwhile."""
        lines = _Lines(hear)
        done, finished = os.pipe()
        future.add_done_callback(lambda _: os.close(finished))
        try:
            was_dead = False
            while not future.done():
                ready = wait([self._output, done], timeout=LOOK_SECONDS)
                if self._output in ready:
                    lines.feed(os.read(self._output.fileno(), 1 << 16))
                elif not ready:
                    # loky hears of a death by a pipe that closes; what the work forked may hold that open.
                    is_dead = self._context.latest.exitcode is not None
                    if is_dead and was_dead:
                        self._end()
                    was_dead = is_dead
        finally:
            os.close(done)
        lines.feed(self._read())
        lines.end()
        try:
            return future.result()
        except SfaError:
            raise
        except Exception as error:
            raise self._failure(error) from error

    def _read(self) -> bytes:
        """What lies in the pipe now."""
        data = b""
        while self._output.poll():
            data += os.read(self._output.fileno(), 1 << 16)
        return data

    def _failure(self, error: Exception) -> SfaError:
        if self._stopped:
            return RetryableJobError(STOPPED)
        if isinstance(error, _loky().TerminatedWorkerError | _loky().ShutdownExecutorError):
            code = self._exit_code()
            self._end()  # with it, what the work had started
            return RetryableJobError(f"The process that did the work {_death(code)}.")
        return InternalError(
            f"Work or its result could not be passed between processes: {_last_line(error)}.",
            hint="Please report this.",
        )

    def _exit_code(self) -> int | None:
        deadline = time.monotonic() + 1.0
        while self._context.latest.exitcode is None and time.monotonic() < deadline:
            time.sleep(0.005)  # loky's thread is about to collect it
        code: int | None = self._context.latest.exitcode
        return code

    def end(self) -> None:
        """End the process on request."""
        self._stopped = True
        self._end()

    def _end(self) -> None:
        self._ended = True
        if self._context.latest is not None:
            _kill_tree(self._context.latest)
        self._pool.shutdown(wait=True, kill_workers=True)


class _Lines:
    """Cuts what a process prints into lines, and knows log records among them."""

    def __init__(self, hear: Callable[[str, str], None]) -> None:
        self._hear = hear
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._line(line)

    def end(self) -> None:
        self._line(self._rest)
        self._rest = b""

    def _line(self, line: bytes) -> None:
        printed, _, record = line.partition(worker.RECORD)
        try:
            level, text = json.loads(record)
        except ValueError:
            printed, level, text = line.replace(worker.RECORD, b""), "", ""
        # A progress bar draws over itself: what it showed last counts.
        shown = printed.rstrip().rpartition(b"\r")[2].decode(errors="replace")
        if shown:
            self._hear("output", shown)
        if level:
            self._hear(level, text)


def _death(code: int | None) -> str:
    if code is None:
        return "died"
    if code >= 0:
        return f"ended with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"was ended by signal {-code}"
    if name in CRASHES:
        return f"crashed ({name})"
    memory = "; the system may have been short of memory" if name == "SIGKILL" else ""
    return f"was ended by signal {-code} ({name}){memory}"


def _last_line(error: Exception) -> str:
    return str(error.__cause__ or error).strip('" \n').rpartition("\n")[2]


def _kill_tree(process: Any) -> None:
    """End a worker process, its session, and what has left the session but is still a descendant."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(process.pid)
        family = [*root.children(recursive=True), root] if process.exitcode is None else []
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _context() -> Any:
    """The loky way to make processes, which remembers the latest: how it ended is ours to tell."""
    from joblib.externals.loky.backend.context import LokyContext

    class Context(LokyContext):  # type: ignore[misc]
        latest: Any = None

        def Process(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 - loky's name
            self.latest = super().Process(*args, **kwargs)
            return self.latest

    return Context()


def _loky() -> Any:
    """Import loky, on one thread at a time: its modules import each other in a circle."""
    with _loading:
        from joblib.externals.loky import process_executor
        from joblib.externals.loky.backend import resource_tracker

        _calm(resource_tracker)
        return process_executor


_loading = threading.Lock()


@cache
def _calm(tracker: Any) -> None:
    """Keep what is normal here off people's screens."""
    # A process that leaves after a large job, just when the next is handed over, is replaced.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given", category=UserWarning)
    # When we are killed, loky's helper clears away our semaphores; it need not list them.
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = f"{before},ignore:resource_tracker" if before else "ignore:resource_tracker"
    try:
        tracker.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


_slots: weakref.WeakSet[LocalSlot] = weakref.WeakSet()
_exit_callbacks: list[Callable[[], object]] = []


def before_exit(callback: Callable[[], object]) -> Callable[[], None]:
    """Call back when the interpreter ends, while jobs may still be given back in order.

    ``atexit`` would be too late: before it, the interpreter waits for loky's threads, hence for the work.

    Returns
    -------
    callable
        Forgets the callback.
    """
    _exit_callbacks.append(callback)
    _listen_for_exit()

    def forget() -> None:
        with suppress(ValueError):
            _exit_callbacks.remove(callback)

    return forget


@cache
def _listen_for_exit() -> None:
    threading._register_atexit(end_slots)  # type: ignore[attr-defined]


def end_slots() -> None:
    """End all slots of this process, after those who asked to be called before."""
    for callback in list(_exit_callbacks):
        try:
            callback()
        except Exception:
            logger.exception("Something could not be ended in order")
    for slot in list(_slots):
        slot.kill()
