"""The storage root: the one place that turns names into paths, and refuses whatever leaves the root.

Files are named by UUID below a few fixed folders; the catalogue keeps their paths relative to the root.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sfa_kernel.errors import DiskFullError, InputError, ParameterError, SetupError, UnsafePathError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FOLDERS",
    "FileChanges",
    "Storage",
    "disk_is_full",
    "noted_files",
    "read_text",
    "write_new",
    "write_private",
]

FOLDERS = ("downloads", "stems", "analysis", "exports", "runs", "uploads", "scratch", "events", "logs")
NOTES = "files.txt"


class Storage:
    """The files of one library.

    Parameters
    ----------
    home
        The storage root; made when missing.

    Raises
    ------
    SetupError
        When the root cannot be made or written.
    """

    def __init__(self, home: str | os.PathLike[str]) -> None:
        self.home = Path(home).expanduser().resolve()
        try:
            for folder in FOLDERS:
                (self.home / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SetupError(
                f"The library folder {self.home} cannot be used: {reason}.",
                hint="Choose another with --home or SFA_HOME.",
            ) from error

    def __repr__(self) -> str:
        return f"Storage({str(self.home)!r})"

    def path(self, name: str | os.PathLike[str]) -> Path:
        """Absolute path of a file named relative to the root.

        Raises
        ------
        UnsafePathError
            When the name leaves the root, by ``..``, as an absolute path or through a link.
        """
        text = os.fspath(name)
        candidate = self.home / text
        if "\0" in text or not text or Path(text).is_absolute():
            raise UnsafePathError(f"{text!r} is not a name inside the library.")
        resolved = candidate.resolve()
        if not resolved.is_relative_to(self.home) or resolved == self.home:
            raise UnsafePathError(f"{text!r} leaves the library folder.")
        return resolved

    def name(self, path: Path) -> str:
        """The name, relative to the root and with forward slashes, of a path inside it."""
        resolved = path.resolve()
        if not resolved.is_relative_to(self.home):
            raise UnsafePathError(f"{str(path)!r} is outside the library folder.")
        return str(PurePosixPath(resolved.relative_to(self.home)))

    def new(self, folder: str, identifier: UUID, suffix: str) -> Path:
        """Path for a new file ``folder/identifier.suffix``."""
        if folder not in FOLDERS:
            raise UnsafePathError(f"{folder!r} is no folder of the library.")
        return self.path(f"{folder}/{identifier}{suffix}")

    def scratch(self, identifier: UUID, attempt: int) -> Path:
        """An empty folder for what one attempt of a job makes."""
        path = self.path(f"scratch/{identifier}-{attempt}")
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def discard(self, path: Path) -> None:
        """Remove a file, folder or link inside the root, if it is there. What a link points to stays.

        Raises
        ------
        UnsafePathError
            When the path is outside the root.
        """
        place = path.parent.resolve() / path.name  # of a link its own place, not that of what it points to
        if place == self.home or path.name == ".." or not place.is_relative_to(self.home):
            raise UnsafePathError(f"{str(path)!r} is outside the library folder.")
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)


class FileChanges:
    """The files that one transaction adds and no longer needs: both take effect, or neither.

    What is about to be added or removed is noted in the scratch folder first. When the process is killed in
    between, `sfa_kernel.jobs.sweep` finds the notes and sets it right.

    Parameters
    ----------
    storage
        The library's files.
    scratch
        The scratch folder of whoever makes the files.
    """

    def __init__(self, storage: Storage, scratch: Path) -> None:
        self._storage = storage
        self._scratch = scratch
        self._added: list[tuple[Path, Path]] = []
        self._stale: list[str] = []

    @property
    def storage(self) -> Storage:
        """The library's files."""
        return self._storage

    def keep(self, path: Path, folder: str) -> str:
        """Move a finished file into a folder of the library, under a new UUID. Returns its name there."""
        target = self._storage.new(folder, uuid4(), path.suffix.lower())
        name = self._storage.name(target)
        self._note([name])
        self._added.append((path, target))
        shutil.move(path, target)
        return name

    def drop(self, names: Iterable[str]) -> None:
        """Remove files of the library once the transaction holds."""
        stale = list(names)
        self._note(stale)
        self._stale += stale

    def _note(self, names: Iterable[str]) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        with (self._scratch / NOTES).open("a", encoding="utf-8") as notes:
            notes.writelines(f"{name}\n" for name in names)

    def commit(self) -> None:
        """The transaction holds: remove what it made superfluous."""
        for name in self._stale:
            self._storage.discard(self._storage.home / name)

    def rollback(self) -> None:
        """The transaction does not hold: what was added goes back to where it came from."""
        for source, target in self._added:
            if target.exists():
                shutil.move(target, source)


def noted_files(scratch: Path) -> list[str]:
    """The names of files in the library that the owner of a scratch folder was about to add or remove."""
    try:
        lines = (scratch / NOTES).read_text("utf-8").split("\n")
    except (FileNotFoundError, NotADirectoryError):
        return []
    return lines[:-1]  # the last line is empty, or was cut off before anything was done about it


def write_private(path: Path, text: str) -> None:
    """Put a file in place at once and as a whole, for this user's eyes only.

    Parameters
    ----------
    text
        ASCII.
    """
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def write_new(file: str | os.PathLike[str], text: str) -> Path:
    """Write a text to where a person wants it, never over another file.

    Raises
    ------
    ParameterError
        When the file is there already.
    InputError
        When it cannot be written.
    DiskFullError
        When there is no room; nothing of it stays.
    """
    target = Path(os.path.expanduser(file))
    try:
        stream = target.open("x", encoding="utf-8")
    except FileExistsError:
        raise ParameterError(f"{target} is there already.", hint="Choose another name.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{target} cannot be written: {getattr(error, 'strerror', None) or error}.") from error
    try:
        with stream:
            stream.write(text)
    except OSError as error:
        target.unlink(missing_ok=True)
        if disk_is_full(error):
            raise DiskFullError(f"There is no room for {target.name}.", hint="Free some disk space.") from error
        raise InputError(f"{target} cannot be written: {error.strerror or error}.") from error
    return target


def read_text(file: str | os.PathLike[str], largest: int) -> str:
    """The text of a file that a person names.

    Parameters
    ----------
    largest
        In bytes; what is larger is not what is looked for.

    Raises
    ------
    InputError
        When it is not there, too large, or no text.
    """
    path = Path(os.path.expanduser(file))
    try:
        if path.stat().st_size > largest:
            raise InputError(f"{path.name} is too large.", hint="Choose another file.")
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def disk_is_full(error: BaseException) -> bool:
    """Whether an error, or what led to it, is the system's refusal for lack of room."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        link = link.__cause__ or link.__context__
    return False
