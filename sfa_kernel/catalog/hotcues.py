"""Hot cues: the eight cues of a track that a deck jumps to at the press of a button.

What was in a slot before is kept, so that the last press can be taken back.
"""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import TYPE_CHECKING

from sfa_kernel.catalog import cues
from sfa_kernel.catalog.cues import CueRow
from sfa_kernel.catalog.rows import fetch, fetch_one

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["PRESSED", "SLOTS", "clear", "of_track", "of_tracks", "purge", "put", "restore"]

SLOTS = range(1, 9)
PRESSED = "cue"  # the type of what a person set: it has no place among a track's cues but its slot


def of_track(connection: Connection, track_id: UUID) -> dict[int, CueRow]:
    """The hot cues of a track by their slots."""
    return {cue.slot: cue for cue in of_tracks(connection, [track_id]) if cue.slot is not None}


def of_tracks(connection: Connection, track_ids: Sequence[UUID]) -> list[CueRow]:
    """The hot cues of several tracks in the order of their slots."""
    rows = fetch(
        connection,
        "SELECT * FROM cues WHERE track_id IN (SELECT unnest(?::UUID[])) AND slot IS NOT NULL ORDER BY slot",
        [list(track_ids)],
    )
    return [CueRow(**row) for row in rows]


def put(connection: Connection, cue: CueRow) -> CueRow:
    """Put a cue into its slot; what is there at the same place is changed, anything else there makes room.

    Returns
    -------
    CueRow
        As it is now.
    """
    before = of_track(connection, cue.track_id).get(cue.slot or 0)
    if before is not None:
        _keep(connection, before)
        if (before.time, before.end) == (cue.time, cue.end):
            changed = replace(before, label=cue.label, color=cue.color)
            cues.change(connection, changed)
            return changed
        _leave(connection, before)
    if _is_there(connection, cue.id):
        cues.change(connection, cue)
    else:
        cues.insert(connection, cue)
    return cue


def clear(connection: Connection, track_id: UUID, slot: int) -> CueRow | None:
    """Free a slot. A cue that was found stays among the track's cues. Returns what was there."""
    before = of_track(connection, track_id).get(slot)
    if before is not None:
        _keep(connection, before)
        _leave(connection, before)
    return before


def restore(connection: Connection, track_id: UUID, slot: int) -> CueRow | None:
    """Bring back what was last in a slot; what is there now can be brought back in turn. None when nothing was."""
    former = fetch_one(
        connection,
        "SELECT * FROM former_hot_cues WHERE track_id = ? AND slot = ? ORDER BY removed_at DESC LIMIT 1",
        [track_id, slot],
    )
    if former is None:
        return None
    connection.execute(
        "DELETE FROM former_hot_cues WHERE track_id = ? AND slot = ? AND removed_at = ?",
        [track_id, slot, former.pop("removed_at")],
    )
    cue = CueRow(**former)
    now = of_track(connection, track_id).get(slot)
    if now is not None:
        _keep(connection, now)
        if now.id != cue.id:
            _leave(connection, now)
    if _is_there(connection, cue.id):
        cues.change(connection, cue)
    else:
        cues.insert(connection, cue)
    return cue


def purge(connection: Connection, before: datetime) -> int:
    """Forget what left its slot before this time; how many."""
    gone = connection.execute("DELETE FROM former_hot_cues WHERE removed_at < ? RETURNING id", [before]).fetchall()
    return len(gone)


def _keep(connection: Connection, cue: CueRow) -> None:
    """A clock that stands still, or goes back, must not mix up their order."""
    connection.execute(
        """
        INSERT INTO former_hot_cues
        SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
               greatest(get_current_timestamp(), max(removed_at) + INTERVAL 1 MICROSECOND)
        FROM former_hot_cues WHERE track_id = ?
        """,
        [*astuple(cue), cue.track_id],
    )


def _leave(connection: Connection, cue: CueRow) -> None:
    if cue.type == PRESSED:
        cues.remove(connection, cue.id)
    else:
        cues.change(connection, replace(cue, slot=None))


def _is_there(connection: Connection, cue_id: UUID) -> bool:
    return fetch_one(connection, "SELECT id FROM cues WHERE id = ?", [cue_id]) is not None
