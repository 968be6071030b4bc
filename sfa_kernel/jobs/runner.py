"""Claims jobs and executes them in the background of this process.

One thread looks for work, one says that we live and looks after jobs whose runner died; each running job
has a thread that waits for its slot. Only the runner writes results: worker processes see paths and
numbers, never the catalogue.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psutil

from sfa_kernel.catalog import jobs as table
from sfa_kernel.errors import FatalJobError, InputError, InternalError, SetupError, SfaError, TransitionError
from sfa_kernel.jobs.ledger import payload
from sfa_kernel.jobs.slot import Slot
from sfa_kernel.storage import FileChanges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.events import Event, Subscription
    from sfa_kernel.jobs.kinds import Kind
    from sfa_kernel.jobs.ledger import Ledger
    from sfa_kernel.storage import Storage

__all__ = ["Runner", "back_off"]

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
LOOK_SECONDS = 5.0  # how often to look for work when no event has said that there is some
FATAL = (InputError, SetupError, FatalJobError, InternalError)


def back_off(attempt: int) -> float:
    """Seconds to wait after a failed attempt: attempt^4 + 6 + attempt x random 0..15."""
    return float(attempt**4 + 6 + attempt * random.uniform(0, 15))  # noqa: S311 - spreads load, guards nothing


class Runner:
    """Executes the jobs of one library; several, in several processes, may share it.

    Parameters
    ----------
    ledger, storage
        The library.
    kinds
        The kinds of job this runner knows, by name.
    limits
        How many jobs of each queue may run at once, over all runners of the library.
    heartbeat_timeout
        A job whose runner has been silent for longer is given to another [s].
    """

    def __init__(
        self,
        ledger: Ledger,
        storage: Storage,
        kinds: Mapping[str, Kind],
        limits: Mapping[str, int],
        *,
        heartbeat_timeout: float = 60.0,
    ) -> None:
        self._ledger = ledger
        self._storage = storage
        self._kinds = kinds
        self._limits = limits
        self._heartbeat_timeout = heartbeat_timeout
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._lock = threading.Lock()
        self._running: dict[UUID, _Execution] = {}
        self._idle: list[Slot] = []
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._subscription: Subscription | None = None
        self._only: Sequence[UUID] | None = None

    def start(self, *, only: Sequence[UUID] | None = None) -> None:
        """Begin to work in the background; calling it again changes nothing.

        Parameters
        ----------
        only
            Run none but these jobs.
        """
        with self._lock:
            if self._threads:
                return
            self._stopping.clear()
            self._only = only
            self._subscription = self._ledger.bus.subscribe("jobs:*", self._on_event)
            self._threads = [
                threading.Thread(target=loop, name=f"sfa-{loop.__name__.strip('_')}", daemon=True)
                for loop in (self._claim_loop, self._beat_loop)
            ]
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """Stop at once: running jobs go back to the queue, and their processes end."""
        with self._lock:
            threads, self._threads = self._threads, []
            subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
        self._stopping.set()
        self._wake.set()
        for thread in threads:
            thread.join()
        with self._lock:
            running = list(self._running.values())
        for execution in running:
            execution.slot.kill()
        for execution in running:
            execution.join()
        for slot in self._idle:
            slot.kill()
        self._idle.clear()

    def _on_event(self, event: Event) -> None:
        if event.data.get("status") == "processing":
            with self._lock:
                for job_id, execution in self._running.items():
                    if str(job_id) == event.data.get("id") and event.data.get("attempt") == execution.job.attempt:
                        execution.progress = max(execution.progress, int(event.data.get("progress", 0)))
            return
        if event.data.get("status") == "cancelled":
            self._cancel(event.data.get("id"))
        self._wake.set()

    def _cancel(self, job_id: str | None) -> None:
        with self._lock:
            stopped = [e for key, e in self._running.items() if str(key) == job_id]
        for execution in stopped:
            execution.cancelled = True
            # Killing waits for the process to be gone; the event thread has others to serve.
            threading.Thread(target=execution.slot.kill, name="sfa-kill", daemon=True).start()

    def _claim_loop(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                job = self._claim()
            except Exception as error:
                logger.log(
                    logging.WARNING if isinstance(error, SfaError) else logging.ERROR,
                    "Looking for jobs failed: %s",
                    error,
                    exc_info=not isinstance(error, SfaError),
                )
                self._stopping.wait(1.0)
                continue
            if job is None:
                self._wake.wait(self._pause())
            else:
                self._ledger.publish(job)
                self._begin(job)

    def _claim(self) -> JobRow | None:
        with self._lock:
            mine = [execution.job.queue for execution in self._running.values()]
        limits = {queue: limit for queue, limit in self._limits.items() if mine.count(queue) < limit}
        with self._ledger.catalog.read() as connection:
            # Looking is cheap and shared; only a job that is there is worth the exclusive lock.
            if not table.claimable(connection, limits, only=self._only):
                return None
        with self._ledger.catalog.write() as connection:
            return table.claim(connection, limits, holder=self._holder, only=self._only)

    def _pause(self) -> float:
        with self._ledger.catalog.read() as connection:
            ready = table.next_scheduled(connection)
        if ready is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.05, (ready - datetime.now(UTC)).total_seconds()))

    def _begin(self, job: JobRow) -> None:
        with self._lock:
            slot = self._idle.pop() if self._idle else Slot()
            execution = self._running[job.id] = _Execution(self, job, slot)
        execution.start()

    def _ended(self, execution: _Execution) -> None:
        with self._lock:
            self._running.pop(execution.job.id, None)
            self._idle.append(execution.slot)
        self._wake.set()

    def _beat_loop(self) -> None:
        beats = 0
        while not self._stopping.wait(BEAT_SECONDS):
            beats += 1
            try:
                self._beat()
                if beats % int(LOOK_SECONDS / BEAT_SECONDS) == 0:
                    self._rescue()
            except SfaError as error:
                logger.warning("The heartbeat failed: %s", error)
            except Exception:
                logger.exception("The heartbeat failed")

    def _beat(self) -> None:
        with self._lock:
            running = list(self._running.values())
        if running:
            with self._ledger.catalog.write() as connection:
                for execution in running:
                    table.beat(connection, execution.job, execution.progress)

    def _rescue(self) -> None:
        """Take over jobs whose runner is gone."""
        with self._ledger.catalog.read() as connection:
            silent = table.silent_since(connection, min(LOOK_SECONDS, self._heartbeat_timeout))
        for job in silent:
            with self._lock:
                ours = job.id in self._running
            if ours or not (_is_dead(job.holder) or _silence(job) > self._heartbeat_timeout):
                continue
            reason = "The program that ran it ended."
            self._report(job, reason)
            try:
                self._ledger.fail(job, reason, retry_in=0.0 if job.attempt < job.max_attempts else None)
            except TransitionError:
                continue  # somebody else was quicker
            self._storage.discard(self._storage.path(f"scratch/{job.id}-{job.attempt}"))

    def _report(self, job: JobRow, reason: str, *, error: BaseException | None = None) -> None:
        logger.warning(
            "Job %s (%s, track %s, queue %s) attempt %d/%d failed: %s",
            job.id,
            job.kind,
            job.track_id,
            job.queue,
            job.attempt,
            job.max_attempts,
            reason,
            exc_info=error,
        )


class _Execution(threading.Thread):
    """One attempt at one job."""

    def __init__(self, runner: Runner, job: JobRow, slot: Slot) -> None:
        super().__init__(name=f"sfa-job-{job.kind}", daemon=True)
        self.runner = runner
        self.job = job
        self.slot = slot
        self.progress = 0
        self.cancelled = False

    def run(self) -> None:
        scratch = self.runner._storage.scratch(self.job.id, self.job.attempt)
        try:
            self._attempt(scratch)
        except TransitionError:
            pass  # cancelled, or taken over by another runner: what we made goes with the scratch folder
        except Exception as error:
            self._failed(error)
        finally:
            self.runner._storage.discard(scratch)
            self.runner._ended(self)

    def _attempt(self, scratch: Path) -> None:
        kind = self.runner._kinds[self.job.kind]
        ledger = self.runner._ledger
        with ledger.catalog.read() as connection:
            plan = kind.prepare(connection, self.job, self.runner._storage)
        result: Any = None
        if plan.arguments is not None:
            result = self.slot.run(
                kind.work,
                {**plan.arguments, "scratch": scratch},
                events=ledger.bus.journal.folder,
                report=payload(self.job),
            )
        files = FileChanges(self.runner._storage)
        try:
            with ledger.catalog.write() as connection:
                done = table.transition(connection, self.job, "completed")
                if plan.arguments is not None:
                    kind.commit(connection, self.job, result, files)
        except BaseException:
            files.rollback()
            raise
        files.commit()
        ledger.publish(done)

    def _failed(self, error: Exception) -> None:
        runner, job = self.runner, self.job
        if self.cancelled:
            return
        try:
            if runner._stopping.is_set():
                runner._ledger.fail(job, "The program that ran it was closed.", retry_in=0.0)
                return
            known = isinstance(error, SfaError)
            reason = str(error) if known else f"Unexpected {type(error).__name__}: {error}"
            runner._report(job, reason, error=None if known else error)
            again = not isinstance(error, FATAL) and job.attempt < job.max_attempts
            runner._ledger.fail(job, reason, retry_in=back_off(job.attempt) if again else None)
        except TransitionError:
            pass  # it was cancelled, or taken over, in the meantime
        except SfaError as busy:
            logger.warning("The end of job %s could not be written: %s", job.id, busy)


def _is_dead(holder: str | None) -> bool:
    host, _, pid = (holder or "").rpartition(":")
    return host == socket.gethostname() and pid.isdigit() and not psutil.pid_exists(int(pid))


def _silence(job: JobRow) -> float:
    heard = job.heartbeat_at or job.started_at or job.created_at
    return (datetime.now(UTC) - heard).total_seconds()
