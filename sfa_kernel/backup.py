"""A library in one file, and back.

A backup is a plain ZIP, not compressed, because sound does not get smaller that way: ``manifest.json``, the catalogue,
and every file that the catalogue refers to. It is a snapshot: in one catalogue transaction the database is copied and
each file gets a second name in a scratch folder; writing the ZIP takes its time, and the library goes on meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import struct
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel import __version__
from sfa_kernel.catalog import Catalog
from sfa_kernel.catalog.files import referenced
from sfa_kernel.catalog.lock import LibraryLock
from sfa_kernel.catalog.undo import Undo
from sfa_kernel.errors import DiskFullError, InputError, SetupError, UnsafePathError
from sfa_kernel.events import Journal
from sfa_kernel.progress import Progress, Steps, silent
from sfa_kernel.storage import Storage, disk_is_full

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Snapshot", "backup", "restore"]

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "library.duckdb"
FOLDERS = ("downloads", "stems", "analysis", "exports")  # whose files rows refer to
CHUNK = 1 << 20
MANIFEST_BYTES = 1 << 26
_BROKEN = (zipfile.BadZipFile, EOFError, NotImplementedError, struct.error, UnicodeError)  # what zipfile raises


@dataclass(frozen=True)
class Snapshot:
    """What a backup holds.

    Attributes
    ----------
    file
        The backup.
    created
        When it was made (ISO, UTC), and ``program``, by which version.
    tracks, files, bytes
        How many tracks, how many files beside the catalogue, and their size.
    missing
        Names of files that the catalogue refers to and that were not there.
    outside
        How many tracks have their sound where a person keeps it: it is not in the backup.
    kept
        After a restore that replaced a library: where its catalogue is kept.
    """

    file: Path
    created: str
    program: str
    tracks: int
    files: int
    bytes: int
    missing: list[str]
    outside: int = 0
    kept: Path | None = None


def backup(
    home: Path, file: str | os.PathLike[str], *, progress: Progress = silent, busy_timeout: float = 10.0
) -> Snapshot:
    """Put everything a library is made of into one file; the library may be in use.

    Parameters
    ----------
    home
        The library's folder.
    file
        The backup to write, outside that folder; replaced when there is one.
    busy_timeout
        How long to wait for other processes [s].

    Raises
    ------
    InputError
        When there is no library, or the file cannot be written there.
    DiskFullError
        When there is no room; an older backup of that name stays as it was.
    """
    home = home.expanduser().resolve()
    target = Path(file).expanduser().absolute()
    if not (home / DATABASE).is_file():
        raise InputError(f"There is no library in {home}.", hint="Choose one with --home or SFA_HOME.")
    if target.resolve().is_relative_to(home):
        raise InputError(
            f"{target} is inside the library.", hint="Choose another place, on another disk if there is one."
        )
    if target.is_dir() or not target.parent.is_dir():
        raise InputError(f"{target} is no place for a file.", hint="Name a file in a folder that exists.")
    storage = Storage(home)
    with _scratch(storage, "backup") as scratch, _clearly(f"The backup {target} cannot be written"):
        tracks, outside, names, missing = _freeze(Catalog.open(home, busy_timeout=busy_timeout), storage, scratch)
        sizes = [(scratch / name).stat().st_size for name in names]
        with (scratch / DATABASE).open("rb") as database:
            digest = hashlib.file_digest(database, "sha256").hexdigest()
        manifest = {
            "format": FORMAT,
            "program": __version__,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "tracks": tracks,
            "files": len(names),
            "bytes": sum(sizes),
            "missing": missing,
            "outside": outside,
            "sha256": digest,
        }
        part = target.with_name(f"{target.name}.part")
        try:
            with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
                _write(raw, manifest, scratch, [DATABASE, *names], Steps(progress))
                raw.flush()
                os.fsync(raw.fileno())
            part.replace(target)
            _sync(target.parent)
        finally:
            part.unlink(missing_ok=True)
    return _snapshot(target, manifest)


def _freeze(catalog: Catalog, storage: Storage, scratch: Path) -> tuple[int, int, list[str], list[str]]:
    """Fill the scratch folder with the library of this moment.

    Returns tracks, how many of them have their sound elsewhere, names of files, missing names.
    """
    names, missing = [], []
    with catalog.read() as connection:
        for file in (catalog.file, _log(catalog.file)):
            with suppress(FileNotFoundError):  # the log is there only after a crash
                shutil.copyfile(file, scratch / file.name)
        tracks, outside = connection.execute(
            "SELECT count(*), count(*) FILTER (file IS NULL) FROM tracks WHERE removed_at IS NULL"
        ).fetchone() or (0, 0)
        for name in sorted(referenced(connection)):
            copy = scratch / name
            try:
                source = storage.path(name)
                copy.parent.mkdir(parents=True, exist_ok=True)
                _link(source, copy)
            except (FileNotFoundError, UnsafePathError):
                missing.append(name)
            else:
                names.append(name)
    if _log(scratch / DATABASE).exists():
        frozen = Catalog(scratch)
        with frozen.write():
            pass
        frozen.give_back()  # writes the log into the file
    return int(tracks), int(outside), names, missing


def _write(raw: Any, manifest: dict[str, Any], scratch: Path, names: list[str], steps: Steps) -> None:
    total = sum((scratch / name).stat().st_size for name in names) or 1
    done = 0
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
        for name in names:
            info = zipfile.ZipInfo.from_file(scratch / name, name, strict_timestamps=False)
            with (scratch / name).open("rb") as source, archive.open(info, "w", force_zip64=True) as entry:
                while chunk := source.read(CHUNK):
                    entry.write(chunk)
                    done += len(chunk)
                    steps.at(done / total)
            os.utime(scratch)  # we are alive: the cleanup leaves the folder alone
    steps.at(1.0)


def restore(
    file: str | os.PathLike[str],
    home: Path,
    *,
    replace: bool = False,
    progress: Progress = silent,
    busy_timeout: float = 10.0,
) -> Snapshot:
    """Make a library what it was when the backup was made. Programs that have it open see that at once.

    Whatever goes wrong, the library stays as it was.

    Parameters
    ----------
    file
        A backup.
    home
        The library's folder; made when missing.
    replace
        Whether a library that has tracks may be replaced. Its catalogue is kept beside the new one, and its files
        stay until the next cleanup.
    busy_timeout
        How long to wait for other processes [s].

    Raises
    ------
    InputError
        When the file is no backup, is damaged, or would replace a library without ``replace``.
    SetupError
        When it was made by a newer version.
    DiskFullError
        When there is no room.
    """
    source = Path(file).expanduser().absolute()
    steps = Steps(progress)
    with _opened(source) as archive:
        manifest = _manifest(source, archive)
        entries = _checked(source, archive)
        home = home.expanduser().resolve()
        if not replace and (home / DATABASE).exists():
            with _locked(home, busy_timeout):  # before the long work, and again when it is done
                _refuse_to_replace(home)
        storage = Storage(home)
        _check_room(home, sum(entry.file_size for entry in entries))
        with _scratch(storage, "restore") as scratch, _clearly(f"The library in {home} cannot be restored"):
            _unpack(archive, entries, scratch, steps)
            names = [entry.filename for entry in entries if entry.filename != DATABASE]
            _check_contents(source, scratch, manifest, names)
            with _locked(home, busy_timeout):
                if not replace:
                    _refuse_to_replace(home)
                kept = _swap(storage, scratch, names)
        with suppress(OSError):  # pages that show the library follow this; without it they lag behind
            Journal(storage.path("events")).publish("library", {"restored": source.name})
    steps.at(1.0)
    return _snapshot(source, manifest, kept)


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    """The backup; whatever is found to be wrong with it while it is open is said in one sentence."""
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except OSError as error:
        raise InputError(f"The backup {source} cannot be read: {error.strerror or error}.") from error
    except _BROKEN as error:
        raise _damaged(source, str(error)) from error


def _manifest(source: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        info = archive.getinfo(MANIFEST)
        if info.file_size > MANIFEST_BYTES or info.compress_type != zipfile.ZIP_STORED:
            raise ValueError
        manifest = json.loads(archive.read(info))
        version = manifest["format"]
        sound = all(isinstance(manifest[name], int) for name in ("format", "tracks", "files", "bytes"))
        sound = sound and isinstance(manifest.get("outside", 0), int)
        sound = sound and all(isinstance(manifest[name], str) for name in ("program", "created", "sha256"))
        if not sound or not all(isinstance(name, str) for name in manifest["missing"]):
            raise ValueError
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{source} is no backup of a library.", hint="`sfa backup FILE` makes one.") from error
    if version > FORMAT:
        raise SetupError(
            f"The backup {source} was made by a newer version of Sound Forge Alchemy.", hint="Update this program."
        )
    return dict(manifest)


def _checked(source: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The backup's entries but for the manifest, each of which may be unpacked by its name."""
    entries = [entry for entry in archive.infolist() if entry.filename != MANIFEST]
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names) or DATABASE not in names:
        raise _damaged(source, "its list of files is not in order")
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        inside = entry.filename == "/".join(parts) and len(parts) > 1 and parts[0] in FOLDERS
        if entry.filename != DATABASE and (not inside or ".." in parts or set(entry.filename) & set("\\:\0")):
            raise _damaged(source, f"{entry.filename!r} is no file of a library")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or entry.is_dir():
            raise _damaged(source, f"{entry.filename!r} is no plain file")
        # Ours are stored as they are. So nothing can be larger unpacked than it is in the backup.
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 or entry.file_size != entry.compress_size:
            raise _damaged(source, f"{entry.filename!r} is not stored as this program does it")
    if sum(entry.file_size for entry in entries) > source.stat().st_size:
        raise _damaged(source, "its files would be larger than the backup itself")
    return entries


