"""The table of jobs: every status change is checked and written here, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import breakers, pauses
from sfa_kernel.catalog.rows import fetch, fetch_one
from sfa_kernel.errors import InternalError, NotFoundError, TransitionError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = [
    "ACTIVE",
    "ORDERS",
    "RUNNING",
    "TRANSITIONS",
    "JobRow",
    "active_keys",
    "active_of_track",
    "active_with_key",
    "any_active",
    "batch",
    "batch_brought",
    "batch_kinds",
    "beat",
    "claim",
    "claimable",
    "counts",
    "dependents",
    "get",
    "get_many",
    "insert",
    "listing",
    "newest_with_keys",
    "next_ready",
    "note",
    "pipeline",
    "prune",
    "queues",
    "recent_with_key",
    "replace_needs",
    "silent_since",
    "transition",
    "unblock",
]

RUNNING = ("downloading", "processing")
ACTIVE = ("queued", *RUNNING)
ENDED = ("completed", "failed", "cancelled")
# From each status, where a job may go. Failed and cancelled jobs come back only by a retry.
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "queued": frozenset({*RUNNING, "cancelled"}),
    "downloading": frozenset({"processing", *ENDED, "queued"}),
    "processing": frozenset({*ENDED, "queued"}),
    "completed": frozenset(),
    "failed": frozenset({"queued"}),
    "cancelled": frozenset({"queued"}),
}
MOST_REFUSED = 50  # files that are named
_BRINGS_SONGS = ("import", "upload", "download")
RETRY_ATTEMPTS = 3  # how many more a person's retry grants


@dataclass(frozen=True)
class JobRow:
    """One row of the table ``jobs``; the migration says what each column means."""

    id: UUID
    kind: str
    queue: str
    track_id: UUID | None
    batch_id: UUID | None
    arguments: dict[str, Any]
    status: str
    progress: int
    attempt: int
    max_attempts: int
    priority: int
    unique_key: str | None
    active_key: str | None
    service: str | None
    needs: list[UUID]
    blockers: int
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
_TYPES = {
    **dict.fromkeys(("id", "track_id", "batch_id"), "UUID"),
    **dict.fromkeys(("progress", "attempt", "max_attempts", "priority", "blockers"), "INTEGER"),
    **dict.fromkeys(("created_at", "scheduled_at", "started_at", "heartbeat_at", "ended_at"), "TIMESTAMPTZ"),
    "arguments": "JSON",
    "needs": "UUID[]",
}  # of those that are no texts
# That a job has not ended is asked first: the column of times is quicker to look through than that of statuses.
_ACTIVE = "ended_at IS NULL"
_RUNS = "ended_at IS NULL AND status IN ('downloading', 'processing')"
_READY = (
    "ended_at IS NULL AND status = 'queued' AND blockers = 0 AND scheduled_at <= now() "
    f"AND {pauses.LEFT_OUT} IS NOT TRUE"
)
_RETRIES = "status = 'queued' AND attempt > 0 AND scheduled_at > now()"
ORDERS = {
    "newest": "created_at DESC",
    "ended": "ended_at DESC",
    # What failed and waits for its next try, then what may start, then what has to wait for something.
    "next": f"CASE WHEN {_RETRIES} THEN scheduled_at END NULLS LAST, blockers > 0 OR scheduled_at > now(), "
    "priority, created_at",
}


def _jobs(rows: Iterable[dict[str, Any]]) -> list[JobRow]:
    return [JobRow(**{**row, "arguments": json.loads(row["arguments"])}) for row in rows]


def _select(connection: Connection, rest: str, parameters: Sequence[object] = ()) -> list[JobRow]:
    return _jobs(fetch(connection, f"SELECT {_COLUMNS} FROM jobs {rest}", list(parameters)))  # noqa: S608 - text of ours


# -- asking --------------------------------------------------------------------------------------------------


def get(connection: Connection, job_id: UUID) -> JobRow:
    """One job.

    Raises
    ------
    NotFoundError
        When there is none with that id.
    """
    found = _select(connection, "WHERE id = ?", [job_id])
    if not found:
        raise NotFoundError(f"There is no job {job_id} in this library.")
    return found[0]


def get_many(connection: Connection, job_ids: Collection[UUID]) -> list[JobRow]:
    """Several jobs in the order asked for; unknown ids are left out."""
    clause, parameters = _among(job_ids)
    by_id = {job.id: job for job in _select(connection, f"WHERE {clause}", parameters)}
    return [by_id[job_id] for job_id in job_ids if job_id in by_id]


def listing(
    connection: Connection,
    *,
    statuses: Sequence[str] | None = None,
    queue: str | None = None,
    kind: str | None = None,
    track_id: UUID | None = None,
    batch_id: UUID | None = None,
    order: str = "newest",
    limit: int = 500,
    offset: int = 0,
) -> list[JobRow]:
    """Jobs in one of the orders of `ORDERS`: the newest first, the last to end first, or the next to run first."""
    clauses: list[str] = ["true"]
    parameters: list[object] = []
    if statuses is not None:
        clauses.append("status IN (SELECT unnest(?))")
        parameters.append(list(statuses))
    for name, value in (("queue", queue), ("kind", kind), ("track_id", track_id), ("batch_id", batch_id)):
        if value is not None:
            clauses.append(f"{name} = ?")
            parameters.append(value)
    where = " AND ".join(clauses)
    return _select(
        connection, f"WHERE {where} ORDER BY {ORDERS[order]}, id LIMIT ? OFFSET ?", [*parameters, limit, offset]
    )


def pipeline(connection: Connection, last: JobRow) -> list[JobRow]:
    """The pipeline of a track that ends with this job.

    The newest job of each kind that was under way since this one, or another of its batch, was asked for.
    """
    return _select(
        connection,
        "WHERE track_id = $1 AND ended_at >= "
        "(SELECT min(created_at) FROM jobs WHERE track_id = $1 AND (id = $2 OR batch_id = $3)) "
        "QUALIFY row_number() OVER (PARTITION BY kind ORDER BY created_at DESC, id) = 1",
        [last.track_id, last.id, last.batch_id],
    )


def active_of_track(connection: Connection, track_ids: Sequence[UUID]) -> list[JobRow]:
    """The jobs of these tracks that wait or run."""
    return _select(connection, f"WHERE {_ACTIVE} AND track_id IN (SELECT unnest(?))", [list(track_ids)])


def any_active(connection: Connection, column: str, value: UUID) -> bool:
    """Whether a job of this track or batch (``column`` is ``track_id`` or ``batch_id``) waits or runs."""
    query = f"SELECT 1 FROM jobs WHERE {_ACTIVE} AND {column} = ? LIMIT 1"  # noqa: S608 - our own names
    return connection.execute(query, [value]).fetchone() is not None


def active_with_key(connection: Connection, unique_key: str) -> JobRow | None:
    """The active job with this unique key, if there is one."""
    return next(iter(_select(connection, "WHERE active_key = ?", [unique_key])), None)


def recent_with_key(connection: Connection, unique_key: str, seconds: float) -> JobRow | None:
    """The newest job with this unique key that is completed and was queued in the last ``seconds``, if any."""
    found = _select(
        connection,
        "WHERE unique_key = ? AND status = 'completed' AND created_at > now() - to_seconds(?) "
        "ORDER BY created_at DESC LIMIT 1",
        [unique_key, seconds],
    )
    return found[0] if found else None


def newest_with_keys(connection: Connection, unique_keys: Sequence[str]) -> dict[str, JobRow]:
    """The newest job with each of these unique keys, ended or not."""
    found = _select(
        connection,
        "WHERE unique_key IN (SELECT unnest(?::VARCHAR[])) "
        "QUALIFY row_number() OVER (PARTITION BY unique_key ORDER BY created_at DESC, id) = 1",
        [list(unique_keys)],
    )
    return {job.unique_key: job for job in found if job.unique_key is not None}


def dependents(connection: Connection, job_ids: Sequence[UUID], *, status: str) -> list[JobRow]:
    """The jobs in this status that need one of these, directly."""
    return _select(connection, "WHERE status = ? AND list_has_any(needs, ?::UUID[])", [status, list(job_ids)])


def counts(connection: Connection) -> dict[str, int]:
    """How many jobs are in each status."""
    found = {
        row["status"]: row["n"] for row in fetch(connection, "SELECT status, count(*) AS n FROM jobs GROUP BY ALL")
    }
    return {status: found.get(status, 0) for status in TRANSITIONS}


def queues(connection: Connection) -> dict[str, dict[str, int]]:
    """For each queue that has any jobs how many are running, waiting, retrying and failed."""
    rows = fetch(
        connection,
        f"""
        SELECT queue, count(*) FILTER ({_RUNS}) AS running,
               count(*) FILTER (status = 'queued' AND (attempt = 0 OR scheduled_at <= now())) AS waiting,
               count(*) FILTER (status = 'queued' AND attempt > 0 AND scheduled_at > now()) AS retrying,
               count(*) FILTER (status = 'failed') AS failed
        FROM jobs GROUP BY queue
        """,  # noqa: S608 - text of ours
    )
    return {row.pop("queue"): row for row in rows}


def batch(connection: Connection, batch_id: UUID) -> dict[str, Any]:
    """How a batch ended: ``jobs, completed, failed, cancelled, tracks``, and ``seconds`` since it was queued."""
    row = fetch_one(
        connection,
        """
        SELECT count(*) AS jobs, count(*) FILTER (status = 'completed') AS completed,
               count(*) FILTER (status = 'failed') AS failed,
               count(*) FILTER (status = 'cancelled') AS cancelled, count(DISTINCT track_id) AS tracks,
               coalesce(epoch(max(ended_at)) - epoch(min(created_at)), 0) AS seconds
        FROM jobs WHERE batch_id = ?
        """,
        [batch_id],
    )
    return row or {}


def batch_kinds(connection: Connection, batch_id: UUID) -> list[dict[str, Any]]:
    """How many ``jobs`` of each ``kind`` of a batch have each ``status``."""
    return fetch(
        connection,
        "SELECT kind, status, count(*) AS jobs FROM jobs WHERE batch_id = ? GROUP BY ALL ORDER BY kind, status",
        [batch_id],
    )


def batch_brought(connection: Connection, batch_id: UUID) -> dict[str, Any]:
    """What the jobs of a batch noted of what they brought in (see `note`).

    Returns
    -------
    dict
        ``new``, ``known``: songs that came, and that were there; ``refused``: name and reason of the first files that
        cannot be used; ``playlists``: ids.
    """
    rows = fetch(
        connection,
        """
        SELECT kind, arguments->'$.new' AS new, arguments->'$.known' AS known, arguments->'$.refused' AS refused,
               arguments->'$.playlists' AS playlists
        FROM jobs WHERE batch_id = ? AND status = 'completed' AND kind IN
            ('import', 'upload', 'download', 'lookup', 'playlist_file') ORDER BY created_at, id
        """,
        [batch_id],
    )
    new = known = 0
    refused: list[list[str]] = []
    playlists: dict[str, None] = {}
    for row in rows:
        said = {name: json.loads(row[name]) for name in ("new", "known", "refused", "playlists") if row[name]}
        if row["kind"] in _BRINGS_SONGS:  # of a playlist it counts entries
            new += int(said.get("new") or 0)
            known += int(said.get("known") or 0)
        refused += said.get("refused") or []
        playlists |= dict.fromkeys(said.get("playlists") or [])
    return {"new": new, "known": known, "refused": refused[:MOST_REFUSED], "playlists": list(playlists)}


# -- changing ------------------------------------------------------------------------------------------------


def insert(connection: Connection, jobs: Sequence[JobRow]) -> None:
    """Add jobs; how many of their needs are not completed is counted here."""
    if not jobs:
        return
    open_needs = _open_needs(connection, jobs)
    columns = {name: [getattr(job, name) for job in jobs] for name in _NAMES}
    columns["arguments"] = [json.dumps(job.arguments) for job in jobs]
    columns["blockers"] = [_blockers(open_needs, job) for job in jobs]
    lists = ", ".join(f"unnest(?::{_TYPES.get(name, 'VARCHAR')}[])" for name in _NAMES)
    connection.execute(
        f"INSERT INTO jobs ({_COLUMNS}) SELECT {lists}",
        list(columns.values()),
    )


def note(connection: Connection, job_id: UUID, facts: dict[str, Any]) -> None:
    """Say in a job's arguments what came of it, for whoever asked for it."""
    connection.execute(
        "UPDATE jobs SET arguments = json_merge_patch(arguments, ?) WHERE id = ?", [json.dumps(facts), job_id]
    )


