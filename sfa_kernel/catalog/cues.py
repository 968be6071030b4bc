"""Cues: points to jump to in a track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfa_kernel.catalog.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["CueRow", "of_track", "replace_automatic"]


@dataclass(frozen=True)
class CueRow:
    """One row of the table ``cues``; the migration says what each column means."""

    id: UUID
    track_id: UUID
    time: float
    type: str
    label: str
    color: str
    confidence: float
    reason: str
    origin: str


def replace_automatic(connection: Connection, track_id: UUID, cues: Sequence[CueRow]) -> None:
    """Put new automatic cues in the place of the old ones; a person's own cues stay."""
    connection.execute("DELETE FROM cues WHERE track_id = ? AND origin = 'auto'", [track_id])
    for c in cues:
        connection.execute(
            "INSERT INTO cues VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [c.id, c.track_id, c.time, c.type, c.label, c.color, c.confidence, c.reason, c.origin],
        )


def of_track(connection: Connection, track_id: UUID) -> list[CueRow]:
    """The cues of a track in order of time."""
    rows = fetch(connection, "SELECT * FROM cues WHERE track_id = ? ORDER BY time, label", [track_id])
    return [CueRow(**row) for row in rows]
