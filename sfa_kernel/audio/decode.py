"""Decoding: any supported file becomes float samples, whole or in blocks.

What a file is, is told by its content, never by its name. libsndfile reads what it can; FFmpeg's libraries
(through PyAV, no program) read the rest, and take over where libsndfile gives up inside a damaged file.
"""

from __future__ import annotations

import logging
import math
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.audio import _libav, _sndfile
from sfa_kernel.audio.blocks import mixed, regrouped, silence_damage
from sfa_kernel.audio.files import readable_file, refusal, shown
from sfa_kernel.audio.info import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, AudioInfo, checked
from sfa_kernel.errors import AudioError, ParameterError
from sfa_kernel.progress import Cancel, Progress, Steps, never, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterator
    from types import TracebackType

    from numpy.typing import NDArray

__all__ = ["AudioReader", "decode", "probe"]

_log = logging.getLogger(__name__)

_BLOCK = 65536
# Source frames before a window that the resampler sees, so that the window is what the whole would have held.
_RESAMPLER_LEAD = 4096
# Memory is reserved for at most this many frames before they have been decoded: headers may lie.
_TRUSTED_FRAMES = 1 << 26
# What the length of an MP3 file that does not count its frames may be off by, in seconds.
_ESTIMATE_ERROR = 0.1


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Tell what a sound file is, without decoding it.

    Parameters
    ----------
    path
        The file. Its name does not matter.

    Returns
    -------
    AudioInfo
        Format, codec, sample rate (Hz), channels, and the declared length.

    Raises
    ------
    AudioError
        When there is no such file, it is no audio, it holds no sound, or it has more channels or another
        sample rate than can be used.
    """
    return _inspect(path)[0]


def _inspect(path: str | os.PathLike[str]) -> tuple[AudioInfo, bool]:
    """What `probe` tells, and whether libsndfile reads the file."""
    path = readable_file(path)
    info = _sndfile.inspect(path)
    by_libsndfile = info is not None
    info = info or _libav.inspect(path)
    if info is None:
        raise refusal(path)
    return checked(info, shown(path)), by_libsndfile


class AudioReader:
    """A sound file read in blocks; memory does not grow with its length.

    Parameters
    ----------
    path
        The file.
    sample_rate
        Rate to resample to, in Hz; the file's own when None.
    mono
        Whether to mix the channels down to their mean.

    Attributes
    ----------
    info : AudioInfo
        The file as it is.
    sample_rate : int
        Of the blocks, in Hz.
    channels : int
        Of the blocks.
    frames : int
        Length of all blocks together, as declared; a damaged file may give fewer.

    Raises
    ------
    AudioError
        As `probe`.
    ParameterError
        When ``sample_rate`` is out of range.

    Examples
    --------
    >>> with AudioReader("song.flac") as reader:  # doctest: +SKIP
    ...     loudest = max(abs(block).max() for block in reader.blocks())
    """

    def __init__(self, path: str | os.PathLike[str], *, sample_rate: int | None = None, mono: bool = False) -> None:
        if sample_rate is not None and not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
            raise ParameterError(
                f"A sample rate of {sample_rate} Hz is out of range.",
                hint=f"Choose one between {MIN_SAMPLE_RATE} and {MAX_SAMPLE_RATE} Hz.",
            )
        self.info, self._by_libsndfile = _inspect(path)
        self.sample_rate = int(sample_rate or self.info.sample_rate)
        self.channels = 1 if mono else self.info.channels
        self.frames = self._resampled(self.info.frames)
        self._mono = mono
        self._open: list[Generator[NDArray[np.float32]]] = []

    def __repr__(self) -> str:
        return (
            f"AudioReader({self.info.path.name!r}, {self.sample_rate} Hz, "
            f"{self.channels} channels, {self.frames / self.sample_rate:.1f} s)"
        )

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; blocks that were given out stay good."""
        while self._open:
            self._open.pop().close()

    def blocks(
        self, size: int = _BLOCK, *, start: float = 0.0, duration: float | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Decode in order. A new call begins anew and ends the one before.

        Parameters
        ----------
        size
            Frames in each block; the last may be shorter.
        start
            Where to begin, in seconds.
        duration
            How much to decode, in seconds; to the end when None.

        Yields
        ------
        np.ndarray [shape=(channels, n), dtype=float32]
            Samples, full scale 1.0, all finite; each array belongs to the caller.

        Raises
        ------
        AudioError
            When nothing can be decoded, or the file vanished meanwhile.
        ParameterError
            When the size is not positive, or the window is not inside the file.
        """
        if size < 1:
            raise ParameterError(f"A block of {size} frames is too small.", hint="Use 1 or more.")
        self._window(start, duration)  # a wrong call fails here, not at the first block
        self.close()
        pieces = self._pieces(start, duration, min(size, _BLOCK))
        blocks = regrouped((piece.T for piece in pieces), size)
        self._open = [pieces, blocks]
        return blocks

    def _resampled(self, frames: int) -> int:
        """Frames that come of ``frames`` of the file; sound never vanishes altogether."""
        if frames == 0 or self.sample_rate == self.info.sample_rate:
            return frames
        return max(1, (2 * frames * self.sample_rate + self.info.sample_rate) // (2 * self.info.sample_rate))

    def _window(self, start: float, duration: float | None) -> tuple[int, int, int | None]:
        """Where in the file to begin, how many frames of the result to drop, and how many to keep.

        A window begins where a frame of the file and a frame of the result coincide, and early enough for the
        resampler's filter; so a window is, sample for sample, a slice of the whole.
        """
        if not (math.isfinite(start) and start >= 0):
            raise ParameterError(f"A start of {start} s is out of range.", hint="Use 0 or more seconds.")
        if duration is not None and not (math.isfinite(duration) and duration > 0):
            raise ParameterError(f"A duration of {duration} s is out of range.", hint="Use more than 0 seconds.")
        first = round(start * self.sample_rate)
        count = None if duration is None else max(1, round(duration * self.sample_rate))
        if first > 0 and first >= self.frames:
            raise ParameterError(
                f"{shown(self.info.path)} has no sound at {start:.3f} s: it lasts {self.info.duration:.3f} s.",
                hint="Start earlier.",
            )
        if self.sample_rate == self.info.sample_rate:
            return first, 0, count
        common = math.gcd(self.sample_rate, self.info.sample_rate)
        source = first * self.info.sample_rate // self.sample_rate
        period = max(0, source - _RESAMPLER_LEAD) // (self.info.sample_rate // common)
        return (
            period * (self.info.sample_rate // common),
            first - period * (self.sample_rate // common),
            count,
        )

    def _pieces(self, start: float, duration: float | None, size: int) -> Generator[NDArray[np.float32]]:
        """What `blocks` gives, as arrays [shape=(n, channels)] of any length, each good until the next."""
        first, skip, keep = self._window(start, duration)
        given = 0
        with closing(self._converted(first, size)) as converted:
            for converted_piece in converted:
                piece = converted_piece[skip:]
                skip -= len(converted_piece) - len(piece)
                if keep is not None:
                    piece = piece[: keep - given]
                if len(piece):
                    given += len(piece)
                    yield piece
                if given == keep:
                    return
        if given == 0:
            name = shown(self.info.path)
            raise AudioError(
                f"{name} holds no sound that can be decoded{f' after {start:.3f} s' if start else ''}: "
                "it is damaged or cut off.",
                hint="Copy or download it again.",
            )

    def _converted(self, first: int, size: int) -> Generator[NDArray[np.float32]]:
        """Clean samples at our rate and channel count, from frame ``first`` of the file on."""
        resampler = None
        if self.sample_rate != self.info.sample_rate:
            import soxr

            resampler = soxr.ResampleStream(self.info.sample_rate, self.sample_rate, self.channels, dtype="float32")
        taken = given = 0
        with closing(self._decoded(first, size)) as decoded:
            for decoded_piece in decoded:
                piece = silence_damage(decoded_piece)
                if self._mono and self.info.channels > 1:
                    piece = mixed(piece, axis=1)[:, np.newaxis]
                taken += len(piece)
                if resampler is not None:
                    piece = resampler.resample_chunk(piece)
                    given += len(piece)
                yield piece
        if resampler is not None:
            rest = resampler.resample_chunk(np.zeros((0, self.channels), np.float32), last=True)
            # The resampler's own count may differ from ours by its rounding.
            short = max(0, self._resampled(taken) - given - len(rest))
            yield np.pad(rest, ((0, short), (0, 0)))[: self._resampled(taken) - given]

    def _decoded(self, first: int, size: int) -> Generator[NDArray[np.float32]]:
        """The file's own samples from frame ``first`` on, by one decoder or by both in turn."""
        position = first
        if self._by_libsndfile:
            damaged = False
            try:
                with closing(_sndfile.read(self.info, first, size)) as pieces:
                    for piece in pieces:
                        position += len(piece)
                        yield piece
            except _sndfile.Damaged:
                damaged = True
            short = position < self.info.frames - _ESTIMATE_ERROR * self.info.sample_rate
            if short:
                _log.warning(
                    "%s is damaged or cut off: libsndfile read %.1f of %.1f s.",
                    shown(self.info.path),
                    position / self.info.sample_rate,
                    self.info.duration,
                )
            # Of the decoders that end without an error, only the one for MP3 may end in the middle of the file:
            # it gives up after a kilobyte of damage. FFmpeg gets past that.
            if not damaged and not (short and self.info.format == "MP3"):
                return
        with closing(_libav.read(self.info, position)) as pieces:
            yield from pieces


def decode(
    path: str | os.PathLike[str],
    *,
    sample_rate: int | None = None,
    mono: bool = False,
    start: float = 0.0,
    duration: float | None = None,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> tuple[NDArray[np.float32], int]:
    """Decode a file, or a window of it, into memory.

    Parameters
    ----------
    path
        The file. Its name does not matter.
    sample_rate
        Rate to resample to, in Hz; the file's own when None.
    mono
        Whether to mix the channels down to their mean.
    start
        Where to begin, in seconds.
    duration
        How much to decode, in seconds; to the end when None.
    progress, cancel
        See `sfa_kernel.progress`.

    Returns
    -------
    samples : np.ndarray [shape=(channels, n), dtype=float32]
        Full scale 1.0 (lossy and float files may go beyond), all finite, at least one frame. One channel has a
        first axis of length 1.
    sample_rate : int
        Of the samples, in Hz.

    Raises
    ------
    AudioError
        As `probe`; also when nothing can be decoded, or memory does not suffice.
    ParameterError
        When the sample rate is out of range, or the window is not inside the file.
    Cancelled
        When the cancel signal came.
    """
    steps = Steps(progress, cancel)
    with AudioReader(path, sample_rate=sample_rate, mono=mono) as reader:
        expected = reader.frames - round(start * reader.sample_rate) if math.isfinite(start) else 0
        if duration is not None and math.isfinite(duration):
            expected = min(expected, round(duration * reader.sample_rate))
        expected = max(1, expected)
        try:
            samples = _gathered(reader, start, duration, expected, steps)
        except MemoryError:
            raise AudioError(
                f"{shown(reader.info.path)} lasts {reader.info.duration / 60:.0f} minutes "
                "and does not fit into memory.",
                hint="Decode a part of it, or read it in blocks.",
            ) from None
    steps.at(1.0)
    return samples, reader.sample_rate


def _gathered(
    reader: AudioReader, start: float, duration: float | None, expected: int, steps: Steps
) -> NDArray[np.float32]:
    samples = np.empty((reader.channels, min(expected, _TRUSTED_FRAMES)), np.float32)
    filled = 0
    with closing(reader._pieces(start, duration, _BLOCK)) as pieces:
        steps.at(0.0)
        for piece in pieces:
            if filled + len(piece) > samples.shape[1]:
                larger = np.empty((reader.channels, 2 * samples.shape[1] + len(piece)), np.float32)
                larger[:, :filled] = samples[:, :filled]
                samples = larger
            samples[:, filled : filled + len(piece)] = piece.T
            filled += len(piece)
            steps.at(min(0.99, filled / expected))
    return samples if filled == samples.shape[1] else np.ascontiguousarray(samples[:, :filled])
