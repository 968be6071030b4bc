"""The form of a song: bars described, sections found, compared and labelled, drops named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import maximum_filter1d

from sfa_kernel.analysis.curves import Curve
from sfa_kernel.analysis.labels import describe_sections, join_rises, label_sections
from sfa_kernel.analysis.model import Section
from sfa_kernel.analysis.reasons import say, weigh
from sfa_kernel.analysis.repeats import closest, distances, letters
from sfa_kernel.analysis.structure import Bars, describe_bars, find_boundaries, novelty, similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.onsets import Onsets
    from sfa_kernel.analysis.rhythm import Rhythm
    from sfa_kernel.analysis.spectrum import Features

__all__ = ["SongForm", "find_song_form"]

_PSEUDO_BAR = 2.0  # seconds, where there is no bar to describe the form by
_WITHOUT_BARS = 0.5  # how far labels are trusted that were found without bars
_LEAST_SURE = 0.6  # how often a label that leads by nothing is right, on songs whose form is known
_MOST_COMPARED = 1024  # bars in the similarity matrix: a megabyte; longer music is compared in steps of several


@dataclass
class SongForm:
    """What `Analysis` says about form, under the same names, and the first bar (0..3) of a phrase of four."""

    sections: list[Section] = field(default_factory=list)
    drops: list[float] = field(default_factory=list)
    phrase: int = 0
    curves: dict[str, Curve] = field(default_factory=dict)


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
    barred = rhythm.tempo is not None
    if not barred:
        lines = np.linspace(0.0, features.duration, int(features.duration / _PSEUDO_BAR) + 1)[:-1]
    if len(lines) < (2 if barred else 8):
        reason = f"The song has too few bars ({len(lines)}) to compare its parts."
        return SongForm([Section(0.0, features.duration, "verse", 0.0, "A", reason)])
    edges = np.append(lines, min(features.duration, 2 * lines[-1] - lines[-2]))
    bars = describe_bars(edges, features.bands, level, onsets, harmony)
    form = _find_form(bars, features.duration, _four_on_the_floor(rhythm, onsets), 1.0 if barred else _WITHOUT_BARS)
    form.curves = _curves(bars)
    return form


def _find_form(bars: Bars, end: float, four_on_the_floor: bool, trust: float) -> SongForm:
    starts, phrase = find_boundaries(bars)
    starts = join_rises(starts, bars)
    traits = describe_sections(starts, bars)
    states, lead, lifts = label_sections(traits, distances(starts, bars), four_on_the_floor)
    drops = [float(bars.edges[starts[index]]) for index in lifts]
    first, states, lead = _merged(starts, states, lead, len(bars.level))
    # without a single build-up and return it is a song, whose full sections are choruses
    names = {"peak": "drop", "break": "break"} if lifts else {"peak": "chorus", "break": "bridge"}
    labels = [names.get(state, state) for state in states]
    times = np.append(bars.edges[first], end)
    times[0] = 0.0
    apart = distances(first, bars)
    groups = letters(apart, closest(first, bars), labels)
    evidence = weigh(first, bars, apart)
    sections = [
        Section(
            float(times[index]),
            float(times[index + 1]),
            label,
            trust * float(_LEAST_SURE + (1 - _LEAST_SURE) * lead[index]),
            groups[index],
            say(label, evidence[index], groups.index(groups[index]) < index, groups[index]),
            evidence[index],
        )
        for index, label in enumerate(labels)
    ]
    return SongForm(sections, drops, phrase)


def _merged(
    starts: NDArray[np.intp], states: list[str], lead: NDArray[np.float64], count: int
) -> tuple[NDArray[np.intp], list[str], NDArray[np.float64]]:
    """Neighbours of one label as one section: first bars, labels, leads."""
    new = [index for index in range(len(states)) if not index or states[index] != states[index - 1]]
    lengths = np.diff(np.append(starts, count)).astype(float)
    weighted = np.add.reduceat(lead * lengths, new) / np.add.reduceat(lengths, new)
    return starts[new], [states[index] for index in new], weighted


def _curves(bars: Bars) -> dict[str, Curve]:
    at = bars.edges[:-1]
    shrink = -(-len(at) // _MOST_COMPARED)
    names = ("low", "middle", "high")
    return {
        "structure.levels": Curve(bars.level.astype(np.float32), x=at, unit="dB", names=names),
        "structure.similarity": Curve(similarity(bars, shrink), x=at[::shrink]),
        "structure.novelty": Curve(novelty(bars).astype(np.float32), x=at),
    }


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
