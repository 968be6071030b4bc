"""A sound file as a file: what may be opened, what it is called, what its bytes are, how one is replaced."""

from __future__ import annotations

import codecs
import hashlib
import secrets
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import AudioError, DiskFullError
from sfa_kernel.storage import disk_is_full

if TYPE_CHECKING:
    import os

__all__ = [
    "AUDIO_SUFFIXES",
    "content_hash",
    "readable_file",
    "refusal",
    "shown",
    "temporary_beside",
    "unwritable",
]

AUDIO_SUFFIXES: frozenset[str] = frozenset(
    {".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wave"}
)
"""Names that promise audio, in lower case. Good for looking through folders; decoding goes by content."""

_NO_ROOM = 1 << 16  # with fewer bytes free, what fails fails for that

# Begins with -> what that is. Only for telling a person what a refused file is.
_OTHER_KINDS = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"MThd": "a MIDI file (notes without sound)",
    b"\x7fELF": "a program",
}
_AUDIO_KINDS = {
    b"RIFF": "WAV",
    b"RF64": "WAV",
    b"FORM": "AIFF",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
}


def shown(path: Path) -> str:
    """The file's name as it may stand in a message."""
    return clean_text(path.name or str(path), 120) or "The file"


def readable_file(path: str | os.PathLike[str]) -> Path:
    """Check that there is a regular, readable, non-empty file, without waiting for anything.

    Raises
    ------
    AudioError
        When there is none: it is missing, a folder, a pipe or a device, forbidden, or empty.
    """
    path = Path(path)
    try:
        status = path.stat()
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            raise AudioError(f"{shown(path)} is a folder, not an audio file.", hint="Name a file inside it.")
        if not stat.S_ISREG(mode):
            # Opening a pipe would wait for a writer that may never come.
            raise AudioError(
                f"{shown(path)} is a pipe or a device, not an audio file.", hint="Save the sound to a file first."
            )
        if status.st_size == 0:
            raise AudioError(f"{shown(path)} is empty.", hint="Copy or download it again.")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise AudioError(f"{shown(path)} does not exist.", hint="Check the path.") from None
    except PermissionError:
        raise AudioError(
            f"{shown(path)} may not be read by this user.", hint="Change the file's permissions."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"{shown(path)} cannot be read: {reason}.", hint="Check the path.") from error
    return path


def refusal(path: Path) -> AudioError:
    """The error for a file that no decoder accepts; says what the file seems to be."""
    name = shown(path)
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        return AudioError(f"{name} cannot be read: {error.strerror}.", hint="Check the file.")
    for magic, kind in _OTHER_KINDS.items():
        if head.startswith(magic):
            return AudioError(f"{name} is {kind}, not audio.", hint="Choose an audio file.")
    kind = next((kind for magic, kind in _AUDIO_KINDS.items() if head.startswith(magic)), "")
    if head[4:8] == b"ftyp":
        kind = "M4A"
    if kind:
        return AudioError(
            f"{name} begins like {kind} but holds no sound that can be read: it is damaged or cut off.",
            hint="Copy or download it again.",
        )
    if _is_text(head):
        return AudioError(f"{name} is text, not audio.", hint="Choose an audio file.")
    return AudioError(
        f"{name} is in no audio format that can be read here.",
        hint="Convert it to WAV, FLAC, MP3, Ogg or M4A, or download it again.",
    )


def _is_text(head: bytes) -> bool:
    try:
        # Incrementally, for the end of the head may cut the last character in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    ordinary = sum(character.isprintable() or character in "\t\r\n\f" for character in text)
    return ordinary > 0.95 * len(text)


def content_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of the file's bytes, in hexadecimal.

    Parameters
    ----------
    path
        Any readable file; it is read in pieces.

    Returns
    -------
    str
        64 characters.

    Raises
    ------
    AudioError
        When there is no readable, non-empty file.
    """
    path = readable_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(
            f"{shown(path)} cannot be read: {error.strerror}.", hint="Check the disk and try again."
        ) from error


def temporary_beside(path: Path) -> Path:
    """A name in the same folder, to write to before `os.replace` puts the whole file in place at once."""
    return path.parent / f".{secrets.token_hex(8)}.part"


def unwritable(path: Path, error: Exception) -> AudioError | DiskFullError:
    """The error for a file that the system does not let us write, or not to its end.

    To be called before what was written is removed: libraries do not say that the disk is full, its room does.
    """
    if disk_is_full(error) or _room(path.parent) < _NO_ROOM:
        return DiskFullError(f"{shown(path)} cannot be written: the disk is full.", hint="Free some space.")
    reason = getattr(error, "strerror", None) or "the disk fails"
    return AudioError(
        f"{shown(path)} cannot be written: {reason}.", hint="Check the folder, its permissions and the free space."
    )


def _room(folder: Path) -> float:
    """Bytes that are free; infinity where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return float("inf")
