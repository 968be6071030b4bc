"""The shared features: one pass over the samples, one short-time Fourier transform per rate.

Rhythm, form and energy read band magnitudes of a short window at 22.05 kHz, timbre the same spectra; harmony reads
spectral peaks of a long window at 5.5 kHz. The samples come block by block, so memory follows the features (about
100 MB an hour), never the audio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft
import soxr
from scipy.ndimage import uniform_filter1d

from sfa_kernel.analysis.loudness import Loudness, LoudnessMeter
from sfa_kernel.analysis.timbre import FRAMES, Timbre, TimbreMeter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from sfa_kernel.progress import Steps

__all__ = ["BAND_EDGES", "HOP", "RATE", "TONAL_RATE", "Features", "Peaks", "measure"]

RATE = 22050  # Hz: rhythm and form
WINDOW = 1024  # samples at RATE: 46 ms
HOP = 256  # samples at RATE: 11.6 ms
TONAL_RATE = RATE / 4  # Hz: harmony up to 2.7 kHz
TONAL_WINDOW = 4096  # samples at TONAL_RATE: 0.74 s
TONAL_HOP = 512  # samples at TONAL_RATE: 93 ms

BAND_EDGES = np.array(
    [1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 31, 38, 47, 58, 71, 87, 107, 131, 160, 196, 240, 294, 360, 440, 511]
)
"""Bins of the short window that bound each band: one bin up to 130 Hz, then five bands to the octave or so."""


_AT_ONCE = 1 << 18  # samples
_KEPT = 1 << 24  # bytes
_LOUDEST = np.float32(100.0)


@dataclass(frozen=True)
class Peaks:
    """Spectral peaks of the long window, frame after frame.

    Parameters
    ----------
    frame
        Index of the frame [shape=(n,)], rising.
    pitch
        As a MIDI number with its fraction, A4 = 440 Hz = 69.
    magnitude
        Height above the spectrum's local floor, after compression.
    frames
        How many frames there are.
    rate
        Frames per second.
    """

    frame: NDArray[np.int32]
    pitch: NDArray[np.float32]
    magnitude: NDArray[np.float32]
    frames: int
    rate: float


@dataclass(frozen=True)
class Features:
    """What all later steps read.

    Parameters
    ----------
    duration
        In seconds.
    rate
        Frames per second of the bands; frame ``i`` is centred on ``i / rate`` seconds.
    bands
        Magnitude (not compressed) of each band [shape=(frames, bands)].
    peaks
        For harmony.
    loudness
        EBU R 128 readings.
    timbre
        Of the mono signal.
    """

    duration: float
    rate: float
    bands: NDArray[np.float32]
    peaks: Peaks
    loudness: Loudness
    timbre: Timbre


def measure(blocks: Iterable[NDArray[np.float32]], sample_rate: float, steps: Steps, *, frames: int = 0) -> Features:
    """Run once over the samples.

    Parameters
    ----------
    blocks
        The song in order, each [shape=(channels, n)], finite or not: what is not finite counts as silence.
    sample_rate
        In Hz.
    steps
        Receives progress up to its whole span.
    frames
        How many samples to expect in all, for the progress.

    Returns
    -------
    Features
    """
    # Some allocators (glibc's) ask the system for every large array anew, and each fresh page costs a fault, until one
    # of that size has been returned; then they keep the memory.
    np.empty(_KEPT, np.uint8)
    ear: _Ear | None = None
    for block in blocks:
        if ear is None:
            ear = _Ear(sample_rate, block.shape[0])
        for start in range(0, block.shape[1], _AT_ONCE):
            ear.hear(_clean(block[:, start : start + _AT_ONCE]))
        steps.at(min(1.0, ear.heard / max(frames, ear.heard, 1)))
    if ear is None:
        ear = _Ear(sample_rate, 1)
    return ear.finish()


class _Ear:
    """Everything that listens to the samples as they pass."""

    def __init__(self, sample_rate: float, channels: int) -> None:
        self.heard = 0
        self._sample_rate = sample_rate
        self._weights: NDArray[np.float32] | None = None
        self._meter = LoudnessMeter(sample_rate, channels)
        self._middle = _Resampler(sample_rate, RATE)
        self._low = _Resampler(RATE, TONAL_RATE)
        self._short = _Framer(WINDOW, HOP, together=FRAMES)
        self._long = _Framer(TONAL_WINDOW, TONAL_HOP)
        self._timbre = TimbreMeter(RATE, WINDOW, HOP)
        self._bands: list[NDArray[np.float32]] = []
        self._peaks = _PeakPicker()

    def hear(self, block: NDArray[np.float32]) -> None:
        self.heard += block.shape[1]
        self._meter.feed(block)
        if self._weights is None:
            self._weights = _downmix(block)
        weights = np.full(len(block), 1 / len(block), np.float32) if self._weights is None else self._weights
        self._listen(np.einsum("c,cn->n", weights, block), last=False)

    def _listen(self, mono: NDArray[np.float32], *, last: bool) -> None:
        middle = self._middle.feed(mono, last)
        self._timbre.feed_samples(middle)
        means = []
        for power in self._short.feed(middle, last):
            self._bands.append(np.sqrt(power @ _BANDS) * np.float32(_SHORT_SCALE))
            groups = power[: len(power) // FRAMES * FRAMES].reshape(-1, FRAMES, power.shape[1])
            means.append(np.add.reduce(groups, axis=1) * np.float32(1 / FRAMES))
        if means:
            self._timbre.feed_spectra(np.concatenate(means))
        for power in self._long.feed(self._low.feed(middle, last), last):
            self._peaks.feed(np.sqrt(power) * np.float32(_LONG_SCALE))

    def finish(self) -> Features:
        self._listen(np.zeros(0, np.float32), last=True)
        return Features(
            duration=self.heard / self._sample_rate,
            rate=RATE / HOP,
            bands=np.concatenate(self._bands) if self._bands else np.zeros((0, len(BAND_EDGES) - 1), np.float32),
            peaks=self._peaks.finish(),
            loudness=self._meter.finish(),
            timbre=self._timbre.finish(),
        )


def _clean(block: NDArray[np.float32]) -> NDArray[np.float32]:
    block = np.ascontiguousarray(block, np.float32)
    # 40 dB over full scale is no music, and its powers must stay finite in float32. What is not a number makes both
    # comparisons false, so that two fast passes find everything.
    if not block.size or (block.max() <= _LOUDEST and block.min() >= -_LOUDEST):
        return block
    return np.clip(np.where(np.isfinite(block), block, np.float32(0.0)), -_LOUDEST, _LOUDEST)


def _downmix(block: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Weights of the channels in the mono signal: their mean, or the loudest where they cancel.

    None while nothing sounds.
    """
    powers = np.einsum("cn,cn->c", block, block) / max(1, block.shape[1])
    if powers.max(initial=0.0) < 1e-8:
        return None
    weights = np.full(len(block), 1 / len(block), np.float32)
    if np.mean(np.einsum("c,cn->n", weights, block) ** 2) < 0.02 * powers.mean():
        weights = np.zeros(len(block), np.float32)
        weights[int(powers.argmax())] = 1.0
    return weights


