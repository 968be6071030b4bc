"""Which file stands behind an id that a page asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfa_kernel.catalog import Catalog, exports, stems, tracks
from sfa_kernel.errors import NotFoundError
from sfa_kernel.pipeline.importing import BROWSERS_PLAY
from sfa_kernel.pipeline.originals import present
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

__all__ = ["MediaFile", "audio_file", "cover_file", "export_file"]

MIME = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".zip": "application/zip",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
}


@dataclass(frozen=True)
class MediaFile:
    """A file to send to a page.

    Attributes
    ----------
    path, mime
        The file and its MIME type.
    etag
        Changes with its content.
    name
        What a person who takes it away gets it as; empty for what stays on the page.
    """

    path: Path
    mime: str
    etag: str
    name: str = ""


def audio_file(home: Path, identifier: UUID) -> MediaFile:
    """The audio of a track or a stem.

    Raises
    ------
    NotFoundError
        When there is neither, or its file is gone.
    """
    with Catalog.open(home).read() as connection:
        stem = stems.stem(connection, identifier)
        track = tracks.get(connection, identifier) if stem is None else None
    if stem is not None:
        return _media(home, stem.file, stem.content_hash)
    assert track is not None  # noqa: S101 - one of the two
    path = present(track.path(Storage(home)))
    # A file that stays where it is may be called anything; the library's own copies are called what they are.
    suffix = path.suffix if track.file is not None else BROWSERS_PLAY[track.format]
    return MediaFile(path, MIME[suffix], track.content_hash)


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


def export_file(home: Path, identifier: UUID) -> MediaFile:
    """An export, under the name that a person gets it as.

    Raises
    ------
    NotFoundError
        When there is none, or its file is gone.
    """
    with Catalog.open(home).read() as connection:
        export = exports.get(connection, identifier)
    return _media(home, export.file, export.content_hash, name=export.name, hint="Export it again.")


def _media(home: Path, file: str, etag: str, *, name: str = "", hint: str = "Add the song again.") -> MediaFile:
    path = Storage(home).path(file)
    if not path.is_file():
        raise NotFoundError("The file is no longer in the library's folder.", hint=hint)
    return MediaFile(path, MIME.get(path.suffix, "application/octet-stream"), etag, name)
