"""The draft separator: classical signal processing, no learned weights.

What is told apart by what:

- drums are broadband and short: medians along frequency against medians along time [1]_; a kick drum is told
  from the bass by its onset;
- the bass is what is tonal and low;
- an accompaniment repeats and a voice seldom does: each frame is compared with the frames that sound most like
  it [2]_, and what stays the same in them is background;
- a voice stands in the middle of the stereo picture, in its own range of frequencies [3]_.

The four estimates share out every bin as Wiener masks that sum to one, in the sum and the difference of the two
channels separately, so the stems add up to the mix.

References
----------
.. [1] D. FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010.
.. [2] Z. Rafii and B. Pardo, "Music/voice separation using the similarity matrix", ISMIR 2012.
.. [3] D. Barry, B. Lawlor and E. Coyle, "Sound source separation: azimuth discrimination and resynthesis",
   DAFx 2004.
.. [4] A. Liutkus, D. FitzGerald, Z. Rafii, B. Pardo and L. Daudet, "Kernel additive models for source
   separation", IEEE Trans. Signal Processing 62(16), 2014.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.separation.median import median_across, sliding_median

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["STEMS", "split"]

Array = np.ndarray[Any, np.dtype[Any]]

STEMS = ("vocals", "drums", "bass")

_EPS = np.float32(1e-12)
_BLOCK = 128  # frames transformed at once


def split(samples: Array, sample_rate: int, *, at: Callable[[float], None] = lambda _: None) -> Iterator[Array]:
    """Estimate the vocals, drums and bass of a piece of music.

    Parameters
    ----------
    samples : float32 [shape=(channels, n)]
        One or two channels; a minute or so, for the work space grows with it (some 4 MB a second).
    sample_rate
        [Hz]
    at
        Called several times a second with the fraction of the work done, 0..1; may raise to stop it.

    Yields
    ------
    np.ndarray, float32 [shape=(3, channels, m)]
        The stems in the order of `STEMS`, piece after piece, as long as ``samples`` together. Whatever they leave
        of the mix is the fourth.
    """
    stereo = len(samples) == 2
    rotated = _rotate(samples) if stereo else samples
    grid = _Grid(sample_rate)
    power = _powers(rotated, grid, lambda x: at(0.2 * x))
    masks = _masks(power, grid, lambda x: at(0.2 + 0.5 * x))
    for stems in _apply(rotated, masks, grid, lambda x: at(0.7 + 0.3 * x)):
        if stereo:
            for stem in stems:
                stem[:] = _rotate(stem)
        yield stems


def _rotate(pair: Array) -> Array:
    """Left and right to scaled sum and difference; its own inverse."""
    half = np.float32(np.sqrt(0.5))
    return np.stack([(pair[0] + pair[1]) * half, (pair[0] - pair[1]) * half])


class _Grid:
    """Frames and bands on which masks are estimated.

    Frames of about 93 ms, four for each frame's length. Single bins up to 5.5 kHz, where partials are told apart;
    groups of four above; one last band from 16 kHz to the end, whatever the sample rate.
    """

    def __init__(self, sample_rate: int) -> None:
        self.size = 1 << max(4, round(math.log2(0.0929 * sample_rate)))
        self.hop = self.size // 4
        self.rate = sample_rate / self.hop  # frames a second
        self.bins = self.size // 2 + 1
        width = sample_rate / self.size
        fine = min(self.bins, round(5500 / width))
        end = min(self.bins, round(16000 / width))
        self.fine = fine
        self.edges = np.unique(np.concatenate([np.arange(fine), np.arange(fine, max(fine + 1, end), 4)]))
        self.edges = self.edges[self.edges < self.bins]
        self.counts = np.diff(np.append(self.edges, self.bins))
        self.centres = ((self.edges + (self.counts - 1) / 2) * width).astype(np.float32)
        self.width = width
        ramp = np.arange(self.size) + 0.5
        self.window = np.sin(np.pi * ramp / self.size).astype(np.float32)

    def frames(self, n: int) -> int:
        """Frames that cover ``n`` samples, each sample four times."""
        return int(-(-n // self.hop) + 3)

    def spectra(self, channel: Array, first: int, last: int) -> Array:
        """Spectra of the frames ``first``..``last`` of one channel."""
        from scipy.fft import rfft

        start = (first - 3) * self.hop
        stop = (last - 4) * self.hop + self.size
        piece = channel[max(0, start) : max(0, stop)]
        piece = np.pad(piece, (max(0, -start), max(0, stop - max(0, start) - len(piece))))
        frames = np.lib.stride_tricks.sliding_window_view(piece, self.size)[:: self.hop]
        spectra: Array = rfft(frames * self.window, axis=1)
        return spectra

    def gather(self, spectrum: Array) -> Array:
        """Mean over the bins of each band."""
        fine = spectrum[:, : self.fine]
        if len(self.edges) == self.fine:
            return np.ascontiguousarray(fine)
        coarse = np.add.reduceat(spectrum, self.edges[self.fine :], axis=1) / self.counts[self.fine :].astype(
            np.float32
        )
        return np.concatenate([fine, coarse], axis=1)

    def spread(self, bands: Array) -> Array:
        """Give each bin its band's value."""
        return np.repeat(bands, self.counts, axis=-1)


