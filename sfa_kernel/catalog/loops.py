"""Loops: stretches of a track or of a stem that repeat without an audible seam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfa_kernel.catalog.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["LoopRow", "of_track", "of_tracks", "replace"]


@dataclass(frozen=True)
class LoopRow:
    """One row of the table ``loops``; the migration says what each column means."""

    id: UUID
    track_id: UUID
    source: str
    start: float
    end: float
    bars: int
    score: float
    reason: str


def replace(connection: Connection, track_id: UUID, loops: Sequence[LoopRow]) -> None:
    """Put new loops in the place of a track's old ones."""
    connection.execute("DELETE FROM loops WHERE track_id = ?", [track_id])
    for loop in loops:
        connection.execute(
            "INSERT INTO loops VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [loop.id, loop.track_id, loop.source, loop.start, loop.end, loop.bars, loop.score, loop.reason],
        )


def of_track(connection: Connection, track_id: UUID) -> list[LoopRow]:
    """The loops of a track: those of the whole song first, then of each stem, the best first."""
    return of_tracks(connection, [track_id])


def of_tracks(connection: Connection, track_ids: Sequence[UUID]) -> list[LoopRow]:
    """The loops of several tracks, each track's in the order of `of_track`."""
    rows = fetch(
        connection,
        "SELECT * FROM loops WHERE track_id IN (SELECT unnest(?::UUID[])) "
        "ORDER BY source <> 'mix', source, score DESC, \"start\", bars DESC",
        [list(track_ids)],
    )
    return [LoopRow(**row) for row in rows]
