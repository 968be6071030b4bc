"""Tracks: the songs of the library."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog.rows import fetch, fold
from sfa_kernel.catalog.stems import IN_USE, mixer_order
from sfa_kernel.errors import NotFoundError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sfa_kernel.catalog.connection import Connection
    from sfa_kernel.storage import Storage

__all__ = [
    "SORTS",
    "TrackRow",
    "by_hash",
    "by_hashes",
    "change",
    "count",
    "find_many",
    "get",
    "get_many",
    "hashes",
    "insert",
    "insert_all",
    "left_at",
    "page",
    "remove",
    "resolve",
    "restore",
    "set_duration",
    "set_sound",
    "sound",
    "summaries",
]


@dataclass(frozen=True)
class TrackRow:
    """One row of the table ``tracks``; the migration says what each column means."""

    id: UUID
    content_hash: str
    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    source_path: str
    file: str | None
    cover: str | None
    format: str
    codec: str
    sample_rate: int
    channels: int
    duration: float
    bytes: int
    added_at: datetime
    original: str | None = None
    isrc: str | None = None

    def path(self, storage: Storage) -> Path:
        """Where its sound is: in the library, or where a person keeps it. Whether it still is, is not looked at."""
        return storage.path(self.file) if self.file is not None else Path(self.original or "")


_COLUMNS = ", ".join(field.name for field in fields(TrackRow))

# What a list may be sorted by; whatever comes from outside is looked up here, never put into SQL.
SORTS = {
    "title": "lower(t.title)",
    "artist": "lower(t.artist)",
    "album": "lower(t.album)",
    "bpm": "a.bpm",
    # Round the Camelot wheel: 1A, 1B, 2A, ...
    "key": "try_cast(a.camelot[:-2] AS INTEGER) * 2 + (a.camelot[-1] = 'B')::INTEGER",
    "energy": "a.energy",
    "duration": "t.duration",
    "added_at": "t.added_at",
    "status": "CASE WHEN j.working THEN 0 WHEN j.failed THEN 1 WHEN a.track_id IS NULL THEN 2 ELSE 3 END",
}
_ANALYSIS = "LEFT JOIN analyses a ON a.track_id = t.id"

# An export leaves the song as it is: a song is not being worked on, and has not failed, because of one.
_ACTIVITY = """
    SELECT track_id, bool_or(status IN ('queued', 'processing')) AS working, bool_or(status = 'failed') AS failed
    FROM jobs WHERE status IN ('queued', 'processing', 'failed') AND kind <> 'export' GROUP BY track_id
