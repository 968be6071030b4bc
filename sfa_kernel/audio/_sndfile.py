"""Decoding with libsndfile: WAV, AIFF, FLAC, MP3, Ogg Vorbis and Ogg Opus."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.audio.info import AudioInfo

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
# A stream of unknown length is reported as an absurd one; this many frames are two weeks at 48 kHz.
_MOST_FRAMES = 1 << 36


class Damaged(Exception):  # noqa: N818 - a state of the file, told from one decoder to the other
    """Libsndfile gave up inside the file; ``frame`` is the first that was not read."""

    def __init__(self, frame: int) -> None:
        super().__init__(frame)
        self.frame = frame


def inspect(path: Path) -> AudioInfo | None:
    """What the file says of itself, or None when libsndfile cannot read it."""
    import soundfile

    try:
        with _open(path) as file:
            container = _FORMATS.get(file.format)
            if container is None or not 0 < file.frames <= _MOST_FRAMES:
                return None
            return AudioInfo(
                path=path,
                format="OPUS" if file.subtype == "OPUS" else container,
                codec=_CODECS.get(file.subtype, file.subtype.lower()),
                sample_rate=file.samplerate,
                channels=file.channels,
                frames=file.frames,
                duration=file.frames / file.samplerate,
            )
    except (soundfile.SoundFileError, OSError):
        return None


def read(info: AudioInfo, start: int, size: int) -> Generator[NDArray[np.float32]]:
    """Blocks [shape=(n, channels)] from frame ``start`` on; each is overwritten by the next.

    Raises
    ------
    Damaged
        When the decoder gives up.
    """
    import soundfile

    position = start
    try:
        with _open(info.path) as file:
            block = np.empty((size, info.channels), np.float32)
            if info.codec == "vorbis":
                # libsndfile 1.2 seeks in Vorbis only to within a page: up to 1,000 frames wrong. Decoding what
                # comes before is exact and fast (a minute in some 50 ms).
                position = 0
                while position < start:
                    got = file.read(out=block[: min(size, start - position)])
                    if len(got) == 0:
                        return
                    position += len(got)
            elif start:
                file.seek(min(start, info.frames))
            while True:
                got = file.read(out=block)
                if len(got) == 0:
                    return
                position += len(got)
                yield got
    except (soundfile.SoundFileError, OSError) as error:
        raise Damaged(position) from error


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    import soundfile

    # By descriptor: libsndfile then cannot look at the name, and any name the system allows will do.
    with path.open("rb", buffering=0) as raw, soundfile.SoundFile(raw.fileno(), closefd=False) as file:
        yield file
