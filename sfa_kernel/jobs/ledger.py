"""Enqueue, claim, end, cancel, retry and watch jobs: each change goes to the catalogue, then out as an event.

Events are published while the catalogue's lock is still held, so the journal has them in the order of the
commits. What depends on a change is part of it: waiting jobs are let go or called off, observers write in the
same transaction, the end of a track's pipeline and of a batch is told once.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.catalog import breakers, pauses
from sfa_kernel.catalog import jobs as table
from sfa_kernel.catalog.jobs import ACTIVE, JobRow
from sfa_kernel.errors import BusyError, TransitionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sfa_kernel.catalog import Catalog, Connection
    from sfa_kernel.events import Event, EventBus

__all__ = ["JobRequest", "Ledger", "payload"]

NEEDED_FAILED = "A step before it did not finish."
CANCELLED = "Cancelled on request."


@dataclass(frozen=True)
class JobRequest:
    """A job to be enqueued.

    Attributes
    ----------
    unique_key, unique_for
        Names the work: while a job with the same key is active, that one is returned instead; so is one that
        was queued in the last ``unique_for`` seconds and is completed.
    needs
        Jobs that must be completed before this one may start: their ids, or the unique keys of jobs that are
        requested before it in the same call.
    priority
        0 to 9; lower is sooner.
    service
        The external service it calls, for the circuit breaker.
    delay
        How long it waits before it may start [s].
    batch_id
        What else was asked for at the same time.
    arguments
        Of its kind. ``title``, when there is one, is what people call the job that is about no track.
    """

    kind: str
    queue: str
    track_id: UUID | None
    arguments: dict[str, Any]
    unique_key: str | None = None
    unique_for: float = 0.0
    needs: Sequence[UUID | str] = field(default_factory=tuple)
    priority: int = 5
    service: str | None = None
    max_attempts: int = 3
    delay: float = 0.0
    batch_id: UUID | None = None


def payload(job: JobRow) -> dict[str, Any]:
    """What an event says of a job."""
    return {
        "id": str(job.id),
        "kind": job.kind,
        "queue": job.queue,
        "track_id": str(job.track_id) if job.track_id else None,
        "batch_id": str(job.batch_id) if job.batch_id else None,
        "status": job.status,
        "progress": job.progress,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "error": job.error,
        "scheduled_at": job.scheduled_at.isoformat(),
    }


class Ledger:
    """The jobs of one library.

    Methods that take a connection work inside a write transaction of the caller.

    Parameters
    ----------
    catalog, bus
        Where jobs are written, and where every change is published.
    limits
        How many jobs of each queue may run at once in the whole library.

    Attributes
    ----------
    observers
        Called as ``observer(connection, job)`` in the transaction of each transition.
    """

    def __init__(self, catalog: Catalog, bus: EventBus, *, limits: Mapping[str, int]) -> None:
        self.catalog = catalog
        self.bus = bus
        self.limits = limits
        self.observers: list[Callable[[Connection, JobRow], None]] = []

    # -- inside a transaction --------------------------------------------------------------------------------

    def enqueue(self, connection: Connection, request: JobRequest) -> JobRow:
        """Write a job, or find the one that does the same work."""
        return self.enqueue_all(connection, [request])[0]

    def enqueue_all(self, connection: Connection, requests: Sequence[JobRequest]) -> list[JobRow]:
        """Write jobs; for each request the new job, or the one that does the same work."""
        now = datetime.now(UTC)
        keys = self._active(connection, [request.unique_key for request in requests if request.unique_key is not None])
        new: dict[UUID, JobRow] = {}
        result: list[JobRow] = []
        for number, request in enumerate(requests):
            key = request.unique_key
            same = None if key is None else keys.get(key) or self._recent(connection, request, key)
            if same is None:
                needs = [keys[need].id if isinstance(need, str) else need for need in request.needs]
                # A microsecond apart, so that jobs queued together run in this order.
                same = _queued(request, needs, now + timedelta(microseconds=number))
                new[same.id] = same
            if key is not None:
                keys[key] = same
            result.append(same)
        left = list(new.values())
        while left:  # what is needed comes first
            inserted = [job for job in left if not new.keys() & job.needs]
            table.insert(connection, inserted)
            self._publish(inserted)
            for job in inserted:
                del new[job.id]
            left = list(new.values())
        return result

    def _active(self, connection: Connection, keys: Sequence[str]) -> dict[str, JobRow]:
        """The jobs with these unique keys that wait or run."""
        if not keys:
            return {}
        active = table.get_many(connection, list(table.active_keys(connection, keys).values()))
        return {job.unique_key: job for job in active if job.unique_key is not None}

    def _recent(self, connection: Connection, request: JobRequest, key: str) -> JobRow | None:
        return table.recent_with_key(connection, key, request.unique_for) if request.unique_for else None

    def claim(
        self, connection: Connection, kinds: Mapping[str, str], *, holder: str, only: Sequence[UUID] | None = None
    ) -> list[JobRow]:
        """Take what may start now; see `sfa_kernel.catalog.jobs.claim`."""
        claimed = table.claim(connection, self.limits, kinds, holder=holder, only=only)
        self._changed(connection, claimed)
        return claimed

    def complete(
        self,
        connection: Connection,
        jobs: Sequence[JobRow],
        write: Callable[[JobRow], None] = lambda _: None,
    ) -> list[JobRow]:
        """Running jobs have done their work. Returns those that were still theirs to complete.

        Parameters
        ----------
        write
            Called for each of these, to write what it has done and to queue what follows: a batch has not ended
            while something of it waits.
        """
        done = table.transition(connection, jobs, "completed")
        if done:
            table.unblock(connection, [job.id for job in done])
            for service in {job.service for job in done} - {None}:
                breakers.worked(connection, str(service))
        for job in done:
            write(job)
        self._changed(connection, done)
        return done

    def requeue(
        self, connection: Connection, job: JobRow, reason: str, *, delay: float, more_attempts: int = 0
    ) -> list[JobRow]:
        """A running job is to be tried again after ``delay`` seconds."""
        changed = table.transition(connection, [job], "queued", error=reason, delay=delay, more_attempts=more_attempts)
        self._changed(connection, changed)
        return changed

    def end(self, connection: Connection, job: JobRow, status: str, reason: str) -> list[JobRow]:
        """End a job as failed or cancelled, and call off those that wait for it."""
        changed = table.transition(connection, [job], status, error=reason)
        self._call_off(connection, changed)
        self._changed(connection, changed)
        return changed

    def _changed(self, connection: Connection, jobs: Sequence[JobRow]) -> None:
        for job in jobs:
            for observer in self.observers:
                observer(connection, job)
        self._publish(jobs)
        ended = [job for job in jobs if job.status not in ACTIVE]
        for track_id, last in {job.track_id: job for job in ended if job.track_id is not None}.items():
            if not table.any_active(connection, "track_id", track_id):
                self._publish_after(f"pipeline:{track_id}", _pipeline(table.pipeline(connection, last)))
        for batch_id in {job.batch_id for job in ended if job.batch_id is not None}:
            if not table.any_active(connection, "batch_id", batch_id):
                pauses.forget(connection, batch_id)
                self._publish_after(f"batch:{batch_id}", {"id": str(batch_id), **table.batch(connection, batch_id)})

    def _publish(self, jobs: Iterable[JobRow]) -> None:
        for job in jobs:
            self.catalog.after_commit(partial(self.bus.publish, f"jobs:{job.id}", payload(job)))

    def _publish_after(self, topic: str, data: dict[str, Any]) -> None:
        self.catalog.after_commit(partial(self.bus.publish, topic, data))

    # -- whole transactions ----------------------------------------------------------------------------------

    def get(self, job_id: UUID) -> JobRow:
        """One job.

        Raises
        ------
        NotFoundError
            When there is none with that id.
        """
        with self.catalog.read() as connection:
            return table.get(connection, job_id)

    def jobs(
        self,
        ids: Sequence[UUID] | None = None,
        *,
        active: bool = False,
        statuses: Sequence[str] | None = None,
        queue: str | None = None,
        kind: str | None = None,
        track_id: UUID | None = None,
        batch_id: UUID | None = None,
        limit: int = 500,
        offset: int = 0,
    ) -> list[JobRow]:
        """Jobs by id, or the newest first."""
        with self.catalog.read() as connection:
            if ids is not None:
                return table.get_many(connection, ids)
            return table.listing(
                connection,
                statuses=ACTIVE if active else statuses,
                queue=queue,
                kind=kind,
                track_id=track_id,
                batch_id=batch_id,
                limit=limit,
                offset=offset,
            )

    def queues(self) -> list[dict[str, Any]]:
        """Each queue: ``queue, limit, running, waiting, retrying, failed``."""
        with self.catalog.read() as connection:
            found = table.queues(connection)
        nothing = {"running": 0, "waiting": 0, "retrying": 0, "failed": 0}
        return [{"queue": name, "limit": limit, **found.get(name, nothing)} for name, limit in self.limits.items()]

    def services(self) -> list[dict[str, Any]]:
        """External services that failed too often and are left alone: ``service, failures, trial_at``."""
        with self.catalog.read() as connection:
            return breakers.left_alone(connection)

    def paused(self) -> list[dict[str, Any]]:
        """Paused batches: ``batch_id, paused_at``, and how many of its jobs are ``waiting``."""
        with self.catalog.read() as connection:
            return pauses.listing(connection)

    def pause(self, batch_id: UUID) -> None:
        """Let what waits of a batch wait on, in all processes; its jobs at hand are finished.

        A batch that ends, or is cancelled, is no longer paused.

        Raises
        ------
        TransitionError
            When nothing of it waits or runs.
        """
        with self.catalog.write() as connection:
            if not table.any_active(connection, "batch_id", batch_id):
                raise TransitionError("There is nothing to pause: this work is done, or was stopped.")
            if pauses.put(connection, batch_id):
                self._tell_pause(batch_id, paused=True)

    def resume(self, batch_id: UUID) -> None:
        """Let a paused batch go on; of one that is not paused, nothing changes."""
        with self.catalog.write() as connection:
            if pauses.forget(connection, batch_id):
                self._tell_pause(batch_id, paused=False)

    def _tell_pause(self, batch_id: UUID, *, paused: bool) -> None:
        self._publish_after(f"batch:{batch_id}", {"id": str(batch_id), "paused": paused})
        # Its jobs may be thousands: whoever shows them looks again.
        self._publish_after("jobs", {"paused" if paused else "resumed": str(batch_id)})

    def cancel(self, ids: Sequence[UUID]) -> list[JobRow]:
        """Stop jobs that wait or run, and those that need them. Returns the ones that were stopped."""
        with self.catalog.write() as connection:
            return self._cancel(connection, table.get_many(connection, ids))

    def cancel_all(self, queue: str | None = None) -> list[JobRow]:
        """Stop every job that waits or runs, or those of one queue. Returns the ones that were stopped."""
        with self.catalog.write() as connection:
            return self._cancel(
                connection, table.listing(connection, statuses=ACTIVE, queue=queue, limit=1_000_000_000)
            )

    def _cancel(self, connection: Connection, jobs: Sequence[JobRow]) -> list[JobRow]:
        changed = table.transition(
            connection, [job for job in jobs if job.status in ACTIVE], "cancelled", error=CANCELLED
        )
        self._call_off(connection, changed)
        self._changed(connection, changed)
        return changed

    def _call_off(self, connection: Connection, ended: list[JobRow]) -> None:
        """Cancel what waits for jobs that will not be completed, and add it to them."""
        waiting = list(ended)
        while waiting:
            dependents = table.dependents(connection, [job.id for job in waiting], status="queued")
            waiting = table.transition(connection, dependents, "cancelled", error=NEEDED_FAILED)
            ended += waiting

    def retry(self, ids: Sequence[UUID]) -> list[JobRow]:
        """Queue failed and cancelled jobs again.

        With them come the steps they need that have failed too, and those that were called off because of them.
        Of several jobs that did the same work only the newest is queued, and none while that work is waiting or
        running already; what needs one of the others then waits for that job instead.

        Raises
        ------
        TransitionError
            When all of them are done, or their work is waiting or running already.
        """
        with self.catalog.write() as connection:
            changed = table.transition(connection, self._to_retry(connection, ids), "queued")
            if ids and not changed:
                raise TransitionError("Nothing to try again: this work is done, waiting or running.")
            self._changed(connection, changed)
        return changed

    def _to_retry(self, connection: Connection, ids: Sequence[UUID]) -> list[JobRow]:
        found: dict[UUID, JobRow] = {}
        waiting = table.get_many(connection, ids)
        while waiting:
            again = [job for job in waiting if job.status in ("failed", "cancelled") and job.id not in found]
            found |= {job.id: job for job in again}
            called_off = table.dependents(connection, [job.id for job in again], status="cancelled") if again else []
            waiting = [job for job in called_off if job.error == NEEDED_FAILED]
            waiting += table.get_many(connection, [need for job in again for need in job.needs])
        newest = sorted(found.values(), key=lambda job: job.created_at)
        by_work = {job.unique_key or str(job.id): job for job in newest}
        in_use = table.active_keys(connection, list(by_work))
        chosen = [job for key, job in by_work.items() if key not in in_use]
        # Who does the work of each job that is found: itself, or another.
        does = {job.id: in_use.get(key) or by_work[key].id for job in newest if (key := job.unique_key)}
        for job in chosen:
            needs = list(dict.fromkeys(does.get(need, need) for need in job.needs))
            if needs != job.needs:
                table.replace_needs(connection, job, needs)
        return chosen

    def prune(self, days: float) -> int:
        """Forget jobs that ended more than ``days`` ago. Returns how many."""
        with self.catalog.write() as connection:
            forgotten = len(table.prune(connection, days))
            if forgotten:
                self._publish_after("jobs", {"forgotten": forgotten})
        return forgotten

    def wait(self, ids: Sequence[UUID], *, timeout: float | None = None) -> list[JobRow]:
        """Wait until all these jobs have ended, and return them as they stand then or at the time-out."""
        ended = threading.Event()
        missing: set[str] = set()  # whose end has neither been seen nor heard of
        deadline = None if timeout is None else time.monotonic() + timeout

        def on_event(event: Event) -> None:
            if event.data.get("status") not in ACTIVE:
                missing.discard(str(event.data.get("id")))
                if not missing:
                    ended.set()

        with self.bus.subscribe("jobs:*", on_event):
            while True:
                ended.clear()
                missing.update(str(job_id) for job_id in ids)
                try:
                    jobs = self.jobs(ids)
                except BusyError:
                    # That somebody writes much just now is no reason to stop waiting.
                    if deadline is not None and time.monotonic() > deadline:
                        raise
                    continue
                active = {str(job.id) for job in jobs if job.status in ACTIVE}
                missing.difference_update({str(job_id) for job_id in ids} - active)
                left = None if deadline is None else deadline - time.monotonic()
                if not active or (left is not None and left <= 0):
                    return jobs
                if missing:
                    # Look again now and then: the process that would have published may have died.
                    ended.wait(min(2.0, left) if left is not None else 2.0)


def _queued(request: JobRequest, needs: Sequence[UUID], now: datetime) -> JobRow:
    return JobRow(
        id=uuid4(),
        kind=request.kind,
        queue=request.queue,
        track_id=request.track_id,
        batch_id=request.batch_id,
        arguments=request.arguments,
        status="queued",
        progress=0,
        attempt=0,
        max_attempts=request.max_attempts,
        priority=request.priority,
        unique_key=request.unique_key,
        active_key=request.unique_key,
        service=request.service,
        needs=list(needs),
        blockers=0,  # counted when it is written
        created_at=now,
        scheduled_at=now + timedelta(seconds=request.delay),
        started_at=None,
        heartbeat_at=None,
        ended_at=None,
        holder=None,
        error=None,
    )


def _pipeline(stages: Sequence[JobRow]) -> dict[str, Any]:
    """What an event says of the pipeline of a track that has come to its end."""
    statuses = [job.status for job in stages]
    begun = [job.started_at for job in stages if job.started_at is not None]
    return {
        "track_id": str(stages[0].track_id),
        "status": next((bad for bad in ("failed", "cancelled") if bad in statuses), "completed"),
        "stages": {job.kind: job.status for job in stages},
        "started_at": min(begun).isoformat() if begun else None,
        "ended_at": max(job.ended_at for job in stages if job.ended_at is not None).isoformat(),
    }
