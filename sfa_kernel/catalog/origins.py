"""Files outside of the library that were looked at, so that nobody looks at them twice."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from sfa_kernel.catalog.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["REMOVED", "OriginRow", "below", "counts", "get_many", "put", "refused", "taken_care_of", "without_track"]

REMOVED = "removed"  # the problem of a file whose track a person has removed for good


@dataclass(frozen=True)
class OriginRow:
    """One row of the table ``origins``; the migration says what each column means."""

    path: str
    bytes: int
    modified: int
    track_id: UUID | None
    problem: str | None
    seen_at: datetime


def put(connection: Connection, rows: Sequence[OriginRow]) -> None:
    """Note what became of files; what was noted of them before is forgotten."""
    newest = {row.path: astuple(row) for row in rows}
    if newest:
        connection.execute(
            f"INSERT OR REPLACE INTO origins VALUES {', '.join(['(?, ?, ?, ?, ?, ?)'] * len(newest))}",  # noqa: S608 - marks
            [value for row in newest.values() for value in row],
        )


def get_many(connection: Connection, paths: Sequence[str]) -> dict[str, OriginRow]:
    """What is noted of these files, by path."""
    rows = fetch(connection, "SELECT * FROM origins WHERE path IN (SELECT unnest(?))", [list(paths)])
    return {row["path"]: OriginRow(**row) for row in rows}


def below(connection: Connection, folder: str) -> dict[str, tuple[int, int, bool]]:
    """By path, each file in a folder as it was seen.

    Its size [bytes], its time of change [ns], and whether its track was removed for good.
    """
    rows = connection.execute(
        "SELECT path, bytes, modified, problem IS NOT DISTINCT FROM ? FROM origins WHERE starts_with(path, ?)",
        [REMOVED, folder],
    ).fetchall()
    return {path: (size, modified, removed) for path, size, modified, removed in rows}


def without_track(connection: Connection, folder: str) -> list[str]:
    """The files in a folder that could not be used, or whose tracks have been removed, for good or not yet."""
    rows = connection.execute(
        """
        SELECT path FROM origins o LEFT JOIN tracks t ON t.id = o.track_id
        WHERE starts_with(path, ?) AND (problem IS NOT NULL OR t.removed_at IS NOT NULL)
        """,
        [folder],
    ).fetchall()
    return [path for (path,) in rows]


def counts(connection: Connection, folder: str) -> tuple[int, int]:
    """How many tracks of the library came from a folder, and how many of its files could not be used."""
    row = connection.execute(
        """
        SELECT count(DISTINCT t.id), count(*) FILTER (o.problem IS NOT NULL AND o.problem <> ?)
        FROM origins o LEFT JOIN tracks t ON t.id = o.track_id AND t.removed_at IS NULL
        WHERE starts_with(o.path, ?)
        """,
        [REMOVED, folder],
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def taken_care_of(connection: Connection, folder: str, since: datetime) -> set[str]:
    """The files in a folder that jobs are going to look at, or have looked at since then."""
    rows = connection.execute(
        """
        SELECT path FROM (
            SELECT unnest(json_extract_string(arguments, '$.files[*]')) AS path
            FROM jobs WHERE ended_at IS NULL AND kind = 'import'
            UNION ALL SELECT path FROM origins WHERE seen_at >= ?)
        WHERE starts_with(path, ?)
        """,
        [since, folder],
    ).fetchall()
    return {path for (path,) in rows}


def refused(connection: Connection, folder: str) -> list[tuple[str, str]]:
    """The files in a folder that could not be used, by path, and why."""
    return connection.execute(
        "SELECT path, problem FROM origins WHERE starts_with(path, ?) AND problem IS NOT NULL AND problem <> ? "
        "ORDER BY path",
        [folder, REMOVED],
    ).fetchall()
