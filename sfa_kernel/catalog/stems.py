"""Stems, in sets: what one separation made of a track, or of a region of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch, fetch_one
from sfa_kernel.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = [
    "IN_USE",
    "SeparationRow",
    "StemRow",
    "all_in_use",
    "choose",
    "due",
    "files",
    "find",
    "get",
    "in_use",
    "mixer_order",
    "of_separation",
    "of_separations",
    "of_track",
    "purge",
    "put",
    "remove",
    "restore",
    "stem",
]


# How a mixer lists them; what is not named follows by name, and the rest comes last.
MIXER_ORDER = (
    "vocals",
    "lead_vocals",
    "back_vocals",
    "voice",
    "drums",
    "bass",
    "guitar",
    "electric_guitar",
    "acoustic_guitar",
    "piano",
    "synthesizer",
    "strings",
    "wind",
    "music",
)


@dataclass(frozen=True)
class SeparationRow:
    """One row of the table ``separations``; the migration says what each column means."""

    id: UUID
    track_id: UUID
    request: str
    engine: str
    model: str
    settings: dict[str, Any]
    start: float | None
    end: float | None
    device: str
    seconds: float | None
    minutes: float | None
    residual_db: float
    report: dict[str, Any] | None
    levels: str
    chosen: bool
    created_at: datetime
    removed_at: datetime | None

    @property
    def preview(self) -> bool:
        """Whether it is of a region only."""
        return self.start is not None


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


_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(SeparationRow))


def _row(values: dict[str, Any]) -> SeparationRow:
    values["settings"] = json.loads(values["settings"])
    values["report"] = None if values["report"] is None else json.loads(values["report"])
    return SeparationRow(**values)


def put(connection: Connection, separation: SeparationRow, stems: Sequence[StemRow]) -> list[str]:
    """Write a set of stems. Returns the files of the set of the same request, which it replaces."""
    stale: list[str] = []
    for old in fetch(
        connection,
        f"SELECT {_COLUMNS} FROM separations WHERE track_id = ? AND request = ?",  # noqa: S608 - our own names
        [separation.track_id, separation.request],
    ):
        stale += _delete(connection, _row(old))
    s = separation
    connection.execute(
        f"INSERT INTO separations ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(SeparationRow)))})",  # noqa: S608
        [
            s.id,
            s.track_id,
            s.request,
            s.engine,
            s.model,
            json.dumps(s.settings),
            s.start,
            s.end,
            s.device,
            s.seconds,
            s.minutes,
            s.residual_db,
            None if s.report is None else json.dumps(s.report),
            s.levels,
            s.chosen,
            s.created_at,
            s.removed_at,
        ],
    )
    for t in stems:
        connection.execute(
            "INSERT INTO stems VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [t.id, t.separation_id, t.track_id, t.name, t.file, t.waveform, t.content_hash, t.bytes],
        )
    return stale


def _delete(connection: Connection, row: SeparationRow) -> list[str]:
    """Delete a set for good. Returns its files."""
    names = files(connection, [row])
    connection.execute("DELETE FROM stems WHERE separation_id = ?", [row.id])
    connection.execute("DELETE FROM separations WHERE id = ?", [row.id])
    return names


def find(connection: Connection, track_id: UUID, request: str) -> SeparationRow | None:
    """What this request made of a track, if it was done and not removed."""
    row = fetch_one(
        connection,
        f"SELECT {_COLUMNS} FROM separations "  # noqa: S608 - our own names
        "WHERE track_id = ? AND request = ? AND removed_at IS NULL",
        [track_id, request],
    )
    return _row(row) if row else None


def get(connection: Connection, separation_id: UUID) -> SeparationRow:
    """One set of stems, removed or not.

    Raises
    ------
    NotFoundError
        When there is none, or its track is not in the library.
    """
    row = fetch_one(
        connection,
        f"SELECT {_COLUMNS} FROM separations WHERE id = ? "  # noqa: S608 - our own names
        "AND track_id IN (SELECT id FROM tracks WHERE removed_at IS NULL)",
        [separation_id],
    )
    if row is None:
        raise NotFoundError("There is no such set of stems.", hint="Look at the track's separations.")
    return _row(row)


def of_track(connection: Connection, track_id: UUID) -> list[SeparationRow]:
    """The sets of a track, previews included, the newest first."""
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM separations WHERE track_id = ? AND removed_at IS NULL "  # noqa: S608 - our own names
        "ORDER BY created_at DESC, id",
        [track_id],
    )
    return [_row(row) for row in rows]


def in_use(connection: Connection, track_id: UUID) -> SeparationRow | None:
    """The set of a track's stems that is played: the chosen one, else the newest of the whole song."""
    return next(iter(all_in_use(connection, [track_id])), None)