def _unpack(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], scratch: Path, steps: Steps) -> None:
    total = sum(entry.file_size for entry in entries) or 1
    done = 0
    for entry in entries:
        path = scratch / entry.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, path.open("xb") as target:  # reading checks the CRC
            while chunk := source.read(CHUNK):
                target.write(chunk)
                done += len(chunk)
                steps.at(0.98 * done / total)
            target.flush()
            os.fsync(target.fileno())
        os.utime(scratch)


def _check_contents(source: Path, scratch: Path, manifest: dict[str, Any], names: list[str]) -> None:
    """What was unpacked is a library that this version can open, and complete."""
    with (scratch / DATABASE).open("rb") as database:
        if hashlib.file_digest(database, "sha256").hexdigest() != manifest["sha256"]:
            raise _damaged(source, "its catalogue is not the one that was put in")
    try:
        catalog = Catalog(scratch)  # brings an older one up to date
    except SetupError as error:
        newer = "newer version" in error.message
        what = "was made by a newer version of Sound Forge Alchemy" if newer else "holds a catalogue that is damaged"
        hint = "Update this program." if newer else "Use another backup."
        raise SetupError(f"The backup {source} {what}.", hint=hint) from error
    with catalog.read() as connection:
        wanted = referenced(connection) - set(manifest["missing"])
    catalog.give_back()
    if wanted != set(names):
        lacking = len(wanted - set(names))
        raise _damaged(source, f"{lacking} files are missing in it" if lacking else "it holds files of nothing")


