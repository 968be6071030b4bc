"""Where notes begin: onset strength in three registers.

Log-compressed spectral flux (Bello et al., "A Tutorial on Onset Detection in Music Signals", 2005; the
compression after Klapuri et al., "Analysis of the Meter of Acoustic Musical Signals", 2006), split so that
kick and bass, body, and cymbals can speak separately.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Onsets", "compressed", "onset_strength"]

LOW_BANDS = slice(0, 6)  # 21-160 Hz: kick, bass
MIDDLE_BANDS = slice(6, 18)  # 160 Hz-2.3 kHz: snare's body, chords, voice
HIGH_BANDS = slice(18, None)  # 2.3-11 kHz: snare's rattle, clap, cymbals

_REGISTERS = (LOW_BANDS, MIDDLE_BANDS, HIGH_BANDS)
_SECONDS_OF_MEAN = 1.0


@dataclass(frozen=True)
class Onsets:
    """Onset strength per frame, each series with a root mean square of one where it sounds.

    Parameters
    ----------
    rate
        Frames per second.
    low, middle, high
        Of the compressed spectrum: every onset counts, however soft [shape=(frames,)].
    accents
        Of the magnitudes as they are, so that loud onsets count more: low, middle and high register
        [shape=(3, frames)].
    attack
        Of the magnitudes as they are, all bands alike: its peak keeps its distance to the attack, whatever
        the dynamics.
    """

    rate: float
    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]
    accents: NDArray[np.float64]
    attack: NDArray[np.float64]

    @property
    def accent(self) -> NDArray[np.float64]:
        """Accents together, middle and low first: snare and kick outweigh hats."""
        weighted: NDArray[np.float64] = self.accents[0] + 1.5 * self.accents[1] + 0.5 * self.accents[2]
        return weighted

    @property
    def total(self) -> NDArray[np.float64]:
        """All registers together."""
        return self.low + self.middle + self.high


def compressed(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Band magnitudes on a logarithmic scale that is relative to the song's own level.

    Parameters
    ----------
    bands
        Magnitudes [shape=(frames, bands)].

    Returns
    -------
    ndarray
        ``log(1 + 300 x)``, where x = 1 is the level that the loudest tenth of frames exceed: 50 dB below
        that the curve runs flat, so noise floors make no onsets.
    """
    level = np.sqrt(np.einsum("ij,ij->i", bands, bands))
    reference = float(np.percentile(level, 90)) if len(level) else 0.0
    if reference < 0.01 * level.max(initial=0.0):
        # single clicks in silence: the loudest tenth is that of what sounds at all
        reference = float(np.percentile(level[level > 0.01 * level.max()], 90))
    if reference < 1e-7:
        return np.zeros_like(bands)
    result: NDArray[np.float32] = np.log1p(bands * np.float32(300.0 / reference))
    return result


def onset_strength(bands: NDArray[np.float32], level: NDArray[np.float32], rate: float) -> Onsets:
    """Onset strength of a song.

    Parameters
    ----------
    bands, level
        Magnitudes as they are, and compressed [shape=(frames, bands)].
    rate
        Frames per second.

    Returns
    -------
    Onsets
        All zero for silence.
    """
    width = max(3, round(_SECONDS_OF_MEAN * rate))
    rise = _rise(level)
    registers = []
    for part in _REGISTERS:
        flux = rise[:, part].mean(axis=1, dtype=np.float64)
        if len(flux):
            flux = np.maximum(flux - uniform_filter1d(flux, width), 0.0)
        registers.append(_unit(flux))
    accents = np.zeros((3, len(bands)))
    for row, part in zip(accents, _REGISTERS, strict=True):
        register = np.sqrt(np.einsum("ij,ij->i", bands[:, part], bands[:, part]))
        row[:] = _unit(_rise(register[:, None])[:, 0].astype(np.float64))
    power = np.einsum("ij,ij->j", bands, bands) / max(1, len(bands))
    balance = np.where(power > 1e-14, 1 / np.sqrt(power + 1e-14), 0.0)
    attack = (_rise(bands) @ balance).astype(np.float64)
    low, middle, high = registers
    return Onsets(rate, low, middle, high, accents, _unit(attack))


def _rise(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much each band grows from the frame before to the frame after."""
    rise = np.zeros_like(level)
    if len(level) > 2:
        np.maximum(level[2:] - level[:-2], 0.0, out=rise[1:-1])
    return rise


def _unit(flux: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = float(np.sqrt(np.mean(flux**2))) if len(flux) else 0.0
    return flux / scale if scale > 1e-9 else np.zeros_like(flux)
