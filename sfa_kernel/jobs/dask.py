"""Jobs on the workers of a Dask cluster, through joblib.

**How.** joblib has a back end for Dask, made for ``joblib.Parallel``: one caller, many equal tasks. Jobs are the
other way round: many callers, one task each. ``Parallel`` would not do: on a cluster with a single thread it
runs the task in the caller's own process, and it cannot drop one task and keep the others. So all slots share one
instance of joblib's back end and use its ``submit``, the interface every joblib back end has.

**What a worker sees.** Paths and parameters, never the catalogue. It must see the library's folder under the same
path (a shared file system), and must have the same version of this package; each task checks the former before
it begins. Inside the Dask worker the work runs in a `LocalSlot`, a process of its own: a crash, an empty memory or
a hang takes no Dask worker with it.

**Files.** Each run makes a folder of its own in the job's scratch folder, for the files of the work, its events
and its log; when Dask loses a worker it runs the task again elsewhere, in a new folder, and the attempt is still
one. Only the process that holds the job writes the library's journal and logs: it copies what the run's folder
tells. So no two machines ever append to one file, which network file systems do not do safely.

**Stopping.** A run lives as long as its ticket, a file in the scratch folder, is there. Removing it, by `kill` or
with the whole folder when somebody else takes the job over, ends the work within a few tenths of a second, also
when the scheduler is gone or the one who wanted the work has died.
"""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import logging
import multiprocessing
import os
import socket
import tempfile
import threading
import time
from concurrent.futures import CancelledError, Future, wait
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import RetryableJobError, SetupError, SfaError
from sfa_kernel.events import Journal
from sfa_kernel.jobs.log import LINES, JobLog, read_lines
from sfa_kernel.jobs.slot import STOPPED, LocalSlot, Report, end_slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.jobs.kinds import Work

__all__ = ["DaskBackend", "DaskSlot"]

CONNECT_SECONDS = 10.0
LOOK_SECONDS = 0.1  # how often each side looks what the other has written
END_SECONDS = 0.8  # how long to wait for a stopped run to leave its folder
TICKET = "wanted"
ENDED = "ended"


