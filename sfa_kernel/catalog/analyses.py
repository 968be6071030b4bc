"""Analyses: one a track; summaries are columns, everything else is a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["SUMMARIES", "AnalysisRow", "find", "find_many", "put", "summarize", "summary"]


@dataclass(frozen=True)
class AnalysisRow:
    """One row of the table ``analyses``; the migrations say what each column means."""

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
    curves: str | None = None
    bpm_alternative: float | None = None
    beat_confidence: float | None = None
    downbeat_confidence: float | None = None
    beats_per_bar: int | None = None
    grid_kind: str | None = None
    swing: float | None = None
    key_alternative: str | None = None
    open_key: str | None = None
    tuning_cents: float | None = None
    momentary_max: float | None = None
    short_term_max: float | None = None
    rms: float | None = None
    crest: float | None = None
    danceability: float | None = None

    @property
    def files(self) -> list[str]:
        """The names of its files."""
        return [name for name in (self.file, self.waveform, self.curves) if name is not None]


# The columns that repeat entries of the document, under the same names.
SUMMARIES = tuple(
    field.name
    for field in fields(AnalysisRow)
    if field.name not in ("track_id", "version", "file", "waveform", "curves", "created_at")
)


def summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """Of the document of an analysis (`Analysis.to_dict`), what the catalogue holds as columns."""
    return {name: document.get(name) for name in SUMMARIES}


def put(connection: Connection, analysis: AnalysisRow) -> AnalysisRow | None:
    """Write a track's analysis. Returns the one it replaces, whose files are no longer needed."""
    before = find(connection, analysis.track_id)
    values = asdict(analysis)
    connection.execute(
        f"INSERT OR REPLACE INTO analyses ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
        list(values.values()),
    )
    return before


def summarize(connection: Connection, track_id: UUID, document: Mapping[str, Any]) -> None:
    """Write the columns of a track's analysis anew: a person has corrected it."""
    values = summary(document)
    connection.execute(
        f"UPDATE analyses SET {', '.join(f'{name} = ?' for name in values)} WHERE track_id = ?",  # noqa: S608 - our own names
        [*values.values(), track_id],
    )


def find(connection: Connection, track_id: UUID) -> AnalysisRow | None:
    """A track's analysis, if it has one."""
    return next(iter(find_many(connection, [track_id])), None)


def find_many(connection: Connection, track_ids: Sequence[UUID]) -> list[AnalysisRow]:
    """The analyses of those tracks that have one."""
    names = ", ".join(field.name for field in fields(AnalysisRow))
    rows = fetch(
        connection,
        f"SELECT {names} FROM analyses WHERE track_id IN (SELECT unnest(?::UUID[]))",  # noqa: S608 - our own names
        [list(track_ids)],
    )
    return [AnalysisRow(**row) for row in rows]