class _Resampler:
    def __init__(self, source: float, target: float) -> None:
        self._stream = None if source == target else soxr.ResampleStream(source, target, 1, dtype="float32")

    def feed(self, block: NDArray[np.float32], last: bool) -> NDArray[np.float32]:
        if self._stream is None:
            return block
        result: NDArray[np.float32] = self._stream.resample_chunk(block, last=last)
        return result


class _Framer:
    """Cuts a stream into windowed, centred frames and transforms them, a batch at a time."""

    def __init__(self, window: int, hop: int, together: int = 1) -> None:
        self._window = _window(window)
        self._hop = hop
        self._together = together
        self._rest = np.zeros(window // 2, np.float32)
        self._batch = max(1, (1 << 17) // window)  # half a megabyte: stays in the cache

    def feed(self, block: NDArray[np.float32], last: bool) -> Iterator[NDArray[np.float32]]:
        """Power [shape=(frames, window // 2 + 1)] of the frames that are complete.

        Until the last block frames come in multiples of ``together``.
        """
        size = len(self._window)
        parts = [self._rest, block]
        if last:
            parts.append(np.zeros(size // 2, np.float32))
        stream = np.concatenate(parts)
        count = max(0, (len(stream) - size) // self._hop + 1)
        if not last:
            count -= count % self._together
        self._rest = stream[count * self._hop :].copy()
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(stream, size)[:: self._hop][:count]
        for start in range(0, count, self._batch):
            spectrum = scipy.fft.rfft(frames[start : start + self._batch] * self._window, axis=1)
            yield spectrum.real**2 + spectrum.imag**2


def _window(size: int) -> NDArray[np.float32]:
    return np.hanning(size + 1)[:-1].astype(np.float32)


def _band_sums() -> NDArray[np.float32]:
    """Sums the bins of each band [shape=(WINDOW // 2 + 1, bands)]."""
    bins = np.arange(WINDOW // 2 + 1)[:, None]
    return ((bins >= BAND_EDGES[:-1]) & (bins < BAND_EDGES[1:])).astype(np.float32)


_BANDS = _band_sums()
# what makes a sine at full scale read 1
_SHORT_SCALE = 2.0 / float(_window(WINDOW).sum())
_LONG_SCALE = 2.0 / float(_window(TONAL_WINDOW).sum())


class _PeakPicker:
    """Keeps the spectral peaks that stand out of their surroundings.

    Percussion is broad-band within so long a window: it raises the local floor, not the peaks above it.
    """

    _LOWEST, _HIGHEST = 60.0, 2200.0  # Hz

    def __init__(self) -> None:
        self._frames = 0
        self._found: list[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]] = []
        bins = TONAL_WINDOW / TONAL_RATE
        self._first = int(self._LOWEST * bins)
        self._last = int(self._HIGHEST * bins)

    def feed(self, magnitudes: NDArray[np.float32]) -> None:
        part = magnitudes[:, self._first - 1 : self._last + 2]
        # the floor: mean over 65 bins (87 Hz)
        floor = uniform_filter1d(part, 65, axis=1, mode="nearest")
        centre, floor = part[:, 1:-1], floor[:, 1:-1]
        loud = centre > np.maximum(1.5 * floor, 1e-5)
        highest = loud & (centre > part[:, :-2]) & (centre >= part[:, 2:])
        frame, bin_ = np.divmod(np.flatnonzero(highest), highest.shape[1])  # thrice as fast as np.nonzero
        height = centre[frame, bin_]
        left, right = np.log(part[frame, bin_] + 1e-9), np.log(part[frame, bin_ + 2] + 1e-9)
        middle = np.log(height + 1e-9)
        # parabola through the logarithms: exact for a Gaussian window, near it for Hann's
        shift = 0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-6)
        hertz = (self._first + bin_ + shift) * (TONAL_RATE / TONAL_WINDOW)
        pitch = 69 + 12 * np.log2(hertz / 440.0)
        self._found.append(
            (
                (frame + self._frames).astype(np.int32),
                pitch.astype(np.float32),
                (height - floor[frame, bin_]).astype(np.float32),
            )
        )
        self._frames += len(magnitudes)

    def finish(self) -> Peaks:
        if not self._found:
            empty = np.zeros(0, np.float32)
            return Peaks(np.zeros(0, np.int32), empty, empty, self._frames, TONAL_RATE / TONAL_HOP)
        frame, pitch, magnitude = (np.concatenate(column) for column in zip(*self._found, strict=True))
        return Peaks(frame, pitch, magnitude, self._frames, TONAL_RATE / TONAL_HOP)
