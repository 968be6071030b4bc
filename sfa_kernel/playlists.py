"""``studio.playlists``: lists of songs, one's own, imported ones, and smart ones that stay up to date by themselves.

>>> evening = studio.playlists.new("Evening", studio.tracks.search("house"))            # doctest: +SKIP
>>> evening.move(evening.tracks[-1], 0)                                                 # doctest: +SKIP
>>> studio.playlists.smart("Warm up", tempo=(118, 122), compatible_with="8A")           # doctest: +SKIP
<Playlist 'Warm up': 118-122 BPM, mixes with 8A; 12 tracks, 58:13>
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import playlists as table
from sfa_kernel.catalog import songs as song_table
from sfa_kernel.catalog import tracks as track_table
from sfa_kernel.catalog.filters import Filter
from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.library import Track, clock
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.playlists import EntryRow, PlaylistRow
    from sfa_kernel.catalog.songs import SongRow
    from sfa_kernel.library import Library

__all__ = ["Entry", "Playlist", "Playlists", "tell"]

SHOWN = 50  # entries of a playlist that shows itself
SUFFIXES = (".m3u8", ".m3u")


@dataclass(frozen=True)
class Entry:
    """One place of a playlist.

    Attributes
    ----------
    id
        Names the place, however often the song is in the list. Of a smart playlist, the track's id.
    track
        The track; None for a song that is not in the library.
    song
        Who else names it, and how; None for what was put there from the library.
    """

    id: UUID
    track: Track | None
    song: SongRow | None

    def __repr__(self) -> str:
        if self.track is not None:
            return f"<{_name(self.track.title, self.track.artist)}>"
        return f"<{_name(self.song.song.title, self.song.song.artist)}, not here>" if self.song else "<nothing>"


class Playlist:
    """A list of songs. Iterated over it gives the tracks that are in the library.

    Parameters
    ----------
    library, row
        The playlist, and whose it is.
    """

    def __init__(self, library: Library, row: PlaylistRow) -> None:
        self._library = library
        self.row = row

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.row.id

    @property
    def name(self) -> str:
        """What it is called."""
        return self.row.name

    @property
    def kind(self) -> str:
        """``"own"``, ``"imported"`` or ``"smart"``."""
        return self.row.kind

    @property
    def filter(self) -> Filter | None:
        """What the tracks of a smart one have in common; its ``sentence`` says it in words. None of any other."""
        return self.row.filter

    @property
    def tracks(self) -> list[Track]:
        """Its songs that are in the library, in order."""
        with self._library.catalog.read() as connection:
            ids = [entry.track_id for entry in table.page(connection, self._now(connection)) if entry.track_id]
            return [Track(self._library, row) for row in track_table.get_many(connection, ids)]

    @property
    def entries(self) -> list[Entry]:
        """All its places, in order."""
        with self._library.catalog.read() as connection:
            return self._entries(connection, table.page(connection, self._now(connection)))

    def _entries(self, connection: Connection, rows: Sequence[EntryRow]) -> list[Entry]:
        tracks = track_table.get_many(connection, list({row.track_id for row in rows if row.track_id}))
        songs = song_table.get_many(connection, list({row.song_id for row in rows if row.song_id}))
        by_id = {row.id: Track(self._library, row) for row in tracks}
        songs_by_id: dict[UUID | None, SongRow] = {row.id: row for row in songs}
        return [
            Entry(row.id, by_id[row.track_id] if row.track_id else None, songs_by_id.get(row.song_id)) for row in rows
        ]

    @property
    def missing(self) -> list[SongRow]:
        """The songs that are not in the library, in order and each once."""
        with self._library.catalog.read() as connection:
            return song_table.get_many(connection, table.missing(connection, self._now(connection)))

    def __iter__(self) -> Iterator[Track]:
        return iter(self.tracks)

    def __len__(self) -> int:
        """How many of its songs are in the library."""
        return self.totals.here

    def __bool__(self) -> bool:
        """An empty playlist is one as well."""
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Playlist) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    # -- changes ---------------------------------------------------------------------------------------------------

    def add(self, *tracks: Track | str | UUID | Iterable[Track | str | UUID]) -> list[UUID]:
        """Put tracks at the end.

        Returns
        -------
        list
            The ids of the new entries.

        Raises
        ------
        NotFoundError
            When there is no such track, or the playlist was deleted.
        ParameterError
            When it is a smart one.
        """
        return self._add(tracks, None)

    def insert(self, at: int, *tracks: Track | str | UUID | Iterable[Track | str | UUID]) -> list[UUID]:
        """Put tracks before the entry at a place, from 0; otherwise as `add`."""
        return self._add(tracks, at)

    def _add(self, tracks: Iterable[Any], at: int | None) -> list[UUID]:
        named = _named(tracks)
        with self._library.catalog.write() as connection:
            ids = _tracks(connection, named)
            if at is not None and at < 0:
                at = max(0, at + len(table.entry_ids(connection, self.id)))
            added = table.add(connection, self.id, ids, at=at)
            self._tell()
        return added

    def remove(self, *chosen: Entry | Track | int | UUID) -> list[UUID]:
        """Take entries out; `put_back` brings them back to their places.

        Parameters
        ----------
        chosen
            Entries or their ids, places from 0, or tracks, which are taken out wherever they are.

        Returns
        -------
        list
            The ids of the entries.

        Raises
        ------
        NotFoundError
            When one of them is not in the playlist.
        ParameterError
            When it is a smart one.
        """
        with self._library.catalog.write() as connection:
            ids = self._chosen(connection, chosen)
            table.take_out(connection, self.id, ids)
            self._tell()
        return ids

    def put_back(self, *entries: Entry | UUID) -> None:
        """Bring entries back that `remove` took out; otherwise as `remove`."""
        with self._library.catalog.write() as connection:
            table.put_back(connection, self.id, [_entry_id(entry) for entry in entries])
            self._tell()

    def move(self, chosen: Entry | Track | int | UUID | Sequence[Entry | Track | int | UUID], to: int) -> list[UUID]:
        """Move entries, together and in their order, so that the first of them is at place ``to``, from 0.

        Returns
        -------
        list
            The ids of all entries as they were before; `order` is the way back.

        Raises
        ------
        NotFoundError
            When one of them is not in the playlist.
        ParameterError
            When it is a smart one.
        """
        several = chosen if isinstance(chosen, Sequence) else [chosen]
        with self._library.catalog.write() as connection:
            ids = self._chosen(connection, several)
            if to < 0:
                to = max(0, to + 1 + len(table.entry_ids(connection, self.id)) - len(ids))
            before = table.move(connection, self.id, ids, to)
            self._tell()
        return before

    def order(self, entries: Sequence[Entry | UUID]) -> list[UUID]:
        """Put entries into this order; those that are not named keep their places. Returns how they were before.

        Raises
        ------
        NotFoundError
            When the playlist was deleted.
        ParameterError
            When it is a smart one.
        """
        with self._library.catalog.write() as connection:
            before = table.order(connection, self.id, [_entry_id(entry) for entry in entries])
            self._tell()
        return before

    def _chosen(self, connection: Connection, chosen: Sequence[Entry | Track | int | UUID]) -> list[UUID]:
        """The ids of entries, however they are named, in the order of the playlist."""
        row = self._now(connection)
        rows = table.page(connection, row)
        wanted: set[UUID] = set()
        for one in chosen:
            if isinstance(one, bool) or not isinstance(one, int | UUID | Entry | Track):
                raise ParameterError(f"{one!r} is no entry of a playlist.", hint="Name entries, tracks, or places.")
            if isinstance(one, int):
                found = {rows[one].id} if -len(rows) <= one < len(rows) else set()
            elif isinstance(one, Track):
                found = {entry.id for entry in rows if entry.track_id == one.id}
            else:
                identifier = one if isinstance(one, UUID) else one.id
                found = {entry.id for entry in rows if entry.id == identifier}
            if not found:
                named = f"Place {one}" if isinstance(one, int) else repr(one)
                raise NotFoundError(f"{named} is not in {row.name!r}.", hint="Its entries say what is.")
            wanted |= found
        return [entry.id for entry in rows if entry.id in wanted]

    def rename(self, name: str) -> Playlist:
        """Give it another name.

        Raises
        ------
        NotFoundError
            When it was deleted.
        ParameterError
            When the name is empty.
        """
        with self._library.catalog.write() as connection:
            self.row = table.rename(connection, self.id, name)
            self._tell()
        return self

    def change(self, **filter: Any) -> Playlist:  # noqa: A002 - what it is
        """Let a smart playlist ask for something else; the parameters are those of `Playlists.smart`.

        Raises
        ------
        NotFoundError
            When it was deleted.
        ParameterError
            When it is not a smart one, or nothing can be asked so.
        """
        with self._library.catalog.write() as connection:
            self.row = table.set_filter(connection, self.id, Filter.from_dict(filter))
            self._tell()
        return self

    def delete(self) -> None:
        """Take it away; `restore` brings it back until a cleanup removes it for good. Its tracks stay.

        Raises
        ------
        NotFoundError
            When it was deleted before.
        """
        with self._library.catalog.write() as connection:
            table.remove(connection, self.id)
            self._tell()

    def restore(self) -> Playlist:
        """Bring it back after `delete`.

        Raises
        ------
        NotFoundError
            When it is gone for good.
        """
        with self._library.catalog.write() as connection:
            self.row = table.restore(connection, self.id)
            self._tell()
        return self

    def export(self, file: str | os.PathLike[str]) -> Path:
        """Write it as an M3U8 file, which players and DJ programs read. Songs that are not here are only named.

        Parameters
        ----------
        file
            Ends in ``.m3u8`` or ``.m3u``. A file of that name is replaced once the new one is complete.

        Raises
        ------
        ParameterError
            When the name ends in something else.
        InputError
            When the file cannot be written.
        """
        target = Path(os.path.expanduser(file))
        if target.suffix.lower() not in SUFFIXES:
            raise ParameterError(f"{target.name!r} is no name of a playlist.", hint="Let it end in .m3u8.")
        text = self.m3u8()
        part = target.with_name(f".{target.name}.part")
        try:
            part.write_text(text, "utf-8")
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise InputError(f"{target} cannot be written: {error.strerror or error}.") from error
        return target

    def m3u8(self) -> str:
        """What `export` writes."""
        from sfa_kernel.sources.listed import Listed
        from sfa_kernel.sources.m3u import m3u8

        def listed(entry: Entry) -> Listed:
            if entry.track is not None:
                row = entry.track.row
                path = str(row.path(self._library.storage))
                return Listed(path, row.title, row.artist, row.album, duration=row.duration)
            song = entry.song.song if entry.song is not None else None
            return Listed("", song.title, song.artist) if song is not None else Listed("")

        return m3u8(self.name, (listed(entry) for entry in self.entries))

    def _now(self, connection: Connection) -> PlaylistRow:
        self.row = table.get(connection, self.id)
        return self.row

    def _tell(self) -> None:
        """In a transaction: once it holds, everybody hears of it."""
        tell(self._library, [self.id])

    # -- how it shows itself -----------------------------------------------------------------------------------------

    @property
    def totals(self) -> table.Totals:
        """How many entries it has, how many of them are ``here``, and how long those are [s]."""
        with self._library.catalog.read() as connection:
            return table.totals(connection, [self.row])[self.id]

    def __repr__(self) -> str:
        asked = f"{self.filter.sentence}; " if self.filter is not None else ""
        totals = self.totals
        many = "1 track" if totals.here == 1 else f"{totals.here} tracks"
        absent = f", {totals.count - totals.here} songs not here" if totals.count > totals.here else ""
        return f"<Playlist {self.name!r}: {asked}{many}, {clock(totals.duration)}{absent}>"

    def _repr_html_(self) -> str:
        from html import escape

        with self._library.catalog.read() as connection:
            rows = table.page(connection, self._now(connection), limit=SHOWN)
            entries = self._entries(connection, rows)
            ids = [entry.track.id for entry in entries if entry.track is not None]
            summaries = {row["id"]: row for row in track_table.summaries(connection, ids)}
        shown = Table(_shown(place, entry, summaries) for place, entry in enumerate(entries))
        return f"<p>{escape(repr(self)[1:-1])}</p>{shown._repr_html_()}"


class Playlists(Sequence[Playlist]):
    """The playlists of a library, by name.

    Parameters
    ----------
    library
        Whose.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def _list(self, *, removed: bool = False) -> list[Playlist]:
        with self._library.catalog.read() as connection:
            return [Playlist(self._library, row) for row in table.listing(connection, removed=removed)]

    def __len__(self) -> int:
        return len(self._list())

    def __iter__(self) -> Iterator[Playlist]:
        return iter(self._list())

    def __getitem__(self, which: Any) -> Any:
        """One by its place, name, id or the unambiguous beginning of one.

        Raises
        ------
        NotFoundError
            When there is none, or more than one.
        """
        if isinstance(which, int | slice):
            return self._list()[which]
        return _one(self._list(), which)

    @property
    def removed(self) -> list[Playlist]:
        """Those that were deleted and can be restored, the last one first."""
        return self._list(removed=True)

    def deleted(self, which: str | UUID) -> Playlist:
        """One of those that were deleted, by its name or id.

        Raises
        ------
        NotFoundError
            When there is none, or more than one.
        """
        return _one(self.removed, which)

    def new(self, name: str, tracks: Iterable[Track | str | UUID] = ()) -> Playlist:
        """Make a playlist of one's own.

        Parameters
        ----------
        name
            What it is called; there may be others of that name.
        tracks
            What is in it.

        Raises
        ------
        NotFoundError
            When there is no such track; then there is no playlist either.
        ParameterError
            When the name is empty.
        """
        named = _named([tracks])
        with self._library.catalog.write() as connection:
            row = table.create(connection, name)
            table.add(connection, row.id, _tracks(connection, named))
            tell(self._library, [row.id])
        return Playlist(self._library, row)

    def smart(self, name: str, **filter: Any) -> Playlist:  # noqa: A002 - what it is
        """Make a playlist that always has the tracks which a filter finds.

        Parameters
        ----------
        name
            What it is called.
        filter
            What the tracks have in common, as `sfa_kernel.catalog.filters.Filter` says: ``text``,
            ``tempo=(120, 128)``, ``octaves``, ``compatible_with="8A"``, ``keys=["8A", "9A"]``, ``energy=(6, 8)``,
            ``duration=(180, 360)`` [s], ``genre``, ``year=(1990, 1999)``, ``stems``, ``analyzed``, ``added_days``,
            ``sort``, ``descending``, ``limit``.

        Raises
        ------
        ParameterError
            When the name is empty, or nothing can be asked so.

        Examples
        --------
        >>> studio.playlists.smart("New and fast", tempo=(170, 180), added_days=30)      # doctest: +SKIP
        """
        asked = Filter.from_dict(filter)
        with self._library.catalog.write() as connection:
            row = table.create(connection, name, kind="smart", filter=asked)
            tell(self._library, [row.id])
        return Playlist(self._library, row)

    def _table(self) -> Table:
        with self._library.catalog.read() as connection:
            rows = table.listing(connection)
            totals = table.totals(connection, rows)
        return Table(
            {
                "name": row.name,
                "kind": row.kind,
                "tracks": totals[row.id].here,
                "not here": totals[row.id].count - totals[row.id].here or None,
                "time": clock(totals[row.id].duration),
                "of": row.filter.sentence if row.filter is not None else row.owner,
            }
            for row in rows
        )

    def __repr__(self) -> str:
        return "\n".join(repr(playlist) for playlist in self) or "<no playlists>"

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()


