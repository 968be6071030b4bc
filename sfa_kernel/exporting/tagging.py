"""Tags of exported files, written by the bytes: nothing of the sound is touched, so no sample moves.

FLAC has blocks in front of its frames, MP3 a tag in front of its sound, WAV chunks behind it, MP4 boxes at its end.
Ogg interleaves; there FFmpeg's libraries wrap the same packets anew.
"""

from __future__ import annotations

import base64
import os
import shutil
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from sfa_kernel.audio.files import temporary_beside
from sfa_kernel.errors import AudioError
from sfa_kernel.exporting import mp4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["Tags", "mp4_tags", "write_tags"]

_FRONT_COVER = 3
_LARGEST_COVER = (1 << 24) - 1024  # bytes: a block of FLAC states its size in 24 bits
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Tags:
    """What is written of the music into each file; empty texts and None are left out.

    Attributes
    ----------
    title, artist, album, genre
        Of the file: the title names the stem.
    year
        As a number.
    bpm
        Beats a minute.
    key
        Short, as DJ software writes it: ``"Am"``, ``"F#"``.
    comment
        Anything; may have several lines. MP4 files go without it.
    cover, cover_mime
        A picture and its MIME type.
    """

    title: str
    artist: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None
    bpm: float | None = None
    key: str = ""
    comment: str = ""
    cover: bytes | None = field(default=None, repr=False)
    cover_mime: str = ""

    @property
    def picture(self) -> bytes | None:
        """The cover, when it is of a size that every format can hold."""
        return self.cover if self.cover and len(self.cover) < _LARGEST_COVER else None


def write_tags(path: Path, tags: Tags) -> None:
    """Write the tags into a sound file of ours, in place of those it has.

    Parameters
    ----------
    path
        Ends in ``.flac``, ``.wav``, ``.mp3``, ``.ogg``, ``.m4a`` or ``.mp4``, and is what that says.
    """
    if path.suffix in (".m4a", ".mp4"):
        mp4.write_user_data(path, [mp4_tags(tags)])
    elif path.suffix == ".ogg":
        _rewritten(path, lambda old, new: _ogg(old, new, tags))
    elif path.suffix == ".flac":
        _rewritten(path, lambda old, new: _flac(old, new, tags))
    elif path.suffix == ".mp3":
        _rewritten(path, lambda old, new: _mp3(old, new, tags))
    elif path.suffix == ".wav":
        _append_chunks(path, tags)


def _rewritten(path: Path, write: Callable[[BinaryIO, BinaryIO], None]) -> None:
    temporary = temporary_beside(path)
    try:
        with path.open("rb") as old, temporary.open("xb+") as new:
            write(old, new)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


# -- Vorbis comments: FLAC and Ogg ------------------------------------------------------------------------------


def _comments(tags: Tags) -> dict[str, str]:
    values = {
        "TITLE": tags.title,
        "ARTIST": tags.artist,
        "ALBUM": tags.album,
        "GENRE": tags.genre,
        "DATE": "" if tags.year is None else str(tags.year),
        "BPM": "" if tags.bpm is None else _number(tags.bpm),
        "INITIALKEY": tags.key,
        "COMMENT": tags.comment,
    }
    return {name: value for name, value in values.items() if value}


def _picture(mime: str, cover: bytes) -> bytes:
    """A PICTURE block without its header (RFC 9639, section 8.8); sizes and colours are left to the reader."""
    name = mime.encode()
    return struct.pack(f">II{len(name)}sIIIIII", _FRONT_COVER, len(name), name, 0, 0, 0, 0, 0, len(cover)) + cover


def _flac(old: BinaryIO, new: BinaryIO, tags: Tags) -> None:
    """Replace the blocks of comments, pictures and padding (RFC 9639, section 8)."""
    stream_info, padding, comment, picture = 0, 1, 4, 6
    old.seek(4)
    blocks: list[tuple[int, bytes]] = []
    last = False
    while not last:
        head = old.read(4)
        if len(head) < 4:  # else this would never end
            raise AudioError("The file of a stem is cut off.", hint="Separate the song again.")
        last, kind, length = bool(head[0] >> 7), head[0] & 0x7F, int.from_bytes(head[1:])
        content = old.read(length)
        if kind not in (padding, comment, picture):
            blocks.append((kind, content))
    vendor = b"Sound Forge Alchemy"
    entries = [f"{name}={value}".encode() for name, value in _comments(tags).items()]
    listed = b"".join(struct.pack("<I", len(entry)) + entry for entry in entries)
    blocks.append((comment, struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(entries)) + listed))
    if tags.picture is not None:
        blocks.append((picture, _picture(tags.cover_mime, tags.picture)))
    blocks.sort(key=lambda block: block[0] != stream_info)
    new.write(b"fLaC")
    for number, (kind, content) in enumerate(blocks):
        end = (number == len(blocks) - 1) << 31
        new.write(struct.pack(">I", end | kind << 24 | len(content)) + content)
    shutil.copyfileobj(old, new, _CHUNK)


