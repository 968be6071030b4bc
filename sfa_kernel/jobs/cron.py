"""Jobs that enqueue themselves: when an entry's time has come, its job is queued, once over all processes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sfa_kernel.catalog import cron as table
from sfa_kernel.errors import ParameterError
from sfa_kernel.jobs.ledger import JobRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.cron import CronRow
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs.kinds import Kind
    from sfa_kernel.jobs.ledger import Ledger

__all__ = ["enqueue", "following", "run_due"]


def following(schedule: str, now: datetime) -> datetime:
    """When a schedule comes round next, after ``now``.

    Parameters
    ----------
    schedule
        A cron expression of five fields, in UTC.

    Raises
    ------
    ParameterError
        When it is no such expression, or its time never comes.
    """
    from cronsim import CronSim, CronSimError

    try:
        if len(schedule.split()) != 5:  # a sixth field would count seconds
            raise CronSimError("Wrong number of fields")
        found = next(CronSim(schedule, now.astimezone(UTC)), None)
    except (CronSimError, ValueError) as error:
        reason = str(error)
        problem = f" ({reason[:1].lower()}{reason[1:]})"
    else:
        if found is not None:
            return found
        problem = ": its time never comes"
    raise ParameterError(
        f"{schedule!r} is not a schedule{problem}.",
        hint="Write minute, hour, day of month, month and day of week in UTC, such as '0 3 * * *' for 03:00 every day.",
    )


def run_due(ledger: Ledger, kinds: Mapping[str, Kind], now: datetime | None = None) -> list[JobRow]:
    """Queue the job of each entry whose time has come, and set the entry's next time.

    However often the time came while no program ran, the job is queued once. An entry whose kind is not in
    ``kinds`` waits for a program that knows it.

    Parameters
    ----------
    ledger
        The library's jobs.
    kinds
        The kinds of job that this program can run.
    now
        The time to go by; the present when not given.
    """
    now = now or datetime.now(UTC)
    with ledger.catalog.read() as connection:
        # Looking is cheap and shared; only an entry that is due is worth the exclusive lock.
        if not any(entry.kind in kinds for entry in table.due(connection, now)):
            return []
    with ledger.catalog.write() as connection:
        return [
            enqueue(
                connection,
                ledger,
                replace(entry, next_at=following(entry.schedule, now)),
                kinds[entry.kind],
                now,
            )
            for entry in table.due(connection, now)
            if entry.kind in kinds
        ]


def enqueue(connection: Connection, ledger: Ledger, entry: CronRow, kind: Kind, now: datetime) -> JobRow:
    """Queue an entry's job, unless the one before it has not ended, and write the entry with it."""
    request = JobRequest(
        kind=kind.name,
        queue=kind.queue,
        track_id=None,
        arguments=entry.arguments,
        unique_key=f"cron:{entry.name}",
        max_attempts=kind.max_attempts,
    )
    job = ledger.enqueue(connection, request)
    table.put(connection, replace(entry, last_at=now, last_job=job.id))
    return job
