"""The ledger of jobs: every status change is checked and written here, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch, fetch_one
from sfa_kernel.errors import InternalError, NotFoundError, TransitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = [
    "ACTIVE",
    "TRANSITIONS",
    "JobRow",
    "active_with_key",
    "beat",
    "claim",
    "claimable",
    "counts",
    "dependents",
    "get",
    "get_many",
    "insert",
    "listing",
    "next_scheduled",
    "silent_since",
    "transition",
]

# From each status, where a job may go. Failed and cancelled jobs come back only by a retry.
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"processing", "cancelled"}),
    "processing": frozenset({"completed", "failed", "cancelled", "queued"}),
    "completed": frozenset(),
    "failed": frozenset({"queued"}),
    "cancelled": frozenset({"queued"}),
}
ACTIVE = ("queued", "processing")


@dataclass(frozen=True)
class JobRow:
    """One row of the table ``jobs``; the migration says what each column means."""

    id: UUID
    kind: str
    queue: str
    track_id: UUID | None
    arguments: dict[str, Any]
    status: str
    progress: int
    attempt: int
    max_attempts: int
    priority: int
    unique_key: str | None
    active_key: str | None
    needs: list[UUID]
    created_at: datetime
    scheduled_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    ended_at: datetime | None
    holder: str | None
    error: str | None

    @property
    def subject(self) -> UUID:
        """The track this job is about.

        Raises
        ------
        InternalError
            When it is about none.
        """
        if self.track_id is None:
            raise InternalError(f"Job {self.id} ({self.kind}) is about no track.")
        return self.track_id


_NAMES = [field.name for field in fields(JobRow)]
_COLUMNS = ", ".join(_NAMES)
_READY = """
    j.status = 'queued' AND j.scheduled_at <= now() AND NOT EXISTS (
        SELECT 1 FROM jobs n WHERE list_contains(j.needs, n.id) AND n.status <> 'completed')
