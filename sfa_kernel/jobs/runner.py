"""Claims jobs and executes them in the background of this process.

One thread writes: it settles what has ended and claims what may start, together in one transaction. One thread
looks after things: it says that we live, stops what takes too long or was cancelled, and takes over jobs whose
runner died. Each running job has a thread that waits for its slot. Only the runner writes results: worker
processes see paths and numbers, never the catalogue.
"""

from __future__ import annotations

import logging
import os
import queue
import random
import socket
import threading
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import psutil

from sfa_kernel.catalog import breakers
from sfa_kernel.catalog import jobs as table
from sfa_kernel.catalog.jobs import RUNNING
from sfa_kernel.errors import (
    BusyError,
    FatalJobError,
    InputError,
    InternalError,
    RateLimitedError,
    RetryableJobError,
    ServiceError,
    SetupError,
    SfaError,
)
from sfa_kernel.jobs.ledger import payload
from sfa_kernel.jobs.log import JobLog
from sfa_kernel.jobs.slot import Report, backend
from sfa_kernel.jobs.sweep import sweep
from sfa_kernel.jobs.worker import no_room
from sfa_kernel.storage import FileChanges, disk_is_full

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.events import Event, Subscription
    from sfa_kernel.jobs.kinds import Ground, Kind, Plan
    from sfa_kernel.jobs.ledger import Ledger
    from sfa_kernel.jobs.slot import Backend, Slot

__all__ = ["Runner", "back_off"]

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25  # how often to look at time limits
BEAT_SECONDS = 2.0
SOON_SECONDS = 0.05  # how long to wait for the next end of short work
GATHER_SECONDS = 0.003  # and for what ends with it
LOOK_SECONDS = 5.0  # how often to look for work when no event has said that there is some
BUSY_SECONDS = 15.0  # how long a job waits for room on the disk, or for the catalogue
FATAL = (InputError, SetupError, FatalJobError, InternalError)


def back_off(attempt: int) -> float:
    """Seconds to wait after a failed attempt: attempt^4 + 6 + attempt x random 0..15."""
    return float(attempt**4 + 6 + attempt * random.uniform(0, 15))  # noqa: S311 - spreads load, guards nothing


def rate_limit_pause(attempt: int) -> float:
    """Seconds to wait when a service asks for patience: 60 x 2^(attempt - 1)."""
    return 60.0 * float(2 ** (attempt - 1))


