"""What lies in a library's folders, beside what its rows refer to."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sfa_kernel.catalog.files import COLUMNS
from sfa_kernel.errors import UnsafePathError
from sfa_kernel.progress import Progress, Steps, silent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sfa_kernel.catalog import Connection
    from sfa_kernel.storage import Storage

__all__ = [
    "OWNED",
    "Entry",
    "Expected",
    "altered",
    "entries",
    "expected",
    "identifier",
    "missing",
    "originals",
    "orphans",
]

OWNED = ("downloads", "stems", "analysis", "exports")  # folders whose files belong to rows
# Where the catalogue has a checksum of a file. That of a track is of what was added: it holds for the library's copy
# unless that had to be written in another format.
_HASHES = {
    ("tracks", "file"): "CASE WHEN ends_with(r.file, '.' || lower(r.format)) THEN r.content_hash END",
    ("stems", "file"): "r.content_hash",
}


@dataclass(frozen=True)
class Entry:
    """A file or folder in one of the library's folders.

    Attributes
    ----------
    path
        Where it is.
    bytes
        Its size, of a folder with all that is in it.
    changed
        When something was last done to it [s since the epoch]; infinity for what is not ours to look at.
    """

    path: Path
    bytes: int
    changed: float


@dataclass(frozen=True)
class Expected:
    """A file that a row refers to: its name, the title of the track, and its SHA-256 where the catalogue has it."""

    name: str
    title: str
    content_hash: str | None


def entries(folder: Path) -> Iterator[Entry]:
    """What lies in a folder."""
    for path in list(folder.iterdir()):
        sizes, times = zip(*_measure(path), strict=True)
        yield Entry(path, sum(sizes), max(times))


def _measure(path: Path) -> Iterator[tuple[int, float]]:
    """Bytes and time of a file, a link or each part of a folder; what a link points to is somewhere else."""
    try:
        status = path.lstat()
        # A file that was moved here keeps the time of its content, but not that of its name.
        yield status.st_size, max(status.st_mtime, status.st_ctime)
        if path.is_dir() and not path.is_symlink():
            with os.scandir(path) as inside:
                for entry in inside:
                    yield from _measure(Path(entry.path))
    except OSError:
        yield 0, float("inf")  # somebody has just removed it, or it is not ours: leave it alone


def identifier(path: Path) -> UUID | None:
    """The id that a file is named for; what has another name was put there by a person."""
    try:
        return UUID(path.stem)
    except ValueError:
        return None


def orphans(storage: Storage, owned: Collection[str], *, before: float) -> dict[str, int]:
    """Files that no row refers to: their names and sizes [bytes].

    Parameters
    ----------
    owned
        The names that rows refer to; see `sfa_kernel.catalog.files.referenced`.
    before
        Only those that were last changed before [s since the epoch]: a younger one may be about to get its row.
    """
    return {
        name: entry.bytes
        for folder in OWNED
        for entry in entries(storage.path(folder))
        if (name := f"{folder}/{entry.path.name}") not in owned
        and entry.changed < before
        and identifier(entry.path) is not None
    }


def expected(connection: Connection) -> list[Expected]:
    """Every file that rows of tracks in the library refer to; but for exports, which are there to be taken away."""
    parts = []
    for table, column in COLUMNS:
        if table == "exports":
            continue
        content_hash = _HASHES.get((table, column), "NULL")
        track = "id" if table == "tracks" else "track_id"
        parts.append(
            f"SELECT r.{column} AS name, t.title, {content_hash} "  # noqa: S608 - our own names
            f"FROM {table} r JOIN tracks t ON t.id = r.{track} "
            f"WHERE r.{column} IS NOT NULL AND t.removed_at IS NULL"
        )
    rows = connection.execute(" UNION ALL ".join(parts) + " ORDER BY title, name").fetchall()
    return [Expected(*row) for row in rows]


def originals(connection: Connection) -> list[tuple[str, Path]]:
    """Title and file of each song in the library whose sound stays where a person keeps it."""
    rows = connection.execute(
        "SELECT title, original FROM tracks WHERE file IS NULL AND removed_at IS NULL ORDER BY title, original"
    ).fetchall()
    return [(title, Path(original)) for title, original in rows]


def missing(storage: Storage, files: Sequence[Expected]) -> list[Expected]:
    """Those of these files that are not there."""
    return [file for file in files if not _is_file(storage, file.name)]


def altered(storage: Storage, files: Sequence[Expected], *, progress: Progress = silent) -> list[Expected]:
    """Those of these files whose content is not what it was; reads all of them that have a checksum."""
    steps = Steps(progress)
    found = []
    for number, file in enumerate(files):
        steps.at(number / len(files))
        if file.content_hash and _is_file(storage, file.name) and _digest(storage.path(file.name)) != file.content_hash:
            found.append(file)
    steps.at(1.0)
    return found


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "cannot be read"


def _is_file(storage: Storage, name: str) -> bool:
    try:
        return storage.path(name).is_file()
    except UnsafePathError:
        return False
