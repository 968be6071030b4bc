"""Which files the catalogue refers to: everything else in the library's folders belongs to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["COLUMNS", "of_tracks", "referenced", "referenced_among"]

# Table and column of every name of a file, relative to the storage root.
COLUMNS = (
    ("tracks", "file"),
    ("tracks", "cover"),
    ("analyses", "file"),
    ("analyses", "waveform"),
    ("analyses", "curves"),
    ("separations", "levels"),
    ("stems", "file"),
    ("stems", "waveform"),
    ("exports", "file"),
)


def referenced(connection: Connection) -> set[str]:
    """The names of all files that rows refer to, those of removed tracks included."""
    union = " UNION ALL ".join(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 - our own names
        for table, column in COLUMNS
    )
    return {row[0] for row in connection.execute(union).fetchall()}


def referenced_among(connection: Connection, names: Collection[str]) -> set[str]:
    """Those of these names that rows refer to."""
    union = " UNION ALL ".join(
        f"SELECT {column} FROM {table} WHERE {column} IN (SELECT unnest($1))"  # noqa: S608 - our own names
        for table, column in COLUMNS
    )
    return {row[0] for row in connection.execute(union, [list(names)]).fetchall()}


def of_tracks(connection: Connection, track_ids: Sequence[UUID]) -> list[str]:
    """The names of all files of these tracks: audio, cover, analysis, stems."""
    union = " UNION ALL ".join(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL "  # noqa: S608 - our own names
        f"AND {'id' if table == 'tracks' else 'track_id'} IN (SELECT unnest($1::UUID[]))"
        for table, column in COLUMNS
    )
    return [row[0] for row in connection.execute(union, [list(track_ids)]).fetchall()]
