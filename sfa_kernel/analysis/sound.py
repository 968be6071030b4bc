"""Level, energy and timbre of a song."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.curves import Curve
from sfa_kernel.analysis.energy import DANCEABILITY_WEIGHTS, danceability_parts, energy_curve, energy_parts
from sfa_kernel.analysis.loudness import SEGMENT_RATE, lufs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.onsets import Onsets
    from sfa_kernel.analysis.rhythm import Rhythm
    from sfa_kernel.analysis.spectrum import Features

__all__ = ["Sound", "describe_sound"]


@dataclass
class Sound:
    """What `Analysis` says about level, energy and timbre, under the same names."""

    lufs: float | None = None
    momentary_max: float | None = None
    short_term_max: float | None = None
    lra: float | None = None
    true_peak: float | None = None
    rms: float | None = None
    crest: float | None = None
    energy: int = 1
    danceability: float | None = None
    energy_curve: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    energy_rate: float = SEGMENT_RATE
    timbre: dict[str, float] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)


def describe_sound(features: Features, onsets: Onsets, rhythm: Rhythm) -> Sound:
    """Level, energy and timbre of a song.

    Parameters
    ----------
    features, onsets, rhythm
        Of the song.
    """
    loudness, timbre = features.loudness, features.timbre
    curve = energy_curve(features)
    energy = energy_parts(features, onsets, rhythm.tempo)
    dance = danceability_parts(onsets, rhythm.beats, rhythm.tempo)
    return Sound(
        lufs=loudness.integrated,
        momentary_max=loudness.momentary_max,
        short_term_max=loudness.short_term_max,
        lra=loudness.range,
        true_peak=loudness.true_peak,
        rms=loudness.rms,
        crest=loudness.crest,
        energy=max(1, min(10, round(sum(energy.values())))),
        danceability=sum(DANCEABILITY_WEIGHTS[name] * value for name, value in dance.items()) if dance else None,
        energy_curve=curve,
        energy_rate=loudness.rate,
        timbre=timbre.means(),
        curves={
            "energy": Curve(curve, rate=loudness.rate),
            **_parts("energy.parts", energy),
            **_parts("danceability.parts", dance),
            "loudness.momentary": Curve(lufs(loudness.momentary), rate=loudness.rate, unit="LUFS"),
            "loudness.short_term": Curve(lufs(loudness.short_term), rate=loudness.rate, unit="LUFS"),
            **timbre.curves(),
        },
    )


def _parts(name: str, parts: dict[str, float]) -> dict[str, Curve]:
    """What a number is made of, as a curve of one row, so that the number can be explained later."""
    if not parts:
        return {}
    values = np.array([list(parts.values())], np.float32)
    return {name: Curve(values, x=np.zeros(1), names=tuple(parts))}
