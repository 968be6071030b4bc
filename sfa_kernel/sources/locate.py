"""Finds on this computer the files that a playlist names, which may have been written on another one."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Places", "file_name", "local_name", "within"]

MOST_LOOKED_AT = 200_000  # names below the playlist's folder

_DRIVE = re.compile(r"/*([A-Za-z]:[\\/].*)", re.DOTALL)
_SEPARATORS = re.compile(r"[\\/]+")


def local_name(location: str) -> str:
    """The path that a location means, in the writing of whatever system it comes from.

    ``file://localhost/C:/My%20Music/a.mp3`` is ``C:/My Music/a.mp3``, and ``file:///home/a.mp3`` is
    ``/home/a.mp3``. What is no address stays as it is: a file may be called ``100%25.mp3``.
    """
    location = location.replace("\0", "")
    if location[:5].lower() != "file:":
        return location
    path = unquote(location[5:]).replace("\0", "")
    if path.startswith("//"):
        host, slash, rest = path[2:].partition("/")
        if host.lower() in ("", "localhost"):
            path = slash + rest
        elif ":" in host:  # "file://localhosttidal:tracks:1" is in a shop, not on a disk; so is what has a port
            path = ""
    drive = _DRIVE.fullmatch(path)
    return drive[1] if drive else path


def file_name(location: str) -> str:
    """The last part of a location, under whatever system's separators."""
    return _SEPARATORS.split(local_name(location))[-1]


def within(path: str | os.PathLike[str], roots: Sequence[Path]) -> bool:
    """Whether a path, links in it resolved, lies in one of these folders, and nothing on the way there is hidden.

    Parameters
    ----------
    path
        What somebody names.
    roots
        Folders, links in them resolved.
    """
    try:
        real = Path(path).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        return False
    return any(
        real.is_relative_to(root) and not any(part.startswith(".") for part in real.relative_to(root).parts)
        for root in roots
    )


class Places:
    """Where the files of one playlist may be.

    Parameters
    ----------
    folder
        The playlist's own folder, which relative paths begin in; None when it came from elsewhere.
    roots
        Folders outside of which no file is looked for, as `within` says; None for everywhere.
    label
        What stands for the folder that is not known: ``01.mp3`` of one playlist is not that of another.
    """

    def __init__(self, folder: Path | None, roots: Sequence[Path] | None = None, *, label: str = "") -> None:
        self._folder = folder
        self._label = label
        self._roots = roots
        self._below: dict[str, list[str]] | None = None

    def find(self, location: str) -> Path | None:
        """The file: where the location says, or of the same name below the playlist's folder."""
        name = local_name(location)
        if not name:
            return None
        # A backslash separates on Windows, and is a letter of the name elsewhere.
        for written in dict.fromkeys((name, name.replace("\\", "/"))):
            path = os.path.expanduser(written) if written.startswith("~/") else written
            if not os.path.isabs(path) and self._folder is None:
                continue
            path = os.path.normpath(os.path.join(self._folder or "", path))
            if self._allowed(path) and os.path.isfile(path):
                return Path(path)
        return self._by_name(name)

    def key(self, location: str) -> str:
        """What stands for a file that was not found: where it should be, as far as that can be told."""
        name = local_name(location)
        if not name:
            return location
        if os.path.isabs(name) or _DRIVE.fullmatch(name) or name.startswith("\\\\"):
            return name
        return os.path.normpath(os.path.join(self._folder or self._label, name))

    def _allowed(self, path: str) -> bool:
        return self._roots is None or within(path, self._roots)

    def _by_name(self, name: str) -> Path | None:
        parts = [_plain(part) for part in _SEPARATORS.split(name)]
        if self._below is None:
            self._below = self._look_below()
        found = self._below.get(parts[-1], [])
        if not found:
            return None
        # Of several, the one whose folders agree with the list for longest.
        return Path(max(found, key=lambda path: _agreeing(parts, [_plain(part) for part in _SEPARATORS.split(path)])))

    def _look_below(self) -> dict[str, list[str]]:
        below: dict[str, list[str]] = defaultdict(list)
        if self._folder is None:
            return below
        count = 0
        for folder, folders, names in os.walk(self._folder):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for name in sorted(names):
                path = os.path.join(folder, name)
                if self._allowed(path) and os.path.isfile(path):
                    below[_plain(name)].append(path)
            count += len(names) + len(folders)
            if count > MOST_LOOKED_AT:
                break
        return below


def _plain(name: str) -> str:
    """A name as it is compared: systems write accents and capitals in their own ways."""
    return unicodedata.normalize("NFC", name).casefold()


def _agreeing(wanted: list[str], found: list[str]) -> int:
    """How many parts agree, from the end."""
    count = 0
    for one, other in zip(reversed(wanted), reversed(found), strict=False):
        if one != other:
            break
        count += 1
    return count