class Runner:
    """Executes the jobs of one library; several, in several processes, may share it.

    Parameters
    ----------
    ledger, ground
        The library.
    kinds
        The kinds of job this runner knows, by name; it leaves others to those who know them.
    chores
        Called every few seconds while it runs: what is due by the clock.
    """

    def __init__(
        self,
        ledger: Ledger,
        ground: Ground,
        kinds: Mapping[str, Kind],
        *,
        chores: Sequence[Callable[[], object]] = (),
    ) -> None:
        self.ledger = ledger
        self.ground = ground
        self.kinds = kinds
        self._chores = chores
        self._begins = {name: kind.begins for name, kind in kinds.items()}
        self._backend: Backend | None = None
        self._holder = holder()
        self._lock = threading.Lock()
        self._running: dict[tuple[UUID, int], _Execution] = {}  # by job and attempt
        self._outcomes: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        self._idle: list[Slot] = []
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._subscriptions: list[Subscription] = []
        self._only: Sequence[UUID] | None = None

    def start(self, *, only: Sequence[UUID] | None = None) -> None:
        """Begin to work in the background; calling it again changes nothing.

        Parameters
        ----------
        only
            Run none but these jobs, and those of these batches.
        """
        with self._lock:
            if self._threads:
                return
            self._stopping.clear()
            self._only = only
            self._backend = backend(self.ground.settings, places=sum(self.ledger.limits.values()))
            self._subscriptions = [
                self.ledger.bus.subscribe("jobs:*", self._on_event),
                self.ledger.bus.subscribe("batch:*", lambda event: self._wake.set()),  # one may have been resumed
            ]
            self._threads = [
                threading.Thread(target=loop, name=f"sfa-{loop.__name__.strip('_')}", daemon=True)
                for loop in (self._write_loop, self._care_loop)
            ]
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """Stop at once: running jobs go back to the queue, and their processes end."""
        with self._lock:
            threads, self._threads = self._threads, []
            subscriptions, self._subscriptions = self._subscriptions, []
        if not threads:
            return
        for subscription in subscriptions:
            subscription.close()
        self._stopping.set()
        self._wake.set()
        for thread in threads:
            thread.join()
        running = self._executions()
        for execution in running:
            execution.slot.kill(execution.report)
        for execution in running:
            execution.handed_in.wait()
        self._settle_last(running)
        for execution in running:
            execution.join()
        for slot in self._idle:
            slot.kill()
        self._idle.clear()
        if self._backend is not None:
            self._backend.close()

    # -- claiming and settling -------------------------------------------------------------------------------

    def _write_loop(self) -> None:
        ended: list[_Outcome] = []
        while not self._stopping.is_set():
            self._wake.clear()
            ended += self._ended_now()
            try:
                claimed = self._settle_and_claim(ended)
                # Much work is short: see what ends next, before looking for what may become ready.
                pause = SOON_SECONDS if ended or claimed else self._pause()
                ended = []
            except SfaError as error:  # the catalogue is busy, or the disk is full: nothing is lost, later is fine
                logger.warning("Jobs have to wait: %s", error)
                self._stopping.wait(1.0)
                continue
            except Exception:
                logger.exception("Claiming jobs failed")
                self._stopping.wait(1.0)
                continue
            for job in claimed:
                self._begin(job)
            if not self._stopping.is_set() and self._wake.wait(pause):
                # What ends at about the same time is written together: a transaction costs more than a job.
                self._stopping.wait(GATHER_SECONDS)
        for outcome in ended:
            self._outcomes.put(outcome)

    def _ended_now(self) -> list[_Outcome]:
        ended: list[_Outcome] = []
        while not self._outcomes.empty():
            ended.append(self._outcomes.get())
        return ended

    def _settle_and_claim(self, ended: Sequence[_Outcome]) -> list[JobRow]:
        """Write how jobs ended and take the next ones, in one transaction where possible."""
        done = [outcome for outcome in ended if outcome.error is None]
        for outcome in ended:
            if outcome.error is not None:
                self._settle_failed(outcome)
        if not done:
            with self.ledger.catalog.read() as connection:
                # Looking is cheap and shared; only a job that is there is worth the exclusive lock.
                if not table.claimable(connection, self.ledger.limits, self._begins, only=self._only):
                    return []
        try:
            return self._settle_done(done, claim=True)
        except BusyError:
            raise
        except Exception:
            if not done:
                raise
        self._settle_each(done)
        return self._settle_done([], claim=True)

    def _settle_each(self, done: Sequence[_Outcome]) -> None:
        """Settle results one by one: one that cannot be written harms no other."""
        for outcome in done:
            try:
                self._settle_done([outcome], claim=False)
            except BusyError:
                raise
            except Exception as error:
                self._settle_failed(_Outcome(outcome.execution, error=error))

    def _settle_done(self, done: Sequence[_Outcome], *, claim: bool) -> list[JobRow]:
        waiting = [outcome for outcome in done if not outcome.execution.settled.is_set()]
        attempts = {(o.execution.job.id, o.execution.job.attempt): o for o in waiting}
        files = {key: FileChanges(self.ground.storage, o.execution.scratch) for key, o in attempts.items()}
        claimed: list[JobRow] = []
        try:
            with self.ledger.catalog.write() as connection:
                # A job that was cancelled or taken over meanwhile is left out; what it made goes with its scratch.
                self.ledger.complete(
                    connection,
                    [outcome.execution.job for outcome in waiting],
                    lambda job: self._write_result(connection, attempts[job.id, job.attempt], files),
                )
                if claim:
                    claimed = self.ledger.claim(connection, self._begins, holder=self._holder, only=self._only)
        except BaseException:
            for changes in files.values():
                changes.rollback()
            raise
        for changes in files.values():
            changes.commit()
        for outcome in waiting:
            outcome.execution.settled.set()
        return claimed

    def _write_result(
        self, connection: Connection, outcome: _Outcome, files: Mapping[tuple[UUID, int], FileChanges]
    ) -> None:
        """Write what a job has done, and queue what follows."""
        job = outcome.execution.job
        if outcome.execution.skipped:
            return
        kind = self.kinds[job.kind]
        done_what = kind.commit(connection, job, outcome.result, files[job.id, job.attempt])
        if kind.follow is not None:
            kind.follow(connection, self.ledger, job, outcome.result)
        if done_what:
            self.ledger.catalog.after_commit(partial(self._log(job).write, "info", done_what, job.attempt))

    def _settle_failed(self, outcome: _Outcome) -> None:
        execution, error = outcome.execution, outcome.error
        if error is None or execution.settled.is_set():
            return
        if execution.cancelled:  # no longer ours
            execution.settled.set()
            return
        verdict = self._judge(execution.job, error)
        with self.ledger.catalog.write() as connection:
            changed = self._write_failure(connection, execution.job, verdict, error)
        if changed:
            self._report(execution.job, verdict.reason, error=error)
        if changed and changed[0].status == "queued":
            self._log(execution.job).write("info", f"Next try in {verdict.delay:.0f} s.", execution.job.attempt)
        execution.settled.set()

    def _judge(self, job: JobRow, error: BaseException) -> _Verdict:
        """What follows from a failed attempt."""
        if isinstance(error, OSError) and disk_is_full(error):
            error = no_room()
        reason = str(error) if isinstance(error, SfaError) else f"Unexpected {type(error).__name__}: {error}"
        if isinstance(error, BusyError):
            # Not the job's fault: it waits, and the attempt does not count.
            return _Verdict(reason, final=False, delay=BUSY_SECONDS, more_attempts=1)
        left = job.max_attempts - job.attempt
        if isinstance(error, FATAL) or left <= 0:
            return _Verdict(reason, final=True)
        # Attempts count on after a person's retry and after a wait for the disk; the pauses begin anew.
        kind = self.kinds.get(job.kind)
        tries = max(1, (kind.max_attempts if kind is not None else job.attempt + left) - left)
        if isinstance(error, RateLimitedError):
            return _Verdict(reason, final=False, delay=max(rate_limit_pause(tries), error.retry_after or 0.0))
        return _Verdict(reason, final=False, delay=back_off(tries))

    def _write_failure(
        self, connection: Connection, job: JobRow, verdict: _Verdict, error: BaseException
    ) -> list[JobRow]:
        if verdict.final:
            changed = self.ledger.end(connection, job, "failed", verdict.reason)
        else:
            changed = self.ledger.requeue(
                connection, job, verdict.reason, delay=verdict.delay, more_attempts=verdict.more_attempts
            )
        if not changed:  # it was cancelled, or taken over, in the meantime
            return []
        if job.service is not None:
            if isinstance(error, ServiceError):
                breakers.failed(connection, job.service)
            elif isinstance(error, (RateLimitedError, FatalJobError)):  # it has answered
                breakers.worked(connection, job.service)
        kind = self.kinds.get(job.kind)
        if kind is not None and kind.failed is not None:
            kind.failed(connection, job, verdict.reason, verdict.final)
        return changed

    def _settle_last(self, running: Sequence[_Execution]) -> None:
        """Write what there is to write when this runner stops: results that are there, and jobs given back."""
        try:
            self._settle_each([o for o in self._ended_now() if o.error is None])
            with self.ledger.catalog.write() as connection:
                for execution in running:
                    if not execution.settled.is_set() and not execution.cancelled:
                        reason = "The program that ran it was closed."
                        self.ledger.requeue(connection, execution.job, reason, delay=0.0, more_attempts=1)
        except Exception as error:  # whoever comes next sees that we are gone
            logger.warning("Jobs could not be given back: %s", error)
        for execution in running:
            execution.settled.set()

    def _pause(self) -> float:
        with self.ledger.catalog.read() as connection:
            ready = table.next_ready(connection)
        if ready is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.05, (ready - datetime.now(UTC)).total_seconds()))

    def _begin(self, job: JobRow) -> None:
        with self._lock:
            assert self._backend is not None  # noqa: S101 - made by start()
            slot = self._idle.pop() if self._idle else self._backend.slot()
            execution = self._running[job.id, job.attempt] = _Execution(self, job, slot)
        execution.start()

    def _hand_in(self, outcome: _Outcome) -> None:
        """The work has ended, one way or another; called from the job's own thread."""
        with self._lock:
            self._idle.append(outcome.execution.slot)
        self._outcomes.put(outcome)
        self._wake.set()

    def _forget(self, execution: _Execution) -> None:
        with self._lock:
            del self._running[execution.job.id, execution.job.attempt]

    def _executions(self) -> list[_Execution]:
        with self._lock:
            return list(self._running.values())

    # -- looking after things --------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        data = event.data
        for execution in self._executions():
            # A job may be cancelled, tried again and claimed before we hear of the first.
            if (str(execution.job.id), execution.job.attempt) != (data.get("id"), data.get("attempt")):
                continue
            if data.get("status") == "cancelled":
                execution.give_up()
            elif data.get("status") in RUNNING:
                execution.progress = max(execution.progress, int(data.get("progress", 0)))
        if data.get("status") not in RUNNING:
            self._wake.set()

    def _care_loop(self) -> None:
        next_beat = next_look = time.monotonic()
        while not self._stopping.wait(TICK_SECONDS):
            now = time.monotonic()
            for execution in self._executions():
                execution.check_time(now)
            try:
                if now >= next_beat:
                    next_beat = now + BEAT_SECONDS
                    self._beat()
                if now >= next_look:
                    next_look = now + LOOK_SECONDS
                    self._rescue()
                    for chore in self._chores:
                        chore()
            except SfaError as error:
                logger.warning("Looking after jobs has to wait: %s", error)
            except Exception:
                logger.exception("Looking after jobs failed")

    def _beat(self) -> None:
        running = [execution for execution in self._executions() if not execution.settled.is_set()]
        if not running:
            return
        with self.ledger.catalog.write() as connection:
            alive = set(table.beat(connection, [e.job for e in running], [e.progress for e in running]))
        for execution in running:
            if (execution.job.id, execution.job.attempt) not in alive and not execution.settled.is_set():
                execution.give_up()  # it was cancelled or taken over, and the event has not reached us

    def _rescue(self) -> None:
        """Take over jobs whose runner is gone, and remove the files of attempts that are no more."""
        timeout = self.ground.settings.heartbeat_timeout
        with self.ledger.catalog.read() as connection:
            silent = table.silent_since(connection, min(LOOK_SECONDS, timeout))
        ours = {execution.job.id for execution in self._executions()}
        for job in silent:
            if job.id in ours or not (_is_dead(job.holder) or _silence(job) > timeout):
                continue
            reason = "The program that ran it ended."
            with self.ledger.catalog.write() as connection:
                verdict = self._judge(job, RetryableJobError(reason))
                verdict = _Verdict(reason, final=verdict.final, delay=0.0)
                changed = self._write_failure(connection, job, verdict, RetryableJobError(reason))
            if changed:
                self._report(job, reason)
        sweep(self.ledger.catalog, self.ground.storage)

    def _log(self, job: JobRow) -> JobLog:
        return JobLog(self.ground.storage.path("logs"), self.ledger.bus.journal, job.id)

    def _report(self, job: JobRow, reason: str, *, error: BaseException | None = None) -> None:
        unexpected = error is not None and not isinstance(error, SfaError)
        logger.warning(
            "Job %s (%s, track %s, queue %s) attempt %d/%d failed: %s",
            job.id,
            job.kind,
            job.track_id,
            job.queue,
            job.attempt,
            job.max_attempts,
            reason,
            exc_info=error if unexpected else None,
            extra={
                "job": str(job.id),
                "kind": job.kind,
                "track": str(job.track_id) if job.track_id else None,
                "queue": job.queue,
                "attempt": job.attempt,
                "max_attempts": job.max_attempts,
                "reason": reason,
            },
        )
        lines = f"Attempt {job.attempt} of {job.max_attempts} failed: {reason}"
        if unexpected:
            lines += "\n" + "".join(traceback.format_exception(error))
        self._log(job).write("error", lines, job.attempt)