"""


def insert(connection: Connection, track: TrackRow) -> None:
    """Add a track."""
    insert_all(connection, [track])


def insert_all(connection: Connection, tracks: Sequence[TrackRow]) -> None:
    """Add tracks."""
    if not tracks:
        return
    names = [field.name for field in fields(TrackRow)]
    rows = [[*(getattr(track, name) for name in names), _search(track)] for track in tracks]
    marks = f"({', '.join('?' * len(rows[0]))})"
    connection.execute(
        f"INSERT INTO tracks ({_COLUMNS}, search) VALUES {', '.join([marks] * len(rows))}",  # noqa: S608 - our own names
        [value for row in rows for value in row],
    )


def _search(track: TrackRow) -> str:
    return fold(f"{track.title} {track.artist} {track.album} {track.genre}")


def get(connection: Connection, track_id: UUID) -> TrackRow:
    """One track.

    Raises
    ------
    NotFoundError
        When there is none with that id, or it was removed.
    """
    found = get_many(connection, [track_id])
    if not found:
        raise NotFoundError(f"There is no track {track_id} in this library.")
    return found[0]


def get_many(connection: Connection, track_ids: Sequence[UUID]) -> list[TrackRow]:
    """Several tracks in the order asked for; unknown and removed ones are left out."""
    # Ids alone are looked up in the index; with a condition on another column DuckDB reads the whole table.
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS}, removed_at FROM tracks WHERE id IN (SELECT unnest(?))",  # noqa: S608 - our own names
        [list(track_ids)],
    )
    by_id = {row["id"]: TrackRow(**row) for row in rows if row.pop("removed_at") is None}
    return [by_id[track_id] for track_id in track_ids if track_id in by_id]


def resolve(connection: Connection, track_id: object) -> UUID:
    """The id of a track that is named by it, or by the unambiguous beginning of it.

    Raises
    ------
    NotFoundError
        When no id begins so, or several do.
    ParameterError
        When that is no name of a track.
    """
    if isinstance(track_id, UUID):
        return track_id
    if not isinstance(track_id, str):
        raise ParameterError(f"{track_id!r} is no track.", hint="Name a track of this library, or its id.")
    try:
        return UUID(track_id)
    except ValueError:
        pass
    found = connection.execute(
        "SELECT id FROM tracks WHERE removed_at IS NULL AND starts_with(id::VARCHAR, ?) LIMIT 2",
        [track_id.lower()],
    ).fetchall()
    if len(found) != 1 or not track_id:
        many = "No track has" if not found else "Several tracks have"
        raise NotFoundError(f"{many} an id that begins with {track_id!r}.", hint="`sfa tracks` lists them.")
    return UUID(str(found[0][0]))


def by_hash(connection: Connection, content_hash: str) -> tuple[TrackRow, bool] | None:
    """The track whose file has these bytes, and whether it was removed."""
    return by_hashes(connection, [content_hash]).get(content_hash)


def by_hashes(connection: Connection, content_hashes: Sequence[str]) -> dict[str, tuple[TrackRow, bool]]:
    """By what bytes their files have, the tracks of these, and whether they were removed."""
    return {track.content_hash: (track, gone) for track, gone in _any(connection, "content_hash", content_hashes)}


def find_many(connection: Connection, track_ids: Sequence[UUID]) -> dict[UUID, tuple[TrackRow, bool]]:
    """Several tracks by id, and whether they were removed; unknown ones are left out."""
    return {track.id: (track, gone) for track, gone in _any(connection, "id", track_ids)}


def _any(connection: Connection, column: str, values: Sequence[object]) -> list[tuple[TrackRow, bool]]:
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS}, removed_at FROM tracks WHERE {column} IN (SELECT unnest(?))",  # noqa: S608 - our own names
        [list(values)],
    )
    gone = [row.pop("removed_at") is not None for row in rows]
    return [(TrackRow(**row), removed) for row, removed in zip(rows, gone, strict=True)]


def hashes(connection: Connection, storage: Storage, sizes: Collection[int]) -> dict[str, str]:
    """By content hash, where the sound of each track of these sizes [bytes] should be. Nobody looks whether it is."""
    rows = connection.execute(
        "SELECT content_hash, file, original FROM tracks WHERE bytes IN (SELECT unnest(?))", [list(sizes)]
    ).fetchall()
    home = str(storage.home)
    return {row[0]: row[2] if row[1] is None else f"{home}/{row[1]}" for row in rows}


def sound(connection: Connection, track_id: UUID, storage: Storage) -> Path | None:
    """Where a track's sound is now, of a removed one too; None when there is no such track."""
    row = connection.execute("SELECT file, original FROM tracks WHERE id = ?", [track_id]).fetchone()
    return None if row is None else storage.path(row[0]) if row[0] is not None else Path(row[1])


def change(connection: Connection, track: TrackRow) -> None:
    """Write a track's row anew: its file says something else than it did."""
    values = asdict(track)
    values["search"] = _search(track)
    track_id = values.pop("id")
    names = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE tracks SET {names} WHERE id = ?", [*values.values(), track_id])  # noqa: S608 - our own names


def left_at(connection: Connection, paths: Sequence[str]) -> list[tuple[UUID, str]]:
    """The tracks whose sound stays in one of these files, and in which."""
    return connection.execute(
        "SELECT id, original FROM tracks WHERE original IN (SELECT unnest(?))", [list(paths)]
    ).fetchall()


def set_sound(connection: Connection, track_id: UUID, *, file: str | None, original: str | None) -> None:
    """Say where a track's sound is from now on: a file of the library, or one that stays where it is."""
    connection.execute("UPDATE tracks SET file = ?, original = ? WHERE id = ?", [file, original, track_id])


def set_duration(connection: Connection, track_id: UUID, duration: float) -> None:
    """Correct a track's length [s]: a damaged file may hold less than it declares."""
    connection.execute("UPDATE tracks SET duration = ? WHERE id = ?", [duration, track_id])


def remove(connection: Connection, track_ids: Sequence[UUID]) -> list[UUID]:
    """Take tracks out of the library; `restore` brings them back. Returns those that were there."""
    rows = fetch(
        connection,
        "UPDATE tracks SET removed_at = now() WHERE id IN (SELECT unnest(?)) AND removed_at IS NULL RETURNING id",
        [list(track_ids)],
    )
    return [row["id"] for row in rows]


