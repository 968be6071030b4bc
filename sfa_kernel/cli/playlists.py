"""Playlists: ``sfa playlists list|show|new|smart|add|remove|move|rename|delete|restore|export``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.terminal import Commands, name_of, open_studio, print_json
from sfa_kernel.errors import NotFoundError

if TYPE_CHECKING:
    from sfa_kernel.playlists import Entry, Playlist

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    playlists = commands.add("playlists", _list, "lists of songs: own, imported and smart ones")
    actions = Commands(playlists, "action", required=False)
    actions.add("list", _list, "list them")
    _named(actions.add("show", _show, "what is in one"))
    new = actions.add("new", _new, "make one of one's own")
    new.add_argument("name", metavar="NAME")
    new.add_argument("tracks", nargs="*", metavar="ID", help="tracks, in order")
    _define_smart(actions.add("smart", _smart, "make one that always has the tracks which a filter finds"))
    add = _named(actions.add("add", _add, "put tracks into one"))
    add.add_argument("tracks", nargs="+", metavar="ID", help="tracks, in order")
    add.add_argument("--at", type=_place, metavar="PLACE", help="before this place (default: at the end)")
    _places(_named(actions.add("remove", _remove, "take songs out of one")))
    move = _places(_named(actions.add("move", _move, "give songs another place")))
    move.add_argument("--to", type=_place, required=True, metavar="PLACE", help="where the first of them is to be")
    _named(actions.add("rename", _rename, "give one another name")).add_argument("name", metavar="NAME")
    _named(actions.add("delete", _delete, "take one away; its tracks stay"))
    _named(actions.add("restore", _restore, "bring one back that was deleted"))
    export = _named(actions.add("export", _export, "write one as a playlist file for players and DJ programs"))
    export.add_argument("file", metavar="FILE", help="ends in .m3u8")


def _named(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("playlist", metavar="PLAYLIST", help="its name or id, or the beginning of its id")
    return parser


def _places(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("places", nargs="+", type=_place, metavar="PLACE", help="as `show` numbers them, from 1")
    return parser


def _define_smart(parser: argparse.ArgumentParser) -> None:
    choice = argparse.BooleanOptionalAction
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--text", metavar="WORDS", help="words of title, artist, album or genre")
    parser.add_argument("--tempo", type=_range, metavar="LOW-HIGH", help="in BPM")
    parser.add_argument("--octaves", action="store_true", help="half and double of those tempi will do as well")
    parser.add_argument("--compatible-with", metavar="8A", help="keys that mix with this one")
    parser.add_argument("--keys", metavar="8A,9A", help="exactly these keys")
    parser.add_argument("--energy", type=_range, metavar="LOW-HIGH", help="1 to 10")
    parser.add_argument("--duration", type=_range, metavar="LOW-HIGH", help="in seconds")
    parser.add_argument("--genre", metavar="WORDS")
    parser.add_argument("--year", type=_range, metavar="FIRST-LAST")
    parser.add_argument("--stems", action=choice, default=None, help="only what has been separated, or what has not")
    parser.add_argument("--analyzed", action=choice, default=None, help="only what has been analysed, or what has not")
    parser.add_argument("--added-days", type=int, metavar="N", help="added in the last N days")
    parser.add_argument("--sort", help="title, artist, bpm, key, energy, duration, added_at")
    parser.add_argument("--descending", action="store_true", help="the other way round")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many tracks")


def _range(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no range such as 120-128") from None


def _place(text: str) -> int:
    """A place as people count, from 1, as the list has it, from 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no place: they are numbered from 1")
    return int(text) - 1


def _list(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        playlists = list(studio.playlists)
        if options.json:
            print_json({"playlists": [_document(playlist) for playlist in playlists]})
        else:
            for playlist in playlists:
                print(f"{str(playlist.id)[:8]}  {repr(playlist)[10:-1]}")
            if not playlists:
                print("no playlists")
    return 0


def _show(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        playlist = studio.playlists[options.playlist]
        return _print(options, playlist, with_entries=True)


def _new(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _print(options, studio.playlists.new(options.name, options.tracks))


def _smart(options: argparse.Namespace) -> int:
    names = ("text", "tempo", "compatible_with", "energy", "duration", "genre", "year", "stems", "analyzed")
    asked: dict[str, Any] = {name: getattr(options, name) for name in (*names, "added_days", "sort", "limit")}
    asked["keys"] = options.keys and options.keys.split(",")
    asked |= {name: getattr(options, name) or None for name in ("octaves", "descending")}
    with open_studio(options) as studio:
        return _print(options, studio.playlists.smart(options.name, **asked))


def _add(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        playlist = studio.playlists[options.playlist]
        if options.at is None:
            playlist.add(options.tracks)
        else:
            playlist.insert(options.at, options.tracks)
        return _print(options, playlist)


def _remove(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        playlist = studio.playlists[options.playlist]
        playlist.remove(*_entries(playlist, options.places))
        return _print(options, playlist)


def _move(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        playlist = studio.playlists[options.playlist]
        playlist.move(_entries(playlist, options.places), options.to)
        return _print(options, playlist, with_entries=True)


def _entries(playlist: Playlist, places: list[int]) -> list[Entry]:
    entries = playlist.entries
    if max(places) >= len(entries):
        raise NotFoundError(f"{playlist.name!r} has {len(entries)} places, not {max(places) + 1}.")
    return [entries[place] for place in places]


def _rename(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _print(options, studio.playlists[options.playlist].rename(options.name))


def _delete(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        playlist = studio.playlists[options.playlist]
        playlist.delete()
        if options.json:
            print_json({"deleted": playlist.id})
        else:
            print(f"{playlist.name}: deleted; `sfa playlists restore {str(playlist.id)[:8]}` brings it back")
    return 0


def _restore(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _print(options, studio.playlists.deleted(options.playlist).restore())


def _export(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        file = studio.playlists[options.playlist].export(options.file)
    if options.json:
        print_json({"file": file})
    else:
        print(file)
    return 0


def _print(options: argparse.Namespace, playlist: Playlist, *, with_entries: bool = False) -> int:
    if options.json:
        entries = {"entries": [_entry(entry) for entry in playlist.entries]} if with_entries else {}
        print_json({**_document(playlist), **entries})
        return 0
    print(f"{str(playlist.id)[:8]}  {repr(playlist)[10:-1]}")
    for place, entry in enumerate(playlist.entries if with_entries else (), start=1):
        if entry.track is not None:
            print(f"{place:5}  {str(entry.track.id)[:8]}  {name_of(entry.track.title, entry.track.artist)}")
        elif entry.song is not None:
            print(f"{place:5}  not here  {name_of(entry.song.song.title, entry.song.song.artist)}")
    return 0


def _document(playlist: Playlist) -> dict[str, Any]:
    row, totals = playlist.row, playlist.totals
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "count": totals.count,
        "here": totals.here,
        "duration_s": totals.duration,
        "service": row.service,
        "url": row.url,
        "owner": row.owner,
        "filter": row.filter and row.filter.to_dict(),
        "sentence": row.filter.sentence if row.filter else "",
        "changed_at": row.changed_at.isoformat(),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    track, song = entry.track, entry.song
    return {
        "track": track.id if track else None,
        "title": track.title if track else song.song.title if song else "",
        "artist": track.artist if track else song.song.artist if song else "",
        "duration_s": track.duration if track else song.song.duration if song else None,
        "url": song.song.url if song else None,
    }