def transition(
    connection: Connection,
    jobs: Sequence[JobRow],
    status: str,
    *,
    holder: str | None = None,
    error: str | None = None,
    delay: float = 0.0,
    more_attempts: int = 0,
) -> list[JobRow]:
    """Move jobs to another status: the only place that writes one.

    Parameters
    ----------
    jobs
        The jobs as their writer last saw them.
    status
        Where they go.
    holder, error
        Who runs them now; why they failed, were cancelled or have to wait.
    delay
        For jobs that go back to the queue, when they are ready again [s].
    more_attempts
        How many attempts to grant beyond those they had; for what was not the job's fault.

    Returns
    -------
    list of JobRow
        Those that moved. A job whose status or attempt has changed since its writer saw it stays as it is.

    Raises
    ------
    TransitionError
        When the table `TRANSITIONS` does not allow it, or a retry would do work that is under way already.
    """
    if not jobs:
        return []
    seen = {(job.id, job.status, job.attempt) for job in jobs}
    rows = get_many(connection, list(dict.fromkeys(job.id for job in jobs)))
    unmoved = [row for row in rows if (row.id, row.status, row.attempt) in seen]
    return _move(connection, unmoved, status, holder=holder, error=error, delay=delay, more_attempts=more_attempts)


def _move(
    connection: Connection,
    jobs: Sequence[JobRow],
    status: str,
    *,
    holder: str | None = None,
    error: str | None = None,
    delay: float = 0.0,
    more_attempts: int = 0,
) -> list[JobRow]:
    """Write a status; the jobs are as they stand in this transaction."""
    moved: list[JobRow] = []
    for before in dict.fromkeys(job.status for job in jobs):
        if status not in TRANSITIONS[before]:
            raise TransitionError(f"A job that is {before} cannot become {status}.")
        group = [job for job in jobs if job.status == before]
        now = datetime.now(UTC)
        same: dict[str, Any] = {"status": status, "error": error}  # for all jobs of the group
        own: dict[str, Callable[[JobRow], Any]] = {}  # for each job
        if status in RUNNING and before == "queued":
            same |= {"progress": 0, "holder": holder, "started_at": now, "heartbeat_at": now}
            own["attempt"] = lambda job: job.attempt + 1
        elif status == "queued":
            same |= {"holder": None, "progress": 0, "ended_at": None, "scheduled_at": now + timedelta(seconds=delay)}
            if before in RUNNING:
                own["max_attempts"] = lambda job: job.max_attempts + more_attempts
            else:
                _check_retry(connection, group)
                # Attempts count on, so that a late word from a dead attempt can never be taken for the new one.
                own["max_attempts"] = lambda job: job.attempt + RETRY_ATTEMPTS
                own["active_key"] = lambda job: job.unique_key
                open_needs = _open_needs(connection, group)
                own["blockers"] = partial(_blockers, open_needs)
        elif status in ENDED:
            same |= {"holder": None, "active_key": None, "ended_at": now}
            same |= {"progress": 100} if status == "completed" else {}
        after = [replace(job, **same, **{name: value(job) for name, value in own.items()}) for job in group]
        _write(connection, after, [*same, *own])
        moved += after
    order = {job.id: place for place, job in enumerate(jobs)}
    return sorted(moved, key=lambda job: order[job.id])


