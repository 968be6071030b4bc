"""Songs as others name them: a service, or a playlist file. One is here once it has a track."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.catalog.rows import fetch, fold
from sfa_kernel.errors import NotFoundError
from sfa_kernel.sources.song import Song

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = [
    "SongRow",
    "by_keys",
    "get",
    "get_many",
    "here",
    "link",
    "link_files",
    "match",
    "prune",
    "put",
    "recognise",
    "rename",
]

TOLERANCE = 2.0  # how much the lengths of what is the same recording may differ [s]

_FIELDS = {
    "service": "VARCHAR",
    "key": "VARCHAR",
    "title": "VARCHAR",
    "artist": "VARCHAR",
    "album": "VARCHAR",
    "year": "INTEGER",
    "track_number": "INTEGER",
    "duration": "DOUBLE",
    "isrc": "VARCHAR",
    "cover_url": "VARCHAR",
    "url": "VARCHAR",
}
_NULLABLE = ("year", "track_number", "duration", "isrc", "cover_url", "url")


@dataclass(frozen=True)
class SongRow:
    """One row of the table ``songs``.

    Attributes
    ----------
    song
        What is known of it.
    track_id
        The track that it became, also once that was removed, for good or not yet: nobody wants it again who has not
        said so. None for none.
    """

    id: UUID
    song: Song
    track_id: UUID | None
    updated_at: datetime


_COLUMNS = ", ".join(["id", *_FIELDS, "track_id", "updated_at"])


def put(connection: Connection, songs: Sequence[Song]) -> list[UUID]:
    """Write songs, or what is new of those that are known; their tracks stay theirs.

    What somebody does not tell this time is kept: an album's list of songs has no ISRC.

    Returns
    -------
    list
        Their ids in the same order; of a song that is there twice the same one twice.
    """
    newest = {(song.service, song.key): song for song in songs}
    if not newest:
        return []
    rows = list(newest.values())
    values: list[Any] = [[uuid4() for _ in rows], *[[getattr(song, name) for song in rows] for name in _FIELDS]]
    kinds = ["UUID", *_FIELDS.values()]
    told = ", ".join(
        f"{name} = coalesce(excluded.{name}, {name})" if name in _NULLABLE else f"{name} = excluded.{name}"
        for name in _FIELDS
        if name not in ("service", "key")
    )
    connection.execute(
        f"""
        INSERT INTO songs ({_COLUMNS})
        SELECT {", ".join(f"unnest(?::{kind}[])" for kind in kinds)}, NULL, ?
        ON CONFLICT (service, key) DO UPDATE SET {told}, updated_at = excluded.updated_at
        """,
        [*values, datetime.now(UTC)],
    )
    ids = {(row.song.service, row.song.key): row.id for row in _of(connection, list(newest))}
    return [ids[song.service, song.key] for song in songs]


def _of(connection: Connection, names: Sequence[tuple[str, str]]) -> list[SongRow]:
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM songs WHERE (service, key) IN "  # noqa: S608 - our own names
        "(SELECT (unnest(?::VARCHAR[]), unnest(?::VARCHAR[])))",
        [[service for service, _ in names], [key for _, key in names]],
    )
    return [_row(row) for row in rows]


def by_keys(connection: Connection, service: str, keys: Sequence[str]) -> dict[str, SongRow]:
    """The songs that a service names so, as far as they are known."""
    return {row.song.key: row for row in _of(connection, [(service, key) for key in keys])}


def rename(connection: Connection, service: str, keys: Mapping[str, str]) -> None:
    """Songs have another key from now on (old: new); where a song has that one already, both stay as they are."""
    connection.execute(
        """
        UPDATE songs SET key = now.new
        FROM (SELECT unnest(?::VARCHAR[]) AS old, unnest(?::VARCHAR[]) AS new) now
        WHERE service = ? AND key = now.old AND now.new NOT IN (SELECT key FROM songs WHERE service = ?)
        """,
        [list(keys), list(keys.values()), service, service],
    )


def get(connection: Connection, song_id: UUID) -> SongRow:
    """One song.

    Raises
    ------
    NotFoundError
        When there is none with that id.
    """
    found = get_many(connection, [song_id])
    if not found:
        raise NotFoundError(f"There is no song {song_id} in this library's lists.")
    return found[0]


def get_many(connection: Connection, song_ids: Sequence[UUID]) -> list[SongRow]:
    """Several songs in the order asked for; unknown ones are left out."""
    rows = fetch(
        connection,
        f"SELECT {_COLUMNS} FROM songs WHERE id IN (SELECT unnest(?::UUID[]))",  # noqa: S608 - our own names
        [list(song_ids)],
    )
    by_id = {row["id"]: _row(row) for row in rows}
    return [by_id[song_id] for song_id in song_ids if song_id in by_id]


def _row(values: dict[str, Any]) -> SongRow:
    song = Song(**{field.name: values[field.name] for field in fields(Song)})
    return SongRow(values["id"], song, values["track_id"], values["updated_at"])


def link(connection: Connection, song_id: UUID, track_id: UUID) -> None:
    """Note that a song is this track."""
    _link(connection, {song_id: track_id})


def _link(connection: Connection, pairs: Mapping[UUID, UUID]) -> None:
    connection.execute(
        "UPDATE songs SET track_id = pairs.track_id "
        "FROM (SELECT unnest(?::UUID[]) AS song_id, unnest(?::UUID[]) AS track_id) pairs WHERE id = pairs.song_id",
        [list(pairs), list(pairs.values())],
    )


def link_files(connection: Connection, tracks: Mapping[str, UUID]) -> list[UUID]:
    """These files have come into the library: link the songs that playlist files name so, and all that are the same.

    Parameters
    ----------
    tracks
        The track of each file, by its path.

    Returns
    -------
    list
        The songs that have a track now.
    """
    named = by_keys(connection, "file", list(tracks))
    pairs = {row.id: tracks[path] for path, row in named.items() if row.track_id != tracks[path]}
    if pairs:
        _link(connection, pairs)
    return [*pairs, *recognise(connection, list(tracks.values()))]


def match(connection: Connection, song_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Find the tracks of songs, and link them.

    A track is a song when the ISRC is the same, or when title and first artist are, but for case, accents, guests
    and remarks such as "Remastered 2011", and the lengths differ by `TOLERANCE` at most.

    Returns
    -------
    dict
        The track of each of these songs that is in the library, those included that were linked before.
    """
    known = here(connection, song_ids)
    waiting = _candidates(connection, "songs", ids=[song_id for song_id in song_ids if song_id not in known])
    pairs = _pairs(waiting, _candidates(connection, "tracks", like=waiting))
    if pairs:
        _link(connection, pairs)
    return known | pairs


