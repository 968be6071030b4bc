"""Energy: how hard the music drives, as a curve and as one number from 1 to 10.

The curve is loudness (K-weighted, 400 ms) against the song's own loudest moments. The number joins what
listeners hear as energy in dance music: loudness, how dense the onsets are, how bright the sound is, and pace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.loudness import SEGMENT_RATE
from sfa_kernel.analysis.onsets import HIGH_BANDS, LOW_BANDS, Onsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.spectrum import Features

__all__ = ["ENERGY_RATE", "energy_curve", "energy_level"]

ENERGY_RATE = float(SEGMENT_RATE)  # values per second

_RANGE = 30.0  # dB from no energy to full energy


def energy_curve(features: Features) -> NDArray[np.float32]:
    """Energy over time, 0..1, at ``ENERGY_RATE``.

    Parameters
    ----------
    features
        Of the song.
    """
    power = features.loudness.momentary
    if not len(power):
        return np.zeros(0, np.float32)
    level = 10 * np.log10(power + 1e-12)
    top = float(np.percentile(level, 98))
    if top < -70:
        return np.zeros(len(power), np.float32)
    return np.clip(1 + (level - top) / _RANGE, 0, 1).astype(np.float32)


def energy_level(features: Features, onsets: Onsets, tempo: float | None) -> int:
    """Energy from 1 (calm) to 10 (peak time).

    Parameters
    ----------
    features, onsets
        Of the song.
    tempo
        In beats per minute.
    """
    loudness = features.loudness.integrated
    if loudness is None or not len(onsets.total):
        return 1
    power = (features.bands.astype(np.float64) ** 2).mean(axis=0)
    whole = float(power.sum())
    if whole <= 0:
        return 1
    # onsets a second that stand out of their surroundings
    total = onsets.total
    peaks = (total[1:-1] > 1.5) & (total[1:-1] >= total[:-2]) & (total[1:-1] > total[2:])
    density = float(peaks.sum()) / max(features.duration, 1.0)
    brightness = 10 * np.log10(float(power[HIGH_BANDS].sum()) / whole + 1e-6)
    bass = 10 * np.log10(float(power[LOW_BANDS].sum()) / whole + 1e-6)
    value = (
        5.2
        + 0.22 * np.clip(loudness + 12, -15, 8)
        + 0.35 * np.clip(density - 3.5, -3.5, 4)
        + 0.08 * np.clip(brightness + 18, -15, 12)
        + 0.06 * np.clip(bass + 4, -15, 4)
        + 0.02 * np.clip((tempo or 90.0) - 115, -45, 60)
    )
    return int(np.clip(round(value), 1, 10))
