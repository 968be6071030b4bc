"""Tonality: key, key changes, chords and tuning of a song, from its chroma and its beats."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.analysis.downbeats import beat_means
from sfa_kernel.analysis.key import camelot, find_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.curves import Curve
    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.model import Chord, KeySpan
    from sfa_kernel.analysis.rhythm import Rhythm
    from sfa_kernel.analysis.spectrum import Features

__all__ = ["Tonality", "find_tonality"]


@dataclass
class Tonality:
    """What `Analysis` says about harmony, under the same names."""

    key: str | None = None
    key_confidence: float = 0.0
    key_alternative: str | None = None
    camelot: str | None = None
    open_key: str | None = None
    keys: list[KeySpan] = field(default_factory=list)
    chords: list[Chord] = field(default_factory=list)
    tuning_cents: float = 0.0
    curves: dict[str, Curve] = field(default_factory=dict)

    def results(self) -> dict[str, Any]:
        """The fields that go into the analysis."""
        return {name: value for name, value in vars(self).items() if name != "curves"}


def find_tonality(features: Features, harmony: Chroma, rhythm: Rhythm, phrase: int) -> Tonality:
    """Tonality of a song.

    Parameters
    ----------
    features, harmony, rhythm
        Of the song.
    phrase
        The first bar (0..3) of a phrase of four.
    """
    tonality = Tonality()
    if features.loudness.integrated is None or features.duration <= 1.0 or not harmony.frames.size:
        return tonality
    whole = beat_means(harmony.frames, harmony.rate, np.array([0.0, features.duration]))[0]
    tonality.key, tonality.key_confidence = find_key(whole, _opening(rhythm, harmony, phrase))
    if tonality.key is not None:
        tonality.camelot = camelot(tonality.key)
        tonality.tuning_cents = 100 * harmony.tuning
    return tonality


def _opening(rhythm: Rhythm, harmony: Chroma, phrase: int) -> NDArray[np.float64] | None:
    """Chroma of the first bars of phrases of four."""
    lines = np.asarray(rhythm.downbeats, float)
    if len(lines) < 8:
        return None
    means = beat_means(harmony.frames, harmony.rate, lines)
    opening: NDArray[np.float64] = means[phrase::4].mean(axis=0)
    return opening
