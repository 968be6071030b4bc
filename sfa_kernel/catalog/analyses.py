"""Analyses: one a track; summaries are columns, everything else is a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from sfa_kernel.catalog.rows import fetch_one

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["AnalysisRow", "find", "put"]


@dataclass(frozen=True)
class AnalysisRow:
    """One row of the table ``analyses``; the migration says what each column means."""

    track_id: UUID
    version: int
    bpm: float | None
    bpm_confidence: float | None
    key: str | None
    key_confidence: float | None
    camelot: str | None
    lufs: float | None
    lra: float | None
    true_peak: float | None
    energy: int | None
    file: str
    waveform: str
    created_at: datetime


def put(connection: Connection, analysis: AnalysisRow) -> AnalysisRow | None:
    """Write a track's analysis. Returns the one it replaces, whose files are no longer needed."""
    before = find(connection, analysis.track_id)
    values = asdict(analysis)
    connection.execute(
        f"INSERT OR REPLACE INTO analyses ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
        list(values.values()),
    )
    return before


def find(connection: Connection, track_id: UUID) -> AnalysisRow | None:
    """A track's analysis, if it has one."""
    names = ", ".join(field.name for field in fields(AnalysisRow))
    row = fetch_one(connection, f"SELECT {names} FROM analyses WHERE track_id = ?", [track_id])  # noqa: S608 - our own names
    return AnalysisRow(**row) if row else None
