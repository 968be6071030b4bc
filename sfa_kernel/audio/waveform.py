"""The picture of a sound: minimum, maximum and loudness of four bands, at three resolutions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.audio.blocks import mixed
from sfa_kernel.audio.files import readable_file, shown, temporary_beside, unwritable
from sfa_kernel.errors import AudioError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["BANDS", "BIN_FRAMES", "STATISTICS", "Waveform", "WaveformBuilder"]

BIN_FRAMES = (256, 2048, 16384)
BANDS = ("full", "low", "mid", "high")
STATISTICS = ("min", "max", "rms")
LOW_HZ = 200.0
HIGH_HZ = 2000.0

# A multiple of the coarsest bin, so that each chunk fills whole bins at every level.
_CHUNK = 4 * BIN_FRAMES[-1]
# Below this a filter's memory is inaudible but heads for denormal numbers, which cost a hundred times more.
_NEGLIGIBLE = 1e-15


@dataclass(frozen=True, eq=False)
class Waveform:
    """Three levels of detail of one sound, mixed to mono.

    Attributes
    ----------
    sample_rate
        Of the sound, in Hz.
    frames
        Length of the sound, in frames.
    levels
        One array [shape=(bins, 4, 3), dtype=int8] for each of `BIN_FRAMES`, with
        ``bins = ceil(frames / bin_frames)``. Axis 1 is `BANDS`: all, below 200 Hz, 200-2000 Hz, above 2 kHz
        (second-order Butterworth slopes). Axis 2 is `STATISTICS`: minimum, maximum and root mean square over
        the bin, as ``round(127 * value)``, clipped to -127..127. The last bin covers what is left.
    """

    sample_rate: int
    frames: int
    levels: tuple[NDArray[np.int8], ...]

    def __post_init__(self) -> None:
        shapes = tuple((-(-self.frames // size), len(BANDS), len(STATISTICS)) for size in BIN_FRAMES)
        found = tuple(level.shape for level in self.levels)
        if self.sample_rate <= 0 or self.frames <= 0 or found != shapes:
            raise ParameterError(f"Levels of shapes {found} do not fit {self.frames} frames at {self.sample_rate} Hz.")

    def __repr__(self) -> str:
        return f"Waveform({self.duration:.1f} s, {self.sample_rate} Hz, {len(self.levels[0])} bins)"

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    @classmethod
    def from_samples(cls, samples: NDArray[np.floating[Any]], sample_rate: int) -> Waveform:
        """Draw samples [shape=(channels, n) or (n,)]; see `from_blocks`."""
        channels = np.atleast_2d(samples)
        length = channels.shape[-1]
        return cls.from_blocks((channels[:, at : at + _CHUNK] for at in range(0, length, _CHUNK)), sample_rate)

    @classmethod
    def from_blocks(cls, blocks: Iterable[NDArray[np.floating[Any]]], sample_rate: int) -> Waveform:
        """Draw a sound that comes in blocks, in one pass and in bounded memory.

        Parameters
        ----------
        blocks
            Arrays [shape=(channels, n) or (n,)] of any lengths.
        sample_rate
            In Hz.

        Returns
        -------
        Waveform
            With one bin at least.

        Raises
        ------
        ParameterError
            When there are no samples, or the sample rate is not positive.
        """
        builder = WaveformBuilder(sample_rate)
        for block in blocks:
            builder.feed(block)
        return builder.finish()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to an ``.npz`` file, which appears whole or not at all.

        Raises
        ------
        AudioError
            When the file cannot be written.
        """
        path = Path(path)
        temporary = temporary_beside(path)
        arrays: dict[str, Any] = {f"level_{size}": level for size, level in zip(BIN_FRAMES, self.levels, strict=True)}
        try:
            with temporary.open("xb") as file:
                np.savez(file, sample_rate=self.sample_rate, frames=self.frames, **arrays)
            os.replace(temporary, path)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise unwritable(path, error) from error
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Waveform:
        """Read what `save` wrote.

        Raises
        ------
        AudioError
            When there is no such file, or it is no waveform.
        """
        path = readable_file(path)
        try:
            with np.load(path, allow_pickle=False) as stored:
                levels = tuple(stored[f"level_{size}"] for size in BIN_FRAMES)
                if any(level.dtype != np.int8 for level in levels):
                    raise TypeError("levels are int8")
                return cls(int(stored["sample_rate"]), int(stored["frames"]), levels)
        except Exception as error:
            # A damaged archive fails in many ways (zip, zlib, header, key, type); each means the same.
            raise AudioError(
                f"{shown(path)} is not a waveform that can be read.", hint="Draw it again by analysing the track."
            ) from error

    def to_message(self) -> tuple[dict[str, Any], list[memoryview]]:
        """What the page needs to draw.

        Returns
        -------
        description : dict
            ``{"sample_rate", "frames", "duration", "levels": [{"bin_frames", "bins"}, ...]}``.
        buffers : list of memoryview
            One for each level: int8 in C order, shape (bins, 4, 3).
        """
        description = {
            "sample_rate": self.sample_rate,
            "frames": self.frames,
            "duration": self.duration,
            "levels": [
                {"bin_frames": size, "bins": len(level)} for size, level in zip(BIN_FRAMES, self.levels, strict=True)
            ],
        }
        return description, [np.ascontiguousarray(level).data.cast("B") for level in self.levels]