def _refuse_to_replace(home: Path) -> None:
    """Unless there is no library, or one without tracks. Wants the lock: it opens the database by itself."""
    import duckdb

    database = home / DATABASE
    if not database.exists():
        return
    Undo.restore(database)
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            (tracks,) = connection.execute("SELECT count(*) FROM tracks").fetchone() or (0,)
    except duckdb.Error:
        what = "a library that is damaged"
    else:
        what = f"a library with {tracks} tracks" if tracks else ""
    if what:
        raise InputError(f"In {home} there is {what}.", hint="Add --replace to put the backup in its place.")


def _swap(storage: Storage, scratch: Path, names: list[str]) -> Path | None:
    """Put files and catalogue in their places. Returns where the catalogue that was there is kept."""
    put: list[tuple[Path, Path | None]] = []
    database = storage.home / DATABASE
    kept: Path | None = None
    try:
        for name in names:
            place, aside = storage.path(name), None
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():  # the same song, restored before or never gone
                aside = scratch / "aside" / name
                aside.parent.mkdir(parents=True, exist_ok=True)
                place.rename(aside)
            put.append((place, aside))
            (scratch / name).rename(place)
        if database.exists():
            kept = _set_aside(database)
        (scratch / DATABASE).replace(database)  # from here on it is the restored library
    except BaseException:
        for place, aside in reversed(put):
            place.unlink(missing_ok=True)
            if aside is not None:
                aside.rename(place)
        if kept is not None:
            if _log(kept).exists():
                _log(kept).rename(_log(database))
            kept.unlink()
        raise
    _sync(storage.home)
    return kept


