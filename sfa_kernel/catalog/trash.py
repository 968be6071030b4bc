"""Tracks that were removed: until they are purged, a removal can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfa_kernel.catalog import playlists
from sfa_kernel.catalog.files import of_tracks
from sfa_kernel.catalog.origins import REMOVED

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["due", "purge"]

_BELONGINGS = (
    "cues",
    "removed_cues",
    "former_hot_cues",
    "loops",
    "corrections",
    "embeddings",
    "stems",
    "separations",
    "analyses",
    "exports",
)


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


def purge(connection: Connection, before: datetime) -> tuple[list[UUID], list[str]]:
    """Delete the tracks that are due, with everything that is known of them.

    Where they came from is noted as removed, so that a watched folder does not bring them back.

    Returns
    -------
    tuple
        The tracks' ids, and the names of their files, which are no longer needed.
    """
    track_ids = due(connection, before)
    names = of_tracks(connection, track_ids)
    for table in _BELONGINGS:
        connection.execute(f"DELETE FROM {table} WHERE track_id IN (SELECT unnest(?::UUID[]))", [track_ids])  # noqa: S608 - our own names
    playlists.forget_tracks(connection, track_ids)
    connection.execute(
        "UPDATE origins SET track_id = NULL, problem = ? WHERE track_id IN (SELECT unnest(?::UUID[]))",
        [REMOVED, track_ids],
    )
    connection.execute("DELETE FROM tracks WHERE id IN (SELECT unnest(?::UUID[]))", [track_ids])
    return track_ids, names
