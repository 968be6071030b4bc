"""The form of a song: bars described, sections found and labelled, drops named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.analysis.model import Section
from sfa_kernel.analysis.structure import describe_bars, find_form

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.curves import Curve
    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.onsets import Onsets
    from sfa_kernel.analysis.rhythm import Rhythm
    from sfa_kernel.analysis.spectrum import Features

__all__ = ["SongForm", "find_song_form"]

_PSEUDO_BAR = 2.0  # seconds, where there is no bar to describe the form by


@dataclass
class SongForm:
    """What `Analysis` says about form, under the same names, and the first bar (0..3) of a phrase of four."""

    sections: list[Section] = field(default_factory=list)
    drops: list[float] = field(default_factory=list)
    phrase: int = 0
    curves: dict[str, Curve] = field(default_factory=dict)

    def results(self) -> dict[str, Any]:
        """The fields that go into the analysis."""
        return {"sections": self.sections, "drops": self.drops}


def find_song_form(
    features: Features, level: NDArray[np.float32], onsets: Onsets, harmony: Chroma, rhythm: Rhythm
) -> SongForm:
    """Form of a song.

    Parameters
    ----------
    features, onsets, harmony, rhythm
        Of the song.
    level
        Compressed bands [shape=(frames, bands)].
    """
    if features.loudness.integrated is None:
        return SongForm()
    lines = np.asarray(rhythm.downbeats, float)
    if rhythm.tempo is None:
        count = int(features.duration / _PSEUDO_BAR)
        if count < 8:
            return SongForm([Section(0.0, features.duration, "verse", 0.0)])
        edges = np.linspace(0.0, features.duration, count + 1)
        return SongForm(
            find_form(describe_bars(edges, features.bands, level, onsets), features.duration, False).sections
        )
    if len(lines) < 2:
        return SongForm([Section(0.0, features.duration, "verse", 0.0)])
    edges = np.append(lines, min(features.duration, 2 * lines[-1] - lines[-2]))
    bars = describe_bars(edges, features.bands, level, onsets)
    form = find_form(bars, features.duration, _four_on_the_floor(rhythm, onsets))
    return SongForm(form.sections, form.drops, form.phrase)


def _four_on_the_floor(rhythm: Rhythm, onsets: Onsets) -> bool:
    """Whether the kick is alike on every beat of the bar, and absent between beats."""
    beats = np.asarray(rhythm.beats, float)
    if rhythm.beats_per_bar != 4 or len(beats) < 32:
        return False
    first = int(np.searchsorted(beats, rhythm.downbeats[0] - 1e-6))
    beats = beats[first:]
    frames = np.arange(len(onsets.low))
    at = np.interp(beats * onsets.rate, frames, onsets.low)
    between = np.interp((beats[:-1] + np.diff(beats) / 2) * onsets.rate, frames, onsets.low)
    strength = np.array([at[position::4].mean() for position in range(4)])
    return bool(strength.min() > 0.6 * strength.max() and between.mean() < 0.4 * at.mean())