def _write(connection: Connection, jobs: Sequence[JobRow], names: Iterable[str]) -> None:
    """Write some columns of jobs: with one statement those in which all have the same value, then the others."""
    values = {name: {getattr(job, name) for job in jobs} for name in names}
    same = {name: found.pop() for name, found in values.items() if len(found) == 1}
    clause, parameters = _among([job.id for job in jobs])
    assignments = ", ".join(f"{name} = ?" for name in same)
    connection.execute(f"UPDATE jobs SET {assignments} WHERE {clause}", [*same.values(), *parameters])  # noqa: S608 - our own names
    for name in values.keys() - same.keys():
        for value in values[name]:
            clause, parameters = _among([job.id for job in jobs if getattr(job, name) == value])
            connection.execute(f"UPDATE jobs SET {name} = ? WHERE {clause}", [value, *parameters])  # noqa: S608 - our own names


def _check_retry(connection: Connection, jobs: Sequence[JobRow]) -> None:
    keys = [job.unique_key for job in jobs if job.unique_key is not None]
    if len(keys) != len(set(keys)) or active_keys(connection, keys):
        raise TransitionError("The same work is already waiting or running.", hint="Wait for that job instead.")


def active_keys(connection: Connection, unique_keys: Sequence[str]) -> dict[str, UUID]:
    """Those of these unique keys that an active job has, and which job."""
    rows = connection.execute(
        "SELECT active_key, id FROM jobs WHERE active_key IN (SELECT unnest(?::VARCHAR[]))", [list(unique_keys)]
    ).fetchall()
    return dict(rows)


