"""Tags: who made the track and what it is called, with the cover; the file's name fills the holes."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.audio.files import readable_file, shown
from sfa_kernel.audio.text import clean_text

if TYPE_CHECKING:
    import os

__all__ = ["MAX_COVER_BYTES", "Tags", "name_tags", "read_tags"]

_log = logging.getLogger(__name__)

MAX_COVER_BYTES = 16 << 20

_BPM_RANGE = (20.0, 999.0)
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# "01 - ", "01. ", "1-07 " before the name proper; a number that is all there is stays.
_TRACK_PREFIX = re.compile(r"^(?:\d{1,2}-)?(?P<track>\d{1,3})(?:\s*[.)]\s*|\s+-\s+|(?<=\d\d)\s+)(?=\S)")
_DASH = re.compile(r"\s+[-–—]\s+")


@dataclass(frozen=True)
class Tags:
    """What a file tells of its music.

    Texts are one line of ordinary characters, at most 300 long.

    Attributes
    ----------
    title
        Never empty: from the file's name where there is no tag.
    artist, album, genre, comment
        None where unknown; the artist may come from a file named ``Artist - Title``.
    year, track_number
        None where unknown.
    bpm
        Beats per minute as tagged, 20 to 999; a hint, not a measurement.
    key
        Musical key as tagged, in whatever notation.
    cover
        An image, at most 16 MiB.
    cover_mime
        ``"image/jpeg"``, ``"image/png"``, ``"image/gif"`` or ``"image/webp"``, told by the cover's content.
    isrc
        International Standard Recording Code, in capitals and without dashes.
    """

    title: str
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    year: int | None = None
    track_number: int | None = None
    comment: str | None = None
    bpm: float | None = None
    key: str | None = None
    cover: bytes | None = field(default=None, repr=False)
    cover_mime: str | None = None
    isrc: str | None = None


def read_tags(path: str | os.PathLike[str], *, name: str | None = None) -> Tags:
    """Read the tags and the cover of a sound file.

    Parameters
    ----------
    path
        The file; the kind of tag is told by its content.
    name
        The name to fall back on where the path is not what a person knows the file by (an upload).

    Returns
    -------
    Tags
        Damaged or missing tags give what the file's name tells.

    Raises
    ------
    AudioError
        When there is no readable file. What is in it never raises.
    """
    path = readable_file(path)
    named = name_tags(name if name is not None else path.name)
    try:
        return _from_file(path, named)
    except Exception as error:
        # The reader parses bytes of strangers; whatever it stumbles over, the music is still there.
        _log.info("The tags of %s cannot be read: %s", shown(path), error)
        return named


def _from_file(path: Path, named: Tags) -> Tags:
    from tinytag import TinyTag

    # Without the name, the reader too goes by content.
    with path.open("rb") as file:
        tag = TinyTag.get(file_obj=file, duration=False, image=True)
    title = _text(tag.title)
    artist = _text(tag.artist) or _text(tag.albumartist)
    if artist is None and (title is None or title.casefold() == named.title.casefold()):
        artist = named.artist
    cover, mime = _cover(tag.images)
    bpm = _number(_other(tag, "bpm"))
    track = _number(tag.track)
    year = _YEAR.search(str(tag.year or ""))
    return Tags(
        title=title or named.title,
        artist=artist,
        album=_text(tag.album),
        genre=_text(tag.genre),
        year=int(year[0]) if year else None,
        track_number=int(track) if track is not None and 0 < track < 10_000 else named.track_number,
        comment=_text(tag.comment),
        bpm=bpm if bpm is not None and _BPM_RANGE[0] <= bpm <= _BPM_RANGE[1] else None,
        key=_text(_other(tag, "initial_key")),
        cover=cover,
        cover_mime=mime,
        isrc=_isrc(_other(tag, "isrc")),
    )


def name_tags(name: str) -> Tags:
    """What a file's name tells: ``03 - Artist - Title.mp3``, with or without the number and the artist."""
    stem = Path(name).stem
    if " " not in stem:  # underscores stand for spaces where there are no spaces
        stem = stem.replace("_", " ")
    stem = clean_text(stem)
    prefix = _TRACK_PREFIX.match(stem)
    track = int(prefix["track"]) if prefix else None
    rest = stem[prefix.end() :] if prefix else stem
    parts = _DASH.split(rest, maxsplit=1)
    artist = parts[0] if len(parts) == 2 else None
    return Tags(title=parts[-1] or stem or "Untitled", artist=artist or None, track_number=track or None)


def _text(value: Any) -> str | None:
    return clean_text(str(value)) or None if value is not None else None


def _other(tag: Any, name: str) -> str | None:
    values: list[str] = tag.other.get(name) or []
    return values[0] if values else None


def _isrc(value: str | None) -> str | None:
    code = re.sub(r"[\s-]", "", (value or "")[:40]).upper()
    return code if _ISRC.fullmatch(code) else None


def _number(value: Any) -> float | None:
    found = _NUMBER.search(str(value)[:40].replace(",", ".")) if value is not None else None
    number = float(found[0]) if found else math.nan
    return number if math.isfinite(number) else None


def _cover(images: Any) -> tuple[bytes, str] | tuple[None, None]:
    """The front cover or else the first picture, when it is an image that browsers show."""
    image = images.front_cover or images.any
    data = bytes(image.data) if image is not None and image.data else b""
    mime = _image_mime(data)
    return (data, mime) if mime is not None and len(data) <= MAX_COVER_BYTES else (None, None)


def _image_mime(data: bytes) -> str | None:
    # By content, never as declared: the page is going to show it, and "image/svg+xml" can hold a script.
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None
