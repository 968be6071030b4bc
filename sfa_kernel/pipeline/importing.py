"""Bring files into the library: check, fingerprint, read the tags, copy, write the row.

The original is never changed. The same bytes added twice are one track.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sfa_kernel import audio
from sfa_kernel.catalog import tracks
from sfa_kernel.catalog.tracks import TrackRow
from sfa_kernel.errors import AudioError, InputError
from sfa_kernel.storage import FileChanges

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from sfa_kernel.catalog import Catalog
    from sfa_kernel.storage import Storage

__all__ = ["ImportedFile", "audio_files", "import_file"]

BROWSERS_PLAY = {
    "WAV": ".wav",
    "FLAC": ".flac",
    "MP3": ".mp3",
    "OGG": ".ogg",
    "OPUS": ".opus",
    "M4A": ".m4a",
}
COVER_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif"}


@dataclass(frozen=True)
class ImportedFile:
    """What became of one file: a track, new or known already."""

    track: TrackRow
    new: bool


def audio_files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """The files to import: each file named, and in each folder whatever looks like audio, in order."""
    for given in paths:
        path = Path(given).expanduser().absolute()
        if path.is_dir():
            yield from sorted(
                entry
                for entry in path.rglob("*")
                if entry.suffix.lower() in audio.AUDIO_SUFFIXES
                and entry.is_file()
                and not any(part.startswith(".") for part in entry.relative_to(path).parts)
            )
        else:
            yield path


def import_file(catalog: Catalog, storage: Storage, path: Path, *, source: str | None = None) -> ImportedFile:
    """Bring one file into the library.

    Parameters
    ----------
    path
        The file; it stays where it is.
    source
        Where it came from, when that is not the path (an upload).

    Raises
    ------
    AudioError
        When it is no audio or cannot be decoded.
    InputError
        When it cannot be read.
    """
    _check(path)
    content_hash = audio.content_hash(path)
    known = _known(catalog, storage, path, content_hash)
    if known is not None:
        return known
    info = audio.probe(path)
    _hear_some(path)
    tags = audio.read_tags(path)
    identifier = uuid4()
    scratch = storage.scratch(identifier, 0)
    files = FileChanges(storage, scratch)
    try:
        copy = _copy(path, info, scratch)
        cover = None
        if tags.cover is not None and tags.cover_mime in COVER_SUFFIXES:
            picture = scratch / f"cover{COVER_SUFFIXES[tags.cover_mime]}"
            picture.write_bytes(tags.cover)
            cover = files.keep(picture, "downloads")
        track = TrackRow(
            id=identifier,
            content_hash=content_hash,
            title=tags.title,
            artist=tags.artist or "",
            album=tags.album or "",
            genre=tags.genre or "",
            year=tags.year,
            source_path=source or str(path),
            file=files.keep(copy, "downloads"),
            cover=cover,
            format=info.format,
            codec=info.codec,
            sample_rate=info.sample_rate,
            channels=info.channels,
            duration=info.duration,
            bytes=path.stat().st_size,
            added_at=datetime.now(UTC),
        )
        with catalog.write() as connection:
            raced = tracks.by_hash(connection, content_hash)
            if raced is None:
                tracks.insert(connection, track)
        if raced is not None:  # another process added the same bytes while we copied them
            files.rollback()
    except OSError as error:
        files.rollback()
        raise InputError(f"{path.name} cannot be copied into the library: {error.strerror or error}.") from error
    except BaseException:
        files.rollback()
        raise
    finally:
        storage.discard(scratch)
    return ImportedFile(track if raced is None else raced[0], new=raced is None)


def _check(path: Path) -> None:
    try:
        if not path.exists():
            raise InputError(f"{path} does not exist.", hint="Check the path.")
        if not path.is_file():
            raise InputError(f"{path.name} is not a file.", hint="Name an audio file or a folder.")
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read: {error}.", hint="Check the path.") from error


def _known(catalog: Catalog, storage: Storage, path: Path, content_hash: str) -> ImportedFile | None:
    with catalog.read() as connection:
        found = tracks.by_hash(connection, content_hash)
    if found is None:
        return None
    track, removed = found
    if not storage.path(track.file).is_file():
        _put_back(storage, path, track)
    if removed:
        with catalog.write() as connection:
            if not tracks.restore(connection, [track.id]):
                return None  # the cleanup has purged it since we looked
    return ImportedFile(track, new=removed)


def _put_back(storage: Storage, path: Path, track: TrackRow) -> None:
    """Copy a known song again whose file is gone from the library's folder."""
    scratch = storage.scratch(track.id, 0)
    try:
        shutil.move(_copy(path, audio.probe(path), scratch), storage.path(track.file))
    except OSError as error:
        raise InputError(f"{path.name} cannot be copied into the library: {error.strerror or error}.") from error
    finally:
        storage.discard(scratch)


def _hear_some(path: Path) -> None:
    """Decode the beginning: a header alone promises nothing."""
    samples, _ = audio.decode(path, duration=1.0)
    if samples.shape[1] == 0:
        raise AudioError(f"{path.name} holds no sound.", hint="Add another file.")


def _copy(path: Path, info: audio.AudioInfo, folder: Path) -> Path:
    """The library's copy: the same bytes where a browser plays them, else the same samples.

    It is named for what it is, not for what it was called.
    """
    if info.format in BROWSERS_PLAY and info.codec != "alac":
        copy = folder / f"audio{BROWSERS_PLAY[info.format]}"
        shutil.copyfile(path, copy)
        return copy
    exact = info.codec in ("pcm_16", "pcm_24", "alac")  # FLAC holds these without loss
    copy = folder / ("audio.flac" if exact else "audio.wav")
    with audio.AudioReader(path) as reader:
        subtype = "PCM_16" if info.codec == "pcm_16" else "PCM_24" if exact else "FLOAT"
        with audio.AudioWriter(copy, reader.sample_rate, reader.channels, subtype=subtype) as writer:
            for block in reader.blocks(1 << 18):
                writer.write(block)
    return copy