"""


def _job(row: dict[str, Any]) -> JobRow:
    row["arguments"] = json.loads(row["arguments"])
    return JobRow(**row)


def insert(connection: Connection, job: JobRow) -> None:
    """Add a job."""
    values = [getattr(job, name) for name in _NAMES]
    values[_NAMES.index("arguments")] = json.dumps(job.arguments)
    connection.execute(
        f"INSERT INTO jobs ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
        values,
    )


def get(connection: Connection, job_id: UUID) -> JobRow:
    """One job.

    Raises
    ------
    NotFoundError
        When there is none with that id.
    """
    row = fetch_one(connection, f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", [job_id])  # noqa: S608 - our own names
    if row is None:
        raise NotFoundError(f"There is no job {job_id} in this library.")
    return _job(row)


def get_many(connection: Connection, job_ids: Sequence[UUID]) -> list[JobRow]:
    """Several jobs in the order asked for; unknown ids are left out."""
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM jobs WHERE id IN (SELECT unnest(?))",  # noqa: S608 - our own names
        [list(job_ids)],
    )
    by_id = {row["id"]: _job(row) for row in rows}
    return [by_id[job_id] for job_id in job_ids if job_id in by_id]


def listing(
    connection: Connection,
    *,
    statuses: Sequence[str] | None = None,
    track_id: UUID | None = None,
    limit: int = 500,
) -> list[JobRow]:
    """Jobs, the newest first."""
    clauses, parameters = ["true"], []
    if statuses is not None:
        clauses.append("status IN (SELECT unnest(?))")
        parameters.append(list(statuses))
    if track_id is not None:
        clauses.append("track_id = ?")
        parameters.append(track_id)  # type: ignore[arg-type] # a mixed list of SQL parameters
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM jobs WHERE {' AND '.join(clauses)} "  # noqa: S608 - text of ours
        "ORDER BY created_at DESC, id LIMIT ?",
        [*parameters, limit],
    )
    return [_job(row) for row in rows]


def active_with_key(connection: Connection, unique_key: str) -> JobRow | None:
    """The active job with this unique key, if there is one."""
    row = fetch_one(connection, f"SELECT {_COLUMNS} FROM jobs WHERE active_key = ?", [unique_key])  # noqa: S608 - our own names
    return _job(row) if row else None


def counts(connection: Connection) -> dict[str, int]:
    """How many jobs are in each status."""
    found = {
        row["status"]: row["n"] for row in fetch(connection, "SELECT status, count(*) AS n FROM jobs GROUP BY ALL")
    }
    return {status: found.get(status, 0) for status in TRANSITIONS}


def claimable(connection: Connection, limits: Mapping[str, int], *, only: Sequence[UUID] | None = None) -> bool:
    """Whether some queue has a job that is ready and room for it."""
    return _next(connection, limits, only) is not None


def claim(
    connection: Connection, limits: Mapping[str, int], *, holder: str, only: Sequence[UUID] | None = None
) -> JobRow | None:
    """Take the next ready job, within each queue's limit over all processes.

    Parameters
    ----------
    limits
        For each queue this runner can serve now, how many jobs may run at once in the whole library.
    holder
        Who takes it, as ``host:pid``.
    only
        Take none but these.
    """
    job_id = _next(connection, limits, only)
    return None if job_id is None else transition(connection, get(connection, job_id), "processing", holder=holder)


def _next(connection: Connection, limits: Mapping[str, int], only: Sequence[UUID] | None) -> UUID | None:
    for queue, limit in limits.items():
        if _room(connection, queue, limit) > 0:
            job_id = _ready(connection, queue, only)
            if job_id is not None:
                return job_id
    return None


def _room(connection: Connection, queue: str, limit: int) -> int:
    row = connection.execute("SELECT count(*) FROM jobs WHERE status = 'processing' AND queue = ?", [queue]).fetchone()
    return limit - (int(row[0]) if row else 0)


def _ready(connection: Connection, queue: str, only: Sequence[UUID] | None) -> UUID | None:
    clause, parameters = ("true", []) if only is None else ("j.id IN (SELECT unnest(?))", [list(only)])
    row = connection.execute(
        f"SELECT j.id FROM jobs j WHERE j.queue = ? AND {_READY} AND {clause} "  # noqa: S608 - text of ours
        "ORDER BY j.priority, j.created_at, j.id LIMIT 1",
        [queue, *parameters],
    ).fetchone()
    return row[0] if row else None


def next_scheduled(connection: Connection) -> datetime | None:
    """When the next queued job that waits for its time becomes ready."""
    row = connection.execute(
        "SELECT min(scheduled_at) FROM jobs WHERE status = 'queued' AND scheduled_at > now()"
    ).fetchone()
    return row[0] if row else None


def transition(
    connection: Connection,
    job: JobRow,
    status: str,
    *,
    holder: str | None = None,
    error: str | None = None,
    delay: float = 0.0,
) -> JobRow:
    """Move a job to another status: the only place that writes one.

    Parameters
    ----------
    job
        The job as its writer last saw it: when status or attempt have changed since, nothing is written.
    status
        Where it goes.
    holder, error
        Who runs it now; why it failed, was cancelled or has to wait.
    delay
        For a job that goes back to the queue, when it is ready again [s].

    Raises
    ------
    TransitionError
        When the table `TRANSITIONS` does not allow it, or the job has moved on in the meantime.
    """
    current = get(connection, job.id)
    if (current.status, current.attempt) != (job.status, job.attempt):
        raise TransitionError(f"Job {job.id} has moved on to {current.status}, attempt {current.attempt}.")
    if status not in TRANSITIONS[current.status]:
        raise TransitionError(f"A job that is {current.status} cannot become {status}.")
    now = datetime.now(UTC)
    changed: dict[str, Any] = {"status": status, "error": error}
    if status == "processing":
        changed |= {"attempt": current.attempt + 1, "progress": 0, "holder": holder, "ended_at": None}
        changed |= {"started_at": now, "heartbeat_at": now}
    elif status == "queued":
        changed |= {
            "holder": None,
            "progress": 0,
            "ended_at": None,
            "scheduled_at": now + timedelta(seconds=delay),
        }
        if current.status in ("failed", "cancelled"):
            changed |= _as_retried(connection, current)
    else:
        changed |= {"holder": None, "active_key": None, "ended_at": now}
        changed |= {"progress": 100} if status == "completed" else {}
    assignments = ", ".join(f"{name} = ?" for name in changed)
    connection.execute(f"UPDATE jobs SET {assignments} WHERE id = ?", [*changed.values(), job.id])  # noqa: S608 - our own names
    return get(connection, job.id)


def _as_retried(connection: Connection, job: JobRow) -> dict[str, Any]:
    # Attempts count on, so that a late word from a dead attempt can never be taken for the new one.
    changed: dict[str, Any] = {"max_attempts": job.attempt + 3, "active_key": job.unique_key}
    if job.unique_key is not None and active_with_key(connection, job.unique_key) is not None:
        raise TransitionError(f"The same work ({job.kind}) is already waiting or running for this track.")
    return changed


def beat(connection: Connection, job: JobRow, progress: int) -> None:
    """Say that a running job lives, and how far it is; a late word from an ended attempt changes nothing."""
    connection.execute(
        "UPDATE jobs SET heartbeat_at = now(), progress = greatest(progress, ?) "
        "WHERE id = ? AND attempt = ? AND status = 'processing'",
        [progress, job.id, job.attempt],
    )


def silent_since(connection: Connection, seconds: float) -> list[JobRow]:
    """Running jobs whose holder has been silent for longer than ``seconds``."""
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM jobs WHERE status = 'processing' AND heartbeat_at < now() - to_seconds(?)",  # noqa: S608 - our own names
        [seconds],
    )
    return [_job(row) for row in rows]


def dependents(connection: Connection, job_id: UUID) -> list[JobRow]:
    """The jobs that need this one, directly."""
    rows = fetch(connection, f"SELECT {_COLUMNS} FROM jobs WHERE list_contains(needs, ?)", [job_id])  # noqa: S608 - our own names
    return [_job(row) for row in rows]
