"""Decoding with libsndfile: WAV, AIFF, FLAC, MP3, Ogg Vorbis and Ogg Opus."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.audio.info import AudioInfo, plausible

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Damaged", "inspect", "read"]

# What libsndfile calls a container -> what we call it. It knows more, among them formats with so weak a mark
# that any bytes may pass for them; those stay out.
_FORMATS = {
    "WAV": "WAV",
    "WAVEX": "WAV",
    "RF64": "WAV",
    "W64": "W64",
    "AIFF": "AIFF",
    "AU": "AU",
    "CAF": "CAF",
    "FLAC": "FLAC",
    "OGG": "OGG",
    "MP3": "MP3",
}
_CODECS = {"MPEG_LAYER_I": "mp1", "MPEG_LAYER_II": "mp2", "MPEG_LAYER_III": "mp3"}


class Damaged(Exception):  # noqa: N818 - a state of the file, told from one decoder to the other
    """Libsndfile gave up inside the file."""


def inspect(path: Path) -> AudioInfo | None:
    """What the file says of itself, or None when libsndfile cannot read it."""
    import soundfile

    try:
        with _open(path) as file:
            container = _FORMATS.get(file.format)
            # A stream of unknown length is reported as an absurd one.
            if container is None or not plausible(path, file.frames / max(1, file.samplerate)):
                return None
            frames = file.frames if container != "MP3" else _mp3_frames(path, file.frames)
            return AudioInfo(
                path=path,
                format="OPUS" if file.subtype == "OPUS" else container,
                codec=_CODECS.get(file.subtype, file.subtype.lower()),
                sample_rate=file.samplerate,
                channels=file.channels,
                frames=frames,
                duration=frames / file.samplerate,
            )
    except (soundfile.SoundFileError, OSError):
        return None


def _mp3_frames(path: Path, told: int) -> int:
    """The length of an MP3 file [frames], of which libsndfile has told a certain one.

    Without a header that counts the frames, libsndfile goes by the file's size and takes the tags, with the cover
    in them, for sound. Source of the tags' layout: ID3v2.4.0 structure, section 3.1.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(10)
        tags = 0
        if head[:3] == b"ID3" and len(head) == 10:
            tags = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        file.seek(tags)
        first = file.read(4096)
        file.seek(max(0, size - 128))
        last = file.read(3)
    if any(mark in first for mark in (b"Xing", b"Info", b"VBRI")):
        return told
    sound = size - tags - (128 if last == b"TAG" else 0)
    return round(told * sound / size) if 0 < sound < size else told


def read(info: AudioInfo, start: int, size: int) -> Generator[NDArray[np.float32]]:
    """Blocks [shape=(n, channels)] from frame ``start`` on; each is overwritten by the next.

    Raises
    ------
    Damaged
        When the decoder gives up.
    """
    import soundfile

    try:
        with _open(info.path) as file:
            block = np.empty((size, info.channels), np.float32)
            position = _landing(info, start)
            if position:
                file.seek(position)
            while position < start:
                got = file.read(out=block[: min(size, start - position)])
                if len(got) == 0:
                    return
                position += len(got)
            while len(got := file.read(out=block)):
                yield got
    except (soundfile.SoundFileError, OSError) as error:
        raise Damaged(info.path) from error


def _landing(info: AudioInfo, start: int) -> int:
    """The frame to jump to so that, decoding on from there, everything from ``start`` on is exact."""
    if info.codec == "vorbis":
        # libsndfile 1.2 jumps in Vorbis to a place up to 1,000 frames off, now and then, from wherever it comes.
        # Decoding all that comes before is exact and fast: a minute of music in some 60 ms.
        return 0
    if info.format == "MP3":
        # After a jump the first packets lack the bits that earlier ones hold for them; a second heals that.
        return max(0, start - info.sample_rate)
    return min(start, info.frames)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    import soundfile

    class Sequential(soundfile.SoundFile):  # type: ignore[misc] # soundfile ships no types
        def seekable(self) -> bool:
            # A SoundFile that can seek does so after each read, to where it is already. That costs time, and
            # in MP3 and Vorbis it puts clicks between the blocks.
            return False

    # By descriptor: libsndfile then cannot look at the name, and any name the system allows will do.
    with path.open("rb", buffering=0) as raw, Sequential(raw.fileno(), closefd=False) as file:
        yield file