def tell(library: Library, playlist_ids: Iterable[UUID]) -> None:
    """In a transaction: once it holds, everybody hears that these playlists came, went or changed."""
    event = {"changed": [str(playlist_id) for playlist_id in playlist_ids]}
    library.catalog.after_commit(partial(library.bus.publish, "playlists", event))


def _one(playlists: Sequence[Playlist], which: Any) -> Playlist:
    text = str(which).strip()
    ways: tuple[Any, ...] = (
        lambda playlist: str(playlist.id) == text.lower(),
        lambda playlist: playlist.name == text,
        lambda playlist: playlist.name.casefold() == text.casefold(),
        lambda playlist: bool(text) and str(playlist.id).startswith(text.lower()),
    )
    for way in ways:
        found = [playlist for playlist in playlists if way(playlist)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(playlist.id)[:8] for playlist in found)
            raise NotFoundError(f"Several playlists are called {text[:80]!r}.", hint=f"Name one by its id: {ids}.")
    raise NotFoundError(f"There is no playlist {text[:80]!r}.", hint="`sfa playlists` lists them.")


def _named(tracks: Iterable[Any]) -> list[Any]:
    """Tracks that are named one by one or together; what is a question itself is asked now."""
    return [
        one
        for given in tracks
        for one in (given if isinstance(given, Iterable) and not isinstance(given, str) else [given])
    ]


