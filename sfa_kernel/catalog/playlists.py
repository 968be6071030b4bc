"""Playlists and their entries: own ones, imported ones, and smart ones, which are a saved question.

An entry is a track of the library, or a song that somebody else names and that may not be here. Entries that were
taken out, and those whose track was removed, keep their place among the others, so that they come back to it. Every
change reads what it changes in its own transaction: of two programs that edit a playlist, neither undoes the other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog.filters import Filter
from sfa_kernel.catalog.rows import fetch
from sfa_kernel.errors import NotFoundError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sfa_kernel.catalog.connection import Connection

__all__ = [
    "KINDS",
    "EntryRow",
    "PlaylistRow",
    "Totals",
    "add",
    "bring",
    "create",
    "entry_ids",
    "forget_tracks",
    "get",
    "imported",
    "listing",
    "missing",
    "move",
    "order",
    "page",
    "purge",
    "put_back",
    "remove",
    "rename",
    "restore",
    "set_filter",
    "take_out",
    "totals",
]

KINDS = ("own", "imported", "smart")


@dataclass(frozen=True)
class PlaylistRow:
    """One row of the table ``playlists``; the migration says what each column means."""

    id: UUID
    name: str
    kind: str
    service: str | None
    key: str | None
    url: str | None
    owner: str
    description: str
    snapshot: str | None
    filter: Filter | None
    created_at: datetime
    changed_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True)
class EntryRow:
    """One place of a playlist.

    Attributes
    ----------
    id
        Of a smart playlist, the track's.
    track_id
        The track, when it is in the library.
    song_id
        The song that somebody else names; None for what a person put there from the library.
    """

    id: UUID
    track_id: UUID | None
    song_id: UUID | None


@dataclass(frozen=True)
class Totals:
    """How much is in a playlist.

    Attributes
    ----------
    count, here
        Entries, and how many of them can be played.
    duration
        Of those that can [s].
    """

    count: int = 0
    here: int = 0
    duration: float = 0.0


_COLUMNS = ", ".join(field.name for field in fields(PlaylistRow))

# The entries that show, each with its track when that is here.
_SHOWN = """
    SELECT e.id, e.playlist_id, e.position, t.id AS track_id, e.song_id, t.duration
    FROM playlist_entries e LEFT JOIN songs s ON s.id = e.song_id
    LEFT JOIN tracks t ON t.id = coalesce(e.track_id, s.track_id) AND t.removed_at IS NULL
    WHERE e.removed_at IS NULL AND (t.id IS NOT NULL OR e.song_id IS NOT NULL)
