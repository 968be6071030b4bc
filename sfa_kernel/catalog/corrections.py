"""Corrections: what a person has put right in an analysis. They outlive the analysis they were made on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.catalog.rows import fetch, fetch_one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["CorrectionRow", "insert", "of_track", "of_tracks", "undo"]


@dataclass(frozen=True)
class CorrectionRow:
    """One row of the table ``corrections``; `sfa_kernel.analysis.corrections` says what the values mean."""

    id: UUID
    track_id: UUID
    kind: str
    value: Mapping[str, Any]
    created_at: datetime


def insert(connection: Connection, track_id: UUID, kind: str, value: Mapping[str, Any]) -> UUID:
    """Add a correction after the others of the track."""
    identifier = uuid4()
    connection.execute(
        """
        INSERT INTO corrections
        SELECT ?, ?, ?, ?, greatest(get_current_timestamp(), max(created_at) + INTERVAL 1 MICROSECOND), NULL
        FROM corrections WHERE track_id = ?
        """,
        [identifier, track_id, kind, json.dumps(value, allow_nan=False), track_id],
    )
    return identifier


def of_track(connection: Connection, track_id: UUID) -> list[CorrectionRow]:
    """The corrections of a track that are in force, in the order in which they apply."""
    return of_tracks(connection, [track_id])


def of_tracks(connection: Connection, track_ids: Sequence[UUID]) -> list[CorrectionRow]:
    """The corrections of several tracks that are in force, in the order in which they apply."""
    rows = fetch(
        connection,
        "SELECT id, track_id, kind, value, created_at FROM corrections "
        "WHERE track_id IN (SELECT unnest(?::UUID[])) AND undone_at IS NULL ORDER BY created_at",
        [list(track_ids)],
    )
    return [CorrectionRow(**{**row, "value": json.loads(row["value"])}) for row in rows]


def undo(connection: Connection, track_id: UUID) -> UUID | None:
    """Take back the last correction of a track. Returns its id, or None where there is none."""
    row = fetch_one(
        connection,
        """
        UPDATE corrections SET undone_at = now() WHERE id = (
            SELECT id FROM corrections WHERE track_id = ? AND undone_at IS NULL ORDER BY created_at DESC LIMIT 1)
        RETURNING id
        """,
        [track_id],
    )
    return row["id"] if row else None