def _set_aside(database: Path) -> Path:
    """Keep the old catalogue under another name; the database itself stays in place until it is replaced."""
    import duckdb

    Undo.restore(database)
    if _log(database).exists():  # somebody crashed: have it written into the file
        with suppress(duckdb.Error):
            duckdb.connect(str(database)).close()
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    kept = database.with_name(f"library.before-restore-{moment}.duckdb")
    _link(database, kept)
    with suppress(FileNotFoundError):  # or else it goes along: it must never meet the restored catalogue
        _log(database).rename(_log(kept))
    return kept


def _check_room(home: Path, needed: int) -> None:
    free = shutil.disk_usage(home).free
    if free < needed:
        raise DiskFullError(
            f"The backup needs {needed / 1e6:,.0f} MB, and the disk of {home} has {free / 1e6:,.0f} MB left.",
            hint="Make room, or choose another place with --home.",
        )


@contextmanager
def _locked(home: Path, timeout: float) -> Iterator[None]:
    """Nobody has the catalogue open."""
    hold = LibraryLock(home).acquire(exclusive=True, timeout=timeout)
    try:
        yield
    finally:
        hold.release()


@contextmanager
def _scratch(storage: Storage, use: str) -> Iterator[Path]:
    path = storage.path(f"scratch/{use}-{uuid4()}")
    path.mkdir()
    try:
        yield path
    finally:
        storage.discard(path)


@contextmanager
def _clearly(what: str) -> Iterator[None]:
    """The system's refusals in one sentence."""
    try:
        yield
    except OSError as error:
        if disk_is_full(error):
            raise DiskFullError(f"{what}: the disk is full.", hint="Make room, or choose another disk.") from error
        raise InputError(f"{what}: {error.strerror or error}.") from error


def _link(source: Path, copy: Path) -> None:
    """A second name for a file, or a copy where the disk knows no second names."""
    try:
        os.link(source, copy)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, copy)


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _sync(folder: Path) -> None:
    """Have a folder's names on the disk, where the system can be asked to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _damaged(source: Path, why: str) -> InputError:
    return InputError(f"The backup {source} is damaged or no backup: {why.rstrip('.')}.", hint="Use another one.")


def _snapshot(file: Path, manifest: dict[str, Any], kept: Path | None = None) -> Snapshot:
    names = ("created", "program", "tracks", "files", "bytes", "missing")
    outside = manifest.get("outside", 0)  # older backups have none
    return Snapshot(file, **{name: manifest[name] for name in names}, outside=outside, kept=kept)