class DaskBackend:
    """Slots on a Dask cluster.

    Parameters
    ----------
    address
        The scheduler's address; empty for a cluster of our own in this process, started with the first work.
    places
        How many jobs a cluster of our own must hold at once.

    Raises
    ------
    SetupError
        When Dask is not installed.
    """

    def __init__(self, address: str, *, places: int) -> None:
        if any(importlib.util.find_spec(name) is None for name in ("dask", "distributed")):
            raise SetupError(
                "Dask is not installed.", hint='Install "sound-forge-alchemy[cluster]", or set backend to "loky".'
            )
        self._address = address
        self._places = places
        self._lock = threading.Lock()
        self._connection: Future[_Connection] | None = None

    def slot(self) -> DaskSlot:
        """Make a new slot."""
        return DaskSlot(self)

    def close(self) -> None:
        """Leave the cluster; one of our own ends."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.add_done_callback(_leave)  # now, or as soon as the connection is made

    def connection(self) -> Future[_Connection]:
        """The connection to the cluster, which may still be under way.

        It is made on a thread of its own, because a job must stop at once when told to, whatever it waits for.
        """
        with self._lock:
            if self._connection is not None and self._connection.done():
                if self._connection.exception() is not None:
                    self._connection = None
                elif self._connection.result().is_lost():
                    threading.Thread(
                        target=_leave, args=(self._connection,), name="sfa-dask-close", daemon=True
                    ).start()
                    self._connection = None
            if self._connection is None:
                self._connection = Future()
                threading.Thread(
                    target=self._connect, args=(self._connection,), name="sfa-dask-connect", daemon=True
                ).start()
            return self._connection

    def _connect(self, future: Future[_Connection]) -> None:
        try:
            future.set_result(_Connection(self._address, self._places))
        except Exception as error:
            future.set_exception(error)


class DaskSlot:
    """One job at a time on a Dask cluster; see `sfa_kernel.jobs.slot.Slot`.

    The arguments of the work must name a ``scratch`` folder.
    """

    def __init__(self, backend: DaskBackend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._running: Report | None = None
        self._unwanted: Report | None = None
        self._stop = threading.Event()

    def run(self, work: Work, arguments: dict[str, Any], *, report: Report) -> Any:  # noqa: D102 - see Slot
        with self._lock:
            if report is self._unwanted:
                raise RetryableJobError(STOPPED)
            self._running = report
            self._stop = stop = threading.Event()
        try:
            connecting = self._backend.connection()
            while not wait([connecting], LOOK_SECONDS).done:
                if stop.is_set():
                    raise RetryableJobError(STOPPED)
            return _Task(connecting.result(), work, arguments, report).result(stop)
        finally:
            with self._lock:
                self._running = None

    def kill(self, report: Report | None = None) -> None:  # noqa: D102 - see Slot
        with self._lock:
            if report is not None and report is not self._running:
                self._unwanted = report
                return
            self._stop.set()


class _Task:
    """One attempt at one job, seen from the side that wants it."""

    def __init__(self, connection: _Connection, work: Work, arguments: dict[str, Any], report: Report) -> None:
        self._connection = connection
        self._scratch = Path(arguments["scratch"])
        self._journal = Journal(report.events)
        self._log = JobLog(report.logs, self._journal, report.job["id"], limit=LINES)
        self._offsets: dict[Path, int] = {}
        self._progress = 0
        (self._scratch / TICKET).touch()
        self._future = connection.submit(work, arguments, report.job)

    def result(self, stop: threading.Event) -> Any:
        try:
            while not wait([self._future], LOOK_SECONDS).done:
                if stop.is_set():
                    raise RetryableJobError(STOPPED)
                if self._connection.is_lost():
                    raise RetryableJobError(f"{self._connection} was lost.")
                self._relay()
            return self._connection.value(self._future)
        except SfaError:
            self._end_run()
            raise
        finally:
            self._relay()

    def _end_run(self) -> None:
        """See that nobody writes into the folder any more, but who has lost all contact."""
        (self._scratch / TICKET).unlink(missing_ok=True)
        runs = list(self._scratch.glob("run-*"))
        if runs:
            latest = max(runs, key=lambda run: run.stat().st_mtime)  # Dask began it because those before were dead
            deadline = time.monotonic() + END_SECONDS
            while not (latest / ENDED).exists() and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS / 4)

    def _relay(self) -> None:
        """Copy what the run says to the library's journal and log."""
        for path in sorted(self._scratch.glob("run-*/events/*.jsonl")):
            events, self._offsets[path] = read_lines(path, self._offsets.get(path, 0))
            for event in events:
                with suppress(KeyError, TypeError, OSError):
                    self._tell(event["topic"], event["data"])

    def _tell(self, topic: str, data: dict[str, Any]) -> None:
        if topic.startswith("log:"):
            self._log.write(data["level"], data["text"], data["attempt"])
        elif data["progress"] > self._progress:  # a second run begins anew; the attempt does not
            self._progress = data["progress"]
            self._journal.publish(topic, data)


class _Connection:
    """A client of the cluster, and joblib's back end on top of it."""

    def __init__(self, address: str, places: int) -> None:
        from distributed import Client
        from joblib.parallel import get_active_backend, parallel_config

        # What it has to say of lost connections, we say in one sentence.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self._name = f"The Dask scheduler at {address}" if address else "The Dask cluster of this program"
        with ExitStack() as opened:
            if address:
                self._knock(address)
            try:
                target = address or opened.enter_context(_local_cluster(places))
                self._client = opened.enter_context(Client(target, timeout=CONNECT_SECONDS, set_as_default=False))
            except OSError as error:
                raise self._unreachable(error) from error
            try:
                self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            except TimeoutError:
                raise RetryableJobError(
                    f"{self._name} has no workers.", hint="Start one: dask worker ADDRESS"
                ) from None
            with parallel_config(backend="dask", client=self._client):
                self._joblib, _ = get_active_backend()
            self._joblib.start_call()
            opened.callback(self._joblib.stop_call)
            self._opened = opened.pop_all()

    def _knock(self, address: str) -> None:
        """Say at once when nobody is there: Dask's client would try for a while, and hang when it is thrown away."""
        from distributed.comm.addressing import get_address_host_port

        try:
            socket.create_connection(get_address_host_port(address, strict=True), timeout=CONNECT_SECONDS).close()
        except ValueError as error:
            raise SetupError(
                f"{address!r} is no address of a Dask scheduler: {error}.",
                hint='Correct dask_address; it looks like "tcp://studio.local:8786".',
            ) from error
        except OSError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: OSError) -> RetryableJobError:
        reason = error.strerror or str(error)
        return RetryableJobError(
            f"{self._name} cannot be reached: {reason}.", hint="Start it, or correct dask_address."
        )

    def __str__(self) -> str:
        return self._name

    def is_lost(self) -> bool:
        """Whether the scheduler is gone; then its tasks are, even if it comes back."""
        return str(self._client.status) != "running"

    def submit(self, work: Work, arguments: dict[str, Any], job: dict[str, Any]) -> Future[Any]:
        from joblib.parallel import BatchedCalls

        call = (_run, (), {"work": work, "arguments": arguments, "job": job})
        future: Future[Any] = self._joblib.submit(BatchedCalls([call], (self._joblib, 1)), callback=lambda _: None)
        return future

    def value(self, future: Future[Any]) -> Any:
        """The result of a task that has ended.

        Raises
        ------
        SfaError
            What the work raised, or what went wrong on the way.
        """
        from distributed import KilledWorker

        try:
            (value,) = self._joblib.retrieve_result_callback(future.result())
            return value
        except SfaError:
            raise
        except (CancelledError, asyncio.CancelledError) as error:
            raise RetryableJobError(f"{self._name} was lost.") from error
        except KilledWorker as error:
            raise RetryableJobError("Every Dask worker that did the work died.") from error
        except Exception as error:
            raise SetupError(
                f"The Dask cluster cannot load the work: {str(error).rstrip('.')}.",
                hint="Scheduler and workers need the same Python packages as this program.",
            ) from error

    def close(self) -> None:
        self._opened.close()


