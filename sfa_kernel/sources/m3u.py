"""M3U and M3U8: a playlist as a text file, one path a line."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import InputError
from sfa_kernel.sources.listed import LONGEST_LOCATION, MOST_SONGS, Listed, ListedPlaylist, too_many

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["m3u8", "read_m3u"]

LARGEST = 64 << 20  # bytes

_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# "#EXTINF:213,Artist - Title"; players of television put attributes in between, whose values may hold commas.
_ABOUT = re.compile(
    r'#EXTINF:\s*(?P<seconds>-?\d{1,9}(?:\.\d{1,9})?)?(?:\s+[\w-]+="[^"]*")*[^,"]*,(?P<name>.*)', re.IGNORECASE
)
_STREAM = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_DASH = re.compile(r"\s[-–—]\s")


def read_m3u(path: Path, *, name: str | None = None) -> ListedPlaylist:
    """Read a playlist.

    Its text may be in UTF-8 (with or without a mark at its start), UTF-16 with a mark, or the usual encoding of
    Windows.

    Parameters
    ----------
    path
        The file.
    name
        What people call the file, when that is not its name.

    Raises
    ------
    InputError
        When it cannot be read, is no text, is the list of a stream's pieces, or lists too much.
    """
    called = clean_text(name or path.name, 120)
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{called} is too large for a playlist.", hint="Choose an M3U or M3U8 file.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{called} cannot be read: {error.strerror or error}.", hint="Check the path.") from error
    text = _text(data)
    if "\0" in text:
        raise InputError(f"{called} is no text, so it is no playlist.", hint="Choose an M3U or M3U8 file.")
    playlist = ""
    songs: list[Listed] = []
    streams = 0
    about: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip()
        word = line[:12].upper()
        if word.startswith("#EXT-X-"):
            raise InputError(
                f"{called} is no playlist of songs but lists the pieces of a stream.", hint="Choose another file."
            )
        if word.startswith("#PLAYLIST:"):
            playlist = clean_text(line[10:])
        elif word.startswith("#EXTINF:") and (found := _ABOUT.match(line[:LONGEST_LOCATION])):
            about |= {"seconds": found["seconds"] or "", "name": clean_text(found["name"])}
        elif word.startswith("#EXTART:"):
            about["artist"] = clean_text(line[8:])
        elif word.startswith("#EXTALB:"):
            about["album"] = clean_text(line[8:])
        elif line and not line.startswith("#"):
            if _STREAM.match(line):
                streams += 1
            else:
                songs.append(_listed(line[:LONGEST_LOCATION], about))
                if len(songs) > MOST_SONGS:
                    raise too_many(called)
            about = {}
    return ListedPlaylist(playlist, songs, streams=streams)


def _text(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _listed(location: str, about: dict[str, str]) -> Listed:
    named = about.get("name", "")
    artist = about.get("artist", "")
    parts = _DASH.split(named, maxsplit=1)
    if len(parts) == 2 and (not artist or parts[0].casefold() == artist.casefold()):
        artist, named = parts
    seconds = float(about.get("seconds") or 0)
    return Listed(location, named, artist, about.get("album", ""), duration=seconds if seconds > 0 else None)


def m3u8(name: str, songs: Iterable[Listed]) -> str:
    """Write a playlist.

    Parameters
    ----------
    name
        What it is called; one line, as all texts of songs are.
    songs
        In order. What has no ``location`` is named in a remark, which players leave alone.

    Returns
    -------
    str
        The text of the file, to be kept in UTF-8.
    """
    lines = ["#EXTM3U", f"#PLAYLIST:{name}"]
    for song in songs:
        named = f"{song.artist} - {song.title}" if song.artist else song.title
        if not song.location:
            lines.append(f"# Not here: {named}")
            continue
        lines.append(f"#EXTINF:{-1 if song.duration is None else round(song.duration)},{named}")
        lines += [f"#EXTART:{song.artist}"] if song.artist else []
        lines += [f"#EXTALB:{song.album}"] if song.album else []
        lines.append(_line(song.location))
    return "\n".join([*lines, ""])


def _line(location: str) -> str:
    """A path as a line of its own; as an address when it holds what such a line cannot."""
    if location.isprintable() and location == location.strip() and not location.startswith("#"):
        return location
    return Path(location).absolute().as_uri()
