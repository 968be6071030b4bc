"""Embeddings: how each track sounds, as one vector a track, and which tracks are near each other.

All vectors are compared, without an index: that takes DuckDB 60 ms for a million of them, is exact, works together
with any filter, and costs nothing when a track changes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from sfa_kernel.catalog.rows import fetch, fetch_one

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["EmbeddingRow", "Neighbour", "find", "nearest", "put"]


@dataclass(frozen=True)
class EmbeddingRow:
    """One row of the table ``embeddings``; the migration says what each column means."""

    track_id: UUID
    version: int
    bpm: float | None
    key: int | None
    vector: Sequence[float]


@dataclass(frozen=True)
class Neighbour(EmbeddingRow):
    """A row that was found, and how far it is from what was looked for."""

    distance: float


_NAMES = [field.name for field in fields(EmbeddingRow)]
_COLUMNS = ", ".join(_NAMES)


def put(connection: Connection, embedding: EmbeddingRow) -> None:
    """Write a track's embedding in place of the one it may have."""
    values = asdict(embedding)
    connection.execute(
        f"INSERT OR REPLACE INTO embeddings ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
        [values[name] for name in _NAMES],
    )


def find(connection: Connection, track_id: UUID) -> EmbeddingRow | None:
    """A track's embedding, if it has one."""
    row = fetch_one(connection, f"SELECT {_COLUMNS} FROM embeddings WHERE track_id = ?", [track_id])  # noqa: S608 - our own names
    return EmbeddingRow(**row) if row else None


def nearest(
    connection: Connection,
    vector: Sequence[float],
    *,
    version: int,
    limit: int,
    apart_from: UUID | None = None,
    tempi: Sequence[tuple[float, float]] = (),
    keys: Collection[int] = (),
) -> list[Neighbour]:
    """The tracks whose vectors are nearest to one, the nearest first.

    Parameters
    ----------
    vector
        What to look for [32 numbers].
    version
        Of the vectors that compare.
    limit
        How many.
    apart_from
        A track that is not wanted.
    tempi
        Ranges of beats per minute; tracks outside all of them, and those without a tempo, are left out. None
        for any tempo.
    keys
        Numbers of keys; tracks in others are left out, those without a key are not. None for any key.
    """
    clauses, parameters = ["version = ?"], list[object]([version])
    if apart_from is not None:
        clauses.append("track_id <> ?")
        parameters.append(apart_from)
    if tempi:
        clauses.append(f"({' OR '.join(['bpm BETWEEN ? AND ?'] * len(tempi))})")
        parameters += [end for ends in tempi for end in ends]
    if keys:
        clauses.append(f"(key IS NULL OR key IN ({', '.join('?' * len(keys))}))")
        parameters += keys
    # What was removed may be among the nearest. It is looked for among those alone, not among a million, so there
    # have to be so many more of them; who is asked how many knows it from the column's statistics.
    removed = connection.execute("SELECT count(*) FROM tracks WHERE removed_at IS NOT NULL").fetchone()
    rows = fetch(
        connection,
        f"""
        WITH near AS MATERIALIZED (
            SELECT {_COLUMNS}, array_distance(vector, ?::FLOAT[32]) AS distance
            FROM embeddings WHERE {" AND ".join(clauses)}
            ORDER BY distance LIMIT ?
        )
        SELECT * FROM near WHERE track_id NOT IN (SELECT id FROM tracks WHERE removed_at IS NOT NULL)
        ORDER BY distance, track_id LIMIT ?
        """,  # noqa: S608 - text of ours
        [list(vector), *parameters, limit + (removed[0] if removed else 0), limit],
    )
    return [Neighbour(**row) for row in rows]
