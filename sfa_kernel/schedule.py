"""The schedule: what runs by itself, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import cron as table
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.jobs import cron
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.cron import CronRow
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Kind
    from sfa_kernel.library import Library

__all__ = ["Schedule"]

LONGEST_NAME = 80  # characters


class Schedule(Sequence["CronRow"]):
    """The entries of a library's schedule by name, with their last and next time.

    Parameters
    ----------
    library
        Whose.
    kinds
        The kinds of job that may be scheduled, by name.
    on_queued
        Called when a job waits.
    """

    def __init__(self, library: Library, kinds: Mapping[str, Kind], *, on_queued: Callable[[], None]) -> None:
        self._library = library
        self._kinds = kinds
        self._on_queued = on_queued

    def _rows(self) -> list[CronRow]:
        with self._library.catalog.read() as connection:
            return table.listing(connection)

    def __len__(self) -> int:
        return len(self._rows())

    def __getitem__(self, index: Any) -> Any:
        return self._rows()[index]

    def __iter__(self) -> Iterator[CronRow]:
        return iter(self._rows())

    def add(self, name: str, schedule: str, kind: str, arguments: dict[str, Any] | None = None) -> CronRow:
        """Let a job run by itself, in the place of the entry that has this name.

        Parameters
        ----------
        name
            What to call it.
        schedule
            A cron expression of five fields in UTC: minute, hour, day of month, month, day of week.
            ``"0 3 * * *"`` is 03:00 every day, ``"*/30 8-18 * * MON-FRI"`` each half hour of a working day.
        kind
            The kind of job.
        arguments
            The job's arguments.

        Raises
        ------
        ParameterError
            When one of them cannot be used.
        """
        now = datetime.now(UTC)
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise ParameterError(f"{name!r} is no name for an entry.", hint=f"Use 1 to {LONGEST_NAME} characters.")
        if kind not in self._kinds:
            raise ParameterError(f"{kind!r} cannot be scheduled.", hint=f"Choose from {', '.join(self._kinds)}.")
        try:
            json.dumps(arguments)
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"The arguments cannot be kept: {error}.", hint="Use text, numbers and lists."
            ) from error
        entry = table.CronRow(
            name=name,
            schedule=" ".join(schedule.split()),
            kind=kind,
            arguments=arguments or {},
            enabled=True,
            next_at=cron.following(schedule, now),
        )
        with self._library.catalog.write() as connection:
            before = table.find(connection, name)
            if before is not None:
                entry = replace(entry, last_at=before.last_at, last_job=before.last_job)
            table.put(connection, entry)
        return entry

    def remove(self, name: str) -> None:
        """Delete an entry.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        """
        with self._library.catalog.write() as connection:
            self._entry(connection, name)
            table.remove(connection, name)

    def enable(self, name: str) -> CronRow:
        """Let an entry run again, from its next time on.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        """
        with self._library.catalog.write() as connection:
            entry = self._entry(connection, name)
            if not entry.enabled:
                next_at = cron.following(entry.schedule, datetime.now(UTC))
                entry = replace(entry, enabled=True, next_at=next_at)
                table.put(connection, entry)
        return entry

    def disable(self, name: str) -> CronRow:
        """Let an entry rest, until it is enabled again.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        """
        with self._library.catalog.write() as connection:
            entry = replace(self._entry(connection, name), enabled=False)
            table.put(connection, entry)
        return entry

    def run_now(self, name: str) -> JobRow:
        """Queue an entry's job now; when it comes round next does not change.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        ParameterError
            When this program does not know its kind of job.
        """
        with self._library.catalog.write() as connection:
            entry = self._entry(connection, name)
            if entry.kind not in self._kinds:
                raise ParameterError(f"This program knows no job of kind {entry.kind!r}.", hint="Update it.")
            job = cron.enqueue(connection, self._library.ledger, entry, self._kinds[entry.kind], datetime.now(UTC))
        self._on_queued()
        return job

    def _entry(self, connection: Connection, name: str) -> CronRow:
        entry = table.find(connection, name)
        if entry is None:
            names = ", ".join(repr(known.name) for known in table.listing(connection))
            raise NotFoundError(f"The schedule has no entry {name!r}.", hint=names and f"It has {names}.")
        return entry

    def __repr__(self) -> str:
        return "\n".join(
            f"{entry.name}: {entry.schedule}, {'next ' + _minute(entry.next_at) if entry.enabled else 'off'}"
            for entry in self._rows()
        )

    def _repr_html_(self) -> str:
        return Table(
            {
                "name": entry.name,
                "schedule (UTC)": entry.schedule,
                "job": entry.kind,
                "last": entry.last_at and _minute(entry.last_at),
                "next": _minute(entry.next_at) if entry.enabled else "off",
            }
            for entry in self._rows()
        )._repr_html_()


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
