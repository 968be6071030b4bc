"""Stems, in sets: one separation of a track by one engine and model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch, fetch_one

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["SeparationRow", "StemRow", "find", "latest", "mixer_order", "of_separation", "put", "stem"]


# How a mixer lists them; the rest follows by name.
MIXER_ORDER = ("vocals", "drums", "bass")


@dataclass(frozen=True)
class SeparationRow:
    """One row of the table ``separations``; the migration says what each column means."""

    id: UUID
    track_id: UUID
    engine: str
    model: str
    residual_db: float
    levels: str
    created_at: datetime


@dataclass(frozen=True)
class StemRow:
    """One row of the table ``stems``."""

    id: UUID
    separation_id: UUID
    track_id: UUID
    name: str
    file: str
    waveform: str
    content_hash: str
    bytes: int


def put(connection: Connection, separation: SeparationRow, stems: Sequence[StemRow]) -> list[str]:
    """Write a set of stems. Returns the files of the set it replaces, which are no longer needed."""
    old = find(connection, separation.track_id, separation.engine, separation.model)
    stale: list[str] = []
    if old is not None:
        stale = [old.levels]
        for row in of_separation(connection, old.id):
            stale += [row.file, row.waveform]
        connection.execute("DELETE FROM stems WHERE separation_id = ?", [old.id])
        connection.execute("DELETE FROM separations WHERE id = ?", [old.id])
    s = separation
    connection.execute(
        "INSERT INTO separations VALUES (?, ?, ?, ?, ?, ?, ?)",
        [s.id, s.track_id, s.engine, s.model, s.residual_db, s.levels, s.created_at],
    )
    for t in stems:
        connection.execute(
            "INSERT INTO stems VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [t.id, t.separation_id, t.track_id, t.name, t.file, t.waveform, t.content_hash, t.bytes],
        )
    return stale


def find(connection: Connection, track_id: UUID, engine: str, model: str) -> SeparationRow | None:
    """The separation of a track by this engine and model, if there is one."""
    row = fetch_one(
        connection,
        "SELECT * FROM separations WHERE track_id = ? AND engine = ? AND model = ?",
        [track_id, engine, model],
    )
    return SeparationRow(**row) if row else None


def latest(connection: Connection, track_id: UUID) -> SeparationRow | None:
    """The newest separation of a track, if there is one."""
    row = fetch_one(
        connection,
        "SELECT * FROM separations WHERE track_id = ? ORDER BY created_at DESC LIMIT 1",
        [track_id],
    )
    return SeparationRow(**row) if row else None


def of_separation(connection: Connection, separation_id: UUID) -> list[StemRow]:
    """The stems of one separation, in the mixer's order: vocals, drums, bass, then the rest by name."""
    rows: list[dict[str, Any]] = fetch(
        connection,
        "SELECT * FROM stems WHERE separation_id = ?",
        [separation_id],
    )
    return sorted((StemRow(**row) for row in rows), key=lambda stem: mixer_order(stem.name))


def mixer_order(name: str) -> tuple[int, str]:
    """Sort key of a stem's name in the mixer's order."""
    return (MIXER_ORDER.index(name) if name in MIXER_ORDER else len(MIXER_ORDER), name)


def stem(connection: Connection, stem_id: UUID) -> StemRow | None:
    """One stem, if its track is in the library."""
    row = fetch_one(
        connection,
        "SELECT s.* FROM stems s JOIN tracks t ON t.id = s.track_id WHERE s.id = ? AND t.removed_at IS NULL",
        [stem_id],
    )
    return StemRow(**row) if row else None
