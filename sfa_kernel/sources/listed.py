"""What a playlist file tells: names of lists, and the songs in them by where they were for whoever wrote the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path, PurePath

__all__ = ["MOST_SONGS", "SUFFIXES", "Listed", "ListedPlaylist", "is_playlist_file", "read_playlists", "too_many"]

SUFFIXES = frozenset({".m3u", ".m3u8", ".xml"})
"""Names of playlist files, in lower case."""

MOST_SONGS = 100_000  # in one file: they are written in one transaction, for which others wait
LONGEST_LOCATION = 4096  # characters; no system opens a longer path


@dataclass(frozen=True)
class Listed:
    """One song of a playlist file.

    Attributes
    ----------
    location
        The file as the list names it: a path of some system, relative or not, or a ``file://`` address. What has
        another address is not on a disk.
    title, artist, album
        Clean texts; empty where the list does not tell.
    duration
        In seconds; None where unknown.
    """

    location: str
    title: str = ""
    artist: str = ""
    album: str = ""
    duration: float | None = None
    year: int | None = None
    track_number: int | None = None


@dataclass(frozen=True)
class ListedPlaylist:
    """One list of a playlist file.

    Attributes
    ----------
    name
        Clean; empty where the file does not tell.
    folders
        The folders that it is in, the outermost first.
    songs
        In order.
    streams
        How many of its lines are no files but addresses on the net.
    """

    name: str
    songs: list[Listed] = field(default_factory=list)
    folders: tuple[str, ...] = ()
    streams: int = 0


def is_playlist_file(path: PurePath) -> bool:
    """Whether a name promises a playlist."""
    return path.suffix.lower() in SUFFIXES


def read_playlists(path: Path, *, name: str | None = None) -> list[ListedPlaylist]:
    """Read the playlists of a file, whichever kind it is.

    Parameters
    ----------
    path
        An M3U or M3U8 file, or an XML file of rekordbox.
    name
        What people call the file, when that is not its name.

    Raises
    ------
    InputError
        When it cannot be read, or is none of these.
    """
    from sfa_kernel.sources.m3u import read_m3u
    from sfa_kernel.sources.rekordbox import read_rekordbox

    called = clean_text(name or path.name, 120) or "The file"
    try:
        # A pipe never begins, a device never ends.
        if path.exists() and not path.is_file():
            raise InputError(f"{called} is not a file.", hint="Name an M3U, M3U8 or XML file.")
        with path.open("rb") as file:
            start = file.read(64)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{called} cannot be read: {reason}.", hint="Check the path.") from error
    text = start.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")  # XML may be in UTF-16 as well
    if text.startswith(b"<"):
        return read_rekordbox(path, name=called)
    return [read_m3u(path, name=called)]


def too_many(called: str) -> InputError:
    """What to raise when a file lists more songs than anybody has."""
    return InputError(f"{called} lists more than {MOST_SONGS:,} songs.", hint="Export fewer playlists at once.")
