"""The form of a song: bars described, sections found, compared and labelled, drops named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import maximum_filter1d

from sfa_kernel.analysis.labels import describe_sections, join_rises, label_sections
from sfa_kernel.analysis.model import Section
from sfa_kernel.analysis.repeats import distances
from sfa_kernel.analysis.structure import Bars, describe_bars, find_boundaries

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
        lines = np.linspace(0.0, features.duration, int(features.duration / _PSEUDO_BAR) + 1)[:-1]
    if len(lines) < 2 or (rhythm.tempo is None and len(lines) < 8):
        return SongForm([Section(0.0, features.duration, "verse", 0.0)])
    edges = np.append(lines, min(features.duration, 2 * lines[-1] - lines[-2]))
    bars = describe_bars(edges, features.bands, level, onsets, harmony)
    return _form(bars, features.duration, _four_on_the_floor(rhythm, onsets))


def _form(bars: Bars, end: float, four_on_the_floor: bool) -> SongForm:
    starts, phrase = find_boundaries(bars)
    starts = join_rises(starts, bars)
    traits = describe_sections(starts, bars)
    states, lead, lifts = label_sections(traits, distances(starts, bars), four_on_the_floor)
    # without a single build-up and return it is a song, whose full sections are choruses
    names = {"peak": "drop", "break": "break"} if lifts else {"peak": "chorus", "break": "bridge"}
    edges = np.append(bars.edges[starts], end)
    edges[0] = 0.0
    sections: list[Section] = []
    for index, state in enumerate(states):
        label = names.get(state, state)
        begin, finish, sure = float(edges[index]), float(edges[index + 1]), float(lead[index])
        if sections and sections[-1].label == label:
            last = sections.pop()
            share = (last.end - last.start) / max(finish - last.start, 1e-9)
            begin, sure = last.start, share * last.confidence + (1 - share) * sure
        sections.append(Section(begin, finish, label, sure))
    return SongForm(sections, [float(edges[index]) for index in lifts], phrase)


def _four_on_the_floor(rhythm: Rhythm, onsets: Onsets) -> bool:
    """Whether the kick is alike on every beat of the bar, and absent between beats."""
    beats = np.asarray(rhythm.beats, float)
    if rhythm.beats_per_bar != 4 or len(beats) < 32:
        return False
    first = int(np.searchsorted(beats, rhythm.downbeats[0] - 1e-6))
    beats = beats[first:]
    # as loud as they are: a bass on every beat is none the softer for it, but the kick on some is louder
    accents = maximum_filter1d(onsets.accents[0], 5)
    frames = np.arange(len(accents))
    at = np.interp(beats * onsets.rate, frames, accents)
    between = np.interp((beats[:-1] + np.diff(beats) / 2) * onsets.rate, frames, accents)
    strength = np.array([at[position::4].mean() for position in range(4)])
    return bool(strength.min() > 0.5 * strength.max() and between.mean() < 0.5 * at.mean())
