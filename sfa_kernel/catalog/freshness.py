"""Which tracks an analysis is missing from, and which have one that a newer program would make anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["never_analyzed", "stale"]


def never_analyzed(connection: Connection) -> list[UUID]:
    """Tracks without an analysis, the first added first."""
    rows = connection.execute(
        """
        SELECT t.id FROM tracks t ANTI JOIN analyses a ON a.track_id = t.id
        WHERE t.removed_at IS NULL ORDER BY t.added_at, t.id
        """
    ).fetchall()
    return [row[0] for row in rows]


def stale(connection: Connection, *, analysis: int, embedding: int) -> list[UUID]:
    """Tracks whose analysis is older than a version, or that have no embedding of a version; the first added first.

    Parameters
    ----------
    analysis, embedding
        The versions of today.
    """
    rows = connection.execute(
        """
        SELECT t.id FROM tracks t
        JOIN analyses a ON a.track_id = t.id
        LEFT JOIN embeddings e ON e.track_id = t.id
        WHERE t.removed_at IS NULL AND (a.version < ? OR e.version IS DISTINCT FROM ?)
        ORDER BY t.added_at, t.id
        """,
        [analysis, embedding],
    ).fetchall()
    return [row[0] for row in rows]
