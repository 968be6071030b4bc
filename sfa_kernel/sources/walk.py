"""Looks through a folder for what may be music."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sfa_kernel.audio.files import AUDIO_SUFFIXES
from sfa_kernel.audio.text import clean_text, is_text
from sfa_kernel.errors import InputError
from sfa_kernel.sources.locate import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Seen", "Walked", "walk"]


@dataclass(frozen=True)
class Seen:
    """A file whose name promises audio: its path, its size [bytes], and when it was changed [ns since 1970]."""

    path: str
    bytes: int
    modified: int


@dataclass
class Walked:
    """What there is in a folder.

    Attributes
    ----------
    files
        In order of their paths, folder by folder.
    unreadable
        Folders and files that could not be looked at, and why: a line each.
    """

    files: list[Seen] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def walk(folder: Path, *, leave_out: Path | None = None, roots: Sequence[Path] | None = None) -> Walked:
    """Find the audio files in a folder and in the folders in it.

    What is hidden is left out. A folder that several links lead to is looked at once, so a link back up is no harm.

    Parameters
    ----------
    folder
        An absolute path.
    leave_out
        A folder that is none of this: the library's own.
    roots
        Folders, links in them resolved, that no link may lead out of; None for wherever they lead.

    Raises
    ------
    InputError
        When there is no such folder, or it cannot be read.
    """
    walked = Walked()
    try:
        status = folder.stat()
        os.scandir(folder).close()
    except (OSError, ValueError) as error:
        raise InputError(
            f"The folder {clean_text(str(folder))} cannot be read: {_reason(error)}.",
            hint="Plug in its disk, or check the path and its permissions.",
        ) from error
    visited = {(status.st_dev, status.st_ino)}
    if leave_out is not None and leave_out.exists():
        outside = leave_out.stat()
        visited.add((outside.st_dev, outside.st_ino))
    waiting = [str(folder)]
    while waiting:
        inside = list(_inside(waiting.pop(), visited, walked, roots))
        waiting += reversed(inside)
    return walked


def _inside(folder: str, visited: set[tuple[int, int]], walked: Walked, roots: Sequence[Path] | None) -> Iterator[str]:
    """Note the files of one folder; the folders in it that are still to be looked at."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        walked.unreadable.append(f"{clean_text(folder)}: {_reason(error)}")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if roots is not None and entry.is_symlink() and not within(entry.path, roots):
                walked.unreadable.append(f"{clean_text(entry.path)}: a link to where a page may not look")
                continue
            if entry.is_dir():
                status = entry.stat()
                place = (status.st_dev, status.st_ino)
                if place not in visited:
                    visited.add(place)
                    yield entry.path
            elif os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES and entry.is_file():
                if not is_text(entry.path):
                    walked.unreadable.append(f"{clean_text(entry.path)}: its name is in an unknown encoding")
                    continue
                status = entry.stat()
                walked.files.append(Seen(entry.path, status.st_size, status.st_mtime_ns))
        except OSError as error:
            walked.unreadable.append(f"{clean_text(entry.path)}: {_reason(error)}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
