"""From samples to power on a grid of frames and bands, and by masks back to samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Grid", "masked", "powers"]

Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK = 128  # frames transformed at once: spectra of a whole window are never held


class Grid:
    """Frames and bands on which masks are estimated.

    Frames of about 93 ms, each sample in four of them. Bands are single bins up to 5.5 kHz, where partials are
    told apart, groups of four above, and one last band from 16 kHz on: the work is the same at any sample rate.

    Parameters
    ----------
    sample_rate
        [Hz]

    Attributes
    ----------
    hop
        Samples from one frame to the next.
    rate
        Frames a second [Hz].
    width
        Distance of two bins [Hz].
    fine
        Number of bands that are single bins.
    centres
        Middle of each band [Hz] [shape=(bands,)].
    """

    def __init__(self, sample_rate: int) -> None:
        self.size = 1 << max(4, round(math.log2(0.0929 * sample_rate)))
        self.hop = self.size // 4
        self.rate = sample_rate / self.hop
        self.width = sample_rate / self.size
        bins = self.size // 2 + 1
        self.fine = min(bins, round(5500 / self.width))
        coarse = np.arange(self.fine, min(bins, max(self.fine + 1, round(16000 / self.width))), 4)
        self._edges = np.concatenate([np.arange(self.fine), coarse])
        self._counts = np.diff(np.append(self._edges, bins))
        self.centres = ((self._edges + (self._counts - 1) / 2) * self.width).astype(np.float32)
        self.window = np.sin(np.pi * (np.arange(self.size) + 0.5) / self.size).astype(np.float32)

    def frames(self, n: int) -> int:
        """How many frames cover ``n`` samples."""
        return int(-(-n // self.hop)) + 3

    def spectra(self, channel: Array, first: int, last: int) -> Array:
        """Spectra of frames ``first`` to ``last`` of a channel [shape=(frames, bins)]."""
        from scipy.fft import rfft

        start = (first - 3) * self.hop
        stop = (last - 4) * self.hop + self.size
        piece = channel[max(0, start) : stop]
        piece = np.pad(piece, (max(0, -start), stop - max(0, start) - len(piece)))
        frames = np.lib.stride_tricks.sliding_window_view(piece, self.size)[:: self.hop]
        spectra: Array = rfft(frames * self.window, axis=1)
        return spectra

    def gather(self, bins: Array) -> Array:
        """Mean over the bins of each band."""
        fine = bins[:, : self.fine]
        if len(self._edges) == self.fine:
            return fine
        sums = np.add.reduceat(bins, self._edges[self.fine :], axis=1)
        return np.concatenate([fine, sums / self._counts[self.fine :].astype(np.float32)], axis=1)

    def spread(self, bands: Array) -> Array:
        """Give each bin its band's value."""
        return np.repeat(bands, self._counts, axis=-1)


def powers(samples: Array, grid: Grid, at: Callable[[float], None]) -> Array:
    """Power of each channel [shape=(channels, frames, bands)]."""
    count = grid.frames(samples.shape[1])
    out = np.empty((len(samples), count, len(grid.centres)), np.float32)
    for first in range(0, count, _BLOCK):
        last = min(count, first + _BLOCK)
        for channel, power in zip(samples, out, strict=True):
            spectra = grid.spectra(channel, first, last)
            power[first:last] = grid.gather(spectra.real**2 + spectra.imag**2)
        at(last / count)
    return out


def masked(samples: Array, masks: Array, grid: Grid, at: Callable[[float], None]) -> Iterator[Array]:
    """Let samples through masks.

    Parameters
    ----------
    samples : [shape=(channels, n)]
        The mix.
    masks : [shape=(stems, frames, bands)]
        Share of each stem in each band, 0..1; the same for every channel.
    grid
        What the masks were made on.
    at
        Told the fraction done.

    Yields
    ------
    np.ndarray, float32 [shape=(stems, channels, m)]
        Pieces that join without a gap, ``n`` samples in all.
    """
    from scipy.fft import irfft

    channels, n = samples.shape
    hop = grid.hop
    count = grid.frames(n)
    window = grid.window * np.float32(0.5)  # the squared windows of four overlapping frames add up to two
    tail = np.zeros((len(masks), channels, 3 * hop), np.float32)
    for first in range(0, count, _BLOCK):
        last = min(count, first + _BLOCK)
        piece = np.zeros((len(masks), channels, (last - first + 3) * hop), np.float32)
        piece[:, :, : 3 * hop] = tail
        spectra = [grid.spectra(channel, first, last) for channel in samples]
        for stem, mask in enumerate(masks):
            shares = grid.spread(mask[first:last])
            for c in range(channels):
                frames = irfft(spectra[c] * shares, grid.size, axis=1)
                quarters = (frames * window).reshape(last - first, 4, hop)
                target = piece[stem, c].reshape(-1, hop)
                for k in range(4):
                    target[k : k + last - first] += quarters[:, k]
        at(last / count)
        tail = piece[:, :, -3 * hop :]
        start = (first - 3) * hop  # the first frame ends where the samples begin
        yield piece[:, :, max(0, -start) : min((last - first) * hop, n - start)]