def _tracks(connection: Connection, named: Sequence[Any]) -> list[UUID]:
    """The ids of tracks, all of which are in the library."""
    ids = [track_table.resolve(connection, one.id if isinstance(one, Track) else one) for one in named]
    unknown = set(ids) - {row.id for row in track_table.get_many(connection, list(set(ids)))}
    if unknown:
        raise NotFoundError(f"There is no track {next(iter(unknown))} in this library.")
    return ids


def _entry_id(entry: Entry | UUID) -> UUID:
    return entry.id if isinstance(entry, Entry) else entry


def _name(title: str, artist: str) -> str:
    return f"{artist} - {title}" if artist else title


def _shown(place: int, entry: Entry, summaries: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    summary = summaries.get(entry.track.id) if entry.track is not None else None
    song = entry.song.song if entry.song is not None else None
    if summary is not None:
        title, artist, duration = summary["title"], summary["artist"], summary["duration"]
    else:
        title, artist, duration = (song.title, song.artist, song.duration) if song else ("", "", None)
    return {
        "place": place,
        "title": title,
        "artist": artist,
        "tempo": summary and summary["bpm"] and f"{summary['bpm']:.2f}",
        "key": summary and summary["camelot"],
        "energy": summary and summary["energy"],
        "time": clock(duration) if duration is not None else "",
        "here": summary is not None,
    }
