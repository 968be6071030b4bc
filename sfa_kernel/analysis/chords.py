"""The chord lane: which major or minor triad sounds, beat by beat.

Templates of triads against the chroma of each beat, and a path through them (Viterbi) that changes rather on
beats that begin a bar (Fujishima, "Realtime Chord Recognition of Musical Sound", 1999; Bello & Pickens, "A
Robust Mid-level Representation for Harmonic Content in Music Signals", 2005; the bass as a witness of its own
after Mauch & Dixon, "Simultaneous Estimation of Chords and Musical Context from Audio", 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.harmony import PITCH_CLASSES
from sfa_kernel.analysis.means import interval_means
from sfa_kernel.analysis.model import Chord
from sfa_kernel.analysis.paths import best_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.harmony import Chroma

__all__ = ["CHORDS", "Steps", "chord_lane", "steps_of"]

CHORDS = (*PITCH_CLASSES, *(f"{name}m" for name in PITCH_CLASSES), "N")
"""Labels of the lane in order: twelve major triads, twelve minor, none."""

_NONE = len(CHORDS) - 1
_STEP = 0.5  # seconds, where there is no beat
_TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7)}

_CLARITY = 18.0  # log-likelihood of a perfect match with a template
_BASS = 2.5  # the same of a bass on the chord's root
_NO_CHORD, _NO_CHORD_WHERE_SOFT = 0.6, 0.82  # match below which rather nothing is a chord
_SOFT, _LOUD = 0.2, 0.45  # of the song's loud chroma: drums alone stay below
_UNTUNED, _TUNED = 0.15, 0.3  # clarity of the tuning: drums and noise, music
_FAINT = 0.08  # what is softer is no chord at all
_CHANGE_AT_BAR, _CHANGE_AT_BEAT = 1.5, 5.0  # cost of a change of chord


@dataclass(frozen=True)
class Steps:
    """The song cut into stretches within which a chord does not change.

    Parameters
    ----------
    edges
        From 0 to the end of the song, in s [shape=(n + 1,)].
    bars
        The step that each bar begins with [shape=(bars,)].
    chroma, bass
        Means over each step [shape=(n, 12)].
    clarity
        Of the song's tuning, 0..1.
    """

    edges: NDArray[np.float64]
    bars: NDArray[np.intp]
    chroma: NDArray[np.float64]
    bass: NDArray[np.float64]
    clarity: float


def steps_of(chroma: Chroma, duration: float, beats: NDArray[np.float64], downbeats: NDArray[np.float64]) -> Steps:
    """Cut a song on its beats, or every half second where it has none.

    Parameters
    ----------
    chroma
        Of the song.
    duration
        In seconds.
    beats, downbeats
        In seconds.
    """
    edges = _edges(duration, np.asarray(beats, np.float64))
    lines = np.asarray(downbeats, np.float64)
    # to the nearest edge: a downbeat at the song's very start or end is not one of its own
    bars = np.searchsorted(edges[1:-1] / 2 + edges[:-2] / 2, lines)
    upper, lower = (_means(frames, chroma.rate, edges) for frames in (chroma.frames, chroma.bass))
    return Steps(edges, bars, upper, lower, chroma.clarity)


def _edges(duration: float, beats: NDArray[np.float64]) -> NDArray[np.float64]:
    beats = beats[(beats > 0.05) & (beats < duration - 0.05)]
    if len(beats) < 4:
        count = max(1, round(duration / _STEP))
        return np.linspace(0.0, duration, count + 1)
    beat = float(np.median(np.diff(beats)))
    before = np.arange(beats[0] - beat, 0.3 * beat, -beat)[::-1]
    after = np.arange(beats[-1] + beat, duration - 0.3 * beat, beat)
    return np.concatenate([[0.0], before, beats, after, [duration]])


def _means(frames: NDArray[np.float32], rate: float, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return interval_means(frames, rate, edges) if len(frames) else np.zeros((len(edges) - 1, 12))


def chord_lane(steps: Steps) -> tuple[list[Chord], NDArray[np.intp]]:
    """Chords of a song.

    Parameters
    ----------
    steps
        Of the song.

    Returns
    -------
    chords : list of Chord
        From 0 to the end, without gaps.
    path : ndarray
        The chord of each step, as an index of `CHORDS` [shape=(n,)].
    """
    likelihood = _likelihood(steps)
    change = np.full(len(likelihood), _CHANGE_AT_BEAT)
    change[steps.bars] = _CHANGE_AT_BAR
    path = best_path(likelihood, change)
    chords = []
    firsts = np.flatnonzero(np.diff(path, prepend=-1))
    for first, last in zip(firsts, [*firsts[1:], len(path)], strict=True):
        chords.append(
            Chord(
                float(steps.edges[first]),
                float(steps.edges[last]),
                CHORDS[path[first]],
                _certainty(likelihood[first:last].mean(axis=0), path[first]),
            )
        )
    return chords, path


def _certainty(likelihood: NDArray[np.float64], label: int) -> float:
    likely = np.exp(likelihood - likelihood.max())
    return float(likely[label] / likely.sum())


def _likelihood(steps: Steps) -> NDArray[np.float64]:
    """Log-likelihood of each label in each step [shape=(n, 25)]."""
    norm = np.linalg.norm(steps.chroma, axis=1)
    loud = float(np.percentile(norm, 90)) if len(norm) else 0.0
    match = (steps.chroma / np.maximum(norm, 1e-12)[:, None]) @ _TEMPLATES.T
    low = steps.bass.max(axis=1, keepdims=True)
    root = np.where(low > 1e-9, steps.bass / np.maximum(low, 1e-9), 0.0)
    result = np.empty((len(match), len(CHORDS)))
    result[:, :_NONE] = _CLARITY * match + _BASS * np.tile(root, (1, 2))
    softness = np.clip((_LOUD - norm / max(loud, 1e-12)) / (_LOUD - _SOFT), _percussion(steps.clarity), 1.0)
    result[:, _NONE] = _CLARITY * (_NO_CHORD + (_NO_CHORD_WHERE_SOFT - _NO_CHORD) * softness) + 0.5 * _BASS
    faint = norm <= max(1e-9, _FAINT * loud)
    result[faint, :_NONE] = 0.0
    return result


def _percussion(clarity: float) -> float:
    """0..1: how likely there is nothing but drums and noise in the song."""
    return float(np.clip((_TUNED - clarity) / (_TUNED - _UNTUNED), 0.0, 1.0))


def _templates() -> NDArray[np.float64]:
    rows = np.zeros((24, 12))
    for mode, triad in enumerate(_TRIADS.values()):
        for root in range(12):
            rows[12 * mode + root, [(root + step) % 12 for step in triad]] = 1 / np.sqrt(3)
    return rows


_TEMPLATES = _templates()