class _Execution(threading.Thread):
    """One attempt at one job."""

    def __init__(self, runner: Runner, job: JobRow, slot: Slot) -> None:
        super().__init__(name=f"sfa-job-{job.kind}", daemon=True)
        self.runner = runner
        self.job = job
        self.slot = slot
        self.scratch = runner.ground.storage.path(f"scratch/{job.id}-{job.attempt}")
        self.progress = 0
        self.skipped = False  # there was nothing to do
        self.cancelled = False
        self.handed_in = threading.Event()  # the slot is free again
        self.settled = threading.Event()  # its end is in the catalogue
        self.report = Report(
            events=runner.ledger.bus.journal.folder, logs=runner.ground.storage.path("logs"), job=payload(job)
        )
        self._time_limit = 0.0
        self._ends_at: float | None = None
        self._timed_out: str | None = None

    def run(self) -> None:
        try:
            result, error = self._attempt(), None
        except Exception as raised:
            result, error = None, raised
            if self._timed_out is not None:
                error = RetryableJobError(self._timed_out)
            # At once: on a full disk, what it made may take the room that is needed to write down that it failed.
            self.runner.ground.storage.discard(self.scratch)
        self._ends_at = None
        self.runner._hand_in(_Outcome(self, result, error))
        self.handed_in.set()
        self.settled.wait()
        self.runner.ground.storage.discard(self.scratch)
        self.runner._forget(self)

    def _attempt(self) -> Any:
        runner, job = self.runner, self.job
        kind = runner.kinds[job.kind]
        with runner.ledger.catalog.read() as connection:
            plan: Plan = kind.prepare(connection, job, runner.ground)
        if plan.arguments is None:
            self.skipped = True
            return None
        runner.ground.storage.scratch(job.id, job.attempt)
        if plan.time_limit is not None:
            self._time_limit = plan.time_limit
            self._ends_at = time.monotonic() + plan.time_limit
        return self.slot.run(kind.work, {**plan.arguments, "scratch": self.scratch}, report=self.report)

    def check_time(self, now: float) -> None:
        """Stop the work when it has used up its time."""
        if self._ends_at is not None and now > self._ends_at:
            self._ends_at = None
            self._timed_out = (
                f"It took longer than {_duration(self._time_limit)}, the time limit for this job, and was stopped."
            )
            self._kill()

    def give_up(self) -> None:
        """The job is no longer ours: stop the work."""
        if not self.cancelled:
            self.cancelled = True
            self._kill()

    def _kill(self) -> None:
        # Killing waits for the process to be gone; whoever calls has others to serve. A kill that comes late hits
        # nobody else: it is for this report's work alone.
        threading.Thread(target=self.slot.kill, args=(self.report,), name="sfa-kill", daemon=True).start()


@dataclass(frozen=True)
class _Outcome:
    """How the work of one attempt ended."""

    execution: _Execution
    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class _Verdict:
    """What follows from a failed attempt."""

    reason: str
    final: bool
    delay: float = 0.0
    more_attempts: int = 0


@cache
def holder() -> str:
    """Who this process is to others, as ``host:pid:start``: a process id alone may come back."""
    return f"{socket.gethostname()}:{os.getpid()}:{int(psutil.Process().create_time())}"


def _is_dead(name: str | None) -> bool:
    host, _, process = (name or "").partition(":")
    pid, _, start = process.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        found = psutil.Process(int(pid))
        return found.status() == psutil.STATUS_ZOMBIE or (start.isdigit() and int(found.create_time()) != int(start))
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _silence(job: JobRow) -> float:
    heard = job.heartbeat_at or job.started_at or job.created_at
    return (datetime.now(UTC) - heard).total_seconds()


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"
