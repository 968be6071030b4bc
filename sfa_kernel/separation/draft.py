"""The draft separator: classical signal processing, no learned weights.

What is told apart by what:

- drums are broad in frequency and short: a median along frequency against a median along time [1]_; low drums
  by their likeness from hit to hit;
- the bass is tonal and low, with the partials over its pitch;
- an accompaniment repeats and a voice seldom does: each frame is compared with the frames that sound most like
  it, and what stays the same in them is background [2]_;
- a voice stands in the middle of the stereo picture [3]_, in its own range of frequencies.

The four estimates share out each band by Wiener masks that add up to one; the idea of separate, simple models
of each source joined in this way is that of kernel additive modelling [4]_.

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

from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.separation.lowend import bass_line, drum_hits
from sfa_kernel.separation.median import median_across, sliding_median
from sfa_kernel.separation.spectra import Grid, masked, powers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["STEMS", "split"]

Array = np.ndarray[Any, np.dtype[Any]]

STEMS = ("vocals", "drums", "bass")

_EPS = np.float32(1e-12)
_EXPONENT = np.float32(1.7)  # of magnitudes in the masks; between amplitudes (1) and powers (2)
_NEIGHBOURS = 25  # frames compared with each frame
_BLOCK = 128  # frames compared at once


def split(samples: Array, sample_rate: int, *, at: Callable[[float], None] = lambda _: None) -> Iterator[Array]:
    """Estimate the vocals, drums and bass of a piece of music.

    Parameters
    ----------
    samples : float32 [shape=(channels, n)]
        One or two channels; a minute or so, for the work space grows with it (some 3 MB a second).
    sample_rate
        [Hz]
    at
        Called several times a second with the fraction of the work done, 0..1; may raise to stop it.

    Yields
    ------
    np.ndarray, float32 [shape=(3, channels, m)]
        The stems in the order of `STEMS`, piece after piece, as long as ``samples`` together. What they leave of
        the mix is the accompaniment.
    """
    grid = Grid(sample_rate)
    if len(samples) == 2:
        # In sum and difference the middle of the stereo picture is a matter of levels, not of phases.
        power = powers(np.stack([samples[0] + samples[1], samples[0] - samples[1]]), grid, lambda x: at(0.1 * x))
    else:
        power = powers(samples, grid, lambda x: at(0.1 * x))
    masks = _masks(power, grid, lambda x: at(0.1 + 0.6 * x))
    yield from masked(samples, masks, grid, lambda x: at(0.7 + 0.3 * x))


def _masks(power: Array, grid: Grid, at: Callable[[float], None]) -> Array:
    """Masks of vocals, drums and bass [shape=(3, frames, bands)].

    Parameters
    ----------
    power : [shape=(channels, frames, bands)]
        Of the only channel, or of the sum and the difference of two.
    grid
        The grid it is on.
    at
        Told the fraction done.
    """
    f = grid.centres
    power = power / (power.mean() + _EPS**2)  # nothing below depends on how loud the mix is
    total = power.sum(axis=0)
    magnitude = np.sqrt(total)

    steady = sliding_median(magnitude, _odd(0.4 * grid.rate), axis=0)
    at(0.05)
    broad = _along_frequency(magnitude, grid)
    at(0.1)
    drums = magnitude * (broad**2 / (broad**2 + steady**2 + _EPS))
    low = int(np.searchsorted(f, 250))
    drums[:, :low] = np.minimum(np.maximum(drums[:, :low], drum_hits(magnitude[:, :low], grid)), magnitude[:, :low])
    tonal = magnitude - drums
    at(0.15)

    bass = tonal * np.clip((350 - f) / 150, 0, 1)
    low = min(grid.fine, int(np.searchsorted(f, 1500)))
    line = bass_line(tonal[:, :low], grid)
    bass[:, :low] = np.minimum(np.maximum(bass[:, :low], line), tonal[:, :low])
    tonal -= bass
    at(0.25)

    # The first comparison is led astray by the voice; the second goes by the background the first one found.
    background = _background(tonal, tonal, grid, lambda x: at(0.25 + 0.35 * x))
    background = _background(tonal, background, grid, lambda x: at(0.6 + 0.35 * x))
    place = np.clip((f - 140) / 80, 0, 1) * np.clip((11000 - f) / 3000, 0, 1)
    if len(power) == 2:
        place = place * np.sqrt(np.clip((power[0] - power[1]) / (total + _EPS), 0, 1))
    vocals = (tonal - background) * place
    other = tonal - vocals

    parts = np.stack([vocals, drums, bass, other])
    np.power(parts, _EXPONENT, out=parts)
    parts[:3] /= parts.sum(axis=0) + _EPS
    at(1.0)
    return parts[:3]


def _odd(value: float) -> int:
    """The odd number next to a value, 3 at least."""
    return max(3, 2 * round((value - 1) / 2) + 1)


def _along_frequency(magnitude: Array, grid: Grid) -> Array:
    """Median along frequency over some 250 Hz in single bins, and twice as much in groups."""
    fine, coarse = magnitude[:, : grid.fine], magnitude[:, grid.fine :]
    parts = [sliding_median(fine, 23, axis=1)]
    if coarse.shape[1]:
        parts.append(sliding_median(coarse, 11, axis=1))
    return np.concatenate(parts, axis=1)


def _background(magnitude: Array, guide: Array, grid: Grid, at: Callable[[float], None]) -> Array:
    """What each frame has in common with the frames most like it (REPET-SIM).

    Parameters
    ----------
    magnitude : [shape=(frames, bands)]
        What to look at.
    guide : [shape=(frames, bands)]
        What to go by in comparing frames.
    grid
        The grid both are on.
    at
        Told the fraction done.
    """
    edges = np.searchsorted(grid.centres, np.geomspace(60, min(16000.0, 0.99 * grid.centres[-1]), 97))
    features = np.log1p(1000 * np.add.reduceat(guide, np.unique(edges), axis=1))
    features -= features.mean(axis=0)
    features /= np.linalg.norm(features, axis=1, keepdims=True) + _EPS
    count = len(features)
    neighbours = min(_NEIGHBOURS, (count - 1) // 2 * 2 + 1)
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
