"""MP4 files of one or several stereo tracks, and the boxes at their end that say what they are.

FFmpeg's libraries encode and interleave, the first track alone enabled. They write the box ``moov`` last, so what we
add to it moves nothing else.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from sfa_kernel.audio.files import shown, unwritable
from sfa_kernel.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

__all__ = ["Mp4Writer", "box", "write_user_data"]

AAC_BITS = 256_000  # a second, of each track
_FULL_SCALE = 1 << 23  # ALAC holds 24 bits


class Mp4Writer:
    """A file of stereo tracks, written in blocks side by side.

    Leaving the ``with`` statement by an exception removes the file.

    Parameters
    ----------
    path
        Where to; ``.m4a`` says that it is sound, anything else is a general MP4.
    sample_rate
        Of all tracks [Hz]; AAC takes those up to 96 kHz that MPEG-4 lists.
    tracks
        How many.
    codec
        ``"aac"``, 256 kbit/s a track, or ``"alac"``, lossless in 24 bits.

    Raises
    ------
    AudioError
        When the file cannot be created.
    """

    def __init__(self, path: Path, sample_rate: int, tracks: int, *, codec: str) -> None:
        import av

        self.path = path
        self._rate = sample_rate
        self._lossless = codec == "alac"
        self._frames = 0
        try:
            # Through a file object: FFmpeg would read some names as addresses.
            self._file: BinaryIO = path.open("wb+")
        except OSError as error:
            raise unwritable(path, error) from error
        # Lengths are stated in ticks of this scale; in milliseconds, the default, they would cut the last frames.
        self._container: Any = av.open(
            self._file,
            "w",
            format="ipod" if path.suffix == ".m4a" else "mp4",
            options={"movie_timescale": str(sample_rate)},
        )
        self._streams = [self._stream(codec) for _ in range(tracks)]

    def _stream(self, codec: str) -> Any:
        # The slower coder of FFmpeg's AAC is further from the sound at this rate, not nearer.
        options = {} if self._lossless else {"aac_coder": "fast"}
        stream = self._container.add_stream(codec, rate=self._rate, options=options)
        stream.layout = "stereo"
        if self._lossless:
            stream.format = "s32p"
        else:
            stream.format = "fltp"
            stream.bit_rate = AAC_BITS
        return stream

    def __enter__(self) -> Mp4Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write(self, blocks: Sequence[NDArray[np.float32]]) -> None:
        """Append one block a track, all of one length.

        Parameters
        ----------
        blocks
            Arrays [shape=(2, n), dtype=float32], full scale 1.0. ALAC clips beyond it.
        """
        import av

        for stream, block in zip(self._streams, blocks, strict=True):
            samples: NDArray[Any] = np.ascontiguousarray(block)
            if self._lossless:
                steps = np.clip(np.rint(block * np.float32(_FULL_SCALE)), -_FULL_SCALE, _FULL_SCALE - 1)
                samples = np.ascontiguousarray(steps.astype(np.int32) << 8)
            frame = av.AudioFrame.from_ndarray(samples, format=stream.format.name, layout="stereo")
            frame.sample_rate = self._rate
            frame.pts = self._frames
            frame.time_base = Fraction(1, self._rate)
            self._container.mux(stream.encode(frame))
        self._frames += blocks[0].shape[1]

    def close(self) -> None:
        """Complete the file."""
        try:
            for stream in self._streams:
                self._container.mux(stream.encode(None))
            self._container.close()
        except BaseException:
            self.discard()
            raise
        self._file.close()

    def discard(self) -> None:
        """Drop the file."""
        with suppress(Exception):  # it may be the disk that ended the work
            self._container.close()
        self._file.close()
        self.path.unlink(missing_ok=True)


def box(name: bytes, *content: bytes) -> bytes:
    """A box of an MP4 file (ISO/IEC 14496-12): its size, its name, what is in it."""
    return struct.pack(">I4s", 8 + sum(map(len, content)), name) + b"".join(content)


def write_user_data(path: Path, boxes: Sequence[bytes]) -> None:
    """Replace what ``moov/udta`` holds, in a file whose last box is ``moov``.

    Parameters
    ----------
    path
        A file of `Mp4Writer`.
    boxes
        What ``udta`` is to hold.
    """
    with path.open("rb+") as file:
        start, length = _last_box(file, path)
        file.seek(start + 8)
        content = file.read(length - 8)
        kept = [inner for name, inner in _inside(content) if name != b"udta"]
        file.seek(start)
        file.write(box(b"moov", *kept, box(b"udta", *boxes)))
        file.truncate()


def _last_box(file: BinaryIO, path: Path) -> tuple[int, int]:
    """Place and length of ``moov`` [bytes]."""
    end = file.seek(0, os.SEEK_END)
    place = 0
    while place < end:
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:  # too long for 32 bits
            (length,) = struct.unpack(">Q", file.read(8))
        if name == b"moov" and place + length == end:
            return place, length
        place += max(8, length)
    raise InternalError(f"{shown(path)} does not end with its index.")


def _inside(content: bytes) -> list[tuple[bytes, bytes]]:
    """The boxes that lie one after the other: name, and the whole of it."""
    found = []
    place = 0
    while place < len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        found.append((name, content[place : place + length]))
        place += length
    return found
