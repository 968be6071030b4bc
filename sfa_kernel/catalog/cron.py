"""Cron: what is to be enqueued, and when."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch, fetch_one

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["CronRow", "due", "find", "listing", "put", "remove"]


@dataclass(frozen=True)
class CronRow:
    """One row of the table ``cron``; the migration says what each column means."""

    name: str
    schedule: str
    kind: str
    arguments: dict[str, Any]
    enabled: bool
    next_at: datetime
    last_at: datetime | None = None
    last_job: UUID | None = None


_NAMES = [field.name for field in fields(CronRow)]
_COLUMNS = ", ".join(_NAMES)


def _entry(row: dict[str, Any]) -> CronRow:
    row["arguments"] = json.loads(row["arguments"])
    return CronRow(**row)


def put(connection: Connection, entry: CronRow) -> None:
    """Write an entry, in the place of the one that has this name."""
    values = [getattr(entry, name) for name in _NAMES]
    values[_NAMES.index("arguments")] = json.dumps(entry.arguments)
    connection.execute(
        f"INSERT OR REPLACE INTO cron ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
        values,
    )


def find(connection: Connection, name: str) -> CronRow | None:
    """The entry of this name, if there is one."""
    row = fetch_one(connection, f"SELECT {_COLUMNS} FROM cron WHERE name = ?", [name])  # noqa: S608 - our own names
    return _entry(row) if row else None


def listing(connection: Connection) -> list[CronRow]:
    """All entries by name."""
    return [_entry(row) for row in fetch(connection, f"SELECT {_COLUMNS} FROM cron ORDER BY name")]  # noqa: S608 - our own names


def due(connection: Connection, now: datetime) -> list[CronRow]:
    """The enabled entries whose time has come, the longest overdue first."""
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM cron WHERE enabled AND next_at <= ? ORDER BY next_at, name",  # noqa: S608 - our own names
        [now],
    )
    return [_entry(row) for row in rows]


def remove(connection: Connection, name: str) -> bool:
    """Delete an entry. Returns whether there was one."""
    return bool(fetch(connection, "DELETE FROM cron WHERE name = ? RETURNING name", [name]))