def _blockers(open_needs: set[UUID], job: JobRow) -> int:
    return len(open_needs.intersection(job.needs))


def _open_needs(connection: Connection, jobs: Sequence[JobRow]) -> set[UUID]:
    """What these jobs need and is not completed; needs that are forgotten no longer count."""
    needed = list({need for job in jobs for need in job.needs})
    return {job.id for job in get_many(connection, needed) if job.status != "completed"} if needed else set()


def unblock(connection: Connection, job_ids: Sequence[UUID]) -> None:
    """Let those go on that waited for these completed jobs."""
    connection.execute(
        "UPDATE jobs SET blockers = blockers - len(list_intersect(needs, $1::UUID[])) "
        "WHERE blockers > 0 AND list_has_any(needs, $1::UUID[])",
        [list(job_ids)],
    )


def replace_needs(connection: Connection, job: JobRow, needs: Sequence[UUID]) -> None:
    """Let a job need other jobs; what of it is open is counted when the job is queued."""
    connection.execute("UPDATE jobs SET needs = ?::UUID[] WHERE id = ?", [list(needs), job.id])


def beat(connection: Connection, jobs: Sequence[JobRow], progress: Sequence[int]) -> list[tuple[UUID, int]]:
    """Say that running jobs live, and how far they are.

    Returns
    -------
    list of (UUID, int)
        Id and attempt of those that still are what their holder believes; a late word of an ended attempt changes
        nothing.
    """
    rows = connection.execute(
        "UPDATE jobs SET heartbeat_at = now(), progress = least(100, greatest(progress, far)) "  # noqa: S608 - text of ours
        "FROM (SELECT unnest(?) AS seen, unnest(?) AS tried, unnest(?) AS far) "
        f"WHERE id = seen AND attempt = tried AND {_RUNS} RETURNING id, attempt",
        [[job.id for job in jobs], [job.attempt for job in jobs], list(progress)],
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def prune(connection: Connection, days: float) -> list[UUID]:
    """Forget jobs that ended more than ``days`` ago, but for those that an active job needs."""
    pauses.prune(connection)
    rows = connection.execute(
        f"""
        DELETE FROM jobs WHERE ended_at < now() - to_seconds(?)
        AND id NOT IN (SELECT unnest(needs) FROM jobs WHERE {_ACTIVE}) RETURNING id
        """,  # noqa: S608 - text of ours
        [days * 86400],
    ).fetchall()
    return [row[0] for row in rows]


def silent_since(connection: Connection, seconds: float) -> list[JobRow]:
    """Running jobs whose holder has been silent for longer than ``seconds``."""
    return _select(connection, f"WHERE {_RUNS} AND heartbeat_at < now() - to_seconds(?)", [seconds])


# -- claiming ------------------------------------------------------------------------------------------------


def claimable(
    connection: Connection, limits: Mapping[str, int], kinds: Collection[str], *, only: Sequence[UUID] | None = None
) -> dict[str, int]:
    """For each queue with both ready jobs and room, how many of them may start.

    Parameters
    ----------
    limits
        How many jobs of each queue may run at once in the whole library.
    kinds
        The kinds the asker can run.
    only
        None but these jobs, and those of these batches.
    """
    known, parameters = _known(kinds, only)
    rows = connection.execute(
        "SELECT queue, count(*) FILTER (status <> 'queued'), "  # noqa: S608 - text of ours
        f"count(*) FILTER ({_READY} AND {known}) FROM jobs WHERE {_ACTIVE} GROUP BY queue",
        parameters,
    ).fetchall()
    room = {queue: min(ready, limits.get(queue, 0) - running) for queue, running, ready in rows}
    return {queue: free for queue, free in room.items() if free > 0}


def claim(
    connection: Connection,
    limits: Mapping[str, int],
    kinds: Mapping[str, str],
    *,
    holder: str,
    only: Sequence[UUID] | None = None,
) -> list[JobRow]:
    """Take the next ready jobs, within each queue's limit over all processes.

    Parameters
    ----------
    limits
        How many jobs of each queue may run at once in the whole library.
    kinds
        The kinds the asker can run, and the status in which each begins.
    holder
        Who takes them, as ``host:pid:start``.
    only
        None but these jobs, and those of these batches.
    """
    chosen: list[UUID] = []
    tried: set[str] = set()
    free = claimable(connection, limits, kinds, only=only)
    for queue in limits:
        if queue in free:
            chosen += _next(connection, queue, free[queue], kinds, only, tried)
    jobs = get_many(connection, chosen)
    claimed: list[JobRow] = []
    for status in RUNNING:
        claimed += _move(connection, [job for job in jobs if kinds[job.kind] == status], status, holder=holder)
    return claimed


def _next(
    connection: Connection,
    queue: str,
    free: int,
    kinds: Collection[str],
    only: Sequence[UUID] | None,
    tried: set[str],
) -> list[UUID]:
    """The next jobs of a queue; services that one of them puts to the trial are added to ``tried``."""
    known, parameters = _known(kinds, only)
    query = f"SELECT id, service FROM jobs WHERE {_READY} AND queue = ? AND {known} "  # noqa: S608 - text of ours
    order = "ORDER BY priority, created_at, id LIMIT ?"
    found = connection.execute(query + order, [queue, *parameters, free]).fetchall()
    if any(service is not None for _, service in found):
        # Leave out services that do not answer, and send one job to see whether they do again.
        standing = breakers.standing(connection)
        trials = {service for service, trial in standing.items() if trial} - tried
        found = connection.execute(
            query + "AND (service IS NULL OR service NOT IN (SELECT unnest(?::VARCHAR[]))) "
            "QUALIFY service IS NULL OR service NOT IN (SELECT unnest(?::VARCHAR[])) "
            "OR row_number() OVER (PARTITION BY service ORDER BY priority, created_at, id) = 1 " + order,
            [
                *[queue, *parameters],
                [service for service in standing if service not in trials],
                list(trials),
                free,
            ],
        ).fetchall()
        tried |= trials.intersection(service for _, service in found)
    return [row[0] for row in found]


def _known(kinds: Collection[str], only: Sequence[UUID] | None) -> tuple[str, list[object]]:
    clause, parameters = f"kind IN ({', '.join('?' * len(kinds))})", list(kinds)
    if only is None:
        return clause, [*parameters]
    among, ids = _among(only)
    of_batches, _ = _among(only, "batch_id")
    return f"{clause} AND ({among} OR {of_batches})", [*parameters, *ids, *ids]


def _among(ids: Collection[UUID], column: str = "id") -> tuple[str, list[object]]:
    """A condition that finds a few rows by their index, and many by one look through all."""
    if len(ids) > 50:
        return f"{column} IN (SELECT unnest(?))", [list(ids)]
    return f"{column} IN ({', '.join('?' * len(ids)) or 'NULL'})", list(ids)


def next_ready(connection: Connection) -> datetime | None:
    """When the next queued job that waits for its time becomes ready, or a service may be tried again."""
    row = connection.execute(
        "SELECT min(moment) FROM (SELECT min(scheduled_at) AS moment FROM jobs "  # noqa: S608 - text of ours
        f"WHERE ended_at IS NULL AND status = 'queued' AND scheduled_at > now() AND {pauses.LEFT_OUT} IS NOT TRUE "
        "UNION ALL SELECT min(opened_at + to_seconds(?)) FROM breakers WHERE opened_at > now() - to_seconds(?))",
        [breakers.PAUSE_SECONDS, breakers.PAUSE_SECONDS],
    ).fetchone()
    return row[0] if row else None