"""


def _row(values: dict[str, Any]) -> PlaylistRow:
    values["filter"] = None if values["filter"] is None else Filter.from_dict(json.loads(values["filter"]))
    return PlaylistRow(**values)


def _checked_name(name: str) -> str:
    cleaned = clean_text(name) if isinstance(name, str) else ""
    if not cleaned:
        raise ParameterError("A playlist needs a name.", hint="Give it one or more letters.")
    return cleaned


# -- playlists -----------------------------------------------------------------------------------------------------


def create(
    connection: Connection,
    name: str,
    *,
    kind: str = "own",
    service: str | None = None,
    key: str | None = None,
    url: str | None = None,
    owner: str = "",
    description: str = "",
    snapshot: str | None = None,
    filter: Filter | None = None,  # noqa: A002 - what it is
) -> PlaylistRow:
    """Add a playlist without entries.

    Raises
    ------
    ParameterError
        When its name is empty.
    """
    now = datetime.now(UTC)
    row = PlaylistRow(
        uuid4(), _checked_name(name), kind, service, key, url, owner, description, snapshot, filter, now, now, None
    )
    values = [getattr(row, field.name) for field in fields(PlaylistRow) if field.name != "filter"]
    names = _COLUMNS.replace(" filter,", "")
    connection.execute(
        f"INSERT INTO playlists ({names}, filter) VALUES ({', '.join('?' * len(values))}, ?)",  # noqa: S608 - our own names
        [*values, None if filter is None else json.dumps(filter.to_dict())],
    )
    return row


def imported(
    connection: Connection,
    *,
    service: str,
    key: str,
    name: str,
    song_ids: Sequence[UUID],
    url: str | None = None,
    owner: str = "",
    description: str = "",
    snapshot: str | None = None,
) -> tuple[PlaylistRow, int]:
    """Write a playlist as a service or a file has it; of one that was imported before, what is new.

    It keeps the name that a person may have given it. One that was removed comes back.

    Returns
    -------
    tuple
        The playlist, and how many entries are new.
    """
    found = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM playlists WHERE service = ? AND key = ?",  # noqa: S608 - our own names
        [service, key],
    )
    told = {"url": url, "owner": owner, "description": description, "snapshot": snapshot}
    if found:
        row = _row(found[0])
        connection.execute(
            "UPDATE playlists SET url = ?, owner = ?, description = ?, snapshot = ?, removed_at = NULL WHERE id = ?",
            [*told.values(), row.id],
        )
    else:
        name = clean_text(name) or "Untitled"
        row = create(connection, name, kind="imported", service=service, key=key, **told)  # type: ignore[arg-type]
    new = bring(connection, row.id, song_ids)
    return get(connection, row.id), new


def get(connection: Connection, playlist_id: UUID) -> PlaylistRow:
    """One playlist.

    Raises
    ------
    NotFoundError
        When there is none with that id, or it was removed.
    """
    rows = fetch(connection, f"SELECT {_COLUMNS} FROM playlists WHERE id = ?", [playlist_id])  # noqa: S608 - our own names
    if not rows or rows[0]["removed_at"] is not None:
        raise NotFoundError(f"There is no playlist {playlist_id} in this library.")
    return _row(rows[0])


def listing(connection: Connection, *, removed: bool = False) -> list[PlaylistRow]:
    """All playlists by name, or those that were ``removed``, the last one first."""
    which = "IS NOT NULL ORDER BY removed_at DESC" if removed else "IS NULL ORDER BY lower(name), created_at"
    rows = fetch(connection, f"SELECT {_COLUMNS} FROM playlists WHERE removed_at {which}")  # noqa: S608 - text of ours
    return [_row(row) for row in rows]


def totals(connection: Connection, playlists: Sequence[PlaylistRow]) -> dict[UUID, Totals]:
    """How much is in each of these."""
    counted = connection.execute(
        f"""
        SELECT playlist_id, count(*), count(track_id), coalesce(sum(duration), 0.0)
        FROM ({_SHOWN} AND e.playlist_id IN (SELECT unnest(?::UUID[]))) GROUP BY playlist_id
        """,  # noqa: S608 - text of ours
        [[row.id for row in playlists if row.filter is None]],
    ).fetchall()
    found = {playlist_id: Totals(*numbers) for playlist_id, *numbers in counted}
    for row in playlists:
        if row.filter is not None:
            count, duration = row.filter.totals(connection)
            found[row.id] = Totals(count, count, duration)
    return {row.id: found.get(row.id, Totals()) for row in playlists}


def rename(connection: Connection, playlist_id: UUID, name: str) -> PlaylistRow:
    """Give a playlist another name.

    Raises
    ------
    NotFoundError
        When there is no such playlist.
    ParameterError
        When the name is empty.
    """
    get(connection, playlist_id)
    connection.execute("UPDATE playlists SET name = ? WHERE id = ?", [_checked_name(name), playlist_id])
    _changed(connection, playlist_id)
    return get(connection, playlist_id)


def set_filter(connection: Connection, playlist_id: UUID, filter: Filter) -> PlaylistRow:  # noqa: A002 - what it is
    """Let a smart playlist ask for something else.

    Raises
    ------
    NotFoundError
        When there is no such playlist.
    ParameterError
        When it is none that asks.
    """
    row = get(connection, playlist_id)
    if row.filter is None:
        raise ParameterError(f"{row.name!r} is a list of songs and has no filter.", hint="Make a smart playlist.")
    connection.execute("UPDATE playlists SET filter = ? WHERE id = ?", [json.dumps(filter.to_dict()), playlist_id])
    _changed(connection, playlist_id)
    return get(connection, playlist_id)


def remove(connection: Connection, playlist_id: UUID) -> None:
    """Take a playlist away; `restore` brings it back until the trash is emptied. Its tracks stay.

    Raises
    ------
    NotFoundError
        When there is no such playlist.
    """
    get(connection, playlist_id)
    connection.execute("UPDATE playlists SET removed_at = now() WHERE id = ?", [playlist_id])


def restore(connection: Connection, playlist_id: UUID) -> PlaylistRow:
    """Bring a playlist back after `remove`.

    Raises
    ------
    NotFoundError
        When it is gone for good.
    """
    connection.execute("UPDATE playlists SET removed_at = NULL WHERE id = ?", [playlist_id])
    return get(connection, playlist_id)


def _changed(connection: Connection, playlist_id: UUID) -> None:
    connection.execute("UPDATE playlists SET changed_at = now() WHERE id = ?", [playlist_id])


# -- entries -------------------------------------------------------------------------------------------------------


def page(connection: Connection, row: PlaylistRow, *, offset: int = 0, limit: int | None = None) -> list[EntryRow]:
    """The entries of a playlist that show, in order."""
    if row.filter is not None:
        ids = row.filter.page(connection, offset=offset, limit=limit)
        return [EntryRow(track_id, track_id, None) for track_id in ids]
    rows = fetch(
        connection,
        f"SELECT id, track_id, song_id FROM ({_SHOWN} AND e.playlist_id = ?) ORDER BY position LIMIT ? OFFSET ?",  # noqa: S608 - text of ours
        [row.id, limit, offset],
    )
    return [EntryRow(**values) for values in rows]


def entry_ids(connection: Connection, playlist_id: UUID) -> list[UUID]:
    """The ids of the entries that show, in order."""
    return [row[0] for row in _places(connection, playlist_id)]


def _places(connection: Connection, playlist_id: UUID) -> list[tuple[UUID, int]]:
    return connection.execute(
        f"SELECT id, position FROM ({_SHOWN} AND e.playlist_id = ?) ORDER BY position",  # noqa: S608 - text of ours
        [playlist_id],
    ).fetchall()


def missing(connection: Connection, row: PlaylistRow, entries: Sequence[UUID] | None = None) -> list[UUID]:
    """The songs of a playlist that are not here, in order and each once; those of these entries when some are named."""
    chosen = None if entries is None else set(entries)
    absent = (
        entry.song_id
        for entry in page(connection, row)
        if entry.track_id is None and entry.song_id is not None and (chosen is None or entry.id in chosen)
    )
    return list(dict.fromkeys(absent))


def _own(connection: Connection, playlist_id: UUID) -> None:
    """Whether its entries are a person's to arrange."""
    row = get(connection, playlist_id)
    if row.filter is not None:
        raise ParameterError(
            f"{row.name!r} is a smart playlist: what it asks for decides what is in it.",
            hint="Change its filter, or make a playlist of your own from its tracks.",
        )