def recognise(connection: Connection, track_ids: Sequence[UUID]) -> list[UUID]:
    """Tracks have come into the library: link the songs that waited for them, as `match` does. Returns those."""
    new = _candidates(connection, "tracks", ids=track_ids)
    pairs = _pairs(_candidates(connection, "songs", like=new), new)
    if pairs:
        _link(connection, pairs)
    return list(pairs)


def prune(connection: Connection, before: datetime) -> int:
    """Forget the songs that nobody has told of since this time, and that nothing refers to. Returns how many.

    What refers to a song is its track, a playlist, what a service said of a link, or a job that is to download it.
    """
    forgotten = connection.execute(
        """
        DELETE FROM songs WHERE (track_id IS NULL OR track_id NOT IN (SELECT id FROM tracks)) AND updated_at < ?
        AND id::VARCHAR NOT IN (
            SELECT song_id::VARCHAR FROM playlist_entries WHERE song_id IS NOT NULL
            UNION ALL SELECT unnest(json_extract_string(document, '$.songs[*]')) FROM lookups
            UNION ALL SELECT json_extract_string(arguments, '$.song') FROM jobs
            WHERE kind = 'download' AND ended_at IS NULL AND json_extract_string(arguments, '$.song') IS NOT NULL)
        RETURNING id
        """,
        [before],
    ).fetchall()
    return len(forgotten)