class WaveformBuilder:
    """Draws a sound that is pushed in blocks, so that whoever else needs the blocks decodes them only once.

    Parameters
    ----------
    sample_rate
        In Hz.

    Raises
    ------
    ParameterError
        When the sample rate is not positive.

    Examples
    --------
    >>> builder = WaveformBuilder(44100)
    >>> for block in np.zeros((10, 2, 4410), np.float32):
    ...     builder.feed(block)
    >>> builder.finish()
    Waveform(1.0 s, 44100 Hz, 173 bins)
    """

    def __init__(self, sample_rate: int) -> None:
        if sample_rate <= 0:
            raise ParameterError(f"A sample rate of {sample_rate} Hz is out of range.")
        self._sample_rate = int(sample_rate)
        self._frames = 0
        self._split = _BandSplit(sample_rate)
        self._chunk = np.empty(_CHUNK, np.float32)
        self._filled = 0
        self._parts: list[list[NDArray[np.int8]]] = [[] for _ in BIN_FRAMES]

    def feed(self, block: NDArray[np.floating[Any]]) -> None:
        """Take the next samples [shape=(channels, n) or (n,)], of any length; they are copied."""
        mono = _mono(block)
        self._frames += len(mono)
        taken = 0
        while taken < len(mono):
            count = min(_CHUNK - self._filled, len(mono) - taken)
            self._chunk[self._filled : self._filled + count] = mono[taken : taken + count]
            self._filled += count
            taken += count
            if self._filled == _CHUNK:
                self._draw()

    def finish(self) -> Waveform:
        """The picture of all that was fed.

        Raises
        ------
        ParameterError
            When that is nothing.
        """
        if self._frames == 0:
            raise ParameterError("There are no samples to draw.")
        if self._filled:
            self._draw()
        return Waveform(self._sample_rate, self._frames, tuple(np.concatenate(part) for part in self._parts))

    def _draw(self) -> None:
        for part, level in zip(self._parts, _levels(self._split(self._chunk[: self._filled])), strict=True):
            part.append(level)
        self._filled = 0


class _BandSplit:
    """Splits a mono sound into `BANDS`, chunk after chunk; each result is overwritten by the next."""

    def __init__(self, sample_rate: int) -> None:
        from scipy.signal import butter

        def slope(hertz: float, kind: str) -> NDArray[np.float32] | None:
            if hertz >= 0.45 * sample_rate:
                return None
            # Single precision halves the time; its noise, at -120 dB, is far below one step of int8.
            filtered: NDArray[np.float32] = butter(2, hertz, kind, fs=sample_rate, output="sos").astype(np.float32)
            return filtered

        above_low, below_high = slope(LOW_HZ, "high"), slope(HIGH_HZ, "low")
        sections = [section for section in (above_low, below_high) if section is not None]
        self._filters = [
            slope(LOW_HZ, "low"),
            np.concatenate(sections) if sections else None,
            slope(HIGH_HZ, "high"),
        ]
        # A band without a filter lies above what the sample rate can hold, and stays silent.
        self._bands = np.zeros((len(BANDS), _CHUNK), np.float32)
        self._memory = [None if f is None else np.zeros((len(f), 2), np.float32) for f in self._filters]

    def __call__(self, mono: NDArray[np.float32]) -> NDArray[np.float32]:
        from scipy.signal import sosfilt

        bands = self._bands[:, : len(mono)]
        bands[0] = mono
        for index, sections in enumerate(self._filters):
            memory = self._memory[index]
            if sections is not None and memory is not None:
                memory[np.abs(memory) < _NEGLIGIBLE] = 0
                bands[index + 1], self._memory[index] = sosfilt(sections, mono, zi=memory)
        return bands


def _levels(bands: NDArray[np.float32]) -> Iterator[NDArray[np.int8]]:
    """int8 arrays [shape=(bins, 4, 3)] of a chunk [shape=(4, n)], from fine to coarse."""
    starts = np.arange(0, bands.shape[1], BIN_FRAMES[0])
    low = np.minimum.reduceat(bands, starts, axis=1)
    high = np.maximum.reduceat(bands, starts, axis=1)
    power = _power(bands, BIN_FRAMES[0])
    frames = np.diff(np.append(starts, bands.shape[1]))
    size = BIN_FRAMES[0]
    for coarser in BIN_FRAMES:
        if coarser != size:
            starts = np.arange(0, low.shape[1], coarser // size)
            low = np.minimum.reduceat(low, starts, axis=1)
            high = np.maximum.reduceat(high, starts, axis=1)
            power = np.add.reduceat(power, starts, axis=1)
            frames = np.add.reduceat(frames, starts)
            size = coarser
        statistics = np.stack([low, high, np.sqrt(power / frames)], axis=-1)
        steps = np.clip(np.rint(127 * statistics), -127, 127)
        yield np.ascontiguousarray(steps.astype(np.int8).swapaxes(0, 1))


def _power(bands: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """Sum of squares of each bin of ``size`` frames, the last one perhaps shorter."""
    whole = bands.shape[1] // size * size
    bins = bands[:, :whole].reshape(len(bands), -1, size)
    # One pass without a copy, unlike squaring and np.add.reduceat.
    power: NDArray[np.float32] = np.einsum("bij,bij->bi", bins, bins)
    rest = bands[:, whole:]
    if rest.shape[1]:
        power = np.append(power, np.einsum("bj,bj->b", rest, rest)[:, np.newaxis], axis=1)
    return np.asarray(power, np.float64)


def _mono(block: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    channels = np.atleast_2d(np.asarray(block)).astype(np.float32, copy=False)
    return channels[0] if len(channels) == 1 else mixed(channels, axis=0)