def _powers(samples: Array, grid: _Grid, at: Callable[[float], None]) -> Array:
    """Power on the grid [shape=(channels, frames, bands)]."""
    count = grid.frames(samples.shape[1])
    out = np.empty((len(samples), count, len(grid.edges)), np.float32)
    for first in range(0, count, _BLOCK):
        last = min(count, first + _BLOCK)
        for channel, power in zip(samples, out, strict=True):
            spectra = grid.spectra(channel, first, last)
            power[first:last] = grid.gather(spectra.real**2 + spectra.imag**2)
        at(last / count)
    return out


def _apply(samples: Array, masks: Array, grid: _Grid, at: Callable[[float], None]) -> Iterator[Array]:
    """Vocals, drums and bass by their masks, piece after piece."""
    from scipy.fft import irfft

    channels, n = samples.shape
    hop = grid.hop
    count = grid.frames(n)
    window = grid.window * np.float32(0.5)  # the squared windows of four overlapping frames add up to two
    tail = np.zeros((3, channels, 3 * hop), np.float32)
    for first in range(0, count, _BLOCK):
        last = min(count, first + _BLOCK)
        piece = np.zeros((3, channels, (last - first + 3) * hop), np.float32)
        piece[:, :, : 3 * hop] = tail
        for c in range(channels):
            spectra = grid.spectra(samples[c], first, last)
            for stem in range(3):
                frames = irfft(spectra * grid.spread(masks[stem, c, first:last]), grid.size, axis=1)
                quarters = (frames * window).reshape(last - first, 4, hop)
                target = piece[stem, c].reshape(-1, hop)
                for k in range(4):
                    target[k : k + last - first] += quarters[:, k]
        at(last / count)
        tail = piece[:, :, -3 * hop :]
        # The first frame ends at the first sample: what comes before is no sound of ours.
        start = (first - 3) * hop
        yield piece[:, :, max(0, -start) : min((last - first) * hop, n - start)]