def restore(connection: Connection, track_ids: Sequence[UUID]) -> list[UUID]:
    """Bring removed tracks back. Returns those that were."""
    rows = fetch(
        connection,
        "UPDATE tracks SET removed_at = NULL WHERE id IN (SELECT unnest(?)) AND removed_at IS NOT NULL RETURNING id",
        [list(track_ids)],
    )
    return [row["id"] for row in rows]


def count(connection: Connection, *, query: str = "") -> int:
    """How many tracks match a search; all of them for an empty one."""
    where, parameters = _matching(query)
    row = connection.execute(f"SELECT count(*) FROM tracks t WHERE {where}", parameters).fetchone()  # noqa: S608 - text of ours
    return int(row[0]) if row else 0


def page(
    connection: Connection,
    *,
    query: str = "",
    sort: str = "added_at",
    descending: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> list[UUID]:
    """Ids of the tracks that match a search, in order.

    Parameters
    ----------
    query
        Words that must all occur in title, artist, album or genre; case and accents do not matter.
    sort
        One of `SORTS`; tracks without a value come last.

    Raises
    ------
    ParameterError
        When ``sort`` is unknown.
    """
    if sort not in SORTS:
        raise ParameterError(f"Tracks cannot be sorted by {sort!r}.", hint=f"Choose one of {', '.join(SORTS)}.")
    direction = "DESC" if descending else "ASC"
    joins = _ANALYSIS if sort in ("bpm", "key", "energy", "status") else ""
    if sort == "status":
        joins += f" LEFT JOIN ({_ACTIVITY}) j ON j.track_id = t.id"
    where, parameters = _matching(query)
    rows = connection.execute(
        f"SELECT t.id FROM tracks t {joins} WHERE {where} "  # noqa: S608 - text of ours
        f"ORDER BY {SORTS[sort]} {direction} NULLS LAST, lower(t.title), t.id LIMIT ? OFFSET ?",
        [*parameters, limit, offset],
    ).fetchall()
    return [row[0] for row in rows]


def summaries(connection: Connection, track_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What a list shows of each track, in the order asked for.

    Each has the track's own columns, the analysis' ``bpm, key, camelot, energy, lufs, true_peak, lra``, the
    names of its ``stems``, and its newest job of each kind as ``jobs``: kind, status, progress, error.
    """
    wanted = list(track_ids)
    # First what is asked for, by the indexes of both tables; only then joined, counted and gathered.
    rows = fetch(
        connection,
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT {_COLUMNS}, removed_at FROM tracks WHERE id IN (SELECT unnest($ids))
        ), heard AS MATERIALIZED (
            SELECT track_id, bpm, key, camelot, energy, lufs, lra, true_peak
            FROM analyses WHERE track_id IN (SELECT unnest($ids))
        ), used AS MATERIALIZED (
            SELECT id, track_id FROM separations WHERE track_id IN (SELECT unnest($ids)) AND {IN_USE}
        )
        SELECT t.*, a.track_id IS NOT NULL AS analyzed,
               a.bpm, a.key, a.camelot, a.energy, a.lufs, a.lra, a.true_peak,
               (SELECT list(s.name) FROM stems s JOIN used u ON u.id = s.separation_id
                WHERE u.track_id = t.id) AS stems,
               (SELECT list({{'id': j.id, 'kind': j.kind, 'status': j.status,
                              'progress': j.progress, 'error': j.error}})
                FROM (SELECT * FROM jobs WHERE track_id = t.id AND kind <> 'export'
                      QUALIFY row_number() OVER (PARTITION BY kind ORDER BY created_at DESC) = 1) j) AS jobs
        FROM chosen t LEFT JOIN heard a ON a.track_id = t.id
        """,  # noqa: S608 - text of ours
        {"ids": wanted},
    )
    rows = [row for row in rows if row.pop("removed_at") is None]
    for row in rows:
        row["stems"] = sorted(row["stems"] or [], key=mixer_order)
        row["jobs"] = row["jobs"] or []
    by_id = {row["id"]: row for row in rows}
    return [by_id[track_id] for track_id in wanted if track_id in by_id]


def _matching(query: str) -> tuple[str, list[str]]:
    words = fold(query).split()
    clauses = ["t.removed_at IS NULL", *["contains(t.search, ?)" for _ in words]]
    return " AND ".join(clauses), words