def _leave(connecting: Future[_Connection]) -> None:
    if connecting.exception() is None:
        connecting.result().close()


@contextmanager
def _local_cluster(places: int) -> Iterator[Any]:
    """A cluster of our own, as threads of this process that wait for the processes of the work.

    Worker processes would shield us from nothing that those do not. They would run the user's script again where
    it does not guard its main part, and listen on a port through which whoever is on this machine could act as us.
    """
    import dask
    from distributed import Scheduler, SpecCluster, Worker

    # Dask insists on a web server for each part. Ours have nothing to tell, and only to this machine.
    web = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    silent: dict[str, Any] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    scheduler = {"cls": Scheduler, "options": {**web, "protocol": "inproc://"}}
    worker = {"cls": Worker, "options": {**web, "nthreads": places, "memory_limit": 0}}
    try:
        with dask.config.set(silent):
            cluster = SpecCluster(workers={0: worker}, scheduler=scheduler, silence_logs=logging.CRITICAL)
        with cluster:
            yield cluster
    finally:
        while _idle:
            _idle.pop().kill()


# -- on the Dask worker --------------------------------------------------------------------------------------


def _run(work: Work, arguments: dict[str, Any], job: dict[str, Any]) -> Any:
    """Do a piece of work on a Dask worker for as long as it is wanted."""
    scratch = Path(arguments["scratch"])
    if not _is_wanted(scratch):  # or it was stopped before it began: then nobody hears this
        raise SetupError(
            f"The Dask worker on {socket.gethostname()} does not see the library's folder {scratch.parent.parent}.",
            hint="All workers must have it under the same path.",
        )
    _settle()
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=scratch))
    report = Report(folder / "events", folder / "logs", job)
    files = folder / "files"
    for path in (report.events, report.logs, files):
        path.mkdir()
    slot = _idle.pop() if _idle else LocalSlot()
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(scratch, slot, report, ended), name="sfa-ticket", daemon=True)
    watch.start()
    try:
        return slot.run(work, {**arguments, "scratch": files}, report=report)
    finally:
        ended.set()
        watch.join()
        _idle.append(slot)
        with suppress(OSError):
            (folder / ENDED).touch()


_idle: list[LocalSlot] = []


def _watch(scratch: Path, slot: LocalSlot, report: Report, ended: threading.Event) -> None:
    while not ended.wait(LOOK_SECONDS):
        if not _is_wanted(scratch):
            slot.kill(report)
            return


def _is_wanted(scratch: Path) -> bool:
    try:
        # To open it asks a network file system's server; to look whether it is there may ask a cache.
        os.close(os.open(scratch / TICKET, os.O_RDONLY))
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ESTALE, errno.ENOTDIR)
    return True


@cache
def _settle() -> None:
    # Dask's workers are marked as processes that may have no children, for fear that those outlive them. Ours
    # end with their parent; and in an orderly end, before anybody waits for them.
    multiprocessing.current_process()._config.pop("daemon", None)  # type: ignore[attr-defined]
    Finalize(None, end_slots, exitpriority=100)