def _ogg(old: BinaryIO, new: BinaryIO, tags: Tags) -> None:
    import av

    with av.open(old, "r", format="ogg") as source, av.open(new, "w", format="ogg") as target:
        sound = source.streams.audio[0]
        stream = target.add_stream_from_template(sound)
        stream.metadata.update(_comments(tags))
        if tags.picture is not None:
            block = _picture(tags.cover_mime, tags.picture)
            stream.metadata["METADATA_BLOCK_PICTURE"] = base64.b64encode(block).decode()
        for packet in source.demux(sound):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)


# -- ID3: MP3 and WAV -------------------------------------------------------------------------------------------


def _id3(tags: Tags) -> bytes:
    """A tag of version 2.3, the one that every player reads."""
    texts = {
        "TIT2": tags.title,
        "TPE1": tags.artist,
        "TALB": tags.album,
        "TCON": tags.genre,
        "TYER": "" if tags.year is None else str(tags.year),
        "TBPM": "" if tags.bpm is None else _number(tags.bpm),
        "TKEY": tags.key,
    }
    frames = [_id3_frame(name, _id3_text(value)) for name, value in texts.items() if value]
    if tags.comment:
        frames.append(_id3_frame("COMM", _id3_comment(tags.comment)))
    if tags.picture is not None:
        head = b"\0" + tags.cover_mime.encode() + b"\0" + bytes([_FRONT_COVER]) + b"\0"
        frames.append(_id3_frame("APIC", head + tags.picture))
    content = b"".join(frames)
    size = bytes((len(content) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + content


def _id3_text(value: str) -> bytes:
    try:
        return b"\0" + value.encode("latin-1")
    except UnicodeEncodeError:
        return b"\x01\xff\xfe" + value.encode("utf-16-le")


def _id3_comment(text: str) -> bytes:
    """A comment in English without a description."""
    return b"\x01eng\xff\xfe\0\0\xff\xfe" + text.encode("utf-16-le")


def _id3_frame(name: str, content: bytes) -> bytes:
    return name.encode() + struct.pack(">IH", len(content), 0) + content


def _mp3(old: BinaryIO, new: BinaryIO, tags: Tags) -> None:
    head = old.read(10)
    if head[:3] == b"ID3":
        old.seek(10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)))
    else:
        old.seek(0)
    new.write(_id3(tags))
    shutil.copyfileobj(old, new, _CHUNK)


def _append_chunks(path: Path, tags: Tags) -> None:
    """Add a list of texts and an ID3 tag behind the sound, and count them in."""
    texts = {
        b"INAM": tags.title,
        b"IART": tags.artist,
        b"IPRD": tags.album,
        b"IGNR": tags.genre,
        b"ICRD": "" if tags.year is None else str(tags.year),
        b"ICMT": tags.comment,
    }
    listed = b"".join(_riff_chunk(name, value.encode() + b"\0") for name, value in texts.items() if value)
    chunks = _riff_chunk(b"LIST", b"INFO" + listed) + _riff_chunk(b"id3 ", _id3(tags))
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        file.write(b"\0" * (end % 2) + chunks)
        size = file.tell() - 8
        file.seek(4)
        file.write(struct.pack("<I", size))


def _riff_chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


# -- MP4 --------------------------------------------------------------------------------------------------------


def mp4_tags(tags: Tags) -> bytes:
    """The box ``meta`` with its list of items, as iTunes began it and all follow."""
    text, jpeg, png, integer = 1, 13, 14, 21
    texts = {
        b"\xa9nam": tags.title,
        b"\xa9ART": tags.artist,
        b"\xa9alb": tags.album,
        b"\xa9gen": tags.genre,
        b"\xa9day": "" if tags.year is None else str(tags.year),
    }
    items = [_item(name, text, value.encode()) for name, value in texts.items() if value]
    if tags.bpm is not None:
        items.append(_item(b"tmpo", integer, struct.pack(">H", round(tags.bpm))))
    if tags.key:
        items.append(_free_item("initialkey", tags.key))
    pictures = {"image/jpeg": jpeg, "image/png": png}
    if tags.picture is not None and tags.cover_mime in pictures:
        items.append(_item(b"covr", pictures[tags.cover_mime], tags.picture))
    handler = mp4.box(b"hdlr", struct.pack(">II4s4s9x", 0, 0, b"mdir", b"appl"))
    return mp4.box(b"meta", struct.pack(">I", 0) + handler + mp4.box(b"ilst", *items))


def _item(name: bytes, kind: int, value: bytes) -> bytes:
    return mp4.box(name, mp4.box(b"data", struct.pack(">II", kind, 0), value))


def _free_item(name: str, value: str) -> bytes:
    parts: Iterable[bytes] = (
        mp4.box(b"mean", struct.pack(">I", 0), b"com.apple.iTunes"),
        mp4.box(b"name", struct.pack(">I", 0), name.encode()),
        mp4.box(b"data", struct.pack(">II", 1, 0), value.encode()),
    )
    return mp4.box(b"----", *parts)