def here(connection: Connection, song_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The tracks of those of these songs that are in the library, as far as that was noticed: see `match`."""
    rows = connection.execute(
        """
        SELECT s.id, t.id FROM (SELECT id, track_id FROM songs WHERE id IN (SELECT unnest(?::UUID[]))) s
        JOIN tracks t ON t.id = s.track_id WHERE t.removed_at IS NULL
        """,
        [list(song_ids)],
    ).fetchall()
    return dict(rows)


@dataclass(frozen=True)
class _Candidate:
    """A song that waits or a track that is here, and by what one may be the other."""

    id: UUID
    title: str
    artist: str
    duration: float | None
    isrc: str | None


_OPEN = {
    "songs": "(track_id IS NULL OR track_id NOT IN (SELECT id FROM tracks WHERE removed_at IS NULL))",
    "tracks": "removed_at IS NULL",
}


def _candidates(
    connection: Connection,
    table: str,
    *,
    ids: Sequence[UUID] | None = None,
    like: Sequence[_Candidate] = (),
) -> list[_Candidate]:
    """Songs that wait or tracks that are here: those with these ids, or those that may be ``like`` one of others.

    What begins otherwise has another name, and what is much longer is another recording: most of a large library, and
    most of what waits, is left alone.
    """
    if ids is not None:
        return _select(connection, table, "id IN (SELECT unnest($ids::UUID[]))", {"ids": list(ids)}) if ids else []
    found: dict[UUID, _Candidate] = {}
    if codes := [one.isrc for one in like if one.isrc is not None]:
        same_code = _select(connection, table, "isrc IN (SELECT unnest($codes::VARCHAR[]))", {"codes": codes})
        found |= {one.id: one for one in same_code}
    if named := [(name, one.duration) for one in like if (name := _name(one.title, one.artist)) is not None]:
        beginnings = {title[:BEGINNING] for (title, _), _ in named}
        lengths = [math.inf if duration is None else duration for _, duration in named]
        # A remark may follow a title that is shorter: "Go" and "Go (2011 Remaster)".
        begins = " OR ".join(
            f"{_LETTERS}[:{size}] IN (SELECT unnest($beginnings::VARCHAR[]))"
            for size in sorted(set(map(len, beginnings)))
        )
        bounds = "(duration IS NULL OR duration BETWEEN $shortest AND $longest)" if max(lengths) < math.inf else "true"
        parameters: dict[str, Any] = {"beginnings": list(beginnings)}
        if max(lengths) < math.inf:
            parameters |= {"shortest": min(lengths) - TOLERANCE, "longest": max(lengths) + TOLERANCE}
        same_name = _select(connection, table, f"{bounds} AND ({begins})", parameters)
        found |= {one.id: one for one in same_name}
    return sorted(found.values(), key=lambda one: one.id)


def _select(connection: Connection, table: str, where: str, parameters: dict[str, Any]) -> list[_Candidate]:
    rows = connection.execute(
        f"SELECT id, title, artist, duration, isrc FROM {table} WHERE {_OPEN[table]} AND {where} ORDER BY id",  # noqa: S608 - text of ours
        parameters,
    ).fetchall()
    return [_Candidate(*row) for row in rows]


def _pairs(songs: Sequence[_Candidate], tracks: Sequence[_Candidate]) -> dict[UUID, UUID]:
    """The best track for each song that has one."""
    by_isrc = {track.isrc: track.id for track in tracks if track.isrc is not None}
    by_name: dict[tuple[str, str], list[tuple[float, UUID]]] = defaultdict(list)
    for track in tracks:
        if (name := _name(track.title, track.artist)) is not None and track.duration is not None:
            by_name[name].append((track.duration, track.id))
    found: dict[UUID, UUID] = {}
    for song in songs:
        if song.isrc in by_isrc:
            found[song.id] = by_isrc[song.isrc]
        elif (name := _name(song.title, song.artist)) is not None and name in by_name:
            # Of unknown length any will do.
            apart, track_id = min((abs(length - (song.duration or length)), track) for length, track in by_name[name])
            if apart <= TOLERANCE:
                found[song.id] = track_id
    return found


BEGINNING = 4  # letters of a title that are enough to leave out most of what differs
# A title as `_letters` has it, but for what is rare.
_LETTERS = "replace(strip_accents(lower(regexp_replace(title, '[^\\pL\\pN]', '', 'g'))), 'ß', 'ss')"

# What is said of a recording and does not make it another one. "Live", "Instrumental" and "Club Mix" do.
_REMARK = re.compile(
    r"(?:feat|ft|featuring|with)\b.*|(?:\d{4} )?(?:digital(?:ly)? )?remaster(?:ed)?\b.*|"
    r"(?:original|album)(?: mix| version)?|explicit|clean|stereo|mono|bonus track|\d{4}",
    re.DOTALL,
)
_PART = re.compile(r"[(\[]([^()\[\]]*)[)\]]|\s[-–—]\s(.*?)(?=\s[-–—]\s|$)", re.DOTALL)
_GUESTS = re.compile(r"\s(?:feat|ft|featuring)\b.*$", re.DOTALL)
_NEXT_ARTIST = re.compile(r"\s*[,;/&+]\s*|\s+(?:feat|ft|featuring|with|vs|and|x)\b\.?\s*")


@lru_cache(maxsize=1 << 16)
def _name(title: str, artist: str) -> tuple[str, str] | None:
    """Title and first artist with nothing in them that people write differently; None where one is missing."""
    plain = _GUESTS.sub("", _PART.sub(_unless_a_remark, fold(title)))
    first = _NEXT_ARTIST.split(fold(artist).strip())[0].removeprefix("the ")
    name = _letters(plain), _letters(first)
    return name if all(name) else None


def _unless_a_remark(part: re.Match[str]) -> str:
    text = part[1] or part[2] or ""
    return " " if _REMARK.fullmatch(text.strip()) else f" {text}"


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())