def _masks(power: Array, grid: _Grid, at: Callable[[float], None]) -> Array:
    """Masks of vocals, drums and bass [shape=(3, channels, frames, bands)]."""
    f = grid.centres
    power = power / (power.mean() + _EPS**2)  # so that nothing depends on the level
    total = power.sum(axis=0)
    magnitude = np.sqrt(total)

    steady = sliding_median(magnitude, _odd(0.4 * grid.rate), axis=0)
    at(0.1)
    broad = _along_frequency(magnitude, grid)
    at(0.2)
    drums = broad**2 / (broad**2 + steady**2 + _EPS)
    kick = _onsets(magnitude[:, f > 1000].sum(axis=1), grid)
    low = f < 120
    excess = np.maximum(0, magnitude[:, low] - steady[:, low]) / (magnitude[:, low] + _EPS)
    drums[:, low] = np.maximum(drums[:, low], excess * kick[:, None])
    drums *= magnitude
    tonal = magnitude - drums
    bass = tonal * np.clip((350 - f) / 150, 0, 1)
    tonal -= bass
    at(0.3)
    background = _background(tonal, grid, lambda x: at(0.3 + 0.6 * x))
    voice = np.clip((f - 140) / 80, 0, 1) * np.clip((11000 - f) / 3000, 0, 1)
    if len(power) == 2:
        voice = voice * np.clip((power[0] - power[1]) / (total + _EPS), 0, 1)
    vocals = (tonal - background) * voice
    other = tonal - vocals

    estimates = [vocals**2, drums**2, bass**2, other**2]
    whole = sum(estimates) + _EPS
    masks = np.stack([estimate / whole for estimate in estimates[:3]])
    at(1.0)
    return np.broadcast_to(masks[:, None], (3, len(power), *masks.shape[1:]))


def _odd(value: float) -> int:
    return max(3, 2 * round((value - 1) / 2) + 1)


def _along_frequency(magnitude: Array, grid: _Grid) -> Array:
    """Median along frequency over about 250 Hz in single bins, twice that in groups."""
    fine, coarse = magnitude[:, : grid.fine], magnitude[:, grid.fine :]
    parts = [sliding_median(np.ascontiguousarray(fine), 23, axis=1)]
    if coarse.shape[1]:
        parts.append(sliding_median(np.ascontiguousarray(coarse), 11, axis=1))
    return np.concatenate(parts, axis=1)


def _onsets(envelope: Array, grid: _Grid) -> Array:
    """Near 1 in the frames that follow a sharp rise of the broadband level."""
    from scipy.ndimage import maximum_filter1d

    rise = np.maximum(0, np.diff(envelope, prepend=envelope[:1]))
    sharp = (rise > np.percentile(rise, 90)).astype(np.float32)
    near: Array = maximum_filter1d(sharp, _odd(0.16 * grid.rate))
    return near


def _background(magnitude: Array, grid: _Grid, at: Callable[[float], None]) -> Array:
    """What a frame has in common with the frames most like it (REPET-SIM)."""
    edges = np.unique(np.searchsorted(grid.centres, np.geomspace(60, min(16000, grid.centres[-1]), 97)))
    edges = edges[edges < magnitude.shape[1]]
    features = np.log1p(np.add.reduceat(magnitude, edges, axis=1))
    features -= features.mean(axis=0)
    features /= np.linalg.norm(features, axis=1, keepdims=True) + _EPS
    count = len(features)
    neighbours = min(25, count // 2 * 2 - 1)
    if neighbours < 3:
        return magnitude.copy()
    reach = 4
    out = np.empty_like(magnitude)
    for first in range(0, count, _BLOCK):
        last = min(count, first + _BLOCK)
        likeness = features[first:last] @ features.T
        padded = np.pad(likeness, ((0, 0), (reach, reach)), constant_values=-2)
        peaks = padded[:, :count].copy()
        for shift in range(1, 2 * reach + 1):
            np.maximum(peaks, padded[:, shift : shift + count], out=peaks)
        # Of a run of like frames only the best counts: the others hold the same sound, voice included.
        likeness[likeness < peaks] -= 4
        chosen = np.argpartition(-likeness, neighbours - 1, axis=1)[:, :neighbours]
        for top in range(0, last - first, 16):
            rows = chosen[top : top + 16]
            out[first + top : first + top + len(rows)] = median_across([magnitude[column] for column in rows.T])
        at(last / count)
    return np.minimum(out, magnitude, out=out)
