"""Answers the page of the playlists."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import jobs, songs
from sfa_kernel.catalog import playlists as table
from sfa_kernel.catalog.filters import Filter
from sfa_kernel.catalog.jobs import RUNNING
from sfa_kernel.errors import ParameterError
from sfa_kernel.exporting.names import file_name
from sfa_kernel.panels.library import LONGEST_PAGE, identifiers
from sfa_kernel.panels.rows import track_rows
from sfa_kernel.pipeline.download import key_of
from sfa_kernel.playlists import Playlist, tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.catalog.playlists import PlaylistRow, Totals
    from sfa_kernel.catalog.songs import SongRow
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["playlist_handlers"]

TRIED = 8  # tracks that a filter shows while somebody thinks about it


def playlist_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of playlists, but for the one that downloads what is missing."""

    def listing(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with studio.catalog.read() as connection:
            rows = table.listing(connection)
            totals = table.totals(connection, rows)
        return {"playlists": [_row(row, totals[row.id]) for row in rows]}

    def page(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        offset, limit = _range(params)
        with studio.catalog.read() as connection:
            row = table.get(connection, *identifiers(params))
            totals = table.totals(connection, [row])[row.id]
            found = table.page(connection, row, offset=offset, limit=min(LONGEST_PAGE, limit))
            absent = [entry.song_id for entry in found if entry.track_id is None and entry.song_id is not None]
            about = {song["id"]: song for song in _songs(connection, absent)}
        tracks = {track["id"]: track for track in track_rows(studio, list({e.track_id for e in found if e.track_id}))}
        entries = [
            {
                "id": str(entry.id),
                "position": position,
                "track": tracks.get(str(entry.track_id)),
                "song": about.get(str(entry.song_id)),
            }
            for position, entry in enumerate(found, start=offset)
            if str(entry.track_id) in tracks or str(entry.song_id) in about
        ]
        return {"playlist": _row(row, totals), "total": totals.count, "entries": entries}

    def ids(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        offset, limit = _range(params)
        with studio.catalog.read() as connection:
            row = table.get(connection, *identifiers(params))
            found = table.page(connection, row, offset=offset, limit=limit)
        return {
            "ids": [str(entry.id) for entry in found],
            "tracks": [entry.track_id and str(entry.track_id) for entry in found],
        }

    def create(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        name, asked = str(params.get("name", "")), params.get("filter")
        if asked is not None:
            return shown(studio.playlists.smart(name, **Filter.from_dict(asked).to_dict()))
        return shown(studio.playlists.new(name, _named(params, "tracks")))

    def rename(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return shown(one(params).rename(str(params.get("name", ""))))

    def set_filter(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return shown(one(params).change(**Filter.from_dict(params.get("filter")).to_dict()))

    def try_filter(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        asked = Filter.from_dict(params.get("filter"))
        with studio.catalog.read() as connection:
            count, _ = asked.totals(connection)
            first = asked.page(connection, limit=TRIED)
        return {"count": count, "sentence": asked.sentence, "rows": track_rows(studio, first)}

    def remove(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        one(params).delete()
        return {}

    def restore(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with studio.catalog.write() as connection:
            row = table.restore(connection, *identifiers(params))
            tell(studio, [row.id])
        return shown(Playlist(studio, row))

    def add(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        playlist, tracks, at = one(params), _named(params, "tracks"), params.get("at")
        added = playlist.add(tracks) if at is None else playlist.insert(_place(at), tracks)
        return {"entries": [str(entry) for entry in added]}

    # What somebody else has taken out since is none of these requests' trouble.

    def take_out(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with changed(params) as (connection, playlist_id):
            table.take_out(connection, playlist_id, _named(params, "entries"))
        return {}

    def put_back(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with changed(params) as (connection, playlist_id):
            table.put_back(connection, playlist_id, _named(params, "entries"))
        return {}

    def move(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with changed(params) as (connection, playlist_id):
            before = table.move(connection, playlist_id, _named(params, "entries"), _place(params.get("to")))
        return {"before": [str(entry) for entry in before]}

    def order(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with changed(params) as (connection, playlist_id):
            before = table.order(connection, playlist_id, _named(params, "entries"))
        return {"before": [str(entry) for entry in before]}

    def export(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[bytes]]:
        playlist = one(params)
        return {"name": file_name("{title}", {"title": playlist.name}, ".m3u8")}, [playlist.m3u8().encode()]

    def one(params: dict[str, Any]) -> Playlist:
        with studio.catalog.read() as connection:
            return Playlist(studio, table.get(connection, *identifiers({"id": params.get("id")})))

    @contextmanager
    def changed(params: dict[str, Any]) -> Iterator[tuple[Connection, UUID]]:
        (playlist_id,) = identifiers({"id": params.get("id")})
        with studio.catalog.write() as connection:
            yield connection, playlist_id
            tell(studio, [playlist_id])

    def shown(playlist: Playlist) -> dict[str, Any]:
        with studio.catalog.read() as connection:
            totals = table.totals(connection, [playlist.row])[playlist.id]
        return {"playlist": _row(playlist.row, totals)}

    return {
        "playlists.list": listing,
        "playlists.page": page,
        "playlists.ids": ids,
        "playlists.create": create,
        "playlists.rename": rename,
        "playlists.filter": set_filter,
        "playlists.try": try_filter,
        "playlists.remove": remove,
        "playlists.restore": restore,
        "playlists.add": add,
        "playlists.take_out": take_out,
        "playlists.put_back": put_back,
        "playlists.move": move,
        "playlists.order": order,
        "playlists.export": export,
    }


def _named(params: Mapping[str, Any], name: str) -> list[UUID]:
    """The ids in a list of a request."""
    return identifiers({"ids": params.get(name) or []})


def _place(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ParameterError("A request of the page named no place in a playlist.", hint="Reload the page.")
    return value


def _range(params: Mapping[str, Any]) -> tuple[int, int]:
    return max(0, int(params.get("offset", 0))), max(0, int(params.get("limit", 100)))


def _row(row: PlaylistRow, totals: Totals) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.kind,
        "count": totals.count,
        "here": totals.here,
        "duration": totals.duration,
        "service": row.service,
        "url": row.url,
        "owner": row.owner,
        "description": row.description,
        "filter": row.filter.to_dict() if row.filter is not None else None,
        "sentence": row.filter.sentence if row.filter is not None else "",
        "changed_at": row.changed_at.isoformat(),
    }


def _songs(connection: Connection, song_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What a list shows of songs that are not here, and how they get here."""
    rows = songs.get_many(connection, list(dict.fromkeys(song_ids)))
    newest = jobs.newest_with_keys(connection, [key_of(row.id) for row in rows])
    return [_song(row, newest.get(key_of(row.id))) for row in rows]


def _song(row: SongRow, job: JobRow | None) -> dict[str, Any]:
    state = "absent" if job is None else _STATES.get(job.status, "absent")
    return {
        "id": str(row.id),
        **{name: getattr(row.song, name) for name in ("title", "artist", "album", "duration", "url")},
        "state": state,
        "progress": job.progress if job is not None and state == "downloading" else 0,
        "error": job.error if job is not None and state == "failed" else None,
    }


# What came in and went again is absent, whatever became of the job that once brought it.
_STATES = {"queued": "queued", "failed": "failed", **dict.fromkeys(RUNNING, "downloading")}
