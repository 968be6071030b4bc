"""Stems on disk: written so that what can be read back adds up to the mix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMATS", "Levels", "Residual", "StemFile"]

Array = np.ndarray[Any, np.dtype[Any]]

# libsndfile reads 24-bit samples as multiples of one over the first, and writes floats as multiples of one over
# the second. Knowing both, what will be read back is known exactly, and nothing is lost by rounding twice.
_STEPS = 1 << 23
_WRITTEN = _STEPS - 1


FORMATS = ("flac", "wav", "ogg", "mp3")


class StemFile:
    """One stem being written.

    As FLAC it has 24 bits, and becomes float WAV once it needs more than full scale; as WAV it is float. MP3 and
    Ogg Vorbis are for previews: what is read back is only nearly what was written. A sample rate that a format
    cannot hold makes it WAV, too.

    Parameters
    ----------
    base
        The file's path without its suffix.
    sample_rate
        [Hz]
    channels
        1 or 2.
    kind
        One of `FORMATS`.
    """

    def __init__(self, base: Path, sample_rate: int, channels: int, kind: str = "flac") -> None:
        from sfa_kernel.audio import holds_rate

        self._base = base
        self._rate = sample_rate
        self._channels = channels
        self._open(f".{kind}" if holds_rate(f".{kind}", sample_rate) else ".wav")

    def _open(self, suffix: str) -> None:
        from sfa_kernel.audio import AudioWriter

        self.path = self._base.with_suffix(suffix)
        self._writer = AudioWriter(self.path, self._rate, self._channels)

    def write(self, samples: Array) -> Array:
        """Append samples [shape=(channels, n)]; the return value is what a reader will get."""
        if self.path.suffix == ".flac":
            scaled = np.rint(samples * np.float32(_STEPS)) / np.float32(_WRITTEN)
            if np.abs(scaled).max(initial=0) <= 1:
                self._writer.write(scaled)
                read: Array = np.rint(scaled * np.float32(_WRITTEN)) / np.float32(_STEPS)
                return read
            self._become_float()
        self._writer.write(samples)
        return samples

    def _become_float(self) -> None:
        from sfa_kernel.audio import AudioReader

        flac, begun = self.path, self._writer.frames > 0
        if begun:
            self._writer.close()
        else:
            self._writer.discard()
        self._open(".wav")
        if begun:
            with AudioReader(flac) as reader:
                for block in reader.blocks():
                    self._writer.write(block)
            flac.unlink()

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    def discard(self) -> None:
        """Drop the file unless it is finished."""
        self._writer.discard()


class Residual:
    """How far the stems that were written are from the mix."""

    def __init__(self) -> None:
        self._mix = 0.0
        self._rest = 0.0

    def add(self, mix: Array, rest: Array) -> None:
        """Take in a piece [shape=(channels, n)] of the mix, and of what the stems leave of it."""
        self._mix += float(np.sum(np.square(mix), dtype=np.float64))
        self._rest += float(np.sum(np.square(rest), dtype=np.float64))

    @property
    def decibels(self) -> float:
        """Energy of mix minus stems, relative to the mix [dB]; -200 when there is none."""
        if self._rest == 0 or self._mix == 0:
            return -200.0
        return max(-200.0, 10 * float(np.log10(self._rest / self._mix)))


class Levels:
    """Root mean square of a signal in tenths of a second.

    Parameters
    ----------
    sample_rate
        [Hz]
    """

    RATE = 10.0

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._frames = 0
        self._energy = np.zeros(64)

    def add(self, samples: Array) -> None:
        """Take in the next samples [shape=(channels, n)]."""
        n = samples.shape[1]
        if not n:
            return
        power = np.mean(np.square(samples, dtype=np.float32), axis=0)
        first = int(self._frames * self.RATE // self._rate)
        last = int((self._frames + n - 1) * self.RATE // self._rate)
        # The first frame that belongs to each tenth.
        starts = np.ceil(np.arange(first + 1, last + 1) * self._rate / self.RATE).astype(np.int64) - self._frames
        sums = np.add.reduceat(power, np.concatenate([[0], starts]), dtype=np.float64)
        if last >= len(self._energy):
            self._energy = np.concatenate([self._energy, np.zeros(max(last, len(self._energy)))])
        self._energy[first : last + 1] += sums
        self._frames += n

    def result(self) -> Array:
        """Levels, full scale 1.0 [shape=(tenths,), float32]; the last tenth may be a part of one."""
        count = int(-(-self._frames * self.RATE // self._rate))
        edges = np.minimum(np.ceil(np.arange(count + 1) * self._rate / self.RATE), self._frames)
        return np.sqrt(self._energy[:count] / np.maximum(1, np.diff(edges))).astype(np.float32)
