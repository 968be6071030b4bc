"""Exports: files that were made for people to take away."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from sfa_kernel.catalog.rows import fetch, fetch_one
from sfa_kernel.errors import NotFoundError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["ExportRow", "get", "insert", "of_job", "of_track", "prune"]


@dataclass(frozen=True)
class ExportRow:
    """One row of the table ``exports``; the migration says what each column means."""

    id: UUID
    job_id: UUID
    track_id: UUID | None
    track_ids: list[UUID]
    kind: str
    name: str
    file: str
    bytes: int
    content_hash: str
    created_at: datetime


_COLUMNS = ", ".join(field.name for field in fields(ExportRow))


def insert(connection: Connection, export: ExportRow) -> None:
    """Add an export."""
    values = asdict(export)
    connection.execute(
        f"INSERT INTO exports ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
        list(values.values()),
    )


def get(connection: Connection, export_id: UUID) -> ExportRow:
    """One export.

    Raises
    ------
    NotFoundError
        When there is none with that id, or its track was removed.
    """
    row = fetch_one(
        connection,
        f"SELECT {_COLUMNS} FROM exports WHERE id = ? AND (track_id IS NULL "  # noqa: S608 - our own names
        "OR track_id IN (SELECT id FROM tracks WHERE removed_at IS NULL))",
        [export_id],
    )
    if row is None:
        raise NotFoundError("There is no such export any more.", hint="Export it again.")
    return ExportRow(**row)


def of_job(connection: Connection, job_id: UUID) -> ExportRow | None:
    """What a job has made; None before it is completed, and after a cleanup."""
    row = fetch_one(connection, f"SELECT {_COLUMNS} FROM exports WHERE job_id = ?", [job_id])  # noqa: S608 - our own names
    return ExportRow(**row) if row else None


def of_track(connection: Connection, track_id: UUID) -> list[ExportRow]:
    """The exports that a track is part of, the newest first."""
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM exports WHERE list_contains(track_ids, ?) ORDER BY created_at DESC, id",  # noqa: S608 - our own names
        [track_id],
    )
    return [ExportRow(**row) for row in rows]


def prune(connection: Connection, before: datetime) -> dict[str, int]:
    """Delete the exports made before this time. Returns their files, which are no longer needed, and their sizes."""
    rows = connection.execute("DELETE FROM exports WHERE created_at < ? RETURNING file, bytes", [before]).fetchall()
    return dict(rows)
