"""Enqueue, cancel, retry and watch jobs: each change goes to the catalogue, then out as an event."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.catalog import jobs as table
from sfa_kernel.catalog.jobs import ACTIVE, JobRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.catalog import Catalog, Connection
    from sfa_kernel.events import Event, EventBus

__all__ = ["JobRequest", "Ledger", "payload"]

MAX_ATTEMPTS = 3
NEEDED_FAILED = "A step before it did not finish."


@dataclass(frozen=True)
class JobRequest:
    """A job to be enqueued.

    Attributes
    ----------
    unique_key
        Names the work: while a job with the same key is active, that one is returned instead.
    needs
        Jobs that must be completed before this one may start.
    """

    kind: str
    queue: str
    track_id: UUID | None
    arguments: dict[str, Any]
    unique_key: str | None = None
    needs: Sequence[UUID] = field(default_factory=tuple)
    priority: int = 5


def payload(job: JobRow) -> dict[str, Any]:
    """What an event says of a job."""
    return {
        "id": str(job.id),
        "kind": job.kind,
        "track_id": str(job.track_id) if job.track_id else None,
        "status": job.status,
        "progress": job.progress,
        "attempt": job.attempt,
        "error": job.error,
    }


class Ledger:
    """The jobs of one library.

    Parameters
    ----------
    catalog, bus
        Where jobs are written, and where every change is published.
    """

    def __init__(self, catalog: Catalog, bus: EventBus) -> None:
        self.catalog = catalog
        self.bus = bus

    def publish(self, *jobs: JobRow) -> None:
        """Tell everybody how these jobs stand; call it after the commit."""
        for job in jobs:
            self.bus.publish(f"jobs:{job.id}", payload(job))

    def enqueue(self, connection: Connection, request: JobRequest) -> JobRow:
        """Write a job inside a transaction of the caller, who publishes it after the commit."""
        if request.unique_key is not None:
            active = table.active_with_key(connection, request.unique_key)
            if active is not None:
                return active
        now = datetime.now(UTC)
        job = JobRow(
            id=uuid4(),
            kind=request.kind,
            queue=request.queue,
            track_id=request.track_id,
            arguments=request.arguments,
            status="queued",
            progress=0,
            attempt=0,
            max_attempts=MAX_ATTEMPTS,
            priority=request.priority,
            unique_key=request.unique_key,
            active_key=request.unique_key,
            needs=list(request.needs),
            created_at=now,
            scheduled_at=now,
            started_at=None,
            heartbeat_at=None,
            ended_at=None,
            holder=None,
            error=None,
        )
        table.insert(connection, job)
        return job

    def jobs(
        self,
        ids: Sequence[UUID] | None = None,
        *,
        active: bool = False,
        track_id: UUID | None = None,
        limit: int = 500,
    ) -> list[JobRow]:
        """Jobs by id, or the newest first."""
        with self.catalog.read() as connection:
            if ids is not None:
                return table.get_many(connection, ids)
            statuses = ACTIVE if active else None
            return table.listing(connection, statuses=statuses, track_id=track_id, limit=limit)

    def cancel(self, ids: Sequence[UUID]) -> list[JobRow]:
        """Stop jobs that wait or run, and those that need them. Returns the ones that were stopped."""
        with self.catalog.write() as connection:
            changed = [
                stopped
                for job in table.get_many(connection, ids)
                if job.status in ACTIVE
                for stopped in self._end(connection, job, "cancelled", "Cancelled on request.")
            ]
        self.publish(*changed)
        return changed

    def retry(self, ids: Sequence[UUID]) -> list[JobRow]:
        """Queue failed and cancelled jobs again, with the steps that were called off because of them."""
        changed: list[JobRow] = []
        with self.catalog.write() as connection:
            waiting = [job for job in table.get_many(connection, ids) if job.status in ("failed", "cancelled")]
            while waiting:
                job = waiting.pop(0)
                changed.append(table.transition(connection, job, "queued"))
                waiting += [
                    d
                    for d in table.dependents(connection, job.id)
                    if d.status == "cancelled" and d.error == NEEDED_FAILED
                ]
        self.publish(*changed)
        return changed

    def fail(self, job: JobRow, reason: str, *, retry_in: float | None = None) -> list[JobRow]:
        """End an attempt: back to the queue after ``retry_in`` seconds, or failed for good."""
        with self.catalog.write() as connection:
            if retry_in is not None:
                changed = [table.transition(connection, job, "queued", error=reason, delay=retry_in)]
            else:
                changed = self._end(connection, job, "failed", reason)
        self.publish(*changed)
        return changed

    def _end(self, connection: Connection, job: JobRow, status: str, reason: str) -> list[JobRow]:
        changed = [table.transition(connection, job, status, error=reason)]
        for dependent in table.dependents(connection, job.id):
            if dependent.status == "queued":
                changed += self._end(connection, dependent, "cancelled", NEEDED_FAILED)
        return changed

    def wait(self, ids: Sequence[UUID], *, timeout: float | None = None) -> list[JobRow]:
        """Wait until all these jobs have ended, and return them as they stand then or at the time-out."""
        changed = threading.Event()
        deadline = None if timeout is None else time.monotonic() + timeout

        def on_event(event: Event) -> None:
            if event.data.get("status") not in ACTIVE:
                changed.set()

        with self.bus.subscribe("jobs:*", on_event):
            while True:
                changed.clear()
                jobs = self.jobs(ids)
                left = None if deadline is None else deadline - time.monotonic()
                if all(job.status not in ACTIVE for job in jobs) or (left is not None and left <= 0):
                    return jobs
                # Look again now and then: the process that would have published may have died.
                changed.wait(min(2.0, left) if left is not None else 2.0)
