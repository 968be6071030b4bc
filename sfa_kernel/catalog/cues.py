"""Cues: points to jump to in a track."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from sfa_kernel.catalog.rows import fetch, fetch_one
from sfa_kernel.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["CueRow", "change", "get", "insert", "of_track", "of_tracks", "remove", "replace_automatic"]

SAME = 0.05  # s: cues of one type that are nearer than this are one


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
    slot: int | None = None  # 1-8: a hot cue of a deck
    end: float | None = None  # s: it is a loop


def insert(connection: Connection, cue: CueRow) -> None:
    """Add a cue."""
    connection.execute("INSERT INTO cues VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(astuple(cue)))


def get(connection: Connection, cue_id: UUID) -> CueRow:
    """One cue.

    Raises
    ------
    NotFoundError
        When there is none with that id.
    """
    row = fetch_one(connection, "SELECT * FROM cues WHERE id = ?", [cue_id])
    if row is None:
        raise NotFoundError("That cue is not there any more.", hint="Look at the track's cues again.")
    return CueRow(**row)


def change(connection: Connection, cue: CueRow) -> None:
    """Put a person's version in the place of a cue; where an automatic one was, none is put again."""
    before = get(connection, cue.id)
    if before.origin == "auto":
        _note_removed(connection, before)
    connection.execute(
        "UPDATE cues SET time = ?, type = ?, label = ?, color = ?, confidence = ?, reason = ?, origin = ?, slot = ?, "
        '"end" = ? WHERE id = ?',
        [*astuple(cue)[2:], cue.id],
    )


def remove(connection: Connection, cue_id: UUID) -> None:
    """Take a cue away; an automatic one does not come back unless it is forced to.

    Raises
    ------
    NotFoundError
        When there is none with that id.
    """
    before = get(connection, cue_id)
    if before.origin == "auto":
        _note_removed(connection, before)
    connection.execute("DELETE FROM cues WHERE id = ?", [cue_id])


def replace_automatic(
    connection: Connection, track_id: UUID, cues: Sequence[CueRow], *, all_again: bool = False
) -> None:
    """Put new automatic cues in the place of the old ones; a person's own cues stay.

    Parameters
    ----------
    cues
        The new ones. One at the place of a person's cue of its type is left out, and so is one that a person took
        away.
    all_again
        Whether those that a person took away come back.
    """
    connection.execute("DELETE FROM cues WHERE track_id = ? AND origin = 'auto'", [track_id])
    if all_again:
        connection.execute("DELETE FROM removed_cues WHERE track_id = ?", [track_id])
    taken = connection.execute(
        "SELECT time, type FROM cues WHERE track_id = $1 UNION ALL "
        "SELECT time, type FROM removed_cues WHERE track_id = $1",
        [track_id],
    ).fetchall()
    for cue in cues:
        if not any(cue.type == type_ and abs(cue.time - time) <= SAME for time, type_ in taken):
            insert(connection, cue)


def of_track(connection: Connection, track_id: UUID) -> list[CueRow]:
    """The cues of a track in order of time."""
    return of_tracks(connection, [track_id])


def of_tracks(connection: Connection, track_ids: Sequence[UUID]) -> list[CueRow]:
    """The cues of several tracks in order of time."""
    rows = fetch(
        connection,
        "SELECT * FROM cues WHERE track_id IN (SELECT unnest(?::UUID[])) ORDER BY time, label",
        [list(track_ids)],
    )
    return [CueRow(**row) for row in rows]


def _note_removed(connection: Connection, cue: CueRow) -> None:
    connection.execute("INSERT INTO removed_cues VALUES (?, ?, ?)", [cue.track_id, cue.time, cue.type])