def add(connection: Connection, playlist_id: UUID, track_ids: Sequence[UUID], *, at: int | None = None) -> list[UUID]:
    """Put tracks into a playlist.

    Parameters
    ----------
    at
        Before which place, from 0; at the end when None.

    Returns
    -------
    list
        The ids of the new entries.

    Raises
    ------
    NotFoundError
        When there is no such playlist.
    ParameterError
        When it is a smart one.
    """
    _own(connection, playlist_id)
    places = _places(connection, playlist_id) if at is not None else []
    if at is not None and 0 <= at < len(places):
        first = places[at][1]
        connection.execute(
            "UPDATE playlist_entries SET position = position + ? WHERE playlist_id = ? AND position >= ?",
            [len(track_ids), playlist_id, first],
        )
    else:
        first = _end(connection, playlist_id)
    ids = [uuid4() for _ in track_ids]
    _insert(connection, playlist_id, ids, track_ids=track_ids, positions=range(first, first + len(ids)))
    _changed(connection, playlist_id)
    return ids


def _end(connection: Connection, playlist_id: UUID) -> int:
    row = connection.execute(
        "SELECT max(position) + 1 FROM playlist_entries WHERE playlist_id = ?", [playlist_id]
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _insert(
    connection: Connection,
    playlist_id: UUID,
    ids: Sequence[UUID],
    *,
    positions: Iterable[int],
    track_ids: Sequence[UUID] | None = None,
    song_ids: Sequence[UUID] | None = None,
) -> None:
    if not ids:
        return
    nothing = [None] * len(ids)
    connection.execute(
        """
        INSERT INTO playlist_entries (id, playlist_id, position, track_id, song_id, added_at)
        SELECT unnest(?::UUID[]), ?, unnest(?::INTEGER[]), unnest(?::UUID[]), unnest(?::UUID[]), now()
        """,
        [list(ids), playlist_id, list(positions), list(track_ids or nothing), list(song_ids or nothing)],
    )


def take_out(connection: Connection, playlist_id: UUID, entries: Sequence[UUID]) -> None:
    """Take entries out of a playlist; `put_back` brings them back to their places until the trash is emptied.

    Raises
    ------
    NotFoundError
        When there is no such playlist.
    ParameterError
        When it is a smart one.
    """
    _mark(connection, playlist_id, entries, "now()")


def put_back(connection: Connection, playlist_id: UUID, entries: Sequence[UUID]) -> None:
    """Bring entries back after `take_out`; the errors are the same."""
    _mark(connection, playlist_id, entries, "NULL")


def _mark(connection: Connection, playlist_id: UUID, entries: Sequence[UUID], when: str) -> None:
    _own(connection, playlist_id)
    connection.execute(
        f"UPDATE playlist_entries SET removed_at = {when} WHERE playlist_id = ? AND id IN (SELECT unnest(?::UUID[]))",  # noqa: S608 - text of ours
        [playlist_id, list(entries)],
    )
    _changed(connection, playlist_id)


def move(connection: Connection, playlist_id: UUID, entries: Sequence[UUID], to: int) -> list[UUID]:
    """Move entries, together and in their order, so that the first of them is at place ``to``, from 0.

    Returns
    -------
    list
        The entries as they were before: `order` is the way back.

    Raises
    ------
    NotFoundError
        When there is no such playlist.
    ParameterError
        When it is a smart one.
    """
    _own(connection, playlist_id)
    places = _places(connection, playlist_id)
    moved = set(entries)
    staying = [position for entry, position in places if entry not in moved]
    # What is hidden stays behind what it follows.
    behind = staying[to] if 0 <= to < len(staying) else _end(connection, playlist_id)
    connection.execute(
        """
        UPDATE playlist_entries SET position = now.place
        FROM (
            SELECT id, row_number() OVER (
                ORDER BY CASE WHEN id IN (SELECT unnest($moved::UUID[])) THEN 1 ELSE 2 * (position >= $behind)::INTEGER
                END, position
            ) - 1 AS place FROM playlist_entries WHERE playlist_id = $playlist
        ) now
        WHERE playlist_entries.id = now.id AND position <> now.place
        """,
        {"moved": list(entries), "behind": behind, "playlist": playlist_id},
    )
    _changed(connection, playlist_id)
    return [entry for entry, _ in places]


def order(connection: Connection, playlist_id: UUID, entries: Sequence[UUID]) -> list[UUID]:
    """Put entries into this order, in the places that they have; those that are not named stay where they are.

    Returns
    -------
    list
        The entries as they were before.

    Raises
    ------
    NotFoundError
        When there is no such playlist.
    ParameterError
        When it is a smart one.
    """
    _own(connection, playlist_id)
    before = _places(connection, playlist_id)
    free = dict(before)
    known = [entry for entry in dict.fromkeys(entries) if entry in free]
    _place(connection, known, sorted(free[entry] for entry in known))
    _changed(connection, playlist_id)
    return [entry for entry, _ in before]


def _place(connection: Connection, entries: Sequence[UUID], positions: Iterable[int]) -> None:
    connection.execute(
        """
        UPDATE playlist_entries SET position = now.place
        FROM (SELECT unnest(?::UUID[]) AS id, unnest(?::INTEGER[]) AS place) now
        WHERE playlist_entries.id = now.id AND position <> now.place
        """,
        [list(entries), list(positions)],
    )


def bring(connection: Connection, playlist_id: UUID, song_ids: Sequence[UUID]) -> int:
    """Put those songs into a playlist that it has not got, each behind the one that it follows.

    What a person took out stays out; what is there twice and shall be there three times comes once.

    Returns
    -------
    int
        How many are new.
    """
    rows = connection.execute(
        "SELECT id, song_id FROM playlist_entries WHERE playlist_id = ? ORDER BY position", [playlist_id]
    ).fetchall()
    known: dict[UUID, list[UUID]] = defaultdict(list)
    for entry, song in reversed(rows):
        known[song].append(entry)
    new: dict[UUID, UUID] = {}
    following: dict[UUID | None, list[UUID]] = defaultdict(list)
    last: UUID | None = None
    for song in song_ids:
        if known[song]:
            last = known[song].pop()
        else:
            entry = uuid4()
            new[entry] = song
            following[last].append(entry)
    if not new:
        return 0
    ordered = following[None] + [entry for old, _ in rows for entry in (old, *following[old])]
    positions = {entry: position for position, entry in enumerate(ordered)}
    if rows:
        _place(connection, [old for old, _ in rows], [positions[old] for old, _ in rows])
    _insert(
        connection,
        playlist_id,
        list(new),
        song_ids=list(new.values()),
        positions=[positions[entry] for entry in new],
    )
    _changed(connection, playlist_id)
    return len(new)


# -- the trash -----------------------------------------------------------------------------------------------------


def forget_tracks(connection: Connection, track_ids: Sequence[UUID]) -> None:
    """These tracks go for good: an entry that somebody else named is a song again, every other one goes."""
    connection.execute(
        "DELETE FROM playlist_entries WHERE song_id IS NULL AND track_id IN (SELECT unnest(?::UUID[]))",
        [list(track_ids)],
    )


def purge(connection: Connection, before: datetime) -> int:
    """Delete the playlists and entries that were removed before this time. Returns how many playlists.

    Of a playlist that stays, what somebody else names and a person took out is kept as taken out: the next import is
    not to bring it back.
    """
    ids = [row[0] for row in connection.execute("SELECT id FROM playlists WHERE removed_at < ?", [before]).fetchall()]
    connection.execute(
        "DELETE FROM playlist_entries WHERE (removed_at < ? AND song_id IS NULL) "
        "OR playlist_id IN (SELECT unnest(?::UUID[]))",
        [before, ids],
    )
    connection.execute("DELETE FROM playlists WHERE id IN (SELECT unnest(?::UUID[]))", [ids])
    return len(ids)
