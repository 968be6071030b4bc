"""Tracks that were removed: until they are purged, a removal can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["due", "files_of", "purge"]

_BELONGINGS = ("cues", "stems", "separations", "analyses")


def due(connection: Connection, before: datetime) -> list[UUID]:
    """The tracks that were removed before this time, but for those that a job still works on."""
    rows = connection.execute(
        """
        SELECT id FROM tracks WHERE removed_at < ? AND id NOT IN (
            SELECT track_id FROM jobs
            WHERE track_id IS NOT NULL AND status IN ('queued', 'downloading', 'processing'))
        """,
        [before],
    ).fetchall()
    return [row[0] for row in rows]


def files_of(connection: Connection, track_ids: Sequence[UUID]) -> list[str]:
    """The names of all files of these tracks: audio, cover, analysis, stems."""
    rows = connection.execute(
        """
        SELECT unnest([file, cover]) AS name FROM tracks WHERE id IN (SELECT unnest($1::UUID[]))
        UNION ALL SELECT unnest([file, waveform]) FROM analyses WHERE track_id IN (SELECT unnest($1::UUID[]))
        UNION ALL SELECT levels FROM separations WHERE track_id IN (SELECT unnest($1::UUID[]))
        UNION ALL SELECT unnest([file, waveform]) FROM stems WHERE track_id IN (SELECT unnest($1::UUID[]))
        """,
        [list(track_ids)],
    ).fetchall()
    return [row[0] for row in rows if row[0] is not None]


def purge(connection: Connection, before: datetime) -> tuple[list[UUID], list[str]]:
    """Delete the tracks that are due, with everything that is known of them.

    Returns
    -------
    tuple
        The tracks' ids, and the names of their files, which are no longer needed.
    """
    track_ids = due(connection, before)
    names = files_of(connection, track_ids)
    for table in _BELONGINGS:
        connection.execute(f"DELETE FROM {table} WHERE track_id IN (SELECT unnest(?::UUID[]))", [track_ids])  # noqa: S608 - our own names
    connection.execute("DELETE FROM tracks WHERE id IN (SELECT unnest(?::UUID[]))", [track_ids])
    return track_ids, names