IN_USE = """
    removed_at IS NULL AND "start" IS NULL
    QUALIFY row_number() OVER (PARTITION BY track_id ORDER BY chosen DESC, created_at DESC, id) = 1
"""
"""Which rows of ``separations`` are in use: of each track the chosen one, else the newest of the whole song."""


def all_in_use(connection: Connection, track_ids: Sequence[UUID]) -> list[SeparationRow]:
    """The sets in use of those tracks that have one."""
    rows = fetch(
        connection,
        f"""
        SELECT {_COLUMNS} FROM separations WHERE track_id IN (SELECT unnest(?::UUID[])) AND {IN_USE}
        """,  # noqa: S608 - our own names
        [list(track_ids)],
    )
    return [_row(row) for row in rows]


def choose(connection: Connection, separation_id: UUID) -> None:
    """Make a set of the whole song the one in use.

    Raises
    ------
    NotFoundError
        When there is no such set, or it is a preview or removed.
    """
    row = get(connection, separation_id)
    if row.preview or row.removed_at is not None:
        raise NotFoundError("Only stems of the whole song can be put to use.", hint="Separate the whole song.")
    connection.execute("UPDATE separations SET chosen = (id = ?) WHERE track_id = ?", [row.id, row.track_id])


def remove(connection: Connection, separation_id: UUID) -> SeparationRow:
    """Take a set away; `restore` brings it back until a cleanup removes it for good.

    Raises
    ------
    NotFoundError
        When there is no such set.
    """
    row = get(connection, separation_id)
    connection.execute(
        "UPDATE separations SET removed_at = now(), chosen = false WHERE id = ? AND removed_at IS NULL", [row.id]
    )
    return row


def restore(connection: Connection, separation_id: UUID) -> SeparationRow:
    """Bring a removed set back.

    Raises
    ------
    NotFoundError
        When there is no such set any more.
    """
    row = get(connection, separation_id)
    connection.execute("UPDATE separations SET removed_at = NULL WHERE id = ?", [row.id])
    return row


def due(connection: Connection, before: datetime) -> list[SeparationRow]:
    """The sets that were removed, and the previews that were made, before this time: they may go for good."""
    rows = fetch(
        connection,
        f"""
        SELECT {_COLUMNS} FROM separations WHERE removed_at < $1 OR ("start" IS NOT NULL AND created_at < $1)
        """,  # noqa: S608 - our own names
        [before],
    )
    return [_row(row) for row in rows]


def files(connection: Connection, rows: Sequence[SeparationRow]) -> list[str]:
    """The names of the files of these sets."""
    return [
        name
        for row in rows
        for name in (
            row.levels,
            *(file for stem in of_separation(connection, row.id) for file in (stem.file, stem.waveform)),
        )
    ]


def purge(connection: Connection, before: datetime) -> tuple[int, list[str]]:
    """Delete for good the sets that are `due`. Returns how many they were, and their files."""
    rows = due(connection, before)
    return len(rows), [name for row in rows for name in _delete(connection, row)]


def of_separation(connection: Connection, separation_id: UUID) -> list[StemRow]:
    """The stems of one set, in the mixer's order; of a preview also its mix, first."""
    return of_separations(connection, [separation_id])


def of_separations(connection: Connection, separation_ids: Sequence[UUID]) -> list[StemRow]:
    """The stems of several sets, each set's in the mixer's order."""
    rows: list[dict[str, Any]] = fetch(
        connection,
        "SELECT * FROM stems WHERE separation_id IN (SELECT unnest(?::UUID[]))",
        [list(separation_ids)],
    )
    return sorted((StemRow(**row) for row in rows), key=lambda stem: mixer_order(stem.name))


def mixer_order(name: str) -> tuple[int, str]:
    """Sort key of a stem's name in the mixer's order."""
    if name in MIXER_ORDER:
        return MIXER_ORDER.index(name), name
    return {"mix": -1, "other": 90, "rest": 99}.get(name, 50), name


def stem(connection: Connection, stem_id: UUID) -> StemRow | None:
    """One stem, if its track is in the library."""
    row = fetch_one(
        connection,
        "SELECT s.* FROM stems s JOIN tracks t ON t.id = s.track_id WHERE s.id = ? AND t.removed_at IS NULL",
        [stem_id],
    )
    return StemRow(**row) if row else None
