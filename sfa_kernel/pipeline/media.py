"""Which file stands behind an id that a page asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfa_kernel.catalog import Catalog, stems, tracks
from sfa_kernel.errors import NotFoundError
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

__all__ = ["MediaFile", "audio_file", "cover_file"]

MIME = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
}


@dataclass(frozen=True)
class MediaFile:
    """A file to send to a page, with its MIME type and a tag that changes with its content."""

    path: Path
    mime: str
    etag: str


def audio_file(home: Path, identifier: UUID) -> MediaFile:
    """The audio of a track or a stem.

    Raises
    ------
    NotFoundError
        When there is neither, or its file is gone.
    """
    with Catalog.open(home).read() as connection:
        stem = stems.stem(connection, identifier)
        row = stem if stem is not None else tracks.get(connection, identifier)
    return _media(home, row.file, row.content_hash)


def cover_file(home: Path, identifier: UUID) -> MediaFile:
    """The cover art of a track.

    Raises
    ------
    NotFoundError
        When the track has none.
    """
    with Catalog.open(home).read() as connection:
        track = tracks.get(connection, identifier)
    if track.cover is None:
        raise NotFoundError("This track has no cover art.")
    return _media(home, track.cover, track.content_hash)


def _media(home: Path, name: str, etag: str) -> MediaFile:
    path = Storage(home).path(name)
    if not path.is_file():
        raise NotFoundError("The file is no longer in the library's folder.", hint="Add the song again.")
    return MediaFile(path, MIME.get(path.suffix, "application/octet-stream"), etag)
